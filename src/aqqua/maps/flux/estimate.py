"""`aqqua map flux`: spectra in, carbon flux out, with the interval that the counts allow and words for what is odd."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aqqua.errors import ConfigError, MissingExtraError
from aqqua.maps.flux.inputs import diameter_um, read_spectra
from aqqua.maps.flux.model import FluxModel
from aqqua.maps.tables import write_table
from aqqua.metadata.check import Finding

__all__ = ["FluxReport", "flux", "flux_of"]

_KEYS = ("sample_id", "dataset", "time_utc", "latitude", "longitude", "depth_min_m", "depth_max_m")
_OFTEN = 0.05


@dataclass(frozen=True)
class FluxReport:
    """What was computed.

    Args:
        table: the flux table: keys, `poc_flux_mg_m2_d` with `_lo` and `_hi` (95 %, of the counts), n, volume_l, model;
            of a calibrated relation also `poc_flux_station_lo` and `_hi`: 95 % for a station it was not made on.
        findings: what looks odd.
        model: the relation used.
    """

    table: pl.DataFrame
    findings: list[Finding]
    model: FluxModel

    def __str__(self) -> str:
        known = self.table["poc_flux_mg_m2_d"].drop_nulls()
        middle = f"median {np.median(known.to_numpy()):.3g} mg C m⁻² d⁻¹" if len(known) else "no value"
        samples = self.table["sample_id"].n_unique()
        lines = [f"{self.model.name}: {self.table.height:,} layers of {samples:,} samples, {middle}"]
        lines += [f"{one.severity:8} {one.message} (×{one.count:,})\n         → {one.do}" for one in self.findings]
        return "\n".join(lines)


def flux(source: Path, out: Path, model: FluxModel, *, bin_m: float | None = None) -> FluxReport:
    """Carbon flux of a spectra table, written as a flux table.

    Args:
        source: spectra table, or exports of EcoPart (folder, zip, `.tsv`).
        out: the flux table to write (`.parquet` or `.csv`).
        model: the relation.
        bin_m: add counts and volumes up in layers of so many metres first.

    Returns:
        The table, and what looks odd.

    Raises:
        ConfigError: columns or units are not those of a spectra table, or no class is in the range of the relation.
    """
    spectra, about, findings = read_spectra(source)
    report = flux_of(spectra, model, bin_m=bin_m)
    told: dict[str, Any] = {
        "kind": "flux",
        "model": model.__dict__,
        "bin_m": bin_m,
        "source": str(source),
        "from": about,
    }
    write_table(report.table, out, told)
    return FluxReport(report.table, [*findings, *report.findings], model)


def flux_of(spectra: pl.DataFrame, model: FluxModel, *, bin_m: float | None = None) -> FluxReport:
    """Carbon flux of spectra: Σ nᵢ A dᵢᵇ over the classes whose middle lies in the range of the relation.

    Args:
        spectra: a checked spectra table (see `aqqua.maps.flux.inputs.read_spectra`).
        model: the relation.
        bin_m: add counts and volumes up in layers of so many metres first.

    Example:
        >>> from aqqua.maps.flux.model import PRESETS
        >>> row = {"sample_id": "a", "depth_min_m": 100.0, "depth_max_m": 105.0, "esd_min_um": 1000.0}
        >>> one = pl.DataFrame([{**row, "esd_max_um": 1260.0, "n": 2, "volume_l": 10.0, "number_per_l": 0.2}])
        >>> round(flux_of(one, PRESETS["guidi2008"]).table["poc_flux_mg_m2_d"][0], 2)
        3.88
    """
    middle = diameter_um(spectra)
    within = (middle >= model.esd_min_um) & (middle <= model.esd_max_um)
    if not within.any():
        raise ConfigError(
            f"no size class lies within {model.esd_min_um:g}–{model.esd_max_um:g} µm, where {model.name} counts",
            do=f"the classes go from {np.nanmin(middle):.3g} to {np.nanmax(middle):.3g} µm: are they in millimetres? "
            "or choose another relation with --model, or your own range with --esd-min-um and --esd-max-um",
        )
    findings = _range_findings(spectra, middle, within, model)
    keys = [name for name in _KEYS if name in spectra.columns]
    layered = spectra if bin_m is None else _layers(spectra, bin_m)
    used = layered.with_columns(weight=pl.Series(model.per_particle(middle))).filter(pl.Series(within))
    table = _summed(used if bin_m is None else _added_up(used, keys), keys)
    depth = ((table["depth_min_m"] + table["depth_max_m"]) / 2).to_numpy()
    table = _with_intervals(table, model.at_depth(depth))
    if model.station_sd > 0:
        value, spread = pl.col("poc_flux_mg_m2_d"), float(np.exp(1.96 * model.station_sd))
        table = table.with_columns(poc_flux_station_lo=value / spread, poc_flux_station_hi=value * spread)
    if beyond := int(((depth < model.depth_min_m * 0.75) | (depth > model.depth_max_m * 1.25)).sum()):
        what = f"layers beyond the depths {model.name} was made for ({model.depth_min_m:g}–{model.depth_max_m:g} m)"
        findings.append(
            Finding("warning", "depth_beyond", what, "", beyond, "do not use them, or compare with traps there")
        )
    if lost := table["poc_flux_mg_m2_d"].null_count():
        do = "nothing to do; missing is not zero"
        findings.append(Finding("info", "no_volume", "layers without a volume or a count have no flux", "", lost, do))
    return FluxReport(table.with_columns(model=pl.lit(model.name)).sort(keys), findings, model)


def _layers(spectra: pl.DataFrame, bin_m: float) -> pl.DataFrame:
    """The same rows, each in its layer of so many metres."""
    if not bin_m > 0:
        raise ConfigError("layers need a height above 0", do="for example --bin-m 50")
    number = ((pl.col("depth_min_m") + pl.col("depth_max_m")) / 2 / bin_m).floor()
    return spectra.with_columns(depth_min_m=number * bin_m, depth_max_m=(number + 1) * bin_m)


def _added_up(used: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """One row per layer and class: Σ n, Σ V, Σ concentration · V / Σ V: a ratio of sums, never a mean of ratios."""
    sampled = pl.col("number_per_l").is_not_null() & (pl.col("volume_l") > 0)
    volume = pl.when(sampled).then(pl.col("volume_l"))
    counted = pl.col("n").filter(sampled)
    sums = used.group_by(*keys, "esd_min_um", maintain_order=True).agg(
        pl.col("weight", "esd_max_um").first(),
        n=pl.when(counted.is_null().any()).then(None).otherwise(counted.sum()),
        volume_l=volume.sum(),
        total=(pl.col("number_per_l") * volume).sum(),
        alone=pl.col("number_per_l").filter(pl.col("volume_l").is_null()).mean(),
    )
    some = pl.col("volume_l") > 0
    density = pl.when(some).then(pl.col("total") / pl.col("volume_l")).otherwise(pl.col("alone"))
    return sums.with_columns(number_per_l=density, volume_l=pl.when(some).then(pl.col("volume_l")))


def _summed(classes: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """One row per layer: flux at 100 m, its variance, the weight one class above the largest seen, n and V."""
    measured = pl.col("volume_l") > 0
    density = pl.when(pl.col("volume_l").is_null() | measured).then(pl.col("number_per_l"))
    rows = classes.with_columns(density=density, share=pl.when(measured).then(pl.col("weight") / pl.col("volume_l")))
    seen = pl.col("share").filter(pl.col("n") > 0).max()
    above = pl.col("share").filter(pl.col("share") > seen).min()
    lacking = pl.col("density").is_null().any()
    return rows.group_by(keys, maintain_order=True).agg(
        value=pl.when(lacking).then(None).otherwise((pl.col("density") * pl.col("weight")).sum()),
        variance=(pl.col("share") ** 2 * pl.col("n")).sum(),
        heaviest=pl.coalesce(above, seen, pl.col("share").min()),
        n=pl.when(pl.col("n").is_null().any()).then(None).otherwise(pl.col("n").sum()),
        volume_l=pl.when(measured.all()).then(pl.col("volume_l").max()),
        esd_min_um=pl.col("esd_min_um").min(),
        esd_max_um=pl.col("esd_max_um").max(),
    )


def _with_intervals(table: pl.DataFrame, factor: NDArray[np.float64]) -> pl.DataFrame:
    """Values at their depth with 95 % intervals; rows of which the counts are not known have none."""
    counted = table["n"].is_not_null().to_numpy() & table["volume_l"].is_not_null().to_numpy()
    value, variance, heaviest = (table[name].cast(pl.Float64).to_numpy() for name in ("value", "variance", "heaviest"))
    low, high = weighted_poisson_interval(value, variance, heaviest)
    shown = {
        "poc_flux_mg_m2_d": value * factor,
        "poc_flux_mg_m2_d_lo": np.where(counted, low * factor, np.nan),
        "poc_flux_mg_m2_d_hi": np.where(counted, high * factor, np.nan),
    }
    columns = [pl.Series(name, values).fill_nan(None) for name, values in shown.items()]
    return table.drop("value", "variance", "heaviest").with_columns(columns)


def weighted_poisson_interval(
    value: NDArray[np.float64], variance: NDArray[np.float64], heaviest: NDArray[np.float64], share: float = 0.95
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Interval of Σ wᵢ nᵢ with Poisson counts, by gamma distributions; right at zero counts too.

    Fay and Feuer (1997), Statistics in Medicine 16: 791–801. Their bound takes the largest weight there could be; that
    of a 2 cm particle would make every upper end useless, so `flux_of` passes the weight one class above the largest
    seen: the interval does not allow for particles much larger than any in the layer.

    Args:
        value: Σ wᵢ nᵢ, (m,).
        variance: Σ wᵢ² nᵢ, (m,).
        heaviest: weight of the largest particle that could have been seen, (m,).
        share: of the interval.

    Returns:
        Lower and upper end, (m,) each.
    """
    try:
        from scipy.stats import gamma
    except ModuleNotFoundError as error:
        raise MissingExtraError("flux with intervals", "scipy", "maps") from error
    tail = (1 - share) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        low = np.where(value > 0, gamma.ppf(tail, value**2 / variance, scale=variance / value), 0.0)
        top, spread = value + heaviest, variance + heaviest**2
        high = gamma.ppf(1 - tail, top**2 / spread, scale=spread / top)
    return np.where(np.isnan(value), np.nan, low), np.where(np.isnan(value), np.nan, high)


