"""What a fitted map has learnt: how expected values change with each predictor.

Accumulated local effects (ALE) change a predictor only as far as the data around it go, so they hold where predictors
are correlated, as they are in the sea; partial dependence (PD) averages over combinations that may not exist.

Source: D. W. Apley & J. Zhu 2020, Visualizing the effects of predictor variables in black box supervised learning
models, JRSS B 82(4):1059-1086, doi:10.1111/rssb.12377, equation 15.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

__all__ = ["Effect", "Predict", "effect_of"]

Predict = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""Predictors (m, p), latitude and longitude (m,) → expected values (m,)."""

_BINS = 16
_ROWS = 250


@dataclass(frozen=True)
class Effect:
    """How expected values change with one predictor.

    Args:
        name: of the predictor.
        at: (k,) values of the predictor.
        ale: (k,) accumulated local effect, centred on zero, in the unit of the values.
        dependence: (k,) partial dependence, minus its mean.
        observed: (n,) values of the predictor where samples were taken.
    """

    name: str
    at: np.ndarray
    ale: np.ndarray
    dependence: np.ndarray
    observed: np.ndarray

    @property
    def reach(self) -> float:
        """From the lowest to the highest point of the accumulated local effect."""
        return float(np.ptp(self.ale)) if len(self.ale) else 0.0


def effect_of(
    predict: Predict, x: np.ndarray, latitude: np.ndarray, longitude: np.ndarray, column: int, name: str
) -> Effect:
    """ALE and PD of one predictor, between its 1st and 99th percentile.

    Args:
        predict: the fitted map.
        x: (n, p) predictors of the samples.
        latitude: (n,) degrees north.
        longitude: (n,) degrees east.
        column: which predictor.
        name: its name.
    """
    values = x[:, column]
    known = np.flatnonzero(np.isfinite(values))
    edges = np.unique(np.nanpercentile(values[known], np.linspace(1, 99, _BINS + 1))) if len(known) else np.zeros(0)
    if len(edges) < 3:
        return Effect(name, np.zeros(0), np.zeros(0), np.zeros(0), values[known])
    ale = _accumulated(predict, x[known], latitude[known], longitude[known], column, edges)
    some = known[:: max(1, len(known) // _ROWS)]
    rows = np.tile(x[some], (len(edges), 1))
    rows[:, column] = np.repeat(edges, len(some))
    places = (np.tile(latitude[some], len(edges)), np.tile(longitude[some], len(edges)))
    dependence = predict(rows, *places).reshape(len(edges), len(some)).mean(axis=1)
    return Effect(name, edges, ale, dependence - dependence.mean(), values[known])


def _accumulated(
    predict: Predict, x: np.ndarray, latitude: np.ndarray, longitude: np.ndarray, column: int, edges: np.ndarray
) -> np.ndarray:
    inside = (x[:, column] >= edges[0]) & (x[:, column] <= edges[-1])
    x, latitude, longitude = x[inside], latitude[inside], longitude[inside]
    bins = np.clip(np.searchsorted(edges, x[:, column], side="right") - 1, 0, len(edges) - 2)
    ends = []
    for side in (0, 1):
        moved = x.copy()
        moved[:, column] = edges[bins + side]
        ends.append(predict(moved, latitude, longitude))
    count = np.bincount(bins, minlength=len(edges) - 1)
    step = np.bincount(bins, ends[1] - ends[0], minlength=len(edges) - 1) / np.maximum(count, 1)
    along = np.concatenate([[0.0], np.cumsum(step)])
    centre = np.sum(count * (along[1:] + along[:-1]) / 2) / max(count.sum(), 1)
    return np.asarray(along - centre)
