"""One shard built anew without its removed images: the work function of a compaction."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import xxhash

from aqqua.store.atomic import digest_of, storage, write_json
from aqqua.store.dataset import Dataset
from aqqua.store.images import ShardReader, write_shard
from aqqua.store.manifest import Shard, read_manifest
from aqqua.store.masks import MaskFile, mask_names, mask_path
from aqqua.store.moves import MOVE_SCHEMA, WITHDRAWN_SCHEMA
from aqqua.store.parquet import read_notes, write_blocks, write_frame
from aqqua.store.rows import reading
from aqqua.store.sealing import read_back, summary_of
from aqqua.store.tombstones import read_tombstones

__all__ = ["CARRIED", "MOVED", "WITHDRAWN", "Compaction", "build_compacted"]

CARRIED, MOVED, WITHDRAWN = "carried", "moved.parquet", "withdrawn.parquet"
_BY_SHARD = ("predictions/*", "quality")
_GONE = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Compaction:
    """One shard to be compacted.

    Args:
        root: the dataset.
        snapshot: at which images are removed.
        shard: its number.
        number: the number it gets.
    """

    root: Path
    snapshot: int
    shard: int
    number: int


def build_compacted(task: Compaction, out: Path) -> None:
    """Write a folder with the shard as it will be, or without `summary.json` if no image is left.

    Beside it: `moved.parquet` (old and new uid), `withdrawn.parquet`, and under `carried/` what goes along.
    """
    dataset = Dataset(task.root, read_manifest(task.root, task.snapshot))
    shard = next(one for one in dataset.shards if one.number == task.shard)
    removed = read_tombstones(task.root, dataset.manifest.tombstones).filter(shard=task.shard)
    new_key = np.full(shard.n_images, _GONE, dtype=np.int64)
    kept = np.setdiff1d(np.arange(shard.n_images), removed["key"].to_numpy())
    new_key[kept] = np.arange(len(kept))
    with storage(out):
        out.mkdir(parents=True, exist_ok=True)
    _write_withdrawn(out / WITHDRAWN, shard, removed)
    if not len(kept):
        return
    moved = {"old": kept + (shard.number << 32), "new": np.arange(len(kept)) + (task.number << 32)}
    write_frame(out / MOVED, pl.DataFrame(moved).cast(MOVE_SCHEMA), kind="moves")
    digest = xxhash.xxh3_64()
    write_shard(out / "images.mdb", _values(shard, new_key, digest))
    for name, path in (("converted", shard.converted), ("raw", shard.raw)):
        _rewrite(path, out / f"{name}.parquet", "key", new_key, 0)
    summary = summary_of(out, len(kept), int(digest.intdigest()))
    order = shard.order if shard.order.endswith("compacted") else f"{shard.order} compacted"
    summary |= {"source": shard.source, "fingerprint": shard.fingerprint, "order": order, "n_labels": 0}
    read_back(out, summary)
    _carry(dataset, shard, task.number, new_key, str(summary["identity"]), out / CARRIED)
    write_json(out / "summary.json", summary)


def _values(shard: Shard, new_key: np.ndarray, digest: Any) -> Iterator[bytes]:
    """The records that stay, as they are."""
    reader = ShardReader(shard.images, size=shard.images_bytes, readahead=True)
    for key, value in reader.visit():
        if new_key[key] != _GONE:
            digest.update(value[-8:])
            yield bytes(value)


def _rewrite(path: Path, target: Path, column: str, new_key: np.ndarray, number: int) -> None:
    """A table without the rows of removed images, a row group at a time; key or uid in `column` becomes the new one."""
    notes = read_notes(path)
    kind = str(notes.pop("kind", ""))
    notes.pop("format", None)
    with reading(path), pq.ParquetFile(path) as file:
        schema = file.schema_arrow.remove_metadata()
        groups = (file.read_row_group(number) for number in range(file.num_row_groups))
        write_blocks(
            target, (_stay(group, column, new_key, number) for group in groups), kind=kind, notes=notes, schema=schema
        )


def _stay(group: pa.Table, column: str, new_key: np.ndarray, number: int) -> pl.DataFrame:
    frame = pl.from_arrow(group)
    assert isinstance(frame, pl.DataFrame)
    keys = new_key[(frame[column].cast(pl.UInt64) % (1 << 32)).to_numpy().astype(np.int64)]
    stays = keys != _GONE
    new = pl.Series(column, np.where(stays, keys, 0) + (number << 32)).cast(frame[column].dtype)
    return frame.with_columns(new).filter(pl.Series(stays))


def _write_withdrawn(path: Path, shard: Shard, removed: pl.DataFrame) -> None:
    with reading(shard.converted):
        rows = pl.read_parquet(shard.converted, columns=["key", "source_path", "source_row"])
    rows = rows.join(removed.select("key", "reason"), on="key").sort("key")
    told = rows.with_columns(source=pl.lit(shard.source), fingerprint=pl.lit(shard.fingerprint))
    write_frame(path, told.select(WITHDRAWN_SCHEMA.names()).cast(WITHDRAWN_SCHEMA), kind="withdrawn")


def _carry(dataset: Dataset, shard: Shard, number: int, new_key: np.ndarray, identity: str, home: Path) -> None:
    """Tables by shard and masks of the images that stay."""
    for pattern in _BY_SHARD:
        for path in sorted(dataset.path.glob(f"{pattern}/{shard.number:08}.parquet")):
            _rewrite(path, home / path.relative_to(dataset.path), "uid", new_key, number)
    for name in mask_names(dataset.path):
        file = MaskFile.of(mask_path(dataset.path, name, shard.number))
        if file is None:
            continue
        target = home / "masks" / name / "masks.mdb"
        keys: list[int] = []
        count = write_shard(target, _masks(file, new_key, keys), keys=keys)
        MaskFile(target, count, target.stat().st_size, digest_of(target), identity).write()


def _masks(file: MaskFile, new_key: np.ndarray, keys: list[int]) -> Iterator[bytes]:
    for key, value in file.visit():
        if new_key[key] != _GONE:
            keys.append(int(new_key[key]))
            yield bytes(value)
