"""Overdispersion from replicates."""

from __future__ import annotations

import numpy as np
import pytest

from aqqua.maps.scatter import alpha_of


@pytest.mark.parametrize("alpha", [0.0, 0.2, 1.0])
def test_alpha_is_found(alpha: float) -> None:
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(100), 4)
    water = rng.uniform(0.5, 2, 400)
    mean = rng.uniform(5, 50, 100)[group] * water
    n = rng.poisson(mean * (rng.gamma(1 / alpha, alpha, 400) if alpha else 1.0)).astype(float)
    assert alpha_of(n, water, group) == pytest.approx(alpha, abs=0.02 + 0.15 * alpha)


def test_few_replicates_say_nothing() -> None:
    assert alpha_of(np.array([0.0, 100.0]), np.ones(2), np.zeros(2, int)) == 0
    assert alpha_of(np.zeros(8), np.ones(8), np.zeros(8, int)) == 0
