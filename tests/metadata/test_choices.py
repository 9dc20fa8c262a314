"""Which of several units: what the instrument can have decides, and every decision is told."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqqua.metadata.choices import Way, choose

RANGE = (5.0, 90.0)
SIZES = st.lists(st.one_of(st.none(), st.floats(1e-4, 1e4)), min_size=1, max_size=8)


def ways(numbers: list[float | None]) -> list[Way]:
    """The same numbers in µm and in mm."""
    raw = pl.Series(numbers, dtype=pl.Float64)
    return [Way(raw, "pixel [um/px]", "um/px", "pixel"), Way(raw * 1000, "pixel [mm/px]", "mm/px", "pixel")]


@given(SIZES)
def test_each_number_is_told_once_and_keeps_to_one_of_its_units(numbers: list[float | None]) -> None:
    chosen, findings = choose(ways(numbers), RANGE, "pixel", "um/px")
    told = sum(finding.count for finding in findings)
    plausible = 0
    for number, value in zip(numbers, chosen.value.to_list(), strict=True):
        assert value is None if number is None else value in {number, number * 1000}
        fits = [one for one in (number, (number or 0) * 1000) if one is not None and RANGE[0] <= one <= RANGE[1]]
        plausible += bool(fits) and number is not None
        if fits and number is not None:
            assert RANGE[0] <= value <= RANGE[1]
        elif number is not None:
            assert value == number
    assert told == plausible
    assert all(finding.do.startswith("confirm it in card.yaml") for finding in findings)


@pytest.mark.parametrize(
    ("number", "code", "value"),
    [(10.6, "unit_decided", 10.6), (0.0106, "unit_corrected", 10.6), (5000.0, None, 5000.0)],
)
def test_codes(number: float, code: str | None, value: float) -> None:
    chosen, findings = choose(ways([number]), RANGE, "pixel", "um/px")
    assert chosen.value.to_list() == pytest.approx([value])
    assert [finding.code for finding in findings] == ([code] if code else [])


def test_two_units_that_both_make_sense_are_a_warning() -> None:
    raw = pl.Series([20.0])
    told = [Way(raw, "v [L]", "L", "v"), Way(raw * 1000, "v [m3]", "m3", "v")]
    chosen, (finding,) = choose(told, (1, 1e5), "v", "L")
    assert chosen.value.to_list() == [20]
    assert (finding.code, finding.severity) == ("unit_ambiguous", "warning")
    assert "units: {v: L}" in finding.do


def test_without_a_range_the_first_unit_is_taken_and_told() -> None:
    chosen, (finding,) = choose(ways([10.6]), None, "pixel", "um/px")
    assert chosen.value.to_list() == [10.6]
    assert finding.code == "unit_assumed"


def test_one_unit_is_no_choice() -> None:
    assert choose(ways([10.6])[:1], RANGE, "pixel", "um/px")[1] == []
