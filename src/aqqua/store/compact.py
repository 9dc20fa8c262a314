"""Compaction: shards without the images that were removed, so that their bytes leave the disk.

Shards that have removed images are built anew without them, under new numbers; predictions, masks and other tables by
shard go along. One commit puts the new shards in the place of the old ones; only then old files are deleted, here and
in labels, splits and duplicates. An interrupted compaction is run again: what is built is not built twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from aqqua.errors import FormatError, StorageError
from aqqua.scale import map_shards
from aqqua.store.atomic import link_whole
from aqqua.store.commit import only_writer, publish
from aqqua.store.compact_shard import CARRIED, MOVED, WITHDRAWN, Compaction, build_compacted
from aqqua.store.compact_tidy import JOBS, tidy
from aqqua.store.dataset import Dataset
from aqqua.store.manifest import Manifest, Shard, file_names, read_current, read_manifest
from aqqua.store.masks import MaskFile, mask_path
from aqqua.store.moves import MOVE_SCHEMA
from aqqua.store.parquet import write_frame
from aqqua.store.shard import SealedShard

__all__ = ["CompactReport", "compact"]


@dataclass(frozen=True)
class CompactReport:
    """What a compaction did.

    Args:
        images: how many removed images are gone for good.
        shards: how many shards had some of them.
        nbytes: by how many bytes the shards became smaller.
        dataset: the dataset as it is now.
    """

    images: int
    shards: int
    nbytes: int
    dataset: Dataset

    def __str__(self) -> str:
        """A sentence."""
        if not self.shards:
            return "nothing to do: no image of this dataset was removed"
        text = f"{self.images:,} removed images are gone for good, {self.nbytes / 1e6:,.1f} MB less in {self.shards}"
        return f"{text} shards; images in these shards have new uids (snapshot {self.dataset.snapshot})"


def compact(
    dataset: Path | str | Dataset, *, where: Any = "here", workers: int | None = None, **options: Any
) -> CompactReport:
    """Build the shards that have removed images anew without them, and delete the old ones.

    Images of these shards get new uids; `moves/` says which. Everything in the dataset goes along; what others keep by
    uid outside of it does not. Earlier snapshots can no longer be read. Do not let other jobs run on the dataset
    meanwhile.

    Args:
        dataset: the dataset.
        where: build here, in a process pool, on SLURM or on Ray.
        workers: how many processes or nodes.
        options: of the engine, see `aqqua.scale.map_shards`.

    Raises:
        StorageError: the disk is full (the dataset is as before), or images were removed meanwhile.
        FormatError: a shard is damaged.
    """
    opened = dataset if isinstance(dataset, Dataset) else Dataset.open(dataset)
    root = opened.path
    with only_writer(root):
        tidy(root)  # what an interrupted compaction left
    opened = Dataset.open(root)
    old = [shard for shard in opened.shards if shard.n_removed]
    if not old:
        return CompactReport(0, 0, 0, opened)
    home = root / JOBS / f"compact-v{opened.snapshot:06}"
    first = opened.manifest.next_number
    todo = [Compaction(root, opened.snapshot, shard.number, number) for number, shard in enumerate(old, first)]
    outs = [home / f"{shard.number:08}" for shard in old]
    map_shards(build_compacted, todo, outs, where=where, workers=workers, what="Compacting", **options)
    with only_writer(root):
        _replace(root, opened.manifest, todo, outs)
        tidy(root)
    after = Dataset.open(root)
    removed = sum(shard.n_removed for shard in old)
    return CompactReport(removed, len(old), _nbytes(opened.shards) - _nbytes(after.shards), after)


def _replace(root: Path, planned: Manifest, todo: Sequence[Compaction], outs: Sequence[Path]) -> None:
    """The commit: the new shards in the place of the old ones."""
    now = read_manifest(root, read_current(root))
    if now.snapshot != planned.snapshot:
        do = "run it again; what was built for nothing is removed then"
        raise StorageError("the dataset was changed while it was compacted", where=root, do=do)
    placed = [
        (task, out, sealed) for task, out in zip(todo, outs, strict=True) if (sealed := _built(planned, task, out))
    ]
    new = [_place(root, task.number, out, sealed) for task, out, sealed in placed]
    moved = pl.concat([pl.DataFrame(schema=MOVE_SCHEMA), *(pl.read_parquet(out / MOVED) for _, out, _ in placed)])
    gone = pl.concat([pl.read_parquet(out / WITHDRAWN) for out in outs])
    name = f"moves/v{now.snapshot + 1:06}.parquet"
    write_frame(root / name, moved, kind="moves")
    write_frame(root / f"withdrawn/v{now.snapshot + 1:06}.parquet", gone, kind="withdrawn")
    stay = [shard for shard in now.shards if not shard.n_removed]
    following = now.next_number + len(todo)
    publish(root, now.next(shards=(*stay, *new), tombstones=(), moves=(*now.moves, name), following=following))


def _built(planned: Manifest, task: Compaction, out: Path) -> SealedShard | None:
    """The shard that was built; None if no image of the old one is left."""
    old = next(shard for shard in planned.shards if shard.number == task.shard)
    sealed = SealedShard.load(out)
    if (0 if sealed is None else sealed.n_images) != old.n_images - old.n_removed:
        raise FormatError("a compacted shard is not whole", where=out, do="remove this folder, run it again")
    return sealed


def _place(root: Path, number: int, out: Path, sealed: SealedShard) -> Shard:
    """Give a new shard and what goes along with it their names; nobody looks there before the manifest says so."""
    places = dict(zip(("images", "converted", "raw"), file_names(number), strict=True))
    for name, path in sealed.files.items():
        link_whole(path, root / places[name])
    carried = out / CARRIED
    for path in sorted(carried.rglob("*.parquet")):
        target = root / path.relative_to(carried)
        link_whole(path, target.with_name(f"{number:08}.parquet"))
    for path in sorted(carried.glob("masks/*/*.mdb")):
        file = MaskFile.of(path)
        assert file is not None  # it was written just before
        target = mask_path(root, path.parent.name, number)
        link_whole(path, target)
        replace(file, path=target).write()
    return Shard.from_row(root, {**sealed.summary, **places, "number": number})


def _nbytes(shards: Sequence[Shard]) -> int:
    return sum(shard.images_bytes + shard.converted_bytes + shard.raw_bytes for shard in shards)
