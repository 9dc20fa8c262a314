"""A shard that was just written is read from the disk again, before it gets its name.

Of the tables every page is read and its checksum compared, which was made before the page went to the disk. Each image
is looked up by its key (so that the inner pages of the file are used too), its checksum is compared, it is decoded, and
what comes out must have the size and hash that were taken from the pixels when they came in. That is what
`aqqua check --level 3` does for others' shards, in one pass instead of three, and without its search for files made to
do harm: this one is our own.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import xxhash

from aqqua.errors import AqquaError
from aqqua.store.atomic import digest_of
from aqqua.store.codec import decode, pixel_hash
from aqqua.store.images import ShardReader
from aqqua.store.manifest import Shard

__all__ = ["differences"]

_FROM_PIXELS = ["height", "width", "channels", "dtype", "xxh3"]
_ROWS = 1 << 14


def differences(shard: Shard) -> str | None:
    """What is otherwise on the disk than it should be, or None if all is well.

    Args:
        shard: with the digests of what was handed to the disk.
    """
    for path, digest in ((shard.converted, shard.converted_xxh3), (shard.raw, shard.raw_xxh3)):
        if digest_of(path) != digest:
            return f"the table {path.name} has another checksum"
    try:
        converted = _table(shard.converted, _FROM_PIXELS)
        raw = _table(shard.raw, [])
    except (pa.ArrowException, OSError) as error:
        return f"a table cannot be read ({error})"
    ordinals = pl.Series("key", range(shard.n_images), dtype=pl.UInt32)
    if not converted["key"].equals(ordinals) or not raw["key"].equals(ordinals):
        return "the rows of a table are not in the order of the keys"
    try:
        return _images(shard, converted.select(_FROM_PIXELS))
    except AqquaError as error:
        return error.what


def _table(path: Path, columns: Sequence[str]) -> pl.DataFrame:
    """The key and some columns, after the checksum of every page of the file was found right."""
    blocks = []
    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        for group in range(file.num_row_groups):
            table = pl.from_arrow(file.read_row_group(group).select(["key", *columns]))
            assert isinstance(table, pl.DataFrame)
            blocks.append(table)
    return pl.concat(blocks)


def _images(shard: Shard, rows: pl.DataFrame) -> str | None:
    """The records: each decoded and compared with its row, all with the digest of what was written."""
    reader = ShardReader(shard.images, size=shard.images_bytes, readahead=True)
    if len(reader) != shard.n_images:
        return f"{len(reader)} of {shard.n_images} images"
    digest, names = xxhash.xxh3_64(), {1: "uint8", 2: "uint16"}
    expected = rows.iter_rows(buffer_size=_ROWS)
    for (key, value), row in zip(reader.visit(range(shard.n_images)), expected, strict=True):
        digest.update(value[-8:])
        image = decode(value, where=f"key {key}")
        height, width, *channels = image.shape
        if (height, width, channels[0] if channels else 1, names[image.itemsize], pixel_hash(image)) != row:
            return f"the image under key {key} is another one"
    return None if digest.intdigest() == shard.images_digest else "the images are others"
