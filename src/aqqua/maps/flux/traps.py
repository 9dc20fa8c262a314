"""Measured carbon flux – sediment traps and thorium-234 – from the forms it is shared in.

What comes out is one table: a row per measurement with place, depth, time, kind and flux. Kinds matter: traps moored
for weeks collect less than drifting ones in the upper ocean (Buesseler et al. 2007, J. Mar. Res. 65: 345–416).
"""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import polars as pl

from aqqua.errors import FormatError, NotFoundError, SourceError, UnsafeInputError
from aqqua.maps.tables import read_table
from aqqua.metadata.check import Finding

__all__ = ["KINDS", "TRAP_SCHEMA", "read_traps"]

TRAP_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "latitude": pl.Float64,
    "longitude": pl.Float64,
    "depth_m": pl.Float64,
    "time_utc": pl.Datetime("ms", "UTC"),
    "duration_d": pl.Float64,
    "kind": pl.String,
    "poc_flux_mg_m2_d": pl.Float64,
    "source": pl.String,
}
"""Columns of a table of measured fluxes; `time_utc` is the middle of a deployment, `kind` one of `KINDS`."""

KINDS = ("drifting", "moored", "thorium", "unknown")

DRIFTING_DAYS = 12.0
"""A trap of unknown type is taken as drifting up to so many days, as moored (a cup of a time series) above."""

_MOST_BYTES = 1 << 30
_DRIFTING = "interceptor|nbst|neutrally|clap|drift|surface.tethered"
_MOORED = "mark|parflux|paraflux|kiel|moor|conical|7g"
_NAMES = {
    "latitude": ("latitude", "lat"),
    "longitude": ("longitude", "lon"),
    "depth_m": ("depth_m", "depth"),
    "poc_flux_mg_m2_d": ("poc_flux_mg_m2_d", "poc_flux_obs", "poc_flux"),
    "time_utc": ("time_utc", "time", "date", "date_num", "converted_date"),
    "duration_d": ("duration_d", "duration"),
    "kind": ("kind", "method", "type"),
}


def read_traps(path: Path | str) -> tuple[pl.DataFrame, list[Finding]]:
    """Measured fluxes from a file.

    Args:
        path: the compilation of Mouw et al. (2016) as PANGAEA's `.tab`, the POC_flux_database as `.Rdata` or `.csv`
            (each also as `.gz`), or your own `.csv` or `.parquet` with latitude, longitude, depth_m and
            poc_flux_mg_m2_d, and time_utc, duration_d and kind where known.

    Returns:
        The measurements above zero, and what was left out.

    Raises:
        NotFoundError: there is no such file.
        SourceError: columns lack.
        FormatError: it cannot be read.
    """
    path = Path(path)
    if not path.is_file():
        raise NotFoundError("there is no such file of measured fluxes", where=path)
    name = path.name.lower().removesuffix(".gz")
    if name.endswith(".tab"):
        raw = _pangaea(path)
    elif name.endswith((".rdata", ".rda")):
        raw = _from_r(path)
    elif path.name.lower().endswith(".csv.gz"):
        raw = _common(_csv(_text(path), ",", path), path)
    else:
        raw = _common(read_table(path)[0], path)
    table = raw.select(pl.col(column).cast(kind, strict=False) for column, kind in TRAP_SCHEMA.items())
    return _usable(table, path)


def _usable(table: pl.DataFrame, path: Path) -> tuple[pl.DataFrame, list[Finding]]:
    placed = (pl.col("latitude").abs() <= 90) & pl.col("longitude").is_between(-180, 360)
    rules = (
        (placed, "place", "have no position", "add latitude and longitude in degrees"),
        (pl.col("depth_m") > 0, "depth", "have no depth below the surface", "depth in metres, downwards"),
        (pl.col("poc_flux_mg_m2_d").is_finite(), "value", "have no flux of organic carbon", "nothing to do"),
        (pl.col("poc_flux_mg_m2_d") > 0, "zero", "have a flux of 0 or less, which has no logarithm", "nothing to do"),
    )
    findings = []
    for keep, code, message, do in rules:
        good = table.filter(keep.fill_null(value=False))
        if lost := table.height - good.height:
            findings.append(Finding("info", f"trap_{code}", f"{lost:,} measurements {message}", path.name, lost, do))
        table = good
    if not table.height:
        told = "; ".join(one.message for one in findings)
        raise SourceError(f"no measurement of flux can be used ({told})", where=path)
    east = pl.when(pl.col("longitude") > 180).then(pl.col("longitude") - 360).otherwise(pl.col("longitude"))
    return table.with_columns(longitude=east), findings


def _text(path: Path) -> str:
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            content: bytes = file.read(_MOST_BYTES + 1)
    except (OSError, EOFError) as error:
        raise FormatError(f"the file cannot be unpacked ({error})", where=path, do="copy it again") from error
    if len(content) > _MOST_BYTES:
        raise UnsafeInputError("the file unpacks to more than a gigabyte", where=path)
    return content.decode("utf-8", "replace")


