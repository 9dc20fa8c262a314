from __future__ import annotations

import math
from collections import Counter

import pytest

from aqqua.ocean.instruments import INSTRUMENTS
from aqqua.ocean.organisms import TAXA
from aqqua.ocean.survey import RIGS, catch_share, deployments, number_in, organisms_in
from aqqua.ocean.world import POPULATIONS, visits


def test_every_instrument_is_on_one_rig() -> None:
    carried = [key for rig in RIGS for key in rig.instruments]
    assert sorted(carried) == sorted(INSTRUMENTS)


def test_volumes_are_those_of_real_instruments() -> None:
    for visit in visits(0, 6):
        frame, laboratory = deployments(visit, 200)
        assert 1 < frame.volume_l("isiis") < 1000
        assert 1 < frame.volume_l("zooscan") < 1000
        assert 0.3 < frame.volume_l("spc") < 100
        assert 0.0005 < laboratory.volume_l("ifcb") < 0.1
        assert all(volume > 0 for deployment in (frame, laboratory) for volume in deployment.volumes_l.values())


def test_shared_water_is_part_of_the_water_of_each() -> None:
    frame, _ = deployments(visits(0, 1)[0], 200)
    assert frame.volumes_l[("zooscan", "isiis", "spc")] < frame.volume_l("spc")
    total = sum(volume for parcel, volume in frame.volumes_l.items() if "spc" in parcel)
    assert total == pytest.approx(frame.volume_l("spc"))


def test_numbers_in_the_water_are_poisson_with_mean_concentration_times_volume() -> None:
    expected = found = 0.0
    scores = []
    for visit in visits(3, 12):
        for deployment in deployments(visit, 300):
            for parcel, volume in deployment.volumes_l.items():
                for population in POPULATIONS:
                    mean = visit.mean_per_l(population, *deployment.rig.range_m(visit)) * volume
                    if 5 < mean < 1000:
                        number = number_in(deployment, parcel, population)
                        scores.append((number - mean) / math.sqrt(mean))
                        expected, found = expected + mean, found + number
    assert len(scores) > 100
    assert found == pytest.approx(expected, abs=4 * math.sqrt(expected))
    assert 0.75 < sum(score**2 for score in scores) / len(scores) < 1.25


def test_organisms_in_the_water_are_as_many_as_counted() -> None:
    deployment = deployments(visits(3, 1)[0], 30)[0]
    there = Counter((organism.parcel, organism.population) for organism in organisms_in(deployment))
    assert all(number == number_in(deployment, *who) for who, number in there.items())


def test_detection_follows_size_and_chance() -> None:
    expected = found = 0.0
    for visit in visits(4, 2):
        for deployment in deployments(visit, 90):
            for organism in organisms_in(deployment):
                assert set(organism.detection) == set(organism.parcel)
                expected += sum(organism.detection.values())
                found += sum(organism.detected.values())
    assert found == pytest.approx(expected, abs=4 * math.sqrt(expected))
    assert 0.6 * 180 < found < 1.4 * 180


def test_somebody_is_seen_by_several_instruments() -> None:
    seen = [sum(o.detected.values()) for d in deployments(visits(0, 1)[0], 60) for o in organisms_in(d)]
    assert max(seen) >= 2


def test_more_images_leave_the_first_organisms_as_they_are() -> None:
    visit = visits(0, 1)[0]
    few = {o.organism_id: o for d in deployments(visit, 30) for o in organisms_in(d)}
    many = {o.organism_id: o for d in deployments(visit, 90) for o in organisms_in(d)}
    both = few.keys() & many.keys()
    assert len(both) > 0.8 * len(few)
    for name in both:
        assert few[name].body.traits == many[name].body.traits
        assert few[name].depth_m == many[name].depth_m


def test_organisms_are_where_the_rig_was() -> None:
    for deployment in deployments(visits(0, 6)[5], 60):
        top, bottom = deployment.rig.range_m(deployment.visit)
        station = deployment.visit.station
        for organism in organisms_in(deployment):
            assert top <= organism.depth_m <= bottom <= station.bottom_m
            assert abs(organism.latitude - station.latitude) < 0.01
            assert 0 <= (organism.time_utc - deployment.start_utc).total_seconds() <= 60 * deployment.rig.minutes


def test_catch_shares_are_shares_of_known_taxa() -> None:
    for key in INSTRUMENTS:
        for taxon in TAXA:
            assert 0 < catch_share(key, taxon) <= 1
