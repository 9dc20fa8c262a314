"""Intervals for single observations: quantiles from the leaves of a forest, widened until they cover what they promise.

A quantile forest (Meinshausen 2006, J. Mach. Learn. Res. 7, 983) weighs sampled places by how often they share a leaf
with a new one. Conformal correction (Romano et al. 2019, conformalized quantile regression) widens or narrows the
interval on the log scale until it covers 90 % out of fold; the folds are blocks, since neighbours would flatter it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from aqqua.maps.interpolate.problem import Floats

__all__ = ["COVERAGE", "LeafQuantiles", "conformal_correction", "widen"]

COVERAGE = 0.9
_CHUNK = 2048


@dataclass(frozen=True)
class LeafQuantiles:
    """Conditional quantiles from a scikit-learn forest that was fitted to the same places.

    Args:
        forest: `RandomForestRegressor` or `ExtraTreesRegressor`, fitted.
        x: what it was fitted to, shape (n, p).
        y: values of the places, shape (n,).
        weight: weights of the places, shape (n,), or None.
    """

    forest: Any
    x: Floats
    y: Floats
    weight: Floats | None = None

    def __call__(self, x: Floats, levels: tuple[float, ...]) -> Floats:
        """Quantiles at m new places, shape (m, levels)."""
        from scipy.sparse import csr_array

        order = np.argsort(self.y, kind="stable")
        offsets = np.concatenate([[0], np.cumsum([tree.tree_.node_count for tree in self.forest.estimators_])])
        nodes, trees = int(offsets[-1]), len(offsets) - 1
        weight = np.ones(len(self.y)) if self.weight is None else self.weight
        leaf = (self.forest.apply(self.x[order]) + offsets[:-1]).ravel()
        row = np.repeat(np.arange(len(order)), trees)
        inside = np.bincount(leaf, np.repeat(weight[order], trees), minlength=nodes)
        shares = csr_array((np.repeat(weight[order], trees) / inside[leaf] / trees, (leaf, row)), (nodes, len(order)))
        found = np.empty((len(x), len(levels)))
        for start in range(0, len(x), _CHUNK):
            part = x[start : start + _CHUNK]
            columns = (self.forest.apply(part) + offsets[:-1]).ravel()
            edges = np.arange(0, len(columns) + 1, trees)
            hit = csr_array((np.ones(len(columns)), columns, edges), (len(part), nodes))
            cumulated = np.cumsum((hit @ shares).toarray(), axis=1)
            for number, level in enumerate(levels):
                place = (cumulated >= level - 1e-9).argmax(axis=1)
                found[start : start + len(part), number] = self.y[order][place]
        return found


def conformal_correction(observed: Floats, low: Floats, high: Floats, step: float, coverage: float = COVERAGE) -> float:
    """How far both ends must move outwards, on the log scale, to cover that share of observations; may be negative.

    An interval that starts at zero has no lower end to miss.

    Args:
        observed: values, shape (n,).
        low: lower ends out of fold, shape (n,).
        high: upper ends out of fold, shape (n,).
        step: of the logarithm.
        coverage: share that shall lie inside.
    """
    y, bottom, top = (np.log1p(values / step) for values in (observed, low, high))
    missed = np.maximum(np.where(low > 0, bottom - y, -np.inf), y - top)
    rank = min(int(np.ceil((len(y) + 1) * coverage)), len(y))
    return float(np.sort(missed)[rank - 1])


def widen(low: Floats, high: Floats, step: float, correction: float) -> tuple[Floats, Floats]:
    """Both ends moved outwards by a correction on the log scale; never below zero, never crossed."""
    top = np.maximum(np.expm1(np.log1p(high / step) + correction) * step, 0.0)
    bottom = np.maximum(np.expm1(np.log1p(low / step) - correction) * step, 0.0)
    return np.minimum(np.where(low > 0, bottom, 0.0), top), top
