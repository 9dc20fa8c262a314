"""`aqqua map flux rates`: what maps add up to – carbon sinking in a year, carbon standing in a layer – with intervals.

A total is Σ value · cell area (· thickness of the layer). Its interval comes from maps of resampled stations where the
file has them (dimension `member` or `replicate`); with only `sd_sampling` the sds are added up as if all cells erred
together, which is the widest the interval can be. The quantiles of a map (`q05`, `q95`) are those of one new
observation: their sums are no interval of a total, and are not shown as one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aqqua.errors import ConfigError
from aqqua.maps.cube import cell_area_m2
from aqqua.maps.netcdf import read_gridded

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Budget", "Martin", "budget_table", "budgets", "integrate", "rates", "unit_to_mg"]

Floats = NDArray[np.float64]
DAYS_PER_YEAR = 365.25
CARBON_G_PER_MOL = 12.011
_MEMBERS = ("member", "replicate")
_Z90 = 1.6449
_MASS_MG = {
    "pg": 1e-9, "ng": 1e-6, "ug": 1e-3, "mg": 1.0, "g": 1e3, "kg": 1e6,
    "umol": CARBON_G_PER_MOL * 1e-3, "mmol": CARBON_G_PER_MOL, "mol": CARBON_G_PER_MOL * 1e3,
}  # fmt: skip
_PER_DAY = {"d": 1.0, "day": 1.0, "s": 86400.0, "h": 24.0, "yr": 1 / DAYS_PER_YEAR, "year": 1 / DAYS_PER_YEAR}
_PER_DAY |= {"a": 1 / DAYS_PER_YEAR, "y": 1 / DAYS_PER_YEAR}
_UNIT = re.compile(r"^(\w+) ?(?:C )?m-([23])(?: (\w+)-1)?$")


@dataclass(frozen=True)
class Budget:
    """A total of a map.

    Args:
        name: of the taxon, variable or product.
        layer: "0–200 m" or "at 100 m"; empty where the map does not say.
        value: in `unit`; positive.
        low: lower end of the 90 % interval, None where there is none.
        high: upper end.
        unit: "PgC yr⁻¹" or "PgC".
        area_km2: of the cells that were added up.
        how: where the interval comes from.
    """

    name: str
    layer: str
    value: float
    low: float | None
    high: float | None
    unit: str
    area_km2: float
    how: str = "none"

    def __str__(self) -> str:
        ends = "" if self.low is None or self.high is None else f" ({self.low:.3g} … {self.high:.3g}, {self.how})"
        return (
            f"{self.name} {self.layer}: {self.value:.3g}{ends} {self.unit} over {self.area_km2 / 1e6:.0f} million km²"
        )


@dataclass(frozen=True)
class Martin:
    """Flux carried from one depth to another: F(z) = F(z₀) (z / z₀)⁻ᵇ (Martin et al. 1987, Deep-Sea Res. 34: 267).

    Args:
        from_m: depth of the map.
        to_m: depth wanted.
        b: exponent; 0.858 is Martin's own for the open Pacific.
        b_low: lower end of its interval.
        b_high: upper end.
    """

    from_m: float
    to_m: float
    b: float = 0.858
    b_low: float = 0.6
    b_high: float = 1.1

    def __post_init__(self) -> None:
        if not (self.from_m > 0 and self.to_m > 0 and self.b_low <= self.b <= self.b_high):
            raise ConfigError("a transfer needs depths below the surface and b within its interval", do=repr(self))

    def carried(self, budget: Budget) -> Budget:
        """The budget at the other depth; the ends of both intervals are put together."""
        if not budget.unit.endswith("yr⁻¹"):
            raise ConfigError(
                "only a flux can be carried to another depth", where=budget.name, do="leave --to-depth out"
            )
        share = self.to_m / self.from_m
        ends = (budget.value if end is None else end for end in (budget.low, budget.high))
        factors = sorted(share**-b for b in (self.b_low, self.b_high))
        low, high = (end * factor for end, factor in zip(ends, factors, strict=True))
        how = f"b {self.b_low:g}–{self.b_high:g}" + ("" if budget.low is None else f" and {budget.how}")
        value = budget.value * share**-self.b
        return Budget(budget.name, f"at {self.to_m:g} m", value, low, high, budget.unit, budget.area_km2, how)


def rates(
    maps: Sequence[Path], *, variable: str | None = None, inside: bool = False, martin: Martin | None = None
) -> list[Budget]:
    """Totals of map files.

    Args:
        maps: NetCDF or Zarr, as `aqqua map interpolate` writes them, or any grid with units of carbon.
        variable: which one; the only one with units of carbon, or `mean`, if not said.
        inside: only cells inside the area of applicability.
        martin: carry fluxes to another depth as well.

    Raises:
        ConfigError: no variable with units of carbon, or an irregular grid.
    """
    if not maps:
        raise ConfigError("name a map", do="aqqua map flux rates MAP.nc")
    found = [one for path in maps for one in budgets(read_gridded(path), variable, inside=inside, where=path)]
    return found + ([martin.carried(one) for one in found if one.unit.endswith("yr⁻¹")] if martin else [])


def budgets(maps: xr.Dataset, variable: str | None = None, *, inside: bool = False, where: object = "") -> list[Budget]:
    """Totals of one dataset: one for each taxon and layer.

    Args:
        maps: the dataset, with `latitude` and `longitude` (or `lat`, `lon`) as dimensions.
        variable: which variable.
        inside: only cells inside the area of applicability (`aoa`).
        where: names it in errors.

    Raises:
        ConfigError: see `rates`.
    """
    maps = _named(maps, where)
    name = variable or _carbon_variable(maps, where)
    if name not in maps.data_vars:
        raise ConfigError(
            f"the map has no variable {name}", where=where, do=f"it has: {', '.join(map(str, maps.data_vars))}"
        )
    field = maps[name]
    factor, depth_power, per_day = unit_to_mg(str(field.attrs.get("units", "")), f"{where}: {name}")
    if inside and "aoa" not in maps:
        raise ConfigError("the map has no area of applicability", where=where, do="leave --inside out")
    kept = field.where(maps["aoa"] == 1) if inside else field
    area = _areas(maps, where)
    unit, scale = ("PgC yr⁻¹", DAYS_PER_YEAR) if per_day else ("PgC", 1.0)
    sds = maps["sd_sampling"].where(kept.notnull()) if name == "mean" and "sd_sampling" in maps else None
    found = []
    for label, layer, thickness, piece, sd in _pieces(maps, kept, sds, str(name)):
        if depth_power == 3 and thickness is None:
            what = "a concentration needs the limits of its layer to become a stock"
            raise ConfigError(what, where=where, do="give layer_min_m and layer_max_m")
        amount = factor * (thickness or 1.0 if depth_power == 3 else 1.0) * scale * 1e-18
        found.append(_total(label, layer, unit, piece, sd, area, amount))
    return found


def integrate(values: Floats, area_m2: Floats) -> tuple[float, float]:
    """Σ value · area over cells that have a value, and their area in km².

    Args:
        values: (h, w), NaN where there is none.
        area_m2: (h, w).
    """
    known = np.isfinite(values)
    return float((values[known] * area_m2[known]).sum()), float(area_m2[known].sum() / 1e6)


def unit_to_mg(unit: str, where: object = "") -> tuple[float, int, bool]:
    """What turns a unit of carbon into mg, m⁻² or m⁻³, and d⁻¹.

    Args:
        unit: as "mg m-2 d-1", "mg C/m2/day", "mol m⁻² yr⁻¹", "mg m-3".
        where: names it in errors.

    Returns:
        Factor, 2 or 3 (per m² or m³), and whether it is per time.

    Raises:
        ConfigError: it is no unit of carbon per area or volume.

    >>> unit_to_mg("mg m-2 d-1"), unit_to_mg("g C/m2")
    ((1.0, 2, True), (1000.0, 2, False))
    """
    plain = unit.translate(str.maketrans("⁻⁰¹²³µμ", "-0123uu")).replace("**", "").replace("^", "").replace(".", " ")
    plain = re.sub(r"/\s*m([23])", r" m-\1", plain)
    plain = re.sub(r"/\s*(\w+)", r" \1-1", plain)
    plain = re.sub(r"^(\w+?)C\b", r"\1", " ".join(plain.split()))
    match = _UNIT.match(plain)
    if not match or match[1] not in _MASS_MG or (match[3] and match[3] not in _PER_DAY):
        what = f"{unit!r} is no unit of carbon per area or volume" if unit else "the variable has no units"
        raise ConfigError(what, where=where, do='write it as "mg m-2 d-1" (flux), "mg m-3" or "mg m-2" (carbon)')
    per_day = _PER_DAY[match[3]] if match[3] else 1.0
    return _MASS_MG[match[1]] * per_day, int(match[2]), bool(match[3])


def _named(maps: xr.Dataset, where: object) -> xr.Dataset:
    names = {"lat": "latitude", "lon": "longitude"}
    renamed = maps.rename(
        {short: name for short, name in names.items() if short in maps.dims and name not in maps.dims}
    )
    if lacking := [name for name in names.values() if name not in renamed.dims]:
        raise ConfigError(
            f"the map has no dimension {', '.join(lacking)}", where=where, do="totals need a regular grid"
        )
    return renamed


def _carbon_variable(maps: xr.Dataset, where: object) -> str:
    """`mean`, or the only variable with units of carbon."""
    if "mean" in maps:
        return "mean"
    good = []
    for name, field in maps.data_vars.items():
        try:
            unit_to_mg(str(field.attrs.get("units", "")))
        except ConfigError:
            continue
        good.append(str(name))
    if len(good) != 1:
        told = (
            f"{len(good)} variables have units of carbon: {', '.join(good)}"
            if good
            else "no variable has units of carbon"
        )
        raise ConfigError(told, where=where, do="choose with --variable; units as mg m-2 d-1")
    return good[0]


def _areas(maps: xr.Dataset, where: object) -> Floats:
    """Area of each cell in m², (h, w)."""
    steps = []
    for name in ("latitude", "longitude"):
        values = np.asarray(maps[name].values, np.float64)
        apart = np.diff(values)
        if len(values) < 2 or not np.allclose(apart, apart[0], rtol=1e-3):
            raise ConfigError(
                f"the {name}s of the map are not evenly spaced", where=where, do="totals need a regular grid"
            )
        steps.append(abs(float(apart.mean())))
    latitude = np.asarray(maps["latitude"].values, np.float64)
    area = cell_area_m2(latitude, steps[0], steps[1])
    return np.asarray(np.repeat(area[:, None], maps.sizes["longitude"], axis=1))


def _pieces(
    maps: xr.Dataset, field: xr.DataArray, sds: xr.DataArray | None, variable: str
) -> Iterator[tuple[str, str, float | None, Floats, Floats | None]]:
    """Name, layer, its thickness, values (member, h, w) and sds (h, w) of each taxon and layer."""
    extra = [str(dim) for dim in field.dims if dim not in {"latitude", "longitude", "month", *_MEMBERS}]
    if unknown := [dim for dim in extra if dim not in {"taxon", "layer"}]:
        raise ConfigError(f"the map has a dimension {unknown[0]}", do="choose one value of it first")
    for taxon in range(maps.sizes["taxon"]) if "taxon" in extra else (None,):
        for layer in range(maps.sizes["layer"]) if "layer" in extra else (None,):
            at = {name: place for name, place in (("taxon", taxon), ("layer", layer)) if place is not None}
            label = str(maps["taxon_name"].values[taxon]) if taxon is not None and "taxon_name" in maps else variable
            limits = _limits(maps, layer)
            told = f"{limits[0]:g}–{limits[1]:g} m" if limits else ""
            sd = (
                None
                if sds is None
                else _year(sds.isel({dim: place for dim, place in at.items() if dim in sds.dims}))[0]
            )
            yield label, told, limits[1] - limits[0] if limits else None, _year(field.isel(at)), sd


def _limits(maps: xr.Dataset, layer: int | None) -> tuple[float, float] | None:
    if layer is None or "layer_min_m" not in maps or "layer_max_m" not in maps:
        return None
    return float(maps["layer_min_m"].values[layer]), float(maps["layer_max_m"].values[layer])


def _year(piece: xr.DataArray) -> Floats:
    """(member, h, w); months as their mean, each month alike."""
    if "month" in piece.dims:
        piece = piece.mean("month", skipna=True)
    members = [dim for dim in _MEMBERS if dim in piece.dims]
    ordered = piece.transpose(*members, "latitude", "longitude").values.astype(np.float64)
    return np.asarray(ordered if members else ordered[None])


def _total(label: str, layer: str, unit: str, piece: Floats, sd: Floats | None, area: Floats, amount: float) -> Budget:
    totals = [integrate(one, area) for one in piece]
    value = float(np.mean([total for total, _ in totals])) * amount
    low = high = None
    how = "none"
    if len(totals) > 1:
        low, high = (float(end) * amount for end in np.percentile([total for total, _ in totals], [5, 95]))
        how = f"{len(totals)} resampled maps"
    elif sd is not None and np.isfinite(sd).any():
        half = _Z90 * integrate(sd, area)[0] * amount
        low, high, how = max(value - half, 0.0), value + half, "all cells erring together"
    return Budget(label, layer, value, low, high, unit, totals[0][1], how)


def budget_table(found: Sequence[Budget]) -> pl.DataFrame:
    """Budgets as a table."""
    columns: dict[str, list[Any]] = {
        name: [getattr(one, name) for one in found]
        for name in ("name", "layer", "value", "low", "high", "unit", "area_km2", "how")
    }
    return pl.DataFrame(columns)
