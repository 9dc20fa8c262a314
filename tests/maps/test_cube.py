"""The predictor cube: where positions lie, what a file must be, how large cells are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from aqqua.errors import ConfigError, FormatError, UnknownNameError
from aqqua.maps.cube import (
    EARTH_RADIUS_M,
    at,
    cell_area_m2,
    cell_of,
    cells,
    check_cube,
    field,
    layer_number,
    make_cube,
    ocean_cells,
    read_cube,
    write_cube,
)
from aqqua.maps.netcdf import write_gridded

LATITUDE, LONGITUDE = np.arange(-89.5, 90), np.arange(-179.5, 180)


def small(months: bool = False) -> xr.Dataset:
    """Temperature by layer (and month), depth of the floor without either; the first row is land."""
    layer, month = 2, 3
    shape = (layer, 180, 360) + ((month,) if months else ())
    warm = np.arange(np.prod(shape), dtype=float).reshape(shape) % 977
    warm[:, 0] = np.nan
    told = {"units": "degree_Celsius", "long_name": "temperature", "source": "made"}
    axes = ("layer", "latitude", "longitude") + (("month",) if months else ())
    floor = np.broadcast_to(LATITUDE[:, None] * 10 + 1000, (180, 360))
    variables = {"warm": (axes, warm, told), "floor": (("latitude", "longitude"), floor, told | {"units": "m"})}
    return make_cube(variables, LATITUDE, LONGITUDE, [(0, 200), (200, 500)], [1, 2, 3] if months else None)


@pytest.mark.parametrize("ending", ["nc", "zarr"])
def test_a_cube_comes_back_as_it_was(tmp_path: Path, ending: str) -> None:
    cube = small(months=True)
    path = write_cube(cube, tmp_path / f"cube.{ending}")
    write_cube(cube, path)  # once more, over the first
    again = read_cube(path)
    assert again.identical(cube)
    assert again["warm"].attrs["units"] == "degree_Celsius"
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_a_cube_that_begins_in_greenwich_and_the_north_is_turned(tmp_path: Path) -> None:
    cube = small()
    east = cube.assign_coords(longitude=cube["longitude"].values % 360)
    turned = east.sortby("longitude").sortby("latitude", ascending=False)
    write_gridded(turned, tmp_path / "cube.nc")
    np.testing.assert_array_equal(field(read_cube(tmp_path / "cube.nc"), "warm", 1), field(cube, "warm", 1))


@given(st.floats(-90, 90), st.floats(-720, 720))
def test_a_position_lies_in_the_cell_around_it(latitude: float, longitude: float) -> None:
    row, column, inside = cell_of(small(), np.array([latitude]), np.array([longitude]))
    assert inside.all()
    assert abs(LATITUDE[row[0]] - latitude) <= 0.5 + 1e-6
    apart = (LONGITUDE[column[0]] - longitude + 180) % 360 - 180
    assert abs(apart) <= 0.5 + 1e-6


def test_dateline_poles_and_nowhere() -> None:
    cube = small()
    row, column, inside = cell_of(
        cube, np.array([0.5, 0.5, 90, -90, np.nan, 91]), np.array([180.0, -180.0, 0, 0, 0, 0])
    )
    assert column[0] == column[1] == 0
    assert (row[2], row[3]) == (179, 0)
    assert inside.tolist() == [True, True, True, True, False, False]


def test_values_at_positions_by_layer_and_month() -> None:
    cube = small(months=True)
    latitude, longitude = np.array([10.2, 10.2, -89.9]), np.array([179.9, -179.9, 5.0])
    found = at(cube, latitude, longitude, (200, 500), np.array([1, 3, 1]))
    assert found["warm"][0] == cube["warm"].values[1, 100, 359, 0]
    assert found["warm"][1] == cube["warm"].values[1, 100, 0, 2]
    assert np.isnan(found["warm"][2])
    assert found["floor"][0] == pytest.approx(1105)
    mean = at(cube, latitude[:1], longitude[:1], 1, None, ["warm"])["warm"][0]
    assert mean == pytest.approx(cube["warm"].values[1, 100, 359].mean())


def test_off_a_regional_grid_nothing_is_known() -> None:
    cube = small().isel(longitude=slice(100, 140), latitude=slice(80, 120))
    found = at(cube, np.array([0.5, 0.5, 60.5]), np.array([-70.5, 70.5, -70.5]), 0, predictors=["floor"])["floor"]
    assert np.isfinite(found).tolist() == [True, False, False]


def test_cells_are_rows_from_the_south_west() -> None:
    cube = small()
    latitude, longitude, x = cells(cube, ["warm", "floor"], 1)
    assert x.shape == (180 * 360, 2)
    assert (latitude[360], longitude[360]) == (-88.5, -179.5)
    np.testing.assert_array_equal(x[:, 0].reshape(180, 360), field(cube, "warm", 1))


def test_ocean_is_where_every_predictor_is_known() -> None:
    known = ocean_cells(small())
    assert known.dims == ("layer", "latitude", "longitude")
    assert not known.values[:, 0].any()
    assert known.values[:, 1:].all()
    with pytest.raises(UnknownNameError, match="warm"):
        ocean_cells(small(), ["wram"])


def test_unknown_layers_and_months_are_told() -> None:
    cube = small(months=True)
    assert layer_number(cube, (200, 500)) == 1
    with pytest.raises(ConfigError, match="0-200 m, 200-500 m"):
        layer_number(cube, (0, 100))
    with pytest.raises(ConfigError, match="no layer number 7"):
        layer_number(cube, 7)
    with pytest.raises(ConfigError, match="no month 7"):
        field(cube, "warm", 0, 7)


def test_what_is_no_cube_is_told() -> None:
    cube = small()
    uneven = cube.assign_coords(latitude=np.linspace(-9, 9, 180) ** 3 / 9)
    with pytest.raises(FormatError, match="latitude is not regular"):
        check_cube(uneven)
    with pytest.raises(FormatError, match="longitude goes beyond"):
        check_cube(cube.assign_coords(longitude=LONGITUDE + 180))
    with pytest.raises(FormatError, match="no layer_min_m"):
        check_cube(cube.drop_vars("layer_min_m"))
    with pytest.raises(FormatError, match="dimension band"):
        check_cube(cube.assign(odd=("band", np.zeros(3))))
    with pytest.raises(FormatError, match="no layer"):
        check_cube(cube.isel(layer=0))


def test_cells_together_are_the_globe() -> None:
    for step in (1.0, 0.5, 5.0):
        centre = np.arange(-90 + step / 2, 90, step)
        whole = cell_area_m2(centre, step).sum() * 360 / step
        assert whole == pytest.approx(4 * np.pi * EARTH_RADIUS_M**2)
    assert cell_area_m2(np.array([0.5]))[0] == pytest.approx(1.2364e10, rel=1e-3)
    assert cell_area_m2(np.array([0.5]), 1.0, 2.0)[0] == pytest.approx(2 * cell_area_m2(np.array([0.5]))[0])