def _csv(text: str, separator: str, path: Path) -> pl.DataFrame:
    """A table of texts; each column is read as what it should be later."""
    options = {"separator": separator, "infer_schema_length": 0, "null_values": ["", "NA", "NaN"], "quote_char": None}
    try:
        return pl.read_csv(io.StringIO(text), **options)  # type: ignore[arg-type]
    except pl.exceptions.PolarsError as error:
        raise FormatError(f"this is no readable table ({error})", where=path) from error


def _pangaea(path: Path) -> pl.DataFrame:
    """PANGAEA's text: a description in /* … */, then a table with names and units in its head."""
    text = _text(path)
    table = _csv(text.split("*/", 1)[-1].lstrip("\r\n"), "\t", path)
    wanted = {
        "latitude": "Latitude",
        "longitude": "Longitude",
        "depth_m": "Depth water [m]",
        "start": "Date/Time",
        "end": "Date/time end",
        "duration_d": "Duration [days]",
        "poc_flux_mg_m2_d": "POC flux [mg/m**2/day]",
        "method": "Type (Data type)",
        "trap": "Type (Sediment trap type)",
    }
    found = {
        key: next((name for name in table.columns if name.startswith(begin)), None) for key, begin in wanted.items()
    }
    if lacking := [wanted[key] for key in ("latitude", "longitude", "depth_m", "poc_flux_mg_m2_d") if not found[key]]:
        raise SourceError(f"the table has no column {', '.join(lacking)}", where=path, do="POC flux in mg/m**2/day")
    missing = [pl.lit(None, pl.String).alias(key) for key, name in found.items() if not name]
    named = table.rename({name: key for key, name in found.items() if name}).with_columns(missing)
    start, end = (pl.col(key).str.to_datetime("%Y-%m-%dT%H:%M:%S", strict=False) for key in ("start", "end"))
    middle = start + (end.fill_null(start) - start) / 2
    named = named.with_columns(
        pl.col("duration_d").cast(pl.Float64, strict=False), time_utc=middle.dt.replace_time_zone("UTC")
    )
    return named.with_columns(kind=_kind(pl.col("method"), pl.col("trap")), source=pl.lit(path.name))


def _from_r(path: Path) -> pl.DataFrame:
    from aqqua.maps.flux.rdata import read_rdata

    for frame in read_rdata(path).values():
        if "poc_flux_obs" in frame.columns:
            dates = [name for name in ("converted_date", "converted_date_deployment") if name in frame.columns]
            month = pl.col("date_formatted") + "-15" if "date_formatted" in frame.columns else pl.lit(None, pl.String)
            known = month.str.to_datetime("%Y-%m-%d", strict=False).dt.replace_time_zone("UTC").dt.cast_time_unit("ms")
            return _common(frame.with_columns(time_utc=pl.coalesce(known, *dates)), path)
    raise SourceError("there is no table of measured fluxes in this file of R", where=path, do="it needs poc_flux_obs")


def _common(table: pl.DataFrame, path: Path) -> pl.DataFrame:
    """Tables with a row per measurement, under the names people give their columns."""
    found = {key: next((name for name in names if name in table.columns), None) for key, names in _NAMES.items()}
    needed = ("latitude", "longitude", "depth_m", "poc_flux_mg_m2_d")
    if lacking := [key for key in needed if not found[key]]:
        do = f"it has: {', '.join(table.columns[:12])}"
        raise SourceError(f"the table has no column {', '.join(lacking)}", where=path, do=do)
    columns = [pl.col(name).alias(key) for key, name in found.items() if name]
    columns += [pl.lit(None).alias(key) for key, name in found.items() if not name]
    plain = table.select(columns).with_columns(pl.col("duration_d").cast(pl.Float64, strict=False))
    if plain.schema["time_utc"] == pl.String:
        plain = plain.with_columns(pl.col("time_utc").str.to_datetime(strict=False, time_zone="UTC"))
    elif plain.schema["time_utc"].is_temporal():
        plain = plain.with_columns(pl.col("time_utc").cast(pl.Datetime("ms")).dt.replace_time_zone("UTC"))
    kind = _kind(pl.col("kind").cast(pl.String), pl.col("kind").cast(pl.String))
    return plain.with_columns(kind=kind, source=pl.lit(path.name))


def _kind(method: pl.Expr, trap: pl.Expr) -> pl.Expr:
    """Drifting, moored or thorium: by name where it says so, else by the days it was out."""
    words, name = method.str.to_lowercase().fill_null(""), trap.str.to_lowercase().fill_null("")
    thorium = words.str.contains("th-?234|thorium|234th")
    drifting = name.str.contains(_DRIFTING) & ~name.str.contains("kiel|moor")
    short = pl.col("duration_d") <= DRIFTING_DAYS
    return (
        pl.when(thorium)
        .then(pl.lit("thorium"))
        .when(drifting)
        .then(pl.lit("drifting"))
        .when(name.str.contains(_MOORED))
        .then(pl.lit("moored"))
        .when(short)
        .then(pl.lit("drifting"))
        .when(pl.col("duration_d").is_not_null())
        .then(pl.lit("moored"))
        .otherwise(pl.lit("unknown"))
    )
