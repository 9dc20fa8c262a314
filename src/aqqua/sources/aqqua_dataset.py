"""Another AqQua dataset as a source: merge datasets, or take a part of one.

    aqqua ingest mydata theirs all             merge
    subset(dataset, "copepods", uids=[…])      a dataset of chosen images

Nothing is read anew or harmonised twice. The encoded images go over byte for byte; so do Converted and Raw Metadata,
labels with all their history, and masks. Images removed in either dataset stay out. Raw Metadata says in
`aqqua_origin` where each image was: identity of the dataset / shard / key. Predictions do not come along: they are
made again, quickly.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import xxhash

from aqqua.errors import ConfigError, NotFoundError
from aqqua.metadata.card import Card
from aqqua.metadata.check import Finding
from aqqua.progress import say
from aqqua.scale import map_shards
from aqqua.scale.shards import Where
from aqqua.sources.archive import Tree
from aqqua.sources.part import Part
from aqqua.sources.stored import StoredShard
from aqqua.store.codec import Record
from aqqua.store.dataset import Dataset, Shard
from aqqua.store.identity import FILE_NAME, read_identity
from aqqua.store.images import ShardReader
from aqqua.store.labels import read_labels
from aqqua.store.masks import MaskFile, mask_path
from aqqua.store.moves import led, read_moves, read_withdrawn
from aqqua.store.parquet import read_notes
from aqqua.store.shard import SealedShard, ShardBuilder
from aqqua.store.tombstones import read_tombstones
from aqqua.store.uid import by_shard, join_uid

__all__ = ["ORIGIN", "AqquaDataset", "CopyJob", "copy_shard", "merge", "merged_card", "subset"]

ORIGIN = "aqqua_origin"
"""Column of Raw Metadata: "identity/shard/key" of the dataset an image came from; of several, the last one first."""
_BLOCK_ROWS = 1 << 13
_SHARD = "shard"
_ROW_OF_SOURCE = ["source_path", "source_row"]
_ROW_OF_RECORD = ("height", "width", "channels", "dtype", "nbytes", "xxh3")


class AqquaDataset:
    """Reader of AqQua datasets."""

    name = "aqqua_dataset"
    general = False
    looks_for = f"a folder with {FILE_NAME}: an AqQua dataset, to merge"

    def recognise(self, path: Path | Tree) -> str | None:
        """Say that there is a dataset."""
        tree = Tree.of(path)
        return "it is an AqQua dataset" if FILE_NAME in tree.members and not tree.is_zip else None

    def parts(self, path: Path | Tree) -> list[Part]:
        """One part per shard.

        Raises:
            NotFoundError: there is no dataset.
            FormatError: it is damaged or of a newer format.
        """
        tree = Tree.of(path)
        return [StoredShard(f"shard {shard.number}", tree, shard.number) for shard in Dataset.open(tree.path).shards]


@dataclass(frozen=True)
class CopyJob:
    """Some images of one shard, to be copied into a shard of their own.

    Args:
        dataset: where they are.
        number: of the shard there.
        keys: which ones, rising; None for all that were not removed.
        source: name of the dataset, as people know it.
        fingerprint: of dataset, shard and choice.
    """

    dataset: Dataset
    number: int
    keys: tuple[int, ...] | None
    source: str
    fingerprint: str


def merge(
    source: Dataset,
    into: Dataset,
    *,
    uids: Sequence[int] | None = None,
    where: Where = "here",
    workers: int | None = None,
    **engine_options: Any,
) -> Dataset:
    """Add the images of a dataset to another one; shards that came over before are not copied again.

    Args:
        source: the dataset to copy from.
        into: the dataset to add to.
        uids: only these images; None for all.
        where: run here, in a process pool, on SLURM or on Ray.
        workers: how many processes or nodes.
        engine_options: of the engine, see `aqqua.scale.map_shards`.

    Returns:
        The dataset with the images.

    Raises:
        ConfigError: both are the same dataset.
        NotFoundError: an image is not in the source.
        StorageError: the disk is full; the dataset is as before.
    """
    identity = str(read_identity(source.path)["uuid"])
    if identity == read_identity(into.path)["uuid"]:
        raise ConfigError("a dataset cannot be merged into itself", where=into.path, do="name another dataset")
    jobs = list(_jobs(source, into, identity, uids))
    journal = into.path / "jobs" / _digest([job.fingerprint for job in jobs])
    outs = [journal / f"{job.number:08}" for job in jobs]
    what = f"Copying {source.path.name}"
    map_shards(copy_shard, jobs, outs, where=where, workers=workers, what=what, **engine_options)
    sealed = [whole for out in outs if (whole := SealedShard.load(out / _SHARD)) is not None]
    store = into.commit(sealed, findings=_findings(source, into, identity)) if sealed else into
    _copy_masks(source, store, identity)
    shutil.rmtree(journal, ignore_errors=True)
    return store


def subset(
    dataset: Dataset | Path | str, out: Path | str, *, uids: Sequence[int] | pl.DataFrame | Path | str
) -> Dataset:
    """Make a dataset of chosen images.

    Args:
        dataset: where they are.
        out: the dataset to make.
        uids: the images; or a table with a column `uid` (a frame, or a path to CSV or Parquet).

    Returns:
        The new dataset.

    Raises:
        NotFoundError: an image is not in the dataset, or was removed.
        ConfigError: no image is chosen, or the table has no column `uid`.
        StorageError: the disk is full, or `out` is not empty.
    """
    source = dataset if isinstance(dataset, Dataset) else Dataset.open(dataset)
    chosen = _chosen(uids)
    if not chosen:
        raise ConfigError("no image is chosen", where=source.path, do="give at least one uid")
    if missing := sorted(set(chosen) - set(source.metadata([])["uid"].to_list())):
        raise NotFoundError(f"there is no image {missing[0]} (and {len(missing) - 1} more)", where=source.path)
    return merge(source, Dataset.create(out, source.card), uids=chosen)


def merged_card(cards: Sequence[Card]) -> Card:
    """The card of a merged dataset: what all cards say alike; where they differ on rights, nothing is promised."""
    alike = ("licence", "project", "platform", "access", "coordinates_precision")
    rights = ("license_allows_training", "consent_global_interpolation")
    said: dict[str, Any] = {name: {getattr(card, name) for card in cards} for name in alike}
    said = {name: values.pop() for name, values in said.items() if len(values) == 1}
    said |= {name: _weakest([getattr(card, name) for card in cards]) for name in rights}
    return Card(
        title=" + ".join(dict.fromkeys(card.title for card in cards if card.title)),
        abstract="\n\n".join(dict.fromkeys(card.abstract for card in cards if card.abstract)),
        instruments=tuple(dict.fromkeys(name for card in cards for name in card.instruments)),
        people=tuple(dict.fromkeys(person for card in cards for person in card.people)),
        funding=tuple(dict.fromkeys(one for card in cards for one in card.funding)),
        **said,
    )


def _weakest(said: Sequence[bool | None]) -> bool | None:
    """No, if anybody says no; yes, if all say yes; else nobody knows."""
    return False if False in said else True if all(said) else None


def _chosen(uids: Sequence[int] | pl.DataFrame | Path | str) -> list[int]:
    if isinstance(uids, (str, Path)):
        path = Path(uids)
        uids = pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path)
    if isinstance(uids, pl.DataFrame):
        if "uid" not in uids.columns:
            raise ConfigError("the table has no column uid", do=f"its columns are {', '.join(uids.columns[:8])}")
        uids = uids["uid"].cast(pl.UInt64).to_list()
    return sorted({int(uid) for uid in uids})


def _jobs(source: Dataset, into: Dataset, identity: str, uids: Sequence[int] | None) -> Iterator[CopyJob]:
    """A job for every shard that is not there yet."""
    known, gone = {shard.fingerprint for shard in into.shards}, _removed_rows(into)
    chosen = None if uids is None else by_shard(uids)
    for shard in source.shards:
        keys = None if chosen is None else tuple(sorted(set(chosen.get(shard.number, ()))))
        if keys == () or shard.n_images == shard.n_removed:
            continue
        choice = "all" if keys is None else _digest(keys)
        fingerprint = f"aqqua-{identity}-{shard.number}-{choice}"
        if fingerprint in known:
            say(f"{source.path.name}, shard {shard.number}: came over before, nothing to do")
            continue
        keys = _without_withdrawn(shard, keys, gone, source.path.name)
        if keys != ():
            yield CopyJob(source, shard.number, keys, shard.source or source.path.name, fingerprint)


def _removed_rows(dataset: Dataset) -> pl.DataFrame:
    """Source, file and line of all that was ever removed from a dataset, and the pixels' hash until it is compacted."""
    withdrawn = read_withdrawn(dataset.path, dataset.snapshot)
    tables = [withdrawn.select("source", *_ROW_OF_SOURCE, pl.lit(None, pl.UInt64).alias("xxh3"))]
    removed = read_tombstones(dataset.path, dataset.manifest.tombstones)
    for shard in dataset.shards:
        if shard.n_removed:
            rows = pl.scan_parquet(shard.converted).select("key", *_ROW_OF_SOURCE, "xxh3").collect()
            rows = rows.join(removed.filter(shard=shard.number), on="key", how="semi")
            tables.append(rows.select(pl.lit(shard.source).alias("source"), *_ROW_OF_SOURCE, "xxh3"))
    return pl.concat(tables)


