"""Rows that cannot be put on a grid, each kind told in words: places, depths, volumes, and what seems swapped."""

from __future__ import annotations

import numpy as np
import polars as pl

from aqqua.errors import ConfigError
from aqqua.metadata.check import Finding
from aqqua.metadata.land import sea_within

__all__ = ["usable"]

_KM_PER_DEGREE = 111.19
_MOST = 0.5  # a fault in more than this share of rows is one of the whole table


def usable(table: pl.DataFrame, value: str, resolution: float, *, by_month: bool) -> tuple[pl.DataFrame, list[Finding]]:
    """The rows that can be put on a grid, and what is wrong with the others.

    Args:
        table: latitude, longitude, depth_min_m, depth_max_m, volume_l and the column of values.
        value: that column.
        resolution: size of cells in degrees: so near must the sea be.
        by_month: whether every row needs a time.

    Raises:
        ConfigError: most rows have the same fault, so the table as a whole is not what it should be.
    """
    findings: list[Finding] = []
    left = table
    for keep, code, message, do in _rules(value, by_month=by_month):
        good = left.filter(keep.fill_null(False))
        left = _without(left, good, findings, code, message, do)
    return _at_sea(left, resolution, findings), findings


def _rules(value: str, *, by_month: bool) -> list[tuple[pl.Expr, str, str, str]]:
    """What a row must fulfil, in the order it is looked at; code, words and advice if it does not."""
    number = pl.col(value).is_finite()
    placed = pl.col("latitude").is_finite() & pl.col("longitude").is_finite()
    depth = pl.col("depth_min_m").is_finite() & pl.col("depth_max_m").is_finite()
    down = (pl.col("depth_min_m") >= 0) & (pl.col("depth_max_m") >= 0)
    rules = [
        (
            number,
            "value_missing",
            f"have no {value} (no volume, or not a number)",
            "missing is not zero: they are left out",
        ),
        (pl.col(value) >= 0, "value_negative", f"have a negative {value}", "correct the table"),
        (placed, "place_missing", "have no position", "add latitude and longitude"),
        (
            pl.col("latitude").abs() <= 90,
            "latitude_beyond",
            "lie beyond the poles",
            "are latitude and longitude swapped?",
        ),
        (
            pl.col("longitude").is_between(-180, 360),
            "longitude_beyond",
            "have a longitude that is none",
            "give degrees east",
        ),
        (depth, "depth_missing", "have no depth", "add depth_min_m and depth_max_m"),
        (down, "depth_sign", "have a negative depth", "depths count positive downwards here: change the sign"),
        (
            pl.col("depth_max_m") >= pl.col("depth_min_m"),
            "depth_order",
            "end above where they begin",
            "swap the two depths",
        ),
    ]
    named = pl.col("taxon").is_not_null()
    rules.append((named, "taxon_missing", "name no taxon", "label or predict them first"))
    if by_month:
        rules.append(
            (pl.col("time_utc").is_not_null(), "time_missing", "have no time", "add time_utc, or --time annual")
        )
    return rules


def _without(
    before: pl.DataFrame, good: pl.DataFrame, findings: list[Finding], code: str, message: str, do: str
) -> pl.DataFrame:
    lost = len(before) - len(good)
    if lost > _MOST * len(before):
        raise ConfigError(f"{lost:,} of {len(before):,} rows {message}", where="the table", do=do)
    if lost:
        findings.append(Finding("warning", code, f"{lost:,} rows {message}; they are left out", count=lost, do=do))
    return good


def _at_sea(table: pl.DataFrame, resolution: float, findings: list[Finding]) -> pl.DataFrame:
    """Without rows that lie so far on land that their cell cannot touch the sea."""
    if not len(table):
        return table
    places = table.select("latitude", "longitude").unique(maintain_order=True)
    latitude, longitude = places["latitude"].to_numpy(), places["longitude"].to_numpy()
    dry = ~_sea(latitude, longitude, resolution)
    share = float(dry.mean())
    swappable = dry & (np.abs(longitude) <= 90)
    if share > 0.2 and swappable.any():
        turned = _sea(longitude[swappable], latitude[swappable], resolution)
        if turned.mean() > 0.8:
            what = (
                f"{dry.sum():,} of {len(dry):,} places lie on land, and at sea if latitude and longitude are exchanged"
            )
            raise ConfigError(what, where="the table", do="exchange the columns latitude and longitude")
    at_sea = places.with_columns(sea=pl.Series(~dry))
    joined = table.join(at_sea, on=["latitude", "longitude"], how="left", nulls_equal=True)
    good = joined.filter("sea").drop("sea")
    message = f"lie on land, more than {_reach_km(resolution):.0f} km from the sea"
    return _without(table, good, findings, "on_land", message, "look at their positions: sign, or order of columns")


def _sea(latitude: np.ndarray, longitude: np.ndarray, resolution: float) -> np.ndarray:
    east = (longitude + 180) % 360 - 180
    near = sea_within(latitude, east)
    if (~near).any():
        near[~near] = sea_within(latitude[~near], east[~near], _reach_km(resolution))
    return near


def _reach_km(resolution: float) -> float:
    """Half a cell, at most half a degree: a table may give centres of cells that are partly land."""
    return min(resolution, 1.0) / 2 * _KM_PER_DEGREE
