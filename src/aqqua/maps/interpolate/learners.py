"""Learners: from the environment of sampled places to values elsewhere. Adding one is a function and a line.

A maker is called with the step of the logarithm, a number of trees and a seed; it returns a learner. The dict
`LEARNERS` names makers; others come as entry points of the group `aqqua.learners`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from aqqua.errors import MissingExtraError, UnknownNameError
from aqqua.maps.interpolate.sphere import tree_of, unit_vectors

if TYPE_CHECKING:
    from aqqua.maps.interpolate.problem import Floats

__all__ = ["BASELINES", "LEARNERS", "Estimated", "Inputs", "Learner", "known_learners", "make_learner"]

_HERE = "aqqua.maps.interpolate.learners"
LEARNERS = {
    "rf_log": f"{_HERE}:rf_log",
    "et_log": f"{_HERE}:et_log",
    "gp_log": "aqqua.maps.interpolate.gaussian:gp_log",
    "hgb_log": f"{_HERE}:hgb_log",
    "hgb_poisson": f"{_HERE}:hgb_poisson",
    "xgb_poisson": f"{_HERE}:xgb_poisson",
    "xgb_tweedie": f"{_HERE}:xgb_tweedie",
    "gam_log": f"{_HERE}:gam_log",
    "gam_tweedie": f"{_HERE}:gam_tweedie",
    "knn_geo": f"{_HERE}:knn_geo",
    "mean": f"{_HERE}:mean",
}
BASELINES = ("knn_geo", "mean")
_GROUP = "aqqua.learners"
_POWER = 1.5  # of Tweedie: between Poisson (1) and gamma (2), a mass at zero and a long tail


@dataclass(frozen=True)
class Inputs:
    """What learners see of n places: nothing is missing, see `aqqua.maps.interpolate.inputs.Preparer`.

    Args:
        x: predictors, made normal by their ranks, shape (n, p).
        latitude: degrees north, shape (n,).
        longitude: degrees east, shape (n,).
    """

    x: Floats
    latitude: Floats
    longitude: Floats

    @cached_property
    def points(self) -> Floats:
        """Unit vectors, shape (n, 3)."""
        return unit_vectors(self.latitude, self.longitude)

    @cached_property
    def everything(self) -> Floats:
        """Predictors and unit vectors, shape (n, p + 3)."""
        return np.concatenate([self.x, self.points], axis=1)

    def take(self, rows: Any) -> Inputs:
        """Some of the places."""
        return replace(self, x=self.x[rows], latitude=self.latitude[rows], longitude=self.longitude[rows])


class Learner(Protocol):
    """What every learner can do."""

    def fit(self, inputs: Inputs, y: Floats, weight: Floats | None) -> Learner:
        """Learn from values ≥ 0, shape (n,)."""

    def predict(self, inputs: Inputs) -> Floats:
        """Values ≥ 0, shape (m,)."""


Maker = Callable[[float, int, int], Learner]


@dataclass
class Estimated:
    """A learner made of a scikit-learn estimator, on log(1 + y / step) or on y itself.

    Args:
        estimator: what learns.
        step: of the logarithm; None to learn y / mean(y) itself.
        places: whether it sees unit vectors beside the predictors.
        weight_name: the estimator's name for weights.
    """

    estimator: Any
    step: float | None
    places: bool
    weight_name: str = "sample_weight"
    _mean: float = 1.0

    def fit(self, inputs: Inputs, y: Floats, weight: Floats | None) -> Estimated:
        """Fit the estimator."""
        self._mean = float(y.mean()) or 1.0
        target = y / self._mean if self.step is None else np.log1p(y / self.step)
        options = {} if weight is None else {self.weight_name: weight / weight.mean()}
        self.estimator.fit(self._seen(inputs), target, **options)
        return self

    def predict(self, inputs: Inputs) -> Floats:
        """Predict on the scale of y."""
        found = np.asarray(self.estimator.predict(self._seen(inputs)), np.float64)
        back = found * self._mean if self.step is None else np.expm1(found) * self.step
        return np.maximum(back, 0.0)

    def _seen(self, inputs: Inputs) -> Floats:
        return inputs.everything if self.places else inputs.x


def known_learners() -> list[str]:
    """Names of all learners, built in or from entry points."""
    return sorted({*LEARNERS, *(entry.name for entry in entry_points(group=_GROUP))})


def make_learner(name: str, step: float, trees: int, seed: int) -> Learner:
    """Make a learner that has not learnt yet.

    Raises:
        UnknownNameError: nobody registered that name.
        MissingExtraError: its library is not installed.
    """
    target = LEARNERS.get(name) or next((e.value for e in entry_points(group=_GROUP) if e.name == name), None)
    if target is None:
        raise UnknownNameError("learner", name, known_learners())
    module, _, attribute = target.partition(":")
    maker: Maker = getattr(importlib.import_module(module), attribute)
    try:
        return maker(step, trees, seed)
    except ModuleNotFoundError as error:
        raise MissingExtraError(f"the learner {name}", str(error.name), "maps") from error


def rf_log(step: float, trees: int, seed: int) -> Estimated:
    """Random forest (Breiman 2001) on the logarithm, environment only; its leaves also give quantiles."""
    from sklearn.ensemble import RandomForestRegressor

    options = {"min_samples_leaf": 3, "max_features": 1 / 3, "n_jobs": 1, "random_state": seed}
    return Estimated(RandomForestRegressor(trees, **options), step, places=False)


def et_log(step: float, trees: int, seed: int) -> Learner:
    """Extremely randomised trees (Geurts et al. 2006) on the logarithm, environment and place."""
    from sklearn.ensemble import ExtraTreesRegressor

    options = {"min_samples_leaf": 3, "max_features": 0.6, "n_jobs": 1, "random_state": seed}
    return Estimated(ExtraTreesRegressor(trees, **options), step, places=True)


def hgb_log(step: float, trees: int, seed: int) -> Learner:
    """Histogram boosting of squared errors of the logarithm, environment and place."""
    return Estimated(_histogram("squared_error", trees, seed), step, places=True)


def hgb_poisson(step: float, trees: int, seed: int) -> Learner:
    """Histogram boosting with Poisson loss, environment and place."""
    return Estimated(_histogram("poisson", trees, seed), None, places=True)


def _histogram(loss: str, trees: int, seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingRegressor

    options = {"learning_rate": 0.05, "max_leaf_nodes": 8, "min_samples_leaf": 15, "l2_regularization": 5.0}
    rounds = min(3 * trees, 120)
    return HistGradientBoostingRegressor(loss=loss, max_iter=rounds, max_features=0.5, random_state=seed, **options)


def xgb_poisson(step: float, trees: int, seed: int) -> Learner:
    """XGBoost with Poisson loss, environment and place."""
    return Estimated(_boosted({"objective": "count:poisson"}, trees, seed), None, places=True)


def xgb_tweedie(step: float, trees: int, seed: int) -> Learner:
    """XGBoost with Tweedie loss, environment and place."""
    loss = {"objective": "reg:tweedie", "tweedie_variance_power": _POWER}
    return Estimated(_boosted(loss, trees, seed), None, places=True)


def _boosted(loss: dict[str, Any], trees: int, seed: int) -> Any:
    from xgboost import XGBRegressor

    shape = {"learning_rate": 0.05, "max_depth": 4, "min_child_weight": 3, "reg_lambda": 5.0}
    drawn = {"subsample": 0.5, "colsample_bynode": 0.5, "random_state": seed, "n_jobs": 1}
    return XGBRegressor(n_estimators=min(3 * trees, 150), **loss, **shape, **drawn)


def gam_log(step: float, trees: int, seed: int) -> Learner:
    """Additive splines on the logarithm, by ridge regression, environment and place."""
    from sklearn.linear_model import Ridge

    return Estimated(_splines(Ridge(alpha=300.0)), step, places=True, weight_name="ridge__sample_weight")


def gam_tweedie(step: float, trees: int, seed: int) -> Learner:
    """Additive splines with Tweedie loss and logarithmic link, environment and place."""
    from sklearn.linear_model import TweedieRegressor

    found = TweedieRegressor(power=_POWER, alpha=0.1, link="log", max_iter=1000, tol=1e-3)
    return Estimated(_splines(found), None, places=True, weight_name="tweedieregressor__sample_weight")


def _splines(last: Any) -> Any:
    """Five knots of cubic splines that stay level beyond the data."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import SplineTransformer, StandardScaler

    return make_pipeline(SplineTransformer(n_knots=5, degree=3, extrapolation="constant"), StandardScaler(), last)


def knn_geo(step: float, trees: int, seed: int) -> Learner:
    """Mean of the three nearest places, without any environment: what a map must beat."""
    return _Nearest()


def mean(step: float, trees: int, seed: int) -> Learner:
    """The same mean everywhere: what everything must beat."""
    return _Mean()


@dataclass
class _Nearest:
    k: int = 3
    _tree: Any = None
    _y: Any = None

    def fit(self, inputs: Inputs, y: Floats, weight: Floats | None) -> _Nearest:
        self._tree, self._y = tree_of(inputs.points), y
        return self

    def predict(self, inputs: Inputs) -> Floats:
        _, rows = self._tree.query(inputs.points, k=np.arange(1, min(self.k, len(self._y)) + 1))
        found: Floats = self._y[rows].mean(axis=1)
        return found


@dataclass
class _Mean:
    _mean: float = 0.0

    def fit(self, inputs: Inputs, y: Floats, weight: Floats | None) -> _Mean:
        self._mean = float(np.average(y, weights=weight))
        return self

    def predict(self, inputs: Inputs) -> Floats:
        return np.full(len(inputs.x), self._mean)
