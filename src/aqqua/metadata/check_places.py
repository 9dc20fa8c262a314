"""Where samples come from: on land, swapped or mirrored positions, impossible speed, depths below the sea floor."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from aqqua.metadata.check import Finding, in_samples, sample_names
from aqqua.metadata.check_limits import Limits

__all__ = ["findings", "is_inland"]

_EARTH_KM = 6371.0
_KM_PER_NAUTICAL_MILE = 1.852
_FAR_DEGREES = 20.0
_STATIONS = 3
_PLACE = ("latitude", "longitude")


def findings(frame: pl.DataFrame, limits: Limits, *, habitat: str, bathymetry: Path | str | None) -> Iterator[Finding]:
    """What positions show; rows whose position is not on earth are left out.

    Args:
        frame: Converted Metadata.
        limits: the thresholds.
        habitat: of the card.
        bathymetry: a grid of heights, or None.
    """
    if not set(_PLACE) <= set(frame.columns):
        return
    if "sample_id" not in frame.columns:
        frame = frame.with_columns(pl.lit(None, pl.String).alias("sample_id"))
    on_earth = frame.filter(pl.col("latitude").is_between(-90, 90) & pl.col("longitude").is_between(-180, 180))
    if on_earth.height:
        yield from _on_land(on_earth, limits, habitat)
        yield from _speed(on_earth, limits)
        yield from _one_place(on_earth, limits)
    if {"depth_max_m"} <= set(frame.columns) and frame["depth_max_m"].count():
        yield from _below_floor(on_earth, limits, bathymetry)


def is_inland(habitat: str) -> bool:
    """Whether the card speaks of inland waters.

    >>> is_inland("Fresh water")
    True
    """
    words = habitat.casefold().replace("-", " ").replace("_", " ")
    return any(word in words for word in ("fresh", "lake", "river", "inland", "limn"))


def _on_land(frame: pl.DataFrame, limits: Limits, habitat: str) -> Iterator[Finding]:
    from aqqua.metadata.land import sea_within

    rounded = frame.with_columns(pl.col(name).round(2).alias(f"_{name}") for name in _PLACE)
    places = rounded.select("_latitude", "_longitude").unique(maintain_order=True)
    wet = sea_within(places["_latitude"].to_numpy(), places["_longitude"].to_numpy(), limits.coast_km)
    places = places.with_columns(pl.Series("_dry", ~wet))
    rows = rounded.join(places, on=["_latitude", "_longitude"], how="left", maintain_order="left")
    inland = is_inland(habitat)
    told = f"the position is on land, more than {limits.coast_km:g} km from the sea"
    do = (
        "the card says fresh water: confirm that it is a lake or river"
        if inland
        else "correct the position; for lakes and rivers write  habitat: fresh water  in card.yaml"
    )
    yield from in_samples(rows, pl.col("_dry"), "warning" if inland else "error", "gps_on_land", told, do)
    if not inland:
        yield from _mirrored(rows, limits)


_MIRRORS = (
    ("position_sign", "the longitude seems to have the wrong sign", (1, 0, -1, 0)),
    ("position_sign", "the latitude seems to have the wrong sign", (-1, 0, 1, 0)),
    ("position_swapped", "latitude and longitude seem to be exchanged", (0, 1, 0, 1)),
)


def _mirrored(rows: pl.DataFrame, limits: Limits) -> Iterator[Finding]:
    """Positions on land, or far from all others, that would be at sea and near the others if mirrored.

    Where all are on land there are no others: then all have to be at sea when they are mirrored.
    """
    from aqqua.metadata.land import sea_within

    stations = _stations(rows).with_columns(pl.col("_dry").fill_null(value=False))
    group = "project"
    wet = pl.when(~pl.col("_dry"))
    stations = stations.with_columns(
        wet.then("latitude").otherwise(None).median().over(group).alias("_home_latitude"),
        wet.then("longitude").otherwise(None).median().over(group).alias("_home_longitude"),
        pl.len().over(group).alias("_many"),
    )
    apart = _degrees(pl.col("latitude"), pl.col("longitude"))
    lost = stations.filter(pl.col("_dry") | ((pl.col("_many") >= _STATIONS) & (apart > _FAR_DEGREES)))
    for code, told, (a, b, c, d) in _MIRRORS if lost.height else ():
        latitude, longitude = pl.col("latitude"), pl.col("longitude")
        other = lost.with_columns(
            (a * latitude + b * longitude).alias("_latitude"), (c * longitude + d * latitude).alias("_longitude")
        )
        home = _degrees(pl.col("_latitude"), pl.col("_longitude")) <= limits.home_degrees
        alone = pl.col("_dry") & (pl.col("_many") >= _STATIONS)
        other = other.filter(pl.col("_latitude").is_between(-90, 90) & home.fill_null(alone))
        if other.height:
            wet_there = sea_within(other["_latitude"].to_numpy(), other["_longitude"].to_numpy())
            all_wet = pl.col("_home_latitude").is_not_null() | pl.col("_wet").all().over(group)
            other = other.with_columns(pl.Series("_wet", wet_there)).filter(pl.col("_wet") & all_wet)
            yield from _of(other, code, told)


def _of(stations: pl.DataFrame, code: str, told: str) -> Iterator[Finding]:
    samples = tuple((name, count) for name, count in stations.select("sample_id", "len").iter_rows() if name)
    if stations.height:
        latitude, longitude = stations.select("_latitude", "_longitude").row(0)
        do = f"with the change it would be at sea, e.g. {latitude:.2f}° N {longitude:.2f}° E: correct it, or confirm it"
        count = int(stations["len"].sum())
        yield Finding("warning", code, told, sample_names(samples), count, do, samples)


def _degrees(latitude: pl.Expr, longitude: pl.Expr) -> pl.Expr:
    """Distance to the middle of the cruise, in degrees of latitude or longitude, whichever is more."""
    east = (longitude - pl.col("_home_longitude")).abs()
    return pl.max_horizontal((latitude - pl.col("_home_latitude")).abs(), pl.min_horizontal(east, 360 - east))


def _stations(rows: pl.DataFrame) -> pl.DataFrame:
    """One row per sample: where and when it was taken, and by whom."""
    for name in ("project", "instrument", "instrument_id"):
        if name not in rows.columns:
            rows = rows.with_columns(pl.lit(None, pl.String).alias(name))
    when = [pl.col("time_utc").median()] if "time_utc" in rows.columns else []
    dry = [pl.col("_dry").any()] if "_dry" in rows.columns else []
    keys = ["project", "instrument", "instrument_id", "sample_id"]
    return rows.group_by(keys, maintain_order=True).agg(
        pl.col("latitude").median(), pl.col("longitude").median(), *when, *dry, pl.len()
    )


def _speed(frame: pl.DataFrame, limits: Limits) -> Iterator[Finding]:
    """Stations that no ship can have reached from the one before."""
    if "time_utc" not in frame.columns:
        return
    named = frame.filter(pl.col("sample_id").is_not_null() & pl.col("time_utc").is_not_null())
    cruise = ["project", "instrument", "instrument_id"]
    stations = _stations(named).sort(*cruise, "time_utc", nulls_last=True, maintain_order=True)
    before = [pl.col(name).shift(1).over(cruise).alias(f"_{name}") for name in (*_PLACE, "time_utc", "sample_id")]
    legs = stations.with_columns(before).filter(pl.col("_time_utc").is_not_null())
    if not legs.height:
        return
    km = _apart_km(*(legs[name].to_numpy() for name in ("latitude", "longitude", "_latitude", "_longitude")))
    hours = (legs["time_utc"] - legs["_time_utc"]).dt.total_milliseconds().to_numpy() / 3.6e6
    fast = (km > limits.far_km) & (km / _KM_PER_NAUTICAL_MILE > limits.speed_knots * hours)
    hit = legs.with_columns(pl.Series("_km", km), pl.Series("_hours", hours)).filter(pl.Series(fast))
    if hit.height:
        first = hit.row(0, named=True)
        samples = tuple(hit.select("sample_id", "len").iter_rows())
        told = f"stations lie farther apart than a ship can sail ({limits.speed_knots:g} kn)"
        do = (f"check position and time, first of {first['_sample_id']} and {first['sample_id']}: "
              f"{first['_km']:,.0f} km in {first['_hours']:.1f} h")  # fmt: skip
        count = int(hit["len"].sum())
        yield Finding("warning", "speed_impossible", told, sample_names(samples), count, do, samples)


def _one_place(frame: pl.DataFrame, limits: Limits) -> Iterator[Finding]:
    """All samples from one position: right for a pier or a mooring, else somebody wrote it once for all."""
    samples, places = frame["sample_id"].n_unique(), frame.select(*_PLACE).n_unique()
    if places == 1 and samples >= limits.same_samples:
        latitude, longitude = frame.select(*_PLACE).row(0)
        told = f"the position is {latitude:g}° N {longitude:g}° E in all {samples} samples"
        do = "confirm that it is a pier, a mooring or a station that was visited again; else give each its own"
        yield Finding("info", "position_constant", told, "latitude, longitude", frame.height, do)


def _apart_km(
    latitude: np.ndarray, longitude: np.ndarray, latitude_2: np.ndarray, longitude_2: np.ndarray
) -> np.ndarray:
    """Great-circle distance (haversine; Sinnott 1984, Sky and Telescope 68, 159)."""
    north, north_2 = np.radians(latitude), np.radians(latitude_2)
    half = np.sin((north_2 - north) / 2) ** 2
    half += np.cos(north) * np.cos(north_2) * np.sin(np.radians(longitude_2 - longitude) / 2) ** 2
    return np.asarray(2 * _EARTH_KM * np.arcsin(np.sqrt(np.clip(half, 0, 1))))


def _below_floor(frame: pl.DataFrame, limits: Limits, bathymetry: Path | str | None) -> Iterator[Finding]:
    if bathymetry is None:
        told = "depths were not compared with the sea floor"
        do = "name a grid of heights (ETOPO, GEBCO):  aqqua check DATASET --bathymetry etopo.nc"
        yield Finding("info", "floor_not_checked", told, do=do)
        return
    from aqqua.metadata.bathymetry import floor_depth_m

    rounded = frame.with_columns(pl.col(name).round(2).alias(f"_{name}") for name in _PLACE)
    places = rounded.select("_latitude", "_longitude").unique(maintain_order=True)
    floor = floor_depth_m(bathymetry, places["_latitude"].to_numpy(), places["_longitude"].to_numpy())
    known = places.with_columns(pl.Series("_floor", floor).fill_nan(None))
    rows = rounded.join(known, on=["_latitude", "_longitude"], how="left", maintain_order="left")
    spare = pl.max_horizontal(pl.lit(limits.below_floor_m), limits.below_floor_share * pl.col("_floor"))
    below = (pl.col("_floor") > 0) & (pl.col("depth_max_m") > pl.col("_floor") + spare)
    told = "the depth is below the sea floor"
    do = f"check position, depth and its unit; the floor is that of {Path(bathymetry).name}"
    yield from in_samples(rows, below, "error", "below_sea_floor", told, do)
    outside = rows.filter(pl.col("_floor").is_null()).height
    if outside:
        told = "positions lie outside of the bathymetry: their depths were not compared with the sea floor"
        yield Finding("info", "floor_not_checked", told, count=outside, do="name a grid that covers them")
