import numpy as np
import pytest

from aqqua.maps.interpolate.applicability import fit_applicability
from aqqua.maps.interpolate.inputs import Preparer
from tests.make.oceans import environment, small_problem

PROBLEM = small_problem()
FOLDS = np.arange(len(PROBLEM)) % 4
FOUND = fit_applicability(PROBLEM, Preparer(PROBLEM.x, PROBLEM.predictors), FOLDS)


def test_sampled_environments_are_not_dissimilar() -> None:
    assert FOUND.dissimilarity(PROBLEM.x) == pytest.approx(np.zeros(len(PROBLEM)), abs=1e-12)


def test_the_index_is_that_of_meyer_and_pebesma() -> None:
    scaled = (PROBLEM.x - PROBLEM.x.mean(axis=0)) / PROBLEM.x.std(axis=0)
    pairs = np.linalg.norm(scaled[:, None] - scaled[None], axis=2)
    mean = pairs[np.triu_indices(len(scaled), 1)].mean()
    new = environment(np.array([44.0]), np.array([100.0]))
    nearest = np.linalg.norm((new - PROBLEM.x.mean(axis=0)) / PROBLEM.x.std(axis=0) - scaled, axis=1).min()
    assert FOUND.dissimilarity(new)[0] == pytest.approx(nearest / mean)
    others = np.where(FOLDS[:, None] == FOLDS[None], np.inf, pairs).min(axis=1) / mean
    low, high = np.quantile(others, [0.25, 0.75])
    assert FOUND.threshold == pytest.approx(others[others <= high + 1.5 * (high - low)].max())


def test_what_was_never_seen_lies_outside() -> None:
    strange = PROBLEM.x[:1] + 10 * PROBLEM.x.std(axis=0)
    assert FOUND.dissimilarity(strange)[0] > FOUND.threshold


def test_distances_cross_the_date_line() -> None:
    latitude, longitude = PROBLEM.latitude[:1], PROBLEM.longitude[:1]
    assert FOUND.distance_km(latitude, longitude + 360)[0] == pytest.approx(0, abs=1e-3)
