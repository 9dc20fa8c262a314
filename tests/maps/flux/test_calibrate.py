"""Calibration from files to a file, stations held out, intervals; and the target on real casts and traps."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from aqqua.errors import ConfigError
from aqqua.maps.flux.calibrate import calibrate, calibrate_matches, held_out
from aqqua.maps.flux.estimate import flux_of
from aqqua.maps.flux.fit import Fitting
from aqqua.maps.flux.match import match_ups
from aqqua.maps.flux.model import read_model
from aqqua.maps.tables import write_table
from tests.make.fluxes import TRUTH, spectra, traps


def test_from_files_to_a_file(tmp_path: Path) -> None:
    casts = write_table(spectra(), tmp_path / "s.parquet", {})
    measured = write_table(traps(), tmp_path / "t.parquet", {})
    found = calibrate(casts, [measured], tmp_path / "c.json", bootstrap=3)
    kept = read_model(tmp_path / "c.json")
    assert kept == found.model
    assert (kept.depth_min_m, kept.depth_max_m) == (100, 500)
    told = json.loads((tmp_path / "c.json").read_text("utf-8"))["about"]
    assert len(told["match_ups"]) == len(found.matches)
    assert told["matching"]["radius_km"] == 500
    assert flux_of(spectra(), kept).table["poc_flux_station_lo"].null_count() == 0
    text = str(found)
    assert "16 match-ups of 4 stations" in text
    assert "4 of 4 within a factor of 2" in text


def test_held_out_stations_are_predicted_by_the_others() -> None:
    left = held_out(match_ups(spectra(), traps()), Fitting(b=TRUTH["b"]))
    assert all(0.7 < ratio < 1.4 for ratio in left.stations.values())
    assert left.within_two == 1
    assert left.factor < 1.3


def test_held_out_means_not_seen() -> None:
    """The traps of a station do not change what is predicted for it."""
    matches = match_ups(spectra(), traps())
    name = str(matches.station[0])
    parts = {key: getattr(matches, key) for key in type(matches).__dataclass_fields__}
    parts["observed"] = np.where(matches.station == name, matches.observed * 50, matches.observed)
    how = Fitting(b=2.6)
    before, after = held_out(matches, how).table, held_out(type(matches)(**parts), how).table
    own = pl.col("station") == name
    assert before.filter(own)["held_out_mg_m2_d"].equals(after.filter(own)["held_out_mg_m2_d"])
    assert not before.filter(~own)["held_out_mg_m2_d"].equals(after.filter(~own)["held_out_mg_m2_d"])


def test_intervals_hold_the_truth_and_follow_the_seed() -> None:
    matches = match_ups(spectra(), traps())
    first = calibrate_matches(matches, Fitting(b=TRUTH["b"]), bootstrap=5, seed=3)
    again = calibrate_matches(matches, Fitting(b=TRUTH["b"]), bootstrap=5, seed=3)
    assert first.intervals == again.intervals
    for name in ("attenuation", "moored"):
        low, high = first.intervals[name]
        assert low - 0.1 <= TRUTH[name] <= high + 0.1


def test_two_stations_are_too_few() -> None:
    matches = match_ups(spectra(), traps())
    names = sorted(set(matches.station.tolist()))[:2]
    with pytest.raises(ConfigError, match="2 stations are too few"):
        calibrate_matches(matches.take(np.flatnonzero(np.isin(matches.station, names))), bootstrap=2)


def test_wrong_names_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="json"):
        calibrate(tmp_path / "s.parquet", [tmp_path / "t.csv"], tmp_path / "c.csv")
    with pytest.raises(ConfigError, match="at least one"):
        calibrate(tmp_path / "s.parquet", [], tmp_path / "c.json")


@pytest.mark.slow
def test_real_casts_meet_real_traps(shared_data: Path) -> None:
    """Every station of the time series held out is within a factor of 2 of the median of its traps."""
    from aqqua.maps.flux.inputs import read_spectra
    from aqqua.maps.flux.traps import read_traps

    folder = shared_data / "interpolation"
    casts = read_spectra(folder / "ecopart_uvp5_rufas2024")[0]
    found = match_ups(casts, read_traps(folder / "mouw2016_pocflux" / "GO_flux.tab.gz")[0])
    left, martin = held_out(found, Fitting()), held_out(found, Fitting(particles=False))
    assert len(found) == 28
    assert len(left.stations) == 5
    assert all(0.5 <= ratio <= 2 for ratio in left.stations.values())
    assert left.spread < martin.spread
