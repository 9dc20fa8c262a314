"""What is left to do after a compaction has become true: old files go, and what names images by uid follows.

All of it may be interrupted anywhere and done again. Readers need none of it: they look only where the manifest says,
and are led from old uids to new ones.
"""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from aqqua.store.manifest import Manifest, read_current, read_manifest
from aqqua.store.moves import led, read_moves, read_withdrawn
from aqqua.store.parquet import read_notes, write_frame
from aqqua.store.rows import reading

__all__ = ["JOBS", "tidy"]

JOBS = "jobs"
_BY_SHARD = ("images/*", "meta/*", "predictions/*", "quality", "masks/*")
_BY_UID = ("labels", "splits", "duplicates")
_NUMBERED = re.compile(r"(\d{8})\.(mdb|parquet|json)")
_CACHES = ("explore",)


def tidy(root: Path) -> None:
    """Delete what no snapshot needs any more, and lead tables by uid to the new uids; the caller holds the lock.

    Raises:
        FormatError: a table is damaged.
        StorageError: the disk is full; run it again.
    """
    now = read_manifest(root, read_current(root))
    for folder in (root / JOBS).glob("compact-v*"):
        if folder.name != f"compact-v{now.snapshot:06}":  # of this snapshot: it is under way, or was interrupted
            shutil.rmtree(folder, ignore_errors=True)
    with contextlib.suppress(OSError):
        (root / JOBS).rmdir()
    if not now.moves:
        return
    stale = list(_stale(root, now))
    _lead(root, now)
    _drop_rejects(root, now)
    for path in stale:
        path.unlink(missing_ok=True)
    if stale:
        for name in _CACHES:
            shutil.rmtree(root / name, ignore_errors=True)


def _stale(root: Path, now: Manifest) -> Iterator[Path]:
    """Files of shards that are no longer there, of tombstones that are done, and of snapshots that need them."""
    numbers = {shard.number for shard in now.shards}
    for pattern in _BY_SHARD:
        for path in root.glob(f"{pattern}/*"):
            found = _NUMBERED.fullmatch(path.name)
            if found and int(found[1]) not in numbers and int(found[1]) < now.next_number:
                yield path
    yield from (path for path in root.glob("tombstones/*.parquet") if f"tombstones/{path.name}" not in now.tombstones)
    since = int(Path(now.moves[-1]).stem[1:])
    yield from (path for path in root.glob("manifest/v*.parquet") if int(path.stem[1:]) < since)


def _lead(root: Path, now: Manifest) -> None:
    """Rewrite tables that name images by uid, where they name one that moved or is gone."""
    moves = read_moves(root, now.moves)
    for path in sorted(path for name in _BY_UID for path in (root / name).glob("*.parquet")):
        with reading(path):
            frame = pl.read_parquet(path)
        if "uid" not in frame.columns:
            continue
        new = led(frame, moves, now.shards)
        if new["uid"].equals(frame["uid"]):
            continue
        notes = read_notes(path)
        kind = str(notes.pop("kind", path.parent.name))
        notes.pop("format", None)
        write_frame(path, new.sort("uid", maintain_order=True), kind=kind, notes=notes)


def _drop_rejects(root: Path, now: Manifest) -> None:
    """Rejected rows of sources of which nothing is left: they hold what the source said."""
    path = root / "rejected.parquet"
    gone = set(read_withdrawn(root, now.snapshot)["source"].unique()) - {shard.source for shard in now.shards}
    if not gone or not path.is_file():
        return
    with reading(path):
        frame = pl.read_parquet(path)
    source = pl.col("source_path").str.extract(r"^([^!/]*)")
    stay = frame.filter(~source.is_in(sorted(gone)).fill_null(False))
    if len(stay) < len(frame):
        write_frame(path, stay, kind="rejected")
