from dataclasses import replace

import numpy as np
import pytest

from aqqua.errors import ConfigError
from aqqua.maps.interpolate import Settings, fit
from tests.make.oceans import QUICK, environment, small_problem, truth

PROBLEM = small_problem()
FITTED = fit(PROBLEM, QUICK)
LATITUDE, LONGITUDE = np.linspace(-60, 70, 80), np.linspace(-179, 10, 80)
X = environment(LATITUDE, LONGITUDE)


def test_the_map_follows_the_truth() -> None:
    said = FITTED.predict(X, LATITUDE, LONGITUDE)
    assert np.corrcoef(np.log(said.mean), np.log(truth(LATITUDE, LONGITUDE)))[0, 1] > 0.7
    assert said.mean.mean() == pytest.approx(truth(LATITUDE, LONGITUDE).mean() * 0.85, rel=0.35)
    for spread in (said.sd_sampling, said.sd_model):
        assert (spread > 0).all()
    assert said.replicates.shape == (3, 80)
    assert set(said.learners) == set(QUICK.learners)
    assert said.aoa.any()


def test_the_same_seed_is_the_same_map_and_another_is_not() -> None:
    first, again = (fit(PROBLEM, QUICK).predict(X, LATITUDE, LONGITUDE) for _ in range(2))
    for name in ("mean", "q05", "q95", "sd_sampling", "dissimilarity"):
        assert np.array_equal(getattr(first, name), getattr(again, name))
    other = fit(PROBLEM, replace(QUICK, seed=1)).predict(X, LATITUDE, LONGITUDE)
    assert not np.array_equal(first.mean, other.mean)


def test_land_is_nothing_and_a_gap_is_filled() -> None:
    x = X.copy()
    x[0] = np.nan
    x[1, 0] = np.nan
    said = FITTED.predict(x, LATITUDE, LONGITUDE)
    whole = FITTED.predict(X, LATITUDE, LONGITUDE)
    assert np.isnan([said.mean[0], said.q95[0], said.distance_km[0], said.dissimilarity[0]]).all()
    assert not said.aoa[0]
    assert np.isfinite(said.mean[1])
    assert np.array_equal(said.mean[2:], whole.mean[2:])


def test_the_map_has_no_seam_at_the_date_line_nor_at_the_pole() -> None:
    latitude, longitude = np.array([40.0, 40.0, 89.9, 89.9]), np.array([180.0, -180.0, 0.0, 170.0])
    said = FITTED.predict(np.repeat(X[:1], 4, axis=0), latitude, longitude)
    assert said.mean[0] == pytest.approx(said.mean[1])
    assert said.mean[2] == pytest.approx(said.mean[3], rel=0.05)
    assert said.distance_km[0] == pytest.approx(said.distance_km[1])


def test_mean_alone_is_the_same() -> None:
    assert np.array_equal(FITTED.mean(X, LATITUDE, LONGITUDE), FITTED.predict(X, LATITUDE, LONGITUDE).mean)


def test_learners_of_all_kinds_can_be_bootstrapped() -> None:
    settings = Settings(trees=12, replicates=2, inner_folds=2)
    said = fit(PROBLEM, settings).predict(X, LATITUDE, LONGITUDE)
    assert set(said.learners) == set(settings.learners)
    assert np.isfinite(said.sd_sampling).all()


def test_without_replicates_there_is_no_spread_of_sampling() -> None:
    said = fit(PROBLEM, replace(QUICK, replicates=0)).predict(X, LATITUDE, LONGITUDE)
    assert said.replicates.shape == (0, 80)
    assert np.isnan(said.sd_sampling).all()


def test_a_taxon_of_one_block_is_bootstrapped_to_nothing_at_times() -> None:
    first = (np.abs(PROBLEM.latitude - PROBLEM.latitude[0]) < 5) & (PROBLEM.y > 0)
    y = np.where(first, PROBLEM.y, 0.0)
    settings = replace(QUICK, minimum=int(first.sum()), replicates=12)
    said = fit(replace(PROBLEM, y=y), settings).predict(X, LATITUDE, LONGITUDE)
    assert np.isfinite(said.replicates).all()


def test_all_zeros_are_refused() -> None:
    with pytest.raises(ConfigError, match="0 of 160 places have a value above zero"):
        fit(replace(PROBLEM, y=np.zeros(160)), QUICK)


def test_a_weighted_fit() -> None:
    weight = np.linspace(1, 9, len(PROBLEM))
    said = fit(replace(PROBLEM, weight=weight), QUICK).predict(X, LATITUDE, LONGITUDE)
    assert not np.array_equal(said.mean, FITTED.predict(X, LATITUDE, LONGITUDE).mean)
