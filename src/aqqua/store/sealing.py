"""From what was collected to the files of a shard: in pseudo-random order, read back and compared, then named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import xxhash

from aqqua.errors import StorageError
from aqqua.metadata.fields import arrow_schema
from aqqua.store.atomic import digest_of, forget_cache, storage, write_json
from aqqua.store.identity import tool_versions
from aqqua.store.images import ShardReader, write_shard
from aqqua.store.manifest import Shard
from aqqua.store.masks import MaskFile
from aqqua.store.parquet import FORMAT, write_blocks, write_frame
from aqqua.store.readback import differences
from aqqua.store.spool import TableSpool, ValueSpool, order_of

__all__ = ["MASKS", "read_back", "summary_of", "write_sealed"]

MASKS = "masks.mdb"
"""Masks that came with the images of a shard; beside it what `MaskFile` notes."""

_CONVERTED_ROWS, _RAW_ROWS = 1 << 17, 1 << 13


def write_sealed(
    folder: Path,
    values: ValueSpool,
    converted: TableSpool,
    raw: TableSpool,
    labels: TableSpool,
    masks: tuple[ValueSpool, Sequence[int]],
    *,
    seed: int,
    about: Mapping[str, Any],
) -> None:
    """Write the files of one shard into a folder; `summary.json` comes last.

    Args:
        folder: of the shard.
        values: encoded images.
        converted: rows without key, in the same order.
        raw: rows without key, in the same order.
        labels: rows with `_row`, the position of their image.
        masks: encoded masks, and the positions of their images.
        seed: of the order.
        about: source, fingerprint and provenance.

    Raises:
        StorageError: the disk is full, or gave back something else than was written.
    """
    order, told = order_of(len(values), seed)
    digest = xxhash.xxh3_64()
    write_shard(folder / "images.mdb", _noted(values.read(order), digest))
    with storage(folder):
        write_blocks(
            folder / "converted.parquet",
            _keyed(converted.blocks(order, _CONVERTED_ROWS)),
            kind="converted",
            notes={"provenance": about["provenance"]},
            schema=arrow_schema(),
        )
        write_blocks(folder / "raw.parquet", _keyed(raw.blocks(order, _RAW_ROWS)), kind="raw")
        n_labels = _write_labels(folder / "labels.parquet", labels.frame(), order)
    summary = summary_of(folder, len(values), int(digest.intdigest()))
    summary |= {"source": about["source"], "fingerprint": about["fingerprint"], "order": told}
    n_masks = _write_masks(folder / MASKS, *masks, order, str(summary["identity"]))
    summary |= {"n_labels": n_labels, "n_masks": n_masks, "format": list(FORMAT), "tools": tool_versions()}
    read_back(folder, summary)
    write_json(folder / "summary.json", summary)


def _noted(values: Iterator[bytes], digest: Any) -> Iterator[bytes]:
    """Pass values on, and put the checksum at the end of each into the digest of the shard."""
    for value in values:
        digest.update(value[-8:])
        yield value


def _keyed(blocks: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """Put the key in front of blocks of rows."""
    first = 0
    for block in blocks:
        key = pl.Series("key", np.arange(first, first + len(block), dtype=np.uint32))
        yield block.insert_column(0, key)
        first += len(block)


def _write_labels(path: Path, labels: pl.DataFrame, order: np.ndarray) -> int:
    """Write labels by key, and return their number."""
    if not len(labels):
        return 0
    key_of_position = np.empty(len(order), np.uint32)
    key_of_position[order] = np.arange(len(order), dtype=np.uint32)
    key = pl.Series("key", key_of_position[labels["_row"].to_numpy()])
    return write_frame(path, labels.drop("_row").insert_column(0, key).sort("key", maintain_order=True), kind="labels")


def _write_masks(path: Path, masks: ValueSpool, positions: Sequence[int], order: np.ndarray, shard: str) -> int:
    """Write masks by key, and return their number."""
    if not len(masks):
        return 0
    number = np.full(len(order), -1, dtype=np.int64)
    number[np.asarray(positions)] = np.arange(len(masks))
    keys = np.flatnonzero(number[order] >= 0)
    with storage(path):
        write_shard(path, masks.read(number[order][keys]), keys=keys.tolist())
        MaskFile(path, len(masks), path.stat().st_size, digest_of(path), shard).write()
    return len(masks)


def summary_of(folder: Path, count: int, images_digest: int) -> dict[str, Any]:
    """What the manifest will say about the shard."""
    names = {"images": "images.mdb", "converted": "converted.parquet", "raw": "raw.parquet"}
    summary: dict[str, Any] = {"n_images": count, **names, "images_digest": images_digest}
    identity = xxhash.xxh3_128(str(images_digest).encode())
    for name, file in names.items():
        forget_cache(folder / file)
        summary[f"{name}_bytes"] = (folder / file).stat().st_size
        summary[f"{name}_xxh3"] = digest_of(folder / file)
        if name != "images":
            identity.update(str(summary[f"{name}_xxh3"]).encode())
    labels = folder / "labels.parquet"
    if labels.is_file():
        identity.update(str(digest_of(labels)).encode())
    return {**summary, "identity": identity.hexdigest(), **_extent(folder / "converted.parquet")}


def _extent(converted: Path) -> dict[str, Any]:
    """Where and when the images were taken, and with what."""
    column = pl.col
    extent = pl.scan_parquet(converted).select(
        column("latitude").min().alias("latitude_min"),
        column("latitude").max().alias("latitude_max"),
        column("longitude").min().alias("longitude_min"),
        column("longitude").max().alias("longitude_max"),
        column("depth_min_m").min(),
        column("depth_max_m").max(),
        column("time_utc").min().alias("time_min_utc"),
        column("time_utc").max().alias("time_max_utc"),
        column("instrument").drop_nulls().unique().sort().implode().alias("instruments"),
    )
    row = extent.collect().to_dicts()[0]
    times = {name: row[name] and row[name].isoformat() for name in ("time_min_utc", "time_max_utc")}
    return {**row, **times}


def read_back(folder: Path, summary: Mapping[str, Any]) -> None:
    """Read everything from the disk again, and compare."""
    shard = Shard.from_row(folder, {**summary, "number": 0})
    wrong = differences(shard)
    ShardReader(shard.images).close()  # or the file would keep its room on the disk after it is moved away
    if wrong:
        what = f"the disk gave back something else than was written: {wrong}"
        raise StorageError(what, where=folder, do="check the disk and its memory, then run it again")
