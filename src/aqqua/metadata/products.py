"""Numbers of one field from one column or the product of several, each in its unit, within what can be."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import polars as pl

from aqqua.metadata.check import Finding
from aqqua.metadata.choices import Way, choose
from aqqua.metadata.fields import Field
from aqqua.metadata.positions import positions
from aqqua.metadata.reading import Reading, kinds, nulls, problems, read_moments, read_text
from aqqua.metadata.units import QUANTITY_OF_UNIT, Quantity, Unit, guess_pixel_unit, numbers, unit_of

__all__ = ["GUESS", "Column", "below_surface", "read_constant", "read_product"]

GUESS = "guess"


@dataclass(frozen=True)
class Column:
    """One factor of a product.

    Args:
        name: the raw column, or what stands for it.
        text: its texts.
        units: what the numbers mean; the first unless implausible; `GUESS`: by their size.
        power: 1 or -1.
        minus: name and texts of a column to subtract.
        missing: numbers that mean "no value".
        optional: counts 1 where it has none.
        declared: whether the unit is the owner's word.
    """

    name: str
    text: pl.Series
    units: tuple[Unit | str, ...]
    power: int = 1
    minus: tuple[str, pl.Series] | None = None
    missing: tuple[float, ...] = ()
    optional: bool = False
    declared: bool = False


def read_product(
    columns: Sequence[Column], entry: Field, plausible: tuple[float, float] | None, factor: float = 1.0
) -> Reading:
    """Columns of numbers, multiplied.

    Args:
        columns: the factors; most rules have one.
        entry: the field, for its unit and possible values.
        plausible: what the instrument can have, to choose among several units.
        factor: of the rule.
    """
    parts = [_part(column, entry, single=len(columns) == 1) for column in columns]
    choices = list(itertools.product(*(range(max(1, len(column.units))) for column in columns)))
    open_to = next((column.name for column in columns if len(column.units) > 1), "")
    ways = [
        Way(
            _product(parts, choice, factor),
            _how(columns, parts, choice, factor),
            _symbols(columns, parts, choice),
            open_to,
        )
        for choice in choices
    ]
    chosen, decided = choose(ways, plausible, " × ".join(column.name for column in columns), entry.unit or "1")
    findings = [*(finding for part in parts for finding in part.findings), *decided]
    return _within(
        Reading(" × ".join(column.name for column in columns), chosen.how, chosen.value, parts[0].problem, findings),
        parts,
        entry,
    )


@dataclass(frozen=True)
class _Part:
    """One factor's numbers in each of its possible units."""

    values: list[pl.Series]
    text: pl.Series
    problem: pl.Series
    power: int
    findings: list[Finding]
    optional: bool
    symbols: list[str]


def _part(column: Column, entry: Field, *, single: bool) -> _Part:
    quantity = _quantity(column, entry, single)
    angle = quantity == "angle"
    parsed = (
        positions(column.text, "longitude" if entry.name == "longitude" else "latitude")
        if angle
        else numbers(column.text)
    )
    value, findings = parsed["value"], _noted(column, parsed)
    if column.minus:
        value = value - numbers(column.minus[1])["value"]
    sentinels = [float(mark) for mark in (*(entry.sentinels if single else ()), *column.missing)]
    sentinel = value.is_in(sentinels).fill_null(False) if sentinels else value.is_null() & False
    if sentinel.any():
        shown = ", ".join(sorted({str(text) for text in column.text.filter(sentinel).unique().to_list()})[:3])
        told = f"{column.name}: {shown} stands for a missing value and was removed"
        findings.append(Finding("info", "sentinel_removed", told, count=int(sentinel.sum())))
    value = value.set(sentinel, None)
    bad = parsed["bad"] | _no_minutes(column, value)
    own, no_unit = (None, None) if angle else _by_own_units(parsed["unit"].set(value.is_null(), None), value, quantity)
    value = value.set(bad, None)
    values, symbols = [], []
    for unit in column.units or (_house_unit(entry),):
        converted, symbol = _convert(value, unit, column, findings)
        values.append(converted if own is None else own.zip_with(own.is_not_null(), converted))
        symbols.append(symbol)
    unknown = (value.is_not_null() & values[0].is_null()) if no_unit is None else no_unit
    kind = kinds(unreadable=bad, sentinel=sentinel, **{"no unit": unknown})
    if no_unit is not None:
        values = [converted.set(no_unit, None) for converted in values]
    return _Part(
        values, column.text, problems(kind, column.text, column.name), column.power, findings, column.optional, symbols
    )


