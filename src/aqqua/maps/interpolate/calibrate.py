"""From a typical value to an expected one, such that sums are right.

A learner of logarithms tells something like a median; sums of it are far too small (0.1 to 0.8 of what was observed).
Calibration is fitted on predictions out of block folds inside training, never on what is tested:

- "power": E[y] = exp(a + γ log(1 + f / step)), by Poisson quasi-likelihood (McCullagh & Nelder 1989), 0 ≤ γ ≤ 1;
- "ratio": one factor, Σy / Σf;
- "smearing": the mean over residuals of the logarithm (Duan 1983, J. Am. Stat. Assoc. 78, 605), then the factor;
- "isotonic": a rising step function (pool adjacent violators), then the factor;
- "none".

Beyond the typical values that it was fitted to a calibration stays level.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from aqqua.errors import UnknownNameError

if TYPE_CHECKING:
    from aqqua.maps.interpolate.problem import Floats

__all__ = ["CALIBRATIONS", "Calibration", "fit_calibration"]

CALIBRATIONS = ("power", "ratio", "smearing", "isotonic", "none")
_STEEPEST = 1.0


@dataclass(frozen=True)
class Calibration:
    """A rising function of the typical value.

    Args:
        kind: one of `CALIBRATIONS`.
        step: of the logarithm.
        factor: on everything.
        power: γ of "power".
        smear: mean of exp(residual) of "smearing".
        steps: typical and expected values of "isotonic", shape (2, k).
        ends: smallest and largest typical value it was fitted to.
    """

    kind: str
    step: float
    factor: float = 1.0
    power: float = 1.0
    smear: float = 1.0
    steps: Floats | None = None
    ends: tuple[float, float] = (0.0, np.inf)

    def __call__(self, typical: Floats) -> Floats:
        """Expected values of typical ones, in their shape."""
        return self.factor * self._shape(np.clip(typical, *self.ends))

    def _shape(self, typical: Floats) -> Floats:
        if self.kind == "power":
            return np.asarray((1 + typical / self.step) ** self.power, np.float64)
        if self.kind == "smearing":
            return np.maximum((typical + self.step) * self.smear - self.step, 0.0)
        if self.kind == "isotonic" and self.steps is not None:
            return np.asarray(np.interp(typical, self.steps[0], self.steps[1]), np.float64)
        return np.asarray(typical, np.float64)


def fit_calibration(kind: str, observed: Floats, typical: Floats, step: float) -> Calibration:
    """Fit a calibration such that Σ expected = Σ observed.

    Args:
        kind: one of `CALIBRATIONS`.
        observed: values ≥ 0, shape (n,).
        typical: predictions out of fold, ≥ 0, shape (n,).
        step: of the logarithm.

    Raises:
        UnknownNameError: no such calibration.
    """
    if kind not in CALIBRATIONS:
        raise UnknownNameError("calibration", kind, CALIBRATIONS)
    if kind == "none" or not (observed > 0).any():
        return Calibration(kind, step, factor=0.0 if kind != "none" else 1.0)
    logs, shape = np.log1p(typical / step), {}
    if kind == "power":
        shape["power"] = _power(observed, logs)
    elif kind == "smearing":
        shape["smear"] = float(np.exp(np.log1p(observed / step) - logs).mean())
    steps = _isotonic(observed, typical) if kind == "isotonic" else None
    found = Calibration(kind, step, steps=steps, ends=(float(typical.min()), float(typical.max())), **shape)
    total = found(typical).sum()
    return replace(found, factor=float(observed.sum() / total)) if total > 0 else found


def _power(observed: Floats, logs: Floats) -> float:
    """γ of E[y] ∝ exp(γ logs) by Newton steps on the profiled Poisson likelihood, kept in its bounds."""
    power, total = 0.5, observed.sum()
    for _ in range(60):
        share = np.exp(power * (logs - logs.max()))
        share /= share.sum()
        centre = (share * logs).sum()
        spread = (share * (logs - centre) ** 2).sum()
        slope = (observed * logs).sum() / total - centre
        if spread < 1e-12:
            return 0.0
        moved = float(np.clip(power + np.clip(slope / spread, -0.3, 0.3), 0.0, _STEEPEST))
        if abs(moved - power) < 1e-8:
            break
        power = moved
    return power


def _isotonic(observed: Floats, typical: Floats) -> Floats:
    from sklearn.isotonic import IsotonicRegression

    found = IsotonicRegression(out_of_bounds="clip").fit(typical, observed)
    return np.stack([found.X_thresholds_, found.y_thresholds_]).astype(np.float64)
