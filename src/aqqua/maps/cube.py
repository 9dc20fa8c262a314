"""The predictor cube: environment on a regular grid, by layer and perhaps by month; and where a position lies in it.

A cube is an `xarray.Dataset` with the dimensions `layer`, `latitude`, `longitude` and perhaps `month`. Variables lack
the dimensions they do not depend on (the depth of the sea floor has neither layer nor month). Latitude and longitude
are centres of cells in degrees, ascending, −180 ≤ longitude < 180; `layer_min_m` and `layer_max_m` stand on `layer`;
NaN is land, or a value that nobody knows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from aqqua.errors import ConfigError, FormatError, UnknownNameError
from aqqua.maps.netcdf import read_gridded, write_gridded, xarray

if TYPE_CHECKING:
    import xarray as xr

__all__ = [
    "AXES",
    "EARTH_RADIUS_M",
    "at",
    "cell_area_m2",
    "cell_of",
    "cells",
    "check_cube",
    "field",
    "layer_number",
    "make_cube",
    "ocean_cells",
    "read_cube",
    "write_cube",
]

AXES = ("layer", "latitude", "longitude", "month")
EARTH_RADIUS_M = 6_371_007.181
"""Radius of the sphere with the area of the WGS 84 ellipsoid (authalic radius)."""

Layer = int | tuple[float, float]


def make_cube(
    variables: Mapping[str, tuple[tuple[str, ...], np.ndarray, Mapping[str, str]]],
    latitude: np.ndarray,
    longitude: np.ndarray,
    layers: Sequence[tuple[float, float]],
    months: Sequence[int] | None = None,
) -> xr.Dataset:
    """Put arrays together as a cube.

    Args:
        variables: name → (dimensions, values, attributes with `units`, `long_name`, `source`).
        latitude: (h,) degrees north, centres of cells.
        longitude: (w,) degrees east, centres of cells.
        layers: upper and lower limit in metres.
        months: 1 to 12, if there are months.

    Raises:
        FormatError: the arrays make no cube.
    """
    lower = np.array([layer[0] for layer in layers], float)
    upper = np.array([layer[1] for layer in layers], float)
    coordinates = {
        "layer": ("layer", np.arange(len(layers)), {"long_name": "number of the depth layer"}),
        "latitude": ("latitude", np.asarray(latitude, float), {"units": "degrees_north", "standard_name": "latitude"}),
        "longitude": (
            "longitude",
            np.asarray(longitude, float),
            {"units": "degrees_east", "standard_name": "longitude"},
        ),
        "layer_min_m": ("layer", lower, {"units": "m", "long_name": "upper limit of the layer"}),
        "layer_max_m": ("layer", upper, {"units": "m", "long_name": "lower limit of the layer"}),
    }
    if months is not None:
        coordinates["month"] = ("month", np.asarray(months, int), {"long_name": "month of the year"})
    values = {
        name: (dims, np.asarray(array, np.float32), dict(told)) for name, (dims, array, told) in variables.items()
    }
    cube = xarray("a predictor cube").Dataset(values, coords=coordinates)
    return check_cube(cube)


def read_cube(path: Path | str) -> xr.Dataset:
    """Read a cube; longitudes of 0 to 360 and falling latitudes are turned.

    Raises:
        NotFoundError: there is nothing.
        FormatError: it is no cube.
    """
    cube = read_gridded(path)
    for name in ("latitude", "longitude"):
        if name not in cube.dims:
            raise FormatError(f"the cube has no {name}", where=path, do="make one: aqqua map env build")
    if float(cube["longitude"].max()) >= 180:
        east = (cube["longitude"].values + 180) % 360 - 180
        cube = cube.assign_coords(longitude=("longitude", east, cube["longitude"].attrs))
    return check_cube(cube.sortby(["latitude", "longitude"]), where=path)


def write_cube(cube: xr.Dataset, path: Path | str) -> Path:
    """Write a cube as NetCDF 4 (`….nc`) or Zarr (`….zarr`), whole or not at all.

    Raises:
        FormatError: it is no cube.
        ConfigError: the name ends in neither.
    """
    return write_gridded(check_cube(cube), path)


def check_cube(cube: xr.Dataset, where: object = None) -> xr.Dataset:
    """The cube itself, if it is one.

    Raises:
        FormatError: a dimension or coordinate is missing, or is not regular.
    """
    for name in ("layer", "latitude", "longitude"):
        if name not in cube.dims:
            raise FormatError(f"the cube has no {name}", where=where, do="make one: aqqua map env build")
    for name in ("layer_min_m", "layer_max_m"):
        if name not in cube.coords and name not in cube:
            raise FormatError(f"the cube has no {name}", where=where, do="make one: aqqua map env build")
    for axis, most in (("latitude", 90.0), ("longitude", 180.0)):
        centres = cube[axis].values
        steps = np.diff(centres)
        if len(steps) == 0 or not np.all(steps > 0) or not np.allclose(steps, steps[0], rtol=1e-3, atol=1e-4):
            raise FormatError(f"{axis} is not regular and ascending", where=where, do="put it on a regular grid")
        if np.abs(centres).max() > most:
            raise FormatError(f"{axis} goes beyond ±{most:g}°", where=where, do="give centres of cells in degrees")
    for key, variable in cube.data_vars.items():
        strange = set(variable.dims) - set(AXES)
        if strange:
            raise FormatError(f"{key} has the dimension {strange.pop()}", where=where, do=f"allowed: {', '.join(AXES)}")
    return cube


def layer_number(cube: xr.Dataset, layer: Layer) -> int:
    """The number of a layer, given as that or as its limits in metres.

    Raises:
        ConfigError: the cube has no such layer.
    """
    limits = [(float(a), float(b)) for a, b in zip(cube["layer_min_m"].values, cube["layer_max_m"].values, strict=True)]
    if isinstance(layer, tuple):
        wanted = (float(layer[0]), float(layer[1]))
        if wanted in limits:
            return limits.index(wanted)
    elif 0 <= layer < len(limits):
        return int(layer)
    there = ", ".join(f"{low:g}-{high:g} m" for low, high in limits)
    told = f"{layer[0]:g}-{layer[1]:g} m" if isinstance(layer, tuple) else f"number {layer}"
    raise ConfigError(f"the cube has no layer {told}", do=f"there is: {there}")


def field(cube: xr.Dataset, name: str, layer: Layer = 0, month: int | None = None) -> np.ndarray:
    """One predictor of one layer (and month) as a map.

    Without a month, the mean over the months of a variable that has them.

    Returns:
        (latitude, longitude) float64, NaN on land.

    Raises:
        UnknownNameError: the cube has no such predictor.
        ConfigError: it has no such layer or month.
    """
    if name not in cube.data_vars:
        raise UnknownNameError("predictor", name, [str(known) for known in cube.data_vars])
    variable = cube[name]
    if "layer" in variable.dims:
        variable = variable.isel(layer=layer_number(cube, layer))
    if "month" in variable.dims:
        if month is None:
            values = variable.transpose("month", "latitude", "longitude").values.astype(float)
            return _mean_of_known(values)
        if month not in variable["month"].values:
            raise ConfigError(f"the cube has no month {month}", do="give a month of 1 to 12 that the cube has")
        variable = variable.sel(month=month)
    return np.asarray(variable.transpose("latitude", "longitude").values, float)


def _mean_of_known(values: np.ndarray) -> np.ndarray:
    known = np.isfinite(values)
    count = known.sum(axis=0)
    total = np.where(known, values, 0.0).sum(axis=0)
    mean: np.ndarray = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return mean


def cells(
    cube: xr.Dataset, predictors: Sequence[str], layer: Layer = 0, month: int | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All cells of a layer as rows, south-west first, east fastest.

    Returns:
        latitude (n,), longitude (n,) and predictors (n, p) float64; n = latitudes × longitudes.
    """
    latitude, longitude = np.meshgrid(cube["latitude"].values, cube["longitude"].values, indexing="ij")
    columns = [field(cube, name, layer, month).ravel() for name in predictors]
    return latitude.ravel(), longitude.ravel(), np.stack(columns, axis=1)


