"""Several learners as one: weights, calibration and intervals from block folds inside training.

Weights are half equal, half those of non-negative least squares on the log scale out of fold (stacking, Breiman 1996):
all learners are of similar skill, and estimated weights alone chase noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from aqqua.errors import ConfigError
from aqqua.maps.interpolate.calibrate import Calibration, fit_calibration
from aqqua.maps.interpolate.inputs import Preparer
from aqqua.maps.interpolate.learners import Estimated, Inputs, Learner, make_learner, rf_log
from aqqua.maps.interpolate.quantiles import LeafQuantiles, conformal_correction, widen
from aqqua.maps.interpolate.scores import log_step

if TYPE_CHECKING:
    from aqqua.maps.interpolate.problem import Floats, Ints, Problem
    from aqqua.maps.interpolate.recipe import Settings

__all__ = ["Stack", "Stacked", "check_enough", "fit_stack", "learn"]

PLACE = "place"
_FOREST = "rf_log"
_FEW_TREES = 50  # inside training
_TAILS = (0.05, 0.95)


@dataclass(frozen=True)
class Stacked:
    """What a stack says of m places, each of shape (m,): see `Prediction`; `typical` is before calibration."""

    mean: Floats
    typical: Floats
    q05: Floats
    q95: Floats
    learners: dict[str, Floats]


@dataclass(frozen=True)
class Stack:
    """Fitted learners with their weights, calibration and intervals.

    Args:
        preparer: of predictors.
        learners: name → fitted learner.
        weights: name → weight; they sum to 1.
        step: of the logarithm.
        calibration: from typical to expected values.
        quantiles: of the forest.
        correction: conformal, on the log scale.
        out_of_fold: typical values out of the folds inside training, shape (n,).
        importance: predictor → R² on the log scale, out of fold, that is lost when it is shuffled; "place" for
            latitude and longitude together.
    """

    preparer: Preparer
    learners: dict[str, Learner]
    weights: dict[str, float]
    step: float
    calibration: Calibration
    quantiles: LeafQuantiles
    correction: float
    out_of_fold: Floats
    importance: dict[str, float]

    def predict(self, x: Floats, latitude: Floats, longitude: Floats) -> Stacked:
        """Predict m places."""
        return self.predict_inputs(self.preparer.inputs(x, latitude, longitude))

    def predict_inputs(self, inputs: Inputs) -> Stacked:
        """Predict m places whose predictors are prepared."""
        single = {name: learner.predict(inputs) for name, learner in self.learners.items()}
        typical = combine(single, self.weights, self.step)
        ends = self.quantiles(inputs.x, _TAILS)
        q05, q95 = widen(ends[:, 0], ends[:, 1], self.step, self.correction)
        return Stacked(self.calibration(typical), np.clip(typical, q05, q95), q05, q95, single)


def combine(single: dict[str, Floats], weights: dict[str, float], step: float) -> Floats:
    """Weighted mean of the logarithms, back on the scale of values."""
    logs = sum(weights[name] * np.log1p(values / step) for name, values in single.items())
    return np.asarray(np.expm1(logs) * step, np.float64)


def check_enough(problem: Problem, settings: Settings) -> None:
    """Refuse what cannot be interpolated.

    Raises:
        ConfigError: too few places have a value above zero.
    """
    above = int((problem.y > 0).sum())
    if above < settings.minimum:
        what = f"{above} of {len(problem)} places have a value above zero, {settings.minimum} are needed"
        do = "take a larger group of organisms, or lower `minimum` if you know why"
        raise ConfigError(what, where=problem.name or None, do=do)


def fit_stack(problem: Problem, settings: Settings, folds: Ints, seed: int, *, importance: bool = False) -> Stack:
    """Fit all learners, and on the folds what they are worth.

    Args:
        problem: to learn from.
        settings: how.
        folds: inside training, shape (n,).
        seed: of everything drawn.
        importance: also measure what each predictor is worth.
    """
    step = log_step(problem.y)
    preparer = Preparer(problem.x, problem.predictors)
    inputs = preparer.inputs(problem.x, problem.latitude, problem.longitude)
    learners = learn(problem, inputs, settings.learners, step, settings.trees, seed)
    few = min(settings.trees, _FEW_TREES)
    held = _hold_out(problem, inputs, learners, folds, step, few, seed, importance=importance)
    weights = _weights(held.single, problem.y, step)
    typical = combine(held.single, weights, step)
    return Stack(
        preparer,
        learners,
        weights,
        step,
        fit_calibration(settings.calibration, problem.y, typical, step),
        _leaves(learners, problem, inputs, step, settings.trees, seed),
        conformal_correction(problem.y, held.ends[:, 0], held.ends[:, 1], step),
        typical,
        {
            name: _loss(problem.y, typical, combine(single, weights, step), step)
            for name, single in held.shuffled.items()
        },
    )


@dataclass(frozen=True)
class _HeldOut:
    """Out of fold: predictions of each learner, tails of the forest, and predictions with a shuffled predictor."""

    single: dict[str, Floats]
    ends: Floats
    shuffled: dict[str, dict[str, Floats]]


def _hold_out(
    problem: Problem,
    inputs: Inputs,
    whole: dict[str, Learner],
    folds: Ints,
    step: float,
    trees: int,
    seed: int,
    *,
    importance: bool,
) -> _HeldOut:
    n, rng = len(problem), np.random.default_rng(seed)
    single = {name: np.zeros(n) for name in whole}
    names = [*problem.predictors, PLACE] if importance else []
    shuffled = {name: {learner: np.zeros(n) for learner in whole} for name in names}
    ends = np.zeros((n, 2))
    for fold in np.unique(folds):
        train, test = folds != fold, folds == fold
        part, seen, held = problem.take(train), inputs.take(train), inputs.take(test)
        learners = learn(part, seen, tuple(whole), step, trees, seed, like=whole)
        for name, learner in learners.items():
            single[name][test] = learner.predict(held)
        for column, predictor in enumerate(names):
            mixed = _shuffle(held, column, inputs, rng)
            for name, learner in learners.items():
                shuffled[predictor][name][test] = learner.predict(mixed)
        ends[test] = _leaves(learners, part, seen, step, trees, seed)(held.x, _TAILS)
    return _HeldOut(single, ends, shuffled)


def _shuffle(inputs: Inputs, column: int, among: Inputs, rng: np.random.Generator) -> Inputs:
    """One predictor taken from random other places; latitude and longitude together, if it is none of them."""
    other = rng.integers(0, len(among.x), len(inputs.x))
    if column == inputs.x.shape[1]:
        return Inputs(inputs.x, among.latitude[other], among.longitude[other])
    x = inputs.x.copy()
    x[:, column] = among.x[other, column]
    return Inputs(x, inputs.latitude, inputs.longitude)


def _loss(y: Floats, typical: Floats, shuffled: Floats, step: float) -> float:
    """How much of R² on the log scale is lost."""
    observed = np.log1p(y / step)
    spread = ((observed - observed.mean()) ** 2).sum()
    errors = [((observed - np.log1p(found / step)) ** 2).sum() for found in (typical, shuffled)]
    return float((errors[1] - errors[0]) / spread) if spread > 0 else 0.0


def learn(
    problem: Problem,
    inputs: Inputs,
    names: tuple[str, ...],
    step: float,
    trees: int,
    seed: int,
    *,
    like: dict[str, Learner] | None = None,
) -> dict[str, Learner]:
    """Fit learners; where all values are zero each of them says zero.

    Args:
        problem: to learn from.
        inputs: its places, prepared.
        names: of the learners.
        step: of the logarithm.
        trees: of each forest.
        seed: of everything drawn.
        like: fitted learners; those that chose settings of their own hand them on by their method `again`.
    """
    some, made = bool((problem.y > 0).any()), {}
    for name in names:
        again = getattr(like.get(name), "again", None) if like and some else None
        learner = again() if again else make_learner(name if some else "mean", step, trees, seed)
        made[name] = learner.fit(inputs, problem.y, problem.weight)
    return made


def _leaves(
    learners: dict[str, Learner], problem: Problem, inputs: Inputs, step: float, trees: int, seed: int
) -> LeafQuantiles:
    """Quantiles from the forest of the stack, or from one made for them if the stack has none."""
    forest = learners.get(_FOREST)
    if not isinstance(forest, Estimated):
        forest = rf_log(step, trees, seed).fit(inputs, problem.y, problem.weight)
    return LeafQuantiles(forest.estimator, inputs.x, problem.y, problem.weight)


def _weights(single: dict[str, Floats], y: Floats, step: float) -> dict[str, float]:
    """Half equal, half by non-negative least squares of the logarithms, summing to 1."""
    from scipy.optimize import nnls

    logs = np.stack([np.log1p(values / step) for values in single.values()], axis=1)
    found, _ = nnls(logs, np.log1p(y / step))
    equal = np.full(len(found), 1 / len(found))
    if found.sum() > 0:
        equal = (equal + found / found.sum()) / 2
    return {name: float(weight) for name, weight in zip(single, equal, strict=True)}
