"""Which unit a number is in, where a column may be in several: what the instrument can have decides, and it is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import polars as pl

from aqqua.metadata.check import Finding

__all__ = ["Way", "choose"]


@dataclass(frozen=True)
class Way:
    """The values that one choice of units gives.

    Args:
        value: in the house's unit.
        how: columns, units and factor, for provenance.
        symbols: the units that were chosen.
        column: the first column that leaves a choice.
    """

    value: pl.Series
    how: str
    symbols: str = ""
    column: str = ""


def choose(
    ways: Sequence[Way], plausible: tuple[float, float] | None, column: str, unit: str
) -> tuple[Way, list[Finding]]:
    """Take the first way, unless only another gives what the instrument can have.

    Args:
        ways: in order of preference.
        plausible: the instrument's range; None: nobody knows it.
        column: for messages.
        unit: the house's, for messages.

    Returns:
        The values, and what was decided, why and in how many rows – whenever there was something to decide.
    """
    first = ways[0]
    if len(ways) == 1:
        return first, []
    here = first.value.is_not_null()
    if plausible is None:
        told = f"{column} was read in {first.symbols}, the first of several units that the mapping allows"
        return first, _told("warning", "unit_assumed", told, first, here)
    fits = [way.value.is_between(*plausible).fill_null(False) for way in ways]
    others = pl.Series([False]).new_from_index(0, len(here))
    for other in fits[1:]:
        others = others | other
    span = f"{plausible[0]:g}–{plausible[1]:g} {unit}"
    told = f"{column} was read in {first.symbols}: only so it lies within {span}, as usual for the instrument"
    findings = _told("info", "unit_decided", told, first, here & fits[0] & ~others)
    told = f"{column} was read in {first.symbols}, though another unit would lie within the usual {span} too"
    findings += _told("warning", "unit_ambiguous", told, first, here & fits[0] & others)
    value, how, taken = first.value, first.how, fits[0]
    for way, fit in zip(ways[1:], fits[1:], strict=True):
        better = fit & ~taken
        taken = taken | fit
        if better.any():
            value, how = way.value.zip_with(better, value), way.how
            told = f"{column} only makes sense in another unit than expected, in {way.symbols} and not {first.symbols}"
            findings += _told("warning", "unit_corrected", f"{told}: {way.how}", way, better)
    return replace(first, value=value, how=how), findings


def _told(severity: Literal["info", "warning"], code: str, told: str, way: Way, rows: pl.Series) -> list[Finding]:
    """What was decided, with the first value that it gives, if it concerns any row."""
    if not rows.any():
        return []
    do = f"confirm it in card.yaml, for example  units: {{{way.column}: {way.symbols}}}"
    told = f"{told} (gives {way.value.filter(rows)[0]:.4g})"
    return [Finding(severity, code, told, count=int(rows.sum()), do=do)]
