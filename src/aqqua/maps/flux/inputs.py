"""Spectra tables as flux needs them: read from a table or from EcoPart, columns and units checked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aqqua.errors import ConfigError
from aqqua.maps.tables import read_table
from aqqua.metadata.check import Finding

__all__ = ["check_spectra", "diameter_um", "read_spectra"]

_NEEDS = ("sample_id", "depth_min_m", "depth_max_m", "esd_min_um", "esd_max_um", "number_per_l")
_NUMBERS = ("depth_min_m", "depth_max_m", "esd_min_um", "esd_max_um", "n", "volume_l", "number_per_l")


def read_spectra(source: Path) -> tuple[pl.DataFrame, dict[str, Any], list[Finding]]:
    """A spectra table, or exports of EcoPart.

    Args:
        source: `.parquet` or `.csv`, else exports of EcoPart: a folder, a zip, a `.tsv`.

    Returns:
        The table with number columns as numbers, where it comes from, and what looks odd.

    Raises:
        ConfigError: columns lack, or sizes or concentrations are not in the units their names say.
    """
    if source.suffix.lower() in {".parquet", ".csv"}:
        spectra, about = read_table(source, needs=_NEEDS)
        found: list[Finding] = []
    else:
        from aqqua.maps.ecopart import read_ecopart

        export = read_ecopart([source])
        spectra, about, found = export.spectra, {"owners": list(export.owners)}, export.findings
    clean, odd = check_spectra(spectra, source)
    return clean, about, [*found, *odd]


def check_spectra(spectra: pl.DataFrame, where: object = "") -> tuple[pl.DataFrame, list[Finding]]:
    """A spectra table that can be computed with: units looked at, rows that cannot be told and left out.

    Args:
        spectra: the table.
        where: names it in errors.

    Raises:
        ConfigError: columns lack, or the units of the whole table are not those of their names.
    """
    if lacking := [name for name in _NEEDS if name not in spectra.columns]:
        raise ConfigError(f"the spectra have no column {', '.join(lacking)}", where=where, do="see `aqqua map spectra`")
    missing = [pl.lit(None).alias(name) for name in ("n", "volume_l") if name not in spectra.columns]
    table = spectra.with_columns(missing).with_columns(pl.col(_NUMBERS).cast(pl.Float64, strict=False))
    _check_units(table, where)
    size = pl.col("esd_min_um") > 0
    rising = pl.col("esd_max_um").is_null() | (pl.col("esd_max_um") > pl.col("esd_min_um"))
    depth = pl.col("depth_min_m").is_finite() & (pl.col("depth_min_m") >= 0)
    deeper = pl.col("depth_max_m") >= pl.col("depth_min_m")
    sane = pl.col("number_per_l").is_null() | (pl.col("number_per_l").is_finite() & (pl.col("number_per_l") >= 0))
    rules = (
        (size & rising, "size", "have no size class (µm) that rises", "give esd_min_um below esd_max_um"),
        (depth & deeper, "depth", "have no depth, or one above the sea", "depth in metres, downwards, 0 or more"),
        (sane, "negative", "have a concentration below zero or no number", "correct the table"),
    )
    findings = []
    for keep, code, message, do in rules:
        good = table.filter(keep.fill_null(value=False))
        if lost := table.height - good.height:
            findings.append(Finding("warning", f"spectra_{code}", f"{lost:,} rows {message}: left out", "", lost, do))
        table = good
    if not table.height:
        raise ConfigError("the spectra have no usable row", where=where, do="; ".join(one.message for one in findings))
    return table, findings


def _check_units(table: pl.DataFrame, where: object) -> None:
    """Concentrations per litre, counts and volumes have to agree; so must volumes of particles and their sizes."""
    counted = table.filter((pl.col("n") > 0) & (pl.col("volume_l") > 0) & (pl.col("number_per_l") > 0))
    if counted.height:
        ratio = _middle(counted, pl.col("number_per_l") * pl.col("volume_l") / pl.col("n"))
        if not 0.5 < ratio < 2:
            told = "particles per m³" if 500 < ratio < 2000 else "something else"
            what = f"number_per_l is {ratio:,.3g} times n / volume_l: is it {told}?"
            raise ConfigError(what, where=where, do="give particles per litre, counts and litres that belong together")
    if "biovolume_mm3_per_l" not in table.columns:
        return
    full = table.filter((pl.col("biovolume_mm3_per_l") > 0) & (pl.col("number_per_l") > 0) & (pl.col("esd_max_um") > 0))
    if not full.height:
        return
    middle = (pl.col("esd_min_um") * pl.col("esd_max_um")).sqrt() / 1000
    ratio = _middle(full, pl.col("biovolume_mm3_per_l") / pl.col("number_per_l") / (np.pi / 6 * middle**3))
    if not 0.02 < ratio < 50:
        what = f"particles are {ratio:,.3g} times as large as their size class"
        do = "sizes in µm, biovolume in mm³ per litre, concentration in particles per litre"
        raise ConfigError(what, where=where, do=do)


def _middle(table: pl.DataFrame, value: pl.Expr) -> float:
    return float(table.select(value.median()).item())


def diameter_um(spectra: pl.DataFrame) -> NDArray[np.float64]:
    """Geometric middle of each row's size class in µm, NaN for open classes, (n,)."""
    low, high = (spectra[name].cast(pl.Float64).to_numpy() for name in ("esd_min_um", "esd_max_um"))
    return np.asarray(np.sqrt(low * high), dtype=np.float64)
