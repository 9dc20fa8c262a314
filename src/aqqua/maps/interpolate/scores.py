"""How good predictions are: raw and on the log scale, with and without the few largest values.

R² is told twice, as 1 − SSE/SST and as squared Pearson correlation: published maps mostly give the latter, which
forgives any wrong factor. On the log scale zero needs a step: log(1 + value / step). As in Drago et al. (2022, Front.
Mar. Sci. 9, doi:10.3389/fmars.2022.894372) the step is a tenth of the 1 % quantile of the values above zero, so that a
zero is well below the smallest value; with a larger step zeros weigh less and R² is much higher.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aqqua.maps.interpolate.problem import Floats

__all__ = ["Scores", "log_step", "mean_scores", "score"]

_TOP = 0.01


@dataclass(frozen=True)
class Scores:
    """Scores of predictions against observations; R² of 1 is perfect, 0 is as good as the mean. NaN: not defined.

    Args:
        n: number of places.
        r2: 1 − SSE / SST.
        pearson2: squared Pearson correlation, as published papers often report.
        spearman: rank correlation.
        rmse: root mean squared error, in the unit of the values.
        mae: mean absolute error.
        r2_log: r2 of log(1 + value / step).
        pearson2_log: pearson2 of the same.
        rmse_log: rmse of the same.
        total_ratio: sum of predictions / sum of observations.
        r2_without_top: r2 without the 1 % largest observations.
        pearson2_without_top: pearson2 without them.
        total_ratio_without_top: total_ratio without them.
        step: of the logarithm, in the unit of the values.
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
    step: float


def log_step(y: Floats) -> float:
    """A tenth of the 1 % quantile of the values above zero; 1 if there are none."""
    above = y[y > 0]
    return float(np.quantile(above, 0.01)) / 10 if len(above) else 1.0


def score(observed: Floats, predicted: Floats, step: float | None = None) -> Scores:
    """Score predictions against observations.

    Args:
        observed: values ≥ 0, shape (n,).
        predicted: values ≥ 0, shape (n,).
        step: of the logarithm, in the unit of the values; that of the observations if None.
    """
    step = log_step(observed) if step is None else step
    logs = np.log1p(observed / step), np.log1p(np.maximum(predicted, 0) / step)
    few = observed < np.quantile(observed, 1 - _TOP) if len(observed) else np.zeros(0, bool)
    return Scores(
        n=len(observed),
        r2=_r2(observed, predicted),
        pearson2=_pearson(observed, predicted) ** 2,
        spearman=_pearson(_ranks(observed), _ranks(predicted)),
        rmse=_rmse(observed, predicted),
        mae=float(np.abs(observed - predicted).mean()),
        r2_log=_r2(*logs),
        pearson2_log=_pearson(*logs) ** 2,
        rmse_log=_rmse(*logs),
        total_ratio=_ratio(observed, predicted),
        r2_without_top=_r2(observed[few], predicted[few]),
        pearson2_without_top=_pearson(observed[few], predicted[few]) ** 2,
        total_ratio_without_top=_ratio(observed[few], predicted[few]),
        step=step,
    )


def mean_scores(all_scores: Sequence[Scores]) -> Scores:
    """Mean of each score over repeats."""
    values = {f.name: float(np.mean([getattr(one, f.name) for one in all_scores])) for f in fields(Scores)}
    return Scores(**(values | {"n": all_scores[0].n}))  # type: ignore[arg-type]


def _r2(observed: Floats, predicted: Floats) -> float:
    if not len(observed) or np.ptp(observed) == 0:  # a variance of equal numbers may be 1e-28 instead of 0
        return float("nan")
    return float(1 - ((observed - predicted) ** 2).sum() / ((observed - observed.mean()) ** 2).sum())


def _pearson(a: Floats, b: Floats) -> float:
    """Correlation; 0 where predictions are all the same, NaN where observations are."""
    if len(a) < 2 or np.ptp(a) == 0:
        return float("nan")
    if np.ptp(b) == 0:
        return 0.0
    a, b = (a - a.mean()) / np.ptp(a), (b - b.mean()) / np.ptp(b)
    return float(np.clip(a @ b / np.sqrt((a @ a) * (b @ b)), -1, 1))


def _rmse(observed: Floats, predicted: Floats) -> float:
    return float(np.sqrt(((observed - predicted) ** 2).mean()))


def _ratio(observed: Floats, predicted: Floats) -> float:
    total = observed.sum()
    return float(predicted.sum() / total) if total > 0 else float("nan")


def _ranks(values: Floats) -> Floats:
    """Ranks, ties by their mean."""
    _, inverse, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    ranks: Floats = (last - (count - 1) / 2)[inverse]
    return ranks
