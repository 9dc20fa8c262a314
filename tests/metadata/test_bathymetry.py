"""Depth of the sea floor from grids of every kind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from aqqua.errors import FormatError, NotFoundError
from aqqua.metadata.bathymetry import floor_depth_m

LATITUDE = np.array([-1.0, 0.0, 1.0])
LONGITUDE = np.array([10.0, 11.0, 12.0, 13.0])
HEIGHT = np.array([[-10, -20, -30, -40], [-50, -60, -70, 5], [-90, -100, -110, 8]], dtype=float)


def netcdf4(path: Path) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        for name, values, units in (("y", LATITUDE, "degrees_north"), ("x", LONGITUDE, "degrees_east")):
            file[name] = values
            file[name].attrs["units"] = units
        file["z"] = HEIGHT.astype("f4")
        file["z"].attrs["_FillValue"] = np.float32(-1e34)


def netcdf3(path: Path) -> None:
    from scipy.io import netcdf_file

    with netcdf_file(path, "w") as file:
        for name, values, units in (("lat", LATITUDE, "degrees_north"), ("lon", LONGITUDE, "degrees_east")):
            file.createDimension(name, len(values))
            axis = file.createVariable(name, "f8", (name,))
            axis[:], axis.units = values, units
        file.createVariable("elevation", "i2", ("lat", "lon"))[:] = HEIGHT


def npz(path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, latitude=LATITUDE[::-1], longitude=LONGITUDE, height_m=HEIGHT[::-1])


def geotiff(path: Path) -> None:
    tags = ImageFileDirectory_v2()
    tags[33550] = (1.0, 1.0, 0.0)
    tags[33922] = (0.0, 0.0, 0.0, 9.5, 1.5, 0.0)
    tags.tagtype[33550] = tags.tagtype[33922] = 12
    Image.fromarray(HEIGHT[::-1].astype("f4")).save(path, format="TIFF", tiffinfo=tags)


@pytest.mark.parametrize("write", [netcdf4, netcdf3, npz, geotiff])
def test_the_deepest_of_the_nodes_around(tmp_path: Path, write: object) -> None:
    path = tmp_path / "grid"
    write(path)  # type: ignore[operator]
    latitude, longitude = np.array([-0.5, 0.5, 0.5, 40.0, 0.5]), np.array([10.5, 10.2, 372.5, 10.5, 100.0])
    assert floor_depth_m(path, latitude, longitude).tolist() == pytest.approx(
        [60, 100, 110, np.nan, np.nan], nan_ok=True
    )


def test_a_grid_around_the_earth_has_no_seam(tmp_path: Path) -> None:
    path = tmp_path / "earth.npz"
    longitude = np.arange(0, 360, 10.0)
    np.savez(path, latitude=np.array([-5.0, 5.0]), longitude=longitude, height_m=np.tile(-longitude, (2, 1)))
    assert floor_depth_m(path, np.array([0.0, 0.0]), np.array([-5.0, 179.0])).tolist() == [350, 180]


def test_what_is_no_grid_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        floor_depth_m(tmp_path / "none.nc", LATITUDE, LATITUDE)
    for name, data in (
        ("a.nc", b"CDF\x01broken"),
        ("b.nc", b"\x89HDF\r\n\x1a\nx"),
        ("c", b"text"),
        ("d.npz", b"PK\x03\x04"),
    ):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(FormatError):
            floor_depth_m(tmp_path / name, LATITUDE, LATITUDE)


def test_etopo(shared_data: Path) -> None:
    path = shared_data / "interpolation/climatology_ferret/etopo20.nc"
    depth = floor_depth_m(path, np.array([36.5, 11.35, 48.0]), np.array([-40.0, 142.2, 2.0]))
    assert depth[0] == pytest.approx(3930, abs=1)
    assert depth[1] > 9000  # the Mariana Trench on a grid of 20 minutes
    assert depth[2] < 0
