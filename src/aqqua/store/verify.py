"""Is the dataset still what was written? Four levels, each including the ones before.

| level | reads | finds |
|---|---|---|
| 0 | names and sizes | missing and shortened files |
| 1 | the structure of LMDB and Parquet files | files that would harm a reader: do this before opening foreign ones |
| 2 | every byte | any flipped bit |
| 3 | decodes every image | images that do not belong to their row |
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import xxhash

from aqqua.errors import AqquaError, ConfigError
from aqqua.metadata.check import Finding
from aqqua.store.atomic import digest_of
from aqqua.store.codec import check_value, decode, pixel_hash
from aqqua.store.images import ShardReader
from aqqua.store.manifest import Shard
from aqqua.store.verify_masks import verify_masks
from aqqua.store.verify_rest import verify_current, verify_seals

if TYPE_CHECKING:
    from aqqua.store.dataset import Dataset

__all__ = ["LEVELS", "verify", "verify_shard"]

LEVELS = (0, 1, 2, 3)
_COPY_AGAIN = "copy the file again from where the dataset came from, or ingest its source again"
_NAMED = 5


def verify(dataset: Dataset, level: int = 1) -> list[Finding]:
    """Check the files of a dataset.

    Args:
        dataset: at the snapshot it was opened.
        level: 0 to 3, see above. Levels 0 and 1 take seconds per 100 GB and per GB, level 2 reads with the speed of the
            disk, level 3 decodes some ten thousand images per second.

    Returns:
        Findings; none if all is well.

    Raises:
        ConfigError: there is no such level.
    """
    from aqqua.progress import track

    if level not in LEVELS:
        raise ConfigError(f"no level {level} of verification", do="levels are 0, 1, 2 and 3")
    shards = track(dataset.shards, "Verifying", unit="shards") if level else dataset.shards
    findings = [finding for shard in shards for finding in verify_shard(shard, level)]
    findings += [*verify_current(dataset), *verify_masks(dataset, level)]
    if level >= 2:
        findings += verify_seals(dataset)
    return [*findings, *_leftovers(dataset.path)]


def verify_shard(shard: Shard, level: int) -> list[Finding]:
    """Check the three files of one shard; it stops at the level where something is wrong."""
    for check in (_sizes, _structure, _bytes, _images)[: level + 1]:
        if findings := list(check(shard)):
            return findings
    return []


def _sizes(shard: Shard) -> Iterator[Finding]:
    """Level 0."""
    expected = {
        shard.images: shard.images_bytes,
        shard.converted: shard.converted_bytes,
        shard.raw: shard.raw_bytes,
    }
    for path, size in expected.items():
        if not path.is_file():
            yield _error("file_missing", "a file of the dataset is missing", path)
        elif (actual := path.stat().st_size) != size:
            yield _error("file_size", f"a file is {actual} bytes long, the manifest says {size}", path)


def _structure(shard: Shard) -> Iterator[Finding]:
    """Level 1."""
    yield from _lmdb_structure(shard)
    for path in (shard.converted, shard.raw):
        try:
            rows = pq.read_metadata(path).num_rows
        except (pa.ArrowException, OSError, ValueError) as error:
            yield _error("parquet_unreadable", f"a table cannot be read ({error})", path)
            continue
        if rows != shard.n_images:
            yield _error("row_count", f"a table has {rows} rows for {shard.n_images} images", path)


def _lmdb_structure(shard: Shard) -> Iterator[Finding]:
    """What `python -m lmdb verify` finds, without handing the file to LMDB."""
    from lmdb.verify import VerifyError, verify

    try:
        problems = verify(str(shard.images), subdir=False)
    except (VerifyError, OSError, ValueError) as error:
        problems = [str(error)]
    if problems:
        message = f"the LMDB file is damaged: {'; '.join(problems[:_NAMED])}"
        yield _error("lmdb_structure", message, shard.images, len(problems))
        return
    try:
        count = len(ShardReader(shard.images, size=shard.images_bytes))
    except AqquaError as error:
        yield _error("lmdb_structure", error.what, shard.images)
        return
    if count != shard.n_images:
        yield _error("image_count", f"the shard has {count} images, the manifest says {shard.n_images}", shard.images)


def _bytes(shard: Shard) -> Iterator[Finding]:
    """Level 2."""
    digest, damaged = xxhash.xxh3_64(), []
    try:
        for key, value in ShardReader(shard.images, size=shard.images_bytes, readahead=True).visit():
            digest.update(value[-8:])
            if not check_value(value):
                damaged.append(key)
    except AqquaError as error:
        yield _error("record_missing", error.what, shard.images)
        return
    if damaged:
        message = f"images are damaged (checksum): keys {_few(damaged)}"
        yield _error("record_damaged", message, shard.images, len(damaged))
    elif digest.intdigest() != shard.images_digest:
        yield _error("record_exchanged", "the images are not those that the manifest knows", shard.images)
    elif shard.images_xxh3 and digest_of(shard.images) != shard.images_xxh3:
        message = "the file is not as it was written, though all its images are whole"
        yield _error("images_file_damaged", message, shard.images)
    for path, expected in ((shard.converted, shard.converted_xxh3), (shard.raw, shard.raw_xxh3)):
        if digest_of(path) != expected:
            yield _error("table_damaged", "a table is not as it was written (checksum)", path)


def _images(shard: Shard) -> Iterator[Finding]:
    """Level 3."""
    columns = ["key", "height", "width", "channels", "dtype", "xxh3"]
    rows = pl.read_parquet(shard.converted, columns=columns).select(columns)
    raw_keys = pl.read_parquet(shard.raw, columns=["key"])["key"]
    ordinals = pl.Series("key", range(shard.n_images), dtype=pl.UInt32)
    if not rows["key"].equals(ordinals) or not raw_keys.equals(ordinals):
        yield _error("key_order", "the rows of a table are not in the order of the keys", shard.converted)
        return
    undecodable, foreign = [], []
    reader = ShardReader(shard.images, size=shard.images_bytes, readahead=True)
    for (key, value), (_, *expected) in zip(reader.visit(), rows.iter_rows(), strict=True):
        try:
            image = decode(value)
        except AqquaError:
            undecodable.append(key)
            continue
        channels = image.shape[2] if image.ndim == 3 else 1
        if [*image.shape[:2], channels, image.dtype.name, pixel_hash(image)] != expected:
            foreign.append(key)
    if undecodable:
        message = f"images cannot be decoded: keys {_few(undecodable)}"
        yield _error("record_damaged", message, shard.images, len(undecodable))
    if foreign:
        message = f"images do not fit their rows (shape, type or hash): keys {_few(foreign)}"
        yield _error("metadata_mismatch", message, shard.images, len(foreign))


def _leftovers(root: Path) -> Iterator[Finding]:
    """Files without a final name are no error: something is being written, or was interrupted."""
    parts = sorted(root.rglob("*.part"))
    if parts:
        do = "if nothing is writing now, they may be deleted"
        message = "unfinished files of an interrupted or running job"
        yield Finding("info", "unfinished_files", message, str(parts[0]), len(parts), do)


def _few(keys: list[int]) -> str:
    named = ", ".join(map(str, keys[:_NAMED]))
    return f"{named} …" if len(keys) > _NAMED else named


def _error(code: str, message: str, path: Path, count: int = 1) -> Finding:
    return Finding("error", code, message, str(path), count, _COPY_AGAIN)
