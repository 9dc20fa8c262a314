"""What harmonisation looks at while it knows the raw columns: depths in order, columns that agree, plausible values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from aqqua.metadata.check import Finding
from aqqua.metadata.fields import FIELDS, Field
from aqqua.metadata.mapping import InstrumentMapping
from aqqua.metadata.reading import Reading

__all__ = ["COMPARED", "conflicts", "mend_depths", "odd_values", "place_altitudes", "unknown_volumes", "unused"]

# How far two columns of one field may differ: relative for sizes, absolute (degrees) for positions.
_RELATIVE = {"pixel_um": 0.02, "volume_l": 0.02, "subsample_factor": 0.001}
_ABSOLUTE = {"latitude": 0.05, "longitude": 0.05}
COMPARED = (*_RELATIVE, *_ABSOLUTE)


def conflicts(entry: Field, readings: Sequence[Reading]) -> list[Finding]:
    """Columns that say different things about one field.

    Args:
        entry: the field.
        readings: one per column, the one that counts first.
    """
    found = []
    first = readings[0] if readings else None
    for other in readings[1:]:
        if first is None or _columns_of(first) & _columns_of(other):
            continue
        apart = (first.value - other.value).abs()
        if entry.name in _RELATIVE:
            apart = apart / first.value.abs()
        differ = (apart > (_RELATIVE | _ABSOLUTE)[entry.name]).fill_null(False)
        if differ.any():
            one, two = first.value.filter(differ)[0], other.value.filter(differ)[0]
            told = (
                f"{first.column} and {other.column} disagree about the {entry.title}: {one:g} and {two:g} {entry.unit}"
            )
            do = f"the first was used; correct the wrong one, or set  overrides: {{{entry.name}: …}}  in card.yaml"
            found.append(Finding("warning", "columns_disagree", told, count=int(differ.sum()), do=do))
    return found


def _columns_of(reading: Reading) -> set[str]:
    return set(reading.column.split(" × "))


def mend_depths(frame: pl.DataFrame) -> tuple[pl.DataFrame, list[Finding]]:
    """Put the two depths in order, and let one stand for both where the other is missing."""
    low, high = frame["depth_min_m"], frame["depth_max_m"]
    swapped = (low > high).fill_null(False)
    alone = low.is_null() ^ high.is_null()
    findings = []
    if swapped.any():
        told = "the upper depth is below the lower one; the two were exchanged"
        findings.append(Finding("info", "depths_swapped", told, count=int(swapped.sum())))
    if alone.any():
        told = "only one end of the depth range is given; it was taken for both"
        findings.append(
            Finding("warning", "depth_one_end", told, count=int(alone.sum()), do="give both depths of a net")
        )
    frame = frame.with_columns(
        pl.min_horizontal("depth_min_m", "depth_max_m").alias("depth_min_m"),
        pl.max_horizontal("depth_min_m", "depth_max_m").alias("depth_max_m"),
    )
    return frame, findings


def place_altitudes(frame: pl.DataFrame, above_ground: Sequence[str]) -> tuple[pl.DataFrame, list[Finding]]:
    """What an altitude is: above the sea, or a depth with a minus sign – never the height above the sea floor.

    Args:
        frame: with the two depths and `altitude_m`.
        above_ground: columns that give a height above the ground.
    """
    altitude, findings = frame["altitude_m"], []
    depthless = frame["depth_min_m"].is_null() & frame["depth_max_m"].is_null()
    below = (altitude < 0).fill_null(False) & depthless
    if below.any():
        told = "an altitude below sea level is a depth: it was taken as one"
        do = "give  depth_m  instead; for a height above the sea floor give the depth too"
        findings.append(Finding("warning", "altitude_below_sea", told, count=int(below.sum()), do=do))
        low, high = (frame[name].zip_with(~below, -altitude) for name in ("depth_min_m", "depth_max_m"))
        frame = frame.with_columns(low.alias("depth_min_m"), high.alias("depth_max_m"))
        frame = frame.with_columns(altitude.set(below, None).alias("altitude_m"))
    above = frame["altitude_m"].is_not_null()
    if (above & ~depthless).any():
        told = "there is a depth and an altitude: the altitude was kept as height above sea level"
        do = "leave the altitude out if it is the height above the sea floor"
        findings.append(Finding("warning", "depth_and_altitude", told, count=int((above & ~depthless).sum()), do=do))
    for column in above_ground:
        told = f"{column} is a height above the ground, not above the sea, and was not used"
        findings.append(
            Finding("info", "height_above_ground", told, count=frame.height, do="give the depth of the image")
        )
    return frame, findings


def unknown_volumes(frame: pl.DataFrame, mapping: InstrumentMapping) -> list[Finding]:
    """Rows without a water volume: nothing can be counted per litre there, and the owner is asked."""
    count = frame["volume_l"].null_count()
    told = "the water volume is not known: there will be no abundances from these images"
    do = mapping.ask.get("volume_l") or FIELDS["volume_l"].ask
    return [Finding("info", "volume_missing", told, count=count, do=do)] if count else []


def odd_values(frame: pl.DataFrame, mapping: InstrumentMapping) -> list[Finding]:
    """Positions at 0/0, and values that this instrument can hardly have."""
    findings = []
    zero = int(((frame["latitude"] == 0) & (frame["longitude"] == 0)).fill_null(False).sum())
    if zero:
        told = "the position is 0° N 0° E, which mostly means that it is missing"
        do = "correct it, or confirm that the sample is from the Gulf of Guinea"
        findings.append(Finding("warning", "position_zero", told, count=zero, do=do))
    for name, (low, high) in mapping.plausible.items():
        value = frame[name]
        odd = (~value.is_between(low, high)).fill_null(False)
        if odd.any():
            entry = FIELDS[name]
            shown = f"{value.filter(odd)[0]:g} {entry.unit}"
            told = f"the {entry.title} {shown} is unusual for {mapping.name} ({low:g}–{high:g})"
            do = f"check the unit; to correct it, set  overrides: {{{name}: …}}  in card.yaml"
            findings.append(Finding("warning", "value_unusual", told, count=int(odd.sum()), do=do))
    return findings


def unused(raw: pl.DataFrame, readings: Mapping[str, Reading]) -> list[Finding]:
    """Texts of optional fields that gave no value: the image is kept, but not without a word.

    Args:
        raw: the rows as they were delivered.
        readings: how each field was read; those of required fields become rejects instead.
    """
    findings = []
    for name, reading in readings.items():
        entry = FIELDS[name]
        problem = reading.problem.struct.unnest()
        odd = reading.value.is_null() & problem["kind"].is_in(["unreadable", "impossible", "no unit"])
        if entry.required or not odd.any():
            continue
        first = odd.arg_true()[0]
        text, column = (problem[part][first] for part in ("text", "column"))
        told = f"the {entry.title} cannot be read in every row, and is missing there: {text[:60]!r} in column {column}"
        where = raw["source_path"][first] or ""
        line = raw["source_row"][first]
        findings.append(
            Finding(
                "warning",
                "value_unreadable",
                told,
                where=where if line is None else f"{where}, line {line}",
                count=int(odd.sum()),
                do=f"{entry.form}; or leave the cell empty",
            )
        )
    return findings