def _range_findings(
    spectra: pl.DataFrame, middle: NDArray[np.float64], within: NDArray[np.bool_], model: FluxModel
) -> list[Finding]:
    """Where the spectra do not fit the range of sizes the relation counts."""
    density = np.nan_to_num(spectra["number_per_l"].cast(pl.Float64).to_numpy())
    each = density * model.per_particle(np.nan_to_num(middle))
    found, total = [], float(each.sum())
    seen = middle[(density > 0) & np.isfinite(middle)]
    span = f"{model.esd_min_um:g}–{model.esd_max_um:g} µm"
    if len(seen) and seen.min() > model.esd_min_um * 1.3:
        what = f"nothing smaller than {seen.min():.0f} µm was counted, {model.name} counts {span}: flux may be too low"
        found.append(
            Finding("warning", "range_below", what, "", int(within.sum()), "use a relation made for this instrument")
        )
    if len(seen) and seen.max() < model.esd_max_um / 1.3:
        what = f"nothing larger than {seen.max():.0f} µm was counted, {model.name} counts {span}: flux may be too low"
        found.append(Finding("info", "range_above", what, "", int(within.sum()), "add volumes up: --bin-m 50"))
    outside = float(each[~within].sum()) / total if total > 0 else 0.0
    if outside > _OFTEN:
        what = f"{outside:.0%} of the flux would be of sizes outside {span} and is left out"
        do = "nothing, if you follow the paper; your own range: --esd-min-um, --esd-max-um"
        found.append(Finding("info", "range_outside", what, "", int((~within & (density > 0)).sum()), do))
    return found
