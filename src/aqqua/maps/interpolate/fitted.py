"""Fit an interpolation once, predict anywhere."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from aqqua.maps.interpolate.applicability import Applicability, fit_applicability
from aqqua.maps.interpolate.folds import inner_folds
from aqqua.maps.interpolate.learners import Inputs, Learner
from aqqua.maps.interpolate.problem import Prediction
from aqqua.maps.interpolate.recipe import Settings
from aqqua.maps.interpolate.sphere import block_of
from aqqua.maps.interpolate.stack import Stack, check_enough, combine, fit_stack, learn

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from aqqua.maps.interpolate.inputs import Preparer
    from aqqua.maps.interpolate.problem import Floats, Ints, Problem

__all__ = ["Cells", "Fitted", "Replicate", "cells_of", "fit"]

_TREES = 40
_KNOWN_SHARE = 0.5


@dataclass(frozen=True)
class Replicate:
    """The stack's learners, fitted to a draw of blocks.

    Args:
        learners: name → fitted learner.
        factor: on the stack's calibration, so that the level is that of the drawn places; 0 if none is above 0.
    """

    learners: dict[str, Learner]
    factor: float


@dataclass(frozen=True)
class Cells:
    """Places made ready for prediction: what does not depend on the taxon.

    Args:
        known: places where at least half of the predictors are known, shape (m,).
        inputs: what learners see of the known ones.
        dissimilarity: of the known ones.
        distance_km: of the known ones to the nearest sampled place.
    """

    known: NDArray[np.bool_]
    inputs: Inputs
    dissimilarity: Floats
    distance_km: Floats


@dataclass(frozen=True)
class Fitted:
    """A fitted interpolation. It is never saved: data, settings and seed make it again, bit for bit.

    Args:
        problem: what it was fitted to.
        settings: how.
        stack: the learners with weights, calibration and intervals.
        applicability: what places are like the sampled ones.
        replicates: of the block bootstrap.
    """

    problem: Problem
    settings: Settings
    stack: Stack
    applicability: Applicability
    replicates: tuple[Replicate, ...]

    @property
    def weights(self) -> dict[str, float]:
        """Of the learners in the stack; they sum to 1."""
        return self.stack.weights

    @property
    def importance(self) -> dict[str, float]:
        """Predictor → R² on the log scale, out of block folds, that is lost when it is shuffled."""
        return self.stack.importance

    def predict(self, x: Floats, latitude: Floats, longitude: Floats) -> Prediction:
        """Predict m places.

        Args:
            x: predictors in the order of the problem, shape (m, p); NaN where missing. Where more than half of them
                are missing nothing is predicted.
            latitude: degrees north, shape (m,).
            longitude: degrees east, shape (m,).
        """
        return self.predict_cells(cells_of(self.stack.preparer, self.applicability, x, latitude, longitude))

    def predict_cells(self, cells: Cells) -> Prediction:
        """Predict places that were made ready before: several taxa of the same places share them."""
        stack = self.stack
        said = stack.predict_inputs(cells.inputs)
        each = self._replicated(cells.inputs)
        learners = {name: stack.calibration(values) for name, values in said.learners.items()}
        share = np.array([stack.weights[name] for name in learners])
        among = np.stack(list(learners.values()))
        middle = np.average(among, axis=0, weights=share)
        return _spread_out(
            cells.known,
            Prediction(
                said.mean,
                said.typical,
                said.q05,
                said.q95,
                each.std(axis=0, ddof=1) if len(each) > 1 else np.full(len(said.mean), np.nan),
                np.sqrt(np.average((among - middle) ** 2, axis=0, weights=share)),
                cells.dissimilarity,
                cells.dissimilarity <= self.applicability.threshold,
                cells.distance_km,
                each.astype(np.float32),
                learners,
            ),
        )

    def mean(self, x: Floats, latitude: Floats, longitude: Floats) -> Floats:
        """Only the calibrated mean, quick: for partial dependence. Shape (m,)."""
        inputs = self.stack.preparer.inputs(x, latitude, longitude)
        return self.stack.calibration(_typical(self.stack, self.stack.learners, inputs))

    def _replicated(self, inputs: Inputs) -> Floats:
        """The mean of each replicate, shape (b, m)."""
        found = np.zeros((len(self.replicates), len(inputs.x)))
        for row, replicate in zip(found, self.replicates, strict=True):
            if replicate.learners:
                row[:] = replicate.factor * self.stack.calibration(_typical(self.stack, replicate.learners, inputs))
        return found


def cells_of(preparer: Preparer, applicability: Applicability, x: Floats, latitude: Floats, longitude: Floats) -> Cells:
    """Make places ready for prediction, leaving out those where most predictors are missing."""
    x, latitude, longitude = (np.asarray(values, np.float64) for values in (x, latitude, longitude))
    known = np.isfinite(x).mean(axis=1) >= _KNOWN_SHARE
    inputs = preparer.inputs(x[known], latitude[known], longitude[known])
    unlike = applicability.dissimilarity(x[known])
    return Cells(known, inputs, unlike, applicability.distance_km(latitude[known], longitude[known]))


def fit(problem: Problem, settings: Settings | None = None) -> Fitted:
    """Fit the stack with its calibration, intervals and bootstrap.

    Raises:
        ConfigError: too few places have a value above zero.
        MissingExtraError: a learner is not installed.
    """
    settings = settings or Settings()
    check_enough(problem, settings)
    folds = fit_folds(problem, settings)
    rng = np.random.default_rng([settings.seed, 2])
    stack = fit_stack(problem, settings, folds, settings.seed, importance=True)
    applicability = fit_applicability(problem, stack.preparer, folds)
    return Fitted(problem, settings, stack, applicability, _bootstrap(problem, settings, stack, rng))


def fit_folds(problem: Problem, settings: Settings) -> Ints:
    """The block folds inside `fit`, shape (n,)."""
    rng = np.random.default_rng(settings.seed)
    return inner_folds(problem.latitude, problem.longitude, settings.block_deg, settings.inner_folds, rng)


def _bootstrap(problem: Problem, settings: Settings, stack: Stack, rng: np.random.Generator) -> tuple[Replicate, ...]:
    """Fit the learners to draws of whole blocks, each with the level that the drawn places have.

    The stack's mean over the sampled places exceeds what was observed there by some factor (out of fold it does not);
    replicates keep that factor.
    """
    inputs = stack.preparer.inputs(problem.x, problem.latitude, problem.longitude)
    excess = float(stack.calibration(_typical(stack, stack.learners, inputs)).sum() / problem.y.sum())
    blocks = block_of(problem.latitude, problem.longitude, settings.block_deg)
    _, group = np.unique(blocks, return_inverse=True)
    found = []
    for number in range(settings.replicates):
        times = np.bincount(rng.integers(0, group.max() + 1, group.max() + 1), minlength=group.max() + 1)[group]
        weight = times if problem.weight is None else times * problem.weight
        drawn = min(_TREES, settings.trees), settings.seed + 1 + number
        found.append(_replicate(problem, stack, inputs, weight.astype(float), excess, *drawn))
    return tuple(found)


def _replicate(
    problem: Problem, stack: Stack, inputs: Inputs, weight: Floats, excess: float, trees: int, seed: int
) -> Replicate:
    """One draw: weight is zero for places that were not drawn."""
    drawn = weight > 0
    part, seen = replace(problem.take(drawn), weight=weight[drawn]), inputs.take(drawn)
    if not (part.y > 0).any():
        return Replicate({}, 0.0)
    learners = learn(part, seen, tuple(stack.learners), stack.step, trees, seed, like=stack.learners)
    shape = stack.calibration(_typical(stack, learners, seen))
    level = float((weight[drawn] @ part.y) / (weight[drawn] @ shape))
    return Replicate(learners, level * excess)


def _typical(stack: Stack, learners: dict[str, Learner], inputs: Inputs) -> Floats:
    return combine({name: learner.predict(inputs) for name, learner in learners.items()}, stack.weights, stack.step)


def _spread_out(known: NDArray[np.bool_], prediction: Prediction) -> Prediction:
    """Predictions of known places put where they belong among all; NaN and outside elsewhere."""

    def wide(values: Any) -> Any:
        full = np.full((*values.shape[:-1], len(known)), False if values.dtype == bool else np.nan, values.dtype)
        full[..., known] = values
        return full

    found = {f.name: getattr(prediction, f.name) for f in fields(Prediction)}
    learners = {name: wide(values) for name, values in found.pop("learners").items()}
    return Prediction(**{name: wide(values) for name, values in found.items()}, learners=learners)
