"""What looks wrong or odd in harmonised metadata: findings, never exceptions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import polars as pl

__all__ = ["Finding", "Severity", "check_rows"]

Severity = Literal["error", "warning", "info"]
_GRAVITY = {"error": 0, "warning": 1, "info": 2}


@dataclass(frozen=True)
class Finding:
    """One thing that a person should know about a dataset.

    Args:
        severity: "error" stops a release, "warning" asks for a look, "info" is only told.
        code: a stable short name, for example "position_zero".
        message: what it is, in words of the field.
        where: path, sample, row or column.
        count: how many rows it concerns.
        do: what the owner can do.
    """

    severity: Severity
    code: str
    message: str
    where: str = ""
    count: int = 1
    do: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The finding as plain values for JSON."""
        return asdict(self)


def check_rows(frame: pl.DataFrame) -> list[Finding]:
    """Check Converted Metadata, a whole dataset or part of one.

    Args:
        frame: columns of Converted Metadata; checks whose columns are missing are left out.

    Returns:
        Findings, the gravest first.
    """
    found: list[Finding] = []
    for needs, check in _CHECKS:
        if frame.height and set(needs) <= set(frame.columns):
            found += check(frame)
    return sorted(found, key=lambda finding: _GRAVITY[finding.severity])


def _some(frame: pl.DataFrame, mask: pl.Expr, severity: Severity, code: str, told: str, do: str) -> Iterator[Finding]:
    """A finding where a condition holds, with the samples it holds in."""
    hit = frame.filter(mask)
    if hit.height:
        yield Finding(severity, code, told, _samples(hit), hit.height, do)


def _samples(frame: pl.DataFrame) -> str:
    """The first samples of some rows."""
    if "sample_id" not in frame.columns:
        return ""
    names = frame["sample_id"].drop_nulls().unique(maintain_order=True)
    more = f" and {len(names) - 3} more samples" if len(names) > 3 else ""
    return ", ".join(names.head(3).to_list()) + more


def _positions(frame: pl.DataFrame) -> Iterator[Finding]:
    lat, lon = pl.col("latitude"), pl.col("longitude")
    outside = ~lat.is_between(-90, 90) | ~lon.is_between(-180, 180)
    yield from _some(
        frame, outside, "error", "position_outside", "the position is not on earth", "correct latitude and longitude"
    )
    zero = (lat == 0) & (lon == 0)
    told = "the position is 0° N 0° E, which mostly means that it is missing"
    yield from _some(
        frame, zero, "warning", "position_zero", told, "correct it, or confirm that it is the Gulf of Guinea"
    )


def _times(frame: pl.DataFrame) -> Iterator[Finding]:
    time = pl.col("time_utc")
    future = time > datetime.now(UTC) + timedelta(days=1)
    yield from _some(frame, future, "error", "time_in_future", "the time is in the future", "correct date and time")
    old = time < datetime(1950, 1, 1, tzinfo=UTC)
    yield from _some(frame, old, "warning", "time_before_1950", "the time is before 1950", "check the year")


def _depths(frame: pl.DataFrame) -> Iterator[Finding]:
    low, high = pl.col("depth_min_m"), pl.col("depth_max_m")
    do = "depths are metres below the surface, positive downwards"
    impossible = (low < 0) | (high > 11_000)
    yield from _some(frame, impossible, "error", "depth_outside", "the depth is not between 0 and 11,000 m", do)
    yield from _some(
        frame, low > high, "error", "depths_swapped", "the upper depth is below the lower one", "exchange them"
    )


def _pixels(frame: pl.DataFrame) -> Iterator[Finding]:
    from aqqua.metadata.mapping import GENERIC, load_mapping, mapping_names

    for name in frame["instrument"].drop_nulls().unique().sort().to_list():
        limits = load_mapping(name).plausible.get("pixel_um") if name in mapping_names() and name != GENERIC else None
        if limits is not None:
            odd = (pl.col("instrument") == name) & ~pl.col("pixel_um").is_between(*limits)
            told = f"the pixel size is unusual for {name} ({limits[0]:g}–{limits[1]:g} µm)"
            yield from _some(frame, odd, "warning", "pixel_unusual", told, "check the unit of the pixel size")


