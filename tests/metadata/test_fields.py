"""The one table of fields, and what is made of it."""

from __future__ import annotations

import polars as pl
import pytest

from aqqua.metadata.fields import FIELDS, REQUIRED, arrow_schema, polars_schema, reference
from aqqua.metadata.units import QUANTITY_OF_UNIT

COLUMNS = [
    *["key", "width", "height", "channels", "dtype", "channel_names", "nbytes", "xxh3", "object_id", "sample_id"],
    *["acquisition_id", "sample_idx", "project", "image_rank", "instrument", "instrument_id", "modality", "time_utc"],
    *["latitude", "longitude", "depth_min_m", "depth_max_m", "altitude_m", "pixel_um", "volume_l", "subsample_factor"],
    *["source_path", "source_row"],
]


def test_columns_are_those_of_the_format() -> None:
    assert list(FIELDS) == COLUMNS
    assert REQUIRED == ("time_utc", "latitude", "longitude", "depth_min_m", "depth_max_m", "pixel_um")


def test_polars_types() -> None:
    schema = polars_schema()
    assert schema["xxh3"] == pl.UInt64
    assert schema["time_utc"] == pl.Datetime("ms", "UTC")
    assert schema["latitude"] == pl.Float64
    assert schema["pixel_um"] == pl.Float32
    assert schema["source_row"] == pl.Int32


def test_arrow_schema_is_that_of_polars_with_units() -> None:
    schema = arrow_schema()
    frame = pl.from_arrow(schema.empty_table())
    assert isinstance(frame, pl.DataFrame)
    assert dict(frame.schema) == polars_schema()
    assert schema.field("pixel_um").metadata[b"unit"] == b"um/px"


@pytest.mark.parametrize("name", [name for name, field in FIELDS.items() if field.numeric])
def test_every_number_has_a_unit_of_the_house(name: str) -> None:
    assert FIELDS[name].unit in QUANTITY_OF_UNIT


@pytest.mark.parametrize("name", REQUIRED)
def test_required_fields_say_what_to_do(name: str) -> None:
    field = FIELDS[name]
    assert field.title
    assert field.ask
    assert field.form
    low, high = field.limits()
    assert low < high


def test_reference_has_a_row_per_field() -> None:
    lines = reference().splitlines()
    assert len(lines) == len(FIELDS) + 2
    assert len({line.count(" | ") for line in lines if not line.startswith("|---")}) == 1
    row = next(line for line in lines if "`latitude`" in line)
    assert "decimalLatitude" in row
    assert "-90 … 90" in row
    assert "yes" in row
