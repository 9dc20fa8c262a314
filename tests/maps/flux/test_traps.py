"""Measured fluxes in the forms they are shared in."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from aqqua.errors import FormatError, NotFoundError, SourceError
from aqqua.maps.flux.traps import TRAP_SCHEMA, read_traps
from aqqua.maps.tables import write_table
from tests.make.fluxes import traps, write_pangaea, write_rdata

ROW = {"method": "sediment_trap", "latitude": 50, "longitude": 215, "trap": "unknown", "depth": 200, "days": 3}
ROW |= {"start": "1991-07-18T00:00:00", "end": "1991-07-20T00:00:00", "flux": 12.5}


@pytest.mark.parametrize("name", ["GO_flux.tab", "GO_flux.tab.gz"])
def test_mouw(tmp_path: Path, name: str) -> None:
    rows = [
        ROW,
        ROW | {"method": "th234", "days": 0},
        ROW | {"trap": "MARK 7", "days": 3},
        ROW | {"days": 17},
        ROW | {"trap": "Particle interceptor trap", "days": 40},
        ROW | {"trap": "Automatic Kiel Sediment Trap (Moored)"},
        ROW | {"days": ""},
        ROW | {"flux": ""},
        ROW | {"flux": 0},
        ROW | {"depth": ""},
        ROW | {"latitude": 95},
    ]
    table, findings = read_traps(write_pangaea(tmp_path / name, rows))
    assert table.columns == list(TRAP_SCHEMA)
    assert table["kind"].to_list() == ["drifting", "thorium", "moored", "moored", "drifting", "moored", "unknown"]
    assert table["longitude"][0] == -145
    assert table["time_utc"][0] == datetime(1991, 7, 19, tzinfo=UTC)
    assert [one.code for one in findings] == ["trap_place", "trap_depth", "trap_value", "trap_zero"]


def test_the_database_of_r(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "method": ["sediment trap", "Thorium", "sediment trap"],
            "lon": [-126.0, 5.0, 5.0],
            "lat": [71.0, 60.0, 60.0],
            "depth": [100.0, 100.0, 1000.0],
            "poc_flux_obs": [41.9, 20.0, 3.0],
            "converted_date": [None, datetime(2001, 2, 3, tzinfo=UTC), None],
            "date_formatted": ["2008-06", None, None],
            "duration": [None, None, 17.0],
        }
    )
    table, findings = read_traps(write_rdata(tmp_path / "02.Rdata", {"obs_flux_targ": frame}))
    assert table["kind"].to_list() == ["unknown", "thorium", "moored"]
    assert [None if one is None else one.isoformat()[:10] for one in table["time_utc"]] == [
        "2008-06-15",
        "2001-02-03",
        None,
    ]
    assert findings == []


def test_r_without_fluxes(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no table of measured"):
        read_traps(write_rdata(tmp_path / "a.Rdata", {"x": pl.DataFrame({"a": [1.0]})}))


def test_tables_of_your_own(tmp_path: Path) -> None:
    own = traps()
    path = write_table(own, tmp_path / "t.parquet", {})
    assert read_traps(path)[0].drop("source").equals(own.drop("source"))
    (tmp_path / "t.csv").write_text("lat,lon,depth,poc_flux,date\n10,20,100,5.5,2001-02-03\n", "utf-8")
    table, _ = read_traps(tmp_path / "t.csv")
    assert table["time_utc"].to_list() == [datetime(2001, 2, 3, tzinfo=UTC)]
    assert table["kind"].to_list() == ["unknown"]


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        read_traps(tmp_path / "none.tab")
    (tmp_path / "a.csv").write_text("lat,lon,depth\n1,2,3\n", "utf-8")
    with pytest.raises(SourceError, match="poc_flux"):
        read_traps(tmp_path / "a.csv")
    (tmp_path / "a.tab.gz").write_bytes(b"no gzip")
    with pytest.raises(FormatError, match="unpacked"):
        read_traps(tmp_path / "a.tab.gz")
    (tmp_path / "a.tab").write_text("/* x */\nLatitude\tLongitude\n1\t2\n", "utf-8")
    with pytest.raises(SourceError, match="Depth water"):
        read_traps(tmp_path / "a.tab")
    with pytest.raises(SourceError, match="can be used"):
        read_traps(write_pangaea(tmp_path / "b.tab", [ROW | {"flux": ""}]))


def test_the_real_compilation(shared_data: Path) -> None:
    table, _ = read_traps(shared_data / "interpolation" / "mouw2016_pocflux" / "GO_flux.tab.gz")
    assert table.height == 14_055
    assert table.filter(pl.col("kind") == "thorium").height == 581
    hot = table.filter((pl.col("latitude") - 22.75).abs() < 0.5, (pl.col("longitude") + 158).abs() < 0.5)
    shallow = hot.filter(pl.col("depth_m").is_between(120, 200))["poc_flux_mg_m2_d"]
    assert shallow.median() == pytest.approx(24.4, abs=0.1)  # as the spec's reality check has it
