from dataclasses import replace

import numpy as np
import pytest

from aqqua.maps.interpolate import cross_validate
from aqqua.maps.interpolate.cross import make_folds
from aqqua.maps.interpolate.folds import left_out_km
from aqqua.maps.interpolate.sphere import even_places, unit_vectors
from tests.make.oceans import QUICK, places, small_problem

PROBLEM = small_problem()
ALL = replace(QUICK, schemes=("random", "blocks10", "blocks30", "knndm"))
REPORT = cross_validate(PROBLEM, ALL, places=even_places(1500))


def test_four_ways_side_by_side_with_baselines() -> None:
    assert list(REPORT.schemes) == list(ALL.schemes)
    for scheme in REPORT.schemes.values():
        assert list(scheme.predictions) == ["stack", "rf_log", "gam_log", "knn_geo", "mean"]
        assert set(scheme.scores) == {*scheme.predictions, "median"}
        assert len(set(scheme.folds.tolist())) >= 2
        assert scheme.coverage + scheme.below + scheme.above == pytest.approx(1)
        assert sum(scheme.weights.values()) == pytest.approx(1)
        for values in (*scheme.predictions.values(), scheme.median, scheme.q95, scheme.dissimilarity):
            assert np.isfinite(values).all()


def test_distances_are_those_to_what_was_trained_with() -> None:
    points = unit_vectors(PROBLEM.latitude, PROBLEM.longitude)
    for scheme in REPORT.schemes.values():
        assert np.allclose(scheme.nearest_km, left_out_km(points, scheme.folds))


@pytest.mark.parametrize("scheme", ["random", "blocks30"])
def test_what_is_tested_is_never_seen(scheme: str) -> None:
    """Other values in one fold change nothing that is predicted there: no stack, calibration or interval saw them."""
    folds = make_folds(PROBLEM, replace(QUICK, schemes=(scheme,)))
    test = folds.schemes[scheme][0] == 0
    step_kept = np.where(test, np.random.default_rng(0).permutation(PROBLEM.y) * 7, PROBLEM.y)
    other = cross_validate(replace(PROBLEM, y=step_kept), QUICK, folds=folds).schemes[scheme]
    same = cross_validate(PROBLEM, QUICK, folds=folds).schemes[scheme]
    for name in same.predictions:
        assert np.array_equal(same.predictions[name][test], other.predictions[name][test])
    for name in ("median", "q05", "q95"):
        assert np.array_equal(getattr(same, name)[test], getattr(other, name)[test])
    assert not np.array_equal(same.predictions["stack"][~test], other.predictions["stack"][~test])


def test_noise_has_no_skill() -> None:
    noise = replace(PROBLEM, y=np.random.default_rng(0).permutation(PROBLEM.y))
    found = cross_validate(noise, QUICK).schemes["blocks10"].scores["stack"]
    assert abs(found.spearman) < 0.25
    assert found.r2 < 0.05


def test_repeats_are_averaged_and_the_first_is_shown() -> None:
    once = cross_validate(PROBLEM, QUICK).schemes["blocks10"]
    twice = cross_validate(PROBLEM, replace(QUICK, repeats=2)).schemes["blocks10"]
    assert np.array_equal(once.folds, twice.folds)
    assert twice.scores["stack"].rmse != once.scores["stack"].rmse


def test_a_scheme_that_places_do_not_allow_is_told() -> None:
    rng = np.random.default_rng(0)
    near = replace(PROBLEM, latitude=rng.uniform(31, 39, 160), longitude=rng.uniform(0.5, 7, 160))
    report = cross_validate(near, replace(QUICK, schemes=("random", "blocks30")))
    assert list(report.schemes) == ["random"]
    assert report.left_out == {"blocks30": "all places lie in one block of 30°"}


def test_tables() -> None:
    table = REPORT.table()
    assert table.height == 4 * 6
    assert table.filter(table["learner"] == "stack")["coverage"].null_count() == 0
    held = REPORT.out_of_fold()
    assert held.height == 4 * len(PROBLEM)
    assert {"scheme", "fold", "latitude", "observed", "stack", "mean", "median", "q05"} <= set(held.columns)


def test_months_at_one_place_do_not_leak_between_blocks() -> None:
    latitude, longitude = places(40, 3)
    many = replace(PROBLEM, latitude=np.tile(latitude, 4), longitude=np.tile(longitude, 4))
    folds = make_folds(many, QUICK).schemes["blocks10"][0].reshape(4, 40)
    assert (folds == folds[0]).all()
