"""Slope and intercept of size spectra, by Poisson maximum likelihood and by ordinary least squares.

The model is a power law of the number density, N(D) = k · D^−s (D in mm, N per litre and mm), so that a class from D1
to D2 holds v · k · ∫ D^−s dD in v litres – the integral itself, not its middle. The counts are Poisson; empty classes
count. Where they scatter more than that, classes have the weights of a negative binomial (variance µ + α µ²), so that
the few smallest ones with their huge counts do not decide alone. With spheres this is a normalised biovolume size
spectrum NBSS(V) = V · dN/dV = k/3 · D^(1−s), a power law of V with slope (1 − s)/3: s = 4 is the NBSS slope −1.

Sources: Edwards et al. 2017, Methods Ecol. Evol. 8, 57 (likelihood of binned data against regressions); Platt & Denman
1978 (NBSS); Breslow 1984, Appl. Stat. 33, 38 (α by moments); the cut at the mode as in PSSdb (Dugenne et al. 2024).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Line", "PowerLaws", "fit_lines", "fit_poisson", "from_mode"]

Array = NDArray[np.float64]
_STEPS, _STEP, _ROUNDS = 60, 1e-3, 8
_MOST = 50.0
_Z = 1.959963984540054


class Line(NamedTuple):
    """Slope and intercept of many lines, each (r,), with lower and upper ends of 95 % intervals, and r²."""

    slope: Array
    slope_lo: Array
    slope_hi: Array
    intercept: Array
    intercept_lo: Array
    intercept_hi: Array
    r2: Array


@dataclass(frozen=True)
class PowerLaws:
    """Power laws of many spectra, each (r,); not a number where there is nothing to fit.

    Args:
        s: exponent; the slope of the number spectrum is −s.
        s_se: its standard error.
        log_k: natural logarithm of k, the density per litre and mm at 1 mm.
        log_k_se: its standard error.
        covariance: of the two.
        alpha: of the scatter beyond Poisson, variance = µ + α µ²; 0 where Poisson is enough.
        freedom: degrees of freedom.
    """

    s: Array
    s_se: Array
    log_k: Array
    log_k_se: Array
    covariance: Array
    alpha: Array
    freedom: Array

    @property
    def wide(self) -> Array:
        """Half of a 95 % interval, in standard errors: normal, or Student's t where the scatter is estimated."""
        from scipy.stats import t as student

        return np.where(self.alpha > 0, student.ppf(0.975, np.maximum(np.nan_to_num(self.freedom), 1)), _Z)

    def number_line(self) -> Line:
        """log10 of the number spectrum (L⁻¹ mm⁻¹) over log10 of D in mm."""
        ten = np.log(10)
        return _line(-self.s, self.s_se, self.log_k / ten, self.log_k_se / ten, self.wide)

    def biovolume_line(self) -> Line:
        """log10 of the NBSS (mm³ L⁻¹ mm⁻³) over log10 of V in mm³."""
        ten, six = np.log(10), np.log(6 / np.pi) / 3
        intercept = (self.log_k - np.log(3) + (1 - self.s) * six) / ten
        variance = self.log_k_se**2 + six**2 * self.s_se**2 - 2 * six * self.covariance
        return _line((1 - self.s) / 3, self.s_se / 3, intercept, np.sqrt(np.maximum(variance, 0)) / ten, self.wide)


def from_mode(density: Array) -> NDArray[np.bool_]:
    """Which classes a fit may use: those beyond the highest one.

    Smaller objects than those of the highest class are not all seen; nor are those within it, mostly: with it, slopes
    come out too flat (`python -m benchmarks counts`).

    Args:
        density: (r, k) numbers by class of equal width on a logarithmic scale, or NBSS.

    Returns:
        (r, k); none where a spectrum is empty.
    """
    filled = np.nan_to_num(density, nan=0.0)
    mode = filled.argmax(axis=1)
    used: NDArray[np.bool_] = (np.arange(density.shape[1]) > mode[:, None]) & (filled.max(axis=1) > 0)[:, None]
    return used