def _without_withdrawn(
    shard: Shard, keys: tuple[int, ...] | None, gone: pl.DataFrame, name: str
) -> tuple[int, ...] | None:
    """The keys without images that the other dataset removed: consent withdrawn there does not return with a merge."""
    gone = gone.filter(pl.col("source") == shard.source)
    if gone.is_empty():
        return keys
    rows = pl.scan_parquet(shard.converted).select("key", *_ROW_OF_SOURCE, "xxh3").collect()
    rows = rows if keys is None else rows.filter(pl.col("key").is_in(list(keys)))
    erased, hidden = gone.filter(pl.col("xxh3").is_null()), gone.drop_nulls("xxh3")
    left = rows.join(erased, on=_ROW_OF_SOURCE, how="anti", nulls_equal=True)
    left = left.join(hidden, on=[*_ROW_OF_SOURCE, "xxh3"], how="anti", nulls_equal=True)
    if len(left) == len(rows):
        return keys
    say(f"{name}, {shard.source}: {len(rows) - len(left):,} images were withdrawn before, and stay out")
    return tuple(left["key"].to_list())


def _digest(told: Sequence[Any]) -> str:
    return xxhash.xxh64_hexdigest(json.dumps(told).encode())


def copy_shard(job: CopyJob, out: Path) -> None:
    """Copy images of one shard into a sealed shard of their own: the folder `out`/shard.

    Raises:
        FormatError: a table of the source is damaged.
        StorageError: the disk is full.
    """
    shard = job.dataset.shards[job.number]
    out.mkdir(parents=True, exist_ok=True)
    builder = ShardBuilder(
        out / _SHARD,
        source=job.source,
        fingerprint=job.fingerprint,
        seed=xxhash.xxh32_intdigest(job.fingerprint.encode()),
    )
    identity = str(read_identity(job.dataset.path)["uuid"])
    labels = _labels_of(job.dataset, job.number)
    reader = ShardReader(shard.images, size=shard.images_bytes, readahead=job.keys is None)
    wanted = pl.Series("key", sorted(_keys(job)), dtype=pl.UInt32)
    for first in range(0, shard.n_images, _BLOCK_ROWS):
        keys = wanted.filter(wanted.is_between(first, first + _BLOCK_ROWS, closed="left"))
        if len(keys):
            converted = _rows(shard.converted, first, keys)
            raw = _with_origin(_rows(shard.raw, first, keys), f"{identity}/{job.number}/")
            said = labels.join(keys.to_frame().with_row_index("_row"), on="key").drop("key", "uid")
            builder.add_records(_records(reader, converted), converted.drop("key"), raw, said)
    provenance = read_notes(shard.converted).get("provenance", {})
    builder.seal({name: str(way) for name, way in provenance.items()})


