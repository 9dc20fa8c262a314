import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import wasserstein_distance

from aqqua.errors import ConfigError, UnknownNameError
from aqqua.maps.interpolate.folds import (
    assign,
    block_degrees,
    block_folds,
    inner_folds,
    knndm,
    left_out_km,
    random_folds,
    sample_km,
)
from aqqua.maps.interpolate.sphere import block_of, even_places, unit_vectors
from tests.make.oceans import places


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@given(st.lists(st.integers(0, 30), min_size=2, max_size=200), st.integers(2, 8))
def test_no_fold_is_empty_and_groups_stay_whole(groups: list[int], folds: int) -> None:
    found = assign(np.array(groups), folds, rng())
    wanted = min(folds, len(set(groups)))
    assert sorted(set(found.tolist())) == list(range(wanted))
    for group in set(groups):
        assert len(set(found[np.array(groups) == group].tolist())) == 1


def test_folds_of_blocks_are_balanced() -> None:
    latitude, longitude = places(400, 0)
    found = block_folds(latitude, longitude, 10.0, 5, rng())
    assert np.ptp(np.bincount(found)) <= 25
    blocks = block_of(latitude, longitude, 10.0)
    assert all(len(set(found[blocks == block].tolist())) == 1 for block in np.unique(blocks))


def test_random_folds_differ_by_one_at_most() -> None:
    assert sorted(np.bincount(random_folds(23, 5, rng())).tolist()) == [4, 4, 5, 5, 5]


def test_larger_blocks_keep_training_farther_away() -> None:
    latitude, longitude = places(400, 0)
    points = unit_vectors(latitude, longitude)
    near, middle, far = (
        np.median(left_out_km(points, folds))
        for folds in (
            random_folds(400, 5, rng()),
            block_folds(latitude, longitude, 10.0, 5, rng()),
            block_folds(latitude, longitude, 30.0, 5, rng()),
        )
    )
    assert near < middle < far


def test_one_block_is_an_error_outside_and_made_smaller_inside() -> None:
    latitude, longitude = np.linspace(1, 8, 40), np.linspace(1, 8, 40)
    with pytest.raises(ConfigError, match="one block of 30"):
        block_folds(latitude, longitude, 30.0, 5, rng())
    assert len(set(inner_folds(latitude, longitude, 30.0, 5, rng()).tolist())) == 5


def test_places_that_are_all_the_same_still_have_folds_inside() -> None:
    same = np.zeros(20)
    assert np.bincount(inner_folds(same, same, 10.0, 5, rng())).tolist() == [4] * 5


def test_knndm_is_as_far_from_training_as_the_map_is() -> None:
    latitude, longitude = places(300, 1)
    points = unit_vectors(latitude, longitude)
    map_km = sample_km(points, *even_places(3000), rng())
    folds, distance = knndm(latitude, longitude, map_km, 5, rng())
    at_random = wasserstein_distance(left_out_km(points, random_folds(300, 5, rng())), map_km)
    assert distance < 0.5 * at_random
    assert distance == pytest.approx(wasserstein_distance(left_out_km(points, folds), map_km))
    assert 2 <= len(set(folds.tolist())) <= 5
    assert np.bincount(folds).max() <= 150


def test_knndm_of_evenly_sampled_places_is_random() -> None:
    latitude, longitude = even_places(300)
    points = unit_vectors(latitude, longitude)
    map_km = sample_km(points, *even_places(3000), rng())
    folds, _ = knndm(latitude, longitude, map_km, 5, rng())
    assert np.median(left_out_km(points, folds)) < 1.6 * np.median(left_out_km(points, random_folds(300, 5, rng())))


def test_many_places_are_clustered_by_small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aqqua.maps.interpolate.folds._MAX_CLUSTERED", 150)
    latitude, longitude = places(600, 2)
    points = unit_vectors(latitude, longitude)
    map_km = sample_km(points, *even_places(2000), rng())
    folds, distance = knndm(latitude, longitude, map_km, 5, rng())
    assert distance < 0.7 * wasserstein_distance(left_out_km(points, random_folds(600, 5, rng())), map_km)
    assert distance == pytest.approx(wasserstein_distance(left_out_km(points, folds), map_km))


def test_names_of_schemes() -> None:
    assert block_degrees("blocks2.5") == 2.5
    assert block_degrees("random") is None
    with pytest.raises(UnknownNameError, match="block10"):
        block_degrees("block10")
    with pytest.raises(ConfigError, match="not possible"):
        block_degrees("blocks120")
