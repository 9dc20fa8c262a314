from __future__ import annotations

import json
from datetime import UTC, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aqqua.ocean.organisms import TAXA
from aqqua.ocean.world import POPULATIONS, STATIONS, Visit, visits


def test_stations_are_places_with_water_under_them() -> None:
    for station in STATIONS:
        assert -90 < station.latitude < 90
        assert station.bottom_m > 20
    names = [station.name for station in STATIONS]
    assert len(set(names)) == len(names)


def test_a_cruise_goes_on_by_day_and_night() -> None:
    cruise = visits(0, 30)
    times = [visit.time_utc for visit in cruise]
    assert all(time.tzinfo is UTC for time in times)
    assert all(timedelta(hours=60) < two - one < timedelta(hours=90) for one, two in pairwise(times))
    assert len({visit.name for visit in cruise}) == 30
    assert {time.hour < 6 for time in times} == {True, False}


def test_another_seed_sails_at_other_times_to_the_same_places() -> None:
    one, two = visits(0, 6), visits(1, 6)
    assert [visit.station for visit in one] == [visit.station for visit in two]
    assert [visit.time_utc for visit in one[1:]] != [visit.time_utc for visit in two[1:]]


@pytest.mark.parametrize("visit", visits(0, len(STATIONS)), ids=lambda visit: visit.station.name)
def test_water_is_as_water_is(visit: Visit) -> None:
    depth = np.linspace(0, visit.deepest_m, 80)
    temperature, chlorophyll = visit.temperature_c(depth), visit.chlorophyll_mg_m3(depth)
    assert (np.diff(temperature) <= 1e-9).all()
    assert -2 < temperature.min() <= temperature.max() < 32
    assert (chlorophyll > 0).all()
    assert abs(depth[chlorophyll.argmax()] - visit.station.maximum_m) < 6
    assert visit.deepest_m <= min(200, visit.station.bottom_m)


def test_concentrations_are_positive_and_of_a_plausible_order() -> None:
    for visit in visits(0, 6):
        for population in POPULATIONS:
            mean = visit.mean_per_l(population, 4, visit.deepest_m)
            assert 0 <= mean < 20 * population.per_l
            assert mean < 3e4


def test_trichodesmium_likes_it_warm_and_wing_snails_cold() -> None:
    tropics, baltic = visits(0, 6)[0], visits(0, 6)[5]
    by_name = {population.name: population for population in POPULATIONS}
    warm, cold = by_name["Trichodesmium colonies"], by_name["wing snails"]
    assert tropics.mean_per_l(warm, 5, 24) > 50 * baltic.mean_per_l(warm, 5, 24)
    assert baltic.mean_per_l(cold, 5, 24) > 5 * tropics.mean_per_l(cold, 5, 24)


def test_depths_are_drawn_where_the_population_lives() -> None:
    visit = visits(0, 1)[0]
    surface = next(population for population in POPULATIONS if population.layer == "surface")
    below = next(population for population in POPULATIONS if population.layer == "below")
    shares = np.linspace(0, 1, 21)
    for population in (surface, below):
        depths = [visit.depth_of(population, 5, 200, float(share)) for share in shares]
        assert depths == sorted(depths)
        assert depths[0] == 5
        assert depths[-1] == pytest.approx(200)
    assert visit.depth_of(surface, 5, 200, 0.5) < visit.depth_of(below, 5, 200, 0.5)


def test_lengths_run_from_the_shortest_to_the_longest() -> None:
    for population in POPULATIONS:
        assert population.taxon in TAXA
        lengths = population.length_um(np.linspace(0, 1, 11))
        assert lengths[0] == pytest.approx(population.shortest_um)
        assert lengths[-1] == pytest.approx(population.longest_um)
        assert (np.diff(lengths) > 0).all()


def test_stations_lie_in_the_water(shared_data: Path) -> None:
    path = shared_data / "coastline" / "world-atlas" / "land-50m.json"
    edges = _coast(json.loads(path.read_text()))
    assert _on_land(edges, 52.0, 10.5), "Brunswick is on land"
    assert [station.name for station in STATIONS if _on_land(edges, station.latitude, station.longitude)] == []


def _coast(atlas: dict[str, Any]) -> np.ndarray:
    """Every edge of the coastline, (n, 4): longitude and latitude of its two ends (TopoJSON: arcs of differences)."""
    scale, shift = np.array(atlas["transform"]["scale"]), np.array(atlas["transform"]["translate"])
    lines = [np.cumsum(arc, axis=0) * scale + shift for arc in atlas["arcs"]]
    return np.concatenate([np.hstack([line[:-1], line[1:]]) for line in lines])


def _on_land(edges: np.ndarray, latitude: float, longitude: float) -> bool:
    """Whether a line from here to the east crosses the coast an odd number of times."""
    x1, y1, x2, y2 = edges.T
    spans = (y1 > latitude) != (y2 > latitude)
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = x1 + (x2 - x1) * (latitude - y1) / (y2 - y1)
    return int((spans & (crossing > longitude)).sum()) % 2 == 1
