"""Gridded files: what is opened, what is refused, and that nothing half-written gets a name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from scipy.io import netcdf_file

from aqqua.errors import ConfigError, FormatError, NotFoundError
from aqqua.maps.netcdf import open_gridded, read_gridded, write_gridded


def grid() -> xr.Dataset:
    return xr.Dataset({"t": (("y", "x"), np.arange(6.0).reshape(2, 3))}, {"y": [0, 1], "x": [0, 1, 2]})


@pytest.mark.parametrize("ending", ["nc", "zarr"])
def test_written_and_read(tmp_path: Path, ending: str) -> None:
    path = write_gridded(grid(), tmp_path / "new" / f"a.{ending}")
    assert read_gridded(path).identical(grid())
    with open_gridded(path) as opened:
        assert opened["t"].shape == (2, 3)


def test_classic_netcdf_is_read_and_times_stay_numbers(tmp_path: Path) -> None:
    with netcdf_file(tmp_path / "old.nc", "w") as file:
        file.createDimension("time", 2)
        time = file.createVariable("time", "f8", ("time",))
        time[:] = [1, 2]
        time.units = "hour since 0000-01-01 00:00:00"
    assert read_gridded(tmp_path / "old.nc")["time"].values.tolist() == [1, 2]


def test_other_things_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.nc").write_bytes(b"not a grid")
    (tmp_path / "broken.nc").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    (tmp_path / "folder").mkdir()
    for name, error in (("a.nc", FormatError), ("broken.nc", FormatError), ("folder", FormatError)):
        with pytest.raises(error):
            read_gridded(tmp_path / name)
    with pytest.raises(NotFoundError):
        read_gridded(tmp_path / "none.nc")
    with pytest.raises(ConfigError, match="end in"):
        write_gridded(grid(), tmp_path / "a.tif")


def test_a_folder_that_is_no_store_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "mine.zarr").mkdir()
    (tmp_path / "mine.zarr" / "thesis.txt").write_text("years of work")
    with pytest.raises(ConfigError, match="something else"):
        write_gridded(grid(), tmp_path / "mine.zarr")
    assert (tmp_path / "mine.zarr" / "thesis.txt").read_text() == "years of work"
    assert [entry.name for entry in tmp_path.iterdir()] == ["mine.zarr"]


def test_a_file_that_claims_too_much_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_gridded(grid(), tmp_path / "a.nc")
    monkeypatch.setattr("aqqua.maps.netcdf.MOST_BYTES", 10)
    with pytest.raises(FormatError, match="more than is read at once"):
        read_gridded(path)