def _keys(job: CopyJob) -> list[int]:
    """Keys of the images to copy; removed ones are in no view of the dataset."""
    removed = read_tombstones(job.dataset.path, job.dataset.manifest.tombstones)
    gone = set(removed.filter(pl.col("shard") == job.number)["key"].to_list())
    count = job.dataset.shards[job.number].n_images
    return [key for key in (range(count) if job.keys is None else job.keys) if key not in gone]


def _rows(path: Path, first: int, keys: pl.Series) -> pl.DataFrame:
    """Rows of a table by key, out of one block."""
    return pl.scan_parquet(path).slice(first, _BLOCK_ROWS).filter(pl.col("key").is_in(keys.implode())).collect()


def _records(reader: ShardReader, converted: pl.DataFrame) -> list[Record]:
    """Encoded images, as they are; what their rows say of the pixels is compared when the shard is sealed."""
    values = reader.get_many(converted["key"].to_list())
    told = converted.select(_ROW_OF_RECORD).iter_rows(named=True)
    return [Record(value=value, **row) for value, row in zip(values, told, strict=True)]


def _with_origin(raw: pl.DataFrame, prefix: str) -> pl.DataFrame:
    """Raw Metadata with the place each image was at, before the places it had been at earlier."""
    here = pl.format("{}{}", pl.lit(prefix), pl.col("key"))
    if ORIGIN in raw.columns:
        here = pl.when(pl.col(ORIGIN).is_null()).then(here).otherwise(pl.format("{} < {}", here, pl.col(ORIGIN)))
    return raw.with_columns(here.alias(ORIGIN)).drop("key").rename({"raw:key": "key"}, strict=False)


