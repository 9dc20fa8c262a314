"""Numbers and units: each form, and the columns like the single texts."""

from __future__ import annotations

import math

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqqua.metadata.units import (
    Quantity,
    guess_pixel_unit,
    is_missing,
    number,
    numbers,
    unit_of,
)

FINITE = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("5", 5, None),
        (" -5.25 ", -5.25, None),
        ("−5", -5, None),
        ("+.5", 0.5, None),
        ("5.", 5, None),
        ("1,5", 1.5, None),
        ("1e-3", 0.001, None),
        ("1,5E+2", 150, None),
        ("0.18_ml", 0.18, "ml"),
        ("10.6 µm", 10.6, "µm"),
        ("3.4 px/µm", 3.4, "px/µm"),
        ("2400dpi", 2400, "dpi"),
        ("1,234.5", 1234.5, None),
        ("1.234,5", 1234.5, None),
        ("1 234,5", 1234.5, None),
        ("1\u00a0234", 1234, None),
        ("1'000", 1000, None),
        ("1,234,567", 1234567, None),
    ],
)
def test_number(text: str, value: float, unit: str | None) -> None:
    assert number(text) == (value, unit)


NO_NUMBERS = [
    *["", "nan", "NA", "#N/A", "inf", "-Infinity", "abc", "12abc", "300?", "1_000", "0x10", "1,2,3", "2014.05.28"],
    *["1e999", "--", "1-2", "5 bananas", "12.34.56", "1,23,456.7", "٣", None],
]


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_what_is_no_number(text: str | None) -> None:
    assert number(text) == (None, None)


@given(FINITE)
def test_number_reads_what_python_writes(value: float) -> None:
    assert number(repr(value)) == (value, None)


@given(FINITE, st.sampled_from(["", " mL", "_ml", " µm", "m"]))
def test_decimal_commas_mean_the_same(value: float, unit: str) -> None:
    text = repr(value)
    assert number(text.replace(".", ",") + unit)[0] == value


@given(st.integers(1000, 10**12), st.sampled_from([",", ".", " ", "'"]))
def test_thousands_separators(value: int, mark: str) -> None:
    text = f"{value:,}".replace(",", mark)
    if text.count(mark) > 1 or mark in " '":
        assert number(text)[0] == value


@given(st.lists(st.one_of(FINITE.map(repr), st.text(max_size=8), st.sampled_from(NO_NUMBERS), st.none())))
def test_a_column_is_read_like_its_texts(texts: list[str | None]) -> None:
    parsed = numbers(pl.Series(texts, dtype=pl.String))
    for text, (value, unit, bad) in zip(texts, parsed.iter_rows(), strict=True):
        assert (value, unit) == number(text)
        assert bad == (not is_missing(text) and value is None)


@given(st.text())
def test_no_text_breaks_the_parsers(text: str) -> None:
    value, unit = number(text)
    assert value is None or math.isfinite(value)
    assert unit is None or value is not None
    for quantity in ("pixel", "volume", "length", "angle", "ratio", "pressure"):
        unit_of(text, quantity)


@pytest.mark.parametrize(
    ("text", "quantity", "value", "expected"),
    [
        ("µm", "pixel", 10.6, 10.6),
        ("μm/px", "pixel", 10.6, 10.6),
        ("um per pixel", "pixel", 2, 2),
        ("microns", "pixel", 2, 2),
        ("mm", "pixel", 0.0106, 10.6),
        ("[mm/px]", "pixel", 0.118, 118),
        ("nm", "pixel", 500, 0.5),
        ("px/um", "pixel", 3.4, 1 / 3.4),
        ("pixels per mm", "pixel", 50, 20),
        ("dpi", "pixel", 2400, 10.5833333),
        ("L", "volume", 3, 3),
        ("mL", "volume", 5, 0.005),
        ("ul", "volume", 5, 5e-6),
        ("m3", "volume", 107.6532, 107653.2),
        ("m³", "volume", 2, 2000),
        ("cm^3", "volume", 2, 0.002),
        ("Litres", "volume", 2, 2),
        ("m", "length", 12, 12),
        ("cm", "length", 250, 2.5),
        ("fathoms", "length", 10, 18.288),
        ("centimetres", "length", 250, 2.5),
        ("deg", "angle", 45, 45),
        ("dd.mmmm", "angle", 43.4108, 43 + 41.08 / 60),
        ("ddmm.mm", "angle", -4341.08, -43 - 41.08 / 60),
        ("dbar", "pressure", 1027.9, 1027.9),
        ("bar", "pressure", 12.3, 123),
        ("MPa", "pressure", 1, 100),
        ("hPa", "pressure", 1013, 10.13),
        ("1", "ratio", 8, 8),
    ],
)
def test_units(text: str, quantity: Quantity, value: float, expected: float) -> None:
    unit = unit_of(text, quantity)
    assert unit is not None
    assert unit.quantity == quantity
    assert unit.convert(value) == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize(
    ("text", "quantity"), [("mL", "pixel"), ("mm", "volume"), ("px", "pixel"), ("", "ratio"), (None, "length")]
)
def test_units_of_another_quantity_are_none(text: str | None, quantity: Quantity) -> None:
    assert unit_of(text, quantity) is None


@given(st.floats(1e-3, 1e3), st.sampled_from(["um", "mm", "px/um", "px/mm", "dpi"]))
def test_pixel_units_round_trip(micrometres: float, text: str) -> None:
    unit = unit_of(text, "pixel")
    assert unit is not None
    written = unit.factor / micrometres if unit.inverse else micrometres / unit.factor
    assert unit.convert(written) == pytest.approx(micrometres)


@pytest.mark.parametrize(
    ("value", "symbol"), [(0.0106, "mm/px"), (0.118, "mm/px"), (10.6, "um/px"), (0.5, "um/px"), (300, "um/px")]
)
def test_guessed_pixel_units(value: float, symbol: str) -> None:
    unit = guess_pixel_unit(value)
    assert unit is not None
    assert unit.symbol == symbol


@pytest.mark.parametrize("value", [0, -1, 2400, 0.0001])
def test_pixel_units_that_cannot_be_guessed(value: float) -> None:
    assert guess_pixel_unit(value) is None
