"""From texts to the values of one field, row by row, and the reason wherever there is a text and no value."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import polars as pl

from aqqua.metadata.check import Finding
from aqqua.metadata.fields import Field
from aqqua.metadata.times import moments
from aqqua.metadata.units import missing_mask

__all__ = ["Reading", "first_of", "kinds", "nothing", "nulls", "problems", "read_moments", "read_text"]

_PROBLEM = pl.Struct({"kind": pl.String, "text": pl.String, "column": pl.String})


@dataclass(frozen=True)
class Reading:
    """One way to a field's values.

    Args:
        column: raw column or columns, for messages.
        how: columns, units and factor, for provenance.
        value: values in the house's unit, null where there is none.
        problem: kind ("unreadable", "impossible", "sentinel", "no unit", "no date"), text and column where a text gave
            no value.
        findings: what was decided or removed; `where` is filled in by the caller.
    """

    column: str
    how: str
    value: pl.Series
    problem: pl.Series
    findings: list[Finding] = field(default_factory=list)


def nothing(size: int, dtype: pl.DataType) -> Reading:
    """A reading without any value."""
    return Reading("", "", nulls(size, dtype), nulls(size, _PROBLEM))


def nulls(size: int, dtype: pl.DataType) -> pl.Series:
    """A series of nulls."""
    return pl.Series([None], dtype=dtype).new_from_index(0, size)


def read_text(name: str, text: pl.Series) -> Reading:
    """A column of words, without blanks around them."""
    value = text.str.strip_chars().set(missing_mask(text), None)
    return Reading(name, name, value, nulls(len(text), _PROBLEM))


def read_moments(on: tuple[str, pl.Series] | None, at: tuple[str, pl.Series] | None, entry: Field) -> Reading:
    """Columns of dates and times."""
    parsed = moments(on[1] if on else None, at[1] if at else None)
    texts = [column[1].fill_null("") for column in (on, at) if column]
    text = texts[0] if len(texts) == 1 else (texts[0] + " " + texts[1]).str.strip_chars()
    name = " + ".join(column[0] for column in (on, at) if column)
    low, high = entry.limits()
    value = parsed["value"]
    impossible = ((value < low) | (value > high)).fill_null(False)
    undated = parsed["bad"] & missing_mask(on[1]) if on else parsed["bad"] & False
    kind = kinds(unreadable=parsed["bad"], impossible=impossible, **{"no date": undated})
    value = value.set(impossible, None)
    findings = []
    dateonly = int((parsed["dateonly"] & value.is_not_null()).sum())
    if dateonly:
        told = f"{name}: no time of day is given, midnight UTC is taken"
        findings.append(
            Finding("info", "time_of_day_missing", told, count=dateonly, do="give the time where it is known")
        )
    return Reading(name, f"{name} [UTC]", value, problems(kind, text, name), findings)


def kinds(**masks: pl.Series) -> pl.Series:
    """The name of the last mask that is true, row by row."""
    kind = pl.Series([None], dtype=pl.String).new_from_index(0, len(next(iter(masks.values()))))
    for name, mask in masks.items():
        kind = kind.set(mask.fill_null(False), name)
    return kind


def problems(kind: pl.Series, text: pl.Series, column: str) -> pl.Series:
    """Kind, text and column where there is a kind, else nulls."""
    here = kind.is_not_null()
    told = pl.DataFrame(
        {
            "kind": kind,
            "text": text.set(~here, None),
            "column": pl.Series([column]).new_from_index(0, len(kind)).set(~here, None),
        }
    )
    return told.to_struct("problem")


def first_of(readings: Iterable[Reading], size: int, dtype: pl.DataType) -> Reading:
    """The first value of each row, and for the rest the first reason; no more is read than it takes."""
    value, problem = nulls(size, dtype), nulls(size, _PROBLEM)
    used, findings = [], []
    for reading in readings:
        new = value.is_null() & reading.value.is_not_null()
        if new.any():
            used.append(reading)
        if new.any() or reading.value.null_count() == size:
            findings += reading.findings
        value = reading.value.cast(dtype).zip_with(new, value)
        kind = reading.problem.struct.field("kind")
        if kind.null_count() < size:
            told = problem.struct.field("kind").is_null() & kind.is_not_null()
            problem = reading.problem.zip_with(told, problem)
        if value.null_count() == 0:
            break
    return Reading(
        column=", ".join(dict.fromkeys(reading.column for reading in used)),
        how=", else ".join(dict.fromkeys(reading.how for reading in used)),
        value=value,
        problem=problem,
        findings=findings,
    )
