"""Means over layers, the mixed layer, the distance to the coast."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqqua.maps.environment.layers import layer_mean, level_edges
from aqqua.maps.environment.surroundings import coast_distance_km
from aqqua.maps.environment.water import mixed_layer_depth, water_column

DEPTH = np.array([0.0, 10, 20, 30, 50, 75, 100, 150, 200, 300])


def column(values: np.ndarray) -> np.ndarray:
    return values[:, None, None]


@given(st.floats(-50, 50), st.floats(0, 250), st.floats(1, 60))
def test_the_mean_of_a_constant_is_it(value: float, low: float, thick: float) -> None:
    found = layer_mean(column(np.full(len(DEPTH), value)), DEPTH, low, low + thick)
    assert found[0, 0] == pytest.approx(value)


def test_levels_weigh_as_much_as_the_water_they_stand_for() -> None:
    assert level_edges(np.array([0.0, 10, 30])).tolist() == [0, 5, 20, 40]
    values = column(np.array([1.0, 4.0, 10.0]))
    assert layer_mean(values, np.array([0.0, 10, 30]), 0, 20)[0, 0] == pytest.approx((5 * 1 + 15 * 4) / 20)
    below = values.copy()
    below[1:] = np.nan
    assert layer_mean(below, np.array([0.0, 10, 30]), 0, 20)[0, 0] == 1
    assert np.isnan(layer_mean(below, np.array([0.0, 10, 30]), 10, 20)[0, 0])
    assert np.isnan(layer_mean(values, np.array([0.0, 10, 30]), 100, 200)[0, 0])


@given(st.floats(15, 180))
def test_the_mixed_layer_ends_where_water_becomes_denser(depth: float) -> None:
    """Density rises by 0.001 kg m⁻³ a metre below `depth` − 30 m, or from 10 m on."""
    start = max(depth - 30, 10.0)
    fine = np.arange(0.0, 301, 1)
    sigma = 25 + 0.001 * np.clip(fine - start, 0, None)
    found = mixed_layer_depth(sigma[None, :, None, None], fine)
    assert found[0, 0, 0] == pytest.approx(start + 30, abs=0.1)


def test_mixed_to_the_bottom_and_unknown_water() -> None:
    sigma = np.full((1, len(DEPTH), 1, 2), 25.0)
    sigma[0, 6:, 0, 0] = np.nan
    sigma[0, :, 0, 1] = np.nan
    found = mixed_layer_depth(sigma, DEPTH)
    assert found[0, 0, 0] == DEPTH[5]
    assert np.isnan(found[0, 0, 1])


def test_density_is_that_of_the_textbook() -> None:
    """Sea water of 10 °C and practical salinity 35 at the surface: σ₀ = 26.95 kg m⁻³ (EOS-80: 26.952)."""
    shape = (1, len(DEPTH), 1, 1)
    warm, salt = np.full(shape, 10.0), np.full(shape, 35.0)
    found = water_column(warm, salt, DEPTH, np.array([30.0]), np.array([-40.0]))
    assert found.sigma0[0, 0, 0, 0] == pytest.approx(26.95, abs=0.03)
    assert abs(found.n2).max() < 1e-5
    assert found.mixed_m[0, 0, 0] == pytest.approx(DEPTH[-1])


def test_the_coast_is_as_far_as_it_is() -> None:
    """Point Nemo, 2,688 km from the nearest islet; small islands do not count here. And 60 km off Portugal."""
    distance = coast_distance_km(np.array([-48.9, 39.5]), np.array([-123.4, -9.8, 179.99]))
    assert 2600 < distance[0, 0] < 3200
    assert 25 < distance[1, 1] < 75
    assert np.isfinite(distance).all()
