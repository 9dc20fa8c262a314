"""The published plankton biomass of Drago et al. 2022 as an observation table and a predictor cube.

Read are the tables `biomass_env_*.csv.gz` (biomass of taxa on cells of one degree, with the environment there) and
`env_world_*.csv.gz` (the environment of all cells) that stand beside the code of the paper. Some 40 of the measured
cells are not among the cells of the world grid; with `fill` their environment is put into the cube, so that what was
measured can be learnt from. Of the taxa some are sums of others: see `SUMS`.

Source: L. Drago et al. 2022, Global distribution of zooplankton biomass estimated by in situ imaging and machine
learning, Frontiers in Marine Science 9:894372, doi:10.3389/fmars.2022.894372 (data under GPL-3: use, do not bundle).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from aqqua.errors import FormatError, NotFoundError
from aqqua.maps.cube import make_cube

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["LAYERS", "PREDICTORS", "SUMS", "read_drago2022"]

LAYERS = ((0.0, 200.0), (200.0, 500.0))
PREDICTORS = {
    "temperature_c": ("mean.temperature", "degree_Celsius", "sea water temperature, annual mean of the layer"),
    "salinity": ("mean.salinity", "1", "practical salinity, annual mean of the layer"),
    "silicate_umol_kg": ("mean.silicate", "umol kg-1", "silicate, annual mean of the layer"),
    "phosphate_umol_kg": ("mean.phosphate", "umol kg-1", "phosphate, annual mean of the layer"),
    "nitrate_umol_kg": ("mean.nitrate", "umol kg-1", "nitrate, annual mean of the layer"),
    "oxygen_umol_kg": ("mean.oxygen", "umol kg-1", "dissolved oxygen, annual mean of the layer"),
    "chlorophyll_mg_m3": ("mean.chla", "mg m-3", "surface chlorophyll a, annual mean, from satellites"),
    "bathymetry_m": ("bathymetry", "m", "depth of the sea floor"),
    "coast_km": ("dist", "km", "distance to the coast, as published"),
}
"""Name in the cube → column of the tables, unit, meaning: the nine predictors of the paper."""

SUMS = ("Copepoda_refit", "Rhizaria", "Cnidaria")
"""Taxa that are sums (or another fit) of others in the table: leave them out when adding up."""

_SOURCE = "Drago et al. 2022, doi:10.3389/fmars.2022.894372 (WOA18, satellites, ETOPO)"
_NOTHING = ["NA", "", "nan", "NaN"]


def read_drago2022(folder: Path | str, *, fill: bool = True) -> tuple[pl.DataFrame, xr.Dataset]:
    """Read the tables of one or both layers.

    Args:
        folder: where the four tables are.
        fill: put the environment of measured cells that the world grid lacks into the cube.

    Returns:
        The observation table (biomass of spheres, mg C m⁻³, with zeros) and the cube.

    Raises:
        NotFoundError: a table is missing.
        FormatError: a column is missing.
    """
    folder = Path(folder)
    found, worlds = [], []
    for low, high in LAYERS:
        name = f"{low:g}_{high:g}m.csv.gz"
        measured = _read(folder / f"biomass_env_{name}", ["taxon", "biomass_sph"])
        world = _read(folder / f"env_world_{name}", [])
        found.append(_observations(measured, low, high))
        worlds.append(pl.concat([world, _unmapped(measured, world)]) if fill else world)
    return pl.concat(found), _cube(worlds)


def _read(path: Path, more: list[str]) -> pl.DataFrame:
    if not path.is_file():
        raise NotFoundError("a table of Drago et al. 2022 is missing", where=path, do="give the folder of the tables")
    frame = pl.read_csv(path, null_values=_NOTHING, infer_schema_length=None)
    columns = ["lon", "lat", *more, *(column for column, _, _ in PREDICTORS.values())]
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise FormatError(f"the table has no column {missing[0]}", where=path, do="give the published table")
    return frame.select(columns)


def _observations(measured: pl.DataFrame, low: float, high: float) -> pl.DataFrame:
    return measured.select(
        pl.col("lat").cast(pl.Float64).alias("latitude"),
        pl.col("lon").cast(pl.Float64).alias("longitude"),
        pl.lit(low).alias("layer_min_m"),
        pl.lit(high).alias("layer_max_m"),
        "taxon",
        pl.col("biomass_sph").cast(pl.Float64).alias("value"),
        pl.lit("mg m-3").alias("unit"),
        pl.lit(None, pl.Int64).alias("n_samples"),
        pl.lit(None, pl.Float64).alias("volume_l"),
        pl.lit(None, pl.Float64).alias("sd"),
    )


def _unmapped(measured: pl.DataFrame, world: pl.DataFrame) -> pl.DataFrame:
    """Measured cells that the world grid lacks."""
    own = measured.select(world.columns).unique(["lon", "lat"], maintain_order=True)
    return own.join(world, on=["lon", "lat"], how="anti")


def _cube(worlds: list[pl.DataFrame]) -> xr.Dataset:
    latitude, longitude = np.arange(-89.5, 90), np.arange(-179.5, 180)
    variables = {}
    for name, (column, unit, meaning) in PREDICTORS.items():
        values = np.full((len(worlds), 180, 360), np.nan)
        for number, world in enumerate(worlds):
            row = np.floor(world["lat"].to_numpy() + 90).astype(int)
            place = np.floor(world["lon"].to_numpy() + 180).astype(int)
            values[number, row, place] = world[column].cast(pl.Float64).to_numpy()
        told = {"units": unit, "long_name": meaning, "source": _SOURCE}
        variables[name] = (("layer", "latitude", "longitude"), values, told)
    return make_cube(variables, latitude, longitude, LAYERS)
