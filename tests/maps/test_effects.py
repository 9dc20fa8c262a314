"""Accumulated local effects find what is there, also where predictors go together."""

from __future__ import annotations

import numpy as np
import pytest

from aqqua.maps.effects import effect_of


def law(x: np.ndarray, latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
    return np.asarray(3 * x[:, 0] + x[:, 1] ** 2)


def correlated() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    first = random.uniform(0, 1, 2000)
    x = np.stack([first, first + random.normal(0, 0.05, 2000), random.normal(size=2000)], axis=1)
    return x, np.zeros(2000)


def test_effects_of_correlated_predictors_are_told_apart() -> None:
    x, zero = correlated()
    first = effect_of(law, x, zero, zero, 0, "first")
    np.testing.assert_allclose(np.diff(first.ale) / np.diff(first.at), 3, rtol=1e-6)
    second = effect_of(law, x, zero, zero, 1, "second")
    np.testing.assert_allclose(second.ale - second.ale[0], second.at**2 - second.at[0] ** 2, atol=1e-6)
    assert effect_of(law, x, zero, zero, 2, "none").reach == 0
    np.testing.assert_allclose(np.diff(first.dependence) / np.diff(first.at), 3, rtol=1e-6)


def test_the_effect_is_centred_on_the_samples() -> None:
    x, zero = correlated()
    found = effect_of(law, x, zero, zero, 0, "first")
    assert np.interp(x[:, 0], found.at, found.ale).mean() == pytest.approx(0, abs=0.05)
    assert found.reach == pytest.approx(3 * np.ptp(found.at))


def test_gaps_and_constants_give_no_curve_but_no_crash() -> None:
    x, zero = correlated()
    x[:500, 0] = np.nan
    assert np.isfinite(effect_of(lambda a, *_: a[:, 1], x, zero, zero, 0, "gaps").ale).all()
    x[:, 0] = 7
    assert len(effect_of(law, x, zero, zero, 0, "constant").at) == 0
    x[:, 0] = np.nan
    assert effect_of(law, x, zero, zero, 0, "unknown").reach == 0
