from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aqqua.curate.allot import allot


def drawn(seed: int, images: int, groups: int, strata: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    group = np.unique(rng.zipf(1.6, images) % groups, return_inverse=True)[1]
    stratum = np.unique(rng.integers(0, strata, images), return_inverse=True)[1]
    return group.astype(np.int64), stratum.astype(np.int64)


@given(st.integers(0, 5000), st.integers(1, 400), st.integers(1, 100), st.integers(1, 8))
@settings(max_examples=60)
def test_every_group_gets_exactly_one_part_and_the_same_one_again(
    seed: int, images: int, groups: int, strata: int
) -> None:
    group, stratum = drawn(seed, images, groups, strata)
    part = allot(group, stratum, (0.7, 0.2, 0.1), seed=seed)
    assert len(part) == group.max() + 1
    assert set(part) <= {0, 1, 2}
    assert np.array_equal(part, allot(group, stratum, (0.7, 0.2, 0.1), seed=seed))


@given(st.integers(0, 5000), st.integers(1, 6))
@settings(max_examples=40)
def test_single_images_come_out_to_within_one_image_per_stratum(seed: int, strata: int) -> None:
    rng = np.random.default_rng(seed)
    stratum = rng.integers(0, strata, 500)
    shares = np.array([0.8, 0.1, 0.1])
    part = allot(np.arange(500), stratum, shares.tolist(), seed=seed)
    for one in np.unique(stratum):
        inside = part[stratum == one]
        assert (np.abs(np.bincount(inside, minlength=3) - shares * len(inside)) <= 2).all()
    assert (np.abs(np.bincount(part, minlength=3) - shares * 500) <= strata + 1).all()


@given(st.integers(0, 5000))
@settings(max_examples=40)
def test_parts_are_off_by_less_than_the_largest_group(seed: int) -> None:
    group, stratum = drawn(seed, 600, 200, 4)
    shares = np.array([0.6, 0.2, 0.2])
    part = allot(group, stratum, shares.tolist(), seed=seed)
    largest = np.bincount(group).max()
    assert (np.abs(np.bincount(part[group], minlength=3) - shares * 600) <= largest).all()


def test_what_is_fixed_stays_and_is_counted() -> None:
    group = np.repeat(np.arange(10), 10)
    fixed = np.full(10, -1, np.int8)
    fixed[:2] = 2  # all of the test share
    part = allot(group, np.zeros(100, np.int64), (0.6, 0.2, 0.2), fixed=fixed)
    assert (part[:2] == 2).all()
    assert np.bincount(part, minlength=3).tolist() == [6, 2, 2]


@pytest.mark.parametrize("shares", [(1.0, 0.0, 0.0), (0.5, 0.0, 0.5)])
def test_a_part_without_a_share_stays_empty(shares: tuple[float, float, float]) -> None:
    group, stratum = drawn(3, 300, 50, 3)
    assert 1 not in allot(group, stratum, shares)


def test_another_seed_is_another_split() -> None:
    singles, stratum = np.arange(200), np.zeros(200, np.int64)
    assert not np.array_equal(
        allot(singles, stratum, (0.5, 0.25, 0.25)), allot(singles, stratum, (0.5, 0.25, 0.25), seed=1)
    )
