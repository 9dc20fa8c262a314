"""Which points lie in a polygon: the lasso."""

from __future__ import annotations

from typing import Any

import numpy as np

from aqqua.errors import ConfigError

__all__ = ["inside"]

MAX_CORNERS = 4_000


def inside(points: np.ndarray, polygon: Any) -> np.ndarray:
    """Which points lie in a polygon, by the even-odd rule (a line from the point to the right crosses it oddly often).

    Args:
        points: (n, 2).
        polygon: list of corners [x, y]; it closes itself, and may cross itself.

    Raises:
        ConfigError: it is not a list of at least three pairs of finite numbers.
    """
    corners = _corners(polygon)
    hit = np.zeros(len(points), bool)
    low, high = corners.min(axis=0), corners.max(axis=0)
    near = np.flatnonzero(((points >= low) & (points <= high)).all(axis=1))
    x, y = points[near].astype(np.float64).T
    odd = np.zeros(len(near), bool)
    for (ax, ay), (bx, by) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if ay == by:
            continue
        crossing = (y >= min(ay, by)) & (y < max(ay, by))
        odd ^= crossing & (x < ax + (y - ay) / (by - ay) * (bx - ax))
    hit[near] = odd
    return hit


def _corners(polygon: Any) -> np.ndarray:
    wrong = ConfigError(f"a polygon is a list of 3 to {MAX_CORNERS:,} corners", do="give [[x, y], [x, y], [x, y], …]")
    if not isinstance(polygon, (list, tuple)) or not 3 <= len(polygon) <= MAX_CORNERS:
        raise wrong
    try:
        corners = np.array(polygon, np.float64)
    except (TypeError, ValueError) as error:
        raise wrong from error
    if corners.shape != (len(polygon), 2) or not np.isfinite(corners).all():
        raise wrong
    return corners
