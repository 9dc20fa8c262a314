from __future__ import annotations

import numpy as np
import pytest

from aqqua.errors import ConfigError
from aqqua.maps.interpolate import Settings, cross_validate, fit, score
from aqqua.maps.interpolate.scores import log_step
from aqqua.maps.virtual import Law, Ocean, make_ocean, make_species

OCEAN = make_ocean(2000, seed=4)
EVERYWHERE = np.arange(len(OCEAN.latitude))


def test_the_same_seed_is_the_same_species_and_another_is_not() -> None:
    first, again, other = (make_species(OCEAN, seed) for seed in (1, 1, 2))
    assert np.array_equal(first.truth, again.truth)
    assert not np.allclose(first.truth, other.truth)
    assert np.array_equal(first.observe(EVERYWHERE, 5), again.observe(EVERYWHERE, 5))
    assert not np.array_equal(first.observe(EVERYWHERE, 5), first.observe(EVERYWHERE, 6))


@pytest.mark.parametrize("seed", range(4))
def test_the_truth_is_the_mean_of_many_observations(seed: int) -> None:
    species = make_species(OCEAN, seed)
    cells = np.repeat(EVERYWHERE, 40)
    assert species.observe(cells, seed).sum() / 40 == pytest.approx(species.truth.sum(), rel=0.06)


def test_the_law_is_kept() -> None:
    law = Law(zeros=0.4, contrast=2.0, noise=0.5, blooms=0.0)
    species = make_species(OCEAN, 3, law)
    seen = species.observe(EVERYWHERE, 0)
    assert (seen == 0).mean() == pytest.approx(0.4, abs=0.03)
    assert np.log(species.level).std() == pytest.approx(2.0, rel=0.2)
    above = seen > 0
    residual = np.log(seen[above] / species.level[above])
    assert residual.std() == pytest.approx(0.5, abs=0.03)
    assert residual.mean() == pytest.approx(-0.125, abs=0.05), "the mean of the noise is one, not its median"


def test_blooms_make_the_tail_heavy_and_leave_the_mean() -> None:
    plain, heavy = (make_species(OCEAN, 3, Law(blooms=share, bloom=30.0)) for share in (0.0, 0.02))
    assert np.array_equal(plain.truth, heavy.truth)
    ratio = [np.quantile(one.observe(EVERYWHERE, 1) / one.level, 0.995) for one in (plain, heavy)]
    assert ratio[1] > 1.5 * ratio[0]


def test_zeros_lie_where_little_is_expected() -> None:
    species = make_species(OCEAN, 3, Law(zeros=0.3))
    assert np.corrcoef(species.present, np.log(species.level))[0, 1] > 0.8
    assert (make_species(OCEAN, 3, Law(zeros=0.0)).present == 1).all()


def test_what_space_alone_explains_is_smooth_across_the_date_line() -> None:
    latitude, longitude = np.zeros(4), np.array([179.9, -179.9, 0.0, 90.0])
    x = np.random.default_rng(0).normal(size=(4, 2))
    level = np.log(make_species(Ocean(x, ("a", "b"), latitude, longitude), 0, Law(unexplained=0.999)).level)
    assert abs(level[0] - level[1]) < 0.25 * np.ptp(level)


def test_a_missing_predictor_is_no_trouble() -> None:
    x = OCEAN.x.copy()
    x[:50, 0] = np.nan
    assert np.isfinite(make_species(Ocean(x, OCEAN.predictors, OCEAN.latitude, OCEAN.longitude), 0).truth).all()


def test_what_cannot_be_is_told() -> None:
    with pytest.raises(ConfigError, match="one row per cell"):
        Ocean(OCEAN.x[:5], OCEAN.predictors, OCEAN.latitude, OCEAN.longitude)
    with pytest.raises(ConfigError, match="may be swapped"):
        Ocean(OCEAN.x, OCEAN.predictors, OCEAN.longitude, OCEAN.latitude)
    with pytest.raises(ConfigError, match="no species"):
        make_species(Ocean(np.empty((0, 2)), ("a", "b"), np.empty(0), np.empty(0)), 0)
    with pytest.raises(ConfigError, match="zeros of 1"):
        Law(zeros=1.0)
    with pytest.raises(ConfigError, match="noise of -1"):
        Law(noise=-1.0)
    with pytest.raises(ConfigError, match="range_km of 0"):
        Law(range_km=0.0)


@pytest.mark.slow
def test_a_map_of_a_virtual_species_holds_what_cross_validation_promises() -> None:
    """Within noise: one species of 250 clustered places; the benchmark averages over many."""
    rng = np.random.default_rng(0)
    places = np.concatenate([rng.choice(EVERYWHERE, 130), rng.choice(EVERYWHERE[600:900], 120)])
    species = make_species(OCEAN, 11, Law(unexplained=0.1))
    problem = species.problem(places, 0)
    settings = Settings(learners=("rf_log", "gam_log"), trees=40, replicates=0, inner_folds=3, schemes=("blocks10",))
    promised = cross_validate(problem, settings).schemes["blocks10"]
    said = fit(problem, settings).predict(OCEAN.x, OCEAN.latitude, OCEAN.longitude)
    fresh = species.observe(EVERYWHERE, 99)
    held = score(fresh, said.mean, log_step(problem.y))
    assert held.pearson2_log > 0.1
    assert promised.scores["stack"].pearson2_log == pytest.approx(held.pearson2_log, abs=0.2)
    assert ((said.q05 <= fresh) & (fresh <= said.q95)).mean() == pytest.approx(0.9, abs=0.07)
    assert said.mean.mean() == pytest.approx(species.truth.mean(), rel=0.5)
