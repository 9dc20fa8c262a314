"""What belongs together in a split: samples, cruises, instruments, days, duplicates; and splits sources bring along."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from posixpath import dirname

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aqqua.curate.duplicates import read_duplicates
from aqqua.curate.groups import Groups
from aqqua.store.dataset import Dataset
from aqqua.store.rows import reading

__all__ = ["BY", "UPSTREAM", "Grouped", "grouped", "upstream_parts"]

UPSTREAM = {
    **dict.fromkeys(("train", "training", "trainset"), 0),
    **dict.fromkeys(("val", "valid", "validation", "dev"), 1),
    **dict.fromkeys(("test", "testing", "testset", "eval", "evaluation", "holdout"), 2),
}
"""Words by which sources name the parts of their own splits: train 0, val 1, test 2."""
_SPLIT_COLUMNS = ("split", "subset", "set", "partition", "dataset_split", "object_split", "fold_name")

_CRUISE_COLUMNS = ("sample_cruise", "cruise", "cruise_id", "sample_program", "expedition", "campaign")
_SAMPLE = pl.coalesce("sample_id", "acquisition_id", "source_path")
BY: dict[str, list[pl.Expr]] = {
    "sample": [pl.col("source"), _SAMPLE],
    "cruise": [pl.coalesce("cruise", "project", pl.col("source"))],
    "instrument": [pl.col("instrument"), pl.col("instrument_id")],
    "time": [pl.col("instrument"), pl.col("time_utc").dt.strftime("%Y-%m-%d")],
    "cluster": [pl.col("dataset").cast(pl.String), pl.col("uid").cast(pl.String)],
}
"""The columns whose equal values make a group. A sample is one of its source: "sample_1" is a name that many have."""

_COLUMNS = ("xxh3", "sample_id", "acquisition_id", "project", "instrument", "instrument_id", "time_utc", "source_path")


@dataclass(frozen=True)
class Grouped:
    """Images with group and stratum.

    Args:
        table: `dataset`, `uid`, `group` (0 … n−1), `group_name`, `stratum`, `upstream` (part or null) of every image.
        fixed: the part of each group, as its sources say, −1: free.
        strata: name of each stratum.
        upstream: images whose part was told by their source.
        moved: of these, how many go to the test set for the sake of others in their group.
        notes: what to know.
    """

    table: pl.DataFrame
    fixed: NDArray[np.int8]
    strata: list[str]
    upstream: int = 0
    moved: int = 0
    notes: list[str] = field(default_factory=list)


def grouped(datasets: Sequence[Dataset], by: str, *, honour: bool = True) -> Grouped:
    """Put the images of datasets into groups that no split may tear apart.

    Args:
        datasets: the datasets.
        by: see `BY`.
        honour: look for the sources' own splits.
    """
    table = pl.concat([_table(ds, number, honour=honour) for number, ds in enumerate(datasets)])
    name = pl.concat_str([part.fill_null("?") for part in BY[by]], separator=" / ")
    table = table.with_columns(name.alias("group_name"))
    table = table.with_columns((pl.col("group_name").rank("dense") - 1).cast(pl.Int64).alias("group"))
    table = _joined(table, datasets)
    stratum = pl.concat_str(
        pl.col("taxon").fill_null("without a name"), pl.col("instrument").fill_null("?"), separator=", "
    )
    table = table.with_columns(stratum.alias("stratum_name"))
    table = table.with_columns((pl.col("stratum_name").rank("dense") - 1).cast(pl.Int64).alias("stratum"))
    strata = table.select("stratum", "stratum_name").unique("stratum").sort("stratum")["stratum_name"].to_list()
    fixed, moved = _fixed(table)
    upstream = table["upstream"].drop_nulls().len()
    columns = ("dataset", "uid", "group", "group_name", "stratum", "upstream")
    notes = _notes(datasets, upstream, moved)
    if by == "sample" and (alone := table.filter(pl.coalesce("sample_id", "acquisition_id").is_null()).height):
        notes.append(f"{alone:,} images have no sample, so images of one tow may be in two parts: try another --by")
    return Grouped(table.select(columns), fixed, strata, upstream, moved, notes)


def upstream_parts(dataset: Dataset) -> pl.DataFrame:
    """`uid` and `upstream` (0 train, 1 val, 2 test) of the images whose source has a split of its own.

    A column (split, subset …) tells it, else a folder called train, val or test on the way to the image.
    """
    parts = [pl.DataFrame(schema={"uid": pl.UInt64, "upstream": pl.Int8})]
    for shard in dataset.shards:
        with reading(shard.raw):
            raw = pl.scan_parquet(shard.raw)
            names = {name.lower(): name for name in raw.collect_schema().names()}
            told = [pl.col(names[name]).str.to_lowercase() for name in _SPLIT_COLUMNS if name in names]
            paths = [pl.col(name) for name in ("image_path", "source_path") if name in names]
            uid = (pl.col("key").cast(pl.UInt64) + (shard.number << 32)).cast(pl.UInt64).alias("uid")
            columns = [expr.alias(f"told_{i}") for i, expr in enumerate(told)]
            folders = [expr.alias(f"path_{i}") for i, expr in enumerate(paths)]
            frame = raw.select(uid, *columns, *folders).collect()
        found = [
            frame[column.meta.output_name()].replace_strict(UPSTREAM, default=None, return_dtype=pl.Int8)
            for column in columns
        ]
        found += [_by_folder(frame[column.meta.output_name()]) for column in folders]
        if found:
            frame = frame.select("uid", upstream=pl.coalesce(found))
            parts.append(frame.drop_nulls().cast({"upstream": pl.Int8}))
    return pl.concat(parts)


def _by_folder(paths: pl.Series) -> pl.Series:
    """The part named by a folder of each path, if exactly one is."""
    folders = {path: dirname(path.rpartition("!")[2]) for path in paths.drop_nulls().unique().to_list()}
    told = {
        path: {UPSTREAM[name] for name in folder.lower().split("/") if name in UPSTREAM}
        for path, folder in folders.items()
    }
    return pl.Series(
        [next(iter(found)) if len(found := told.get(path, set())) == 1 else None for path in paths], dtype=pl.Int8
    )


def _table(dataset: Dataset, number: int, *, honour: bool) -> pl.DataFrame:
    """Every image with what groups and strata are made of."""
    table = dataset.metadata(list(_COLUMNS)).with_columns(dataset=pl.lit(number, pl.UInt16))
    sources = {shard.number: shard.source for shard in dataset.shards}
    source = pl.col("shard").replace_strict(sources, default="", return_dtype=pl.String)
    labels = dataset.labels().select("uid", pl.coalesce("taxon", "label").alias("taxon"))
    table = table.with_columns(source.alias("source")).join(labels, on="uid", how="left", maintain_order="left")
    table = table.join(_cruises(dataset), on="uid", how="left", maintain_order="left")
    if not honour:
        return table.with_columns(upstream=pl.lit(None, pl.Int8))
    return table.join(upstream_parts(dataset), on="uid", how="left", maintain_order="left")


def _cruises(dataset: Dataset) -> pl.DataFrame:
    """`uid` and `cruise`, where Raw Metadata has a column for it."""
    parts = [pl.DataFrame(schema={"uid": pl.UInt64, "cruise": pl.String})]
    for shard in dataset.shards:
        with reading(shard.raw):
            raw = pl.scan_parquet(shard.raw)
            names = {name.lower(): name for name in raw.collect_schema().names()}
            told = [
                pl.col(names[name]).str.strip_chars().replace("", None) for name in _CRUISE_COLUMNS if name in names
            ]
            if told:
                uid = (pl.col("key").cast(pl.UInt64) + (shard.number << 32)).cast(pl.UInt64).alias("uid")
                parts.append(raw.select(uid, pl.coalesce(told).alias("cruise")).collect())
    return pl.concat(parts)


def _joined(table: pl.DataFrame, datasets: Sequence[Dataset]) -> pl.DataFrame:
    """Groups that share a duplicate become one: equal pixels, and what `aqqua curate duplicates` found."""
    equal = table.select("group", key=pl.col("xxh3"))
    known = [read_duplicates(ds).with_columns(dataset=pl.lit(i, pl.UInt16)) for i, ds in enumerate(datasets)]
    near = pl.concat(known).select("dataset", "uid", key=pl.col("group"))
    near = near.join(table.select("dataset", "uid", "group"), on=["dataset", "uid"]).select("group", "key")
    groups = Groups()
    for pairs in (equal, near):
        shared = pairs.unique().group_by("key").agg("group").filter(pl.col("group").list.len() > 1)
        for members in shared["group"].to_list():
            for other in members[1:]:
                groups.join(members[0], other)
    merged = {member: first for first, members in groups.all().items() for member in members}
    group = pl.col("group").replace(merged) if merged else pl.col("group")
    return table.with_columns(group).with_columns((pl.col("group").rank("dense") - 1).cast(pl.Int64))


def _fixed(table: pl.DataFrame) -> tuple[NDArray[np.int8], int]:
    """The part of each group by its sources (test wins over val, val over train), and how many images that moves."""
    told = table.group_by("group").agg(pl.col("upstream").max()).sort("group")
    fixed = told["upstream"].fill_null(-1).to_numpy().astype(np.int8)
    parts = table.select("upstream", part=pl.Series(fixed[table["group"].to_numpy()]))
    return fixed, parts.filter(pl.col("upstream") != pl.col("part")).height


def _notes(datasets: Sequence[Dataset], upstream: int, moved: int) -> list[str]:
    notes = []
    if upstream:
        notes.append(f"{upstream:,} images are in the part that their source gave them")
    if moved:
        notes.append(f"{moved:,} of them moved towards test: one of their group or a copy is in a test set")
    if unknown := [ds.path.name for ds in datasets if not (ds.path / "duplicates" / "duplicates.parquet").is_file()]:
        told = "near duplicates are not known (aqqua curate duplicates), only equal pixels were kept together"
        notes.append(f"{', '.join(unknown)}: {told}")
    return notes
