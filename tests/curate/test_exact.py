from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from aqqua.curate.exact import confirmed, equal_hashes
from tests.make.captures import capture, dataset_of, uids_by_name


@pytest.mark.parametrize("rows_at_once", [1, 3, 1000])
def test_equal_hashes_within_and_across_whatever_fits_into_memory(tmp_path: Path, rows_at_once: int) -> None:
    one = dataset_of(tmp_path / "one", [capture(i, 24) for i in (0, 1, 2, 1)], shards=2)
    two = dataset_of(tmp_path / "two", [capture(i, 24) for i in (3, 0)])
    found = pl.concat(list(equal_hashes([one, two], rows_at_once=rows_at_once)))
    names = [{uid: name for name, uid in uids_by_name(ds).items()} for ds in (one, two)]
    groups = {
        frozenset((number, names[number][uid]) for number, uid in rows.select("dataset", "uid").iter_rows())
        for _, rows in found.group_by("xxh3")
    }
    assert groups == {
        frozenset({(0, "object_1"), (0, "object_3")}),
        frozenset({(0, "object_0"), (1, "object_1")}),
    }


def test_equal_hashes_of_unequal_pixels_are_no_duplicates(tmp_path: Path) -> None:
    dataset = dataset_of(tmp_path / "d", [capture(0), capture(1), capture(0)])
    names = uids_by_name(dataset)
    rows = [(0, names[f"object_{i}"], 77) for i in range(3)]  # as if all three had one hash
    found = pl.DataFrame(rows, schema={"dataset": pl.UInt16, "uid": pl.UInt64, "xxh3": pl.UInt64}, orient="row")
    assert list(confirmed([dataset], found)) == [[(0, names["object_0"]), (0, names["object_2"])]]
