"""A block keeps rows, images and labels together, whichever images fail."""

from __future__ import annotations

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from aqqua.sources.block import Block
from aqqua.sources.pixels import Picture
from aqqua.store.codec import record

ROWS = 12


def block_of(first: int, count: int, labelled: list[int]) -> Block:
    rows = pl.DataFrame({"_row": range(first, first + count), "latitude": range(first, first + count)})
    raw = pl.DataFrame({"name": [f"n{row}" for row in range(ROWS)]})
    labels = pl.DataFrame(
        {"_row": sorted(labelled), "label": [f"l{row}" for row in sorted(labelled)]},
        schema={"_row": pl.UInt32, "label": pl.String},
    )
    return Block.of(rows.cast({"_row": pl.UInt32}), raw, labels)


@given(
    first=st.integers(0, 6),
    good=st.sets(st.integers(0, 5)),
    labelled=st.lists(st.integers(0, ROWS - 1), max_size=8),
)
def test_labels_follow_their_images(first: int, good: set[int], labelled: list[int]) -> None:
    block = block_of(first, 6, labelled)
    picture = Picture(np.zeros((2, 2), np.uint8))
    for number in sorted(good):
        block.take(number, record(picture.pixels), picture)
    converted, raw, labels = block.tables()
    assert converted["latitude"].to_list() == [first + number for number in sorted(good)]
    assert raw["name"].to_list() == [f"n{first + number}" for number in sorted(good)]
    said = [(raw["name"][row], label) for row, label in labels.select("_row", "label").iter_rows()]
    expected = [row for row in sorted(labelled) if row - first in good]
    assert said == [(f"n{row}", f"l{row}") for row in expected]
    block.clear()
    assert not block.records
    assert not block.nbytes


def test_names_of_channels_are_taken_where_they_fit() -> None:
    rows = pl.DataFrame({"_row": [0, 1, 2]}, schema={"_row": pl.UInt32})
    raw = pl.DataFrame({"channel_names": ["a,b", "a,b", None]})
    block = Block.of(rows, raw, pl.DataFrame(schema={"_row": pl.UInt32, "label": pl.String}))
    for number, channels in enumerate((2, 3, 2)):
        picture = Picture(np.zeros((2, 2, channels), np.uint8), "x,y")
        block.take(number, record(picture.pixels), picture)
    assert block.channel_names == ["a,b", "x,y", "x,y"]
