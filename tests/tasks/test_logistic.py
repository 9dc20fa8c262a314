from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from aqqua.tasks.logistic import logistic, minimise, softmax


def examples(n: int, d: int, classes: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    label = rng.integers(0, classes, n)
    return (rng.standard_normal((classes, d))[label] + rng.standard_normal((n, d))).astype(np.float32), label


def slope(x: NDArray[np.float32], label: NDArray[np.int64], classes: int, penalty: float) -> float:
    """Steepest slope of the loss at the fitted weights; a convex function has its lowest point where there is none."""
    weight, bias = logistic(x, label, classes, penalty=penalty)
    p = softmax(x.astype(np.float64) @ weight.T + bias).astype(np.float64)
    p[np.arange(len(x)), label] -= 1
    return float(max(np.abs(p.T @ x / len(x) + penalty / len(x) * weight).max(), np.abs(p.mean(axis=0)).max()))


@settings(max_examples=25, deadline=None)
@given(
    st.integers(2, 60), st.integers(1, 8), st.integers(2, 6), st.integers(0, 1000), st.sampled_from([0.3, 1.0, 10.0])
)
def test_the_lowest_point_is_found(n: int, d: int, classes: int, seed: int, penalty: float) -> None:
    x, label = examples(n, d, classes, seed)
    present = np.unique(label, return_inverse=True)[1]  # a class without examples has its bias at minus infinity
    if present.max() > 0:
        assert slope(x, present, int(present.max()) + 1, penalty) < 2e-3


def test_it_is_what_scikit_learn_finds() -> None:
    from sklearn.linear_model import LogisticRegression

    x, label = examples(400, 6, 4, 0)
    weight, bias = logistic(x, label, 4)
    theirs = LogisticRegression(C=1.0, tol=1e-8, max_iter=2000).fit(x, label)
    np.testing.assert_allclose(softmax(x @ weight.T + bias), theirs.predict_proba(x), atol=2e-3)


def test_a_class_without_examples_is_never_guessed() -> None:
    x, label = examples(50, 3, 2, 1)
    weight, bias = logistic(x, label, 3)
    assert np.isfinite(weight).all()
    assert 2 not in (x @ weight.T + bias).argmax(axis=1)


def test_a_narrow_valley_is_followed_to_its_end() -> None:
    """Rosenbrock's function is not even convex; its lowest point is (1, 1)."""

    def loss(at: NDArray[np.float32]) -> tuple[float, NDArray[np.float32]]:
        x, y = at.astype(np.float64)
        down = [-2 * (1 - x) - 400 * x * (y - x**2), 200 * (y - x**2)]
        return (1 - x) ** 2 + 100 * (y - x**2) ** 2, np.array(down, dtype=np.float32)

    assert minimise(loss, np.array([-1.2, 1.0], dtype=np.float32)) == pytest.approx([1, 1], abs=0.02)
