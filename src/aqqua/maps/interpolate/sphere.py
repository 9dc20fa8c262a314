"""Distances on the sphere, right across the date line and at the poles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from aqqua.errors import MissingExtraError

if TYPE_CHECKING:
    from aqqua.maps.interpolate.problem import Floats, Ints

__all__ = ["EARTH_RADIUS_KM", "even_places", "nearest_km", "tree_of", "unit_vectors"]

EARTH_RADIUS_KM = 6371.0088
"""Mean radius R₁ of the earth (IUGG)."""


def unit_vectors(latitude: Floats, longitude: Floats) -> Floats:
    """Places as points of the unit sphere, shape (n, 3): no edge at the date line, no crowding at the poles."""
    north, east = np.radians(latitude), np.radians(longitude)
    return np.stack([np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)], axis=1)


def tree_of(points: Floats) -> Any:
    """A k-d tree of points, shape (n, d)."""
    try:
        from scipy.spatial import cKDTree
    except ModuleNotFoundError as error:
        raise MissingExtraError("interpolation", "scipy", "maps") from error
    return cKDTree(points)


def nearest_km(of: Floats, among: Floats) -> Floats:
    """Great-circle distance from each place to the nearest of others.

    Args:
        of: unit vectors, shape (m, 3).
        among: unit vectors, shape (n, 3), at least one.

    Returns:
        Kilometres, shape (m,).
    """
    chord, _ = tree_of(among).query(of)
    return arc_km(chord)


def arc_km(chord: Floats) -> Floats:
    """Great-circle distance of two points of the unit sphere from the straight line between them."""
    return 2 * EARTH_RADIUS_KM * np.arcsin(np.clip(np.asarray(chord, np.float64) / 2, 0, 1))


def even_places(n: int) -> tuple[Floats, Floats]:
    """Latitude and longitude of n places that lie evenly on the sphere (Fibonacci lattice)."""
    number = np.arange(n) + 0.5
    latitude = np.degrees(np.arcsin(1 - 2 * number / n))
    longitude = (number * 180 * (3 - np.sqrt(5)) + 180) % 360 - 180
    return latitude, longitude


def block_of(latitude: Floats, longitude: Floats, degrees: float) -> Ints:
    """Number of the block each place lies in: bands of latitude, cut so that blocks are about as wide as high.

    The number of blocks in a band falls towards the poles; no block crosses the date line.

    Args:
        latitude: degrees north, shape (n,).
        longitude: degrees east, any turn, shape (n,).
        degrees: height of a block, 0 < degrees ≤ 90.
    """
    bands = max(1, round(180 / degrees))
    band = np.minimum(((np.asarray(latitude) + 90) / 180 * bands).astype(int), bands - 1)
    middle = np.radians(-90 + (band + 0.5) * 180 / bands)
    around = np.maximum(1, np.round(2 * bands * np.cos(middle))).astype(int)
    turn = (np.asarray(longitude) + 180) % 360 / 360
    column = np.minimum((turn * around).astype(int), around - 1)
    blocks: Ints = (band * (2 * bands + 1) + column).astype(np.int64)
    return blocks
