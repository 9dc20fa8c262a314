"""Splits as data (`aqqua curate splits`): which image is for training, validation, test – and why nothing leaks.

Images of one sample (cruise, instrument, day …) stay together, and so do duplicates, across datasets. What a source
calls its test set stays a test set. The same datasets, options and seed give the same split.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl

from aqqua import __version__
from aqqua.curate.allot import allot
from aqqua.curate.grouping import BY, Grouped, grouped
from aqqua.errors import ConfigError, FormatError, NotFoundError, UnknownNameError
from aqqua.store.atomic import write_json
from aqqua.store.dataset import Dataset
from aqqua.store.identity import read_identity
from aqqua.store.parquet import write_frame
from aqqua.store.rows import reading

__all__ = ["PARTS", "SplitReport", "read_split", "split_info", "split_names", "splits"]

SPLIT_VERSION = 1
PARTS = ("train", "val", "test")
By = Literal["sample", "cruise", "instrument", "time", "cluster"]
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True)
class SplitReport:
    """How a split came out.

    Args:
        name: of the split.
        images: number of images in each part.
        wanted: share that was asked for.
        groups: number of groups in each part.
        worst: how far the share of each part is off in the stratum where it is off most (of those with 20 images).
        upstream: images whose part was told by their source.
        moved: images that a source had called train or val, but which share a group with an image of a test set.
        files: the tables, one per dataset.
        notes: what to know.
    """

    name: str
    images: dict[str, int]
    wanted: dict[str, float]
    groups: dict[str, int]
    worst: dict[str, tuple[str, float]]
    upstream: int
    moved: int
    files: list[Path]
    notes: list[str]

    def __str__(self) -> str:
        """A line per part."""
        total = max(sum(self.images.values()), 1)
        lines = [f"split {self.name!r}: {total:,} images"]
        for part in PARTS:
            taxon, off = self.worst.get(part, ("", 0.0))
            told = f"; furthest off in {taxon}: {off:+.0%}" if taxon else ""
            lines.append(
                f"  {part:5} {self.images[part]:,} images = {self.images[part] / total:.1%} "
                f"(asked for {self.wanted[part]:.0%}), {self.groups[part]:,} groups{told}"
            )
        return "\n".join([*lines, *(f"  {note}" for note in self.notes), *(f"  {path}" for path in self.files)])


def splits(
    datasets: Sequence[Path | str],
    *,
    name: str,
    by: By = "sample",
    fractions: Sequence[float] = (0.8, 0.1, 0.1),
    seed: int = 0,
    honour: bool = True,
) -> SplitReport:
    """Split datasets and write `splits/<name>.parquet` and `.json` into each.

    Args:
        datasets: the datasets, split together.
        name: of the split.
        by: what must not be torn apart: "sample", "cruise" (or project), "instrument", "time" (a day of one instrument)
            or "cluster" (duplicates only, which always stay together).
        fractions: for train, val and test.
        seed: another seed, another split.
        honour: keep the parts that sources name themselves.

    Returns:
        How it came out; `print` it.

    Raises:
        ConfigError: a name, share or dataset makes no sense.
        NotFoundError: there is no dataset, or no image.
    """
    if by not in BY:
        raise UnknownNameError("way to group", by, sorted(BY))
    shares = [float(share) for share in fractions]
    if not _NAME.fullmatch(name) or len(shares) != 3 or min(shares) < 0 or abs(sum(shares) - 1) > 1e-6:
        do = "a name of letters and digits; three shares that add up to 1: --fractions 0.8,0.1,0.1"
        raise ConfigError(f"no split can be called {name!r} and have the shares {','.join(map(str, shares))}", do=do)
    opened = [Dataset.open(path) for path in datasets]
    if not opened or len({ds.path.resolve() for ds in opened}) < len(opened):
        raise ConfigError("give each dataset once", do="aqqua curate splits DATASET… --name NAME")
    found = grouped(opened, by, honour=honour)
    if found.table.is_empty():
        raise NotFoundError("there is no image to split", where=opened[0].path)
    table = found.table
    group, stratum = (table[column].to_numpy().astype(np.int64) for column in ("group", "stratum"))
    part = allot(group, stratum, shares, fixed=found.fixed, seed=seed)
    table = table.with_columns(pl.Series("part", part[group]), split=pl.Series([PARTS[i] for i in part[group]]))
    info = _info(opened, name, by, shares, seed, honour, table, found)
    files = [_write(ds, table.filter(dataset=number), info, name) for number, ds in enumerate(opened)]
    return _report(name, shares, table, found, files)


def read_split(dataset: Dataset, name: str) -> pl.DataFrame:
    """`uid` and `split` ("train", "val", "test") of the images of a dataset, without removed ones.

    Raises:
        NotFoundError: there is no split at all.
        UnknownNameError: there is none of this name.
    """
    path = _path(dataset, name)
    with reading(path):
        frame = pl.scan_parquet(path).select("uid", "split")
        return dataset.lazy().select("uid").join(frame, on="uid", maintain_order="left").collect()


def split_info(dataset: Dataset, name: str) -> dict[str, Any]:
    """How a split was made: by, fractions, seed, datasets and their snapshots, and how it came out.

    Raises:
        NotFoundError: there is no split at all.
        UnknownNameError: there is none of this name.
        FormatError: its JSON file is damaged.
    """
    path = _path(dataset, name).with_suffix(".json")
    try:
        info: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FormatError(f"{path.name} is damaged ({error})", where=path, do="split again") from error
    return info


def split_names(dataset: Dataset) -> list[str]:
    """Names of the splits of a dataset."""
    return sorted(path.stem for path in (dataset.path / "splits").glob("*.parquet") if _NAME.fullmatch(path.stem))


def _path(dataset: Dataset, name: str) -> Path:
    names = split_names(dataset)
    if not names:
        raise NotFoundError("there is no split yet", where=dataset.path, do=f"aqqua curate splits … --name {name}")
    if name not in names:
        raise UnknownNameError("split", name, names, where=dataset.path)
    return dataset.path / "splits" / f"{name}.parquet"


def _info(
    datasets: Sequence[Dataset],
    name: str,
    by: str,
    shares: Sequence[float],
    seed: int,
    honour: bool,
    table: pl.DataFrame,
    found: Grouped,
) -> dict[str, Any]:
    """What the JSON file says: how the split was made, and its result in numbers."""
    return {
        "split_version": SPLIT_VERSION,
        "name": name,
        "by": by,
        "fractions": dict(zip(PARTS, shares, strict=True)),
        "seed": seed,
        "honour_upstream": honour,
        "datasets": [{"uuid": read_identity(ds.path)["uuid"], "snapshot": ds.snapshot} for ds in datasets],
        "images": _count(table, "uid"),
        "groups": _count(table, "group"),
        "notes": found.notes,
        "aqqua_version": __version__,
    }


def _count(table: pl.DataFrame, column: str) -> dict[str, int]:
    """Number of different values in each part."""
    counts = dict(
        table.group_by("split")
        .agg(pl.struct("dataset", column).n_unique() if column == "uid" else pl.col(column).n_unique())
        .iter_rows()
    )
    return {part: counts.get(part, 0) for part in PARTS}


def _write(dataset: Dataset, rows: pl.DataFrame, info: dict[str, Any], name: str) -> Path:
    """The JSON file first: a table without it would not say how it was made."""
    path = dataset.path / "splits" / f"{name}.parquet"
    write_json(path.with_suffix(".json"), info)
    frame = rows.select("uid", pl.col("split").cast(pl.String), "group_name").sort("uid")
    write_frame(path, frame, kind="split", notes={"name": name, "by": info["by"], "seed": info["seed"]})
    return path


def _report(name: str, shares: Sequence[float], table: pl.DataFrame, found: Grouped, files: list[Path]) -> SplitReport:
    return SplitReport(
        name=name,
        images=_count(table, "uid"),
        wanted=dict(zip(PARTS, shares, strict=True)),
        groups=_count(table, "group"),
        worst=_worst(table, found.strata, shares),
        upstream=found.upstream,
        moved=found.moved,
        files=files,
        notes=found.notes,
    )


def _worst(table: pl.DataFrame, strata: Sequence[str], shares: Sequence[float]) -> dict[str, tuple[str, float]]:
    """The stratum in which each part is furthest from its share, and by how much."""
    counts = np.zeros((len(PARTS), len(strata)))
    np.add.at(counts, (table["part"].to_numpy().astype(int), table["stratum"].to_numpy().astype(int)), 1)
    total = counts.sum(axis=0)
    enough = np.flatnonzero(total >= 20)
    if not len(enough):
        return {}
    off = counts[:, enough] / total[enough] - np.asarray(shares)[:, None]
    place = np.abs(off).argmax(axis=1)
    return {part: (strata[enough[p]], float(off[i, p])) for i, (part, p) in enumerate(zip(PARTS, place, strict=True))}
