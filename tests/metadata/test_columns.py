"""Columns by their names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqqua.metadata.columns import Columns, meaning, needs_unit, plain_name
from aqqua.metadata.fields import FIELDS


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("Depth (m)", "depth_m"),
        ("pixelSizeUm", "pixel_size_um"),
        ("runTime", "run_time"),
        ("process_particle_pixel_size_µm", "process_particle_pixel_size_um"),
        ("process_particle_pixel_size_Âµm", "process_particle_pixel_size_um"),
        ("process_particle_pixel_size_\N{REPLACEMENT CHARACTER}m", "process_particle_pixel_size_um"),
        ("volume_mL", "volume_ml"),
        (" LAT ", "lat"),
    ],
)
def test_plain_names(name: str, plain: str) -> None:
    assert plain_name(name) == plain


@pytest.mark.parametrize(
    ("name", "role", "unit"),
    [
        ("lat", "latitude", None),
        ("Latitude", "latitude", "deg"),
        ("decimalLatitude", "latitude", None),
        ("long", "longitude", None),
        ("depth", "depth", None),
        ("Depth (m)", "depth", "m"),
        ("depth_km", "depth", "km"),
        ("depth_min_m", "depth_min_m", "m"),
        ("maxDepth", "depth_max_m", None),
        ("date", "date", None),
        ("time", "time_of_day", None),
        ("datetime", "time_utc", None),
        ("timestamp", "time_utc", None),
        ("pixel_size_um", "pixel_um", "um/px"),
        ("pixel_size_mm", "pixel_um", "mm/px"),
        ("pixel size [µm]", "pixel_um", "um/px"),
        ("um_per_px", "pixel_um", "um/px"),
        ("microns_per_pixel", "pixel_um", "um/px"),
        ("px_per_um", "pixel_um", "px/um"),
        ("resolution_dpi", "pixel_um", "dpi"),
        ("dpi", "pixel_um", "dpi"),
        ("volume_l", "volume_l", "L"),
        ("Volume (mL)", "volume_l", "mL"),
        ("volume", "volume_l", None),
        ("label", "label", None),
        ("class", "label", None),
        ("taxon", "label", None),
        ("sample", "sample_id", None),
        ("station_sample", "sample_id", None),
        ("filename", "image", None),
    ],
)
def test_what_names_mean(name: str, role: str, unit: str | None) -> None:
    said = meaning(name)
    assert said is not None
    assert said.role == role
    assert (said.unit.symbol if said.unit else None) == unit


@pytest.mark.parametrize(
    "name", ["mm", "m", "comment", "water_depth", "hdr_gpsLatitude", "object_area", "latitude_end", "roi_x", ""]
)
def test_names_that_mean_nothing_here(name: str) -> None:
    assert meaning(name) is None


@pytest.mark.parametrize(
    "name", [name for name, field in FIELDS.items() if field.by == "harmonise" and name[:6] != "source"]
)
def test_every_field_is_known_by_its_own_name(name: str) -> None:
    said = meaning(name)
    assert said is not None
    assert said.role == name
    if FIELDS[name].unit:
        assert said.unit is not None
        assert said.unit.factor == 1


def test_names_that_need_a_unit() -> None:
    assert needs_unit("volume")
    assert needs_unit("Resolution")
    assert not needs_unit("depth")
    assert not needs_unit("volume_l")


@given(st.text())
def test_no_name_breaks_it(name: str) -> None:
    meaning(name)
    Columns([name]).find(name)


def test_columns_move_between_entities_but_the_exact_one_counts_first() -> None:
    columns = Columns(["acq_pixel", "process_pixel", "sample_sub_part", "object_date", "process_date"])
    assert columns.find("process_pixel") == "process_pixel"
    assert columns.find("acq_pixel") == "acq_pixel"
    assert columns.find("acq_sub_part") == "sample_sub_part"
    assert columns.find("object_date") == "object_date"
    assert Columns(["process_date"]).find("object_date") is None


def test_in_ecotaxa_tables_only_bare_names_are_peoples() -> None:
    columns = Columns(["object_lat", "process_time", "sample_depth", "sample_id", "acq_id", "latitude"])
    assert columns.is_ecotaxa
    assert [name for name, _ in columns.called("latitude")] == ["latitude"]
    assert columns.called("time_of_day") == []
    assert columns.called("depth") == []
    assert [name for name, _ in columns.called("sample_id")] == ["sample_id"]


def test_own_names_count_before_synonyms() -> None:
    columns = Columns(["pixel_size_mm", "pixel_um"])
    assert [name for name, _ in columns.called("pixel_um")] == ["pixel_um", "pixel_size_mm"]
    assert not columns.is_ecotaxa


def test_columns_of_readers_are_left_out() -> None:
    columns = Columns(["image_path", "_reason", "source_path"])
    assert columns.find("image_path") is None
    assert columns.called("image") == []
