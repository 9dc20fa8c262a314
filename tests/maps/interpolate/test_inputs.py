import numpy as np
import pytest

from aqqua.errors import ConfigError
from aqqua.maps.interpolate.inputs import Preparer

RNG = np.random.default_rng(0)
X = RNG.normal(0, 1, (200, 3))
X[:, 2] = 5 * X[:, 0] + 0.1 * X[:, 2]
NAMES = ("a", "b", "c")


def test_gaps_are_filled_by_alike_places() -> None:
    holes = np.array([[1.0, 0.0, np.nan], [-1.0, 0.0, np.nan]])
    filled = Preparer(X, NAMES).fill(holes)
    assert filled[0, 2] == pytest.approx(5, abs=1.5)
    assert filled[1, 2] == pytest.approx(-5, abs=1.5)
    assert np.isnan(holes).any()
    assert np.array_equal(filled[:, :2], holes[:, :2])


def test_gaps_of_sampled_places_themselves_are_filled() -> None:
    x = X.copy()
    x[::4, 1] = np.nan
    filled = Preparer(x, NAMES).fill(x)
    assert np.isfinite(filled).all()
    assert np.array_equal(filled[1::4], x[1::4])


def test_where_nothing_is_known_means_are_taken() -> None:
    assert Preparer(X, NAMES).fill(np.full((1, 3), np.nan))[0] == pytest.approx(X.mean(axis=0))


def test_a_predictor_that_is_missing_everywhere_is_named() -> None:
    x = X.copy()
    x[:, 1] = np.nan
    with pytest.raises(ConfigError, match="predictor b is missing at all places"):
        Preparer(x, NAMES)


def test_ranks_are_normal_and_level_beyond_the_data() -> None:
    x = np.exp(X[:, :2])
    prepared = Preparer(x, NAMES[:2])
    inside = prepared.inputs(x, np.zeros(200), np.zeros(200)).x
    assert inside.mean() == pytest.approx(0, abs=0.05)
    assert inside.std() == pytest.approx(1, abs=0.1)
    beyond = prepared.inputs(np.array([[1e9] * 2, [1e12] * 2, [-1.0] * 2]), np.zeros(3), np.zeros(3)).x
    assert np.array_equal(beyond[0], beyond[1])
    assert beyond[0] == pytest.approx(inside.max(axis=0), abs=0.1)
    assert (beyond[2] < -2).all()


def test_a_constant_predictor_is_no_trouble() -> None:
    x = np.column_stack([X[:, 0], np.ones(200)])
    found = Preparer(x, ("a", "b")).inputs(x, np.zeros(200), np.zeros(200)).x
    assert np.isfinite(found).all()
    assert np.ptp(found[:, 1]) == 0
