"""The Equal Earth projection: areas are true, so what looks large on the map is large.

Source: B. Šavrič, T. Patterson & B. Jenny 2019, The Equal Earth map projection, International Journal of Geographical
Information Science 33(3):454-465, doi:10.1080/13658816.2018.1504949, equations 1-3.
"""

from __future__ import annotations

import numpy as np

__all__ = ["HEIGHT", "WIDTH", "densify", "equal_earth", "outline"]

_A1, _A2, _A3, _A4 = 1.340264, -0.081106, 0.000893, 0.003796
_M = np.sqrt(3) / 2


def equal_earth(longitude: np.ndarray, latitude: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Project degrees to the plane of a sphere of radius 1.

    Args:
        longitude: degrees east of the central meridian, −180 to 180.
        latitude: degrees north.

    Returns:
        x and y; |x| ≤ `WIDTH` / 2, |y| ≤ `HEIGHT` / 2.
    """
    east = np.radians(np.asarray(longitude, float))
    theta = np.arcsin(_M * np.sin(np.radians(np.asarray(latitude, float))))
    t2 = theta * theta
    t6 = t2 * t2 * t2
    slope = _A1 + 3 * _A2 * t2 + t6 * (7 * _A3 + 9 * _A4 * t2)
    x = east * np.cos(theta) / (_M * slope)
    y = theta * (_A1 + _A2 * t2 + t6 * (_A3 + _A4 * t2))
    return x, y


def densify(line: np.ndarray, step: float = 2.0) -> np.ndarray:
    """A line of longitude and latitude with points at least every so many degrees, so that it bends when projected."""
    length = np.abs(np.diff(line, axis=0)).max(axis=1)
    count = np.maximum(np.ceil(length / step).astype(int), 1)
    place = np.concatenate([[0.0], *(i + np.arange(1, n + 1) / n for i, n in enumerate(count))])
    whole = np.arange(len(line), dtype=float)
    return np.stack([np.interp(place, whole, line[:, k]) for k in (0, 1)], axis=1)


def outline() -> tuple[np.ndarray, np.ndarray]:
    """The edge of the map, closed."""
    corners = np.array([[-180.0, -90], [180, -90], [180, 90], [-180, 90], [-180, -90]])
    edge = densify(corners, 1.0)
    return equal_earth(edge[:, 0], edge[:, 1])


WIDTH = float(2 * equal_earth(np.array(180.0), np.array(0.0))[0])
HEIGHT = float(2 * equal_earth(np.array(0.0), np.array(90.0))[1])
