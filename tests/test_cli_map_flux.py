"""`aqqua map flux`, `… calibrate` and `… rates`, from the command line's own words."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from aqqua.cli_map_flux import app
from aqqua.errors import ConfigError, UnknownNameError
from aqqua.maps.flux.model import read_model
from aqqua.maps.netcdf import write_gridded
from aqqua.maps.tables import read_table, write_table
from tests.make.fluxes import spectra, traps
from tests.maps.flux.test_products import database
from tests.maps.flux.test_rates import world


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    app([str(argument) for argument in arguments], result_action="return_value", exit_on_error=False)
    return capsys.readouterr().out


@pytest.fixture
def casts(tmp_path: Path) -> Path:
    return write_table(spectra(), tmp_path / "spectra.parquet", {"kind": "spectra"})


def test_a_preset_and_numbers_of_your_own(casts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = run(capsys, casts, tmp_path / "a.parquet")
    assert told.startswith("guidi2008: 36 layers of 12 samples")
    run(capsys, casts, tmp_path / "b.csv", "--model", "bisson2022", "--bin-m", 100)
    run(capsys, casts, tmp_path / "c.parquet", "--a", 25, "--esd-max-um", 1500)
    first, twice = (read_table(tmp_path / name)[0] for name in ("a.parquet", "c.parquet"))
    assert (twice["poc_flux_mg_m2_d"] / first["poc_flux_mg_m2_d"]).to_list() == pytest.approx([2.0] * 36)
    assert read_table(tmp_path / "b.csv")[0]["model"].unique().to_list() == ["bisson2022"]
    with pytest.raises(UnknownNameError):
        run(capsys, casts, tmp_path / "d.parquet", "--model", "guido")


def test_calibrate_and_use(casts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    measured = write_table(traps(), tmp_path / "traps.parquet", {})
    out = tmp_path / "own.json"
    told = run(capsys, "calibrate", casts, out, "--traps", measured, "--bootstrap", 2, "--b", 2.6)
    assert "stations held out: 4 of 4 within a factor of 2" in told
    assert read_model(out).b == 2.6
    run(capsys, casts, tmp_path / "f.parquet", "--model", out)
    assert "poc_flux_station_lo" in read_table(tmp_path / "f.parquet")[0].columns


def test_rates_of_maps_and_products(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_gridded(world(), tmp_path / "flux.nc")
    arguments = ("rates", path, "--from-depth", 100, "--to-depth", 1000, "--out", tmp_path / "t.csv")
    told = run(capsys, *arguments, "--published", database(tmp_path / "data"))
    assert "flux at 1000 m: 2.58 (1.48 … 4.68, b 0.6–1.1) PgC yr⁻¹" in told
    assert "Even 2020" in told
    assert "18.60" in told
    assert isinstance(read_table(tmp_path / "t.csv")[0], pl.DataFrame)
    assert read_table(tmp_path / "t.csv")[0].height == 2


def test_what_lacks_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ConfigError, match="name a map"):
        run(capsys, "rates")
    with pytest.raises(ConfigError, match="both depths"):
        run(capsys, "rates", tmp_path / "a.nc", "--to-depth", 1000)
    with pytest.raises(ConfigError, match="no interval"):
        run(capsys, "rates", tmp_path / "a.nc", "--from-depth", 1, "--to-depth", 2, "--martin-b-interval", "1")
