"""A small ocean with three predictors and a taxon that follows them, for interpolation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from aqqua.maps.cube import make_cube, write_cube
from aqqua.maps.interpolate import Problem, Settings
from aqqua.maps.tables import write_table

if TYPE_CHECKING:
    import xarray as xr

STEP = 6.0
PREDICTORS = ("temperature_c", "nitrate_umol_kg", "bathymetry_m")
QUICK = Settings(learners=("rf_log", "gam_log"), trees=12, replicates=3, folds=3, inner_folds=3, schemes=("blocks10",))


def environment(latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
    """Predictors at places, shape (n, 3); smooth across the date line."""
    north, east = np.radians(latitude), np.radians(longitude)
    temperature = 28 * np.cos(north) ** 2 + 2 * np.sin(2 * east)
    nitrate = 15 * np.sin(north) ** 2 + 3 * np.cos(3 * east) + 3
    depth = 3000 + 1500 * np.sin(east + north)
    return np.stack([temperature, nitrate, depth], axis=1)


def is_land(latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
    """One continent, from 20 to 60° E, and the south pole."""
    return ((longitude > 20) & (longitude < 60)) | (latitude < -78)


def truth(latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
    """Expected value, mg m⁻³."""
    x = environment(latitude, longitude)
    return np.exp(-1.5 + 0.22 * x[:, 1] - 0.03 * x[:, 0])


def places(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Places at sea in clusters, as cruises leave them, some across the date line."""
    rng = np.random.default_rng(seed)
    centres = np.stack([rng.uniform(-65, 75, 14), rng.uniform(-180, 180, 14)])
    centres[:, 0] = (10, 179)
    chosen = rng.integers(0, 14, 6 * n)
    latitude = np.clip(centres[0, chosen] + rng.normal(0, 5, 6 * n), -77, 89)
    longitude = (centres[1, chosen] + rng.normal(0, 8, 6 * n) + 180) % 360 - 180
    sea = np.flatnonzero(~is_land(latitude, longitude))[:n]
    return latitude[sea], longitude[sea]


def small_problem(n: int = 160, seed: int = 0) -> Problem:
    """Observations with lognormal noise and some zeros."""
    rng = np.random.default_rng(seed + 1000)
    latitude, longitude = places(n, seed)
    y = truth(latitude, longitude) * rng.lognormal(-0.18, 0.6, n) * (rng.random(n) > 0.15)
    return Problem(environment(latitude, longitude), PREDICTORS, y, latitude, longitude, None, "Copepoda", "mg m-3")


def small_cube() -> xr.Dataset:
    """Predictors on cells of six degrees, one layer."""
    south, west = np.arange(-90 + STEP / 2, 90, STEP), np.arange(-180 + STEP / 2, 180, STEP)
    latitude, longitude = (grid.ravel() for grid in np.meshgrid(south, west, indexing="ij"))
    x = environment(latitude, longitude)
    x[is_land(latitude, longitude)] = np.nan
    shape = (1, len(south), len(west))
    told = {"units": "1", "long_name": "made", "source": "tests"}
    dims = ("layer", "latitude", "longitude")
    variables = {name: (dims, x[:, column].reshape(shape), told) for column, name in enumerate(PREDICTORS)}
    return make_cube(variables, south, west, [(0.0, 200.0)])


def small_table(taxa: tuple[str, ...] = ("Copepoda", "Chaetognatha"), n: int = 120) -> pl.DataFrame:
    """An observation table of several taxa at the same places."""
    latitude, longitude = places(n, 0)
    rows = []
    for number, taxon in enumerate(taxa):
        rng = np.random.default_rng(number)
        y = truth(latitude, longitude) * rng.lognormal(0, 0.5, n) * (rng.random(n) > 0.2)
        rows.append(pl.DataFrame({"taxon": [taxon] * n, "latitude": latitude, "longitude": longitude, "value": y}))
    layer = {"layer_min_m": 0.0, "layer_max_m": 200.0, "unit": "mg m-3", "n_samples": 2}
    return pl.concat(rows).with_columns(pl.lit(value).alias(name) for name, value in layer.items())


def write_recipe(folder: Path, table: pl.DataFrame | None = None, more: str = "") -> Path:
    """A recipe with its observations and predictors."""
    write_table(small_table() if table is None else table, folder / "observations.parquet", {})
    write_cube(small_cube(), folder / "environment.nc")
    path = folder / "recipe.yaml"
    settings = "{learners: [rf_log, gam_log], trees: 12, replicates: 3, folds: 3, inner_folds: 3, schemes: [blocks10]}"
    lines = ["observations: observations.parquet", "predictors: environment.nc", "out: out", f"settings: {settings}"]
    path.write_text("\n".join([*lines, more]) + "\n", encoding="utf-8")
    return path
