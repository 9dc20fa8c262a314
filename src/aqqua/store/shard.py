"""The write side: images and their rows are collected, then sealed as one shard.

A job of an ingest does, for every part of a source:

    builder = ShardBuilder(folder, source="cruise.zip", fingerprint="…", seed=7)
    for images, converted, raw, labels in …:          # some hundred images at a time
        builder.add_batch(images, converted, raw, labels)
    sealed = builder.seal()                           # folder now holds a whole shard and summary.json

and at the end, once, in the calling process: `dataset = dataset.commit([sealed, …], rejects=…, findings=…)`.

Nothing here depends on the size of a batch: the same images in the same order give the same shard.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

__all__ = ["MAX_SHARD_BYTES", "MAX_SHARD_IMAGES", "SealedShard", "ShardBuilder"]

MAX_SHARD_IMAGES = 1 << 20
MAX_SHARD_BYTES = 8 << 30


@dataclass(frozen=True)
class SealedShard:
    """A whole shard in a folder of its own, not yet part of a dataset.

    The folder holds `images.mdb`, `converted.parquet`, `raw.parquet`, `labels.parquet` (by key, where there are any)
    and `summary.json`, which is written last: a folder without it is not whole.
    """

    folder: Path
    summary: Mapping[str, Any]

    @property
    def n_images(self) -> int:
        """Number of images."""
        return int(self.summary["n_images"])

    @classmethod
    def load(cls, folder: Path) -> SealedShard | None:
        """The sealed shard in this folder, or None if there is no whole one.

        Use it after a crash: what is sealed need not be done again.
        """
        raise NotImplementedError


class ShardBuilder:
    """Collects images with their metadata on disk, then seals them as one shard; memory stays flat.

    Args:
        folder: where to build, made if missing; leftovers of a former try are removed. After `seal` it holds the shard.
        source: name of the raw source, as people know it.
        fingerprint: hash of the raw source, so that the same one is recognised.
        seed: of the pseudo-random order within the shard.

    Memory: values go to a spool file as they come, rows to spool tables of 32,768 rows; what stays in memory is 16
    bytes per image. `seal` needs the disk space of the shard twice.
    """

    def __init__(self, folder: Path, *, source: str = "", fingerprint: str = "", seed: int = 0) -> None:
        raise NotImplementedError

    def __len__(self) -> int:
        """Number of images so far."""
        raise NotImplementedError

    @property
    def full(self) -> bool:
        """Whether the shard has reached 2^20 images or 8 GiB: seal it and begin the next one."""
        raise NotImplementedError

    def add_batch(
        self,
        images: Sequence[np.ndarray],
        converted: pl.DataFrame,
        raw: pl.DataFrame,
        labels: pl.DataFrame | None = None,
    ) -> None:
        """Add some images; row i of `converted` and of `raw` belong to image i.

        Args:
            images: (height, width) or (height, width, channels), uint8 or uint16.
            converted: the harmonised columns; those the store knows from the pixels (key, width, height, channels, dtype,
                nbytes, xxh3) are filled here, missing optional ones are null, names with a leading "_" are left out.
            raw: the source's own columns as text. Batches may have different columns; the shard gets all of them.
            labels: any number of rows; `_row` is the position in this batch. Other columns as in the labels table.
                `recorded_utc` is filled at the commit where it is missing.

        Raises:
            ConfigError: a column is missing or of a wrong type, or the numbers of rows differ.
            FormatError: an image is of a kind the format does not hold (nothing of the batch is added).
            StorageError: the disk is full.
        """
        raise NotImplementedError

    def seal(self, provenance: Mapping[str, str] | None = None) -> SealedShard:
        """Write, read everything back and compare, then give the files their names.

        Args:
            provenance: for each Converted Metadata field the raw column, mapping and factor it came from.

        Raises:
            StorageError: the disk is full, or gave back something else than was written.
        """
        raise NotImplementedError

    def discard(self) -> None:
        """Remove everything that was collected."""
        raise NotImplementedError
