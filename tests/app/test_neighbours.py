"""Similar images are those that comparing all vectors finds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from aqqua.app import neighbours
from aqqua.app.neighbours import Neighbours
from aqqua.errors import ConfigError


def vectors(n: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(0, 1, (20, 24))[rng.integers(0, 20, n)] + rng.normal(0, 0.5, (n, 24))


def brute_force(all_: np.ndarray, rows: np.ndarray, k: int, mask: np.ndarray | None = None) -> np.ndarray:
    unit = all_ / np.linalg.norm(all_, axis=1, keepdims=True)
    score = unit @ unit[rows].mean(axis=0)
    score[rows] = -np.inf
    if mask is not None:
        score[~mask] = -np.inf
    return np.argsort(-score)[:k]


@pytest.mark.parametrize("rows", [[3], [3, 99, 250]])
@pytest.mark.parametrize("masked", [False, True])
def test_a_small_dataset_is_searched_exactly(rows: list[int], masked: bool) -> None:
    data = vectors(400)
    mask = np.arange(400) % 3 == 0 if masked else None
    found, score = Neighbours.build(data).similar(np.array(rows), 20, mask)
    expected = brute_force(data, np.array(rows), 20, mask)
    assert len(set(found.tolist()) & set(expected.tolist())) >= 19, "16 bits may swap the last one"
    assert not set(found.tolist()) & set(rows)
    assert (np.diff(score) <= 0).all()
    assert score.max() <= 1.001


def test_a_copy_is_most_similar_with_score_one() -> None:
    data = vectors(50)
    data[7] = 3 * data[31]
    found, score = Neighbours.build(data).similar(np.array([7]), 1)
    assert found.tolist() == [31]
    assert score[0] == pytest.approx(1, abs=2e-3)


def test_cells_find_nearly_all_and_a_narrow_filter_is_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "EXACT_MAX", 1000)
    monkeypatch.setattr(neighbours, "NARROW", 300)
    monkeypatch.setattr(neighbours, "PROBES", 12)
    data = vectors(3000)
    built = Neighbours.build(data)
    assert len(built.centre) == 55
    mask = np.arange(3000) % 20 == 0
    for row in range(0, 60, 7):
        found, _ = built.similar(np.array([row]), 20)
        assert len(set(found.tolist()) & set(brute_force(data, np.array([row]), 20).tolist())) >= 18
        assert built.row[built.place[row]] == row
        wide, _ = built.similar(np.array([row]), 20, ~mask)
        assert not mask[wide].any()
        narrow, _ = built.similar(np.array([row]), 20, mask)
        assert len(set(narrow.tolist()) & set(brute_force(data, np.array([row]), 20, mask).tolist())) >= 19


def test_fewer_than_asked_are_all_there_are() -> None:
    found, score = Neighbours.build(vectors(5)).similar(np.array([0]), 50)
    assert sorted(found.tolist()) == [1, 2, 3, 4]
    found, score = Neighbours.build(vectors(5)).similar(np.array([0]), 50, np.zeros(5, bool))
    assert len(found) == len(score) == 0


def test_saved_neighbours_are_the_same_and_zero_vectors_do_no_harm(tmp_path: Path) -> None:
    data = vectors(30)
    data[4] = 0
    built = Neighbours.build(data)
    built.save(tmp_path)
    loaded = Neighbours.load(tmp_path)
    assert loaded.similar(np.array([2]), 9)[0].tolist() == built.similar(np.array([2]), 9)[0].tolist()
    with pytest.raises(ConfigError, match="no vector"):
        loaded.similar(np.array([4]), 3)
    assert len(Neighbours.build(np.zeros((0, 4)))) == 0
