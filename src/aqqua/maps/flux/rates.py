"""`aqqua map flux rates`: what maps add up to – carbon sinking in a year, carbon standing in a layer – with intervals.

A total is Σ value · cell area (· thickness of the layer). Its interval is that of a block bootstrap: from maps of
resampled stations where the file has them (dimension `member` or `replicate`), else from the totals that `aqqua map
interpolate` left in the file. With only `sd_sampling` the sds are added up as if all cells erred together, which is the
widest the interval can be. The quantiles of a map (`q05`, `q95`) are those of one new observation: their sums are no
interval of a total, and are not shown as one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from aqqua.errors import ConfigError
from aqqua.maps.flux.cells import DAYS_PER_YEAR, Floats, Piece, areas_m2, integrate, named, pieces, unit_to_mg
from aqqua.maps.netcdf import read_gridded

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Budget", "Martin", "budget_table", "budgets", "rates"]

_Z90 = 1.6449


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
    maps = named(maps, where)
    name = variable or _carbon_variable(maps, where)
    if name not in maps.data_vars:
        do = f"it has: {', '.join(map(str, maps.data_vars))}"
        raise ConfigError(f"the map has no variable {name}", where=where, do=do)
    if inside and "aoa" not in maps:
        raise ConfigError("the map has no area of applicability", where=where, do="leave --inside out")
    field = maps[name]
    factor, per_metres, per_day = unit_to_mg(str(field.attrs.get("units", "")), f"{where}: {name}")
    kept = field.where(maps["aoa"] == 1) if inside else field
    sds = maps["sd_sampling"].where(kept.notnull()) if name == "mean" and "sd_sampling" in maps else None
    area, found = areas_m2(maps, where), []
    for piece in pieces(maps, kept, sds):
        if per_metres == 3 and piece.limits is None:
            what = "a concentration needs the limits of its layer to become a stock"
            raise ConfigError(what, where=where, do="give layer_min_m and layer_max_m")
        thickness = piece.limits[1] - piece.limits[0] if piece.limits and per_metres == 3 else 1.0
        amount = factor * thickness * (DAYS_PER_YEAR if per_day else 1.0) * 1e-18
        ends = _bootstrapped(maps, piece, inside=inside) if name == "mean" else None
        found.append(_total(piece, "PgC yr⁻¹" if per_day else "PgC", area, amount, ends))
    return found


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


def _bootstrapped(maps: xr.Dataset, piece: Piece, *, inside: bool) -> tuple[float, float] | None:
    """Ends of the block bootstrap relative to the total, as `aqqua map interpolate` left them; None without."""
    try:
        rows = json.loads(str(maps.attrs.get("totals", "[]")))
        own = [
            row
            for row in rows
            if (row["taxon"], row["layer_min_m"], row["layer_max_m"]) == (piece.name, *(piece.limits or ()))
            and row["where"] == ("inside" if inside else "all")
        ]
        value, low, high = (sum(float(row[name]) for row in own) for name in ("value", "low", "high"))
    except (ValueError, TypeError, KeyError):
        return None
    good = bool(own) and value > 0 and np.isfinite([low, high]).all()
    return (low / value, high / value) if good else None


def _total(piece: Piece, unit: str, area: Floats, amount: float, ends: tuple[float, float] | None) -> Budget:
    """The budget of one piece with the best interval there is."""
    totals = [integrate(one, area) for one in piece.values]
    value = float(np.mean([total for total, _ in totals])) * amount
    low = high = None
    how = "none"
    if len(totals) > 1:
        low, high = (float(end) * amount for end in np.percentile([total for total, _ in totals], [5, 95]))
        how = f"{len(totals)} resampled maps"
    elif ends is not None:
        low, high, how = value * ends[0], value * ends[1], "block bootstrap"
    elif piece.sd is not None and np.isfinite(piece.sd).any():
        half = _Z90 * integrate(piece.sd, area)[0] * amount
        low, high, how = max(value - half, 0.0), value + half, "all cells erring together"
    return Budget(piece.name, piece.layer, value, low, high, unit, totals[0][1], how)


def budget_table(found: Sequence[Budget]) -> pl.DataFrame:
    """Budgets as a table."""
    columns: dict[str, list[Any]] = {
        name: [getattr(one, name) for one in found]
        for name in ("name", "layer", "value", "low", "high", "unit", "area_km2", "how")
    }
    return pl.DataFrame(columns)
