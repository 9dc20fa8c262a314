import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from aqqua.errors import ConfigError
from aqqua.maps.cube import at, cell_area_m2
from aqqua.maps.interpolate import Problem, Settings, cross_validate, fit, predict, read_recipe
from aqqua.maps.interpolate.run import run_cv, run_fit, run_predict
from aqqua.maps.output import read_maps
from tests.make.oceans import QUICK, STEP, small_cube, small_problem, small_table, write_recipe


def test_a_map_of_every_cell() -> None:
    cube = small_cube()
    problem = small_problem()
    piece = predict(fit(problem, QUICK), cube, (0.0, 200.0))
    land = np.isnan(cube["temperature_c"].values[0])
    assert piece["mean"].shape == land.shape
    assert np.array_equal(np.isnan(piece["mean"].values), land)
    assert int(piece["n_obs"].sum()) == len(problem)
    area = cell_area_m2(cube["latitude"].values, STEP)[:, None] * np.ones(land.shape)
    expected = np.nansum(piece["mean"].values * area) * 200
    assert json.loads(piece.attrs["totals"])["all"]["value"] == pytest.approx(expected)


def test_many_taxa_are_mapped_and_told(tmp_path: Path) -> None:
    table = small_table(("Copepoda", "Chaetognatha", "Rare"))
    table = table.with_columns(value=pl.when(pl.col("taxon") == "Rare").then(0.0).otherwise(pl.col("value")))
    recipe = read_recipe(write_recipe(tmp_path, table))
    folders = run_predict(recipe)
    assert [folder.name for folder in folders] == ["Chaetognatha", "Copepoda", "Rare"]
    assert len(list((recipe.out / "shared").iterdir())) == 1
    maps = read_maps(folders[1] / "map.nc")
    assert maps["taxon_name"].values.tolist() == ["Copepoda"]
    assert "rf_log" in maps.attrs["recipe"]
    totals = pl.read_csv(folders[1] / "totals.csv")
    assert totals["where"].to_list() == ["all", "inside", "outside"]
    assert (totals["low"] <= totals["value"]).all()
    whole, *parts = totals["value"].to_list()
    assert sum(parts) == pytest.approx(whole)
    told = json.loads((folders[2] / "summary.json").read_text("utf-8"))
    assert "0 of" in told[0]["skipped"]
    assert not (folders[2] / "map.nc").exists()


def test_what_is_done_stays_done_and_another_recipe_is_refused(tmp_path: Path) -> None:
    path = write_recipe(tmp_path, small_table(("Copepoda",)))
    (done,) = run_fit(read_recipe(path))
    before = done.stat().st_mtime_ns
    assert run_fit(read_recipe(path)) == [done]
    assert done.stat().st_mtime_ns == before
    told = json.loads(done.read_text("utf-8"))[0]
    assert sum(told["weights"].values()) == pytest.approx(1)
    assert set(told["importance"]) == {"temperature_c", "nitrate_umol_kg", "bathymetry_m", "place"}
    path.write_text(path.read_text("utf-8").replace("trees: 12", "trees: 13"), "utf-8")
    with pytest.raises(ConfigError, match="results of another recipe"):
        run_fit(read_recipe(path))


@pytest.mark.slow
def test_cross_validation_of_a_recipe_is_the_same_in_a_pool(tmp_path: Path) -> None:
    tables = []
    for where in ("here", "pool"):
        folder = tmp_path / where
        folder.mkdir()
        found = run_cv(read_recipe(write_recipe(folder)), where=where, workers=2)
        tables.append([pl.read_csv(one / "scores.csv", infer_schema_length=None) for one in found])
        assert pl.read_parquet(found[0] / "out_of_fold.parquet")["stack"].is_finite().all()
    for here, pool in zip(*tables, strict=True):
        assert here.equals(pool)


@pytest.mark.slow
def test_real_copepods_are_found_in_blocks_they_were_not_sampled_in(shared_data: Path) -> None:
    """Drago et al. 2022, 0-200 m, with fewer trees and folds than the defaults."""
    from aqqua.maps.drago2022 import PREDICTORS, read_drago2022

    table, cube = read_drago2022(shared_data / "interpolation" / "uvp5_drago2022" / "derived")
    rows = table.filter((pl.col("taxon") == "Copepoda") & (pl.col("layer_max_m") == 200))
    places = rows["latitude"].to_numpy(), rows["longitude"].to_numpy()
    found = at(cube, *places, 0, None, tuple(PREDICTORS))
    x = np.stack([found[name] for name in PREDICTORS], axis=1)
    problem = Problem(x, tuple(PREDICTORS), rows["value"].to_numpy(), *places)
    settings = Settings(learners=("et_log", "gp_log"), trees=40, inner_folds=6, schemes=("blocks10",))
    scheme = cross_validate(problem, settings).schemes["blocks10"]
    assert scheme.scores["stack"].pearson2_log > 0.40
    assert scheme.scores["stack"].pearson2_log > scheme.scores["knn_geo"].pearson2_log + 0.05
    assert scheme.scores["median"].r2_log > 0.40
    assert scheme.scores["stack"].total_ratio == pytest.approx(1, abs=0.15)
    assert scheme.coverage == pytest.approx(0.9, abs=0.04)


def test_two_taxa_with_one_file_name(tmp_path: Path) -> None:
    recipe = read_recipe(write_recipe(tmp_path, small_table(("A b", "A_b"))))
    with pytest.raises(ConfigError, match="same file name"):
        run_fit(recipe)


@pytest.mark.slow
def test_months_make_a_map_each(tmp_path: Path) -> None:
    import xarray as xr

    from aqqua.maps.cube import write_cube

    table = small_table(("Copepoda",)).with_columns(month=pl.Series([1, 7] * 60))
    path = write_recipe(tmp_path, table)
    cube = small_cube()
    warm = cube["temperature_c"]
    cube["temperature_c"] = xr.concat([warm, warm + 3], dim="month").assign_coords(month=("month", [1, 7]))
    write_cube(cube, tmp_path / "environment.nc")
    (folder,) = run_predict(read_recipe(path))
    maps = read_maps(folder / "map.nc")
    assert maps["month"].values.tolist() == [1, 7]
    january, july = (maps["mean"].isel(taxon=0, layer=0, month=number).values for number in (0, 1))
    assert np.nanmax(np.abs(january - july)) > 0
    assert pl.read_csv(folder / "totals.csv")["month"].unique().sort().to_list() == [1, 7]


@pytest.mark.slow
def test_a_flux_is_summed_over_area_only(tmp_path: Path) -> None:
    path = write_recipe(tmp_path, small_table(("Flux",)).with_columns(unit=pl.lit("mg m-2 d-1")))
    (folder,) = run_predict(read_recipe(path))
    totals = pl.read_csv(folder / "totals.csv")
    mean = np.nanmean(read_maps(folder / "map.nc")["mean"].values)
    assert totals["unit"][0] == "mg m-2 d-1 m2"
    assert totals["value"][0] == pytest.approx(mean * totals["area_km2"][0] * 1e6, rel=0.5)
