from dataclasses import replace

import numpy as np
import pytest

from aqqua.errors import ConfigError
from aqqua.maps.interpolate.scores import score
from aqqua.maps.interpolate.stack import PLACE, check_enough, combine, fit_stack
from tests.make.oceans import QUICK, small_problem

PROBLEM = small_problem()
FOLDS = np.arange(len(PROBLEM)) % 3
STACK = fit_stack(PROBLEM, QUICK, FOLDS, 0)


def test_weights_sum_to_one_and_none_is_left_out() -> None:
    assert sum(STACK.weights.values()) == pytest.approx(1)
    assert min(STACK.weights.values()) >= 0.25 - 1e-12


def test_the_stack_is_no_worse_than_its_worst_and_sums_are_right() -> None:
    expected = STACK.calibration(STACK.out_of_fold)
    assert expected.sum() == pytest.approx(PROBLEM.y.sum())
    assert score(PROBLEM.y, STACK.out_of_fold).r2_log > 0.05


def test_what_is_predicted_hangs_together() -> None:
    said = STACK.predict(PROBLEM.x, PROBLEM.latitude, PROBLEM.longitude)
    assert (said.q05 <= said.typical).all()
    assert (said.typical <= said.q95).all()
    assert (said.mean >= 0).all()
    assert set(said.learners) == set(QUICK.learners)
    inside = np.mean((said.q05 <= PROBLEM.y) & (PROBLEM.y <= said.q95))
    assert inside > 0.85


def test_what_decides_is_important() -> None:
    y = np.exp(PROBLEM.x[:, 2] / 800 - 3)
    found = fit_stack(replace(PROBLEM, y=y), QUICK, FOLDS, 0, importance=True).importance
    assert set(found) == {*PROBLEM.predictors, PLACE}
    assert found["bathymetry_m"] == max(found.values())
    assert found["bathymetry_m"] > 0.4


def test_logarithms_are_averaged() -> None:
    single = {"a": np.array([1.0]), "b": np.array([4.0])}
    assert combine(single, {"a": 0.5, "b": 0.5}, 1e-9)[0] == pytest.approx(2.0)


def test_a_fold_that_holds_every_occurrence_is_survived() -> None:
    y = np.where(FOLDS == 0, PROBLEM.y, 0.0)
    found = fit_stack(replace(PROBLEM, y=y), QUICK, FOLDS, 0)
    assert np.isfinite(found.out_of_fold).all()


@pytest.mark.parametrize("above", [0, 1, 19])
def test_too_few_occurrences_are_told(above: int) -> None:
    y = np.zeros(len(PROBLEM))
    y[:above] = 1.0
    with pytest.raises(ConfigError, match=f"{above} of 160 places have a value above zero, 20 are needed"):
        check_enough(replace(PROBLEM, y=y), QUICK)
