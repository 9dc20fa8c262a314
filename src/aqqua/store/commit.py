"""Making a dataset, and adding to it in one step: it happens when `CURRENT` is renamed, wholly or not at all."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from aqqua.errors import FormatError, StorageError
from aqqua.metadata.card import Card
from aqqua.metadata.check import Finding
from aqqua.store.atomic import link_whole, make_folder, storage, write_text
from aqqua.store.identity import FILE_NAME, new_identity, read_identity, write_identity
from aqqua.store.labels import conform_labels, write_labels
from aqqua.store.manifest import Manifest, Shard, file_names, read_current, read_manifest, write_manifest
from aqqua.store.masks import SOURCE_MASKS, MaskFile, mask_path, write_mask_info
from aqqua.store.rejects import add_findings, add_rejects
from aqqua.store.sealing import MASKS
from aqqua.store.shard import SealedShard
from aqqua.store.tombstones import read_tombstones, write_tombstones
from aqqua.store.uid import uid_expr

__all__ = ["commit_shards", "commit_tombstones", "create", "only_writer", "publish"]


def create(root: Path, card: Card | None) -> None:
    """Make an empty dataset; `AQQUA.json`, by which it is known, comes last.

    Raises:
        StorageError: the folder holds a dataset already, or something else.
    """
    if (root / FILE_NAME).is_file():
        raise StorageError("there is a dataset already", where=root, do="open it, or choose another folder")
    if root.exists() and not _is_free(root):
        raise StorageError("the folder is not empty", where=root, do="choose a new or an empty folder")
    with storage(root):
        make_folder(root)
        write_text(root / "card.yaml", (card or Card()).dump())
    write_manifest(root, Manifest(0))
    write_identity(root, new_identity(), counts={"snapshot": 0, "shards": 0, "images": 0})


def _is_free(root: Path) -> bool:
    """Whether a dataset may be made in this folder: it is empty, or holds what an interrupted try left."""
    ours = {"card.yaml", "CURRENT", "manifest"}
    return root.is_dir() and all(entry.name in ours or entry.suffix == ".part" for entry in root.iterdir())


def commit_shards(
    root: Path, sealed: Sequence[SealedShard], rejects: pl.DataFrame | None, findings: Sequence[Finding]
) -> None:
    """Add sealed shards with their labels, rejects and findings as the next snapshot.

    Args:
        root: the dataset.
        sealed: the shards, in the order they shall have; their folders are removed at the end.
        rejects: rows that did not get in.
        findings: what looked odd.
    """
    with only_writer(root):
        old = read_manifest(root, read_current(root))
        new = _not_yet_in(old, sealed)
        if new or findings or (rejects is not None and len(rejects)):
            _write_snapshot(root, old, new, rejects, findings)
    for shard in sealed:
        shutil.rmtree(shard.folder, ignore_errors=True)


def commit_tombstones(root: Path, uids: Sequence[int] | pl.Series, reason: str) -> None:
    """Take images out, as the next snapshot."""
    with only_writer(root):
        old = read_manifest(root, read_current(root))
        names = (*old.tombstones, write_tombstones(root, uids, reason))
        counts = dict(read_tombstones(root, names).group_by("shard").len().iter_rows())
        shards = tuple(replace(shard, n_removed=counts.get(shard.number, 0)) for shard in old.shards)
        publish(root, old.next(shards=shards, tombstones=names))


def _not_yet_in(manifest: Manifest, sealed: Sequence[SealedShard]) -> list[SealedShard]:
    """Without those that came in before an interruption, and without doubles."""
    known = {shard.identity for shard in manifest.shards}
    new = {shard.identity: shard for shard in sealed if shard.identity not in known}
    return list(new.values())


def _write_snapshot(
    root: Path,
    old: Manifest,
    sealed: Sequence[SealedShard],
    rejects: pl.DataFrame | None,
    findings: Sequence[Finding],
) -> None:
    numbers = range(old.next_number, old.next_number + len(sealed))
    shards = tuple(_place(root, number, shard) for number, shard in zip(numbers, sealed, strict=True))
    snapshot = old.snapshot + 1
    (root / "labels" / f"v{snapshot:06}.parquet").unlink(missing_ok=True)  # of a commit that was interrupted
    labels = [frame for number, shard in zip(numbers, sealed, strict=True) for frame in _labels(number, shard)]
    if labels:
        write_labels(root / "labels", pl.concat(labels), snapshot)
    if rejects is not None and len(rejects):
        add_rejects(root, snapshot, rejects)
    if findings:
        add_findings(root, snapshot, findings)
    publish(root, old.next(shards=(*old.shards, *shards)))


def _place(root: Path, number: int, sealed: SealedShard) -> Shard:
    """Give the files of a shard their places; nobody looks there before the manifest says so."""
    if SealedShard.load(sealed.folder) is None:
        raise FormatError("a sealed shard is not whole", where=sealed.folder, do="build it again")
    places = dict(zip(("images", "converted", "raw"), file_names(number), strict=True))
    for name, path in sealed.files.items():
        link_whole(path, root / places[name])
    if masks := MaskFile.of(sealed.folder / MASKS):
        target = mask_path(root, SOURCE_MASKS, number)
        link_whole(masks.path, target)
        replace(masks, path=target).write()
        write_mask_info(root, SOURCE_MASKS, {"what": "objects as the sources outline them"})
    return Shard.from_row(root, {**sealed.summary, **places, "number": number})


def _labels(number: int, sealed: SealedShard) -> list[pl.DataFrame]:
    """The labels of a shard by uid, if it has any."""
    by_key = sealed.labels()
    return [] if by_key is None else [conform_labels(by_key.with_columns(uid_expr(number)).drop("key"))]


def publish(root: Path, manifest: Manifest) -> None:
    """The step at which everything becomes true, then the counts for people."""
    write_manifest(root, manifest)
    images = sum(shard.n_images - shard.n_removed for shard in manifest.shards)
    counts = {"snapshot": manifest.snapshot, "shards": len(manifest.shards), "images": images}
    write_identity(root, read_identity(root), counts=counts)


@contextlib.contextmanager
def only_writer(root: Path) -> Iterator[None]:
    """Wait until no other process commits to the dataset; the lock ends with the process that holds it."""
    descriptor = os.open(root, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # file systems without locks: commits there must not run side by side
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        _remove_unfinished(root)
        yield
    finally:
        os.close(descriptor)


def _remove_unfinished(root: Path) -> None:
    """What an interrupted commit left; nobody else writes files of these names."""
    for pattern in (
        "*.part",
        "labels/v*.part",
        "manifest/*.part",
        "images/*/*.part",
        "meta/*/*.part",
        "moves/*.part",
        "withdrawn/*.part",
    ):
        for path in root.glob(pattern):
            path.unlink(missing_ok=True)
