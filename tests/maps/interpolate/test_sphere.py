import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqqua.maps.interpolate.sphere import EARTH_RADIUS_KM, block_of, even_places, nearest_km, unit_vectors

LATITUDE, LONGITUDE = st.floats(-90, 90), st.floats(-180, 180)


def km(a: tuple[float, float], b: tuple[float, float]) -> float:
    first, second = (unit_vectors(np.array([one[0]]), np.array([one[1]])) for one in (a, b))
    return float(nearest_km(first, second)[0])


def test_the_date_line_is_no_edge() -> None:
    assert km((0, 179.5), (0, -179.5)) == pytest.approx(np.pi * EARTH_RADIUS_KM / 180, rel=1e-6)


def test_all_longitudes_meet_at_the_pole() -> None:
    assert km((90, 0), (90, 123)) == pytest.approx(0, abs=1e-4)


@given(LATITUDE, LONGITUDE, LATITUDE, LONGITUDE)
def test_distances_are_those_of_the_cosine_rule(a: float, b: float, c: float, d: float) -> None:
    p, q, east = np.radians(a), np.radians(c), np.radians(b - d)
    cosine = np.sin(p) * np.sin(q) + np.cos(p) * np.cos(q) * np.cos(east)
    rule = EARTH_RADIUS_KM * np.arccos(np.clip(cosine, -1, 1))
    assert km((a, b), (c, d)) == pytest.approx(rule, abs=1.0)


@given(LATITUDE, st.integers(-180, 179), st.sampled_from([5.0, 10.0, 30.0, 90.0]))
def test_a_turn_more_is_the_same_block(latitude: float, longitude: int, degrees: float) -> None:
    once, twice = block_of(np.array([latitude] * 2), np.array([longitude + 0.37, longitude + 720.37]), degrees)
    assert once == twice


def test_blocks_are_fewer_towards_the_poles_and_do_not_cross_the_date_line() -> None:
    longitude = np.arange(-180, 180, 0.5)
    equator, north = (block_of(np.full(len(longitude), at), longitude, 10.0) for at in (5.0, 85.0))
    assert len(np.unique(equator)) == 36
    assert len(np.unique(north)) == 3
    assert not set(equator) & set(north)
    assert equator[0] != equator[-1]


def test_even_places_are_even() -> None:
    latitude, longitude = even_places(4000)
    assert np.mean(latitude > 30) == pytest.approx(0.25, abs=0.005)
    assert np.mean(np.abs(longitude) < 90) == pytest.approx(0.5, abs=0.01)
