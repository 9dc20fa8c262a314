"""One quantity of a file, whatever its axes are called, on the grid of the cube and in the unit of the cube."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from aqqua.errors import ConfigError, FormatError, NotFoundError, UnknownNameError
from aqqua.maps.netcdf import MOST_BYTES, open_gridded

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Quantity", "parse_source", "read_quantity", "regrid"]

_NAMES = {
    "latitude": ("latitude", "lat", "y", "nav_lat"),
    "longitude": ("longitude", "lon", "x", "nav_lon"),
    "depth": ("depth", "z", "lev", "level", "deptht", "depth_m"),
    "month": ("month", "time", "t"),
}
_METRES = {"m", "meter", "meters", "metre", "metres"}
_MONTH = "{month}"


@dataclass(frozen=True)
class Quantity:
    """Values on a regular grid.

    Args:
        values: (month, depth, latitude, longitude), float64, NaN where unknown; one month or depth if it has none.
        latitude: (h,) degrees north, ascending.
        longitude: (w,) degrees east, ascending, −180 to 180.
        depth: (k,) metres, positive downwards, ascending; None for a quantity without depths.
        months: 1 to 12, or None for a quantity of the year.
        unit: as the file says it; empty if it does not.
        source: file and variable.
    """

    values: np.ndarray
    latitude: np.ndarray
    longitude: np.ndarray
    depth: np.ndarray | None
    months: tuple[int, ...] | None
    unit: str
    source: str


def parse_source(text: str) -> tuple[str, str, str | None]:
    """Read "temperature=woa_t.nc:t_an" as name, path and variable (None: found by itself).

    Raises:
        ConfigError: it is none.
    """
    name, equals, rest = text.partition("=")
    if not equals or not name.isidentifier() or not rest:
        raise ConfigError(f"{text!r} does not say which quantity which file holds", do="write temperature=FILE.nc")
    path, colon, variable = rest.rpartition(":")
    if colon and variable.isidentifier():
        return name, path, variable
    return name, rest, None


def read_quantity(path: str, variable: str | None = None) -> Quantity:
    """Read one quantity from a file, or from twelve whose names differ in `{month}` (01 to 12).

    Raises:
        NotFoundError: there is no such file.
        FormatError: axes are missing or not regular, or the file is damaged.
        UnknownNameError, ConfigError: the variable is not there, or it is not clear which is meant.
    """
    if _MONTH not in path:
        return _read(Path(path), variable)
    months = [_read(Path(path.replace(_MONTH, f"{number:02d}")), variable) for number in range(1, 13)]
    if len({one.values.shape for one in months}) > 1:
        raise FormatError("the twelve files have different grids", where=path, do="fetch them from one place")
    values = np.concatenate([one.values[:1] for one in months])
    first = months[0]
    return Quantity(
        values, first.latitude, first.longitude, first.depth, tuple(range(1, 13)), first.unit, Path(path).name
    )


def _read(path: Path, variable: str | None) -> Quantity:
    if not path.exists():
        raise NotFoundError("there is no such file", where=path, do="check the path after the sign =")
    with open_gridded(path) as opened:
        name = _variable(opened, variable, path)
        axes = _axes(opened, name, path)
        node = opened[name]
        if node.size * 8 > MOST_BYTES:
            raise FormatError("the variable is too large to be read at once", where=path, do="cut out what you need")
        order = [axes[kind] for kind in ("month", "depth", "latitude", "longitude") if kind in axes]
        others = {str(dim): 0 for dim in node.dims if dim not in order}
        if any(node.sizes[dim] > 1 for dim in others):
            raise FormatError(f"{name} has the axis {next(iter(others))}", where=path, do="choose one step of it")
        values = node.isel(others).transpose(*order).values.astype(np.float64)
        points = {kind: np.asarray(opened[axis].values, float) for kind, axis in axes.items() if axis in opened.coords}
        unit = str(node.attrs.get("units", ""))
    shape = [values.shape[order.index(axes[kind])] if kind in axes else 1 for kind in _KINDS]
    return _turned(values.reshape(shape), points, axes, unit, f"{path.name}: {name}", path)


_KINDS = ("month", "depth", "latitude", "longitude")


def _variable(opened: xr.Dataset, wanted: str | None, path: Path) -> str:
    names = [str(name) for name in opened.data_vars]
    if wanted is not None:
        if wanted not in names:
            raise UnknownNameError("variable", wanted, names, where=path)
        return wanted
    fit = [name for name in names if {"latitude", "longitude"} <= set(_found(opened, opened[name].dims))]
    analysed = [name for name in fit if name.endswith("_an")]  # of the World Ocean Atlas: objectively analysed
    chosen = analysed or fit
    if len(chosen) != 1:
        told = ", ".join(chosen) or "none by latitude and longitude"
        raise ConfigError(f"it is not clear which variable is meant: {told}", where=path, do="write NAME=FILE:VARIABLE")
    return chosen[0]


def _axes(opened: xr.Dataset, name: str, path: Path) -> dict[str, str]:
    axes = _found(opened, opened[name].dims)
    for kind in ("latitude", "longitude"):
        if kind not in axes:
            raise FormatError(f"{name} has no {kind}", where=path, do="give a file on a regular grid in degrees")
    return axes


def _found(opened: xr.Dataset, dims: Any) -> dict[str, str]:
    """Kind of axis → its name."""
    found: dict[str, str] = {}
    for dim in dims:
        attributes: Mapping[str, Any] = opened[dim].attrs if dim in opened.coords else {}
        kind = _kind(str(dim), attributes)
        if kind and kind not in found:
            found[kind] = str(dim)
    return found


def _kind(name: str, attributes: Mapping[str, Any]) -> str | None:
    units = str(attributes.get("units", "")).lower().replace("_", "").replace(" ", "")
    if units.startswith(("degreesnorth", "degreenorth", "degreesn")):
        return "latitude"
    if units.startswith(("degreeseast", "degreeeast", "degreese")):
        return "longitude"
    if units in _METRES or str(attributes.get("positive", "")).lower() == "down":
        return "depth"
    if "since" in units:
        return "month"
    return next((kind for kind, names in _NAMES.items() if name.lower() in names), None)


def _turned(
    values: np.ndarray, points: Mapping[str, np.ndarray], axes: Mapping[str, str], unit: str, source: str, path: Path
) -> Quantity:
    """With rising axes, depths downwards, longitudes around Greenwich and months by their number."""
    latitude = points["latitude"]
    east = (points["longitude"] + 180) % 360 - 180
    kept, first = np.unique(np.round(east, 6), return_index=True)
    values = values[:, :, np.argsort(latitude)][:, :, :, first]
    depth = None
    if "depth" in axes:
        depth = np.abs(points["depth"])
        values, depth = values[:, np.argsort(depth)], np.sort(depth)
    months: tuple[int, ...] | None = None
    if "month" in axes and values.shape[0] > 1:
        if values.shape[0] != 12:
            what = f"there are {values.shape[0]} steps of time, not the 12 months of a climatology"
            raise FormatError(what, where=path, do="make a monthly climatology of it first")
        months = tuple(range(1, 13))
    return Quantity(values, np.sort(latitude), kept, depth, months, unit, source)


def regrid(quantity: Quantity, latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
    """Values on the cells of the cube: the mean by area of finer cells, the nearest of coarser ones.

    Returns:
        (month, depth, latitude, longitude).
    """
    step = float(latitude[1] - latitude[0])
    own = float(np.median(np.diff(quantity.latitude))), float(np.median(np.diff(quantity.longitude)))
    if max(own) > 0.75 * step:
        return _nearest(quantity, latitude, longitude, own)
    row = np.floor((quantity.latitude - (latitude[0] - step / 2)) / step + 1e-9).astype(int)
    column = np.floor(((quantity.longitude - (longitude[0] - step / 2)) % 360) / step + 1e-9).astype(int)
    weight = np.cos(np.radians(quantity.latitude))
    inside = (row >= 0) & (row < len(latitude)), column < len(longitude)
    values = quantity.values[:, :, inside[0]][:, :, :, inside[1]]
    place = (row[inside[0]][:, None] * len(longitude) + column[inside[1]][None, :]).ravel()
    weights = np.broadcast_to(weight[inside[0]][:, None], values.shape[2:]).ravel()
    size = len(latitude) * len(longitude)
    found = np.empty((*values.shape[:2], size))
    for index in np.ndindex(values.shape[:2]):
        flat = values[index].ravel()
        known = np.isfinite(flat)
        total = np.bincount(place[known], flat[known] * weights[known], size)
        mass = np.bincount(place[known], weights[known], size)
        found[index] = np.where(mass > 0, total / np.where(mass > 0, mass, 1), np.nan)
    return found.reshape(*values.shape[:2], len(latitude), len(longitude))


def _nearest(quantity: Quantity, latitude: np.ndarray, longitude: np.ndarray, own: tuple[float, float]) -> np.ndarray:
    north, east = quantity.latitude, quantity.longitude
    row = np.abs(latitude[:, None] - north[None, :]).argmin(axis=1)
    apart = np.abs((longitude[:, None] - east[None, :] + 180) % 360 - 180)
    column = apart.argmin(axis=1)
    far_row = np.abs(latitude - north[row]) > own[0]
    far_column = apart.min(axis=1) > own[1]
    found = quantity.values[:, :, row][:, :, :, column]
    found[:, :, far_row] = np.nan
    found[:, :, :, far_column] = np.nan
    return np.asarray(found)
