"""Values that cannot be, or hardly: positions, times, depths, pixel sizes and volumes, row by row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import polars as pl

from aqqua.metadata.check import Finding, in_samples
from aqqua.metadata.check_limits import Limits
from aqqua.metadata.fields import FIELDS

__all__ = ["findings"]

_DEEPEST_M = 11_000  # Challenger Deep: 10,935 m


def findings(frame: pl.DataFrame, limits: Limits) -> Iterator[Finding]:
    """What single values show."""
    for needs, check in _CHECKS:
        if set(needs) <= set(frame.columns):
            yield from check(frame, limits)


def _positions(frame: pl.DataFrame, _: Limits) -> Iterator[Finding]:
    latitude, longitude = pl.col("latitude"), pl.col("longitude")
    outside = ~latitude.is_between(-90, 90) | ~longitude.is_between(-180, 180)
    told, do = "the position is not on earth", "correct latitude and longitude"
    yield from in_samples(frame, outside, "error", "position_outside", told, do)


def _times(frame: pl.DataFrame, limits: Limits) -> Iterator[Finding]:
    time = pl.col("time_utc")
    future = time > datetime.now(UTC) + timedelta(days=1)
    do = "correct date and time"
    yield from in_samples(frame, future, "error", "time_in_future", "the time is in the future", do)
    old = time < datetime(1950, 1, 1, tzinfo=UTC)
    yield from in_samples(frame, old, "warning", "time_before_1950", "the time is before 1950", "check the year")
    if "instrument" not in frame.columns:
        return
    for name in frame["instrument"].drop_nulls().unique().sort().to_list():
        if year := limits.first_year.get(name):
            early = (pl.col("instrument") == name) & (time < datetime(year, 1, 1, tzinfo=UTC)) & ~old
            told = f"the time is before {year}, when there was no {name} yet"
            do = "check the year, and the name of the instrument"
            yield from in_samples(frame, early, "warning", "time_before_instrument", told, do)


def _depths(frame: pl.DataFrame, _: Limits) -> Iterator[Finding]:
    low, high = pl.col("depth_min_m"), pl.col("depth_max_m")
    do = "depths are metres below the surface, positive downwards"
    told = f"the depth is not between 0 and {_DEEPEST_M:,} m"
    yield from in_samples(frame, (low < 0) | (high > _DEEPEST_M), "error", "depth_outside", told, do)
    told, do = "the upper depth is below the lower one", "exchange them"
    yield from in_samples(frame, low > high, "error", "depths_swapped", told, do)


_TOLD = {
    "pixel_um": ("pixel_unusual", "check the unit of the pixel size"),
    "volume_l": ("volume_unusual", "check the unit of the water volume, in litres"),
}


def _usual(frame: pl.DataFrame, _: Limits) -> Iterator[Finding]:
    """Values that the mapping of the instrument calls implausible."""
    from aqqua.metadata.mapping import GENERIC, load_mapping, mapping_names

    for name in frame["instrument"].drop_nulls().unique().sort().to_list():
        plausible = load_mapping(name).plausible if name in mapping_names() and name != GENERIC else {}
        for field, (code, do) in _TOLD.items():
            if field in plausible and field in frame.columns:
                low, high = plausible[field]
                odd = (pl.col("instrument") == name) & ~pl.col(field).is_between(low, high)
                unit = (FIELDS[field].unit or "").replace("um/px", "µm")
                told = f"the {FIELDS[field].title} is unusual for {name} ({low:g}–{high:g} {unit})"
                yield from in_samples(frame, odd, "warning", code, told, do)


def _volumes(frame: pl.DataFrame, _: Limits) -> Iterator[Finding]:
    none = pl.col("volume_l") <= 0
    do = "give the volume of water that the sample stands for, or leave it empty"
    yield from in_samples(frame, none, "error", "volume_zero", "the water volume is not above 0 L", do)


def _duplicates(frame: pl.DataFrame, _: Limits) -> Iterator[Finding]:
    twice = frame.filter(pl.col("xxh3").is_duplicated())
    extra = twice.height - twice["xxh3"].n_unique()
    if extra:
        told = "images are copies of others, pixel for pixel" if extra > 1 else "an image is a copy of another one"
        do = "was a folder read twice? `aqqua curate duplicates DATASET` says which they are, and can take them out"
        for finding in in_samples(twice, None, "warning", "duplicate_images", told, do):
            yield Finding("warning", finding.code, told, finding.where, extra, do, finding.samples)


_PLACEHOLDERS = {"latitude": {0.0, 1.0}, "longitude": {0.0, 1.0}, "pixel_um": {1.0}, "volume_l": {1.0}}
_MANY = 20


def _placeholders(frame: pl.DataFrame, limits: Limits) -> Iterator[Finding]:
    """Values that are the same in all samples and look as if somebody had to write something."""
    samples = frame["sample_id"].n_unique()
    if frame.height < _MANY or samples < 2:
        return
    for name, suspects in _PLACEHOLDERS.items():
        if name in frame.columns and frame[name].n_unique() == 1 and frame[name][0] in suspects:
            told = f"{name} is {frame[name][0]:g} in all samples, which looks like a placeholder"
            yield Finding("warning", "placeholder", told, name, frame.height, "give the true values")
    time = frame["time_utc"][0] if "time_utc" in frame.columns and frame["time_utc"].n_unique() == 1 else None
    if time is None:
        return
    told = f"the time is {time:%Y-%m-%d} in all samples, which looks like a placeholder"
    if (time.month, time.day, time.hour, time.minute) == (1, 1, 0, 0):
        yield Finding("warning", "placeholder", told, "time_utc", frame.height, "give the true times")
    elif samples >= limits.same_samples:
        told = f"the time is {time:%Y-%m-%d %H:%M} in all {samples} samples"
        do = "give each sample its own time, or confirm that one time stands for all"
        yield Finding("warning", "time_constant", told, "time_utc", frame.height, do)


_Check = Callable[[pl.DataFrame, Limits], Iterator[Finding]]
_CHECKS: tuple[tuple[tuple[str, ...], _Check], ...] = (
    (("latitude", "longitude"), _positions),
    (("time_utc",), _times),
    (("depth_min_m", "depth_max_m"), _depths),
    (("instrument",), _usual),
    (("volume_l",), _volumes),
    (("xxh3",), _duplicates),
    (("sample_id",), _placeholders),
)
