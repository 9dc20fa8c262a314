"""The coast of the figures: where land is, and how it is traced."""

from __future__ import annotations

import numpy as np
import pytest

from aqqua.maps.coast import coast, shapes_of


def inside(longitude: float, latitude: float) -> bool:
    """Whether a point lies on land: an odd number of rings around it."""
    count = 0
    for ring in coast():
        x, y = ring[:, 0], ring[:, 1]
        cross = (y[:-1] > latitude) != (y[1:] > latitude)
        with np.errstate(divide="ignore", invalid="ignore"):
            at = x[:-1] + (latitude - y[:-1]) / (y[1:] - y[:-1]) * (x[1:] - x[:-1])
        count += int((cross & (longitude < at)).sum())
    return count % 2 == 1


@pytest.mark.parametrize(
    ("longitude", "latitude", "land"),
    [(20, 10, True), (-60, -10, True), (134, -25, True), (0, -85, True), (-40, 30, False), (90, -20, False)],
)
def test_continents_are_land_and_oceans_are_not(longitude: float, latitude: float, land: bool) -> None:
    assert inside(longitude, latitude) is land


def test_rings_are_closed_and_on_the_globe() -> None:
    for ring in coast():
        np.testing.assert_array_equal(ring[0], ring[-1])
        assert np.abs(ring[:, 0]).max() <= 180
        assert np.abs(ring[:, 1]).max() <= 90


def test_a_square_of_land_is_traced_with_its_lake() -> None:
    share = np.zeros((36, 72), np.float32)
    share[10:20, 30:40] = 1
    share[14:16, 34:36] = 0
    rings = shapes_of(share)
    areas = sorted(abs(np.sum(r[:-1, 0] * r[1:, 1] - r[1:, 0] * r[:-1, 1])) / 2 for r in rings)
    assert len(rings) == 2
    assert areas[1] == pytest.approx(50 * 50, rel=0.05)
    assert areas[0] == pytest.approx(10 * 10, rel=0.2)
