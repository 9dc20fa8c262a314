"""Dates and times as people, tables and instruments write them, always read as UTC unless an offset is written.

A date that could mean two days ("03/04/2014") is not read: nobody can know which one was meant.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

import polars as pl

from aqqua.metadata.units import by_distinct, is_missing, missing_mask

__all__ = ["clock", "day", "long_clock", "moment", "moments"]

_MONTH_NAMES = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_MONTHS = {name: index + 1 for index, name in enumerate(_MONTH_NAMES)}
_COMPACT_DAY = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})(?:\.0+)?")
_YEAR_FIRST = re.compile(r"([0-9]{4})[-/._ ]([0-9]{1,2})[-/._ ]([0-9]{1,2})")
_YEAR_LAST = re.compile(r"([0-9]{1,2})([-/._ ])([0-9]{1,2})\2([0-9]{4})")
_NAMED_MONTH = re.compile(
    r"(?:(?P<day1>[0-9]{1,2})(?:st|nd|rd|th)?[-/., ]+(?P<month1>[a-z]{3,9})"
    r"|(?P<month2>[a-z]{3,9})[-/., ]+(?P<day2>[0-9]{1,2}))"
    r"[-/., ]+(?P<year>[0-9]{4})"
)


def day(text: str | None) -> date | None:
    """Read a date.

    Understands YYYYMMDD, YYYY-MM-DD (also with / or .), DD.MM.YYYY, months by name, and day and month in either
    order where only one order is possible.

    Args:
        text: as written.

    Returns:
        The date; None if missing, impossible or ambiguous.
    """
    if text is None or is_missing(text):
        return None
    text = text.strip().lower()
    if hit := _COMPACT_DAY.fullmatch(text) or _YEAR_FIRST.fullmatch(text):
        return _date(*(int(part) for part in hit.groups()))
    if hit := _YEAR_LAST.fullmatch(text):
        return _day_and_month(int(hit[1]), int(hit[3]), int(hit[4]), dotted=hit[2] == ".")
    if hit := _NAMED_MONTH.fullmatch(text):
        month = _MONTHS.get((hit["month1"] or hit["month2"])[:3])
        return None if month is None else _date(int(hit["year"]), month, int(hit["day1"] or hit["day2"]))
    return None


def _day_and_month(first: int, second: int, year: int, *, dotted: bool) -> date | None:
    if dotted or first > 12 or first == second:
        return _date(year, second, first)
    return _date(year, first, second) if second > 12 else None


def _date(year: int, month: int, day_of_month: int) -> date | None:
    try:
        return date(year, month, day_of_month)
    except ValueError:
        return None


_DIGITS = re.compile(r"([0-9]{1,6})(?:\.0+)?")
_LONG_DIGITS = re.compile(r"([0-9]{6})\.([0-9]{1,6})")
_COLONS = re.compile(r"([0-9]{1,2})[:h]([0-9]{1,2})(?:[:m]([0-9]{1,2})(?:[.,]([0-9]{1,9}))?)?\s*(am|pm)?")


def clock(text: str | None) -> time | None:
    """Read a time of day.

    Understands HHMMSS and HHMM, also where a spreadsheet ate leading zeros (930 = 09:30, 90239 = 09:02:39: EcoTaxa's
    own rule), and HH:MM, HH:MM:SS with fractions, with or without AM/PM.

    Args:
        text: as written.

    Returns:
        The time; None if missing or impossible.
    """
    if text is None or is_missing(text):
        return None
    text = re.sub(r"\s*(z|utc|gmt)$", "", text.strip().lower())
    if hit := _DIGITS.fullmatch(text):
        digits = hit[1].zfill(4 if len(hit[1]) <= 4 else 6)
        return _time(int(digits[:2]), int(digits[2:4]), int(digits[4:6] or 0), 0)
    if hit := _LONG_DIGITS.fullmatch(text):
        return _time(int(hit[1][:2]), int(hit[1][2:4]), int(hit[1][4:6]), _microseconds(hit[2]))
    if hit := _COLONS.fullmatch(text):
        hour, half = int(hit[1]), hit[5]
        if half and not 1 <= hour <= 12:
            return None
        if half:
            hour = hour % 12 + (12 if half == "pm" else 0)
        return _time(hour, int(hit[2]), int(hit[3] or 0), _microseconds(hit[4]))
    return None


_HUNDREDTHS = re.compile(r"[0-9]{8}")


def long_clock(text: str | None) -> time | None:
    """Read a time of day as `clock` does, and HHMMSScc with hundredths of a second as well.

    Only for times beside a date: alone, eight digits are a date.
    """
    if text is not None and _HUNDREDTHS.fullmatch(text.strip()):
        digits = text.strip()
        return _time(int(digits[:2]), int(digits[2:4]), int(digits[4:6]), int(digits[6:]) * 10_000)
    return clock(text)


def _time(hour: int, minute: int, second: int, microsecond: int) -> time | None:
    try:
        return time(hour, minute, second, microsecond)
    except ValueError:
        return None


def _microseconds(fraction: str | None) -> int:
    return int((fraction or "0").ljust(6, "0")[:6])


_OFFSET = re.compile(r"(.*:.*[0-9])\s*([+-])([0-9]{2}):?([0-9]{2})?", re.DOTALL)
_CUT = re.compile(r"t|[ ,_;]+|-")


def moment(text: str | None) -> datetime | None:
    """Read a date with a time of day.

    Understands ISO 8601 with or without Z or an offset, "20220522T003051", "20240508-0220", and months by name
    ("Jul/17/2022 16:17:39.00 UTC").

    Args:
        text: as written.

    Returns:
        The moment in UTC; None if missing, unreadable, or without a time of day.
    """
    if text is None or is_missing(text):
        return None
    plain = re.sub(r"(?<=[0-9])\s*(z|utc|gmt)$", "", text.strip().lower())
    if hit := _OFFSET.fullmatch(plain):
        local, size = _local(hit[1]), timedelta(hours=int(hit[3]), minutes=int(hit[4] or 0))
        if local is not None and size <= timedelta(hours=14):
            return _shift(local, -size if hit[2] == "+" else size)
    return _local(plain)


def _local(text: str) -> datetime | None:
    for cut in _CUT.finditer(text):
        at = clock(text[cut.end() :])
        on = None if at is None else day(text[: cut.start()].removeprefix("d"))
        if on is not None and at is not None:
            return datetime.combine(on, at, UTC)
    return None


def _shift(moment: datetime, by: timedelta) -> datetime | None:
    try:
        return moment + by
    except OverflowError:
        return None


_MOMENT = pl.Datetime("us", "UTC")
_ISO = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z?$"


def moments(on: pl.Series | None, at: pl.Series | None = None) -> pl.DataFrame:
    """Read columns of dates and times, together or in two columns.

    Args:
        on: dates, or dates with times.
        at: times of day, or dates with times; a date with time in it wins over `on`.

    Returns:
        `value` (datetime, ms, UTC), `bad` (there is a text that cannot be read) and `dateonly` (no time of day was
        written, midnight is taken), row by row.
    """
    days, full_days = _days(on) if on is not None else (None, None)
    clocks, full_clocks = _clocks(at, long_clock if on is not None else clock) if at is not None else (None, None)
    size = len(on) if on is not None else len(at) if at is not None else 0
    nothing = pl.Series([None], dtype=_MOMENT).new_from_index(0, size)
    midnight = nothing if days is None else days.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    timed = nothing if clocks is None else midnight + clocks
    frame = pl.DataFrame(
        {
            "full_clock": nothing if full_clocks is None else full_clocks,
            "full_day": nothing if full_days is None else full_days,
            "timed": timed,
            "midnight": midnight,
            "no_day": pl.Series([True]).new_from_index(0, size) if on is None else missing_mask(on),
            "no_clock": pl.Series([True]).new_from_index(0, size) if at is None else missing_mask(at),
        }
    )
    midnight_if_no_clock = pl.when("no_clock").then("midnight")
    value = pl.coalesce("full_clock", "full_day", "timed", midnight_if_no_clock)
    return frame.select(
        value.dt.cast_time_unit("ms").alias("value"),
        (value.is_null() & ~(pl.col("no_day") & pl.col("no_clock"))).alias("bad"),
        (pl.coalesce("full_clock", "full_day", "timed").is_null() & value.is_not_null()).alias("dateonly"),
    )


def _days(texts: pl.Series) -> tuple[pl.Series, pl.Series]:
    full = _moments_of(texts)
    rest = texts.set(full.is_not_null(), None)
    return by_distinct(rest, day, pl.Date()), full


def _clocks(texts: pl.Series, read: Callable[[str | None], time | None]) -> tuple[pl.Series, pl.Series]:
    full = _moments_of(texts)
    rest = texts.set(full.is_not_null(), None)
    return by_distinct(rest, read, pl.Time()).cast(pl.Duration("us")), full


def _moments_of(texts: pl.Series) -> pl.Series:
    stripped = texts.str.strip_chars()
    iso = stripped.set(~stripped.str.contains(_ISO).fill_null(False), None)
    quick = (
        iso.str.replace(" ", "T", literal=True)
        .str.strip_chars_end("Z")
        .str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="us", strict=False)
    )
    quick = quick.dt.replace_time_zone("UTC")
    slow = by_distinct(stripped.set(iso.is_not_null(), None), moment, _MOMENT)
    return slow.zip_with(iso.is_null(), quick)
