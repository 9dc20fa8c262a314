"""Match-ups: the right traps for the right casts, across the date line too."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from aqqua.errors import ConfigError
from aqqua.maps.flux.match import Matching, match_ups, station_names
from tests.make.fluxes import STATIONS, spectra, traps


def test_one_match_up_for_each_station_depth_and_kind() -> None:
    found = match_ups(spectra(), traps())
    assert len(found) == len(STATIONS) * 4
    assert set(found.kind.tolist()) == {"drifting", "moored"}
    assert found.casts.tolist() == [3] * len(found)
    assert (found.measurements == 4).all()
    assert found.density.shape == (len(found), 21)
    assert found.findings == ()


def test_the_spectrum_is_a_ratio_of_sums_around_the_depth() -> None:
    table = spectra(depths_m=(100.0, 112.0, 300.0), casts=2)
    found = match_ups(table, traps(depths_m=(100.0,)))
    near = table.filter(pl.col("sample_id").str.starts_with("hot"), pl.col("depth_min_m") < 150)
    first = near.filter(pl.col("esd_min_um") == near["esd_min_um"].min())
    hot = found.take(np.flatnonzero(np.char.startswith(found.station, "22.")))
    assert hot.density[0, 0] == pytest.approx(float(first["n"].sum()) / float(first["volume_l"].sum()))


def test_stations_across_the_date_line_are_one() -> None:
    names = station_names(np.array([-17.0, -17.0, -17.0]), np.array([179.9, -179.9, 170.0]), 150)
    assert names[0] == names[1] != names[2]


def test_stations_hang_together_by_steps() -> None:
    latitude = np.linspace(0, 5, 11)
    assert len(set(station_names(latitude, np.zeros(11), 60))) == 1
    assert len(set(station_names(latitude, np.zeros(11), 50))) == 11


def test_your_own_stations_count() -> None:
    named = spectra().with_columns(station=pl.col("sample_id").str.split("_").list.first())
    assert set(match_ups(named, traps()).station.tolist()) == {"hot", "bats", "pap", "fiji"}


def test_another_season_matches_nothing() -> None:
    late = traps().with_columns(pl.col("time_utc") + timedelta(days=180))
    with pytest.raises(ConfigError, match="no measured flux") as told:
        match_ups(spectra(), late)
    assert "no traps match station" in str(told.value)


def test_seasons_meet_over_the_new_year() -> None:
    casts = spectra().with_columns(time_utc=datetime(2015, 12, 28, tzinfo=UTC))
    early = traps().with_columns(time_utc=datetime(1990, 1, 5, tzinfo=UTC))
    assert len(match_ups(casts, early, Matching(season_d=10))) == len(STATIONS) * 4


def test_far_few_long_and_undated_ones_are_left_out() -> None:
    far = traps().with_columns(pl.col("latitude") + 20)
    with pytest.raises(ConfigError):
        match_ups(spectra(), far)
    with pytest.raises(ConfigError):
        match_ups(spectra(), traps(), Matching(least=5))
    some = traps().with_columns(
        time_utc=pl.when(pl.col("depth_m") == 100).then(None).otherwise("time_utc"),
        duration_d=pl.when(pl.col("kind") == "moored").then(365.0).otherwise("duration_d"),
    )
    found = match_ups(spectra(), some)
    assert sorted(set(found.depth_m.tolist())) == [200.0, 500.0]
    assert "moored" not in found.kind.tolist()
    assert {one.code for one in found.findings} == {"trap_undated", "trap_long"}


def test_casts_without_a_place_are_told() -> None:
    table = spectra().with_columns(latitude=pl.when(pl.col("sample_id") == "hot_0").then(None).otherwise("latitude"))
    assert [one.code for one in match_ups(table, traps()).findings] == ["cast_unplaced"]
    with pytest.raises(ConfigError, match="no cast"):
        match_ups(spectra().with_columns(time_utc=pl.lit(None, pl.Datetime("ms", "UTC"))), traps())
    with pytest.raises(ConfigError, match="time_utc"):
        match_ups(spectra().drop("time_utc"), traps())


def test_traps_deeper_than_the_casts_match_nothing() -> None:
    deep = traps().with_columns(depth_m=pl.when(pl.col("depth_m") == 500).then(1000.0).otherwise("depth_m"))
    assert match_ups(spectra(), deep).depth_m.max() == 200
