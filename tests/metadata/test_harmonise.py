"""Harmonisation: good rows, bad rows, odd ones, and what is told about them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aqqua.errors import ConfigError, UnknownNameError
from aqqua.metadata.card import Card
from aqqua.metadata.fields import FIELDS, polars_schema
from aqqua.metadata.harmonise import Harmonised, harmonise
from aqqua.metadata.mapping import load_mapping
from aqqua.metadata.rejects import REJECT_SCHEMA
from tests.metadata.rows import GOOD, good, raw_table


def run(
    *rows: Mapping[str, object], source: str = "ecotaxa_export", mapping: str | None = None, **card: Any
) -> Harmonised:
    """Harmonise rows with a card."""
    chosen = load_mapping(mapping) if mapping else None
    return harmonise(raw_table(rows), source=source, card=Card(**card), mapping=chosen)


def codes(told: Harmonised) -> dict[str, int]:
    """Code → count of the findings, without the volume that most of these rows lack."""
    return {finding.code: finding.count for finding in told.findings if finding.code != "volume_missing"}


def only(told: Harmonised) -> dict[str, Any]:
    """The one converted row."""
    assert told.rejects.to_dicts() == []
    assert told.converted.height == 1
    return told.converted.row(0, named=True)


def reject(told: Harmonised) -> dict[str, Any]:
    """The one reject."""
    assert told.rejects.height == 1
    return told.rejects.row(0, named=True)


def test_a_good_row() -> None:
    told = run(good())
    row = only(told)
    assert row["time_utc"] == datetime(2014, 4, 20, 4, 20, tzinfo=UTC)
    assert (row["latitude"], row["longitude"]) == (18.0, -24.4166666666667)
    assert (row["depth_min_m"], row["depth_max_m"]) == (600, 1000)
    assert row["pixel_um"] == pytest.approx(10.6)
    assert (row["instrument"], row["modality"]) == ("Flatbed scanner", "scanner")
    assert (row["object_id"], row["sample_id"], row["acquisition_id"], row["sample_idx"]) == ("o0", "s1", "a1", 0)
    assert (row["source_path"], row["source_row"], row["_row"], row["image_rank"]) == (
        "pack.zip!ecotaxa_a.tsv",
        3,
        0,
        0,
    )
    assert [finding.code for finding in told.findings] == ["volume_missing"]
    assert "sample_volconc" in told.findings[0].do
    assert told.provenance["pixel_um"] == "process_pixel [um/px] (Flatbed scanner, verified)"
    assert told.provenance["time_utc"] == "object_date + object_time [UTC]"


def test_columns_and_types_are_those_of_the_fields() -> None:
    for rows in ([], [good()], [good(), good(object_lat="x")]):
        told = run(*rows)
        expected = {name: kind for name, kind in polars_schema().items() if FIELDS[name].by == "harmonise"}
        assert dict(told.converted.schema) == {"_row": pl.UInt32(), **expected}
        assert dict(told.rejects.schema) == REJECT_SCHEMA


@pytest.mark.parametrize(
    ("changes", "field", "reason", "do"),
    [
        ({"object_lat": None}, "latitude", "the latitude is missing", "object_lat"),
        ({"object_lat": ""}, "latitude", "the latitude is missing", "card.yaml"),
        (
            {"object_lat": "abc"},
            "latitude",
            "the latitude 'abc' in column object_lat cannot be read",
            "decimal degrees",
        ),
        (
            {"object_lat": "95"},
            "latitude",
            "the latitude '95' in column object_lat is not between -90 and 90 degrees",
            "decimal",
        ),
        (
            {"object_lat": "99999"},
            "latitude",
            "the latitude is missing: '99999' in column object_lat stands for no value",
            "lat",
        ),
        ({"object_lon": "400"}, "longitude", "'400' in column object_lon is not between -180 and 180 degrees", "east"),
        (
            {"object_date": None},
            "time_utc",
            "the date is missing, there is only '420' in columns object_date",
            "2014-05-28",
        ),
        ({"object_date": "20141301"}, "time_utc", "the time '20141301 420' in column object_date", "UTC"),
        ({"object_time": "2575"}, "time_utc", "cannot be read", "134500"),
        ({"object_date": "29990101"}, "time_utc", "is not between 1800 and now", "dates"),
        ({"object_date": None, "object_time": None}, "time_utc", "the time is missing", "time_utc"),
        ({"object_depth_min": None, "object_depth_max": None}, "depth_min_m", "the depth is missing", "depth_m"),
        ({"object_depth_min": "x", "object_depth_max": "y"}, "depth_min_m", "the depth 'x' in column", "metres"),
        (
            {"object_depth_min": "20000", "object_depth_max": "20000"},
            "depth_min_m",
            "is not between 0 and 11,000 m",
            "metres",
        ),
        ({"process_pixel": None}, "pixel_um", "the pixel size is missing", "2400 dpi"),
        ({"process_pixel": "0"}, "pixel_um", "'0' in column process_pixel stands for no value", "scan"),
        (
            {"process_pixel": "10.6 mL"},
            "pixel_um",
            "the pixel size '10.6 mL' in column process_pixel has no known unit",
            "micro",
        ),
        ({"process_pixel": "-3"}, "pixel_um", "is not between 0.001 and 10,000 µm", "micrometres"),
    ],
)
def test_rejects_say_what_where_and_what_to_do(changes: dict[str, object], field: str, reason: str, do: str) -> None:
    told = run(good(**changes), good(object_id="fine"))
    row = reject(told)
    assert row["field"] == field
    assert reason in row["reason"]
    assert do in row["do"]
    assert (row["source_path"], row["source_row"], row["object_id"]) == ("pack.zip!ecotaxa_a.tsv", 3, "o0")
    assert json.loads(row["raw"])["acq_instrument"] == "epson"
    assert told.converted["_row"].to_list() == [1]
    assert told.converted["object_id"].to_list() == ["fine"]


def test_a_row_may_lack_several_things() -> None:
    told = run(good(object_lat=None, process_pixel="?"))
    assert told.rejects["field"].to_list() == ["latitude", "pixel_um"]
    assert told.converted.is_empty()


def test_altitude_replaces_depth() -> None:
    row = only(run(good(object_depth_min=None, object_depth_max=None, altitude_m="1200")))
    assert row["altitude_m"] == 1200
    assert row["depth_min_m"] is None


def test_swapped_depths_are_exchanged() -> None:
    told = run(good(object_depth_min="1000", object_depth_max="600"), good())
    assert told.converted["depth_min_m"].to_list() == [600, 600]
    assert codes(told) == {"depths_swapped": 1}


def test_one_end_of_the_depth_stands_for_both() -> None:
    told = run(good(object_depth_max="nan"))
    assert only(told)["depth_max_m"] == 600
    assert codes(told) == {"depth_one_end": 1}


def test_single_depth() -> None:
    row = only(run(good(object_depth_min=None, object_depth_max=None, object_depth="12,5")))
    assert (row["depth_min_m"], row["depth_max_m"]) == (12.5, 12.5)


def test_depths_in_the_swell_become_zero() -> None:
    told = run(good(object_depth_min="-1.5", object_depth_max="3"), good())
    assert told.converted["depth_min_m"].to_list() == [0, 600]
    assert codes(told) == {"depth_above_surface": 1}


def test_heights_are_turned_into_depths() -> None:
    told = run(
        good(object_depth_min="-600", object_depth_max="-1000"), good(object_depth_min="-5", object_depth_max="-7")
    )
    assert told.converted["depth_min_m"].to_list() == [600, 5]
    assert told.converted["depth_max_m"].to_list() == [1000, 7]
    assert codes(told)["depth_sign_turned"] == 2


def test_one_impossible_depth_among_good_ones_is_not_turned() -> None:
    told = run(good(object_depth_min="-600", object_depth_max="-600"), good())
    assert "-600" in reject(told)["reason"]


def test_zero_position_is_a_warning() -> None:
    told = run(good(object_lat="0", object_lon="0.0"))
    assert only(told)["latitude"] == 0
    assert codes(told) == {"position_zero": 1}


def test_longitudes_of_0_to_360() -> None:
    told = run(good(object_lon="335.5"))
    assert only(told)["longitude"] == -24.5
    assert codes(told) == {"longitude_wrapped": 1}


def test_date_without_time_is_told() -> None:
    told = run(good(object_time=None))
    assert only(told)["time_utc"] == datetime(2014, 4, 20, tzinfo=UTC)
    assert codes(told) == {"time_of_day_missing": 1}


def test_unusual_pixel_size_is_kept_and_told() -> None:
    told = run(good(process_pixel="500"))
    assert only(told)["pixel_um"] == 500
    assert codes(told) == {"value_unusual": 1}


def test_wrong_unit_is_corrected_where_only_that_makes_sense() -> None:
    told = run(good(acq_instrument="uvp6", process_pixel=None, acq_pixel="0.073"))
    assert only(told)["pixel_um"] == pytest.approx(73)
    assert codes(told) == {"unit_corrected": 1}


def test_unit_behind_the_number_counts() -> None:
    assert only(run(good(process_pixel="0.0106 mm")))["pixel_um"] == pytest.approx(10.6)


def test_guessed_unit_is_told() -> None:
    told = run(good(acq_instrument="supercam", process_pixel="0.02"), good(acq_instrument="supercam"))
    assert told.converted["pixel_um"].to_list() == pytest.approx([20, 10.6])
    assert told.converted["instrument"].to_list() == ["supercam"] * 2
    assert codes(told) == {"instrument_unknown": 2, "unit_guessed": 1}


def test_columns_that_disagree() -> None:
    told = run(
        good(
            acq_instrument="zooscan",
            process_pixel=None,
            process_particle_pixel_size_mm="0.0106",
            process_img_resolution="4800",
        )
    )
    assert only(told)["pixel_um"] == pytest.approx(10.6)
    assert codes(told) == {"columns_disagree": 1}
    assert "10.6 and 5.29" in told.findings[0].message


def test_columns_that_agree_are_not_told() -> None:
    told = run(
        good(
            acq_instrument="zooscan",
            process_pixel=None,
            process_particle_pixel_size_mm="0.0106",
            process_img_resolution="2400",
        )
    )
    assert codes(told) == {}


def test_moved_column() -> None:
    told = run(good(process_pixel=None, acq_pixel="10.6"))
    assert only(told)["pixel_um"] == pytest.approx(10.6)
    assert told.provenance["pixel_um"].startswith("acq_pixel")


def test_people_s_columns_win_over_the_source_and_the_card_over_both() -> None:
    row = good(latitude="20", pixel_size_mm="0.02")
    assert only(run(row))["latitude"] == 20
    assert only(run(row))["pixel_um"] == pytest.approx(20)
    card: dict[str, Any] = {"overrides": {"latitude": 30, "pixel_um": "33"}}
    told = run(row, **card)
    assert (only(told)["latitude"], only(told)["pixel_um"]) == (30, 33)
    assert told.provenance["latitude"].startswith("card overrides.latitude")


def test_people_s_columns_may_be_partly_empty() -> None:
    told = run(good(latitude="20"), good(latitude=None))
    assert told.converted["latitude"].to_list() == [20, 18]
    assert told.provenance["latitude"] == "latitude [deg], else object_lat [deg] (any instrument, verified)"


def test_defaults_fill_only_what_is_missing() -> None:
    card: dict[str, Any] = {
        "defaults": {"latitude": 1.5, "pixel_size_mm": 0.02, "depth_m": 7, "volume_ml": 5, "sample_id": "all"}
    }
    told = run(good(object_lat=None, object_depth_min=None, object_depth_max=None), good(process_pixel=None), **card)
    assert told.rejects.is_empty()
    assert told.converted["latitude"].to_list() == [1.5, 18]
    assert told.converted["pixel_um"].to_list() == pytest.approx([10.6, 20])
    assert told.converted["depth_max_m"].to_list() == [7, 1000]
    assert told.converted["volume_l"].to_list() == [0.005, 0.005]
    assert told.converted["sample_id"].to_list() == ["s1", "s1"]


def test_defaults_do_not_hide_what_cannot_be_read() -> None:
    told = run(good(object_lat="abc"), good(object_lat="99999"), good(object_lat="95"), defaults={"latitude": 1.5})
    assert told.converted["_row"].to_list() == [1]
    assert told.converted["latitude"].to_list() == [1.5]
    assert told.rejects["reason"].str.contains("'abc'|'95'").all()


def test_a_card_can_be_all_there_is() -> None:
    place = {"time_utc": datetime(2014, 6, 1), "latitude": 25.5, "longitude": "80.05 W"}
    defaults = {**place, "depth_min_m": 0, "depth_max_m": 140, "pixel_um": 68}
    told = run({"label": "copepod_calanoid"}, source="folder", instruments=("ISIIS",), defaults=defaults)
    row = only(told)
    assert (row["instrument"], row["modality"], row["pixel_um"]) == ("ISIIS", "shadowgraph", 68)
    assert (row["longitude"], row["depth_max_m"]) == (-80.05, 140)
    assert told.labels["taxon"].to_list() == ["Calanoida"]


@pytest.mark.parametrize(
    ("card", "error", "told"),
    [
        ({"defaults": {"lattitude": 3}}, UnknownNameError, "latitude"),
        ({"defaults": {"latitude": "abc"}}, ConfigError, "latitude"),
        ({"overrides": {"latitude": 95}}, ConfigError, "95"),
        ({"defaults": {"volume": 5}}, ConfigError, "unit"),
        ({"overrides": {"comment": 5}}, UnknownNameError, "field"),
    ],
)
def test_bad_constants_of_a_card_stop_the_work(card: dict[str, Any], error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told):
        run(good(), **card)


def test_explicit_mapping_wins_over_the_table() -> None:
    told = run(good(process_pixel=None, process_img_resolution="2400"), mapping="zooscan")
    assert only(told)["instrument"] == "ZooScan"
    assert only(told)["pixel_um"] == pytest.approx(10.583, abs=1e-3)


def test_several_instruments_in_one_table() -> None:
    told = run(good(), good(acq_instrument="uvp5hd", process_pixel="0.118"), good())
    assert told.converted["instrument"].to_list() == ["Flatbed scanner", "UVP5", "Flatbed scanner"]
    assert told.converted["pixel_um"].to_list() == pytest.approx([10.6, 118, 10.6])
    assert told.converted["_row"].to_list() == [0, 1, 2]
    assert "UVP5" in told.provenance["pixel_um"]
    assert "Flatbed" in told.provenance["pixel_um"]


def test_instrument_of_the_card_and_its_override() -> None:
    assert only(run(good(acq_instrument=None), instruments=("zooscan",)))["instrument"] == "ZooScan"
    assert only(run(good(), instruments=("zooscan",)))["instrument"] == "Flatbed scanner"
    assert only(run(good(), overrides={"instrument": "ZooScan"}))["instrument"] == "ZooScan"
    assert only(run(good(), overrides={"instrument": "ZooScan"}))["modality"] == "scanner"


def test_ifcb_constant_is_told_and_can_be_replaced() -> None:
    row = {
        "latitude": "58",
        "longitude": "11",
        "time_utc": "2022-05-22T00:30:51Z",
        "depth_m": "4",
        "ml_analyzed": "3.1",
    }
    told = run(row, source="ifcb")
    assert only(told)["pixel_um"] == pytest.approx(1 / 3.4)
    assert only(told)["volume_l"] == pytest.approx(0.0031)
    assert codes(told) == {"nominal_value": 1}
    assert only(run(row, source="ifcb", defaults={"px_per_um": 2.77}))["pixel_um"] == pytest.approx(1 / 2.77)


def test_volume_without_unit_is_not_used() -> None:
    told = run(
        {"lat": "1", "lon": "2", "date": "2020-01-01", "time": "10:00", "depth": "5", "um_per_px": "3", "volume": "7"},
        source="folder",
    )
    assert only(told)["volume_l"] is None
    assert codes(told)["unit_missing"] == 1


def test_optional_columns_of_a_product_may_be_missing() -> None:
    row = good(acq_instrument="flowcam", process_pixel="1", acq_fluid_volume_imaged="0.1863_ml")
    assert only(run(row))["volume_l"] == pytest.approx(0.0001863)


def test_division_by_zero_gives_no_volume() -> None:
    row = good(acq_instrument="planktoscope", process_pixel="0.75", acq_imaged_volume="1", sample_total_volume="20",
               sample_concentrated_sample_volume="0")  # fmt: skip
    assert only(run(row))["volume_l"] == pytest.approx(0.001)


def test_sentinel_is_told() -> None:
    told = run(
        good(acq_instrument="zooscan", sample_tot_vol="0"), good(acq_instrument="zooscan", sample_tot_vol="99999")
    )
    assert told.converted["volume_l"].to_list() == [None, None]
    assert codes(told) == {"sentinel_removed": 2, "unit_guessed": 2}


def test_ranks() -> None:
    ranks = [("a", None), ("a", None), ("b", "100"), ("b", "1"), ("c", "0"), ("c", "0")]
    rows = [good(object_id=name, img_rank=rank) for name, rank in ranks]
    assert run(*rows).converted["image_rank"].to_list() == [0, 1, 100, 1, 0, 1]


def test_samples_are_numbered_in_order() -> None:
    told = run(good(sample_id="z"), good(sample_id="a"), good(sample_id="z"), good(sample_id="nan"))
    assert told.converted["sample_idx"].to_list() == [0, 1, 0, 2]
    assert told.converted["sample_id"].to_list() == ["z", "a", "z", None]


def test_object_without_name_takes_that_of_its_image() -> None:
    raw = raw_table([good()]).with_columns(pl.lit(None, pl.String).alias("object_id"))
    told = harmonise(raw, source="folder", card=Card())
    assert told.converted["object_id"].to_list() == ["images/0.png"]


def test_the_raw_table_is_left_as_it_is() -> None:
    raw = raw_table([good(), good(object_lat="x")])
    before = raw.clone()
    harmonise(raw, source="ecotaxa_export", card=Card())
    assert raw.equals(before)


TEXTS = st.one_of(
    st.none(), st.text(max_size=6), st.sampled_from(["0", "-1", "99999", "1,5", "nan", "1e9", "20140420", "12:30"])
)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.fixed_dictionaries(dict.fromkeys(GOOD, TEXTS)), max_size=4))
def test_every_row_is_converted_or_rejected_whatever_it_holds(rows: list[dict[str, str | None]]) -> None:
    told = run(*rows) if rows else run()
    kept = set(told.converted["_row"].to_list())
    lines = set(told.rejects["source_row"].to_list())
    assert {row + 3 for row in kept} | lines == {row + 3 for row in range(len(rows))}
    assert not {row + 3 for row in kept} & lines
    required = told.converted.select("time_utc", "latitude", "longitude", "depth_min_m", "depth_max_m", "pixel_um")
    assert sum(required.null_count().row(0)) == 0
    assert all(reason and do for reason, do in told.rejects.select("reason", "do").iter_rows())
