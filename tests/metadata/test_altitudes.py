"""Altitudes: above the sea, below it, above the ground."""

from __future__ import annotations

import pytest

from aqqua.metadata.card import Card
from aqqua.metadata.harmonise import Harmonised, harmonise
from tests.metadata.rows import good, raw_table

NOWHERE = {"object_depth_min": None, "object_depth_max": None}


def run(**changes: object) -> Harmonised:
    return harmonise(raw_table([good(**changes)]), source="ecotaxa_export", card=Card())


def codes(made: Harmonised) -> set[str]:
    return {finding.code for finding in made.findings} - {"volume_missing"}


def test_above_the_sea_it_replaces_the_depth() -> None:
    made = run(**NOWHERE, altitude_m="1200")
    assert made.converted["altitude_m"].to_list() == [1200]
    assert codes(made) == set()


def test_below_the_sea_it_is_a_depth() -> None:
    made = run(**NOWHERE, altitude="-35.5")
    assert made.converted.select("altitude_m", "depth_min_m", "depth_max_m").rows() == [(None, 35.5, 35.5)]
    assert codes(made) == {"altitude_below_sea"}


def test_beside_a_depth_it_is_kept_and_told() -> None:
    made = run(altitude_m="3")
    assert made.converted["depth_min_m"].to_list() == [600]
    assert made.converted["altitude_m"].to_list() == [3]
    assert codes(made) == {"depth_and_altitude"}


@pytest.mark.parametrize("column", ["height_above_ground", "altitude_above_seafloor_m", "distance_to_bottom (m)"])
def test_above_the_ground_is_no_altitude(column: str) -> None:
    made = run(**{column: "2.5"})
    assert made.converted["altitude_m"].to_list() == [None]
    assert codes(made) == {"height_above_ground"}
    assert run(**NOWHERE, **{column: "2.5"}).rejects["field"].to_list() == ["depth_min_m"]
