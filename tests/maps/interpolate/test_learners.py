import numpy as np
import pytest

from aqqua.errors import UnknownNameError
from aqqua.maps.interpolate.inputs import Preparer
from aqqua.maps.interpolate.learners import BASELINES, LEARNERS, Inputs, known_learners, make_learner
from aqqua.maps.interpolate.scores import log_step, score
from tests.make.oceans import small_problem

PROBLEM = small_problem(240)
TRAIN = np.arange(240) % 3 > 0


def inputs() -> Inputs:
    prepared = Preparer(PROBLEM.x[TRAIN], PROBLEM.predictors)
    return prepared.inputs(PROBLEM.x, PROBLEM.latitude, PROBLEM.longitude)


@pytest.mark.parametrize("name", sorted(LEARNERS))
def test_every_learner_learns_and_says_the_same_again(name: str) -> None:
    seen, step = inputs(), log_step(PROBLEM.y)
    said = []
    for _ in range(2):
        learner = make_learner(name, step, 30, 7).fit(seen.take(TRAIN), PROBLEM.y[TRAIN], None)
        said.append(learner.predict(seen.take(~TRAIN)))
    assert np.array_equal(said[0], said[1])
    assert (said[0] >= 0).all()
    rank = score(PROBLEM.y[~TRAIN], said[0]).spearman
    assert rank == 0 if name == "mean" else rank > 0.3


@pytest.mark.parametrize("name", sorted(set(LEARNERS) - {"knn_geo"}))
def test_weights_count(name: str) -> None:
    seen, step = inputs(), log_step(PROBLEM.y)
    heavy = np.where(PROBLEM.y > np.median(PROBLEM.y), 50.0, 1.0)
    light, loaded = (
        make_learner(name, step, 20, 7).fit(seen, PROBLEM.y, weight).predict(seen).mean() for weight in (None, heavy)
    )
    assert loaded > 1.02 * light


@pytest.mark.parametrize("name", sorted(LEARNERS))
def test_units_do_not_matter(name: str) -> None:
    seen, step = inputs(), log_step(PROBLEM.y)
    one = make_learner(name, step, 15, 7).fit(seen, PROBLEM.y, None).predict(seen)
    thousand = make_learner(name, 1000 * step, 15, 7).fit(seen, 1000 * PROBLEM.y, None).predict(seen)
    assert np.allclose(thousand, 1000 * one, rtol=0.02)


def test_the_nearest_places_are_found_across_the_date_line() -> None:
    seen = Inputs(np.zeros((4, 1)), np.zeros(4), np.array([179.0, 178.0, -178.0, 0.0]))
    learner = make_learner("knn_geo", 1.0, 0, 0).fit(seen, np.array([1.0, 2.0, 3.0, 100.0]), None)
    assert learner.predict(Inputs(np.zeros((1, 1)), np.zeros(1), np.array([-179.9]))) == pytest.approx(2.0)


def test_names() -> None:
    assert set(BASELINES) < set(known_learners())
    with pytest.raises(UnknownNameError, match="rf_log"):
        make_learner("rf_logs", 1.0, 10, 0)
