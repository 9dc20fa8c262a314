"""Maps as files: after the CF conventions, read back as they were, in NetCDF and in Zarr."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import polars as pl
import pytest
import xarray as xr

from aqqua.errors import ConfigError, FormatError
from aqqua.maps.output import VARIABLES, assemble, data_hash, join_maps, read_maps, write_maps
from tests.make.cf import cf_faults

LATITUDE, LONGITUDE = np.arange(-85.0, 90, 10), np.arange(-175.0, 180, 10)
ABOUT = {"data_hash": "sha256:ab", "seed": 7, "recipe": {"trees": 9}}


def piece(seed: int = 0) -> xr.Dataset:
    """One taxon in one layer; the first row is land."""
    random = np.random.default_rng(seed)
    fields: dict[str, Any] = {}
    for name in VARIABLES:
        values = random.gamma(1, 2, (len(LATITUDE), len(LONGITUDE)))
        if name == "aoa":
            values = (values > 1).astype(float)
        if name == "n_obs":
            values = np.floor(values)
        values[0] = np.nan
        fields[name] = (("latitude", "longitude"), values)
    return xr.Dataset(fields, {"latitude": LATITUDE, "longitude": LONGITUDE})


def maps(**options: Any) -> xr.Dataset:
    pieces = {(taxon, layer, None): piece(i) for i, (taxon, layer) in enumerate(KEYS)}
    return assemble(pieces, ABOUT, unit="mg m-3", **options)


KEYS = [(taxon, layer) for taxon in ("Copepoda", "Phaeodaria") for layer in ((0.0, 200.0), (200.0, 500.0))]


@pytest.mark.parametrize("ending", ["nc", "zarr"])
def test_maps_come_back_as_they_were(tmp_path: Path, ending: str) -> None:
    made = maps()
    path = write_maps(made, tmp_path / f"maps.{ending}")
    again = read_maps(path)
    xr.testing.assert_identical(again[list(VARIABLES)], made[list(VARIABLES)])
    assert again.attrs == made.attrs
    assert again["taxon_name"].values.tolist() == ["Copepoda", "Phaeodaria"]
    assert again["mean"].dtype == np.float32
    assert again["aoa"].dtype == np.int8
    assert (again["n_obs"].isel(latitude=0) == -1).all()


@pytest.mark.parametrize("unit", ["mg m-3", "m-3", "mg m-2 d-1"])
def test_the_file_keeps_the_conventions(tmp_path: Path, unit: str) -> None:
    made = assemble({("POC flux", (0.0, 200.0), m): piece(m) for m in (1, 2)}, ABOUT, unit=unit)
    assert cf_faults(write_maps(made, tmp_path / "months.nc")) == []
    assert cf_faults(write_maps(maps(), tmp_path / "maps.nc")) == []


def test_the_check_of_the_conventions_finds_faults(tmp_path: Path) -> None:
    path = write_maps(maps(), tmp_path / "maps.nc")
    with h5py.File(path, "a") as file:
        file.attrs["Conventions"] = "none"
        file["mean"].attrs["units"] = "mgC/m3"
        file["mean"].attrs["ancillary_variables"] = "sd"
        file["aoa"].attrs["flag_meanings"] = "outside"
        file["latitude_bounds"][0] = 5
        del file["q05"].attrs["grid_mapping"]
        del file["depth"].attrs["positive"]
    faults = "\n".join(cf_faults(path))
    for words in ("CF-1.11", "unknown units", "names sd", "differ in number", "around", "no grid mapping", "points"):
        assert words in faults


def test_the_file_says_where_it_comes_from(tmp_path: Path) -> None:
    told = read_maps(write_maps(maps(), tmp_path / "maps.zarr")).attrs
    assert told["data_hash"] == "sha256:ab"
    assert json.loads(told["recipe"]) == {"trees": 9}
    assert (told["seed"], told["observations_units"]) == ("7", "mg m-3")
    assert told["aqqua_version"] in told["history"]


def test_values_stand_at_their_taxon_layer_and_month() -> None:
    made = maps()
    expected = piece(3)["q95"].values.astype(np.float32)
    np.testing.assert_array_equal(made["q95"].sel(layer=1, taxon=1).values, expected)
    monthly = assemble({("A", (0.0, 9.0), m): piece(m) for m in (2, 5)}, {})
    assert monthly["mean"].dims == ("taxon", "layer", "month", "latitude", "longitude")
    np.testing.assert_array_equal(monthly["mean"].sel(month=5)[0, 0].values, piece(5)["mean"].values.astype(np.float32))


def test_single_taxa_are_joined() -> None:
    whole = maps()
    parts = [
        assemble({key: piece(i) for i, key in enumerate((t, y, None) for t, y in KEYS) if key[0] == taxon}, ABOUT)
        for taxon in ("Copepoda", "Phaeodaria")
    ]
    joined = join_maps(parts)
    np.testing.assert_array_equal(joined["mean"].values, whole["mean"].values)
    assert joined["crs"].ndim == 0
    with pytest.raises(ConfigError, match="different grids"):
        join_maps([parts[0], parts[1].isel(latitude=slice(3))])


def test_what_cannot_be_maps_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no maps"):
        assemble({}, {})
    with pytest.raises(ConfigError, match="different grids"):
        assemble({("A", (0, 1), None): piece(), ("B", (0, 1), None): piece().isel(latitude=slice(4))}, {})
    with pytest.raises(FormatError, match="no q05"):
        assemble({("A", (0, 1), None): piece().drop_vars("q05")}, {})
    piece().to_netcdf(tmp_path / "other.nc", engine="h5netcdf")
    with pytest.raises(FormatError, match="no maps in this file"):
        read_maps(tmp_path / "other.nc")


def test_the_hash_of_data_does_not_mind_the_order_of_rows() -> None:
    table = pl.DataFrame({"value": [1.5, 2.0], "taxon": ["a", "b"]})
    assert data_hash(table) == data_hash(table.reverse().select("taxon", "value"))
    assert data_hash(table) != data_hash(table.with_columns(pl.col("value") + 1e-3))
