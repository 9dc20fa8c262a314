"""Tables are read as text, whatever wrote them, and a row that does not fit is told, not lost."""

from __future__ import annotations

import csv
import io

import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from aqqua.errors import SourceError
from aqqua.sources.tables import Line, build_table, decode_text, encoding_of, pass_over, read_lines, read_table


def records(text: str) -> list[Line]:
    """The records of a text, its line ends made one as files do when they are opened."""
    return list(read_lines(io.StringIO(text, newline=None), "\t"))


CELL = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)


@given(
    rows=st.lists(st.lists(CELL, min_size=3, max_size=3), min_size=1, max_size=12), delimiter=st.sampled_from("\t,;")
)
def test_what_csv_writes_comes_back(rows: list[list[str]], delimiter: str) -> None:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows([["a", "b", "c"], *rows])
    told = [[cell or None for cell in row] for row in rows if any(row)]
    assume(told)
    table = read_table(out.getvalue().encode(), "table.csv")
    assert [list(row) for row in table.frame.iter_rows()] == told
    assert table.frame.columns == ["a", "b", "c"]
    assert not table.trouble


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
def test_encodings(encoding: str) -> None:
    assert decode_text("depth µm é".encode(encoding)) == "depth µm é"


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_line_ends_and_line_numbers(newline: str) -> None:
    text = newline.join(["h", '"one', 'two"', "", "three"])
    assert list(records(text)) == [Line(1, ["h"]), Line(2, ["one\ntwo"]), Line(5, ["three"])]


def test_encodings_are_found_across_blocks() -> None:
    data = "µ".encode()
    assert encoding_of([b"a" * 9 + data[:1], data[1:]]) == "utf-8"
    assert encoding_of([b"ok", data[:1]]) == "latin-1"
    assert encoding_of([b"ok", b"\xff\xfe"]) == "latin-1"
    assert encoding_of([b"\xff\xfe", b"a\0"]) == "utf-16"
    assert encoding_of([]) == "utf-8"


def test_an_open_quotation_mark_swallows_nothing() -> None:
    text = 'id\tcomment\n1\t"not closed\n2\tx\n3\t"closed"\n4\ty\n'
    cells = [(line.number, line.cells[0]) for line in records(text)]
    assert cells == [(1, "id"), (2, "1"), (3, "2"), (4, "3"), (5, "4")]


def test_a_cell_beyond_all_bounds_swallows_nothing() -> None:
    text = "id\tcomment\n" + '1\t"open\n' + "".join(f"{n}\n" for n in range(60_000))
    assert len(records(text)) == 60_002


def test_surplus_cells_are_trouble_and_missing_ones_empty() -> None:
    table = build_table(
        ["a", "b"], [Line(2, ["1"]), Line(3, ["1", "2", "Extra"]), Line(4, ["1", "2", " ", ""])], "t.tsv"
    )
    assert table.frame["b"].to_list() == [None, "2", "2"]
    assert list(table.trouble) == [1]
    assert table.trouble[1][0] == "Extra"
    assert [(finding.code, finding.count) for finding in table.findings] == [("short_rows", 1)]


def test_a_column_that_stands_twice_is_trouble_where_it_differs() -> None:
    table = build_table(
        ["lat", "lat", ""], [Line(2, ["1", "1", "x"]), Line(3, ["1", "2", ""]), Line(4, ["1", "", ""])], "t"
    )
    assert table.frame.columns == ["lat", "lat.2", "column_3"]
    assert table.trouble == {1: ("lat", "column 'lat' stands twice, with '1' and '2'")}
    assert [finding.code for finding in table.findings] == ["column_twice"]


def test_many_rows_in_blocks() -> None:
    table = build_table(["n"], (Line(n + 2, [str(n)]) for n in range(45_000)), "t")
    assert table.frame["n"].cast(pl.Int64).to_list() == list(range(45_000))
    assert table.lines == list(range(2, 45_002))


@pytest.mark.parametrize("data", [b"", b"a,b\n", b"\n\n"])
def test_a_table_without_rows_is_an_error(data: bytes) -> None:
    with pytest.raises(SourceError, match="no rows") as caught:
        read_table(data, "table.csv")
    assert caught.value.where == "table.csv"


def test_excel() -> None:
    pytest.importorskip("fastexcel", reason="the extra excel is not installed")
    from tests.make.excel import workbook

    table = read_table(workbook([["file", "depth_min_m"], ["a.png", "12.5"], ["b.png", ""]]), "table.xlsx")
    assert table.frame.to_dicts() == [{"file": "a.png", "depth_min_m": "12.5"}, {"file": "b.png", "depth_min_m": None}]
    assert table.lines == [2, 3]


def test_a_damaged_excel_table_says_so() -> None:
    pytest.importorskip("fastexcel", reason="the extra excel is not installed")
    with pytest.raises(SourceError, match="cannot be read"):
        read_table(b"PK no", "table.xlsx")


@given(
    rows=st.lists(st.sampled_from(["a\tb", "\t", "", "x\ty", '"q\tr"\ts', '"t\nu"\tv', " \t", ",;"]), max_size=12),
    count=st.integers(0, 6),
)
def test_records_may_be_passed_over(rows: list[str], count: int) -> None:
    text = "".join(f"{row}\n" for row in rows)
    rest, left, number = pass_over(iter(io.StringIO(text)), count, 5)
    assert list(read_lines(rest, "\t", number))[left:] == list(read_lines(io.StringIO(text), "\t", 5))[count:]