def fit_poisson(n: Array, volume_l: Array, low_mm: Array, high_mm: Array, used: NDArray[np.bool_]) -> PowerLaws:
    """Fit power laws to counts: Poisson maximum likelihood, or negative binomial weights where they scatter more.

    Args:
        n: (r, k) counts.
        volume_l: (r, k) or (r, 1) litres.
        low_mm: (k,) lower edges of the classes.
        high_mm: (k,) upper edges.
        used: (r, k) classes that count.

    Returns:
        Fits; not a number where fewer than two classes or three objects count.
    """
    n = np.where(used, np.nan_to_num(n), 0.0)
    litres = np.where(used, np.broadcast_to(volume_l, n.shape), 0.0)
    possible = (n.sum(axis=1) >= 3) & ((n > 0).sum(axis=1) >= 2)
    fit = _Fit(n[possible], litres[possible], low_mm, high_mm)
    fit.solve()
    for _ in range(_ROUNDS):
        before = fit.alpha
        fit.alpha = fit.scatter()
        fit.solve()
        if np.abs(fit.alpha - before).max(initial=0.0) < 1e-4:
            break
    parts = fit.results()
    return PowerLaws(*(_spread(part, possible) for part in parts))


def _spread(part: Array, possible: NDArray[np.bool_]) -> Array:
    whole = np.full(len(possible), np.nan)
    whole[possible] = part
    return whole


class _Fit:
    """Fits of (r, k) counts, all with Newton's steps at once; `alpha` (r,) is 0 for Poisson."""

    def __init__(self, n: Array, litres: Array, low: Array, high: Array) -> None:
        self.n, self.litres, self.low, self.high = n, litres, low, high
        self.alpha = np.zeros(len(n))
        self.s = np.full(len(n), 4.0)
        self.log_k = np.log(n.sum(axis=1) / self._shape(self.s)[0].sum(axis=1))

    def _shape(self, s: Array) -> tuple[Array, Array]:
        """v·∫ D^−s dD, and the mean of −ln D within each class, which is how its logarithm changes with s."""
        parts = [_log_integral(s + step, self.low, self.high) for step in (-_STEP, 0.0, _STEP)]
        return self.litres * np.exp(parts[1]), (parts[2] - parts[0]) / (2 * _STEP)

    def _now(self) -> tuple[Array, Array, Array]:
        """Expected counts, their derivative by s, and the weight of each class."""
        shape, tilt = self._shape(self.s)
        mu = shape * np.exp(self.log_k)[:, None]
        return mu, tilt, 1 / (1 + self.alpha[:, None] * mu)

    def _information(self) -> tuple[Array, Array, Array, Array, Array]:
        """Sums of the normal equations of (ln k, s): three of the information, two of the score."""
        mu, tilt, weight = self._now()
        w, rest = weight * mu, weight * (self.n - mu)
        return w.sum(1), (w * tilt).sum(1), (w * tilt**2).sum(1), rest.sum(1), (rest * tilt).sum(1)

    def solve(self) -> None:
        """Fisher scoring from where it stands, with steps of at most 1."""
        for _ in range(_STEPS):
            a, b, c, ga, gb = self._information()
            det = np.maximum(a * c - b * b, 1e-300)
            up, tilt = (c * ga - b * gb) / det, (a * gb - b * ga) / det
            shrink = 1 / np.maximum(1.0, np.maximum(np.abs(up) / 3, np.abs(tilt)))
            self.log_k = self.log_k + np.nan_to_num(shrink * up)
            self.s = np.clip(self.s + np.nan_to_num(shrink * tilt), -20.0, 40.0)
            if np.abs(tilt).max(initial=0.0) < 1e-9 and np.abs(up).max(initial=0.0) < 1e-9:
                return

    def scatter(self) -> Array:
        """The α for which Pearson's χ² is its degrees of freedom, by halving; 0 where Poisson is enough."""
        mu, _, _ = self._now()
        low: Array = np.zeros(len(self.n))
        high: Array = np.full(len(self.n), _MOST)
        enough = self._pearson(mu, low) <= 1
        for _ in range(30):
            middle = (low + high) / 2
            more = self._pearson(mu, middle) > 1
            low, high = np.where(more, middle, low), np.where(more, high, middle)
        return np.asarray(np.where(enough, 0.0, low))

    def _pearson(self, mu: Array, alpha: Array) -> Array:
        """χ² by degrees of freedom; classes in which less than one object is expected count as one class together."""
        rare, a = mu < 1, alpha[:, None]
        squares = np.where(rare, 0.0, (self.n - mu) ** 2 / (mu + a * mu**2 + 1e-300)).sum(axis=1)
        n, m = np.where(rare, self.n, 0.0).sum(axis=1), np.where(rare, mu, 0.0).sum(axis=1)
        squares += np.where(m > 0, (n - m) ** 2 / (m + alpha * m**2 + 1e-300), 0.0)
        return np.asarray(squares / self._freedom(mu))

    def _freedom(self, mu: Array) -> Array:
        rare = mu < 1
        left = np.where(rare, mu, 0.0).sum(axis=1)
        return np.asarray(np.maximum((~rare).sum(axis=1) + (left > 0.2) - 2.0, 1.0))

    def results(self) -> tuple[Array, ...]:
        """In the order of `PowerLaws`."""
        a, b, c, _, _ = self._information()
        det = a * c - b * b
        with np.errstate(invalid="ignore", divide="ignore"):
            s_se, k_se, both = np.sqrt(a / det), np.sqrt(c / det), -b / det
        bad = ~(det > 1e-12 * a * c) | (np.abs(self.s) > 19.9)
        parts = (self.s, s_se, self.log_k, k_se, both, self.alpha, self._freedom(self._now()[0]))
        return tuple(np.where(bad, np.nan, part) for part in parts)


