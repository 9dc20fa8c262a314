"""What a fitted map has learnt: how it answers to each predictor, and how much it needs it.

Accumulated local effects (ALE) change a predictor only as far as the data around it go, so they hold where predictors
are correlated, as they are in the sea; partial dependence (PD) averages over combinations that may not exist.

Sources: D. W. Apley & J. Zhu 2020, Visualizing the effects of predictor variables in black box supervised learning
models, JRSS B 82(4):1059-1086, doi:10.1111/rssb.12377, equation 15; permutation importance after L. Breiman 2001,
Random forests, Machine Learning 45:5-32, measured in each spatial block by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["Effect", "Importance", "Predict", "block_importance", "effect_of", "spatial_blocks"]

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


@dataclass(frozen=True)
class Importance:
    """How much worse predictions become when one predictor is shuffled.

    Args:
        names: of the p predictors, the most important first.
        overall: (p,) increase of the mean squared error of logs, as a share of the error without shuffling.
        blocks: (p, b) the same in each spatial block (increase in the block, by the error of all).
        block_deg: size of the blocks, degrees.
    """

    names: tuple[str, ...]
    overall: np.ndarray
    blocks: np.ndarray
    block_deg: float


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


def block_importance(
    predict: Predict,
    x: np.ndarray,
    y: np.ndarray,
    latitude: np.ndarray,
    longitude: np.ndarray,
    names: Sequence[str],
    *,
    block_deg: float = 30.0,
    repeats: int = 3,
    seed: int = 0,
) -> Importance:
    """Permutation importance, overall and in each spatial block.

    The error is that of log(1 + y / s), s = a tenth of the 1st percentile of values above zero, as in the scores.

    Args:
        predict: the fitted map; better one that has not seen these places.
        x: (n, p) predictors.
        y: (n,) observed values.
        latitude: (n,) degrees north.
        longitude: (n,) degrees east.
        names: of the predictors.
        block_deg: size of the blocks in degrees.
        repeats: how often each predictor is shuffled.
        seed: of the shuffling.
    """
    random = np.random.default_rng(seed)
    step = float(np.percentile(y[y > 0], 1)) / 10 if (y > 0).any() else 1.0
    target = np.log1p(y / step)

    def error(rows: np.ndarray) -> np.ndarray:
        logs = np.log1p(np.maximum(predict(rows, latitude, longitude), 0) / step)
        return np.asarray((logs - target) ** 2)

    before = error(x)
    worse = np.zeros((len(names), len(y)))
    for column in range(len(names)):
        for _ in range(repeats):
            shuffled = x.copy()
            shuffled[:, column] = x[random.permutation(len(y)), column]
            worse[column] += (error(shuffled) - before) / repeats
    scale = max(float(before.mean()), 1e-12)
    _, blocks = np.unique(spatial_blocks(latitude, longitude, block_deg), return_inverse=True)
    count = np.bincount(blocks)
    per_block = np.stack([np.bincount(blocks, one) / count for one in worse]) / scale
    overall = worse.mean(axis=1) / scale
    order = np.argsort(-overall, kind="stable")
    return Importance(tuple(names[i] for i in order), overall[order], per_block[order], block_deg)


def spatial_blocks(latitude: np.ndarray, longitude: np.ndarray, degrees: float) -> np.ndarray:
    """The number of the block a place lies in; blocks are about equally wide in kilometres on every latitude."""
    row = np.floor((np.clip(latitude, -90, 90 - 1e-9) + 90) / degrees).astype(int)
    middle = np.radians(np.clip((row + 0.5) * degrees - 90, -89, 89))
    around = np.maximum(np.round(360 / degrees * np.cos(middle)), 1).astype(int)
    column = np.floor((np.asarray(longitude, float) + 180) % 360 / 360 * around).astype(int)
    return np.asarray(row * 100_000 + column)
