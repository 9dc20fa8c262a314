from dataclasses import replace
from pathlib import Path

import numpy as np

from aqqua.maps.cube import cells
from aqqua.maps.interpolate import cross_validate, fit
from aqqua.maps.interpolate.shared import share
from tests.make.oceans import PREDICTORS, QUICK, small_cube, small_problem

PROBLEM = small_problem()


def test_what_is_shared_is_what_each_would_compute(tmp_path: Path) -> None:
    latitude, longitude, x = cells(small_cube(), PREDICTORS)
    first = share(PROBLEM, QUICK, x, latitude, longitude, tmp_path)
    other = replace(PROBLEM, y=PROBLEM.y[::-1].copy())
    again = share(other, QUICK, x, latitude, longitude, tmp_path)
    assert len(list(tmp_path.iterdir())) == 1
    fitted = fit(other, QUICK)
    alone, shared = fitted.predict(x, latitude, longitude), fitted.predict_cells(again.cells)
    for name in ("mean", "q95", "dissimilarity", "distance_km", "aoa", "sd_sampling"):
        assert np.array_equal(getattr(alone, name), getattr(shared, name), equal_nan=name != "aoa")
    assert np.array_equal(first.folds.schemes["blocks10"][0], again.folds.schemes["blocks10"][0])
    places = first.cells.inputs.latitude, first.cells.inputs.longitude
    with_folds, without = cross_validate(other, QUICK, folds=again.folds), cross_validate(other, QUICK, places=places)
    assert with_folds.schemes["blocks10"].scores == without.schemes["blocks10"].scores


def test_other_places_or_settings_share_nothing(tmp_path: Path) -> None:
    latitude, longitude, x = cells(small_cube(), PREDICTORS)
    for problem, settings in (
        (PROBLEM, QUICK),
        (PROBLEM.take(slice(1, None)), QUICK),
        (PROBLEM, replace(QUICK, seed=1)),
    ):
        share(problem, settings, x, latitude, longitude, tmp_path)
    assert len(list(tmp_path.iterdir())) == 3
