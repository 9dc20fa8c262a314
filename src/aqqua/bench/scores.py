"""Figures of merit, each a plain function of arrays, and how far chance alone would move them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "auroc", "average_precision", "bray_curtis", "calibration_error", "classification", "fit_temperature", "fpr95",
    "mean_sd", "rates",
]  # fmt: skip

DRAWS = 500
"""Bootstrap samples of an interval."""
BINS = 15
Ints = NDArray[np.int64]
Floats = NDArray[np.floating]
Interval = list[float]
"""A value, and the 2.5 % and 97.5 % points of its bootstrap distribution."""


def classification(
    true: Ints, found: Ints, classes: int, *, group: Ints | None = None, seed: int = 0
) -> dict[str, Interval]:
    """Top-1, macro-F1 and balanced accuracy, each with a 95 % interval.

    The means are over the classes that occur among the images judged. Intervals are percentiles of 500 bootstrap
    samples of whole groups, so that many images of one tow do not count as many independent ones.

    Args:
        true: (n,) class of each image.
        found: (n,) class given, −1 for none.
        classes: number of classes.
        group: (n,) what images belong together; None: each for itself.
        seed: of the draws.
    """
    cell = true * (classes + 1) + np.where(found < 0, classes, found)
    values = rates(np.bincount(cell, minlength=classes * (classes + 1)), classes)
    _, member = np.unique(np.arange(len(true)) if group is None else group, return_inverse=True)
    groups, rng = int(member.max()) + 1, np.random.default_rng(seed)
    drawn = np.empty((DRAWS, 3))
    for number in range(DRAWS):
        times = np.bincount(rng.integers(groups, size=groups), minlength=groups)[member]
        drawn[number] = rates(np.bincount(cell, times, minlength=classes * (classes + 1)), classes)
    low, high = np.nanpercentile(drawn, [2.5, 97.5], axis=0)
    names = ("top1", "macro_f1", "balanced")
    return {name: [float(values[i]), float(low[i]), float(high[i])] for i, name in enumerate(names)}


def rates(cells: Floats | Ints, classes: int) -> tuple[float, float, float]:
    """Top-1, macro-F1 and balanced accuracy of counts (classes · (classes + 1),): true × given, the last is none."""
    table = cells.reshape(classes, classes + 1)
    right, there, given = np.diag(table), table.sum(axis=1), table[:, :classes].sum(axis=0)
    has = there > 0
    f1 = 2 * right[has] / (there + given)[has]
    return float(right.sum() / there.sum()), float(f1.mean()), float((right[has] / there[has]).mean())


def average_precision(similarity: Floats, relevant: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Average precision of each query: the mean of the precisions at the ranks of what is relevant.

    Args:
        similarity: (q, n) of each query to everything there is.
        relevant: (q, n).

    Returns:
        (q,); NaN where nothing is relevant.
    """
    order = np.argsort(-similarity, axis=1, kind="stable")
    hit = np.take_along_axis(relevant, order, axis=1)
    precision = np.cumsum(hit, axis=1) / np.arange(1, hit.shape[1] + 1)
    count = hit.sum(axis=1)
    with np.errstate(invalid="ignore"):
        result: NDArray[np.float64] = np.where(count > 0, (precision * hit).sum(axis=1) / count, np.nan)
    return result


def auroc(known: Floats, novel: Floats) -> float:
    """Chance that something novel has a higher score than something known (ties count half)."""
    from scipy.stats import rankdata

    ranks = rankdata(np.concatenate([known, novel]))
    n, m = len(known), len(novel)
    return float((ranks[n:].sum() - m * (m + 1) / 2) / (n * m))


def fpr95(known: Floats, novel: Floats) -> float:
    """Share of the novel that is taken for known by a threshold under which 95 % of the known are."""
    return float((novel <= np.quantile(known, 0.95)).mean())


def calibration_error(p: Floats, right: NDArray[np.bool_]) -> float:
    """Expected calibration error in 15 bins of equal width (Guo et al. 2017, arXiv 1706.04599, eq. 3).

    Args:
        p: (n,) probability of the class that was given.
        right: (n,) whether it was right.
    """
    place = np.clip((p * BINS).astype(int), 0, BINS - 1)
    count = np.bincount(place, minlength=BINS)
    gap = np.abs(np.bincount(place, p, minlength=BINS) - np.bincount(place, right, minlength=BINS))
    return float(gap.sum() / max(count.sum(), 1))


def fit_temperature(scores: Floats, label: Ints) -> float:
    """The temperature by which scores (n, classes) are to be divided so that their likelihood is largest.

    Guo et al. 2017 (arXiv 1706.04599), section 4.2.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import logsumexp

    own = scores[np.arange(len(label)), label]

    def loss(log_t: float) -> float:
        t = np.exp(log_t)
        return float((logsumexp(scores / t, axis=1) - own / t).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-3.0, 4.0), method="bounded").x))


def bray_curtis(
    true: Ints, found: Ints | Floats, sample: Ints, classes: int, *, least: int = 20
) -> dict[str, float | int]:
    """How far the composition of samples by a classifier is from that by people: 0 the same, 1 nothing in common.

    Bray–Curtis dissimilarity of the shares of the classes (Bray & Curtis 1957, doi:10.2307/1942268).

    Args:
        true: (n,) class of each image.
        found: (n,) class given; or (classes,) shares that are the same for all samples.
        sample: (n,) sample of each image; −1: all of these are taken as one sample.
        classes: number of classes.
        least: samples with fewer images are left out.

    Returns:
        Mean and worst over the samples, and their number.
    """
    values = []
    for one in np.unique(sample):
        mine = sample == one
        if mine.sum() >= least:
            given = found if found.dtype.kind == "f" else _shares(found[mine], classes)
            values.append(0.5 * float(np.abs(_shares(true[mine], classes) - given).sum()))
    if not values:
        return {"mean": float("nan"), "worst": float("nan"), "samples": 0}
    return {"mean": float(np.mean(values)), "worst": max(values), "samples": len(values)}


def _shares(label: Floats | Ints, classes: int) -> Floats:
    return np.bincount(label[label >= 0].astype(np.int64), minlength=classes) / len(label)


def mean_sd(values: Sequence[float]) -> list[float]:
    """Mean and standard deviation."""
    return [float(np.mean(values)), float(np.std(values))]
