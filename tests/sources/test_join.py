"""An owner's table is joined by what it knows; nothing is guessed, nothing is lost."""

from __future__ import annotations

import polars as pl
import pytest

from aqqua.sources.join import join_table, unmatched_rows
from aqqua.sources.part import rows_frame
from aqqua.sources.tables import read_table


def images(**columns: list[str]) -> pl.DataFrame:
    """Rows as an EcoTaxa part gives them."""
    count = len(next(iter(columns.values())))
    return rows_frame(
        pl.DataFrame(columns),
        source_path="x.tsv",
        source_row=list(range(3, 3 + count)),
        image_path=[f"v/{name}.png" for name in range(count)],
        object_id=[f"object_{name}" for name in range(count)],
        problems={},
    )


@pytest.mark.parametrize(
    ("text", "key", "expected"),
    [
        ("object_id,depth_m\nobject_1,5\nobject_0,6\n", "object_id", ["6", "5", None]),
        ("sample,depth_m\ns2,5\ns1,6\n", "sample", ["6", "6", "5"]),
        ("sample_id,object_id,depth_m\ns1,object_0,1\ns1,object_1,2\ns2,object_2,3\n", "object_id", ["1", "2", "3"]),
        ("image,depth_m\n0.png,1\n1.PNG,2\nv/2.png,3\n", "image", ["1", "2", None]),
        ("depth_m\n7\n", "", ["7", "7", "7"]),
        ("depth_m\n7\n8\n", None, None),
        ("count,depth_m\n0,7\n1,8\n", None, None),
        ("file,depth_m\nx.png,7\n", None, None),
    ],
)
def test_keys(text: str, key: str | None, expected: list[str | None] | None) -> None:
    table = read_table(text.encode(), "t.csv")
    joined = join_table(images(sample_id=["s1", "s1", "s2"]), table, "t.csv")
    assert joined.key == key
    if expected is None:
        assert "depth_m" not in joined.frame.columns
    else:
        assert joined.frame["depth_m"].to_list() == expected


def test_the_table_wins_where_it_says_something() -> None:
    table = read_table(b"object_id,object_lat,object_lon\nobject_0,1,\nobject_1,,2\n", "t.csv")
    joined = join_table(images(object_lat=["10", "20"], object_lon=["30", "40"]), table, "t.csv").frame
    assert joined["object_lat"].to_list() == ["1", "20"]
    assert joined["object_lon"].to_list() == ["30", "2"]
    assert joined["table_line"].to_list() == ["t.csv:2", "t.csv:3"]


def test_rows_keep_their_order_and_number() -> None:
    table = read_table(b"sample_id,x\nb,2\na,1\n", "t.csv")
    frame = images(sample_id=["a", "b", "c", "a"])
    joined = join_table(frame, table, "t.csv")
    assert joined.frame["object_id"].to_list() == frame["object_id"].to_list()
    assert joined.used == [0, 1]
    assert [(finding.code, finding.count) for finding in joined.findings] == [("not_in_table", 1)]


def test_unmatched_rows_say_where_they_stand() -> None:
    table = read_table(b"file,source_row\na.png,9\nb.png,8\n", "t.csv")
    rest = unmatched_rows(table, {0}, "t.csv", "file")
    assert rest.select("source_path", "source_row", "object_id", "_field", "table_source_row").rows() == [
        ("t.csv", 3, "b.png", "file", "8")
    ]
