"""A Gaussian process on the logarithm: kriging in the space of environment and place.

The kernel is Matérn with ν = 3/2 on predictors (normal by rank) and unit vectors; its length and the share of noise are
those of the largest marginal likelihood on a grid (Rasmussen & Williams 2006, equations 2.25, 4.17 and 5.8), with the
variance profiled out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from aqqua.errors import ConfigError

if TYPE_CHECKING:
    from aqqua.maps.interpolate.learners import Inputs, Learner
    from aqqua.maps.interpolate.problem import Floats

__all__ = ["gp_log"]

_LENGTHS = (1.0, 1.7, 2.8, 4.6, 7.5, 12.0)
_NOISES = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4)
_MOST_TUNED = 500
_MOST = 3000
_CHUNK = 4096
_PLACE_SCALE = np.sqrt(3.0)  # unit vectors spread evenly over the sphere have the variance 1/3 along each axis


def gp_log(step: float, trees: int, seed: int) -> Learner:
    """Gaussian process on the logarithm, environment and place; learns from at most 3,000 places, drawn at random."""
    return _Process(step, seed)


@dataclass
class _Process:
    step: float
    seed: int
    length: float = 0.0
    noise: float = 0.0
    _seen: Any = None
    _dual: Any = None
    _mean: float = 0.0

    def fit(self, inputs: Inputs, y: Floats, weight: Floats | None) -> _Process:
        """Choose length and noise, then solve for the dual weights."""
        from scipy.linalg import LinAlgError, cho_factor, cho_solve

        rng = np.random.default_rng(self.seed)
        rows = np.sort(rng.permutation(len(y))[:_MOST])
        x, target = _features(inputs)[rows], np.log1p(y[rows] / self.step)
        relative = np.ones(len(rows)) if weight is None else weight[rows] / weight[rows].mean()
        self._mean = float(np.average(target, weights=relative))
        if not self.length:
            few = rng.permutation(len(rows))[:_MOST_TUNED]
            self.length, self.noise = _likeliest(x[few], target[few] - self._mean)
        covariance = _matern(x, x, self.length)
        covariance[np.diag_indices_from(covariance)] += self.noise / relative
        try:
            self._dual = cho_solve(cho_factor(covariance, lower=True), target - self._mean)
        except LinAlgError as error:
            raise ConfigError("the Gaussian process cannot be solved", do="leave gp_log out of learners") from error
        self._seen = x
        return self

    def again(self) -> _Process:
        """An unfitted process with the length and noise of this one."""
        return _Process(self.step, self.seed, self.length, self.noise)

    def predict(self, inputs: Inputs) -> Floats:
        """Back-transformed mean of the process."""
        x = _features(inputs)
        found = np.empty(len(x))
        for start in range(0, len(x), _CHUNK):
            part = slice(start, start + _CHUNK)
            found[part] = _matern(x[part], self._seen, self.length) @ self._dual
        return np.maximum(np.expm1(found + self._mean) * self.step, 0.0)


def _features(inputs: Inputs) -> Floats:
    return np.concatenate([inputs.x, inputs.points * _PLACE_SCALE], axis=1)


def _matern(a: Floats, b: Floats, length: float) -> Floats:
    """Matérn correlation with ν = 3/2: (1 + r) exp(−r), r = √3 distance / length."""
    from scipy.spatial.distance import cdist

    r = cdist(a, b)
    r *= np.sqrt(3.0) / length
    decay = np.exp(-r)
    r += 1.0
    r *= decay
    return np.asarray(r, np.float64)


def _likeliest(x: Floats, target: Floats) -> tuple[float, float]:
    """Length, and noise relative to the signal, of the largest profiled marginal likelihood."""
    best, chosen = -np.inf, (_LENGTHS[-1], _NOISES[-1])
    for length in _LENGTHS:
        value, vector = np.linalg.eigh(_matern(x, x, length))
        square = (vector.T @ target) ** 2
        for noise in _NOISES:
            spectrum = np.maximum(value, 0) + noise
            likelihood = -0.5 * (len(target) * np.log((square / spectrum).mean() + 1e-300) + np.log(spectrum).sum())
            if likelihood > best:
                best, chosen = likelihood, (length, noise)
    return chosen
