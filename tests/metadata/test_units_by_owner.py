"""Ambiguous units: by the column, then by the instrument's range, always told – and the owner's word wins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aqqua.errors import ConfigError
from aqqua.metadata.card import Card
from aqqua.metadata.check import Finding
from aqqua.metadata.harmonise import Harmonised, harmonise
from tests.metadata.rows import good, raw_table


def run(*rows: Mapping[str, object], source: str = "ecotaxa_export", **card: Any) -> Harmonised:
    return harmonise(raw_table(rows), source=source, card=Card(**card))


def told(made: Harmonised, code: str) -> Finding:
    """The one finding with a code."""
    (found,) = (finding for finding in made.findings if finding.code == code)
    return found


def zooscan(size: object, **more: object) -> dict[str, object]:
    column = "process_particle_pixel_size_µm"
    return {**good(acq_instrument="zooscan", process_pixel=None), column: str(size), **more}


@pytest.mark.parametrize(
    ("size", "code", "why"),
    [("10.6", "unit_decided", "only so it lies within 5–90"), ("0.0106", "unit_corrected", "in mm/px and not um/px")],
)
def test_micrometres_or_millimetres(size: str, code: str, why: str) -> None:
    made = run(zooscan(size))
    assert made.converted["pixel_um"].to_list() == pytest.approx([10.6])
    finding = told(made, code)
    assert why in finding.message
    assert "units: {process_particle_pixel_size_µm:" in finding.do


@settings(max_examples=25)
@given(st.lists(st.sampled_from(["10.6", "0.0106", "5.3", "0.0053"]), min_size=1, max_size=6))
def test_rows_in_two_units_are_decided_one_by_one_and_each_is_told(sizes: list[str]) -> None:
    made = run(*(zooscan(size) for size in sizes))
    assert made.converted["pixel_um"].is_between(5, 11).all()
    counts = [finding.count for finding in made.findings if finding.code in {"unit_decided", "unit_corrected"}]
    assert sum(counts) == len(sizes)


def test_the_owners_unit_wins_and_is_recorded() -> None:
    impossible = run(zooscan("20"), units={"process_particle_pixel_size_µm": "mm/px"})
    assert "is not between 0.001 and 10,000 µm" in impossible.rejects["reason"][0]
    made = run(zooscan("0.02"), units={"Process_particle_pixel_size_um": "mm/px"})
    assert made.converted["pixel_um"].to_list() == pytest.approx([20])
    assert "as the owner's card says" in told(made, "unit_by_owner").message
    assert "[mm/px, says the card]" in made.provenance["pixel_um"]
    assert not {"unit_decided", "unit_corrected"} & {finding.code for finding in made.findings}


def test_an_override_of_the_value_wins_over_the_unit() -> None:
    made = run(zooscan("0.02"), units={"process_particle_pixel_size_µm": "mm/px"}, overrides={"pixel_um": 12})
    assert made.converted["pixel_um"].to_list() == [12]
    assert made.provenance["pixel_um"].startswith("card overrides.pixel_um")


def test_cubic_metres_or_litres_of_a_planktoscope() -> None:
    row = good(acq_instrument="PlanktoScope", process_pixel="0.75", acq_imaged_volume="1.5",
               sample_concentrated_sample_volume="150")  # fmt: skip
    old = run({**row, "sample_total_volume": "0.019"})
    assert old.converted["volume_l"].to_list() == pytest.approx([0.19])
    assert told(old, "unit_corrected").count == 1
    both = run({**row, "sample_total_volume": "20"})
    assert both.converted["volume_l"].to_list() == pytest.approx([0.2])
    assert told(both, "unit_ambiguous").severity == "warning"
    owned = run({**row, "sample_total_volume": "20"}, units={"sample_total_volume": "m3"})
    assert owned.converted["volume_l"].to_list() == pytest.approx([200])
    assert "unit_ambiguous" not in {finding.code for finding in owned.findings}


def test_a_volume_without_unit_is_used_once_the_owner_says_the_unit() -> None:
    row = {"lat": "1", "lon": "2", "time_utc": "2020-01-01T10:00:00Z", "depth": "5", "um_per_px": "3", "volume": "7"}
    assert run(row, source="folder").converted["volume_l"].to_list() == [None]
    made = run(row, source="folder", units={"volume": "m3"})
    assert made.converted["volume_l"].to_list() == [7000]
    assert "unit_missing" not in {finding.code for finding in made.findings}


@pytest.mark.parametrize(
    ("column", "unit", "value", "depth"), [("depth", "cm", "250", 2.5), ("depth", "ft", "10", 3.048)]
)
def test_depths_in_another_unit(column: str, unit: str, value: str, depth: float) -> None:
    row = {"lat": "1", "lon": "2", "time_utc": "2020-01-01T10:00:00Z", column: value, "um_per_px": "3"}
    made = run(row, source="folder", units={column: unit})
    assert made.converted["depth_max_m"].to_list() == pytest.approx([depth])


def test_degrees_and_minutes_in_one_number() -> None:
    row = good(object_lat="43.4108", object_lon="-7.3000")
    made = run(row, units={"object_lat": "dd.mmmm", "object_lon": "dd.mmmm"})
    assert made.converted["latitude"].to_list() == pytest.approx([43 + 41.08 / 60])
    assert made.converted["longitude"].to_list() == pytest.approx([-7.5])
    wrong = run(good(object_lat="43.7500"), units={"object_lat": "dd.mmmm"})
    assert "cannot be read" in wrong.rejects["reason"][0]


def test_marked_degrees_and_minutes_are_told() -> None:
    made = run(good(object_lat="43°30 0"))
    assert "43.500000°" in told(made, "position_in_minutes").message


def test_units_of_columns_that_are_not_there_are_told() -> None:
    made = run(good(), units={"process_pixle": "mm/px"})
    assert "process_pixle" in told(made, "unit_without_column").message


def test_units_that_are_none_stop_the_work() -> None:
    with pytest.raises(ConfigError, match="furlong"):
        Card(units={"depth": "furlong"})


def test_units_stand_in_a_card(tmp_path: Any) -> None:
    card = Card.parse("units:\n  sample_tot_vol: m3\n")
    assert card.units == {"sample_tot_vol": "m3"}
    card.save(tmp_path / "card.yaml")
    assert Card.load(tmp_path / "card.yaml") == card


def pressed(**changes: object) -> dict[str, object]:
    return good(object_depth_min=None, object_depth_max=None, **changes)


@pytest.mark.parametrize("column", ["pressure_dbar", "Pressure [dbar]", "depth_dbar"])
def test_pressures_become_depths_by_latitude(column: str) -> None:
    made = run(pressed(**{column: "1000"}), pressed(object_lat="80", **{column: "1000"}))
    low, high = made.converted["depth_min_m"].to_list()
    assert 985 < high < low < 993
    assert made.converted["depth_min_m"].to_list() == made.converted["depth_max_m"].to_list()
    assert told(made, "pressure_to_depth").count == 2
    assert made.provenance["depth_min_m"] == f"depth of {column} [dbar] by latitude (Unesco 1983)"


def test_other_units_of_pressure_and_those_that_the_owner_says() -> None:
    dbar = run(pressed(pressure_dbar="50")).converted["depth_min_m"].to_list()
    assert run(pressed(pressure_bar="5")).converted["depth_min_m"].to_list() == pytest.approx(dbar)
    assert run(pressed(pressure_MPa="0.5")).converted["depth_min_m"].to_list() == pytest.approx(dbar)
    nothing = run(pressed(pressure="5"))
    assert nothing.rejects["field"].to_list() == ["depth_min_m"]
    assert "the pressure, but has no unit" in told(nothing, "unit_missing").message
    assert run(pressed(pressure="5"), units={"pressure": "bar"}).converted["depth_min_m"].to_list() == pytest.approx(
        dbar
    )


def test_a_depth_counts_before_a_pressure_even_if_it_is_only_one_end() -> None:
    made = run(good(object_depth_min="1019.7", object_depth_max=None, pressure_dbar="1027.9"))
    assert made.converted.select("depth_min_m", "depth_max_m").rows() == [pytest.approx((1019.7, 1019.7))]
    assert "pressure_to_depth" not in {finding.code for finding in made.findings}


@given(st.floats(0, 6000), st.floats(-89, 89))
@settings(max_examples=20)
def test_pressures_never_give_impossible_depths(pressure: float, latitude: float) -> None:
    made = run(pressed(pressure_dbar=pressure, object_lat=latitude))
    depth = made.converted["depth_min_m"][0]
    assert 0 <= depth <= pressure
    assert depth == pytest.approx(pressure, rel=0.04)
