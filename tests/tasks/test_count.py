"""Counts corrected by confusions: right in the mean, with intervals that hold, whatever the shares of the classes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from aqqua.errors import ConfigError
from aqqua.tasks.count import METHODS, Calibration, Counted, Method, correct, gamma_limits

Array = NDArray[np.float64]
PRIOR = np.array([0.4, 0.25, 0.2, 0.1, 0.05])
K = len(PRIOR)


def posterior(x: Array, centres: Array) -> Array:
    """Exact probabilities of classes that are round clouds, with the shares of the training."""
    logits = -((x[:, None] - centres) ** 2).sum(axis=-1) / 2 + np.log(PRIOR)
    p: Array = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(p / p.sum(axis=1, keepdims=True))


def answers(p: Array) -> NDArray[np.int64]:
    """The most probable class; declined where it is not likelier than all others together."""
    return np.where(p.max(axis=1) < 0.5, K, p.argmax(axis=1))


class World:
    """Classes that overlap, images to learn their confusions from, and samples with other shares."""

    def __init__(self, seed: int, taught: int = 600) -> None:
        self.rng = np.random.default_rng(seed)
        self.centres = self.rng.normal(0, 1.6, (K, 3))
        truth = self.rng.choice(K, taught, p=PRIOR)
        p = posterior(self.centres[truth] + self.rng.normal(size=(taught, 3)), self.centres)
        self.calibration = Calibration(tuple("abcde"), truth, answers(p), p)

    def sample(self, mean: Array, alien: float = 0) -> Array:
        """Probabilities of the images of a sample with these mean counts."""
        truth = np.repeat(np.arange(K), self.rng.poisson(mean))
        return posterior(self.centres[truth] + self.rng.normal(size=(len(truth), 3)), self.centres)


def trial(method: Method, repeats: int = 40, n: int = 300) -> tuple[float, float]:
    """Share of intervals that hold the true mean count, and mean error by n, under random shares."""
    held, errors = [], []
    for seed in range(repeats):
        world = World(seed)
        mean = n * world.rng.dirichlet(np.ones(K))
        p = world.sample(mean)
        found = correct(world.calibration, answers(p), method=method, posterior=p, draws=50, seed=seed)
        held += list((found.lo[:K] <= mean) & (mean <= found.hi[:K]))
        errors += list(np.abs(found.n[:K] - mean) / n)
    return float(np.mean(held)), float(np.mean(errors))


@pytest.mark.slow
def test_coverage_and_error_under_prior_shift() -> None:
    """200 intervals of each method: of nominal 95 %, between 90 % and 99.9 % hold; the raw count's do not."""
    coverage, error = zip(*(trial(method) for method in METHODS), strict=True)
    told = dict(zip(METHODS, coverage, strict=True))
    assert told["cc"] < 0.75, told
    assert all(0.90 <= told[method] <= 0.999 for method in ("acc", "pacc", "em")), told
    errors = dict(zip(METHODS, error, strict=True))
    assert max(errors["em"], errors["pacc"]) < 0.9 * errors["acc"] < 0.72 * errors["cc"], errors


def test_a_known_confusion_is_undone() -> None:
    truth, answer = np.repeat([0, 1], 100), np.r_[np.zeros(100, int), np.repeat([0, 1], [20, 80])]
    calibration = Calibration(("a", "b"), truth, answer)
    found = correct(calibration, np.repeat([0, 1], [60, 140]), method="acc")
    assert found.n == pytest.approx([25, 175, 0], abs=0.5)
    assert (found.lo <= found.n).all()
    assert (found.n <= found.hi).all()


def test_what_is_declined_beyond_the_known_is_unknown() -> None:
    truth, answer = np.repeat([0, 1], 100), np.r_[np.repeat([0, 2], [90, 10]), np.repeat([1, 2], [90, 10])]
    calibration = Calibration(("a", "b"), truth, answer)
    usual = correct(calibration, np.repeat([0, 1, 2], [90, 90, 20]), method="acc")
    assert usual.n == pytest.approx([100, 100, 0], abs=1)
    strange = correct(calibration, np.repeat([0, 1, 2], [90, 90, 120]), method="acc")
    assert strange.n == pytest.approx([100, 100, 100], rel=0.03)
    assert strange.lo[2] > 70


