"""The labelled images of datasets: who they are, what they show, and their pixels window by window."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aqqua.errors import ConfigError
from aqqua.metadata.taxa import match
from aqqua.store.dataset import Dataset

__all__ = ["Images", "Labelled", "Seen", "far_images", "read_labelled"]

WINDOW = 1024
_COLUMNS = ("object_id", "sample_id", "instrument", "pixel_um", "channel_names")


class Seen(NamedTuple):
    """One image: pixels (height, width[, channels]), side of a pixel in µm, names of the channels."""

    pixels: NDArray[Any]
    pixel_um: float | None
    channel_names: str | None


@dataclass(frozen=True)
class Images:
    """Images of one or more datasets, in the order in which they are read.

    Args:
        datasets: where they lie.
        table: one row per image: `dataset` (place in `datasets`), `uid`, `object_id`, `sample_id`, `instrument`,
            `pixel_um`, `channel_names`.
    """

    datasets: tuple[Dataset, ...]
    table: pl.DataFrame

    def __len__(self) -> int:
        """Number of images."""
        return self.table.height

    def windows(self, rows: Sequence[int] | None = None) -> Iterator[list[Seen]]:
        """All images, or those of these rows, in windows that fit into memory."""
        table = self.table if rows is None else self.table[list(rows)]
        for part in table.iter_slices(WINDOW):
            found: list[Seen] = []
            for piece in part.partition_by("dataset", maintain_order=True):
                pixels = self.datasets[int(piece["dataset"][0])].images(piece["uid"].to_list())
                about = zip(piece["pixel_um"], piece["channel_names"], strict=True)
                found += [Seen(image, um, names) for image, (um, names) in zip(pixels, about, strict=True)]
            yield found

    @cached_property
    def key(self) -> str:
        """Sixteen hex digits that name the images and the snapshots they were read from."""
        digest = hashlib.sha256()
        for number, ds in enumerate(self.datasets):
            digest.update(f"{ds.uuid} {ds.snapshot}\n".encode())
            digest.update(self.table.filter(dataset=number)["uid"].to_numpy().astype(np.uint64).tobytes())
        return digest.hexdigest()[:16]


@dataclass(frozen=True)
class Labelled:
    """Images with what people say they show.

    Args:
        images: the images; their table has `label`, as given, and `taxon`, the accepted name or the label.
        classes: the labels, sorted.
        label: (n,) index into `classes`.
    """

    images: Images
    classes: tuple[str, ...]
    label: NDArray[np.int64]

    def __len__(self) -> int:
        """Number of images."""
        return len(self.label)

    @cached_property
    def key(self) -> str:
        """Sixteen hex digits that name images and labels."""
        told = "\n".join(self.images.table["label"].to_list())
        return hashlib.sha256(f"{self.images.key}\n{told}".encode()).hexdigest()[:16]

    def column(self, name: str) -> list[Any]:
        """One column of the table."""
        return self.images.table[name].to_list()

    @cached_property
    def sample(self) -> NDArray[np.int64]:
        """(n,) number of the sample of each image, −1 where it is not known."""
        table = self.images.table
        name = pl.format("{} {}", "dataset", "sample_id")  # null where the sample is
        number = table.select(name.rank("dense").cast(pl.Int64) - 1).to_series().fill_null(-1)
        return number.to_numpy().astype(np.int64)


def read_labelled(datasets: Sequence[Dataset]) -> Labelled:
    """Find the labelled images of datasets; pixels are not read yet.

    Raises:
        ConfigError: fewer than two classes are labelled.
    """
    parts = [_table(ds, number) for number, ds in enumerate(datasets)]
    table = pl.concat(parts) if parts else pl.DataFrame({"label": []})
    classes, label = np.unique(table["label"].to_list(), return_inverse=True)
    if len(classes) < 2:
        where = ", ".join(str(ds.path) for ds in datasets)
        told = f"a benchmark needs labels of two classes, there are {len(classes)}"
        raise ConfigError(told, where=where, do="use a dataset with labels")
    return Labelled(Images(tuple(datasets), table), tuple(classes.tolist()), label.astype(np.int64))


def far_images(datasets: Sequence[Dataset], most: int, seed: int) -> Images | None:
    """Images of other datasets, labelled or not: at most this many, drawn by chance; None if there are none."""
    if not datasets:
        return None
    parts = [ds.metadata(list(_COLUMNS)).with_columns(dataset=pl.lit(i)) for i, ds in enumerate(datasets)]
    table = pl.concat(parts)
    if table.height > most:
        table = table[np.sort(np.random.default_rng(seed).permutation(table.height)[:most]).tolist()]
    return Images(tuple(datasets), table) if table.height else None


def _table(ds: Dataset, number: int) -> pl.DataFrame:
    """Validated and predicted labels with what else is known of their images, in storage order."""
    labels = ds.labels().filter(pl.col("status").is_in(["validated", "predicted"]) & pl.col("label").is_not_null())
    accepted = {label: (found.name if (found := match(label)) else label) for label in labels["label"].unique()}
    own = pl.col("label").replace_strict(accepted, return_dtype=pl.String)
    named = labels.select("uid", "label", taxon=pl.coalesce("taxon", own))
    about = ds.metadata(list(_COLUMNS)).with_columns(dataset=pl.lit(number))
    return about.join(named, on="uid", how="inner", maintain_order="left")
