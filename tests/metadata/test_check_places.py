"""Where samples come from: land, mirrored positions, speed, sea floor."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from aqqua.errors import NotFoundError
from aqqua.metadata.check import Finding, Limits, check_rows
from aqqua.metadata.check_places import is_inland

SMALL = Limits(count_uncertainty=1.0)
CRUISE = [(25.4, -79.6), (25.5, -79.5), (25.6, -79.4), (25.7, -79.3)]


def stations(positions: list[tuple[float, float]], hours: float = 12, **columns: Any) -> pl.DataFrame:
    """Two images per station, the stations some hours apart."""
    rows = [(f"s{number}", *place, number) for number, place in enumerate(positions) for _ in range(2)]
    frame = pl.DataFrame(rows, schema=["sample_id", "latitude", "longitude", "n"], orient="row")
    start = datetime(2020, 1, 2, 3, tzinfo=UTC)
    times = [start + timedelta(hours=hours * number) for number in frame["n"]]
    return frame.drop("n").with_columns(
        pl.Series("time_utc", times, pl.Datetime("ms", "UTC")),
        pl.lit(0.0).alias("depth_min_m"),
        *(pl.lit(value).alias(name) for name, value in ({"depth_max_m": 100.0} | columns).items()),
    )


def told(frame: pl.DataFrame, **options: Any) -> dict[str, Finding]:
    findings = check_rows(frame, limits=options.pop("limits", SMALL), **options)
    return {finding.code: finding for finding in findings if finding.code not in {"floor_not_checked", "field_missing"}}


@pytest.fixture
def continent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sea is west of 0°; everything else is land."""
    monkeypatch.setattr("aqqua.metadata.land.sea_within", lambda latitude, longitude, *_: longitude < 0)


@pytest.fixture
def ocean(monkeypatch: pytest.MonkeyPatch) -> None:
    """All is sea."""
    monkeypatch.setattr("aqqua.metadata.land.sea_within", lambda latitude, *_: np.ones(len(latitude), dtype=bool))


@pytest.mark.usefixtures("continent")
def test_a_good_cruise() -> None:
    assert told(stations(CRUISE)) == {}


@pytest.mark.usefixtures("continent")
def test_on_land_with_the_wrong_sign() -> None:
    found = told(stations([*CRUISE, (25.6, 79.4)], hours=5000))
    assert set(found) == {"gps_on_land", "position_sign"}
    assert (found["gps_on_land"].severity, found["gps_on_land"].samples) == ("error", (("s4", 2),))
    assert "25.60° N -79.40° E" in found["position_sign"].do


@pytest.mark.usefixtures("continent")
def test_exchanged_positions() -> None:
    found = told(stations([(10.0, -30.0), (11.0, -31.0), (-30.0, 10.0)], hours=5000))
    assert set(found) == {"gps_on_land", "position_swapped"}
    assert found["position_swapped"].samples == (("s2", 2),)


@pytest.mark.usefixtures("continent")
def test_far_from_all_others_but_not_on_land() -> None:
    found = told(stations([(40.0, -30.0), (41.0, -31.0), (42.0, -32.0), (-41.0, -30.0)], hours=5000))
    assert set(found) == {"position_sign"}
    assert found["position_sign"].message.startswith("the latitude")


@pytest.mark.usefixtures("continent")
@pytest.mark.parametrize(
    ("habitat", "severity"), [("fresh water", "warning"), ("Lake Geneva", "warning"), ("", "error")]
)
def test_lakes_are_legal_where_the_card_says_so(habitat: str, severity: str) -> None:
    assert told(stations([(46.4, 6.5)]), habitat=habitat)["gps_on_land"].severity == severity


@pytest.mark.parametrize(
    ("habitat", "inland"), [("fresh_water", True), ("River Elbe", True), ("marine", False), ("", False)]
)
def test_habitats(habitat: str, inland: bool) -> None:
    assert is_inland(habitat) is inland


