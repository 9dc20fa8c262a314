"""The published tables of Drago et al. 2022 as observations and cube."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from aqqua.errors import FormatError, NotFoundError
from aqqua.maps.cube import at, ocean_cells
from aqqua.maps.drago2022 import PREDICTORS, read_drago2022


def write_drago(folder: Path) -> None:
    """Four cells of a world and two that were measured, one of them beside it."""
    columns = [column for column, _, _ in PREDICTORS.values()]
    for name in ("0_200m", "200_500m"):
        places = [(-179.5, -10.5), (179.5, -10.5), (0.5, 60.5), (10.5, -60.5)]
        world = [{"lon": o, "lat": a} | dict.fromkeys(columns, float(i)) for i, (o, a) in enumerate(places)]
        world[3]["mean.chla"] = float("nan")
        measured = [world[0], {"lon": 50.5, "lat": 0.5} | dict.fromkeys(columns, 9.0)]
        taxa = [
            one | {"taxon": t, "biomass_sph": b} for one in measured for t, b in (("Copepoda", 2.5), ("Salpida", 0.0))
        ]
        pl.DataFrame(world).write_csv(folder / f"env_world_{name}.csv", null_value="NA")
        pl.DataFrame(taxa).write_csv(folder / f"biomass_env_{name}.csv")
        for table in ("env_world", "biomass_env"):
            path = folder / f"{table}_{name}.csv"
            (folder / f"{table}_{name}.csv.gz").write_bytes(gzip.compress(path.read_bytes()))


def test_observations_keep_zeros_and_measured_cells_are_in_the_cube(tmp_path: Path) -> None:
    write_drago(tmp_path)
    table, cube = read_drago2022(tmp_path)
    assert table.height == 8
    assert sorted(table["value"].unique()) == [0.0, 2.5]
    here = table.filter(taxon="Copepoda", layer_min_m=0.0)
    found = at(cube, here["latitude"].to_numpy(), here["longitude"].to_numpy(), (0, 200), predictors=["salinity"])
    assert found["salinity"].tolist() == [0.0, 9.0]
    assert int(ocean_cells(cube).isel(layer=0).sum()) == 4  # chlorophyll is missing in one of five
    _, bare = read_drago2022(tmp_path, fill=False)
    assert int(np.isfinite(bare["salinity"].isel(layer=0)).sum()) == 4


def test_missing_tables_and_columns_are_told(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="Drago"):
        read_drago2022(tmp_path)
    write_drago(tmp_path)
    (tmp_path / "biomass_env_0_200m.csv.gz").write_bytes(gzip.compress(b"lon,lat\n0.5,0.5\n"))
    with pytest.raises(FormatError, match="no column"):
        read_drago2022(tmp_path)


def test_the_genuine_tables(shared_data: Path) -> None:
    table, cube = read_drago2022(shared_data / "interpolation" / "uvp5_drago2022" / "derived")
    copepods = table.filter(taxon="Copepoda", layer_min_m=0.0)
    assert (len(copepods), table["taxon"].n_unique()) == (892, 23)
    found = at(cube, copepods["latitude"].to_numpy(), copepods["longitude"].to_numpy(), (0, 200))
    assert all(np.isfinite(values).all() for values in found.values())
