"""Samples of viewports: exact counts, random, nested, and complete."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aqqua.app import strata
from aqqua.app.strata import SIDE, Rectangle, Strata, cover, morton, stratum_bounds, unmorton

EVERYWHERE = Rectangle(0, 0, SIDE - 1, SIDE - 1)
step = st.integers(0, SIDE - 1)
rectangles = st.builds(lambda a, b, c, d: Rectangle(min(a, c), min(b, d), max(a, c), max(b, d)), step, step, step, step)


@pytest.fixture(autouse=True, scope="module")
def small_strata() -> object:
    """Strata of 64, 256, 1024 … points, so that few points make several."""
    patch = pytest.MonkeyPatch()
    patch.setattr(strata, "FIRST", 64)
    yield
    patch.undo()


def points(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    clouds = rng.normal(rng.integers(0, SIDE, (5, 2)).astype(float)[rng.integers(0, 5, n)], 3000)
    some = np.where(rng.random((n, 1)) < 0.3, rng.integers(0, SIDE, (n, 2)), clouds)
    x, y = np.clip(some, 0, SIDE - 1).astype(np.uint16).T
    return x, y


@given(st.lists(step, min_size=1, max_size=20), st.data())
def test_morton_codes_give_the_coordinates_back(x: list[int], data: st.DataObject) -> None:
    y = data.draw(st.lists(step, min_size=len(x), max_size=len(x)))
    back = unmorton(morton(np.array(x, np.uint16), np.array(y, np.uint16)))
    assert back[0].tolist() == x
    assert back[1].tolist() == y


@given(rectangles, st.lists(st.tuples(step, step), max_size=30))
def test_the_cover_of_a_rectangle_holds_it_and_its_whole_cells_are_inside(
    view: Rectangle, elsewhere: list[tuple[int, int]]
) -> None:
    corners = [(view.x0, view.y0), (view.x1, view.y1), (view.x0, view.y1), (view.x1, view.y0)]
    x, y = np.array([*corners, *elsewhere]).T
    inside = (x >= view.x0) & (x <= view.x1) & (y >= view.y0) & (y <= view.y1)
    cells = cover(view)
    code = morton(x, y)
    hits = (code[:, None] >= cells.first) & (code[:, None] <= cells.last)
    assert (hits.sum(axis=1) <= 1).all(), "cells overlap"
    assert hits[inside].any(axis=1).all(), "a point inside is not covered"
    assert not hits[~inside][:, cells.whole].any(), "a whole cell reaches beyond the rectangle"
    assert (np.diff(cells.first.astype(np.int64)) > 0).all()


def test_few_cells_cover_any_rectangle() -> None:
    assert len(cover(Rectangle(1, 1, SIDE - 2, SIDE - 2)).first) < 400
    assert len(cover(EVERYWHERE).first) == 1
    assert len(cover(Rectangle(10, 10, 9, 9)).first) == 0


@given(rectangles, st.integers(0, 3000), st.integers(0, 3), st.booleans())
@settings(max_examples=60, deadline=None)
def test_a_sample_is_the_first_of_the_view_in_one_random_order(
    view: Rectangle, budget: int, seed: int, masked: bool
) -> None:
    x, y = points(2000, seed)
    mask = np.random.default_rng(seed).random(2000) < 0.4 if masked else None
    built = Strata.build(x, y, seed)
    order = np.random.default_rng(seed).permutation(2000)
    inside = (x >= view.x0) & (x <= view.x1) & (y >= view.y0) & (y <= view.y1)
    expected = [row for row in order if inside[row] and (mask is None or mask[row])]
    sample = built.sample(view, budget, mask)
    assert sample.total == len(expected)
    assert sample.rows.tolist() == expected[:budget]
    assert (sample.x == x[sample.rows]).all()
    assert (sample.y == y[sample.rows]).all()


def test_the_whole_map_with_enough_budget_is_every_row_once() -> None:
    built = Strata.build(*points(1500))
    assert sorted(built.sample(EVERYWHERE, 10_000).rows.tolist()) == list(range(1500))
    assert [high - low for low, high in stratum_bounds(1500)] == [64, 192, 768, 476]


def test_tiles_of_the_map_hold_together_every_row_once() -> None:
    built = Strata.build(*points(1500))
    edges = [0, 10_000, 32_768, 50_001, SIDE]
    rows = [
        built.sample(Rectangle(a, c, b - 1, d - 1), 10_000).rows for a, b in pairwise(edges) for c, d in pairwise(edges)
    ]
    assert sorted(np.concatenate(rows).tolist()) == list(range(1500))


def test_samples_are_unbiased_wherever_points_lie() -> None:
    """Over many random orders each point of a view is drawn equally often (chi² test, p > 1e-4)."""
    x, y = points(600, 5)
    view = Rectangle(0, 0, 40_000, SIDE - 1)
    drawn = np.zeros(600)
    for seed in range(300):
        drawn[Strata.build(x, y, seed).sample(view, 100).rows] += 1
    counts = drawn[x <= 40_000]
    expected = 300 * 100 / len(counts)
    chi2 = ((counts - expected) ** 2 / (expected * (1 - 100 / len(counts)))).sum()
    freedom = len(counts) - 1
    assert abs(chi2 - freedom) < 4 * (2 * freedom) ** 0.5


def test_zooming_in_keeps_what_was_seen() -> None:
    built = Strata.build(*points(2000))
    wide = built.sample(EVERYWHERE, 300)
    narrow = built.sample(Rectangle(0, 0, 30_000, 30_000), 300)
    seen = wide.rows[(wide.x <= 30_000) & (wide.y <= 30_000)]
    assert set(seen.tolist()) <= set(narrow.rows.tolist())


@pytest.mark.parametrize("n", [0, 1, 64, 65])
def test_saved_strata_are_the_same(n: int, tmp_path: Path) -> None:
    built = Strata.build(*points(n))
    built.save(tmp_path)
    loaded = Strata.load(tmp_path)
    assert loaded.sample(EVERYWHERE, 1000).rows.tolist() == built.sample(EVERYWHERE, 1000).rows.tolist()
    assert len(loaded) == n
