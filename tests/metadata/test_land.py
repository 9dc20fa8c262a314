"""Land and sea by the real mask."""

from __future__ import annotations

import numpy as np
import pytest

from aqqua.metadata.land import sea_within

# Nice (bay), Lübeck, Gulf of Guinea, Straits of Florida, Geneva (lake), South Pole, Sahara, Fiji beyond 180°.
PLACES = np.array([(43.65, 7.2), (53.87, 10.68), (0, 0), (25.4, -79.6), (46.4, 6.5), (-90, 0), (23, 10), (-18, 180)])


def test_land_sea_and_the_coast_between() -> None:
    latitude, longitude = PLACES[PLACES[:, 0] > 40].T  # few rows from the north are quickly read
    assert sea_within(latitude, longitude).tolist() == [True, False, False]
    assert sea_within(latitude[::-1], longitude[::-1], 20).tolist() == [False, True, True]


@pytest.mark.slow
def test_all_latitudes_against_the_package() -> None:
    from global_land_mask import globe

    rng = np.random.default_rng(0)
    latitude, longitude = np.degrees(np.arcsin(rng.uniform(-1, 1, 5000))), rng.uniform(-180, 180, 5000)
    latitude, longitude = np.append(latitude, PLACES[:, 0]), np.append(longitude, PLACES[:, 1])
    sea = sea_within(latitude, longitude)
    assert sea[-len(PLACES) :].tolist() == [True, False, True, True, False, False, False, True]
    keep = longitude < 180  # the package has no cell for it
    assert (sea[keep] == globe.is_ocean(latitude[keep], longitude[keep])).all()


def test_no_position_is_no_error() -> None:
    assert sea_within(np.array([]), np.array([])).tolist() == []
