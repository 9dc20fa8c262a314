from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from aqqua.errors import FormatError
from aqqua.tasks.classify import Examples, Heads, fit_heads, knn, load_heads, logistic, names, save_heads


def examples(n: int = 90, noise: float = 0.3, seed: int = 0) -> Examples:
    rng = np.random.default_rng(seed)
    label = np.arange(n) % 3
    vector = np.eye(3, 6)[label] + noise * rng.normal(size=(n, 6))
    return Examples(vector.astype(np.float32), label, ("copepod", "diatom", "fish"), "validated")


def random_labels(n: int = 120) -> Examples:
    """Vectors that say nothing about their labels."""
    rng = np.random.default_rng(0)
    return Examples(rng.normal(size=(n, 80)).astype(np.float32), rng.integers(0, 2, n), ("a", "b"), "validated")


def test_neighbours_vote_with_their_similarity() -> None:
    known = np.array([[1, 0], [0.9, 0.1], [0, 1]], dtype=np.float32)
    guess = knn(np.array([[1, 0]], dtype=np.float32), known, np.array([0, 0, 1]), 2, k=3)
    assert guess.label.tolist() == [0]
    assert guess.p[0] == pytest.approx(1.0, abs=1e-4)


def test_an_equal_vote_is_no_certainty() -> None:
    known = np.array([[1, 0.5], [1, -0.5]], dtype=np.float32)
    assert knn(np.array([[1, 0]], dtype=np.float32), known, np.array([0, 1]), 2).p[0] == pytest.approx(0.5)


def test_nobody_votes_for_himself() -> None:
    known = np.eye(2, dtype=np.float32)
    guess = knn(known, known, np.array([0, 1]), 2, same=np.arange(2))
    assert guess.label.tolist() == [1, 0]


def test_without_neighbours_there_is_no_guess() -> None:
    one = np.ones((1, 2), np.float32)
    guess = knn(one, one, np.array([0]), 1, same=np.array([0]))
    assert (guess.label.tolist(), guess.p.tolist()) == ([-1], [0.0])
    assert names(("a",), guess.label) == [None]


def test_both_heads_learn() -> None:
    heads, fresh = fit_heads(examples()), examples(seed=1)
    assert (heads.linear(fresh.vector).label == fresh.label).mean() > 0.9
    assert (heads.neighbours(fresh.vector).label == fresh.label).mean() > 0.9


def test_p_is_honest_for_what_was_learnt_by_heart() -> None:
    """Labels without meaning: seen examples are known by heart, held-out ones are guesses."""
    e = random_labels()
    heads, same = fit_heads(e), np.arange(len(e.label))
    by_heart = (heads.linear(e.vector).label == e.label).mean()
    held_out = heads.linear(e.vector, same)
    assert by_heart > 0.75
    assert abs((held_out.label == e.label).mean() - 0.5) < 0.15
    near = heads.neighbours(e.vector, same)
    assert abs((near.label == e.label).mean() - 0.5) < 0.15


def test_logistic_finds_the_minimum() -> None:
    """At the minimum the gradient is zero: mean residual × input = penalty × weight / n."""
    e = examples(60)
    weight, bias = logistic(e.vector, e.label, 3)
    scores = e.vector @ weight.T + bias
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    residual = p - np.eye(3)[e.label]
    np.testing.assert_allclose(residual.T @ e.vector / 60 + weight / 60, 0, atol=2e-3)
    np.testing.assert_allclose(residual.mean(axis=0), 0, atol=2e-3)


def test_a_class_of_one_example_is_no_trouble() -> None:
    e = examples(31)
    label = e.label.copy()
    label[:] = 0
    label[0] = 1
    heads = fit_heads(Examples(e.vector, label, ("a", "b"), "validated"))
    assert np.isfinite(heads.held_out).all()


def test_heads_are_saved_and_loaded(tmp_path: Path) -> None:
    heads = fit_heads(examples())
    save_heads(tmp_path, heads)
    again = load_heads(tmp_path)
    assert again is not None
    assert again.examples.classes == heads.examples.classes
    fresh = examples(seed=2).vector
    np.testing.assert_allclose(again.linear(fresh).p, heads.linear(fresh).p, atol=1e-5)
    assert np.array_equal(again.neighbours(fresh).label, heads.neighbours(fresh).label)
    info = json.loads((tmp_path / "heads.json").read_text())
    assert (info["status"], info["examples"]) == ("validated", 90)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["heads.json", "heads.safetensors"]


def test_no_heads_are_none(tmp_path: Path) -> None:
    assert load_heads(tmp_path) is None


@pytest.mark.parametrize("damage", ["cut", "json", "classes"])
def test_damaged_heads_are_told(tmp_path: Path, damage: str) -> None:
    save_heads(tmp_path, fit_heads(examples()))
    if damage == "cut":
        (tmp_path / "heads.safetensors").write_bytes(b"x" * 20)
    elif damage == "json":
        (tmp_path / "heads.json").write_text("{")
    else:
        (tmp_path / "heads.json").write_text('{"classes": ["one"], "status": "validated"}')
    with pytest.raises(FormatError, match="remove the file"):
        load_heads(tmp_path)


def test_the_hash_names_what_was_learnt() -> None:
    one, same, other = fit_heads(examples()), fit_heads(examples()), fit_heads(examples(seed=3))
    assert one.hash == same.hash != other.hash
    assert isinstance(one, Heads)
