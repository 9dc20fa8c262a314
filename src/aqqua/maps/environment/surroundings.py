"""Distance to the coast, along great circles."""

from __future__ import annotations

import numpy as np

from aqqua.maps.coast import coast
from aqqua.maps.projection import densify

__all__ = ["coast_distance_km"]

_RADIUS_KM = 6371.0
_STEP_DEG = 0.1


def coast_distance_km(latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
    """Kilometres from the centres of cells to the nearest coast (0.1° coarse; small islands do not count).

    Args:
        latitude: (h,) degrees north.
        longitude: (w,) degrees east.

    Returns:
        (h, w) km, also on land.
    """
    from scipy.spatial import cKDTree

    shores = np.concatenate([densify(ring, _STEP_DEG) for ring in coast()])
    shores = shores[(np.abs(shores[:, 0]) < 179.99) & (shores[:, 1] > -89.9)]  # the edge of the drawing is no coast
    tree = cKDTree(_sphere(shores[:, 1], shores[:, 0]))
    north, east = np.meshgrid(latitude, longitude, indexing="ij")
    chord, _ = tree.query(_sphere(north.ravel(), east.ravel()))
    distance = 2 * _RADIUS_KM * np.arcsin(np.clip(chord / 2, 0, 1))
    return np.asarray(distance.reshape(north.shape))


def _sphere(latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
    north, east = np.radians(latitude), np.radians(longitude)
    return np.stack([np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)], axis=1)