def _labels_of(dataset: Dataset, number: int) -> pl.DataFrame:
    """All labels that images of a shard ever had, by key."""
    low, high = join_uid(number, 0), join_uid(number + 1, 0)
    rows = read_labels(dataset.path / "labels", dataset.snapshot)
    rows = led(rows, read_moves(dataset.path, dataset.manifest.moves), dataset.shards)
    rows = rows.filter(pl.col("uid").is_between(low, high, closed="left"))
    return rows.with_columns((pl.col("uid") - low).cast(pl.UInt32).alias("key"))


def _copy_masks(source: Dataset, store: Dataset, identity: str) -> None:
    """Masks of all images that came from a dataset and have none yet; an interrupted run is made up for."""
    names = source.mask_names()
    for shard in store.shards if names else []:
        if shard.fingerprint.startswith(f"aqqua-{identity}-"):
            for name in names:
                if MaskFile.of(mask_path(store.path, name, shard.number)) is None:
                    store.write_masks(name, shard.number, _masks_of(source, shard, name), {"from": identity})


def _masks_of(source: Dataset, shard: Shard, name: str) -> Iterator[tuple[int, np.ndarray]]:
    """Masks of the images of a shard, found by where the images came from."""
    told = pl.read_parquet(shard.raw, columns=["key", ORIGIN])
    for key, origin in told.iter_rows():
        _, number, old = origin.split(" < ")[0].split("/")
        mask = source.mask(join_uid(int(number), int(old)), name)
        if mask is not None:
            yield join_uid(shard.number, key), mask


def _findings(source: Dataset, into: Dataset, identity: str) -> list[Finding]:
    told = [
        Finding("info", "merged", f"images came from the dataset {source.path.name} ({identity})", source.path.name)
    ]
    if len(into) and source.card.licence != into.card.licence:
        message = f"the licence of {source.path.name} is {source.card.licence}, that of the dataset {into.card.licence}"
        do = "write into card.yaml which licence holds for all of it"
        told.append(Finding("warning", "licence_differs", message, source.path.name, do=do))
    return told