def _log_integral(s: Array, low: Array, high: Array) -> Array:
    """Logarithm of ∫ D^−s dD between edges, (r, k): with t = ln D it is the integral of exp((1−s)·t)."""
    power = (1 - s)[:, None]
    width = np.log(high / low)[None, :]
    x = power * width / 2  # ∫ = exp(power · middle) · width · sinh(x) / x
    with np.errstate(over="ignore", invalid="ignore"):
        ratio = np.where(np.abs(x) < 1e-6, 1 + x**2 / 6, np.sinh(x) / np.where(x == 0, 1.0, x))
    return np.asarray(power * np.log(low * high)[None, :] / 2 + np.log(width) + np.log(ratio))


def fit_lines(x: Array, y: Array, used: NDArray[np.bool_]) -> Line:
    """Straight lines by least squares.

    Args:
        x: (k,) logarithms of size.
        y: (r, k) logarithms of density.
        used: (r, k) points that count.

    Returns:
        Lines with intervals by Student's t; not a number where there are fewer than three points.
    """
    from scipy.stats import t as student

    used = used & np.isfinite(y)
    m = used.sum(axis=1)
    y, weight = np.where(used, y, 0.0), used.astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        x_mean, y_mean = (weight * x).sum(axis=1) / m, y.sum(axis=1) / m
        across = weight * (x - x_mean[:, None])
        sxx = (across**2).sum(axis=1)
        slope = (across * y).sum(axis=1) / sxx
        rest = weight * (y - y_mean[:, None] - slope[:, None] * (x - x_mean[:, None]))
        spread = (weight * (y - y_mean[:, None]) ** 2).sum(axis=1)
        variance = (rest**2).sum(axis=1) / (m - 2)
        r2 = 1 - (rest**2).sum(axis=1) / spread
        slope_se, intercept_se = np.sqrt(variance / sxx), np.sqrt(variance * (1 / m + x_mean**2 / sxx))
        wide = student.ppf(0.975, np.maximum(m - 2, 1))
    few = m < 3
    intercept = y_mean - slope * x_mean
    ends = (intercept, intercept - wide * intercept_se, intercept + wide * intercept_se)
    parts = (slope, slope - wide * slope_se, slope + wide * slope_se, *ends, r2)
    return Line(*(np.where(few, np.nan, part) for part in parts))


def _line(slope: Array, slope_se: Array, intercept: Array, intercept_se: Array, wide: Array) -> Line:
    nothing = np.full_like(slope, np.nan)
    far, high = wide * slope_se, wide * intercept_se
    return Line(slope, slope - far, slope + far, intercept, intercept - high, intercept + high, nothing)
