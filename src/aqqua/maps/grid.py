"""Put samples on a grid (verb `aqqua map grid`): cells, depth layers, the year or its months.

A cell's value is a ratio of sums: all that was counted, by all the water that was looked at – never a mean of ratios,
in which a litter of small samples would weigh as much as one large one. Zeros count; missing values do not. Bins of
depth that reach beyond a layer count by the share of them that lies within it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl

from aqqua.errors import ConfigError, UnknownNameError
from aqqua.maps.grid_check import usable
from aqqua.maps.tables import read_table, write_table
from aqqua.metadata.check import Finding

__all__ = ["UNITS", "GridReport", "grid", "observations", "parse_layers"]

Time = Literal["annual", "month"]
Layers = Sequence[tuple[float, float]]

UNITS = {
    "abundance_m3": "m-3",
    "biovolume_mm3_m3": "mm3 m-3",
    "carbon_mg_m3": "mg m-3",
    "poc_flux_mg_m2_d": "mg m-2 d-1",
    "number_per_l": "l-1",
    "biovolume_mm3_per_l": "mm3 l-1",
}
"""Columns that can be put on a grid, and their units."""

_KEYS = ["latitude", "longitude", "layer_min_m", "layer_max_m", "taxon"]


@dataclass(frozen=True)
class GridReport:
    """What came of it.

    Args:
        path: the observation table.
        rows: its rows.
        cells: different cells with a value.
        samples: samples that count somewhere.
        taxa: number of taxa.
        findings: what a person should know, first of all rows that were left out.
    """

    path: Path
    rows: int
    cells: int
    samples: int
    taxa: int
    findings: list[Finding] = field(default_factory=list)

    def __str__(self) -> str:
        """A few lines for people."""
        lines = [
            f"{self.samples:,} samples on {self.cells:,} cells, {self.taxa:,} taxa, {self.rows:,} rows: {self.path}"
        ]
        lines += [f"{one.severity}: {one.message}" + (f" ({one.do})" if one.do else "") for one in self.findings]
        return "\n".join(lines)


def grid(
    table: Path | str,
    out: Path | str,
    *,
    res: float = 1.0,
    layers: Layers = ((0.0, 200.0), (200.0, 500.0)),
    time: Time = "annual",
    value: str | None = None,
    taxa: Sequence[str] = (),
    cover: float = 0.0,
) -> GridReport:
    """Read an abundance, flux or spectra table and write the observation table of a grid.

    Args:
        table: the table (Parquet or CSV).
        out: the observation table to write.
        res: size of cells in degrees.
        layers: upper and lower limit of depth layers in metres.
        time: "annual" puts all months together, "month" keeps them apart.
        value: the column that is put on the grid; by itself the first of `UNITS` that the table has.
        taxa: only these.
        cover: share of a layer's thickness that a sample must cover to count in it.

    Raises:
        ConfigError: a column is missing, most rows have the same fault, or latitude and longitude are swapped.
        UnknownNameError: there is no such column or taxon.
    """
    frame, about = read_table(table)
    chosen = _column(frame, value)
    found, findings = observations(frame, chosen, res=res, layers=layers, time=time, taxa=taxa, cover=cover)
    options = {"res_deg": res, "layers_m": [list(layer) for layer in layers], "time": time, "value": chosen}
    write_table(found.drop("samples"), out, {"kind": "observations", "options": options, "made_from": about})
    samples = found["samples"].explode(empty_as_null=True).drop_nulls().n_unique()
    cells = found.select("latitude", "longitude").n_unique() if len(found) else 0
    return GridReport(Path(out), len(found), cells, samples, found["taxon"].n_unique(), findings)


def observations(
    frame: pl.DataFrame,
    value: str,
    *,
    res: float = 1.0,
    layers: Layers = ((0.0, 200.0),),
    time: Time = "annual",
    taxa: Sequence[str] = (),
    cover: float = 0.0,
) -> tuple[pl.DataFrame, list[Finding]]:
    """The same from a frame to a frame; with the names of samples in `samples`.

    Raises:
        ConfigError, UnknownNameError: see `grid`.
    """
    _check_options(res, layers, cover)
    table, findings = usable(_one_shape(frame, value), "value", res, by_month=time == "month")
    table = _only(table, taxa)
    bins = _per_bin(table)
    layered = pl.concat([_in_layer(bins, low, high) for low, high in layers])
    if not len(layered):
        raise ConfigError("no sample lies in any of the layers", where="the table", do="choose other --layers")
    covered = layered.filter(pl.col("cover") >= cover) if cover > 0 else layered
    findings += _cover_findings(layered, covered, cover)
    found = _cells(covered, res, by_month=time == "month")
    return found.with_columns(unit=pl.lit(UNITS[value])), findings


def parse_layers(text: str) -> list[tuple[float, float]]:
    """Read "0-200,200-500" (metres).

    Raises:
        ConfigError: it is none.
    """
    layers = []
    for part in text.split(","):
        low, _, high = part.strip().partition("-")
        try:
            layers.append((float(low), float(high)))
        except ValueError as error:
            raise ConfigError(f"{part!r} is no layer", where="--layers", do="write 0-200,200-500") from error
    return layers


def _check_options(res: float, layers: Layers, cover: float) -> None:
    if not 0 < res <= 30 or abs(180 / res - round(180 / res)) > 1e-9:
        raise ConfigError(f"cells of {res:g}° do not fill the globe", where="--res", do="take 1, 0.5, 0.25, 2, 5 …")
    for low, high in layers:
        if not 0 <= low < high:
            raise ConfigError(
                f"{low:g}-{high:g} is no layer", where="--layers", do="metres, from the surface down: 0-200"
            )
    if not 0 <= cover <= 1:
        raise ConfigError(f"{cover:g} is no share", where="--cover", do="give a share between 0 and 1")


def _column(frame: pl.DataFrame, value: str | None) -> str:
    if value is None:
        value = next((name for name in UNITS if name in frame.columns), None)
        if value is None:
            do = f"give a table with one of: {', '.join(UNITS)}"
            raise ConfigError("there is nothing in this table to put on a grid", where="the table", do=do)
    if value not in UNITS:
        raise UnknownNameError("value for a grid", value, UNITS)
    if value not in frame.columns:
        raise UnknownNameError("column", value, frame.columns)
    return value


def _one_shape(frame: pl.DataFrame, value: str) -> pl.DataFrame:
    """Sample, place, time, depths, taxon, class of size, volume and value of any of the tables."""
    needed = ["sample_id", "latitude", "longitude", "depth_min_m", "depth_max_m", value]
    missing = [name for name in needed if name not in frame.columns]
    if missing:
        raise ConfigError(
            f"the table has no column {missing[0]}", where="the table", do="see the page on tables of maps"
        )
    numbers = ("latitude", "longitude", "depth_min_m", "depth_max_m")
    have = frame.columns
    dataset = pl.col("dataset").cast(pl.String) if "dataset" in have else pl.lit("")
    volume = pl.col("volume_l").cast(pl.Float64) if "volume_l" in have else pl.lit(None, pl.Float64)
    size = pl.col("size_min_um").cast(pl.Float64) if "size_min_um" in have else pl.lit(None, pl.Float64)
    month = pl.col("time_utc").dt.month() if "time_utc" in have else pl.lit(None, pl.Int8)
    return frame.select(
        pl.concat_str([dataset.fill_null(""), pl.lit("/"), pl.col("sample_id").cast(pl.String)]).alias("sample"),
        *(pl.col(name).cast(pl.Float64) for name in numbers),
        month.alias("time_utc"),
        _taxon(frame, value).alias("taxon"),
        size.alias("size"),
        volume.alias("volume_l"),
        pl.col(value).cast(pl.Float64).alias("value"),
    )


def _taxon(frame: pl.DataFrame, value: str) -> pl.Expr:
    """Taxa have names; classes of a spectrum are named by their limits, a flux by what it is."""
    if value == "poc_flux_mg_m2_d":
        return pl.lit("POC flux")
    if "taxon" in frame.columns:
        return pl.col("taxon").cast(pl.String)
    if {"esd_min_um", "esd_max_um"} <= set(frame.columns):
        return pl.format("ESD {}–{} µm", *(pl.col(name).round_sig_figs(3) for name in ("esd_min_um", "esd_max_um")))
    raise ConfigError("the table has no column taxon", where="the table", do="give a table made by aqqua map")


def _only(table: pl.DataFrame, taxa: Sequence[str]) -> pl.DataFrame:
    known = table["taxon"].unique().drop_nulls().to_list()
    for taxon in taxa:
        if taxon not in known:
            raise UnknownNameError("taxon", taxon, known)
    return table.filter(pl.col("taxon").is_in(list(taxa))) if taxa else table


def _per_bin(table: pl.DataFrame) -> pl.DataFrame:
    """One row per sample, bin of depth and taxon: classes of size are added up, their water counts once.

    Where a table has both rows for all sizes and rows for classes, those for all sizes count.
    """
    keys = ["sample", "latitude", "longitude", "time_utc", "depth_min_m", "depth_max_m", "taxon"]
    whole = table.with_columns(whole=pl.col("size").is_null().any().over(keys))
    kept = whole.filter(~pl.col("whole") | pl.col("size").is_null())
    return kept.group_by(keys, maintain_order=True).agg(pl.col("value").sum(), pl.col("volume_l").max())


def _in_layer(bins: pl.DataFrame, low: float, high: float) -> pl.DataFrame:
    """One row per sample and taxon in a layer: amount = value × volume, by the share of each bin within the layer.

    A sample of one depth (a bottle) belongs to the layer that its depth lies in. Where volumes are not known, bins
    count by their thickness.
    """
    top, bottom = pl.col("depth_min_m"), pl.col("depth_max_m")
    thick = bottom - top
    overlap = (pl.min_horizontal(bottom, pl.lit(high)) - pl.max_horizontal(top, pl.lit(low))).clip(lower_bound=0)
    point = ((top >= low) & (top < high)).cast(pl.Float64)
    share = pl.when(thick > 0).then(overlap / thick).otherwise(point)
    placed = bins.with_columns(share=share, metres=overlap).filter(pl.col("share") > 0)
    weight = pl.when(pl.col("volume_l") > 0).then(pl.col("volume_l") * pl.col("share"))
    water = placed.with_columns(water=weight, known=pl.col("volume_l") > 0)
    other = pl.when(pl.col("metres") > 0).then(pl.col("metres")).otherwise(pl.col("share"))
    keys = ["sample", "latitude", "longitude", "time_utc", "taxon"]
    all_known = pl.col("known").fill_null(False).all().over(keys)
    summed = water.with_columns(weight=pl.when(all_known).then("water").otherwise(other), known=all_known)
    return summed.group_by(keys, maintain_order=True).agg(
        pl.lit(low).alias("layer_min_m").first(),
        pl.lit(high).alias("layer_max_m").first(),
        (pl.col("value") * pl.col("weight")).sum().alias("amount"),
        pl.col("weight").sum(),
        pl.when(pl.col("known").all()).then(pl.col("water").sum()).alias("volume_l"),
        (pl.col("metres").sum() / (high - low)).clip(upper_bound=1).alias("cover"),
    )


def _cover_findings(layered: pl.DataFrame, covered: pl.DataFrame, cover: float) -> list[Finding]:
    findings = []
    samples = layered.select("sample", "layer_min_m", "cover").unique()
    if lost := len(samples) - len(covered.select("sample", "layer_min_m", "cover").unique()):
        what = f"{lost:,} of {len(samples):,} samples cover less than {cover:.0%} of a layer; they are left out there"
        findings.append(Finding("info", "cover_little", what, count=lost))
    elif part := int((samples["cover"] < 0.5).sum()):
        what = f"{part:,} of {len(samples):,} samples cover less than half of the layer they stand for"
        findings.append(Finding("info", "cover_little", what, count=part, do="--cover 0.5 leaves them out"))
    unknown = layered["volume_l"].null_count()
    if 0 < unknown < len(layered):
        what = f"{unknown:,} of {len(layered):,} values have no volume; in their cells every sample weighs the same"
        findings.append(Finding("warning", "volume_missing", what, count=unknown, do="add volume_l to the table"))
    return findings


def _cells(layered: pl.DataFrame, res: float, *, by_month: bool) -> pl.DataFrame:
    """One row per cell, layer, (month) and taxon."""
    ratio = pl.col("amount") / pl.col("weight")
    rows = layered.with_columns(
        latitude=pl.Series(_centre(layered["latitude"].to_numpy(), -90.0, 180.0, res)),
        longitude=pl.Series(_centre((layered["longitude"].to_numpy() + 180) % 360 - 180, -180.0, 360.0, res)),
        month=pl.col("time_utc").cast(pl.Int8),
        ratio=ratio,
    )
    keys = [*_KEYS[:2], *(["month"] if by_month else []), *_KEYS[2:]]
    known = pl.col("volume_l").is_not_null().all()
    pooled = pl.col("amount").sum() / pl.col("weight").sum()
    return (
        rows.group_by(keys)
        .agg(
            pl.when(known).then(pooled).otherwise(pl.col("ratio").mean()).alias("value"),
            pl.col("sample").n_unique().cast(pl.Int64).alias("n_samples"),
            pl.when(known).then(pl.col("volume_l").sum()).alias("volume_l"),
            pl.col("ratio").std().alias("sd"),
            pl.col("sample").unique(maintain_order=True).alias("samples"),
        )
        .sort("taxon", *(key for key in keys if key != "taxon"))
    )


def _centre(degrees: np.ndarray, start: float, extent: float, res: float) -> np.ndarray:
    """The centre of the cell a coordinate lies in; the pole belongs to the last cell."""
    most = round(extent / res) - 1
    number = np.clip(np.floor((degrees - start) / res + 1e-9), 0, most)
    return np.asarray(start + (number + 0.5) * res)
