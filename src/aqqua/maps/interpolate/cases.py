"""From an observation table and a predictor cube to problems: one per taxon and layer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from aqqua.errors import ConfigError, UnknownNameError
from aqqua.maps.interpolate.problem import Problem, check_places

if TYPE_CHECKING:
    import polars as pl
    import xarray as xr

    from aqqua.maps.interpolate.recipe import Recipe

__all__ = ["Case", "case_of", "file_name", "layers_of", "predictors_of", "read_observations", "taxa_of"]

_NEEDS = ("latitude", "longitude", "layer_min_m", "layer_max_m", "taxon", "value")
_KNOWN_SHARE = 0.5


@dataclass(frozen=True)
class Case:
    """One taxon in one layer.

    Args:
        taxon: its name.
        layer: limits in metres.
        problem: its observations with their environment.
        months: month of each observation, shape (n,), or None where the table has none.
        left_out: reason → number of observations that cannot be used.
    """

    taxon: str
    layer: tuple[float, float]
    problem: Problem
    months: np.ndarray | None
    left_out: Mapping[str, int]


def read_observations(recipe: Recipe) -> tuple[pl.DataFrame, dict[str, Any]]:
    """The observation table of a recipe, and where it comes from.

    Raises:
        NotFoundError, FormatError: there is no table, or it is damaged.
        ConfigError: a column is missing, or depths are not positive downwards.
    """
    from aqqua.maps.tables import read_table

    needs = (*_NEEDS, recipe.weight) if recipe.weight else _NEEDS
    table, about = read_table(recipe.observations, needs=needs)
    import polars as pl

    upside = table.filter((pl.col("layer_min_m") < 0) | (pl.col("layer_max_m") <= pl.col("layer_min_m")))
    if len(upside):
        what = f"{len(upside):,} rows have a layer from {upside['layer_min_m'][0]:g} to {upside['layer_max_m'][0]:g} m"
        do = "give layer_min_m < layer_max_m in metres, positive downwards"
        raise ConfigError(what, where=recipe.observations, do=do)
    return table, about


def taxa_of(recipe: Recipe, table: pl.DataFrame) -> list[str]:
    """Taxa to map, in the order of the recipe or the alphabet.

    Raises:
        UnknownNameError: the table has no such taxon.
    """
    there = sorted(str(name) for name in table["taxon"].drop_nulls().unique())
    for name in recipe.taxa:
        if name not in there:
            raise UnknownNameError("taxon", name, there, where=recipe.observations)
    return list(dict.fromkeys(recipe.taxa)) or there


def layers_of(recipe: Recipe, table: pl.DataFrame) -> list[tuple[float, float]]:
    """Layers to map, from the top."""
    rows = table.select("layer_min_m", "layer_max_m").unique().sort("layer_min_m", "layer_max_m").rows()
    there = [(float(upper), float(lower)) for upper, lower in rows]
    for layer in recipe.layers:
        if layer not in there:
            named = ", ".join(f"{upper:g}-{lower:g} m" for upper, lower in there)
            what = f"there are no observations of the layer {layer[0]:g}-{layer[1]:g} m"
            raise ConfigError(what, where=recipe.observations, do=f"there is: {named}")
    return list(dict.fromkeys(recipe.layers)) or there


def predictors_of(recipe: Recipe, cube: xr.Dataset) -> tuple[str, ...]:
    """Names of the predictors that are used.

    Raises:
        UnknownNameError: the cube has no such predictor.
    """
    there = [str(name) for name in cube.data_vars]
    for name in recipe.variables:
        if name not in there:
            raise UnknownNameError("predictor", name, there, where=recipe.predictors)
    return tuple(dict.fromkeys(recipe.variables)) or tuple(there)


def case_of(recipe: Recipe, table: pl.DataFrame, cube: xr.Dataset, taxon: str, layer: tuple[float, float]) -> Case:
    """The observations of a taxon in a layer with their environment.

    Raises:
        ConfigError: coordinates that cannot be, or most places have no environment.
    """
    import polars as pl

    from aqqua.maps.cube import at

    chosen = (pl.col("taxon") == taxon) & (pl.col("layer_min_m") == layer[0]) & (pl.col("layer_max_m") == layer[1])
    rows = table.filter(chosen)
    name = f"{taxon}, {layer[0]:g}-{layer[1]:g} m"
    value = _numbers(rows, "value")
    usable = np.isfinite(value) & (value >= 0)
    left_out = {"value missing or negative": int((~usable).sum())}
    rows, value = rows.filter(usable), value[usable]
    latitude, longitude = _numbers(rows, "latitude"), _numbers(rows, "longitude")
    check_places(latitude, longitude, f"{recipe.observations}: {name}")
    names = predictors_of(recipe, cube)
    months = rows["month"].to_numpy().astype(int) if _monthly(rows, cube) else None
    found = at(cube, latitude, longitude, layer, months, names)
    x = np.stack([found[one] for one in names], axis=1)
    known = np.isfinite(x).mean(axis=1) >= _KNOWN_SHARE
    left_out["no environment there (on land, or off the grid)"] = int((~known).sum())
    weight = _numbers(rows, recipe.weight)[known] if recipe.weight else None
    unit = str(rows["unit"][0]) if "unit" in rows.columns and len(rows) else ""
    _check_known(known, name, recipe)
    problem = Problem(x[known], names, value[known], latitude[known], longitude[known], weight, name, unit)
    return Case(taxon, layer, problem, None if months is None else months[known], left_out)


def file_name(taxon: str) -> str:
    """A name for files: letters, digits, dot, dash and underscore."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", taxon).strip("._") or "taxon"


def _numbers(rows: pl.DataFrame, column: str) -> np.ndarray:
    import polars as pl

    return rows[column].cast(pl.Float64, strict=False).to_numpy().astype(np.float64)


def _monthly(rows: pl.DataFrame, cube: xr.Dataset) -> bool:
    """Whether observations and predictors both know months."""
    return "month" in rows.columns and len(rows) > 0 and not rows["month"].has_nulls() and "month" in cube.dims


def _check_known(known: np.ndarray, name: str, recipe: Recipe) -> None:
    if len(known) == 0:
        do = "choose another taxon or layer"
        raise ConfigError("there are no observations", where=f"{recipe.observations}: {name}", do=do)
    if known.mean() < 0.5:
        what = f"{int((~known).sum())} of {len(known)} observations lie where no environment is known"
        do = "check that latitude and longitude are not swapped, and that the cube covers the places"
        raise ConfigError(what, where=f"{recipe.observations}: {name}", do=do)
