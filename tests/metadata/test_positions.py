"""Latitudes and longitudes in every form, and the columns like the single texts."""

from __future__ import annotations

import math

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqqua.metadata.positions import Axis, position, positions
from aqqua.metadata.units import is_missing

FINITE = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("text", "axis", "degrees"),
    [
        ("-44.72543333333333", "latitude", -44.72543333333333),
        ("43,5", "latitude", 43.5),
        ("43°0 0", "latitude", 43.0),
        ("1°30 1", "latitude", 1.5002777777777778),
        ("-1°30 00", "latitude", -1.5),
        ("-0°30 00", "latitude", -0.5),
        ("-1°30 60", "latitude", -1.5166666666666666),
        ("43 30.5", "latitude", 43 + 30.5 / 60),
        ("43° 30' 36\" N", "latitude", 43.51),
        ("43°30.6′S", "latitude", -43.51),
        ("43 30 36S", "latitude", -43.51),
        ("N 43.51", "latitude", 43.51),
        ("-43.51 S", "latitude", -43.51),
        ("80.05 W", "longitude", -80.05),
        ("80º03'00\"W", "longitude", -80.05),
        ("5e-1", "longitude", 0.5),
        ("43.5 deg", "latitude", 43.5),
        ("080:03:00W", "longitude", -80.05),
        ("4341.08N", "latitude", 43 + 41.08 / 60),
        ("08003.5 W", "longitude", -80 - 3.5 / 60),
        ("00deg30S", "latitude", -0.5),
    ],
)
def test_positions(text: str, axis: Axis, degrees: float) -> None:
    assert position(text, axis) == pytest.approx(degrees, abs=1e-9)


@pytest.mark.parametrize(
    ("text", "axis"),
    [
        ("80.05 W", "latitude"),
        ("43.5 N", "longitude"),
        ("-43.5 N", "latitude"),
        ("N 43 S", "latitude"),
        ("43°61 0", "latitude"),
        ("4361.0N", "latitude"),
        ("43.5°30 0", "latitude"),
        ("12 m", "latitude"),
        ("north", "latitude"),
        ("43d30m15s", "latitude"),
        ("nan", "latitude"),
        ("", "latitude"),
        (None, "longitude"),
    ],
)
def test_what_is_no_position(text: str | None, axis: Axis) -> None:
    assert position(text, axis) is None


@given(st.integers(0, 89), st.integers(0, 59), st.integers(0, 59), st.sampled_from("NS"))
def test_degrees_minutes_seconds(degrees: int, minutes: int, seconds: int, hemisphere: str) -> None:
    expected = (degrees + minutes / 60 + seconds / 3600) * (1 if hemisphere == "N" else -1)
    sign = "-" if hemisphere == "S" else ""
    for text in (
        f"{degrees}°{minutes}'{seconds}\"{hemisphere}",
        f"{sign}{degrees}°{minutes} {seconds}",
        f"{hemisphere}{degrees} {minutes} {seconds}",
    ):
        assert position(text, "latitude") == pytest.approx(expected, abs=1e-9)


@given(st.lists(st.one_of(FINITE.map(repr), st.text("0123456789°'\"NSEW.,- ", max_size=10), st.none())))
def test_a_column_of_positions_is_read_like_its_texts(texts: list[str | None]) -> None:
    parsed = positions(pl.Series(texts, dtype=pl.String), "longitude")
    for text, (value, bad, marked) in zip(texts, parsed.iter_rows(), strict=True):
        assert value == position(text, "longitude")
        assert bad == (not is_missing(text) and value is None)
        assert not marked or value is not None


def test_what_is_no_plain_number_of_degrees_is_marked() -> None:
    parsed = positions(pl.Series(["43.5", "43°30 0", "", None, "x"], dtype=pl.String), "latitude")
    assert parsed["marked"].to_list() == [False, True, False, False, False]


@given(st.text())
def test_no_text_breaks_it(text: str) -> None:
    axes: tuple[Axis, ...] = ("latitude", "longitude")
    for axis in axes:
        found = position(text, axis)
        assert found is None or math.isfinite(found)
