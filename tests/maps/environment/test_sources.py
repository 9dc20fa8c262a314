"""Files of the World Ocean Atlas come from a real server; where an account is needed, that is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from aqqua.errors import RefusedError, RemoteError, UnknownNameError
from aqqua.maps.cube import read_cube
from aqqua.maps.environment import build
from aqqua.maps.environment.sources import Wanted, WorldOceanAtlas, fetch, known_sources
from tests.make.climatologies import write_profile
from tests.make.servers import web_server


def served(folder: Path) -> Path:
    """A part of NCEI's server in miniature."""
    for name, letter, years, per_m in (("temperature", "t", "decav91C0", -0.02), ("nitrate", "n", "all", 0.05)):
        place = folder / name / "netcdf" / years / "1.00"
        place.mkdir(parents=True)
        unit = "degrees_celsius" if letter == "t" else "micromoles_per_kilogram"
        write_profile(place / f"woa23_{years}_{letter}00_01.nc", letter, 20, per_m, unit=unit)
    return folder


def test_files_are_fetched_kept_and_used(tmp_path: Path) -> None:
    wanted = Wanted(["temperature", "nitrate"])
    with web_server(served(tmp_path / "www")) as web:
        report = fetch("woa", tmp_path / "woa", wanted, mirror=web.address)
        assert [path.name for path in report.files] == ["woa23_all_n00_01.nc", "woa23_decav91C0_t00_01.nc"]
        assert fetch("woa", tmp_path / "woa", wanted, mirror=web.address).there == 2
        with pytest.raises(RemoteError):
            fetch("woa", tmp_path / "woa", Wanted(["oxygen"]), mirror=web.address)
    named = zip(("nitrate", "temperature"), report.files, strict=True)
    build([f"{name}={path}" for name, path in named], tmp_path / "c.nc", res=10)
    assert {"temperature_c", "nitrate_umol_kg"} <= set(read_cube(tmp_path / "c.nc").data_vars)


def test_addresses_are_those_of_the_atlas() -> None:
    found = WorldOceanAtlas().addresses(Wanted(["salinity"], 0.25, "month"), None)
    base = "https://www.ncei.noaa.gov/data/oceans/woa/WOA23/DATA/salinity/netcdf/decav91C0/0.25"
    assert found[0] == f"{base}/woa23_decav91C0_s01_04.nc"
    assert len(found) == 12
    assert WorldOceanAtlas().addresses(Wanted(["aou"]), None)[0].endswith("/AOU/netcdf/all/1.00/woa23_all_A00_01.nc")


@pytest.mark.parametrize(("source", "words"), [("copernicus", "make an account"), ("modis", "log in at")])
def test_where_an_account_is_needed_that_is_said(tmp_path: Path, source: str, words: str) -> None:
    with pytest.raises(RefusedError) as caught:
        fetch(source, tmp_path, Wanted(["chlorophyll"]))
    assert words in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_unknown_names_are_answered_with_the_nearest(tmp_path: Path) -> None:
    assert set(known_sources()) >= {"woa", "copernicus", "modis"}
    for source, wanted in (("wao", Wanted(["salinity"])), ("woa", Wanted(["salt"])), ("modis", Wanted(["chl"]))):
        with pytest.raises(UnknownNameError):
            fetch(source, tmp_path, wanted)
    with pytest.raises(UnknownNameError, match=r"0\.5"):
        fetch("woa", tmp_path, Wanted(["salinity"], 0.5))
