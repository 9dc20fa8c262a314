"""Tables that are wrong in the ways tables are, through the whole way from a recipe to a map."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from aqqua.errors import ConfigError, UnknownNameError
from aqqua.maps.grid import observations
from aqqua.maps.interpolate import Problem, cross_validate, fit, read_recipe
from aqqua.maps.interpolate.run import run_cv, run_predict
from tests.make.oceans import PREDICTORS, QUICK, environment, small_problem, small_table, write_recipe

GOOD, EMPTY, ALONE = "Copepoda", "Doliolida", "Limacinidae"


def told_of(out: Path, taxon: str) -> dict[str, object]:
    summary = json.loads((out / taxon / "summary.json").read_text(encoding="utf-8"))
    assert len(summary) == 1
    return dict(summary[0])


def three_taxa() -> pl.DataFrame:
    """One taxon as it should be, one that was never seen, and one that was seen in a single cell."""
    table = small_table((GOOD, EMPTY, ALONE))
    number = pl.int_range(pl.len()).over("taxon")
    never = (pl.col("taxon") == EMPTY) | (pl.col("taxon") == ALONE) & (number > 0)
    return table.with_columns(pl.when(never).then(0.0).otherwise(pl.col("value")).alias("value"))


def test_a_taxon_never_seen_and_one_of_one_cell_are_told_and_the_others_mapped(tmp_path: Path) -> None:
    folders = run_predict(read_recipe(write_recipe(tmp_path, three_taxa())))
    assert [folder.name for folder in folders] == [GOOD, EMPTY, ALONE]
    out = tmp_path / "out" / "maps"
    assert (out / GOOD / "map.nc").is_file()
    assert "skipped" not in told_of(out, GOOD)
    assert str(told_of(out, EMPTY)["skipped"]).startswith("0 of 119 places have a value above zero, 20 are needed")
    assert str(told_of(out, ALONE)["skipped"]).startswith("1 of 119 places")
    for taxon in (EMPTY, ALONE):
        assert not (out / taxon / "map.nc").exists()


def test_all_zeros_and_one_cell_are_refused_by_name() -> None:
    problem = small_problem(80)
    for y in (np.zeros(80), np.eye(80)[0]):
        bad = Problem(problem.x, PREDICTORS, y, problem.latitude, problem.longitude, name="Doliolida 0-200 m")
        for ask in (fit, cross_validate):
            with pytest.raises(ConfigError, match=r"[01] of 80 places .* 20 are needed") as caught:
                ask(bad, QUICK)
            assert caught.value.where == "Doliolida 0-200 m"
            assert "larger group" in str(caught.value.do)


def test_swapped_coordinates_stop_a_taxon_in_words(tmp_path: Path) -> None:
    table = small_table((GOOD,)).rename({"latitude": "longitude", "longitude": "latitude"})
    (folder,) = run_cv(read_recipe(write_recipe(tmp_path, table)))
    assert "beyond the poles" in str(told_of(folder.parent, GOOD)["skipped"])
    assert not (folder / "scores.csv").exists()


def test_depths_with_the_wrong_sign_stop_everything(tmp_path: Path) -> None:
    table = small_table((GOOD,)).with_columns(layer_min_m=pl.lit(-200.0), layer_max_m=pl.lit(-0.0))
    with pytest.raises(ConfigError, match="positive downwards"):
        run_cv(read_recipe(write_recipe(tmp_path, table)))
    assert not (tmp_path / "out").exists()


def test_a_predictor_that_the_cube_has_not_is_named(tmp_path: Path) -> None:
    recipe = read_recipe(write_recipe(tmp_path, more="variables: [temperature_c, nitrat_umol_kg]"))
    with pytest.raises(UnknownNameError, match="nitrate_umol_kg"):
        run_cv(recipe)


def test_places_at_both_poles_and_on_both_sides_of_the_date_line_are_mapped() -> None:
    problem = small_problem(120)
    latitude, longitude = problem.latitude.copy(), problem.longitude.copy()
    latitude[:4], longitude[:4] = (90, 90, -90, -90), (0, 135, -180, 180)
    longitude[4:8] = (180, -180, 179.999, 360)
    x = environment(latitude, longitude)
    fitted = fit(Problem(x, PREDICTORS, problem.y, latitude, longitude), QUICK)
    asked = np.array([90.0, 90.0, -90.0, 5.0, 5.0]), np.array([0.0, 77.0, 33.0, 180.0, -180.0])
    said = fitted.predict(environment(*asked), *asked)
    assert np.isfinite(said.mean).all()
    assert said.distance_km[:3] == pytest.approx(0, abs=1e-3)
    assert said.distance_km[3] == pytest.approx(said.distance_km[4], abs=1e-3)


def test_the_date_line_is_one_cell_on_the_grid() -> None:
    rows = {
        "sample_id": ["west", "east"],
        "time_utc": ["2020-01-01", "2020-01-02"],
        "latitude": [10.2, 10.2],
        "longitude": [-180.0, 180.0],
        "taxon": [GOOD, GOOD],
        "depth_min_m": [0.0, 0.0],
        "depth_max_m": [100.0, 100.0],
        "volume_l": [100.0, 300.0],
        "abundance_m3": [40.0, 0.0],
    }
    table = pl.DataFrame(rows).with_columns(pl.col("time_utc").str.to_datetime(time_zone="UTC"))
    found, _ = observations(table, "abundance_m3", layers=[(0.0, 200.0)])
    assert found.select("longitude", "value", "n_samples").rows() == [(-179.5, 10.0, 2)]
