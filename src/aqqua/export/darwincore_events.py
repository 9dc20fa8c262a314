"""Events of a Darwin Core archive: cruise or project → sample → subsample, where a sample has several.

A subsample is what one instrument saw of a sample in one acquisition, in one layer of water where the depths form
layers. Where a sample is one such unit, it stands for itself. Counts belong to the unit: whether volumes of several
add up (bins of an IFCB) or not (size fractions of a net) is not said in metadata, so nothing is summed over them.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

import numpy as np
import polars as pl
import xxhash

from aqqua.metadata.private import has_address

__all__ = ["UNIT", "cell_id", "event_rows", "with_units"]

UNIT = "unit"
"""The column that says which event an image belongs to."""
_EARTH_M = 6_371_008.8  # mean radius, IUGG
_NAMES = ("project", "sample_id", "acquisition_id", "instrument_id")


def cell_id(*parts: object) -> str:
    """An identifier of names: other names give another identifier, and nothing in it needs escaping.

    >>> cell_id("aq", "cruise 1", None)
    'aq:cruise%201:'
    """
    return ":".join(quote("" if part is None else str(part), safe="") for part in parts)


def with_units(images: pl.DataFrame, dataset: str, project: str, people: Sequence[str] = ()) -> pl.DataFrame:
    """Say for each image which cruise, sample and unit it is of.

    Args:
        images: Converted Metadata.
        dataset: with which all identifiers begin, as `cell_id` gives it.
        project: what stands for a missing project.
        people: names of people that must not be told.

    Returns:
        With `cruise`, `cruise_id`, `sample`, `sample_event`, and `unit`.
    """
    images = images.with_columns(_without_people(images[name], people) for name in _NAMES)
    cruise = pl.col("project").fill_null(project)
    images = images.with_columns(cruise=cruise, sample=_sample_names(images))
    images = _named(images, ["cruise"], "cruise_id", dataset)
    images = _named(images, ["cruise", "sample"], "sample_event", dataset)
    images = images.with_columns(layer=pl.when(_is_layered()).then(_layer()))
    parts = ["acquisition_id", "instrument", "instrument_id", "layer"]
    images = _named(images, ["cruise", "sample", *parts], "part_event", dataset, labels=parts)
    alone = pl.col("part_event").n_unique().over("sample_event") == 1
    return images.with_columns(pl.when(alone).then("sample_event").otherwise("part_event").alias(UNIT))


def event_rows(images: pl.DataFrame) -> pl.DataFrame:
    """Rows of the Event core: cruises, samples, and the subsamples of samples that have several.

    Args:
        images: as `with_units` gives them, with `is_individual` (one image of each individual).

    Returns:
        Columns of the core, besides `volume_l`, `factor` and `pixel_um` (null where they differ within the event).
    """
    samples = _summed(images, "sample_event", "sample", parent="cruise_id")
    parts = images.filter(pl.col(UNIT) != pl.col("sample_event"))
    subsamples = _summed(parts, "part_event", "subsample", parent="sample_event")
    several = pl.col("eventID").is_in(parts["sample_event"].implode())
    effort = ["volume_l", "factor", "pixel_um"]
    samples = samples.with_columns(pl.when(~several).then(name).alias(name) for name in effort)
    cruises = _summed(images, "cruise_id", "cruise", parent=None)
    nowhere = ["decimalLatitude", "decimalLongitude", "coordinateUncertaintyInMeters", *effort]
    cruises = cruises.with_columns(pl.lit(None, cruises.schema[name]).alias(name) for name in nowhere)
    return pl.concat([cruises, samples, subsamples], how="vertical_relaxed")


def _named(
    images: pl.DataFrame, columns: list[str], new: str, dataset: str, labels: list[str] | None = None
) -> pl.DataFrame:
    """A column with the identifier of what the columns name; `labels` go into it as name=value, where there is one."""
    names = images.select(columns).unique()
    plain = [name for name in columns if name not in (labels or ())]
    ids = []
    for row in names.iter_rows(named=True):
        parts = [f"{name}={cell_id(row[name])}" for name in labels or () if row[name] is not None]
        ids.append(
            ":".join([dataset, cell_id(*(row[name] for name in plain)), *(parts or (["part"] if labels else []))])
        )
    names = names.with_columns(pl.Series(new, ids, pl.String))
    return images.join(names, on=columns, nulls_equal=True, how="left", maintain_order="left")


def _sample_names(images: pl.DataFrame) -> pl.Series:
    """Names of samples; one that has none gets one from its place in its table, without telling its path."""
    place = ["source_path", "sample_idx"]
    nameless = images.filter(pl.col("sample_id").is_null()).select(place).unique()
    names = [f"sample-{_hash(str(path))}-{number}" for path, number in nameless.iter_rows()]
    made = nameless.with_columns(pl.Series("made", names, pl.String))
    joined = images.select("sample_id", *place).join(
        made, on=place, nulls_equal=True, how="left", maintain_order="left"
    )
    return joined.select(pl.coalesce("sample_id", "made")).to_series()


def _without_people(names: pl.Series, people: Sequence[str]) -> pl.Series:
    """Names with somebody's name or e-mail address in them are told apart by a hash instead."""
    hidden = {
        name: f"removed-{_hash(name)}"
        for name in names.drop_nulls().unique()
        if has_address(name) or any(person in name for person in people)
    }
    return names.replace(hidden) if hidden else names


