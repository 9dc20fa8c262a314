"""The Equal Earth projection: known values, true areas, lines that bend."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqqua.maps.projection import HEIGHT, WIDTH, densify, equal_earth, outline


def test_the_size_of_the_map_is_the_published_one() -> None:
    """Šavrič et al. 2019: the ratio of width to height is 2.05458."""
    assert pytest.approx(2.05458, abs=1e-5) == WIDTH / HEIGHT
    x, y = outline()
    assert (np.ptp(x), np.ptp(y)) == (pytest.approx(WIDTH), pytest.approx(HEIGHT))


@given(st.floats(-89, 89), st.floats(-179, 179))
def test_areas_are_true(latitude: float, longitude: float) -> None:
    step = 1e-3
    x, y = equal_earth(
        np.array([longitude, longitude + step, longitude]), np.array([latitude, latitude, latitude + step])
    )
    area = abs((x[1] - x[0]) * (y[2] - y[0]) - (x[2] - x[0]) * (y[1] - y[0]))
    true = np.radians(step) ** 2 * np.cos(np.radians(latitude + step / 2))
    assert area == pytest.approx(true, rel=2e-3)


def test_long_lines_get_points_on_their_way() -> None:
    line = densify(np.array([[0.0, 0.0], [10.0, 0.0], [10.0, 0.5]]), 2.0)
    assert len(line) == 7
    assert np.abs(np.diff(line, axis=0)).max() <= 2.0
    np.testing.assert_array_equal(line[[0, -1]], [[0, 0], [10, 0.5]])
