"""The images and tables of a release: copied without what was removed, cut into files that every archive takes.

Encoded images go over byte for byte. Raw Metadata loses the columns that may name people and any e-mail address, and
gains `aqqua_origin`, which leads back to the image in the dataset (and lets `aqqua dataset lineage` find the release).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import xxhash

from aqqua.errors import StorageError
from aqqua.metadata.fields import arrow_schema
from aqqua.metadata.private import may_name_people, names_in, without
from aqqua.store.atomic import digest_of, storage, write_json
from aqqua.store.dataset import Dataset, Shard
from aqqua.store.images import ShardReader, write_shard
from aqqua.store.manifest import read_manifest
from aqqua.store.masks import SOURCE_MASKS, MaskFile, mask_path
from aqqua.store.parquet import read_notes, write_blocks
from aqqua.store.rows import reading
from aqqua.store.sealing import MASKS, read_back, summary_of
from aqqua.store.tombstones import read_tombstones

__all__ = ["MAX_BYTES", "MAX_IMAGES", "ORIGIN", "Cut", "Piece", "names_of", "plan_cuts", "uids_of", "write_cut"]

MAX_BYTES = 4_000_000_000
"""No file of a release is larger: archives take a file as a whole, and repeat it as a whole if the line breaks."""
MAX_IMAGES = 1 << 20
ORIGIN = "aqqua_origin"
_PAGE, _IN_PAGE, _NODE = 4096, 2000, 26
LMDB_HEAD = 8 * _PAGE
"""At most what an LMDB file takes besides its values, in bytes: two meta pages, the root, pages begun."""
_CONVERTED_ROWS, _RAW_ROWS = 1 << 17, 1 << 13


@dataclass(frozen=True)
class Piece:
    """Some images of one shard: its number, and their keys as a rising array."""

    shard: int
    keys: np.ndarray


@dataclass(frozen=True)
class Cut:
    """What goes into one images file.

    Args:
        root: the dataset.
        snapshot: of the dataset.
        identity: uuid of the dataset.
        pieces: the images, in order.
        raw_columns: columns of Raw Metadata of the whole release.
        names: of people, as the left out columns have them; they are removed from other texts, too.
        max_bytes: the file must not be larger.
    """

    root: Path
    snapshot: int
    identity: str
    pieces: tuple[Piece, ...]
    raw_columns: tuple[str, ...]
    names: tuple[str, ...]
    max_bytes: int

    def __len__(self) -> int:
        """Number of images."""
        return sum(len(piece.keys) for piece in self.pieces)


def plan_cuts(
    dataset: Dataset, uids: Sequence[int] | None, *, max_bytes: int = MAX_BYTES, max_images: int = MAX_IMAGES
) -> list[Cut]:
    """Which images go into which file, in storage order, without removed ones.

    Args:
        dataset: the dataset.
        uids: only these; None for all.
        max_bytes: of an images file.
        max_images: of an images file.
    """
    removed = read_tombstones(dataset.path, dataset.manifest.tombstones)
    chosen = None if uids is None else np.asarray(sorted(set(uids)), dtype=np.uint64)
    groups: list[list[Piece]] = [[]]
    nbytes = count = 0
    max_bytes -= LMDB_HEAD
    for shard in dataset.shards:
        keys = _kept(shard, removed, chosen)
        for piece in _split(_sizes(shard, keys), keys, shard.number, (nbytes, count), (max_bytes, max_images)):
            if piece.new:
                groups.append([])
            groups[-1].append(Piece(shard.number, piece.keys))
            nbytes, count = piece.nbytes, piece.count
    columns, names = tuple(_raw_columns(dataset)), tuple(names_of(dataset))
    identity = dataset.uuid
    filled = [tuple(group) for group in groups if group]
    limit = max_bytes + LMDB_HEAD
    return [Cut(dataset.path, dataset.snapshot, identity, group, columns, names, limit) for group in filled]


@dataclass(frozen=True)
class _Run:
    keys: np.ndarray
    new: bool
    nbytes: int
    count: int


def _split(
    sizes: np.ndarray, keys: np.ndarray, shard: int, before: tuple[int, int], limits: tuple[int, int]
) -> Iterator[_Run]:
    """Runs of keys, each of which fits into what is left of a file (the first), or into a new one."""
    nbytes, count = before
    begin, new = 0, False
    for at, size in enumerate(sizes.tolist()):
        if count and (nbytes + size > limits[0] or count >= limits[1]):
            if at > begin:
                yield _Run(keys[begin:at], new, nbytes, count)
            begin, new, nbytes, count = at, True, 0, 0
        nbytes, count = nbytes + size, count + 1
    if len(keys) > begin:
        yield _Run(keys[begin:], new, nbytes, count)


def _kept(shard: Shard, removed: pl.DataFrame, chosen: np.ndarray | None) -> np.ndarray:
    keys = np.setdiff1d(np.arange(shard.n_images), removed.filter(shard=shard.number)["key"].to_numpy())
    if chosen is not None:
        keys = np.intersect1d(keys, (chosen[chosen >> np.uint64(32) == shard.number] & np.uint64(0xFFFFFFFF)))
    return keys.astype(np.int64)


def _sizes(shard: Shard, keys: np.ndarray) -> np.ndarray:
    reader = ShardReader(shard.images, size=shard.images_bytes)
    return bytes_in_lmdb(np.fromiter((len(value) for _, value in reader.visit(keys.tolist())), np.int64, len(keys)))


def bytes_in_lmdb(lengths: np.ndarray) -> np.ndarray:
    """At most how many bytes values take in an LMDB file: pages of their own, or a part of a page."""
    pages = -(-(lengths + 16) // _PAGE) * _PAGE + 2 * _NODE
    return np.where(lengths > _IN_PAGE, pages, 2 * (lengths + _NODE))


def _raw_columns(dataset: Dataset) -> Iterator[str]:
    """Columns of Raw Metadata that may be published, in order of appearance."""
    seen = {"key": None}
    for shard in dataset.shards:
        seen |= dict.fromkeys(name for name in pl.read_parquet_schema(shard.raw) if not may_name_people(name))
    return iter([*(name for name in seen if name != ORIGIN), ORIGIN])


def names_of(dataset: Dataset) -> list[str]:
    """Full names of people in the columns of Raw Metadata that name them, each once."""
    found: set[str] = set()
    for shard in dataset.shards:
        for column in filter(may_name_people, pl.read_parquet_schema(shard.raw)):
            with reading(shard.raw):
                cells = pl.scan_parquet(shard.raw).select(pl.col(column).unique()).collect()
            found |= set(names_in(cells))
    return sorted(found, key=lambda name: (-len(name), name))


def uids_of(cuts: Sequence[Cut]) -> pl.DataFrame:
    """Where each image is in the dataset (`old`) and in the release (`new`)."""
    parts = [pl.DataFrame(schema={"old": pl.UInt64, "new": pl.UInt64})]
    for number, cut in enumerate(cuts):
        old = np.concatenate([piece.keys + (piece.shard << 32) for piece in cut.pieces])
        new = np.arange(len(old)) + (number << 32)
        parts.append(pl.DataFrame({"old": old, "new": new}).cast(pl.UInt64))
    return pl.concat(parts)


def write_cut(cut: Cut, out: Path) -> None:
    """Write a folder with images.mdb, converted.parquet, raw.parquet, perhaps masks.mdb; `summary.json` comes last.

    Raises:
        StorageError: the disk is full, or the file became larger than it may be.
        FormatError: a shard is damaged.
    """
    dataset = Dataset(cut.root, read_manifest(cut.root, cut.snapshot))
    shards = {shard.number: shard for shard in dataset.shards}
    with storage(out):
        out.mkdir(parents=True, exist_ok=True)
    digest = xxhash.xxh3_64()
    write_shard(out / "images.mdb", _values(cut, shards, digest))
    blocks = _keyed(_table(cut, shards, "converted", _CONVERTED_ROWS))
    notes = {"provenance": _provenance(cut, shards)}
    write_blocks(out / "converted.parquet", blocks, kind="converted", notes=notes, schema=arrow_schema())
    write_blocks(out / "raw.parquet", _keyed(_raw(cut, shards)), kind="raw")
    summary = summary_of(out, len(cut), int(digest.intdigest()))
    if summary["images_bytes"] > cut.max_bytes:
        raise StorageError(f"an images file of {summary['images_bytes']:,} bytes", where=out, do="please report this")
    summary |= {"source": cut.root.name, "fingerprint": f"aqqua-{cut.identity}", "order": "as in the dataset", **_NONE}
    read_back(out, summary)
    _write_masks(cut, out / MASKS, str(summary["identity"]))
    write_json(out / "summary.json", summary)


_NONE: dict[str, Any] = {"n_labels": 0}


def _values(cut: Cut, shards: dict[int, Shard], digest: Any) -> Iterator[bytes]:
    for piece in cut.pieces:
        shard = shards[piece.shard]
        reader = ShardReader(shard.images, size=shard.images_bytes, readahead=True)
        for _, value in reader.visit(piece.keys.tolist()):
            digest.update(value[-8:])
            yield bytes(value)


def _table(cut: Cut, shards: dict[int, Shard], name: str, rows: int) -> Iterator[pl.DataFrame]:
    """Rows of a table of the images of a cut, block by block, with their old keys."""
    for piece in cut.pieces:
        path = shards[piece.shard].converted if name == "converted" else shards[piece.shard].raw
        for first in range(0, shards[piece.shard].n_images, rows):
            inside = piece.keys[(piece.keys >= first) & (piece.keys < first + rows)]
            if len(inside):
                with reading(path):
                    block = pl.scan_parquet(path).slice(first, rows).collect()[(inside - first).tolist()]
                yield _with_origin(block, cut, piece.shard) if name == "raw" else without(block)


def _with_origin(block: pl.DataFrame, cut: Cut, shard: int) -> pl.DataFrame:
    """Raw Metadata with all columns of the release and none that names people."""
    here = pl.format("{}{}", pl.lit(f"{cut.identity}/{shard}/"), pl.col("key"))
    if ORIGIN in block.columns:
        here = pl.when(pl.col(ORIGIN).is_null()).then(here).otherwise(pl.format("{} < {}", here, pl.col(ORIGIN)))
    block = block.with_columns(here.alias(ORIGIN))
    lacking = [pl.lit(None, pl.String).alias(name) for name in cut.raw_columns if name not in block.columns]
    return without(block.with_columns(lacking).select(cut.raw_columns), cut.names)


def _raw(cut: Cut, shards: dict[int, Shard]) -> Iterator[pl.DataFrame]:
    return _table(cut, shards, "raw", _RAW_ROWS)


def _keyed(blocks: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """Rows with the keys they have in the release."""
    first = 0
    for block in blocks:
        yield block.with_columns(pl.Series("key", np.arange(first, first + len(block), dtype=np.uint32)))
        first += len(block)


def _provenance(cut: Cut, shards: dict[int, Shard]) -> dict[str, str]:
    """Which raw column each field came from; where shards differ, all ways."""
    ways: dict[str, dict[str, None]] = {}
    for piece in cut.pieces:
        for name, way in read_notes(shards[piece.shard].converted).get("provenance", {}).items():
            ways.setdefault(name, {})[str(way)] = None
    return {name: " | ".join(told) for name, told in ways.items()}


def _write_masks(cut: Cut, path: Path, identity: str) -> None:
    """Masks that came with the images."""
    keys: list[int] = []
    count = write_shard(path, _masks(cut, keys), keys=keys)
    if count:
        MaskFile(path, count, path.stat().st_size, digest_of(path), identity).write()
    else:
        path.unlink()


def _masks(cut: Cut, keys: list[int]) -> Iterator[bytes]:
    first = 0
    for piece in cut.pieces:
        file = MaskFile.of(mask_path(cut.root, SOURCE_MASKS, piece.shard))
        place = {int(key): first + at for at, key in enumerate(piece.keys)} if file else {}
        for key, value in file.visit() if file else ():
            if key in place:
                keys.append(place[key])
                yield bytes(value)
        first += len(piece.keys)
