"""Probabilities from vectors, held out by sample."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from aqqua.errors import ConfigError, MissingExtraError
from aqqua.tasks.posteriors import posteriors


def clouds(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, n)
    return np.eye(3)[truth] * 4 + rng.normal(size=(n, 3)), truth


def test_rows_are_probabilities_and_right() -> None:
    x, truth = clouds(200)
    rest, other = clouds(100, 1)
    held, judged = posteriors(x, truth, rest, 3)
    for p, right in ((held, truth), (judged, other)):
        assert p.sum(axis=1) == pytest.approx(np.ones(len(p)))
        assert (p.argmax(axis=1) == right).mean() > 0.85


def test_a_sample_is_judged_without_itself() -> None:
    """Labels by chance cannot be learnt from other samples, though each sample's own images are all alike."""
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(20), 10)
    truth = np.repeat(rng.integers(0, 2, 20), 10)
    x = rng.normal(size=(20, 15))[group] + rng.normal(0, 0.01, (200, 15))
    apart, _ = posteriors(x, truth, x[:0], 2, group=group)
    leaky, _ = posteriors(x, truth, x[:0], 2)
    assert (leaky.argmax(axis=1) == truth).mean() > 0.95
    assert (apart.argmax(axis=1) == truth).mean() < 0.75


def test_classes_never_seen_have_none() -> None:
    x, truth = clouds(60)
    held, _ = posteriors(x, truth, x, 5)
    assert (held[:, 3:] == 0).all()


def test_one_class_is_too_few() -> None:
    with pytest.raises(ConfigError, match="two classes"):
        posteriors(np.ones((4, 2)), np.zeros(4, int), np.ones((1, 2)), 2)


def test_a_missing_extra_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.linear_model", None)
    with pytest.raises(MissingExtraError, match="maps"):
        posteriors(np.ones((4, 2)), np.array([0, 1, 0, 1]), np.ones((1, 2)), 2)
