"""Coastlines for figures: polygons of land from the 1-km mask of NOAA's GLOBE elevation model, 0.1° coarse.

`draw_coast` makes them from the package global-land-mask (seconds, and a gigabyte); what it made lies beside this
module. Lakes count as land, islands smaller than a fifth of a cell of one degree are left out.

Source: K. Karin, global-land-mask, doi:10.5281/zenodo.4066722, from GLOBE (NOAA, 1 km).
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["coast", "draw_coast", "shapes_of"]

_FILE = "coast.npz"
_STEPS = 100  # of coordinates in the file, per degree
_CELL = 12  # of the mask in one of ours: 0.1°
_TOLERANCE_DEG = 0.06
_SMALLEST_DEG2 = 0.2


@cache
def coast() -> tuple[np.ndarray, ...]:
    """Land as rings of longitude and latitude in degrees, each (n, 2), closed; holes turn the other way round."""
    with (files("aqqua.maps") / _FILE).open("rb") as opened, np.load(opened, allow_pickle=False) as file:
        points = np.cumsum(file["steps"].astype(np.int64), axis=0) / _STEPS
        return tuple(np.split(points, file["starts"][1:]))


def draw_coast(path: Path | str) -> int:
    """Trace the coast from the mask and write it, as it lies in the package.

    Args:
        path: the file to write (`.npz`).

    Returns:
        Number of points.
    """
    from global_land_mask import globe

    share = _share_of_land(~globe._mask)
    rings = [simple for ring in shapes_of(share) if (simple := _simplify(ring)) is not None]
    whole = [np.rint(ring * _STEPS).astype(np.int64) for ring in rings]
    points = np.concatenate(whole)
    steps = np.diff(points, axis=0, prepend=np.zeros((1, 2), np.int64))
    starts = np.cumsum([0, *(len(ring) for ring in whole[:-1])])
    with Path(path).open("wb") as file:
        np.savez_compressed(file, steps=steps.astype(np.int32), starts=starts.astype(np.int32))
    return len(points)


def _share_of_land(land: np.ndarray) -> np.ndarray:
    """Share of land in cells of 0.1°, south first."""
    rows, columns = land.shape[0] // _CELL, land.shape[1] // _CELL
    share = np.empty((rows, columns), np.float32)
    for row in range(rows):
        strip = land[row * _CELL : (row + 1) * _CELL].reshape(_CELL, columns, _CELL)
        share[row] = strip.mean(axis=(0, 2))
    return share[::-1]


def shapes_of(share: np.ndarray) -> list[np.ndarray]:
    """Rings of longitude and latitude around what is more than half land on a global grid, south first.

    Args:
        share: (h, w) between 0 and 1, cells of 180 / h degrees from −90 and −180.
    """
    from contourpy import contour_generator

    step = 180 / share.shape[0]
    padded = np.pad(share, 1, mode="edge")
    latitude = np.clip(-90 + step * (np.arange(padded.shape[0]) - 0.5), -90, 90)
    longitude = np.clip(-180 + step * (np.arange(padded.shape[1]) - 0.5), -180, 180)
    traced: Any = contour_generator(longitude, latitude, padded, fill_type="OuterOffset").filled(0.5, 2.0)
    rings = []
    for points, offset in zip(*traced, strict=True):
        rings += [points[a:b] for a, b in pairwise(offset)]
    return rings


def _simplify(ring: np.ndarray) -> np.ndarray | None:
    """The ring with fewer points (Douglas and Peucker 1973); None for a small one."""
    x, y = ring[:, 0], ring[:, 1]
    area = abs(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1])) / 2
    if area < _SMALLEST_DEG2 / 4 or (area < _SMALLEST_DEG2 and abs(y.mean()) > 60):
        return None
    half = len(ring) // 2  # a ring begins where it ends: two halves have two ends
    keep = np.zeros(len(ring), bool)
    keep[[0, half, -1]] = True
    stack = [(0, half), (half, len(ring) - 1)]
    while stack:
        first, last = stack.pop()
        if last - first < 2:
            continue
        far, distance = _farthest(ring, first, last)
        if distance > _TOLERANCE_DEG:
            keep[far] = True
            stack += [(first, far), (far, last)]
    kept = ring[keep]
    return kept if len(kept) >= 4 else None


def _farthest(ring: np.ndarray, first: int, last: int) -> tuple[int, float]:
    start, along = ring[first], ring[last] - ring[first]
    between = ring[first + 1 : last] - start
    length = float(np.hypot(*along))
    if length == 0:
        distance = np.hypot(between[:, 0], between[:, 1])
    else:
        distance = np.abs(between[:, 0] * along[1] - between[:, 1] * along[0]) / length
    place = int(distance.argmax())
    return first + 1 + place, float(distance[place])