def _pixels_of_samples(frame: pl.DataFrame) -> Iterator[Finding]:
    keys = ["instrument", "sample_id"]
    sizes = frame.filter(pl.col("sample_id").is_not_null()).group_by(keys, maintain_order=True)
    several = sizes.agg(pl.col("pixel_um").round(3).drop_nulls().n_unique().alias("sizes"), pl.len()).filter(
        pl.col("sizes") > 1
    )
    if several.height:
        told = f"{several.height} samples have images of several pixel sizes"
        do = "confirm that they were taken with several magnifications"
        yield Finding("warning", "several_pixel_sizes", told, _samples(several), int(several["len"].sum()), do)


def _duplicates(frame: pl.DataFrame) -> Iterator[Finding]:
    twice = frame.filter(pl.col("xxh3").is_duplicated())
    extra = twice.height - twice["xxh3"].n_unique()
    if extra:
        told = "images are copies of others, pixel for pixel"
        do = "check whether a folder was read twice, or the same image belongs to two objects"
        yield Finding("warning", "duplicate_images", told, _samples(twice), extra, do)


_FEW_IMAGES = 10


def _small_samples(frame: pl.DataFrame) -> Iterator[Finding]:
    sizes = frame.filter(pl.col("sample_id").is_not_null()).group_by("sample_id", maintain_order=True).len()
    few = sizes.filter(pl.col("len") < _FEW_IMAGES)
    if few.height:
        told = f"{few.height} of {sizes.height} samples have fewer than {_FEW_IMAGES} images"
        yield Finding(
            "info", "small_samples", told, _samples(few), int(few["len"].sum()), "check that nothing is missing"
        )


_WANTED = {
    "volume_l": "without water volume there are no abundances: give volume_l in a table or card.yaml",
    "sample_id": "without sample there are no counts per sample: give sample_id in a table",
}


def _missing(frame: pl.DataFrame) -> Iterator[Finding]:
    for name, do in _WANTED.items():
        count = frame[name].null_count() if name in frame.columns else 0
        if count:
            share = 100 * count / frame.height
            told = (
                f"{name} is missing for {share:.0f} % of the images"
                if share >= 1
                else f"{name} is missing for some images"
            )
            yield Finding("warning" if name == "sample_id" else "info", "field_missing", told, name, count, do)


_PLACEHOLDERS = {"latitude": {0.0, 1.0}, "longitude": {0.0, 1.0}, "pixel_um": {1.0}, "volume_l": {1.0}}
_MANY = 20


def _placeholders(frame: pl.DataFrame) -> Iterator[Finding]:
    """Values that are the same in all samples and look as if somebody had to write something."""
    if frame.height < _MANY or frame["sample_id"].n_unique() < 2:
        return
    for name, suspects in _PLACEHOLDERS.items():
        if name in frame.columns and frame[name].n_unique() == 1 and frame[name][0] in suspects:
            told = f"{name} is {frame[name][0]:g} in all samples, which looks like a placeholder"
            yield Finding("warning", "placeholder", told, name, frame.height, "give the true values")
    if "time_utc" in frame.columns and frame["time_utc"].n_unique() == 1:
        time = frame["time_utc"][0]
        if time is not None and (time.month, time.day, time.hour, time.minute) == (1, 1, 0, 0):
            told = f"the time is {time:%Y-%m-%d} in all samples, which looks like a placeholder"
            yield Finding("warning", "placeholder", told, "time_utc", frame.height, "give the true times")


_CHECKS: tuple[tuple[tuple[str, ...], Callable[[pl.DataFrame], Iterator[Finding]]], ...] = (
    (("latitude", "longitude"), _positions),
    (("time_utc",), _times),
    (("depth_min_m", "depth_max_m"), _depths),
    (("instrument", "pixel_um"), _pixels),
    (("instrument", "sample_id", "pixel_um"), _pixels_of_samples),
    (("xxh3",), _duplicates),
    (("sample_id",), _small_samples),
    ((), _missing),
    (("sample_id",), _placeholders),
)
