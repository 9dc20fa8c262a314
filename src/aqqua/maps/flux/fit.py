"""Maximum likelihood of A, b and their companions from match-ups of several stations.

ln F = ln A + ln Σ nᵢ dᵢᵇ − c ln(z / 100 m) + k [moored] + uₛ + e, with uₛ a deviation of each station (sd τ) and e of
each match-up (sd σ): a mixed model, so that a station with many depths does not outvote the others, and c comes from
how flux falls off *within* stations. Robust: match-ups far off weigh less (Student's t, 5 degrees of freedom, by
iterative weights). Weak priors keep few stations in bounds: b is 3 ± 0.8 (the published exponents are 2.24 and 3.81),
σ about 0.5 and τ about 0.6, each within a factor of 1.6.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aqqua.errors import ConfigError, MissingExtraError
from aqqua.maps.flux.match import MatchUps

__all__ = ["Fit", "Fitting", "fit", "predicted"]

Floats = NDArray[np.float64]
_PRIOR_B = (3.0, 0.8)
_PRIOR_SIGMA, _PRIOR_TAU, _PRIOR_WIDTH = np.log(0.5), np.log(0.6), 0.5
_FREEDOM = 5.0
_ROUNDS = 4


@dataclass(frozen=True)
class Fitting:
    """What is fitted.

    Args:
        b: exponent, if it is to stay as it is; None: fitted.
        attenuation: fit how flux per particle falls off with depth.
        moored: fit what moored traps catch, relative to drifting ones and thorium.
        particles: use the spectra; without them what is left is a Martin curve (the baseline).
        esd_min_um: smallest diameter counted, µm.
        esd_max_um: largest diameter counted, µm.
    """

    b: float | None = None
    attenuation: bool = True
    moored: bool = True
    particles: bool = True
    esd_min_um: float = 102.0
    esd_max_um: float = 5200.0


@dataclass(frozen=True)
class Fit:
    """What came out.

    Args:
        a: A, mg C m⁻² d⁻¹ for a particle of 1 mm per litre at 100 m.
        b: exponent of the diameter.
        attenuation: c of (z / 100 m)⁻ᶜ.
        moored: what moored traps catch of what drifting ones do.
        residual_sd: σ, of ln flux.
        station_sd: τ, of ln flux.
        how: what was fitted.
    """

    a: float
    b: float
    attenuation: float
    moored: float
    residual_sd: float
    station_sd: float
    how: Fitting


def fit(matches: MatchUps, how: Fitting | None = None) -> Fit:
    """Fit the relation to match-ups.

    Args:
        matches: of at least two stations.
        how: what to fit.

    Raises:
        ConfigError: fewer than two stations, or spectra without a particle in the range of sizes.
        MissingExtraError: scipy is not installed.
    """
    how = how or Fitting()
    if len(set(matches.station.tolist())) < 2:
        raise ConfigError(
            "a relation cannot be fitted to one station", do="match more stations: --radius-km, --season-d"
        )
    data = _Data(matches, how)
    weight, start = np.ones(len(matches)), data.start()
    for _ in range(_ROUNDS):
        start = data.best(start, weight)
        weight = data.weights(start, weight)
    b, beta = data.b_of(start), data.solved(start, weight)[1]
    numbers = dict(zip(data.names, beta.tolist(), strict=True))
    return Fit(
        a=float(np.exp(numbers["level"])),
        b=b,
        attenuation=numbers.get("attenuation", 0.0),
        moored=float(np.exp(numbers.get("moored", 0.0))),
        residual_sd=float(np.exp(start[-2])),
        station_sd=float(np.exp(start[-1])),
        how=how,
    )


def predicted(found: Fit, matches: MatchUps) -> Floats:
    """Flux that the relation gives for match-ups, as their kind of trap would catch it, mg C m⁻² d⁻¹, (m,)."""
    flux = found.a * np.exp(_spectral(matches, found.b, found.how)) * (matches.depth_m / 100) ** -found.attenuation
    return np.asarray(np.where(matches.kind == "moored", flux * found.moored, flux))


def _spectral(matches: MatchUps, b: float, how: Fitting) -> Floats:
    """Logarithm of Σ nᵢ dᵢᵇ with d in mm, (m,)."""
    if not how.particles:
        return np.zeros(len(matches))
    used = (matches.esd_um >= how.esd_min_um) & (matches.esd_um <= how.esd_max_um)
    total = matches.density[:, used] @ (matches.esd_um[used] / 1000) ** b
    if not (total > 0).all():
        where = sorted(set(matches.station[~(total > 0)].tolist()))
        what = f"no particle of {how.esd_min_um:g}–{how.esd_max_um:g} µm was counted at {', '.join(where)}"
        raise ConfigError(what, do="widen --esd-min-um and --esd-max-um, or leave these casts out")
    return np.asarray(np.log(total))


class _Data:
    """The likelihood of one set of match-ups."""

    def __init__(self, matches: MatchUps, how: Fitting) -> None:
        self.how, self.observed = how, np.log(matches.observed)
        self.spectral: Callable[[float], Floats] = lambda b: _spectral(matches, b, how)
        columns = {"level": np.ones(len(matches))}
        depth, moored = -np.log(matches.depth_m / 100), (matches.kind == "moored").astype(float)
        if how.attenuation and np.ptp(depth) > 0:
            columns["attenuation"] = depth
        if how.moored and np.ptp(moored) > 0:
            columns["moored"] = moored
        self.names, self.design = list(columns), np.stack(list(columns.values()), axis=1)
        self.same = (matches.station[:, None] == matches.station[None, :]).astype(float)
        self.fitted_b = how.b is None and how.particles

    def start(self) -> Floats:
        """Where the search begins: (b,) ln σ, ln τ."""
        spreads = [_PRIOR_SIGMA, _PRIOR_TAU]
        return np.array([_PRIOR_B[0], *spreads] if self.fitted_b else spreads)

    def b_of(self, point: Floats) -> float:
        if self.fitted_b:
            return float(point[0])
        return 0.0 if self.how.b is None else self.how.b

    def solved(self, point: Floats, weight: Floats) -> tuple[float, Floats, Floats, Floats]:
        """Restricted −ln likelihood with priors, coefficients, residuals and covariance at a point."""
        residual_var, station_var = np.exp(2 * point[-2:])
        covariance = np.diag(residual_var / weight) + station_var * self.same
        root = np.linalg.cholesky(covariance)
        b = self.b_of(point)
        target = self.observed - self.spectral(b)
        design, wanted = np.linalg.solve(root, self.design), np.linalg.solve(root, target)
        beta = np.linalg.lstsq(design, wanted, rcond=None)[0]
        off = wanted - design @ beta
        loss = (
            0.5 * float(off @ off) + float(np.log(np.diag(root)).sum()) + 0.5 * np.linalg.slogdet(design.T @ design)[1]
        )
        loss += 0.5 * ((point[-2] - _PRIOR_SIGMA) ** 2 + (point[-1] - _PRIOR_TAU) ** 2) / _PRIOR_WIDTH**2
        if self.fitted_b:
            loss += 0.5 * ((b - _PRIOR_B[0]) / _PRIOR_B[1]) ** 2
        return float(loss), beta, target - self.design @ beta, covariance

    def best(self, start: Floats, weight: Floats) -> Floats:
        """The most likely point."""
        try:
            from scipy.optimize import minimize
        except ModuleNotFoundError as error:
            raise MissingExtraError("calibrating flux", "scipy", "maps") from error
        options = {"xatol": 2e-3, "fatol": 1e-3}
        found = minimize(lambda point: self.solved(point, weight)[0], start, method="Nelder-Mead", options=options)
        return np.asarray(found.x)

    def weights(self, point: Floats, weight: Floats) -> Floats:
        """Weights of Student's t: less for match-ups far from what their station would have."""
        _, _, residual, covariance = self.solved(point, weight)
        station = np.exp(2 * point[-1]) * self.same @ np.linalg.solve(covariance, residual)
        off = (residual - station) / np.exp(point[-2])
        return np.asarray((_FREEDOM + 1) / (_FREEDOM + off**2))
