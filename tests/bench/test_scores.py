from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aqqua.bench.scores import (
    auroc,
    average_precision,
    bray_curtis,
    calibration_error,
    classification,
    fit_temperature,
    fpr95,
)

labels = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=60)


@given(labels)
@settings(max_examples=20)
def test_the_rates_are_those_of_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    from sklearn.metrics import f1_score

    true, found = np.array(pairs).T
    told = classification(true, found, 5)
    there = np.unique(true)
    assert told["top1"][0] == pytest.approx((true == found).mean())
    assert told["macro_f1"][0] == pytest.approx(f1_score(true, found, labels=there, average="macro", zero_division=0))
    recalls = [(found[true == c] == c).mean() for c in there]  # scikit-learn warns of classes that are only guessed
    assert told["balanced"][0] == pytest.approx(np.mean(recalls))
    assert all(low <= high for _, low, high in told.values())


def test_no_answer_is_wrong() -> None:
    told = classification(np.array([0, 0, 1]), np.array([0, -1, 1]), 2)
    assert told["top1"][0] == pytest.approx(2 / 3)
    assert told["balanced"][0] == pytest.approx(0.75)


def test_the_interval_covers_and_is_wider_for_groups_than_for_images() -> None:
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(20), 50)
    right = rng.random(20)[group] < 0.6  # whole tows are right or wrong
    true = rng.integers(0, 2, 1000)
    found = np.where(right, true, 1 - true)
    alone = classification(true, found, 2)["top1"]
    together = classification(true, found, 2, group=group)["top1"]
    assert together[0] == alone[0]
    assert alone[1] < right.mean() < alone[2]
    assert together[2] - together[1] > 3 * (alone[2] - alone[1])


def test_average_precision_by_hand() -> None:
    similarity = np.array([[0.9, 0.8, 0.7, 0.6], [0.1, 0.2, 0.3, 0.4]])
    relevant = np.array([[True, False, True, False], [False, False, False, False]])
    ap = average_precision(similarity, relevant)
    assert ap[0] == pytest.approx((1 + 2 / 3) / 2)
    assert np.isnan(ap[1])


@given(st.lists(st.integers(0, 9), min_size=1, max_size=20), st.lists(st.integers(0, 9), min_size=1, max_size=20))
def test_auroc_is_the_chance_of_a_higher_score(known: list[int], novel: list[int]) -> None:
    wins = [(n > k) + 0.5 * (n == k) for n in novel for k in known]
    assert auroc(np.array(known), np.array(novel)) == pytest.approx(np.mean(wins))


def test_fpr95_counts_the_novel_below_the_threshold() -> None:
    known = np.arange(100.0)
    assert fpr95(known, np.array([200.0, 300.0])) == 0
    assert fpr95(known, np.array([50.0, 300.0])) == 0.5


def test_calibration_error_is_the_gap_and_temperature_closes_it() -> None:
    p = np.full(1000, 0.9)
    assert calibration_error(p, np.arange(1000) < 900) == pytest.approx(0, abs=1e-9)
    assert calibration_error(p, np.arange(1000) < 500) == pytest.approx(0.4)
    rng = np.random.default_rng(0)
    honest = rng.normal(size=(4000, 3))
    label = (honest + rng.gumbel(size=honest.shape)).argmax(axis=1)
    assert fit_temperature(honest, label) == pytest.approx(1, rel=0.1)
    assert fit_temperature(4 * honest, label) == pytest.approx(4, rel=0.1)


def test_bray_curtis_of_samples() -> None:
    true = np.repeat([0, 1], 20)
    sample = np.zeros(40, np.int64)
    assert bray_curtis(true, true[::-1].copy(), sample, 2) == {"mean": 0, "worst": 0, "samples": 1}
    assert bray_curtis(true, np.zeros(40, np.int64), sample, 2)["mean"] == pytest.approx(0.5)
    two = bray_curtis(true, np.zeros(40, np.int64), true, 2)
    assert (two["mean"], two["worst"], two["samples"]) == (0.5, 1, 2)
    assert bray_curtis(true, np.array([0.5, 0.5]), true, 2)["mean"] == pytest.approx(0.5)
    assert bray_curtis(true, true, np.arange(40), 2)["samples"] == 0
