"""The leak check of a split: no group and no duplicate in two parts, no image of an upstream test set in training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from aqqua.curate.grouping import grouped
from aqqua.curate.splits import PARTS, read_split, split_info
from aqqua.errors import NotFoundError
from aqqua.metadata.check import Finding
from aqqua.store.dataset import Dataset
from aqqua.store.identity import read_identity

__all__ = ["check_split"]

_DO = "split again: aqqua curate splits"


def check_split(datasets: Sequence[Path | str], name: str) -> list[Finding]:
    """Look for leaks between the parts of a split; the datasets may have grown since it was made.

    Args:
        datasets: all datasets that were split together.
        name: of the split.

    Returns:
        findings, errors first; none if all is well.

    Raises:
        NotFoundError: there is no dataset, or no such split.
        UnknownNameError: there are splits, but none of this name.
    """
    opened = [Dataset.open(path) for path in datasets]
    if not opened:
        raise NotFoundError("there is no dataset to check", do="aqqua curate check-split DATASET… --name NAME")
    info = split_info(opened[0], name)
    found = grouped(opened, str(info["by"]), honour=bool(info["honour_upstream"]))
    rows = [read_split(ds, name).with_columns(dataset=pl.lit(i, pl.UInt16)) for i, ds in enumerate(opened)]
    split = pl.concat(rows)
    table = found.table.join(split, on=["dataset", "uid"], how="left", maintain_order="left")
    return [*_crossing(table, name), *_upstream(table, name), *_coverage(table, split, opened, info, name)]


def _crossing(table: pl.DataFrame, name: str) -> Iterator[Finding]:
    """Groups – joined by their duplicates – in more than one part."""
    parts = (
        table.drop_nulls("split")
        .group_by("group")
        .agg(pl.col("split").unique().sort(), pl.col("group_name").unique().sort())
    )
    torn = parts.filter(pl.col("split").list.len() > 1).sort("group")
    for kind, told, chosen in (
        ("split_group_crosses", "groups lie in several parts", torn.filter(pl.col("group_name").list.len() == 1)),
        (
            "split_duplicate_crosses",
            "duplicates join groups of different parts",
            torn.filter(pl.col("group_name").list.len() > 1),
        ),
    ):
        if chosen.height:
            first = chosen.row(0, named=True)
            where = f"split {name!r}, first: {' and '.join(first['group_name'][:2])} in {', '.join(first['split'])}"
            yield Finding("error", kind, told, where, chosen.height, _DO)


def _upstream(table: pl.DataFrame, name: str) -> Iterator[Finding]:
    """Images of a source's test set that are trained on."""
    leaked = table.filter((pl.col("upstream") == 2) & (pl.col("split") != PARTS[2]))
    if leaked.height:
        told = "images of a test set of their source are not in the test set"
        yield Finding("error", "split_upstream_test", told, f"split {name!r}", leaked.height, _DO)


def _coverage(
    table: pl.DataFrame, split: pl.DataFrame, datasets: Sequence[Dataset], info: dict[str, object], name: str
) -> Iterator[Finding]:
    """Images in no part or in two, parts nobody knows, datasets that are missing."""
    where = f"split {name!r}"
    if unknown := sorted(set(split["split"].unique().to_list()) - set(PARTS)):
        yield Finding("error", "split_unknown_part", f"there is a part called {unknown[0]!r}", where, len(unknown), _DO)
    if twice := split.height - split.select("dataset", "uid").n_unique():
        yield Finding("error", "split_twice", "images are in the split twice", where, twice, _DO)
    if outside := table["split"].null_count():
        yield Finding("warning", "split_outside", "images are in no part: they were added later", where, outside, _DO)
    told = info["datasets"] if isinstance(info["datasets"], list) else []
    missing = {one["uuid"] for one in told} - {read_identity(ds.path)["uuid"] for ds in datasets}
    if missing:
        what = "datasets of this split were not given: duplicates across them were not checked"
        yield Finding(
            "warning", "split_dataset_missing", what, ", ".join(sorted(missing)), len(missing), "name them all"
        )