@pytest.mark.parametrize("method", METHODS)
def test_a_perfect_classifier_needs_no_correction(method: Method) -> None:
    eye = np.eye(2)
    truth = np.repeat([0, 1], 200)
    calibration = Calibration(("a", "b"), truth, truth, eye[truth] * 0.998 + 0.001)
    seen = np.repeat([0, 1], [10, 90])
    found = correct(calibration, seen, method=method, posterior=eye[seen] * 0.998 + 0.001, draws=400)
    assert found.n == pytest.approx([10, 90, 0], abs=0.5)
    lo, hi = gamma_limits(np.array([10.0, 90.0]), np.array([10.0, 90.0]), 1.0)
    assert found.lo[:2] == pytest.approx(lo, rel=0.12)
    assert found.hi[:2] == pytest.approx(hi, rel=0.12)


@pytest.mark.parametrize("method", METHODS)
def test_nothing_seen_is_not_nothing_there(method: Method) -> None:
    world = World(0)
    found = correct(world.calibration, np.array([], int), method=method, posterior=np.zeros((0, K)), draws=50)
    assert (found.n == 0).all()
    assert (found.hi[:K] > 1).all()


def test_weights_are_units() -> None:
    world = World(1)
    p = world.sample(200 * PRIOR)
    one = correct(world.calibration, answers(p), method="acc", draws=20)
    ten = correct(world.calibration, answers(p), method="acc", weight=np.full(len(p), 10.0), draws=20)
    assert ten.n == pytest.approx(10 * one.n)
    assert ten.hi == pytest.approx(10 * one.hi)


def test_scatter_widens() -> None:
    world = World(1)
    p = world.sample(200 * PRIOR)
    for method in METHODS:
        spans = [
            (found.hi - found.lo)[:K].sum()
            for scatter in (1.0, 6.0)
            for found in [correct(world.calibration, answers(p), method=method, posterior=p, scatter=scatter, draws=80)]
        ]
        assert spans[1] > 1.3 * spans[0], method


def test_same_seed_same_intervals() -> None:
    world = World(2)
    p = world.sample(100 * PRIOR)

    def run(seed: int) -> Counted:
        return correct(world.calibration, answers(p), method="em", posterior=p, draws=20, seed=seed)

    assert (run(3).hi == run(3).hi).all()
    assert (run(3).hi != run(4).hi).any()


def test_samples_are_resampled_whole() -> None:
    """Confusions that differ between samples make wider intervals than those of single images."""
    truth = np.tile(np.repeat([0, 1], 50), 8)
    group = np.repeat(np.arange(8), 100)
    wrong = (group % 2 == 0) & (np.arange(800) % 100 < 20)
    answer = np.where(wrong, 1 - truth, truth)
    target = np.repeat([0, 1], [2000, 2000])
    spans = []
    for groups in (None, group):
        found = correct(Calibration(("a", "b"), truth, answer, None, groups), target, draws=200)
        spans.append(float((found.hi - found.lo)[0]))
    assert spans[1] > 1.5 * spans[0]


@example(2.225073858507203e-309, 1.0, 0.5)
@example(3.5e-255, 1.0, 0.5)
@given(st.floats(0, 1e6), st.floats(0.01, 100), st.floats(0.5, 0.999))
def test_gamma_limits_enclose(count: float, weight: float, level: float) -> None:
    y, v = np.array([count * weight]), np.array([count * weight**2])
    lo, hi = gamma_limits(y, v, weight, level)
    assert 0 <= lo[0] <= y[0] * (1 + 1e-9)
    assert hi[0] > y[0] * (1 - 1e-9)


def test_what_does_not_fit_is_refused() -> None:
    nothing = np.array([], int)
    with pytest.raises(ConfigError, match="no images"):
        Calibration(("a",), nothing, nothing)
    one = np.zeros(1, int)
    with pytest.raises(ConfigError, match="none of the classes"):
        Calibration(("a",), one, one + 2)
    with pytest.raises(ConfigError, match="do not fit"):
        Calibration(("a",), one, one, np.ones((1, 3)))
    calibration = Calibration(("a",), one, one)
    with pytest.raises(ConfigError, match="no method"):
        correct(calibration, one, method="magic")  # type: ignore[arg-type]
    for method in ("pacc", "em"):
        with pytest.raises(ConfigError, match="probabilities"):
            correct(calibration, one, method=method)
        with pytest.raises(ConfigError, match="probabilities"):
            correct(calibration, one, method=method, posterior=np.ones((1, 1)))
