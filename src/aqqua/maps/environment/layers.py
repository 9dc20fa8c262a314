"""Means over depth layers, weighted by the thickness that each level stands for."""

from __future__ import annotations

import numpy as np

__all__ = ["layer_mean", "level_edges"]


def level_edges(depth: np.ndarray) -> np.ndarray:
    """Where the water that a level stands for begins and ends: half way to its neighbours; the first from 0 m."""
    middle = (depth[1:] + depth[:-1]) / 2
    last = depth[-1] + (depth[-1] - middle[-1] if len(middle) else 0.0)
    return np.concatenate([[0.0], middle, [last]])


def layer_mean(values: np.ndarray, depth: np.ndarray, low: float, high: float) -> np.ndarray:
    """The mean of a layer; levels without a value (below the sea floor) do not count.

    Args:
        values: (…, depth, latitude, longitude).
        depth: (k,) metres, ascending.
        low: upper limit of the layer in metres.
        high: lower limit of the layer in metres.

    Returns:
        (…, latitude, longitude), NaN where no level of the layer has a value.
    """
    edges = level_edges(depth)
    thick = np.clip(np.minimum(edges[1:], high) - np.maximum(edges[:-1], low), 0, None)
    used = thick > 0
    if not used.any():
        return np.full((*values.shape[:-3], *values.shape[-2:]), np.nan)
    part, weight = values[..., used, :, :], thick[used][:, None, None]
    known = np.isfinite(part)
    mass = (known * weight).sum(axis=-3)
    total = (np.where(known, part, 0.0) * weight).sum(axis=-3)
    return np.asarray(np.where(mass > 0, total / np.where(mass > 0, mass, 1.0), np.nan))