def _hash(text: str) -> str:
    return xxhash.xxh3_64_hexdigest(text.encode("utf-8", "surrogatepass"))[:8]


def _layer() -> pl.Expr:
    return pl.format("{}-{} m", *(pl.col(name).cast(pl.Float64).round(3) for name in ("depth_min_m", "depth_max_m")))


def _is_layered() -> pl.Expr:
    """Whether the depths of a sample form layers: several ranges that do not overlap."""
    lows, highs = pl.col("depth_min_m"), pl.col("depth_max_m")
    lower = lows.sort_by(lows, highs)
    upper = highs.sort_by(lows, highs)
    same = (lower == lower.shift(1)) & (upper == upper.shift(1))
    fits = (same | (lower >= upper.shift(1))).fill_null(value=True).all()
    ranges = (highs > lows).fill_null(value=False).all()
    several = ~same.fill_null(value=True).all()
    return (several & fits & ranges & lows.is_not_null().all()).over("sample_event")


def _summed(images: pl.DataFrame, key: str, kind: str, *, parent: str | None) -> pl.DataFrame:
    """One row for each event: when, where, how deep, by what."""
    xyz = _unit_vectors(images)
    rows = xyz.group_by(key, maintain_order=True).agg(
        parentEventID=pl.col(parent).first() if parent else pl.lit(None, pl.String),
        begin=pl.col("time_utc").min(),
        end=pl.col("time_utc").max(),
        x=pl.col("x").mean(),
        y=pl.col("y").mean(),
        z=pl.col("z").mean(),
        one_place=pl.struct("latitude", "longitude").n_unique() == 1,
        latitude=pl.col("latitude").first(),
        longitude=pl.col("longitude").first(),
        minimumDepthInMeters=pl.col("depth_min_m").min().cast(pl.Float64).round(3),
        maximumDepthInMeters=pl.col("depth_max_m").max().cast(pl.Float64).round(3),
        minimumElevationInMeters=pl.col("altitude_m").min().cast(pl.Float64).round(3),
        maximumElevationInMeters=pl.col("altitude_m").max().cast(pl.Float64).round(3),
        samplingProtocol=pl.col("instrument").drop_nulls().unique().sort().str.join(" | "),
        volume_l=_one("volume_l"),
        factor=_one("subsample_factor"),
        pixel_um=pl.col("pixel_um").median(),
        individuals=pl.col("is_individual").sum(),
        cruise=pl.col("cruise").first(),
    )
    rows = _with_places(rows).rename({key: "eventID"})
    spread = _spread(xyz, key, rows)
    dates = pl.when(pl.col("begin") == pl.col("end")).then(_iso("begin")).otherwise(_iso("begin") + "/" + _iso("end"))
    return rows.with_columns(eventType=pl.lit(kind), eventDate=dates, coordinateUncertaintyInMeters=spread).drop(
        "begin", "end", "x", "y", "z", "one_place", "latitude", "longitude"
    )


def _one(name: str) -> pl.Expr:
    """The value of a column, if it is one and the same for all."""
    return pl.when((pl.col(name).n_unique() == 1) & pl.col(name).is_not_null().all()).then(pl.col(name).first())


def _iso(name: str) -> pl.Expr:
    return pl.col(name).dt.strftime("%Y-%m-%dT%H:%M:%SZ")


def _unit_vectors(images: pl.DataFrame) -> pl.DataFrame:
    """Positions as points of the unit sphere, so that means hold at the date line and the poles."""
    latitude, longitude = pl.col("latitude").radians(), pl.col("longitude").radians()
    return images.with_columns(x=latitude.cos() * longitude.cos(), y=latitude.cos() * longitude.sin(), z=latitude.sin())


def _with_places(rows: pl.DataFrame) -> pl.DataFrame:
    """Mean positions: the very numbers where there is one place only."""
    across = (pl.col("x") ** 2 + pl.col("y") ** 2).sqrt()
    latitude = pl.arctan2(pl.col("z"), across).degrees().round(6)
    longitude = pl.arctan2(pl.col("y"), pl.col("x")).degrees().round(6)
    return rows.with_columns(
        decimalLatitude=pl.when("one_place").then("latitude").otherwise(latitude),
        decimalLongitude=pl.when("one_place").then("longitude").otherwise(longitude),
    )


def _spread(images: pl.DataFrame, key: str, rows: pl.DataFrame) -> pl.Series:
    """Metres from the event's position to its farthest image, by great circles; null where all are at one place."""
    centre = rows.select(pl.col("eventID").alias(key), "decimalLatitude", "decimalLongitude", "one_place")
    both = images.select(key, "latitude", "longitude").join(centre, on=key, how="left", maintain_order="left")
    here, there = np.radians(both["latitude"].to_numpy()), np.radians(both["decimalLatitude"].to_numpy())
    across = np.radians(both["longitude"].to_numpy() - both["decimalLongitude"].to_numpy())
    chord = np.sin((here - there) / 2) ** 2 + np.cos(here) * np.cos(there) * np.sin(across / 2) ** 2
    metres = 2 * _EARTH_M * np.arcsin(np.sqrt(np.clip(chord, 0, 1)))
    farthest = (
        both.with_columns(metres=pl.Series(metres))
        .group_by(key, maintain_order=True)
        .agg(pl.when(~pl.col("one_place").first()).then(pl.col("metres").max().ceil()))
    )
    return rows.select(pl.col("eventID").alias(key)).join(farthest, on=key, how="left", maintain_order="left")["metres"]
