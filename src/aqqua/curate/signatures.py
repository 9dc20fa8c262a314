"""What every image looks like, in 64 bits: one small table per shard, made once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from aqqua.curate.hashing import HASH_VERSION, perceptual_hash
from aqqua.scale import map_shards
from aqqua.store.dataset import Dataset, Shard
from aqqua.store.parquet import write_frame
from aqqua.store.rows import reading

__all__ = ["ShardTask", "read_signatures", "signatures", "write_signatures"]

_SCHEMA: dict[str, Any] = {"uid": pl.UInt64, "phash": pl.UInt64}


@dataclass(frozen=True)
class ShardTask:
    """A shard of a dataset, as it travels to a worker.

    Args:
        dataset: at its snapshot.
        number: of the shard.
    """

    dataset: Dataset
    number: int

    @property
    def shard(self) -> Shard:
        """The shard itself."""
        return self.dataset.shards[self.number]

    @classmethod
    def all_of(cls, dataset: Dataset) -> list[ShardTask]:
        """One task for each shard."""
        return [cls(dataset, shard.number) for shard in dataset.shards]


def signatures(dataset: Dataset, *, where: Any = "here", workers: int | None = None, **options: Any) -> list[Path]:
    """Make the tables that are missing, and return all of them, a path per shard.

    Args:
        dataset: the dataset.
        where: run here, in a process pool, on SLURM or on Ray.
        workers: how many at once.
        options: of the engine.
    """
    tasks = ShardTask.all_of(dataset)
    outs = [_path(dataset, task.number) for task in tasks]
    return map_shards(write_signatures, tasks, outs, where=where, workers=workers, what="Looking at images", **options)


def write_signatures(task: ShardTask, out: Path) -> None:
    """Hash the images of one shard."""
    rows = [(uid, perceptual_hash(pixels)) for uid, pixels in task.dataset.iter_images(task.shard)]
    frame = pl.DataFrame(rows, schema=_SCHEMA, orient="row")
    write_frame(out, frame, kind="signatures", notes={"hash_version": HASH_VERSION})


def read_signatures(dataset: Dataset, paths: Sequence[Path]) -> pl.DataFrame:
    """`uid`, `phash`, `width` and `height` of the images of a dataset, without removed ones: 24 bytes each."""
    with reading(dataset.path):
        parts = [pl.LazyFrame(schema=_SCHEMA), *(pl.scan_parquet(path) for path in paths)]
        sizes = dataset.lazy().select("uid", "width", "height")
        return sizes.join(pl.concat(parts), on="uid", how="inner", maintain_order="left").collect()


def _path(dataset: Dataset, number: int) -> Path:
    return dataset.path / "duplicates" / f"signatures-{HASH_VERSION}" / f"{number:08}.parquet"