def _noted(column: Column, parsed: pl.DataFrame) -> list[Finding]:
    """What the owner said about a column, and positions that are no plain numbers of degrees."""
    findings = []
    values = len(parsed) - parsed["value"].null_count()
    if column.declared and values:
        symbols = "/".join(unit.symbol for unit in column.units if isinstance(unit, Unit))
        told = f"{column.name} was read in {symbols}, as the owner's card says"
        findings.append(Finding("info", "unit_by_owner", told, count=values))
    if "marked" in parsed.columns and parsed["marked"].any():
        text, degrees = column.text.filter(parsed["marked"])[0], parsed["value"].filter(parsed["marked"])[0]
        told = f"{column.name}: positions such as {text!r} were read as degrees, minutes and seconds: {degrees:.6f}°"
        findings.append(Finding("info", "position_in_minutes", told, count=int(parsed["marked"].sum())))
    return findings


def _no_minutes(column: Column, value: pl.Series) -> pl.Series:
    """Where a number that should hold degrees and minutes has 60 minutes or more."""
    unit = next((unit for unit in column.units if isinstance(unit, Unit) and unit.sexagesimal), None)
    return (value.abs() * (unit.factor if unit else 0.0) % 100 >= 60).fill_null(False)


def _symbols(columns: Sequence[Column], parts: Sequence[_Part], choice: Sequence[int]) -> str:
    """The units of a choice, of those columns that leave one."""
    return ", ".join(
        part.symbols[index] for column, part, index in zip(columns, parts, choice, strict=True) if len(column.units) > 1
    )


def _quantity(column: Column, entry: Field, single: bool) -> Quantity:
    for unit in column.units:
        if isinstance(unit, Unit):
            return unit.quantity
    return QUANTITY_OF_UNIT[entry.unit or "1"] if single else "ratio"


def _house_unit(entry: Field) -> Unit:
    symbol = entry.unit or "1"
    unit = unit_of(symbol, QUANTITY_OF_UNIT[symbol])
    assert unit is not None
    return unit


def _by_own_units(units: pl.Series, value: pl.Series, quantity: Quantity) -> tuple[pl.Series | None, pl.Series | None]:
    """Numbers that carry a unit in their text, converted by it; and where that unit is of another quantity."""
    if units.null_count() == len(units):
        return None, None
    own = nulls(len(value), pl.Float64())
    wrong = units.is_null() & False
    for text in units.drop_nulls().unique().to_list():
        here = (units == text).fill_null(False)
        unit = unit_of(text, quantity)
        if unit is None:
            wrong = wrong | here
        else:
            own = unit.convert(value).zip_with(here, own)
    return own, wrong


def _convert(value: pl.Series, unit: Unit | str, column: Column, findings: list[Finding]) -> tuple[pl.Series, str]:
    if isinstance(unit, Unit):
        return unit.convert(value), unit.symbol
    return _guessed(value, column.name, findings)


def _guessed(value: pl.Series, name: str, findings: list[Finding]) -> tuple[pl.Series, str]:
    """Pixel sizes whose unit nobody states, by their size."""
    found = {size: guess_pixel_unit(size) for size in value.drop_nulls().unique().to_list()}
    by_unit = {unit.symbol: unit for unit in found.values() if unit}
    factors = {size: unit.factor for size, unit in found.items() if unit}
    converted = value * value.replace_strict(factors, default=None, return_dtype=pl.Float64) if found else value
    for symbol in by_unit:
        told = f"{name} has no unit; from its size it was taken as {symbol}"
        count = int(value.is_in([size for size, unit in found.items() if unit and unit.symbol == symbol]).sum())
        findings.append(
            Finding("warning", "unit_guessed", told, count=count, do="confirm, or give pixel_um in card.yaml")
        )
    return converted, "/".join(f"{symbol}?" for symbol in by_unit)


def _product(parts: Sequence[_Part], choice: Sequence[int], factor: float) -> pl.Series:
    total: pl.Series | None = None
    for part, index in zip(parts, choice, strict=True):
        value = part.values[index]
        value = value.fill_null(1.0) if part.optional else value
        value = value.set((value == 0).fill_null(False), None) if part.power < 0 else value
        total = value if total is None and part.power > 0 else 1 / value if total is None else (
            total * value if part.power > 0 else total / value
        )  # fmt: skip
    assert total is not None
    return total if factor == 1.0 else total * factor


