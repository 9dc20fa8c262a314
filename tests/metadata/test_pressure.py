"""Depth from pressure: the check value of its source, and what any ocean does."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqqua.metadata.pressure import depth_m


def one(pressure: float, latitude: float) -> float:
    return float(depth_m(pl.Series([pressure]), pl.Series([latitude]))[0])


def test_check_value_of_unesco_44() -> None:
    assert one(10_000, 30) == pytest.approx(9712.653, abs=0.001)


def test_another_formula_says_the_same() -> None:
    """Saunders (1981), J. Phys. Oceanogr. 11, 573-574: 7500.004 dbar at 30° are 7321.45 m."""
    assert one(7500.004, 30) == pytest.approx(7321.45, rel=2e-4)


@given(st.floats(0, 11_000), st.floats(0, 11_000), st.floats(-90, 90))
def test_more_pressure_is_deeper_and_a_decibar_is_about_a_metre(first: float, second: float, latitude: float) -> None:
    low, high = sorted((first, second))
    assert one(low, latitude) <= one(high, latitude)
    assert 0.96 * high <= one(high, latitude) <= 1.0 * high


@given(st.floats(1, 11_000), st.floats(0, 90))
def test_both_hemispheres_are_alike_and_the_pole_is_shallower(pressure: float, latitude: float) -> None:
    assert one(pressure, latitude) == one(pressure, -latitude)
    assert one(pressure, 90) <= one(pressure, latitude) <= one(pressure, 0)
