"""One shard of an AqQua dataset, seen as a part of a source: its Raw Metadata and its pixels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import polars as pl

from aqqua.sources.part import Part, Rows, rows_frame
from aqqua.sources.pixels import Picture
from aqqua.store.dataset import Dataset
from aqqua.store.uid import join_uid

__all__ = ["StoredShard"]


@dataclass(frozen=True)
class StoredShard(Part):
    """One shard.

    Args:
        number: of the shard.
    """

    number: int = 0
    needs: ClassVar[tuple[str, ...]] = ("image_path",)

    @cached_property
    def dataset(self) -> Dataset:
        """The dataset, opened in this process."""
        return Dataset.open(self.tree.path)

    def estimate(self) -> int:
        """Number of images, removed ones left out."""
        shard = self.dataset.shards[self.number]
        return shard.n_images - shard.n_removed

    def read(self, start: int = 0, stop: int | None = None) -> Rows:
        """Raw Metadata as it was read from the source of the dataset."""
        columns = ["key", "object_id", "source_path", "source_row"]
        told = self.dataset.metadata(columns).filter(pl.col("shard") == self.number).drop("uid", "shard")
        raw = pl.read_parquet(self.dataset.shards[self.number].raw)
        raw = told.select("key").join(raw, on="key", maintain_order="left")
        frame = rows_frame(
            raw.drop("key", "source_path", "source_row").rename({"raw:key": "key"}, strict=False),
            source_path=told["source_path"].to_list(),
            source_row=told["source_row"].to_list(),
            image_path=[str(join_uid(self.number, key)) for key in told["key"]],
            object_id=told["object_id"].to_list(),
            problems={},
        )
        return Rows(frame[start:stop])

    def picture(self, row: Mapping[str, Any]) -> Picture:
        """The pixels of a row."""
        uid = int(row["image_path"])
        return Picture(self.dataset.image(uid), self.dataset.row(uid)["channel_names"])

    def mask(self, row: Mapping[str, Any]) -> np.ndarray | None:
        """The mask that came with the image."""
        return self.dataset.mask(int(row["image_path"])) if "source" in self.dataset.mask_names() else None
