"""What cross-validation says: out-of-fold predictions, scores and coverage, scheme by scheme."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from aqqua.maps.interpolate.problem import Floats, Ints, Problem
    from aqqua.maps.interpolate.scores import Scores

__all__ = ["CvReport", "SchemeReport"]

STACK = "stack"


@dataclass(frozen=True)
class SchemeReport:
    """One scheme of cross-validation. Arrays are of its first repeat, numbers are means over repeats.

    Args:
        scheme: its name: random, blocks10, blocks30, knndm.
        folds: fold of each place, shape (n,).
        nearest_km: from each place to the nearest one it was trained with, shape (n,).
        predictions: out-of-fold mean of "stack", every learner and baseline (knn_geo, mean), each of shape (n,).
        median: out-of-fold median, shape (n,).
        q05: lower end of the out-of-fold 90 % interval, shape (n,).
        q95: upper end, shape (n,).
        dissimilarity: to the environments trained with, shape (n,).
        scores: for every entry of `predictions`.
        coverage: share of observations inside the 90 % interval.
        below: share of observations below it.
        above: share of observations above it.
        weights: of the learners in the stack, mean over folds.
    """

    scheme: str
    folds: Ints
    nearest_km: Floats
    predictions: dict[str, Floats]
    median: Floats
    q05: Floats
    q95: Floats
    dissimilarity: Floats
    scores: dict[str, Scores]
    coverage: float
    below: float
    above: float
    weights: dict[str, float]


@dataclass(frozen=True)
class CvReport:
    """All schemes side by side.

    Args:
        problem: what was cross-validated.
        schemes: name → its report, in the order of the settings.
        map_km: distances from the places of the map to the nearest sample, if the map is known; for judging schemes.
    """

    problem: Problem
    schemes: dict[str, SchemeReport]
    map_km: Floats | None = None

    def table(self) -> pl.DataFrame:
        """One row per scheme and learner: scheme, learner, weight, every field of `Scores`, coverage (of the stack)."""
        raise NotImplementedError
