"""The lasso holds exactly the points that a slow and simple test finds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqqua.app.polygon import inside
from aqqua.errors import ConfigError

number = st.floats(-10, 10, width=32) | st.integers(-3, 3).map(float)
pair = st.tuples(number, number)


def is_inside(x: float, y: float, corners: list[tuple[float, float]]) -> bool:
    """Even-odd rule, a corner at a time."""
    odd, (bx, by) = False, corners[-1]
    for ax, ay in corners:
        if (ay > y) != (by > y) and x < (bx - ax) * (y - ay) / (by - ay) + ax:
            odd = not odd
        bx, by = ax, ay
    return odd


@given(st.lists(pair, min_size=3, max_size=12), st.lists(pair, min_size=1, max_size=40))
def test_the_lasso_agrees_with_brute_force(
    corners: list[tuple[float, float]], points: list[tuple[float, float]]
) -> None:
    found = inside(np.array(points), [list(corner) for corner in corners])
    for (x, y), hit in zip(points, found, strict=True):
        if not near_an_edge(x, y, corners):
            assert hit == is_inside(x, y, corners)


def near_an_edge(x: float, y: float, corners: list[tuple[float, float]]) -> bool:
    """Where rounding may decide."""
    for (ax, ay), (bx, by) in zip(corners, [*corners[1:], corners[0]], strict=True):
        if ay != by and abs(x - (ax + (y - ay) / (by - ay) * (bx - ax))) < 1e-9 * max(1, abs((bx - ax) / (by - ay))):
            return True
    return False


def test_a_square_is_tiled_without_gap_or_overlap() -> None:
    """Points on shared edges belong to one of two neighbours only."""
    grid = np.stack(np.meshgrid(np.arange(9) / 4, np.arange(9) / 4), axis=-1).reshape(-1, 2)
    hits = np.zeros(len(grid), int)
    for left in (0, 1):
        for low in (0, 1):
            hits += inside(grid, [[left, low], [left + 1, low], [left + 1, low + 1], [left, low + 1]])
    assert (hits == ((grid < 2).all(axis=1)).astype(int)).all()


def test_a_polygon_that_crosses_itself_has_a_hole() -> None:
    star = [[0, 3], [2, -3], [-3, 1], [3, 1], [-2, -3]]
    assert inside(np.array([[0, 0], [0, 2]]), star).tolist() == [False, True]


@pytest.mark.parametrize(
    "wrong",
    [None, 5, "abc", [], [[0, 0], [1, 1]], [[0, 0], [1, 1], [2]], [[0, 0], [1, 1], ["a", 2]],
     [[0, 0], [1, 1], [float("nan"), 0]],
     [[0, 0, 0]] * 3, {"a": 1}, [[0, 0]] * 5000],
)  # fmt: skip
def test_what_is_no_polygon_is_said(wrong: object) -> None:
    with pytest.raises(ConfigError, match="a polygon is a list of 3 to"):
        inside(np.zeros((1, 2)), wrong)
