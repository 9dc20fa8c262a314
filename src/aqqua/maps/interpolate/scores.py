"""How good predictions are: raw and on the log scale, with and without the few largest values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aqqua.maps.interpolate.problem import Floats

__all__ = ["Scores", "score"]


@dataclass(frozen=True)
class Scores:
    """Scores of predictions against observations; R² of 1 is perfect, 0 is as good as the mean.

    Args:
        n: number of places.
        r2: 1 − SSE / SST.
        pearson2: squared Pearson correlation, as published papers often report.
        spearman: rank correlation.
        rmse: root mean squared error, in the unit of the values.
        mae: mean absolute error.
        r2_log: r2 on log1p.
        pearson2_log: pearson2 on log1p.
        rmse_log: rmse on log1p.
        total_ratio: sum of predictions / sum of observations.
        r2_without_top: r2 without the 1 % largest observations.
        pearson2_without_top: pearson2 without them.
        total_ratio_without_top: total_ratio without them.
    """

    n: int
    r2: float
    pearson2: float
    spearman: float
    rmse: float
    mae: float
    r2_log: float
    pearson2_log: float
    rmse_log: float
    total_ratio: float
    r2_without_top: float
    pearson2_without_top: float
    total_ratio_without_top: float


def score(observed: Floats, predicted: Floats) -> Scores:
    """Score predictions ≥ 0 against observations ≥ 0, both of shape (n,)."""
    raise NotImplementedError
