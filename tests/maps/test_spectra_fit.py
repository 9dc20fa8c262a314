"""Power laws from counts: right slopes, honest intervals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aqqua.maps.classes import ECOPART_EDGES_UM
from aqqua.maps.spectra_fit import Array, fit_lines, fit_poisson, from_mode

LOW, HIGH = ECOPART_EDGES_UM[17:43] / 1000, ECOPART_EDGES_UM[18:44] / 1000  # 51 µm … 20.6 mm


def expected(s: float, k: float, litres: float) -> Array:
    return np.asarray(litres * k * (LOW ** (1 - s) - HIGH ** (1 - s)) / (s - 1))


@settings(max_examples=40)
@given(st.floats(1.5, 6), st.floats(-3, 3), st.floats(0, 3))
def test_exact_counts_give_the_exact_law(s: float, log_k: float, log_litres: float) -> None:
    litres = 10**log_litres * 1e6  # so much water that there is no chance
    n = expected(s, 10**log_k, litres)[None]
    fit = fit_poisson(n, np.array([[litres]]), LOW, HIGH, np.ones_like(n, dtype=bool))
    assert fit.s[0] == pytest.approx(s, abs=1e-4)
    assert fit.log_k[0] == pytest.approx(np.log(10) * log_k, abs=1e-3)
    line = fit.biovolume_line()
    assert line.slope[0] == pytest.approx((1 - s) / 3, abs=1e-4)
    # NBSS(V) = k/3 · D^(1−s) at the sphere of 1 mm³
    diameter = (6 / np.pi) ** (1 / 3)
    assert line.intercept[0] == pytest.approx(np.log10(10**log_k / 3 * diameter ** (1 - s)), abs=1e-3)


@pytest.mark.parametrize(("scatter", "least"), [(0.0, 0.92), (0.1, 0.90)])
def test_intervals_hold_and_least_squares_do_not(scatter: float, least: float) -> None:
    """Nominal 95 %; counts of some 1,700 objects, detection falling off below 100 µm, with and without patchiness."""
    rng, s, k, litres = np.random.default_rng(0), 4.0, 0.1, 20.0
    mean = np.tile(expected(s, k, litres), (400, 1))
    mean[:, :3] *= [0.1, 0.3, 0.7]
    n = rng.poisson(mean * (rng.gamma(1 / scatter, scatter, mean.shape) if scatter else 1.0)).astype(float)
    seen = np.tile(np.arange(n.shape[1]) >= 3, (400, 1))
    fit = fit_poisson(n, np.full((400, 1), litres), LOW, HIGH, seen)
    line = fit.number_line()
    held = (line.slope_lo < -s) & (-s < line.slope_hi)
    assert least <= held.mean() <= 0.99
    assert abs(np.mean(fit.s) - s) < 0.05
    density = np.log10(np.where(n > 0, n, np.nan) / litres / (HIGH - LOW))
    ols = fit_lines(np.log10(np.sqrt(LOW * HIGH)), density, seen & (np.cumsum(seen & (n == 0), axis=1) == 0))
    assert np.nanmean((ols.slope_lo < -s) & (-s < ols.slope_hi)) < held.mean()


def test_the_class_of_the_mode_is_not_used() -> None:
    used = from_mode(np.array([[1.0, 9.0, 5.0, 0.0], [0.0] * 4, [np.nan, 2.0, 1.0, 1.0]]))
    assert used.tolist() == [[False, False, True, True], [False] * 4, [False, False, True, True]]


def test_too_little_is_no_fit() -> None:
    n = np.zeros((3, len(LOW)))
    n[1, 3], n[2, 3:5] = 50, 1
    fit = fit_poisson(n, np.full((3, 1), 10.0), LOW, HIGH, np.ones_like(n, dtype=bool))
    assert np.isnan(fit.s).all()
    assert np.isnan(fit.number_line().slope).all()


def test_least_squares_know_a_line() -> None:
    x = np.linspace(-2, 1, 10)
    line = fit_lines(x, np.stack([3 - 4 * x, np.full(10, np.nan)]), np.ones((2, 10), dtype=bool))
    assert line.slope[0] == pytest.approx(-4)
    assert line.intercept[0] == pytest.approx(3)
    assert line.r2[0] == pytest.approx(1)
    assert np.isnan(line.slope[1])
