"""A dataset: a folder of sealed files and one small manifest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from aqqua.store.shard import SealedShard

if TYPE_CHECKING:
    from aqqua.metadata.card import Card
    from aqqua.metadata.check import Finding

__all__ = ["Dataset", "Shard"]


@dataclass(frozen=True)
class Shard:
    """One sealed shard of a dataset, as its manifest describes it."""

    number: int
    n_images: int
    images: Path
    converted: Path
    raw: Path
    source: str
    fingerprint: str


@dataclass(frozen=True)
class Dataset:
    """A dataset as it was at one snapshot: cheap to open, safe to pickle and to use after a fork."""

    path: Path
    snapshot: int
    shards: tuple[Shard, ...]

    @classmethod
    def open(cls, path: Path | str) -> Dataset:
        """Open the newest snapshot.

        Raises:
            NotFoundError: there is no dataset at this path.
            FormatError: it is of a newer format, or damaged.
        """
        raise NotImplementedError

    @classmethod
    def create(cls, path: Path | str, card: Card | None = None) -> Dataset:
        """Make an empty dataset in a new or empty folder.

        Raises:
            StorageError: the folder holds a dataset already, or something else.
        """
        raise NotImplementedError

    @classmethod
    def is_at(cls, path: Path | str) -> bool:
        """Whether there is a dataset at this path."""
        raise NotImplementedError

    @property
    def card(self) -> Card:
        """The card of the dataset."""
        raise NotImplementedError

    def __len__(self) -> int:
        """Number of images, without removed ones."""
        raise NotImplementedError

    def commit(
        self,
        shards: Sequence[SealedShard],
        *,
        rejects: pl.DataFrame | None = None,
        findings: Sequence[Finding] = (),
    ) -> Dataset:
        """Add sealed shards, their labels, rejects and findings in one step, and return the dataset with them.

        It happens wholly or not at all. A shard that is already there (the step was interrupted after its point of no
        return and is done again) is not added twice. The folders of the sealed shards are removed afterwards.
        Numbers are given in the order of `shards`. Other processes may commit at the same time; they wait.
        """
        raise NotImplementedError

    def add_tombstones(self, uids: Sequence[int], reason: str) -> Dataset:
        """Take images out of all views, for a reason; their bytes stay in the sealed shards."""
        raise NotImplementedError

    def metadata(self, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """Converted Metadata with `uid` and `shard` in front, in storage order, without removed images."""
        raise NotImplementedError

    def lazy(self) -> pl.LazyFrame:
        """The same as a Polars query, to filter before anything is read."""
        raise NotImplementedError

    def raw(self, uids: Sequence[int]) -> list[dict[str, str]]:
        """Raw Metadata of images, verbatim, in the order asked for."""
        raise NotImplementedError

    def row(self, uid: int) -> dict[str, Any]:
        """Converted Metadata of one image."""
        raise NotImplementedError

    def image(self, uid: int) -> np.ndarray:
        """Pixels of one image: (height, width) or (height, width, channels)."""
        raise NotImplementedError

    def images(self, uids: Sequence[int]) -> list[np.ndarray]:
        """Pixels of images in the order asked for, read block by block."""
        raise NotImplementedError

    def iter_images(self, shard: Shard) -> Iterator[tuple[int, np.ndarray]]:
        """Uid and pixels of each image of a shard, in storage order."""
        raise NotImplementedError

    def labels(self) -> pl.DataFrame:
        """The current label of each labelled image: the one recorded last."""
        raise NotImplementedError

    def label_history(self, uid: int) -> pl.DataFrame:
        """All labels an image ever had, oldest first."""
        raise NotImplementedError

    def add_labels(self, frame: pl.DataFrame) -> Path:
        """Append labels as a new sealed file; returns its path."""
        raise NotImplementedError

    def prediction_models(self) -> list[str]:
        """Ids of the models that have predictions here, newest first."""
        raise NotImplementedError

    def predictions(self, model: str | None = None, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """Predictions of a model (default: the newest), in storage order."""
        raise NotImplementedError

    def prediction_path(self, model_id: str, shard: int) -> Path:
        """Where the predictions of a model for a shard belong (for `map_shards`)."""
        raise NotImplementedError

    def write_predictions(self, model_id: str, shard: int, frame: pl.DataFrame, info: dict[str, Any]) -> Path:
        """Write the predictions of a model for one shard; replaces former ones of the same model."""
        raise NotImplementedError

    def rejected(self) -> pl.DataFrame:
        """Rows that did not get in, each with its reason."""
        raise NotImplementedError

    def findings(self) -> list[Finding]:
        """What looked odd at the ingests."""
        raise NotImplementedError
