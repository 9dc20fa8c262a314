from __future__ import annotations

import numpy as np

from aqqua.bench.novelty import METHODS, far, left_out, near
from tests.bench.test_probes import blobs


def test_far_images_are_told_by_every_method() -> None:
    x, task = blobs(classes=6, n=600, spread=0.2)
    other = np.random.default_rng(3).normal(-1, 0.3, (80, 8)).astype(np.float32)
    told = far(x, other, task)
    assert set(told) == set(METHODS) == {"Mahalanobis", "kNN", "ViM"}
    assert all(one["auroc"] > 0.95 for one in told.values())
    assert told["Mahalanobis"]["fpr95"] < 0.05


def test_more_of_the_same_is_not_novel() -> None:
    x, task = blobs(classes=6, n=900, spread=0.2)
    told = far(x, x[task.test[::2]], task)
    assert all(0.4 < one["auroc"] < 0.6 for one in told.values())


def test_classes_held_out_are_near_and_found_where_they_lie_apart() -> None:
    x, task = blobs(classes=6, n=900, spread=0.15)
    told = near(x, task)
    assert told is not None
    assert told["Mahalanobis"]["auroc"] > 0.9
    assert told["kNN"]["auroc"] > 0.9
    few, small = blobs(classes=3)
    assert near(few, small) is None


def test_one_instrument_after_the_other_is_left_out() -> None:
    x, task = blobs(n=600, spread=0.2)
    instrument = np.arange(600) // 200
    x[instrument == 1, 7] += 3
    x[instrument == 2, 6] += 3
    told = left_out(x, instrument, task)
    assert told is not None
    assert told["Mahalanobis"]["auroc"] > 0.9
    assert left_out(x, np.zeros(600, np.int64), task) is None