def _how(columns: Sequence[Column], parts: Sequence[_Part], choice: Sequence[int], factor: float) -> str:
    told = ""
    for column, part, index in zip(columns, parts, choice, strict=True):
        name = column.name if column.minus is None else f"({column.name} − {column.minus[0]})"
        sign = " × " if column.power > 0 else " ÷ "
        said = ", says the card" if column.declared else ""
        told += f"{sign if told else ''}{name} [{part.symbols[index]}{said}]"
    if len(columns) == 1 and isinstance(unit := (columns[0].units or ("",))[choice[0]], Unit):
        told = _with_factor(told, unit)
    return told if factor == 1.0 else f"{told} × {factor:g}"


def _with_factor(told: str, unit: Unit) -> str:
    if unit.inverse:
        return f"{unit.factor:g} ÷ {told}"
    return told if unit.factor == 1 else f"{told} × {unit.factor:g}"


def _within(reading: Reading, parts: Sequence[_Part], entry: Field) -> Reading:
    """Remove what cannot be; depths a little above the surface and longitudes east of 180 are brought into range."""
    value, findings = reading.value, list(reading.findings)
    if entry.name.startswith("depth_"):
        value = below_surface(value, reading.column, findings)
    if entry.name == "longitude":
        east = ((value > 180) & (value <= 360)).fill_null(False)
        value = (value - 360).zip_with(east, value)
        if east.any():
            told = f"{reading.column}: longitudes of 180 to 360 degrees east were written as west"
            findings.append(Finding("info", "longitude_wrapped", told, count=int(east.sum())))
    low, high = entry.limits()
    low, high = (-float("inf") if low is None else low), (float("inf") if high is None else high)
    impossible = (~value.is_between(low, high)).fill_null(False)
    kind = kinds(impossible=impossible)
    problem = problems(kind, parts[0].text, reading.column)
    for part in parts:
        problem = problem.zip_with(problem.struct.field("kind").is_not_null() | value.is_not_null(), part.problem)
    return replace(reading, value=value.set(impossible, None), problem=problem, findings=findings)


_SWELL_M = 10.0


def below_surface(value: pl.Series, name: str, findings: list[Finding]) -> pl.Series:
    """Depths are positive downwards; `findings` gets what was done to those that are not.

    A sensor in the swell reads a few metres above the surface: those become 0. A column that is negative throughout
    gives heights, and is turned over.
    """
    negative = (value < 0).fill_null(False)
    if not negative.any():
        return value
    count = int(negative.sum())
    if (value.min() or 0) < -_SWELL_M and (value.max() or 0) <= 0:  # type: ignore[operator]
        told = f"{name}: all values are negative; they were taken as heights and turned into depths"
        findings.append(
            Finding("warning", "depth_sign_turned", told, count=count, do="confirm that the depths are right")
        )
        return -value
    swell = negative & (value >= -_SWELL_M).fill_null(False)
    if swell.any():
        told = f"{name}: depths up to {_SWELL_M:g} m above the surface were set to 0 m"
        findings.append(
            Finding("warning", "depth_above_surface", told, count=int(swell.sum()), do="check the pressure offset")
        )
    return value.set(swell, 0.0)


def read_constant(name: str, text: str, unit: Unit | str | None, entry: Field, size: int) -> Reading:
    """One value for all rows, from a card."""
    # What can be a time depends on when it is asked; the rest is read once for all tables.
    reading = _read_one(name, text, unit, entry) if entry.dtype != "datetime" else _one(name, text, unit, entry)
    return replace(
        reading,
        value=reading.value.new_from_index(0, size),
        problem=reading.problem.new_from_index(0, size),
        findings=[],
    )


def _one(name: str, text: str, unit: Unit | str | None, entry: Field) -> Reading:
    one = pl.Series([text], dtype=pl.String)
    if entry.dtype == "datetime":
        return read_moments((name, one), None, entry)
    if entry.numeric:
        return read_product([Column(name, one, (unit,) if unit else ())], entry, None)
    return read_text(name, one)


_read_one = lru_cache(maxsize=256)(_one)
