from __future__ import annotations

import numpy as np
import pytest

from aqqua.bench.probes import Linear, Task, few_shot, linear, neighbours, retrieval, size


def blobs(n: int = 400, classes: int = 4, spread: float = 0.4, seed: int = 0) -> tuple[np.ndarray, Task]:
    """Classes as clouds around the axes of eight dimensions."""
    rng = np.random.default_rng(seed)
    label = rng.integers(0, classes, n)
    x = (np.eye(8)[label] + rng.normal(0, spread, (n, 8))).astype(np.float32)
    rows = np.arange(n)
    return x, Task(label, classes, rows[rows % 5 != 0], rows[rows % 5 == 0], rows)


def test_neighbours_and_linear_find_clouds_and_not_noise() -> None:
    x, task = blobs()
    for told, found in (neighbours(x, task, 20), neighbours(x, task, 1), linear(x, task)):
        assert len(found) == len(task.test)
        assert told["top1"][0] > 0.75
    noise = np.random.default_rng(1).normal(size=x.shape).astype(np.float32)
    assert neighbours(noise, task, 20)[0]["top1"][0] < 0.45
    assert linear(noise, task)[0]["top1"][0] < 0.45


def test_the_linear_head_never_sees_a_test_label() -> None:
    x, task = blobs()
    label = task.label.copy()
    label[task.test] = 0
    blind = Task(label, 4, task.train, task.test, task.group)
    assert np.array_equal(linear(x, task)[1], linear(x, blind)[1])


def test_overconfidence_is_scaled_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aqqua.bench.probes.PENALTIES", (1e-3,))  # nothing holds the weights back
    x, task = blobs(n=900, spread=1.0)
    noise = np.random.default_rng(2).normal(size=(900, 60)).astype(np.float32)
    told, _ = linear(np.concatenate([x, noise], axis=1), task)
    assert told["temperature"] > 1
    assert told["ece_scaled"] < told["ece"]


def test_more_shots_are_better_and_draws_differ() -> None:
    x, task = blobs(spread=0.6)
    one, five = few_shot(x, task, 1), few_shot(x, task, 5)
    assert five["balanced"][0] > one["balanced"][0] > 0.3
    assert one["balanced"][1] > 0


def test_retrieval_is_one_for_pure_directions() -> None:
    x, task = blobs(spread=0.01)
    told = retrieval(x, task)
    assert told["map"] == pytest.approx(1)
    assert told["queries"] == len(task.test)


def test_size_is_read_off_where_it_stands() -> None:
    x, task = blobs()
    log_um = (2 + 0.5 * x[:, 0] - 0.25 * x[:, 3]).astype(np.float32)
    told = size(x, log_um, task)
    assert told["rmse"] < 0.01
    assert told["r2"] > 0.99
    assert size(np.roll(x, 7, axis=0), log_um, task)["r2"] < 0.3


def test_a_number_that_never_changes_is_no_trouble() -> None:
    x, task = blobs()
    x[:, 2] = 1
    head = Linear.fit(x, task.label, 4)
    assert np.isfinite(head.scores(x)).all()
