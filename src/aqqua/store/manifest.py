"""The manifest: which shards make up a dataset, in immutable snapshots; `CURRENT` names the one that counts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import polars as pl
import pyarrow.parquet as pq

from aqqua.errors import FormatError, UnsafeInputError
from aqqua.store.atomic import write_text
from aqqua.store.identity import now_text
from aqqua.store.parquet import read_notes, write_frame
from aqqua.store.rows import TROUBLE
from aqqua.store.seal import require_seal

__all__ = ["Manifest", "Shard", "file_names", "read_current", "read_manifest", "write_manifest"]

_CURRENT = re.compile(r"v(\d{6,})\n?")

_SCHEMA: dict[str, Any] = {
    "number": pl.UInt32,
    "n_images": pl.UInt32,
    "images": pl.String,
    "converted": pl.String,
    "raw": pl.String,
    "images_bytes": pl.UInt64,
    "images_digest": pl.UInt64,
    "images_xxh3": pl.UInt64,
    "converted_bytes": pl.UInt64,
    "converted_xxh3": pl.UInt64,
    "raw_bytes": pl.UInt64,
    "raw_xxh3": pl.UInt64,
    "source": pl.String,
    "fingerprint": pl.String,
    "identity": pl.String,
    "order": pl.String,
    "latitude_min": pl.Float64,
    "latitude_max": pl.Float64,
    "longitude_min": pl.Float64,
    "longitude_max": pl.Float64,
    "depth_min_m": pl.Float32,
    "depth_max_m": pl.Float32,
    "time_min_utc": pl.Datetime("ms", "UTC"),
    "time_max_utc": pl.Datetime("ms", "UTC"),
    "instruments": pl.List(pl.String),
    "n_removed": pl.UInt32,
}
_PATHS = ("images", "converted", "raw")


@dataclass(frozen=True)
class Shard:
    """One sealed shard, as the manifest describes it.

    Args:
        number: of the shard; the uid of its image `key` is `number << 32 | key`.
        n_images: number of images, removed ones included.
        images: the LMDB file.
        converted: Converted Metadata.
        raw: Raw Metadata.
        images_bytes: size of the LMDB file.
        images_digest: xxh3_64 of the checksums of all records, in the order of the keys.
        images_xxh3: xxh3_64 of the LMDB file; 0 if it is not known (datasets of format 1.0).
        converted_bytes: size.
        converted_xxh3: xxh3_64 of the file.
        raw_bytes: size.
        raw_xxh3: xxh3_64 of the file.
        source: name of the raw source.
        fingerprint: hash of the raw source.
        identity: hash of the content of the shard; equal shards are equal.
        order: how the images are ordered, "splitmix64:SEED" or "splitmix64/16:SEED".
        latitude_min: southernmost image, degrees north.
        latitude_max: northernmost image.
        longitude_min: westernmost image, degrees east.
        longitude_max: easternmost image.
        depth_min_m: least depth.
        depth_max_m: greatest depth.
        time_min_utc: first image.
        time_max_utc: last image.
        instruments: names of the instruments.
        n_removed: number of images that a tombstone has taken out.
    """

    number: int
    n_images: int
    images: Path
    converted: Path
    raw: Path
    images_bytes: int
    images_digest: int
    converted_bytes: int
    converted_xxh3: int
    raw_bytes: int
    raw_xxh3: int
    images_xxh3: int = 0
    source: str = ""
    fingerprint: str = ""
    identity: str = ""
    order: str = ""
    latitude_min: float | None = None
    latitude_max: float | None = None
    longitude_min: float | None = None
    longitude_max: float | None = None
    depth_min_m: float | None = None
    depth_max_m: float | None = None
    time_min_utc: datetime | None = None
    time_max_utc: datetime | None = None
    instruments: tuple[str, ...] = ()
    n_removed: int = 0

    @classmethod
    def from_row(cls, root: Path, row: Mapping[str, Any]) -> Self:
        """The shard of one row of the manifest (or of a summary), with paths below `root`."""
        known = {one.name for one in fields(cls)}
        values = {name: value for name, value in row.items() if name in known}
        values |= {name: root / _inside(str(row[name]), root) for name in _PATHS}
        for name in ("time_min_utc", "time_max_utc"):
            if isinstance(values.get(name), str):
                values[name] = datetime.fromisoformat(values[name])
        return cls(**{**values, "instruments": tuple(row.get("instruments") or ())})

    def to_row(self, root: Path) -> dict[str, Any]:
        """The row of the manifest, with relative paths."""
        row = {one.name: getattr(self, one.name) for one in fields(self)}
        paths = {name: getattr(self, name).relative_to(root).as_posix() for name in _PATHS}
        return {**row, **paths, "instruments": list(self.instruments)}


@dataclass(frozen=True)
class Manifest:
    """One snapshot of a dataset.

    Args:
        snapshot: its number.
        shards: in the order of their numbers; there are gaps where shards were compacted.
        tombstones: files that say which images were taken out.
        following: no shard had this number yet, nor a greater one (0: none was ever taken away).
        moves: files that say which image became which when shards were compacted, oldest first.
    """

    snapshot: int
    shards: tuple[Shard, ...] = ()
    tombstones: tuple[str, ...] = ()
    following: int = 0
    moves: tuple[str, ...] = ()

    @property
    def next_number(self) -> int:
        """The number of the next shard: one that no shard ever had."""
        return max(self.following, self.shards[-1].number + 1 if self.shards else 0)

    def next(self, **changes: Any) -> Manifest:
        """The following snapshot, with changes."""
        return replace(self, snapshot=self.snapshot + 1, **changes)


def file_names(number: int) -> tuple[str, str, str]:
    """Where images, Converted and Raw Metadata of a shard lie in the dataset."""
    name = f"{number:08}"
    return f"images/{name[:4]}/{name}.mdb", f"meta/converted/{name}.parquet", f"meta/raw/{name}.parquet"


def read_current(root: Path) -> int:
    """Number of the snapshot that counts."""
    path = root / "CURRENT"
    try:
        found = _CURRENT.fullmatch(path.read_text(encoding="ascii"))
    except (OSError, ValueError) as error:
        raise FormatError(f"the dataset has no readable CURRENT ({error})", where=path, do="copy it again") from error
    if found is None:
        raise FormatError("CURRENT does not name a snapshot", where=path, do="copy the dataset again")
    return int(found[1])


def read_manifest(root: Path, snapshot: int) -> Manifest:
    """Read one snapshot.

    Raises:
        FormatError: it is missing or damaged.
        UnsafeInputError: it names a file outside of the dataset.
    """
    path = _path(root, snapshot)
    require_seal(path)
    notes = read_notes(path)
    try:
        rows = pq.read_table(path, page_checksum_verification=True).to_pylist()
        shards = tuple(Shard.from_row(root, row) for row in rows)
    except UnsafeInputError:
        raise
    except (*TROUBLE, KeyError, TypeError) as error:
        raise FormatError(f"the manifest is damaged ({error!r})", where=path, do="copy the dataset again") from error
    numbers = [shard.number for shard in shards]
    following = int(notes.get("next_number", 0))
    if numbers != (sorted(set(numbers)) if following else list(range(len(numbers)))):
        raise FormatError("the manifest has a hole, or its shards are out of order", where=path)
    tombstones = tuple(_inside(name, root) for name in notes.get("tombstones", ()))
    moves = tuple(_inside(name, root) for name in notes.get("moves", ()))
    return Manifest(snapshot, shards, tombstones, following, moves)


def write_manifest(root: Path, manifest: Manifest, *, created_utc: str | None = None) -> None:
    """Write a snapshot, then let `CURRENT` name it: the one step at which everything in it becomes true.

    Args:
        root: the dataset.
        manifest: the snapshot.
        created_utc: when it was made; now, if not said.
    """
    rows = pl.DataFrame([shard.to_row(root) for shard in manifest.shards], schema=_SCHEMA)
    told = created_utc or now_text()
    notes = {"snapshot": manifest.snapshot, "created_utc": told, "tombstones": list(manifest.tombstones)}
    if manifest.moves or manifest.following:
        notes |= {"next_number": manifest.next_number, "moves": list(manifest.moves)}
    write_frame(_path(root, manifest.snapshot), rows, kind="manifest", notes=notes)
    write_text(root / "CURRENT", f"v{manifest.snapshot:06}\n")


def _path(root: Path, snapshot: int) -> Path:
    return root / "manifest" / f"v{snapshot:06}.parquet"


def _inside(name: str, root: Path) -> str:
    parts = Path(name).parts
    if not parts or Path(name).is_absolute() or ".." in parts:
        raise UnsafeInputError(f"the manifest names a file outside of the dataset: {name!r}", where=root)
    return name
