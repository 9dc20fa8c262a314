"""Spectra and measured fluxes of the same place, depth and season: what a calibration is made from.

Traps and cameras are seldom in the water together, so a match is one of seasons, not of days: the median of the traps
of one kind at one depth of a station, and the mean spectrum of all casts around that depth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aqqua.errors import ConfigError
from aqqua.maps.flux.inputs import diameter_um
from aqqua.metadata.check import Finding

__all__ = ["MatchUps", "Matching", "match_ups"]

Floats = NDArray[np.float64]
_EARTH_KM = 6371.0088
_SAME_DEPTH = 1.2


@dataclass(frozen=True)
class Matching:
    """How near is near enough.

    Args:
        radius_km: from the middle of a station to a trap.
        season_d: days of the year between a cast and the middle of a deployment, whatever the year.
        depth_share: casts are taken from depth · (1 ± this) …
        depth_m: … but at least depth ± this.
        depth_min_m: shallowest trap.
        depth_max_m: deepest trap.
        least: measurements a median needs.
        longest_d: longest deployment (a year's mean has no season).
        station_km: casts nearer to each other than this are one station.
        kinds: kinds of measurement used.
    """

    radius_km: float = 500.0
    season_d: float = 45.0
    depth_share: float = 0.15
    depth_m: float = 15.0
    depth_min_m: float = 80.0
    depth_max_m: float = 1250.0
    least: int = 3
    longest_d: float = 120.0
    station_km: float = 150.0
    kinds: tuple[str, ...] = ("drifting", "moored", "thorium")


@dataclass(frozen=True)
class MatchUps:
    """m match-ups.

    Args:
        station: name of the station, (m,).
        depth_m: median depth of the traps, (m,).
        kind: of the measurements, (m,).
        observed: median flux, mg C m⁻² d⁻¹, (m,).
        measurements: how many the median is of, (m,).
        casts: profiles in the spectrum, (m,).
        density: particles per litre of each class, (m, k).
        esd_um: middle of each class in µm, (k,).
        findings: stations without traps, measurements without a date.
    """

    station: NDArray[np.str_]
    depth_m: Floats
    kind: NDArray[np.str_]
    observed: Floats
    measurements: NDArray[np.int64]
    casts: NDArray[np.int64]
    density: Floats
    esd_um: Floats
    findings: tuple[Finding, ...] = ()

    def __len__(self) -> int:
        return len(self.station)

    def take(self, places: NDArray[np.int64], station: NDArray[np.str_] | None = None) -> MatchUps:
        """Some of them, under other names of stations if given."""
        names = self.station[places] if station is None else station
        return MatchUps(
            station=names,
            depth_m=self.depth_m[places],
            kind=self.kind[places],
            observed=self.observed[places],
            measurements=self.measurements[places],
            casts=self.casts[places],
            density=self.density[places],
            esd_um=self.esd_um,
            findings=self.findings,
        )

    def table(self) -> pl.DataFrame:
        """Without the spectra, for people."""
        names = ("station", "depth_m", "kind", "observed", "measurements", "casts")
        return pl.DataFrame({name: getattr(self, name) for name in names}).rename({"observed": "observed_mg_m2_d"})


def match_ups(spectra: pl.DataFrame, traps: pl.DataFrame, how: Matching | None = None) -> MatchUps:
    """Match spectra with measured fluxes in space, depth and season.

    Args:
        spectra: a checked spectra table with time_utc, latitude, longitude, volume_l (and station, if you name them).
        traps: a table as `read_traps` gives it.
        how: how near.

    Raises:
        ConfigError: the spectra have no time or place, or nothing matches.
    """
    how = how or Matching()
    needed = ("time_utc", "latitude", "longitude", "volume_l")
    if lacking := [name for name in needed if name not in spectra.columns]:
        raise ConfigError(
            f"calibration needs {', '.join(lacking)} in the spectra", do="read exports with their summary"
        )
    findings: list[Finding] = []
    casts = _casts(spectra, how, findings)
    usable = _usable_traps(traps, how, findings)
    rows = [row for name in casts["station"].unique().sort() for row in _of_station(name, spectra, casts, usable, how)]
    for name in sorted(set(casts["station"]) - {row["station"] for row in rows}):
        what = f"no traps match station {name}"
        do = f"within {how.radius_km:g} km and {how.season_d:g} days of the year, {how.least} of one kind and depth"
        findings.append(Finding("info", "station_unmatched", what, name, 1, do))
    if not rows:
        told = "; ".join(one.message for one in findings)
        raise ConfigError("no measured flux matches any spectrum", do=f"widen --radius-km or --season-d ({told})")
    return _arrays(rows, tuple(findings))


def _casts(spectra: pl.DataFrame, how: Matching, findings: list[Finding]) -> pl.DataFrame:
    """One row per cast: sample_id, place, day of the year, station."""
    once = spectra.unique("sample_id", keep="first", maintain_order=True)
    placed = once.filter(pl.all_horizontal(pl.col("time_utc", "latitude", "longitude").is_not_null()))
    if lost := once.height - placed.height:
        findings.append(
            Finding("warning", "cast_unplaced", "casts without time or place", "", lost, "they match nothing")
        )
    if not placed.height:
        raise ConfigError("no cast has a time and a place", do="EcoPart: keep the metadata summary beside the profiles")
    day = pl.col("time_utc").cast(pl.Datetime("ms")).dt.ordinal_day().cast(pl.Float64)
    casts = placed.with_columns(day=day)
    if "station" in casts.columns:
        return casts.select("sample_id", "latitude", "longitude", "day", pl.col("station").cast(pl.String))
    latitude, longitude = casts["latitude"].to_numpy(), casts["longitude"].to_numpy()
    names = station_names(latitude, longitude, how.station_km)
    return casts.select("sample_id", "latitude", "longitude", "day").with_columns(station=pl.Series(names))


def station_names(latitude: Floats, longitude: Floats, within_km: float) -> list[str]:
    """Casts that hang together by steps of at most so many kilometres are one station, named by its middle.

    >>> station_names(np.array([10.0, 10.1, -50.0]), np.array([179.9, -179.9, 0.0]), 100.0)
    ['10.1N 180.0E', '10.1N 180.0E', '50.0S 0.0E']
    """
    names = np.full(len(latitude), "", dtype="U32")
    while (names == "").any():
        group = np.zeros(len(names), dtype=bool)
        edge = np.arange(len(names)) == np.flatnonzero(names == "")[0]
        while edge.any():
            group |= edge
            reached = [
                _km(latitude[one], longitude[one], latitude, longitude) <= within_km for one in np.flatnonzero(edge)
            ]
            edge = np.any(reached, axis=0) & ~group
        north, east = _middle(latitude[group], longitude[group])
        names[group] = f"{abs(north):.1f}{'N' if north >= 0 else 'S'} {abs(east):.1f}{'E' if east >= 0 else 'W'}"
    return [str(name) for name in names]


def _middle(latitude: Floats, longitude: Floats) -> tuple[float, float]:
    """Mean place, right across the date line."""
    east = np.radians(longitude)
    around = np.degrees(np.arctan2(np.sin(east).mean(), np.cos(east).mean()))
    return float(latitude.mean()), float(around)


def _km(latitude: float, longitude: float, latitudes: Floats, longitudes: Floats) -> Floats:
    """Great-circle distance of one place to others (haversine)."""
    north, norths = np.radians(latitude), np.radians(latitudes)
    half = np.sin((norths - north) / 2) ** 2
    half = half + np.cos(north) * np.cos(norths) * np.sin(np.radians(longitudes - longitude) / 2) ** 2
    return np.asarray(2 * _EARTH_KM * np.arcsin(np.sqrt(np.clip(half, 0, 1))))


def _usable_traps(traps: pl.DataFrame, how: Matching, findings: list[Finding]) -> pl.DataFrame:
    """Measurements of the kinds, depths and durations wanted that say when they were made."""
    wanted = traps.filter(
        pl.col("kind").is_in(list(how.kinds)) & pl.col("depth_m").is_between(how.depth_min_m, how.depth_max_m)
    )
    dated = wanted.filter(pl.col("time_utc").is_not_null())
    if lost := wanted.height - dated.height:
        what = f"{lost:,} measurements have no date and match no season"
        findings.append(Finding("info", "trap_undated", what, "", lost, "give a table with dates"))
    short = dated.filter(pl.col("duration_d").is_null() | (pl.col("duration_d") <= how.longest_d))
    if lost := dated.height - short.height:
        what = f"{lost:,} deployments are longer than {how.longest_d:g} days and have no season"
        findings.append(Finding("info", "trap_long", what, "", lost, "nothing to do"))
    return short.with_columns(day=pl.col("time_utc").cast(pl.Datetime("ms")).dt.ordinal_day().cast(pl.Float64))


def _of_station(
    name: str, spectra: pl.DataFrame, casts: pl.DataFrame, traps: pl.DataFrame, how: Matching
) -> list[dict[str, object]]:
    """The match-ups of one station: one per kind and depth."""
    here = casts.filter(pl.col("station") == name)
    north, east = _middle(here["latitude"].to_numpy(), here["longitude"].to_numpy())
    away = _km(north, east, traps["latitude"].to_numpy(), traps["longitude"].to_numpy())
    apart = np.abs(traps["day"].to_numpy()[:, None] - here["day"].to_numpy()[None, :])
    apart = np.minimum(apart, 365.25 - apart).min(axis=1, initial=np.inf)
    near = traps.filter(pl.Series((away <= how.radius_km) & (apart <= how.season_d), dtype=pl.Boolean))
    own = spectra.join(here.select("sample_id"), on="sample_id", how="semi") if near.height else spectra.head(0)
    rows = []
    for kind in how.kinds:
        for group in _depths(near.filter(pl.col("kind") == kind).sort("depth_m")):
            depth = float(np.median(group["depth_m"].to_numpy()))
            found = _spectrum(own, depth, how) if group.height >= how.least else None
            if found is not None:
                observed = float(np.median(group["poc_flux_mg_m2_d"].to_numpy()))
                row = {"station": name, "depth_m": depth, "kind": kind, "observed": observed}
                rows.append({**row, "measurements": group.height, **found})
    return rows


def _depths(near: pl.DataFrame) -> list[pl.DataFrame]:
    """Measurements in groups of about one depth (the deepest at most 1.2 times the shallowest)."""
    starts: list[int] = []
    for place, depth in enumerate(near["depth_m"]):
        if not starts or depth > near["depth_m"][starts[-1]] * _SAME_DEPTH:
            starts.append(place)
    return [near[start:end] for start, end in zip(starts, [*starts[1:], near.height], strict=bool(starts))]


def _spectrum(own: pl.DataFrame, depth: float, how: Matching) -> dict[str, object] | None:
    """Mean spectrum around a depth (Σ n / Σ V), None if no cast went there."""
    reach = max(how.depth_m, how.depth_share * depth)
    middle = (pl.col("depth_min_m") + pl.col("depth_max_m")) / 2
    closed = pl.col("esd_max_um").is_not_null() & pl.col("number_per_l").is_not_null() & (pl.col("volume_l") > 0)
    rows = own.filter(middle.is_between(depth - reach, depth + reach) & closed)
    if not rows.height:
        return None
    mean = (pl.col("number_per_l") * pl.col("volume_l")).sum() / pl.col("volume_l").sum()
    classes = rows.group_by("esd_min_um").agg(pl.col("esd_max_um").first(), density=mean).sort("esd_min_um")
    return {
        "casts": rows["sample_id"].n_unique(),
        "classes": dict(zip(diameter_um(classes).tolist(), classes["density"].to_list(), strict=True)),
    }


def _arrays(rows: list[dict[str, object]], findings: tuple[Finding, ...]) -> MatchUps:
    spectra: list[dict[float, float]] = [row["classes"] for row in rows]  # type: ignore[misc]
    sizes = sorted({size for one in spectra for size in one})
    density = np.array([[one.get(size, 0.0) for size in sizes] for one in spectra], np.float64)
    columns = {name: np.array([row[name] for row in rows]) for name in rows[0] if name != "classes"}
    return MatchUps(**columns, density=density, esd_um=np.array(sizes), findings=findings)
