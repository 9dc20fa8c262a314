"""A cube of predictors from files with odd axes, units and months."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from aqqua.errors import ConfigError, FormatError, NotFoundError, UnknownNameError
from aqqua.maps.cube import field, read_cube
from aqqua.maps.environment import build
from aqqua.maps.environment.build import describe
from aqqua.maps.environment.gridded import parse_source
from tests.make.climatologies import write_chlorophyll, write_heights, write_profile


@pytest.fixture
def files(tmp_path: Path) -> Path:
    write_profile(tmp_path / "t.nc", "t", 20, -0.02, unit="degrees_celsius")
    write_profile(tmp_path / "s.nc", "s", 35, 0.002, unit="1")
    write_chlorophyll(tmp_path / "chl.nc")
    write_heights(tmp_path / "z.nc")
    return tmp_path


def test_files_become_one_cube(files: Path) -> None:
    sources = [f"{n}={files / f}" for n, f in (("temperature", "t.nc"), ("salinity", "s.nc:s_an"))]
    sources += [f"chlorophyll={files / 'chl.nc'}", f"bathymetry={files / 'z.nc'}"]
    report = build(sources, files / "cube.nc", res=5)
    cube = read_cube(files / "cube.nc")
    derived = {"sigma0_kg_m3", "stratification_per_s2", "mixed_layer_m", "coast_km"}
    assert set(cube.data_vars) == {"temperature_c", "salinity", "chlorophyll_log10", "bathymetry_m"} | derived
    warm = field(cube, "temperature_c", (0, 200))
    assert warm[10, 5] == pytest.approx(18, abs=0.05)
    assert np.isnan(warm[-2:]).all()
    assert np.isfinite(warm[-4:-2]).all()
    assert np.isnan(field(cube, "temperature_c", (200, 500))[-4:-2]).all()
    assert field(cube, "chlorophyll_log10")[10, 5] == pytest.approx((11 * -1 + 0) / 12)
    assert field(cube, "bathymetry_m")[3, 3] == 4000
    assert np.isnan(field(cube, "bathymetry_m")[-3]).all()
    assert 20 < float(field(cube, "sigma0_kg_m3")[10, 5]) < 30
    assert field(cube, "stratification_per_s2")[10, 5] > 0
    assert cube["temperature_c"].attrs["source"] == "t.nc: t_an"
    assert "mixed_layer_m" in str(report)
    assert "coast_km" in str(describe(files / "cube.nc"))


def test_months_stay_apart_if_asked(files: Path) -> None:
    build([f"chlorophyll={files / 'chl.nc'}", f"bathymetry={files / 'z.nc'}"], files / "c.zarr", res=10, time="month")
    cube = read_cube(files / "c.zarr")
    assert field(cube, "chlorophyll_log10", 0, 7)[5, 5] == pytest.approx(0)
    assert field(cube, "chlorophyll_log10", 0, 1)[5, 5] == pytest.approx(-1)
    assert "month" not in cube["bathymetry_m"].dims


def test_twelve_files_are_twelve_months(tmp_path: Path) -> None:
    for month in range(1, 13):
        write_profile(tmp_path / f"t{month:02d}.nc", "t", 20, 0, unit="degC", month=month)
    build([f"temperature={tmp_path}/t{{month}}.nc"], tmp_path / "c.nc", res=10, time="month", coast=False)
    cube = read_cube(tmp_path / "c.nc")
    assert [round(float(field(cube, "temperature_c", 0, m)[5, 5])) for m in (1, 12)] == [21, 32]


def test_units_are_turned_or_refused(tmp_path: Path) -> None:
    write_profile(tmp_path / "k.nc", "t", 293.15, 0, unit="K")
    write_profile(tmp_path / "o.nc", "o", 5, 0, unit="ml/l")
    report = build([f"temperature={tmp_path / 'k.nc'}", f"oxygen={tmp_path / 'o.nc'}"], tmp_path / "c.nc", res=10)
    cube = read_cube(tmp_path / "c.nc")
    assert field(cube, "temperature_c")[5, 5] == pytest.approx(20)
    assert field(cube, "oxygen_umol_kg")[5, 5] == pytest.approx(5 * 44.661 / 1.025)
    assert "from kelvin" in str(report)
    write_profile(tmp_path / "odd.nc", "s", 35, 0, unit="furlongs")
    with pytest.raises(ConfigError, match="furlongs"):
        build([f"salinity={tmp_path / 'odd.nc'}"], tmp_path / "d.nc")
    build([f"odd={tmp_path / 'odd.nc'}"], tmp_path / "d.nc", res=10)
    assert read_cube(tmp_path / "d.nc")["odd"].attrs["units"] == "furlongs"


def test_what_cannot_be_used_is_told(files: Path) -> None:
    cases = [
        ([], ConfigError, "no sources"),
        ([f"a={files / 'none.nc'}"], NotFoundError, "no such file"),
        ([f"a={files / 't.nc'}:t_ann"], UnknownNameError, "t_an"),
        ([f"a={files / 't.nc'}", f"a={files / 's.nc'}"], ConfigError, "twice"),
        (["temperature"], ConfigError, "temperature=FILE.nc"),
    ]
    for sources, error, words in cases:
        with pytest.raises(error) as caught:
            build(sources, files / "c.nc")
        assert words in str(caught.value)
    read = write_chlorophyll(files / "eleven.nc")
    with xr.open_dataset(read, engine="h5netcdf") as whole:
        whole.isel(month=slice(11)).load().to_netcdf(files / "few.nc", engine="h5netcdf")
    with pytest.raises(FormatError, match="11 steps"):
        build([f"chlorophyll={files / 'few.nc'}"], files / "c.nc")


def test_a_source_is_a_name_a_path_and_perhaps_a_variable() -> None:
    assert parse_source("t=/a/b.nc:t_an") == ("t", "/a/b.nc", "t_an")
    assert parse_source("t=C:/a/b.nc") == ("t", "C:/a/b.nc", None)


def test_the_genuine_climatology(shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "interpolation" / "climatology_ferret" / "levitus_climatology.nc"
    build([f"temperature={path}:TEMP", f"salinity={path}:SALT"], tmp_path / "c.nc", res=2)
    cube = read_cube(tmp_path / "c.nc")
    mixed, warm = field(cube, "mixed_layer_m"), field(cube, "temperature_c", (0, 200))
    assert 10 < np.nanmedian(mixed) < 80
    assert np.nanmax(warm[40:50]) > 20 > np.nanmax(warm[:10])
    assert np.isnan(warm[70, 140])  # 51° N 101° E: Mongolia
    assert 0.3 < np.isnan(warm).mean() < 0.5
