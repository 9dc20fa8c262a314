"""Fit an interpolation once, predict anywhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aqqua.maps.interpolate.problem import Floats, Prediction, Problem
    from aqqua.maps.interpolate.recipe import Settings

__all__ = ["Fitted", "fit"]


@dataclass(frozen=True)
class Fitted:
    """A fitted interpolation. It is never saved: data, settings and seed make it again, bit for bit.

    Args:
        problem: what it was fitted to.
        settings: how.
        weights: of the learners in the stack; they sum to 1.
        importance: predictor → mean loss of log R² out of fold when the predictor is shuffled within blocks.
    """

    problem: Problem
    settings: Settings
    weights: dict[str, float]

    def predict(self, x: Floats, latitude: Floats, longitude: Floats) -> Prediction:
        """Predict m places.

        Args:
            x: predictors in the order of the problem, shape (m, p); NaN where missing.
            latitude: degrees north, shape (m,).
            longitude: degrees east, shape (m,).
        """
        raise NotImplementedError

    def mean(self, x: Floats, latitude: Floats, longitude: Floats) -> Floats:
        """Only the calibrated mean, quick: for partial dependence and importance. Shape (m,)."""
        raise NotImplementedError


def fit(problem: Problem, settings: Settings | None = None) -> Fitted:
    """Fit the stack with its calibration, intervals and bootstrap.

    Raises:
        ConfigError: too few places have a value above zero.
        MissingExtraError: a learner is not installed.
    """
    raise NotImplementedError