def cell_of(cube: xr.Dataset, latitude: np.ndarray, longitude: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The cell that a position lies in; longitudes may be any, also beyond ±180.

    Returns:
        row (n,), column (n,) and whether the position lies on the grid (n,); off the grid row and column are 0.
    """
    south, west = cube["latitude"].values, cube["longitude"].values
    tall, wide = south[1] - south[0], west[1] - west[0]
    latitude, longitude = np.asarray(latitude, float), np.asarray(longitude, float)
    known = np.isfinite(latitude) & np.isfinite(longitude) & (np.abs(latitude) <= 90)
    row = np.floor((np.where(known, latitude, 0) - (south[0] - tall / 2)) / tall + 1e-9)
    column = np.floor((np.where(known, longitude, 0) - (west[0] - wide / 2)) % 360 / wide + 1e-9)
    round_the_world = wide * len(west) > 360 - wide / 2
    column = column % len(west) if round_the_world else column
    row = np.where((latitude > 90 - 1e-6) & (row == len(south)), len(south) - 1, row)  # the pole lies on the last edge
    inside = known & (row >= 0) & (row < len(south)) & (column >= 0) & (column < len(west))
    return np.where(inside, row, 0).astype(int), np.where(inside, column, 0).astype(int), inside


def at(
    cube: xr.Dataset,
    latitude: np.ndarray,
    longitude: np.ndarray,
    layer: Layer = 0,
    month: np.ndarray | int | None = None,
    predictors: Sequence[str] | None = None,
) -> dict[str, np.ndarray]:
    """Predictors in the cells that positions lie in.

    Args:
        cube: the cube.
        latitude: (n,) degrees north.
        longitude: (n,) degrees east, any turn.
        layer: its number, or its limits in metres.
        month: 1 to 12, one for all or (n,) one for each; None: the mean over months.
        predictors: names; all, if not said.

    Returns:
        Name → (n,) float64, NaN on land and off the grid.
    """
    row, column, inside = cell_of(cube, latitude, longitude)
    names = [str(name) for name in cube.data_vars] if predictors is None else list(predictors)
    found = {}
    for name in names:
        if isinstance(month, np.ndarray):
            values = np.full(len(row), np.nan)
            for one in np.unique(month):
                here = month == one
                values[here] = field(cube, name, layer, int(one))[row[here], column[here]]
        else:
            values = field(cube, name, layer, month)[row, column]
        found[name] = np.where(inside, values, np.nan)
    return found


def ocean_cells(cube: xr.Dataset, predictors: Sequence[str] | None = None) -> xr.DataArray:
    """Where all predictors are known.

    Returns:
        bool, by layer, latitude and longitude, and by month if the cube has months.
    """
    names = [str(name) for name in cube.data_vars] if predictors is None else list(predictors)
    for name in names:
        if name not in cube.data_vars:
            raise UnknownNameError("predictor", name, [str(known) for known in cube.data_vars])
    axes = [axis for axis in AXES if axis in cube.dims]
    shape = xarray().DataArray(np.ones([cube.sizes[axis] for axis in axes], bool), dims=axes)
    for name in names:
        shape = shape & cube[name].notnull()
    known: xr.DataArray = shape.transpose(*axes)
    return known


def cell_area_m2(latitude: np.ndarray, step: float = 1.0, step_longitude: float | None = None) -> np.ndarray:
    """Area of cells on the sphere: R² Δλ (sin φ₂ − sin φ₁).

    Args:
        latitude: degrees north, centres of cells.
        step: height of a cell, degrees.
        step_longitude: its width, degrees; as its height, if not said.

    Returns:
        m², in the shape of `latitude`.
    """
    centre = np.asarray(latitude, float)
    north, south = (np.radians(np.clip(centre + side * step / 2, -90, 90)) for side in (1, -1))
    width = np.radians(step if step_longitude is None else step_longitude)
    return np.asarray(EARTH_RADIUS_M**2 * width * (np.sin(north) - np.sin(south)))
