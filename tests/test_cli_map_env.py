"""`aqqua map env …` and `aqqua map grid` as typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from aqqua.cli import app
from aqqua.errors import ConfigError, RefusedError
from aqqua.maps.cube import read_cube
from aqqua.maps.tables import read_table, write_table
from tests.make.climatologies import write_heights, write_profile
from tests.maps.test_grid import row, table


def typed(line: str, *paths: object) -> None:
    app(["map", *line.split(), *map(str, paths)], result_action="return_value")


def test_build_and_list(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_profile(tmp_path / "t.nc", "t", 20, -0.02, unit="degC")
    write_heights(tmp_path / "z.nc")
    parts = f"temperature={tmp_path / 't.nc'}", f"bathymetry={tmp_path / 'z.nc'}", tmp_path / "c.nc"
    typed("env build --res 10 --layers 0-100 --no-coast --", *parts)
    assert set(read_cube(tmp_path / "c.nc").data_vars) == {"temperature_c", "bathymetry_m"}
    assert "temperature_c" in capsys.readouterr().out
    typed("env list", tmp_path / "c.nc")
    assert "bathymetry_m" in capsys.readouterr().out
    typed("env list")
    told = capsys.readouterr().out
    assert "nothing is fetched unasked" in told
    assert "copernicus" in told


def test_fetch_says_what_an_account_is_needed_for(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="account"):
        typed("env fetch copernicus", tmp_path, "--quantities", "nitrate")
    with pytest.raises(ConfigError, match="sources and a name"):
        typed("env build", f"temperature={tmp_path / 't.nc'}")


def test_grid(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_table(table(row(), row(sample_id="s2", taxon="Salpida")), tmp_path / "a.parquet", {})
    typed(
        "grid --res 5 --layers 0-50,50-200 --time month --taxa Copepoda --", tmp_path / "a.parquet", tmp_path / "o.csv"
    )
    frame, about = read_table(tmp_path / "o.csv")
    assert frame.select("month", "layer_min_m", "taxon").rows() == [(3, 0, "Copepoda"), (3, 50, "Copepoda")]
    assert about["options"]["res_deg"] == 5
    assert "1 samples on 1 cells" in capsys.readouterr().out
