"""Depth of the sea floor from a grid that the user names: ETOPO, GEBCO or any other of heights in metres.

Read are NetCDF-4 (needs h5py), classic NetCDF (needs scipy), GeoTIFF in degrees, and NPZ with `latitude`, `longitude`
and `height_m`. Of large grids only the rows that positions fall on are read.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from aqqua.errors import FormatError, MissingExtraError, NotFoundError

__all__ = ["floor_depth_m"]

_MAX_CELLS = 200_000_000  # of a grid that has to be read as a whole (GeoTIFF, NPZ)
_LATITUDES = ("lat", "latitude", "y")
_LONGITUDES = ("lon", "longitude", "x")


@dataclass(frozen=True)
class _Grid:
    """Heights at the crossings of latitudes and longitudes.

    Args:
        latitude: (h,) degrees, rising or falling.
        longitude: (w,) degrees, rising.
        row: the heights (w,) of one row, metres, NaN where not known.
    """

    latitude: np.ndarray
    longitude: np.ndarray
    row: Callable[[int], np.ndarray]


def floor_depth_m(path: Path | str, latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
    """Depth of the sea floor at positions: the deepest of the grid's four nodes around each.

    The deepest, because a coarse grid knows no canyons: what lies below all four is certainly wrong.

    Args:
        path: grid of heights in metres, positive upwards.
        latitude: (n,) degrees north.
        longitude: (n,) degrees east.

    Returns:
        (n,) metres, positive downwards; negative on land, NaN outside of the grid.

    Raises:
        NotFoundError: there is no such file.
        FormatError: it is no grid of heights.
        MissingExtraError: the package that reads this kind of file is not installed.
    """
    path = Path(path)
    if not path.is_file():
        raise NotFoundError("there is no such bathymetry", where=path, do="give a NetCDF, GeoTIFF or NPZ grid")
    with _grid(path) as grid:
        return _deepest(grid, np.asarray(latitude, float), np.asarray(longitude, float))


def _deepest(grid: _Grid, latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
    turned = grid.latitude[0] > grid.latitude[-1]
    rising = grid.latitude[::-1] if turned else grid.latitude
    place = np.searchsorted(rising, latitude, side="right") - 1
    east = (longitude - grid.longitude[0]) % 360 + grid.longitude[0]
    column = np.searchsorted(grid.longitude, east, side="right") - 1
    step = abs(rising[1] - rising[0])
    inside = (latitude >= rising[0] - step) & (latitude <= rising[-1] + step) & np.isfinite(latitude + longitude)
    wide = grid.longitude[-1] - grid.longitude[0] + 1.5 * step >= 360
    inside &= wide | (east <= grid.longitude[-1] + step)
    depth = np.full(len(latitude), np.nan)
    for near in np.unique(place[inside]):
        rows = [index for index in (near, near + 1) if 0 <= index < len(rising)]
        heights = np.fmin.reduce([grid.row(len(rising) - 1 - index if turned else index) for index in rows])
        here = inside & (place == near)
        left = np.clip(column[here], 0, len(heights) - 1)
        right = (left + 1) % len(heights) if wide else np.minimum(left + 1, len(heights) - 1)
        depth[here] = -np.fmin(heights[left], heights[right])
    return depth


@contextmanager
def _grid(path: Path) -> Iterator[_Grid]:
    """The grid of a file, open while the block runs."""
    with path.open("rb") as file:
        magic = file.read(8)
    opened = _opener(magic)
    if opened is None:
        raise FormatError("this is no grid of heights", where=path, do="give a NetCDF, GeoTIFF or NPZ grid")
    try:
        with opened(path) as grid:
            if grid.latitude.ndim != 1 or len(grid.latitude) < 2 or len(grid.longitude) < 2:
                raise FormatError("the grid has no rows and columns", where=path)
            yield grid
    except (OSError, ValueError, KeyError, TypeError, IndexError, zipfile.BadZipFile) as error:
        if isinstance(error, (FormatError, NotFoundError)):
            raise
        raise FormatError(f"the grid cannot be read ({error})", where=path, do="copy it again") from error


def _opener(magic: bytes) -> Any:
    if magic.startswith(b"\x89HDF"):
        return _netcdf4
    if magic.startswith((b"CDF\x01", b"CDF\x02")):
        return _netcdf3
    if magic[:4] in {b"II*\x00", b"MM\x00*"}:
        return _geotiff
    return _npz if magic.startswith(b"PK\x03\x04") else None


@contextmanager
def _netcdf4(path: Path) -> Iterator[_Grid]:
    try:
        import h5py
    except ImportError as error:
        raise MissingExtraError("reading this bathymetry", "h5py", "hdf5") from error
    with h5py.File(path, "r") as file:
        found = {name: node for name, node in file.items() if isinstance(node, h5py.Dataset)}
        yield _of_variables(found, lambda node: node.attrs)


@contextmanager
def _netcdf3(path: Path) -> Iterator[_Grid]:
    try:
        from scipy.io import netcdf_file
    except ImportError as error:
        raise MissingExtraError("reading this bathymetry", "scipy", "app") from error
    with netcdf_file(path, "r", mmap=False) as file:
        yield _of_variables(file.variables, lambda node: node._attributes)


def _of_variables(found: Mapping[str, Any], attributes: Callable[[Any], Mapping[str, Any]]) -> _Grid:
    """Two axes by their units or names, and the variable that spans them."""
    lines = {name: node for name, node in found.items() if len(node.shape) == 1}
    north = [name for name, node in lines.items() if _means(name, attributes(node), "north", _LATITUDES)]
    east = [name for name, node in lines.items() if _means(name, attributes(node), "east", _LONGITUDES)]
    for latitude in north:
        for longitude in east:
            shape = (lines[latitude].shape[0], lines[longitude].shape[0])
            node = next((node for node in found.values() if node.shape == shape), None)
            if node is not None:
                lost = [attributes(node).get(name) for name in ("_FillValue", "missing_value")]
                rows, columns = (np.asarray(lines[axis][:], float) for axis in (latitude, longitude))
                return _Grid(rows, columns, _reader(node, lost))
    raise FormatError("there are no heights by latitude and longitude")


def _means(name: str, attributes: Mapping[str, Any], direction: str, names: tuple[str, ...]) -> bool:
    units = attributes.get("units", b"")
    text = units.decode("utf-8", "replace") if isinstance(units, bytes) else str(units)
    return f"degrees_{direction}" in text.lower() or f"degree_{direction}" in text.lower() or name.lower() in names


def _reader(node: Any, lost: list[Any]) -> Callable[[int], np.ndarray]:
    gone = [float(np.ravel(value)[0]) for value in lost if value is not None]

    def row(index: int) -> np.ndarray:
        heights = np.asarray(node[index, :], float)
        return np.where(np.isin(heights, gone), np.nan, heights)

    return row


@contextmanager
def _npz(path: Path) -> Iterator[_Grid]:
    with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
        latitude, longitude, heights = (file[name] for name in ("latitude", "longitude", "height_m"))
    if heights.shape != (len(latitude), len(longitude)) or heights.size > _MAX_CELLS:
        raise FormatError("height_m is not one value per latitude and longitude", where=path)
    yield _Grid(latitude, longitude, lambda index: np.asarray(heights[index], float))


@contextmanager
def _geotiff(path: Path) -> Iterator[_Grid]:
    """One band in degrees; tags 33550 (size of a pixel) and 33922 (where its corner lies), as GeoTIFF 1.1 has them."""
    from PIL import Image

    with Image.open(path) as image:
        size, tie = image.tag_v2.get(33550), image.tag_v2.get(33922)  # type: ignore[attr-defined]
        if not size or not tie or image.width * image.height > _MAX_CELLS:
            raise FormatError("the GeoTIFF does not say where it lies, or is too large", where=path)
        heights = np.asarray(image, float)
    if heights.ndim != 2 or abs(tie[3]) > 360 or abs(tie[4]) > 90.1:
        raise FormatError("the GeoTIFF is not one band of heights in degrees", where=path)
    longitude = tie[3] + (np.arange(heights.shape[1]) + 0.5 - tie[0]) * size[0]
    latitude = tie[4] - (np.arange(heights.shape[0]) + 0.5 - tie[1]) * size[1]
    yield _Grid(latitude, longitude, lambda index: heights[index])
