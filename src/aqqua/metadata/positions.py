"""Latitudes and longitudes as people, tables and instruments write them."""

from __future__ import annotations

import re
from typing import Literal

import polars as pl

from aqqua.metadata.units import by_distinct, is_missing, missing_mask, number, plain_numbers, unit_of

__all__ = ["position", "positions"]

Axis = Literal["latitude", "longitude"]
_HEMISPHERE: dict[Axis, dict[str, int]] = {"latitude": {"N": 1, "S": -1}, "longitude": {"E": 1, "W": -1}}
_PART = r"[0-9]+(?:[.,][0-9]+)?"
# "d", "m" and "s" are no marks here: "s" could be the south.
_POSITION = re.compile(
    rf"(?P<before>[NSEW])?\s*(?P<sign>[+\-−]?)\s*(?P<degrees>{_PART})\s*(?:[°º˚*:]|Â°|DEG(?:REES)?)?\s*"
    rf"(?:(?P<minutes>{_PART})\s*(?:['′’:]|MIN)?\s*(?:(?P<seconds>{_PART})\s*(?:\"|″|”|''|SEC)?\s*)?)?"
    r"(?P<after>[NSEW])?"
)


def position(text: str | None, axis: Axis) -> float | None:
    """Read one latitude or longitude in degrees.

    Understands decimal degrees, degrees and minutes, degrees minutes and seconds (`43°0 0` as UVP6 writes them),
    each with sign or hemisphere, and `4341.08N` as GPS receivers write 43° 41.08' (NMEA 0183). The range is not
    checked here.

    Args:
        text: as written.
        axis: decides which hemisphere letters make sense.

    Returns:
        Degrees, north and east positive; None if missing or unreadable.
    """
    if text is None or is_missing(text):
        return None
    hit = _POSITION.fullmatch(text.strip().upper())
    if hit is None or (hit["before"] and hit["after"]):
        value, unit = number(text)
        return value if hit is None and (unit is None or unit_of(unit, "angle")) else None
    parts = [float(hit[name].replace(",", ".")) for name in ("degrees", "minutes", "seconds") if hit[name]]
    letter = hit["before"] or hit["after"]
    if letter and len(parts) == 1 and parts[0] > 180:
        parts = list(divmod(parts[0], 100))
    if any(part > 60 for part in parts[1:]) or any(part % 1 for part in parts[:-1]):
        return None
    size: float = sum(part / 60**power for power, part in enumerate(parts))
    return _signed(size, negative=hit["sign"] in {"-", "−"}, letter=letter, axis=axis)


def _signed(size: float, *, negative: bool, letter: str | None, axis: Axis) -> float | None:
    """The size with its sign, None where the hemisphere contradicts the sign or belongs to the other axis."""
    if letter is None:
        return -size if negative else size
    direction = _HEMISPHERE[axis].get(letter)
    if direction is None or (negative and direction > 0):
        return None
    return size if direction > 0 else -size


def positions(texts: pl.Series, axis: Axis) -> pl.DataFrame:
    """Read a column of latitudes or longitudes.

    Args:
        texts: as written, nulls allowed.
        axis: which of the two.

    Returns:
        `value` (f64, degrees), `bad` (there is a text, but no position) and `marked` (written otherwise than as a plain
        number of degrees), row by row.
    """
    stripped = texts.str.strip_chars()
    value = plain_numbers(stripped)
    rest = stripped.set(value.is_not_null() | missing_mask(texts), None)
    if rest.null_count() < len(rest):
        slow = by_distinct(rest, lambda text: position(text, axis), pl.Float64())
        value = slow.zip_with(rest.is_not_null(), value)
    bad = rest.is_not_null() & value.is_null()
    return pl.DataFrame({"value": value, "bad": bad, "marked": rest.is_not_null() & ~bad})
