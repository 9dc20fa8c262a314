"""What the name of an image says: a declared pattern with named groups, no code.

    - pattern: '(?:^|/)SPC[A-Z0-9-]*-(?P<epoch_us>[0-9]{16})-'
      example: {SPC-EAWAG-0P5X-1589537024858496-000001-000-10-20-30-40.jpg: {time_utc: 2020-05-15T10:03:44.858Z}}

A group bears the name of a field or of a part of the time; what else stands in the name is not captured. Patterns are
searched in the path of the image, then in the path of its source, then in the object's name.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aqqua.errors import ConfigError, UnknownNameError
from aqqua.metadata.columns import Meaning, meaning
from aqqua.metadata.fields import FIELDS
from aqqua.metadata.rules import MEASURED, only, status_of

if TYPE_CHECKING:
    import polars as pl

__all__ = ["TIME_GROUPS", "NamePattern", "parse_names", "said_by_names", "times_in_names"]

_EPOCHS = {"epoch_s": 1, "epoch_ms": 1_000, "epoch_us": 1_000_000}
TIME_GROUPS = ("year", "month", "day", "day_of_year", "hour", "minute", "second", "fraction", *_EPOCHS)
"""Parts of a time in a name; `fraction` are the digits behind the seconds, epochs count from 1970."""

_NAMES = {*(name for name, entry in FIELDS.items() if entry.by == "harmonise"), "depth", "pressure", *TIME_GROUPS}
_NAMES -= {"time_utc", "object_id", "sample_idx", "source_path", "source_row", "instrument"}
_EARLIEST_S = 631_152_000  # 1990-01-01: a camera's clock that shows less was not set


@dataclass(frozen=True)
class NamePattern:
    """One convention for the names of an instrument's images.

    Args:
        pattern: regular expression (without look-around and back references) with named groups.
        groups: the names of its groups, in order.
        units: of the groups, where they are not those of the house.
        says: what such a name implies, for example the pixel size of one of two cameras.
        recognise: whether such a name is enough to know the instrument.
        status: see `aqqua.metadata.rules.STATUSES`.
        evidence: where that is known from.
        examples: name → what it must give.
    """

    pattern: str
    groups: tuple[str, ...]
    units: Mapping[str, Meaning] = field(default_factory=dict)
    says: Mapping[str, Any] = field(default_factory=dict)
    recognise: bool = False
    status: str = "assumed"
    evidence: str = ""
    examples: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def tells_time(self) -> bool:
        """Whether there is a time in the name."""
        return bool(set(self.groups) & {"year", *_EPOCHS})


def parse_names(entries: Any, where: str) -> tuple[NamePattern, ...]:
    """The patterns of a mapping.

    Raises:
        ConfigError: a pattern is no regular expression, or an entry has the wrong form.
        UnknownNameError: a group is neither field nor part of a time.
    """
    if not isinstance(entries, list):
        raise ConfigError("filenames is a list of patterns", where=where, do="start every entry with '- '")
    return tuple(_pattern(entry, where) for entry in entries)


def _pattern(entry: Any, where: str) -> NamePattern:
    known = {"pattern", "units", "says", "recognise", "status", "evidence", "example"}
    only(entry, known, "entry of a file name", where)
    if not isinstance(entry.get("pattern"), str):
        raise ConfigError("a file name needs a pattern", where=where, do="write  - pattern: '…'")
    groups = _groups(entry["pattern"], where)
    says = only(entry.get("says", {}), MEASURED, "field with numbers", where)
    if not all(isinstance(value, (int, float)) and math.isfinite(value) for value in says.values()):
        raise ConfigError("what a file name says are numbers", where=where, do="write  says: {pixel_um: 7.0}")
    status, evidence = status_of(entry, where)
    return NamePattern(
        pattern=entry["pattern"],
        groups=groups,
        units={name: _unit(name, str(unit), groups, where) for name, unit in entry.get("units", {}).items()},
        says=says,
        recognise=bool(entry.get("recognise", False)),
        status=status,
        evidence=evidence,
        examples=dict(entry.get("example", {})),
    )


def _groups(pattern: str, where: str) -> tuple[str, ...]:
    import polars as pl

    try:
        groups = tuple(re.compile(pattern).groupindex)
        if groups:
            pl.Series([""]).str.extract_groups(pattern)
        else:
            pl.Series([""]).str.contains(pattern)
    except (re.error, pl.exceptions.PolarsError) as error:
        told = f"the file name pattern is no regular expression: {error}"
        raise ConfigError(told, where=where, do="look-around and back references are not possible") from error
    if not pattern or len(groups) != re.compile(pattern).groups:
        raise ConfigError("a file name pattern needs named groups only", where=where, do="write (?:…) for the others")
    for name in groups:
        if name not in _NAMES:
            raise UnknownNameError("group of a file name", name, _NAMES, where=where)
    return groups


def _unit(name: str, unit: str, groups: Sequence[str], where: str) -> Meaning:
    said = meaning(f"{name}_{unit}") if name in groups else None
    if said is None or said.unit is None:
        raise ConfigError(f"units.{name}: {unit!r} does not fit a group of the pattern", where=where)
    return said


def said_by_names(pattern: NamePattern, texts: Sequence[pl.Series]) -> pl.DataFrame:
    """What a pattern finds.

    Args:
        pattern: of an instrument.
        texts: names to be searched; the first that matches counts.

    Returns:
        `_matched` (the name, null without a match) and one column of text per group, row by row.
    """
    import polars as pl

    frames = []
    for text in texts:
        plain = text.str.replace_all("\\", "/", literal=True)
        hit = plain.str.contains(pattern.pattern).fill_null(False)
        if not hit.any():
            none = pl.Series([None], dtype=pl.String).new_from_index(0, len(text))
            frames.append(pl.DataFrame([none.alias(column) for column in ("_matched", *pattern.groups)]))
            continue
        name = plain.set(~hit, None).alias("_matched")
        columns = [name.str.extract_groups(pattern.pattern).struct.unnest()] if pattern.groups else []
        frames.append(pl.concat([name.to_frame(), *columns], how="horizontal"))
    whole = frames[0]
    for other in frames[1:]:
        missing = whole["_matched"].is_null()
        whole = pl.DataFrame([other[name].zip_with(missing, whole[name]) for name in whole.columns])
    return whole


def times_in_names(found: pl.DataFrame) -> pl.DataFrame:
    """The times in names.

    Args:
        found: as `said_by_names` gives them.

    Returns:
        `value` (datetime, ms, UTC), `bad` (a name that matches, but is no date), `unset` (a clock that was not set) and
        `dateonly`.
    """
    import polars as pl

    matched = pl.col("_matched").is_not_null()
    epoch = next((name for name in _EPOCHS if name in found.columns), None)
    if epoch:
        seconds = pl.col(epoch).cast(pl.Int64, strict=False) / _EPOCHS[epoch]
        unset = (seconds < _EARLIEST_S).fill_null(False)
        usable = seconds.is_between(_EARLIEST_S, 2**33)
        value = pl.when(usable).then((seconds * 1000).round()).cast(pl.Int64).cast(pl.Datetime("ms", "UTC"))
        return found.select(value.alias("value"), (matched & ~usable & ~unset).fill_null(True).alias("bad"),
                            unset.alias("unset"), pl.lit(False).alias("dateonly"))  # fmt: skip
    value = _composed(found.columns)
    dateonly = matched & (pl.col("hour").is_null() if "hour" in found.columns else pl.lit(True))
    return found.select(
        value.alias("value"),
        (matched & value.is_null()).alias("bad"),
        pl.lit(False).alias("unset"),
        (dateonly & value.is_not_null()).alias("dateonly"),
    )


def _composed(columns: Sequence[str]) -> pl.Expr:
    """The moment that year, month (or day of the year), day, hour, minute and second make."""
    import polars as pl

    def part(name: str, default: str) -> pl.Expr:
        return pl.col(name).fill_null(default) if name in columns else pl.lit(default)

    by_year = "day_of_year" in columns
    day = pl.col("day_of_year") if by_year else pl.col("month") + "-" + pl.col("day")
    clock = [part(name, "00") for name in ("hour", "minute", "second")]
    text = pl.format("{}-{}T{}:{}:{}", pl.col("year"), day, *clock)
    whole = text.str.to_datetime("%Y-%jT%H:%M:%S" if by_year else "%Y-%m-%dT%H:%M:%S", time_unit="ms", strict=False)
    fraction = pl.format("0.{}", part("fraction", "0")).cast(pl.Float64, strict=False).fill_null(0.0)
    return (whole + pl.duration(milliseconds=(fraction * 1000).round().cast(pl.Int64))).dt.replace_time_zone("UTC")