def test_how_far_from_the_coast_is_a_threshold(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def sea(latitude: np.ndarray, _: np.ndarray, km: float = 0.0) -> np.ndarray:
        asked.append(km)
        return np.full(len(latitude), km > 10)

    monkeypatch.setattr("aqqua.metadata.land.sea_within", sea)
    assert set(told(stations([(53.87, 10.68)]))) == {"gps_on_land"}
    assert told(stations([(53.87, 10.68)]), limits=Limits(count_uncertainty=1.0, coast_km=20)) == {}
    assert asked == [5.0, 20.0]


@pytest.mark.usefixtures("continent")
def test_a_whole_cruise_with_the_wrong_sign() -> None:
    found = told(stations([(10.0, 30.0), (11.0, 31.0), (12.0, 32.0)], hours=5000))
    assert found["position_sign"].samples == (("s0", 2), ("s1", 2), ("s2", 2))
    assert set(told(stations([(10.0, 30.0), (11.0, 31.0)], hours=5000))) == {"gps_on_land"}


@pytest.mark.usefixtures("continent")
def test_one_position_for_all_samples() -> None:
    found = told(stations([(0.5, -30.0)] * 5))
    assert (found["position_constant"].severity, found["position_constant"].count) == ("info", 10)
    assert told(stations([(0.5, -30.0)] * 4)) == {}


@pytest.mark.usefixtures("continent")
def test_faster_than_a_ship() -> None:
    found = told(stations([(0.5, -30.0), (0.5, -31.0), (0.5, -32.0)], hours=1))
    assert found["speed_impossible"].samples == (("s1", 2), ("s2", 2))
    assert "111 km in 1.0 h" in found["speed_impossible"].do
    assert told(stations([(0.5, -30.0), (0.5, -31.0)], hours=2.1)) == {}
    assert told(stations([(0.5, -30.0), (0.55, -30.0)], hours=0)) == {}


@pytest.mark.usefixtures("continent")
def test_two_ships_are_not_one() -> None:
    frame = stations([(0.5, -30.0), (60.5, -31.0)], hours=1)
    projects = pl.when(pl.col("sample_id") == "s0").then(pl.lit("a")).otherwise(pl.lit("b")).alias("project")
    assert told(frame.with_columns(projects)) == {}


@pytest.mark.usefixtures("ocean")
def test_below_the_sea_floor(tmp_path: Path) -> None:
    grid = tmp_path / "grid.npz"
    np.savez(
        grid, latitude=np.array([25.0, 26.0]), longitude=np.array([-80.0, -79.0]), height_m=np.full((2, 2), -800.0)
    )
    assert told(stations(CRUISE, depth_max_m=870.0), bathymetry=grid) == {}
    found = told(stations(CRUISE, depth_max_m=900.0), bathymetry=grid)
    assert (found["below_sea_floor"].severity, found["below_sea_floor"].count) == ("error", 8)
    assert "floor_not_checked" not in {one.code for one in check_rows(stations(CRUISE), bathymetry=grid)}
    with pytest.raises(NotFoundError):
        told(stations(CRUISE), bathymetry=tmp_path / "none.nc")


@pytest.mark.usefixtures("ocean")
def test_without_bathymetry_one_line_says_so() -> None:
    findings = check_rows(stations(CRUISE), limits=SMALL)
    assert [(one.severity, one.code) for one in findings if one.code == "floor_not_checked"] == [
        ("info", "floor_not_checked")
    ]


@pytest.mark.usefixtures("ocean")
def test_real_stations_on_etopo(shared_data: Path) -> None:
    etopo = shared_data / "interpolation/climatology_ferret/etopo20.nc"
    frame = stations([(18.0, -24.4), (25.4, -79.6)], hours=5000, depth_max_m=1000.0)
    assert {code: one.samples for code, one in told(frame, bathymetry=etopo).items()} == {
        "below_sea_floor": (("s1", 2),)
    }
