import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor

from aqqua.maps.interpolate.quantiles import LeafQuantiles, conformal_correction, widen


def forest(seed: int = 0, n: int = 300) -> tuple[RandomForestRegressor, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.uniform(0, 1, (n, 2))
    y = np.exp(2 * x[:, 0]) * rng.lognormal(0, 0.3, n)
    return RandomForestRegressor(25, min_samples_leaf=5, random_state=0).fit(x, y), x, y


def slow_quantile(trees: RandomForestRegressor, x: np.ndarray, y: np.ndarray, new: np.ndarray, level: float) -> float:
    """The definition of Meinshausen 2006, word by word."""
    weight = np.zeros(len(y))
    for tree in trees.estimators_:
        same = tree.apply(x) == tree.apply(new[None])[0]
        weight += same / same.sum()
    order = np.argsort(y)
    cumulated = np.cumsum(weight[order]) / len(trees.estimators_)
    return float(y[order][np.searchsorted(cumulated, level - 1e-9)])


def test_quantiles_are_those_of_the_definition() -> None:
    trees, x, y = forest()
    new = np.random.default_rng(1).uniform(0, 1, (20, 2))
    found = LeafQuantiles(trees, x, y)(new, (0.05, 0.5, 0.95))
    for row, place in zip(found, new, strict=True):
        assert row.tolist() == [slow_quantile(trees, x, y, place, level) for level in (0.05, 0.5, 0.95)]


def test_weights_count() -> None:
    trees, x, y = forest()
    heavy = np.where(y > np.median(y), 100.0, 1.0)
    plain, weighted = (LeafQuantiles(trees, x, y, weight)(x, (0.5,)) for weight in (None, heavy))
    assert weighted.mean() > plain.mean()


def test_conformal_intervals_cover_what_they_promise() -> None:
    rng = np.random.default_rng(0)
    y = rng.lognormal(0, 1, 4000)
    low, high = np.full(4000, 0.8), np.full(4000, 1.2)  # far too narrow
    correction = conformal_correction(y[:2000], low[:2000], high[:2000], 0.01)
    bottom, top = widen(low[2000:], high[2000:], 0.01, correction)
    assert np.mean((bottom <= y[2000:]) & (y[2000:] <= top)) == pytest.approx(0.9, abs=0.025)


def test_intervals_that_are_too_wide_are_narrowed() -> None:
    y = np.random.default_rng(0).lognormal(0, 0.1, 1000)
    assert conformal_correction(y, np.full(1000, 0.01), np.full(1000, 100.0), 0.01) < 0


def test_zero_has_no_lower_end_to_miss() -> None:
    y = np.where(np.arange(1000) < 600, 0.0, np.linspace(0.1, 1, 1000))
    low, high = np.zeros(1000), np.full(1000, 10.0)
    correction = conformal_correction(y, low, high, 0.01)
    bottom, top = widen(low, high, 0.01, correction)
    assert (bottom == 0).all()
    assert np.mean(y <= top) == pytest.approx(0.9, abs=0.01)


def test_ends_never_cross_nor_fall_below_zero() -> None:
    low, high = widen(np.array([0.5, 0.0, 2.0]), np.array([0.6, 0.0, 3.0]), 0.1, -5.0)
    assert (low <= high).all()
    assert (low >= 0).all()
