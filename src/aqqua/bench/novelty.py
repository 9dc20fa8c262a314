"""Is an image unlike everything the vectors were shown? Near: classes held out. Far: images of other instruments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aqqua.bench.probes import Linear, Task
from aqqua.bench.scores import auroc, fpr95
from aqqua.tasks.outliers import outlier_scores

__all__ = ["METHODS", "far", "left_out", "mahalanobis", "near", "neighbour_distance", "vim"]

MOST = 8000
"""Training images that detectors are fitted to."""
DRAWS = 3
HELD_SHARE = 0.2
_ENOUGH = 10
Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Detector = Callable[[Floats], NDArray[np.floating]]
"""Vectors → scores, high for what is novel."""


@dataclass(frozen=True)
class _Known:
    """Vectors of what is known, and their classes 0 … n − 1."""

    x: Floats
    label: Ints
    classes: int


def near(x: Floats, task: Task) -> dict[str, Any] | None:
    """Hold out a fifth of the classes, three times; are their test images told from those of the known classes?

    Returns:
        Method → AUROC and FPR95, means over the draws; None where there are too few classes.
    """
    named = np.unique(task.label[task.train])
    if len(named) < 5:
        return None
    found: list[dict[str, dict[str, float]]] = []
    for draw in range(DRAWS):
        rng = np.random.default_rng([task.seed, draw])
        held = rng.choice(named, size=max(1, round(HELD_SHARE * len(named))), replace=False)
        rows = task.train[~np.isin(task.label[task.train], held)]
        novel = np.isin(task.label[task.test], held)
        if novel.any() and not novel.all():
            test = x[task.test]
            found.append(_detect(_known(x, rows, task, rng), test[~novel], test[novel]))
    return _means(found) if found else None


def far(x: Floats, other: Floats, task: Task) -> dict[str, Any]:
    """Are images of other instruments told from the test images?

    Args:
        x: vectors of the labelled images.
        other: vectors of images of other instruments.
        task: rows to fit detectors to and to judge.
    """
    known = _known(x, task.train, task, np.random.default_rng(task.seed))
    return _means([_detect(known, x[task.test], other)])


def left_out(x: Floats, instrument: Ints, task: Task) -> dict[str, Any] | None:
    """Where no other datasets are given: leave out one instrument after the other; are its images told from the rest?

    Args:
        x: vectors of the labelled images.
        instrument: (n,) instrument of each.
        task: rows to fit detectors to and to judge.

    Returns:
        Method → AUROC and FPR95, means over the instruments; None where there is only one.
    """
    found = []
    for one in np.unique(instrument):
        train, test = (rows[instrument[rows] != one] for rows in (task.train, task.test))
        novel = task.test[instrument[task.test] == one]
        if len(train) and len(test) and len(novel) >= _ENOUGH:
            found.append(_detect(_known(x, train, task, np.random.default_rng(task.seed)), x[test], x[novel]))
    return _means(found) if found else None


def _known(x: Floats, rows: Ints, task: Task, rng: np.random.Generator) -> _Known:
    rows = rng.permutation(rows)[:MOST]
    names, label = np.unique(task.label[rows], return_inverse=True)
    return _Known(x[rows], label.astype(np.int64), len(names))


def _detect(known: _Known, ordinary: Floats, novel: Floats) -> dict[str, dict[str, float]]:
    told = {}
    for name, fit in METHODS.items():
        score = fit(known)
        a, b = score(ordinary), score(novel)
        told[name] = {"auroc": auroc(a, b), "fpr95": fpr95(a, b)}
    return told


def _means(found: list[dict[str, dict[str, float]]]) -> dict[str, Any]:
    return {
        name: {figure: float(np.mean([one[name][figure] for one in found])) for figure in ("auroc", "fpr95")}
        for name in METHODS
    }


def mahalanobis(known: _Known) -> Detector:
    """Distance to the nearest class mean under the covariance within classes (Lee et al. 2018, arXiv 1807.03888)."""
    means = np.stack([known.x[known.label == c].mean(axis=0) for c in range(known.classes)]).astype(np.float64)
    inside = known.x - means[known.label]
    covariance = inside.T @ inside / len(inside)
    covariance += np.eye(len(covariance)) * (1e-3 * np.trace(covariance) / len(covariance) + 1e-12)
    whiten = np.linalg.cholesky(np.linalg.inv(covariance))
    centres = means @ whiten

    def score(x: Floats) -> NDArray[np.floating]:
        z = x @ whiten
        distance = (z**2).sum(axis=1)[:, None] - 2 * z @ centres.T + (centres**2).sum(axis=1)
        nearest: NDArray[np.floating] = distance.min(axis=1)
        return nearest

    return score


def neighbour_distance(known: _Known) -> Detector:
    """Mean cosine distance to the ten nearest, as `aqqua predict` writes it (Sun et al. 2022, arXiv 2204.06507)."""
    return lambda x: outlier_scores(x, known.x)


def vim(known: _Known) -> Detector:
    """Virtual-logit matching: what the principal axes leave unexplained, against the logits.

    Wang et al. 2022 (arXiv 2203.10807), with half of the axes as the principal ones.
    """
    from scipy.special import logsumexp

    head = Linear.fit(known.x, known.label, known.classes, 10.0)
    mean, spread = head.mean.astype(np.float64), head.spread.astype(np.float64)
    origin = -np.linalg.pinv(head.weight.astype(np.float64)) @ head.bias
    centred = (known.x - mean) / spread - origin
    _, axes = np.linalg.eigh(centred.T @ centred / len(centred))
    rest = axes[:, : max(1, axes.shape[1] // 2)]  # the half with the least variance
    alpha = head.scores(known.x).max(axis=1).mean() / max(np.linalg.norm(centred @ rest, axis=1).mean(), 1e-12)

    def score(x: Floats) -> NDArray[np.floating]:
        residual = np.linalg.norm(((x - mean) / spread - origin) @ rest, axis=1)
        novel: NDArray[np.floating] = alpha * residual - logsumexp(head.scores(x), axis=1)
        return novel

    return score


METHODS: dict[str, Callable[[_Known], Detector]] = {
    "Mahalanobis": mahalanobis,
    "kNN": neighbour_distance,
    "ViM": vim,
}
"""Name → makes a detector from what is known."""
