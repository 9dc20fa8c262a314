"""Outlines: a pixel is the object's if its centre is, computed here the slow and plain way."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aqqua.errors import SourceError
from aqqua.sources.frames_shapes import Area, Box, Polygons, Runs, circle, ellipse, shape_from_json
from tests.make.frames import covered

CORNER = st.tuples(st.floats(-5, 25, width=32), st.floats(-5, 20, width=32))
MASKS = st.integers(0, 2**30 - 1).map(lambda bits: np.array([bits >> k & 1 for k in range(30)], bool).reshape(5, 6))


@settings(max_examples=150)
@given(corners=st.lists(CORNER, min_size=3, max_size=9))
def test_polygons_cover_what_the_even_odd_rule_says(corners: list[tuple[float, float]]) -> None:
    shape = Polygons((tuple(value for corner in corners for value in corner),))
    expected = covered(corners, height=15, width=20)
    np.testing.assert_array_equal(shape.fill(Area(0, 0, 20, 15)), expected)
    np.testing.assert_array_equal(shape.fill(Area(3, 4, 10, 8)), expected[4:12, 3:13])


@given(corners=st.lists(CORNER, min_size=1, max_size=6))
def test_an_outline_is_refused_or_has_an_extent_around_all_it_covers(corners: list[tuple[float, float]]) -> None:
    shape = Polygons((tuple(value for corner in corners for value in corner),))
    try:
        left, top, right, bottom = shape.extent()
    except SourceError:
        assert len(set(corners)) < 3 or not np.isfinite(corners).all() or _on_a_line(corners)
        return
    rows, columns = np.nonzero(shape.fill(Area(0, 0, 30, 30)))
    if len(rows):
        assert left <= columns.min() + 0.5 <= right
        assert top <= rows.min() + 0.5 <= rows.max() + 0.5 <= bottom


def _on_a_line(corners: list[tuple[float, float]]) -> bool:
    points = np.array(corners) - corners[0]
    return bool(np.linalg.matrix_rank(points, tol=1e-6 * max(1.0, float(np.abs(points).max()))) < 2)


def encode(mask: np.ndarray) -> list[int]:
    """Run lengths, column by column."""
    flat = mask.T.ravel()
    edges = np.flatnonzero(np.diff(flat.astype(np.int8))) + 1
    counts = np.diff([0, *edges, len(flat)]).tolist()
    return ([0] if flat[0] else []) + [int(count) for count in counts]


def letters(counts: list[int]) -> str:
    """COCO's letters for run lengths."""
    text = ""
    for i, count in enumerate(counts):
        value = count - counts[i - 2] if i > 2 else count
        more = True
        while more:
            bits = value & 0x1F
            value >>= 5
            more = value != -1 if bits & 0x10 else value != 0
            text += chr(bits + (0x20 if more else 0) + 48)
    return text


@pytest.mark.parametrize(("counts", "text"), [([0, 6, 1, 3], "061M"), ([0, 1024], "0PP1"), ([0, 6, 1, 6], "0610")])
def test_letters_as_published(counts: list[int], text: str) -> None:
    """The examples of the COCO API's own way of writing."""
    assert letters(counts) == text
    assert Runs.parse([1, 1], text).counts == tuple(counts)


@given(mask=MASKS)
def test_run_lengths(mask: np.ndarray) -> None:
    counts = encode(mask)
    for told in (counts, letters(counts)):
        runs = Runs.parse([5, 6], told)
        if not mask.any():
            with pytest.raises(SourceError, match="empty"):
                runs.extent()
            continue
        rows, columns = np.nonzero(mask)
        assert runs.extent() == (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        np.testing.assert_array_equal(runs.fill(Area(0, 0, 6, 5)), mask)
        np.testing.assert_array_equal(runs.fill(Area(1, 2, 4, 3)), mask[2:5, 1:5])
        assert shape_from_json(runs.to_json()) == runs


@given(counts=st.lists(st.integers(0, 10**6), min_size=1, max_size=12))
def test_letters_come_back(counts: list[int]) -> None:
    assert Runs.parse([1, 1], letters(counts)).counts == tuple(counts)


@given(text=st.text(max_size=20))
def test_any_text_is_run_lengths_or_refused(text: str) -> None:
    try:
        runs = Runs.parse([5, 6], text)
        left, top, right, bottom = runs.extent()
    except SourceError:
        return
    assert 0 <= left < right <= 6
    assert 0 <= top < bottom <= 5
    assert sum(runs.counts) == 30


@pytest.mark.parametrize(
    ("size", "counts"),
    [([5, 6], [10, 10]), ([5, 6], [-1, 31]), ([5], [30]), ([5, 6], None), ([5, 6], [1.5, 28.5]), ("5", [30])],
)
def test_run_lengths_that_do_not_fit(size: object, counts: object) -> None:
    with pytest.raises(SourceError, match="run lengths"):
        Runs.parse(size, counts).extent()


@pytest.mark.parametrize(
    ("rings", "reason"),
    [
        ([], "no corner"),
        ([(1, 1, 2, 2)], "only 2 different corners"),
        ([(1, 1, 1, 1, 1, 1)], "only 1 different"),
        ([(1, 1, 2, 2, 3, 3)], "encloses no area"),
        ([(1, 1, 2, 2, 3)], "x without y"),
        ([(1, 1, 2, math.nan, 3, 3)], "no number"),
    ],
)
def test_degenerate_outlines(rings: list[tuple[float, ...]], reason: str) -> None:
    with pytest.raises(SourceError, match=reason):
        Polygons(tuple(rings)).extent()


@pytest.mark.parametrize("box", [Box(1, 1, 0, 5), Box(1, 1, 5, -2), Box(math.inf, 1, 5, 5)])
def test_degenerate_boxes(box: Box) -> None:
    with pytest.raises(SourceError, match="box"):
        box.extent()


def test_several_polygons_are_united() -> None:
    shape = Polygons(((0, 0, 4, 0, 4, 4, 0, 4), (2, 2, 6, 2, 6, 6, 2, 6)))
    assert shape.extent() == (0, 0, 6, 6)
    assert shape.fill(Area(0, 0, 6, 6)).sum() == 16 + 16 - 4
    assert shape_from_json(shape.to_json()) == shape
    assert shape_from_json(Box(1, 2, 3, 4).to_json()) == Box(1, 2, 3, 4)


def test_circles_and_ellipses() -> None:
    filled = circle(20, 20, 15).fill(Area(0, 0, 40, 40))
    assert filled.sum() == pytest.approx(math.pi * 15**2, rel=0.01)
    filled = ellipse(30, 20, (20, 10), (-5, 10)).fill(Area(0, 0, 60, 40))
    assert filled.sum() == pytest.approx(math.pi * (20 * 10 + 10 * 5), rel=0.01)
    with pytest.raises(SourceError, match="no area"):
        circle(5, 5, 0)


def test_margins_stop_at_the_frame() -> None:
    assert Area(2, 3, 4, 5).grown(5, 10, 20) == Area(0, 0, 10, 13)
    assert Area(2, 3, 4, 5).grown(0, 10, 20) == Area(2, 3, 4, 5)
