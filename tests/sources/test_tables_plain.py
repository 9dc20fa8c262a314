"""Plain tables read as a whole come out exactly as the careful way makes them."""

from __future__ import annotations

import io
from itertools import islice

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aqqua.sources import tables_plain
from aqqua.sources.tables import build_table, read_lines
from aqqua.sources.tables_plain import read_rows

CELL = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\t\r\n"), max_size=6),
    st.sampled_from(["", " ", '"', '"a', "\ufeffx", "NA", "null", "#", "1,5", "007", "\x0b", "\u2028", "\0", " a "]),
)
LINE = st.one_of(st.lists(CELL, min_size=3, max_size=3), st.lists(CELL, max_size=5))


@given(
    rows=st.lists(LINE, max_size=14),
    header=st.sampled_from([["a", "b", "c"], ["a", "b", "a"], ["", "x", ""], ["a"], ["a", "b"]]),
    left_out=st.sampled_from([0, 0, 1, 3]),
    count=st.one_of(st.none(), st.integers(0, 16)),
    ended=st.booleans(),
)
@example([["1", "2", "3"], ["", "", ""], ["4", "", "6"]], ["a", "b", "c"], 0, None, True)
@example([["1", "2", "3"], ["4", '"5\t', "6"], ['7"', "", "8"]], ["a", "b", "c"], 0, 2, False)
def test_both_ways_give_the_same_table(
    rows: list[list[str]], header: list[str], left_out: int, count: int | None, ended: bool
) -> None:
    text = "\n".join("\t".join(row) for row in rows) + "\n" * ended
    stop = None if count is None else left_out + count
    careful = build_table(
        header, islice(read_lines(io.StringIO(text, newline=None), "\t", 3), left_out, stop), "table.tsv"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables_plain, "_BLOCK", 4)
        quick = read_rows(header, io.StringIO(text, newline=None), left_out, count, 3, "table.tsv")
    assert quick.frame.equals(careful.frame)
    assert quick.frame.schema == careful.frame.schema
    assert (quick.lines, quick.trouble, quick.findings) == (careful.lines, careful.trouble, careful.findings)


def test_plain_lines_are_known_from_others() -> None:
    text = "".join(f"{row}\t\tµ{row}\n" for row in range(100))
    plain = tables_plain._plain(text.splitlines(keepends=True), 3)
    assert plain is not None
    assert plain.rows()[7] == ("7", None, "µ7")
    assert tables_plain._plain(['a\t"b\n'], 2) is None
