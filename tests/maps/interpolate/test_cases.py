from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from aqqua.errors import ConfigError, UnknownNameError
from aqqua.maps.cube import at
from aqqua.maps.interpolate import Recipe, read_recipe
from aqqua.maps.interpolate.cases import case_of, file_name, layers_of, predictors_of, read_observations, taxa_of
from tests.make.oceans import PREDICTORS, small_cube, small_table, write_recipe

CUBE = small_cube()
LAYER = (0.0, 200.0)


def recipe(tmp_path: Path, table: pl.DataFrame) -> Recipe:
    return read_recipe(write_recipe(tmp_path, table))


def test_observations_get_the_environment_of_their_cell(tmp_path: Path) -> None:
    table = small_table()
    case = case_of(recipe(tmp_path, table), table, CUBE, "Copepoda", LAYER)
    there = at(CUBE, case.problem.latitude, case.problem.longitude, LAYER)
    for column, name in enumerate(PREDICTORS):
        assert np.array_equal(case.problem.x[:, column], there[name], equal_nan=True)
    assert (case.problem.unit, case.problem.name, case.months) == ("mg m-3", "Copepoda, 0-200 m", None)


def test_what_cannot_be_used_is_counted(tmp_path: Path) -> None:
    table = small_table(("Copepoda",))
    bad = table.head(5).with_columns(value=pl.Series([None, -1.0, float("nan"), 1.0, 1.0]))
    inland = bad.tail(2).with_columns(longitude=pl.lit(40.0), latitude=pl.lit(10.0))
    case = case_of(recipe(tmp_path, table), pl.concat([table, bad.head(3), inland]), CUBE, "Copepoda", LAYER)
    whole = case_of(recipe(tmp_path, table), table, CUBE, "Copepoda", LAYER)
    assert case.left_out["value missing or negative"] == 3
    land = "no environment there (on land, or off the grid)"
    assert case.left_out[land] == whole.left_out[land] + 2
    assert len(case.problem) == len(whole.problem)


def test_swapped_coordinates(tmp_path: Path) -> None:
    table = small_table()
    swapped = table.rename({"latitude": "longitude", "longitude": "latitude"})
    with pytest.raises(ConfigError, match="may be swapped"):
        case_of(recipe(tmp_path, table), swapped, CUBE, "Copepoda", LAYER)


def test_most_places_on_land(tmp_path: Path) -> None:
    table = small_table()
    inland = table.with_columns(longitude=pl.lit(40.0))
    with pytest.raises(ConfigError, match="120 of 120"):
        case_of(recipe(tmp_path, table), inland, CUBE, "Copepoda", LAYER)


def test_depths_upside_down(tmp_path: Path) -> None:
    table = small_table().with_columns(layer_min_m=pl.lit(-200.0), layer_max_m=pl.lit(0.0))
    with pytest.raises(ConfigError, match="positive downwards"):
        read_observations(recipe(tmp_path, table))


def test_a_missing_column(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no column value"):
        read_observations(recipe(tmp_path, small_table().drop("value")))


def test_names_that_are_not_there(tmp_path: Path) -> None:
    table = small_table()
    plain = recipe(tmp_path, table)
    with pytest.raises(UnknownNameError, match="Copepoda"):
        taxa_of(replace(plain, taxa=("Copepodda",)), table)
    with pytest.raises(UnknownNameError, match="bathymetry_m"):
        predictors_of(replace(plain, variables=("bathymetry",)), CUBE)
    with pytest.raises(ConfigError, match="no observations of the layer 0-100 m"):
        layers_of(replace(plain, layers=((0.0, 100.0),)), table)
    deep = table.with_columns(layer_max_m=pl.lit(500.0))
    with pytest.raises(ConfigError, match="the cube has no layer"):
        case_of(plain, deep, CUBE, "Copepoda", (0.0, 500.0))


def test_all_that_is_there_if_nothing_is_said(tmp_path: Path) -> None:
    table = small_table()
    plain = recipe(tmp_path, table)
    assert taxa_of(plain, table) == ["Chaetognatha", "Copepoda"]
    assert layers_of(plain, table) == [LAYER]
    assert predictors_of(plain, CUBE) == PREDICTORS


def test_weights_from_a_column(tmp_path: Path) -> None:
    table = small_table()
    weighted = replace(recipe(tmp_path, table), weight="n_samples")
    case = case_of(weighted, table, CUBE, "Copepoda", LAYER)
    assert case.problem.weight is not None
    assert set(case.problem.weight.tolist()) == {2.0}


@pytest.mark.parametrize(
    ("taxon", "name"),
    [("Copepoda", "Copepoda"), ("../../etc", "etc"), ("a/b c", "a_b_c"), ("…", "taxon"), (".hidden", "hidden")],
)
def test_file_names_stay_in_their_folder(taxon: str, name: str) -> None:
    assert file_name(taxon) == name
