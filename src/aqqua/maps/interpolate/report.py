"""What cross-validation says: out-of-fold predictions, scores and coverage, scheme by scheme."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from aqqua.maps.interpolate.problem import Floats, Ints, Problem
    from aqqua.maps.interpolate.scores import Scores

__all__ = ["STACK", "CvReport", "SchemeReport"]

STACK = "stack"


@dataclass(frozen=True)
class SchemeReport:
    """One scheme of cross-validation. Arrays are of its first repeat, numbers are means over repeats.

    Args:
        scheme: its name: random, blocks10, blocks30, knndm.
        folds: fold of each place, shape (n,).
        nearest_km: from each place to the nearest one it was trained with, shape (n,).
        predictions: out-of-fold mean of "stack" (calibrated), and every learner and baseline (knn_geo, mean) as it
            comes, each of shape (n,).
        median: out-of-fold median, shape (n,): the stack before calibration.
        q05: lower end of the out-of-fold 90 % interval, shape (n,).
        q95: upper end, shape (n,).
        dissimilarity: to the environments trained with, shape (n,).
        scores: for every entry of `predictions`, and for "median".
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
        left_out: schemes that are not possible with these places, and why.
    """

    problem: Problem
    schemes: dict[str, SchemeReport]
    map_km: Floats | None = None
    left_out: dict[str, str] = field(default_factory=dict)

    def table(self) -> pl.DataFrame:
        """One row per scheme and learner: scheme, learner, weight, every field of `Scores`, coverage (of the stack)."""
        import polars as pl

        rows = []
        for scheme in self.schemes.values():
            for learner, scores in scheme.scores.items():
                first = {"scheme": scheme.scheme, "learner": learner, "weight": scheme.weights.get(learner)}
                rows.append(first | asdict(scores) | {"coverage": scheme.coverage if learner == STACK else None})
        return pl.DataFrame(rows, infer_schema_length=None)

    def out_of_fold(self) -> pl.DataFrame:
        """One row per scheme and place: place, observed value, fold, what was predicted without it."""
        import polars as pl

        y, frames = self.problem.y, []
        for scheme in self.schemes.values():
            where = {"latitude": self.problem.latitude, "longitude": self.problem.longitude, "observed": y}
            judged = {name: getattr(scheme, name) for name in ("nearest_km", "dissimilarity", "median", "q05", "q95")}
            columns = {
                "scheme": [scheme.scheme] * len(y),
                "fold": scheme.folds,
                **where,
                **judged,
                **scheme.predictions,
            }
            frames.append(pl.DataFrame(columns))
        return pl.concat(frames)
