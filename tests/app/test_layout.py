"""The map keeps neighbours together, is the same every time, and copes with whatever vectors there are."""

from __future__ import annotations

import numpy as np
import pytest

from aqqua.app import layout
from aqqua.app.layout import fuzzy_graph, nearest, project, reduce


def clouds(n: int, groups: int = 6, dimensions: int = 40, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    group = rng.integers(0, groups, n)
    return rng.normal(0, 1, (groups, dimensions))[group] + rng.normal(0, 0.5, (n, dimensions)), group


def same_group(positions: np.ndarray, group: np.ndarray) -> float:
    """Share of the ten nearest on the map that are of the point's own group."""
    near, _ = nearest(positions.astype(np.float32), positions.astype(np.float32), 11)
    return float((group[near[:, 1:]] == group[:, None]).mean())


def test_groups_stay_together_and_far_better_than_by_principal_components() -> None:
    vectors, group = clouds(500, groups=20)
    positions = project(vectors)
    assert positions.shape == (500, 2)
    assert positions.dtype == np.float32
    assert same_group(positions, group) > 0.98
    assert same_group(reduce(vectors, 2), group) < 0.8


def test_points_are_pushed_apart_so_that_none_hides_another() -> None:
    positions = project(clouds(400)[0])
    _, distance = nearest(positions, positions, 2)
    assert np.median(distance[:, 1]) > 0.05, "UMAP's min_dist is 0.1; without repulsion this is 0.001"


def test_neighbours_of_a_curved_band_stay_neighbours() -> None:
    """A ring in 20 dimensions: who is next to whom must survive (a random map would keep 15 of 400, i.e. 4 %)."""
    angle = np.sort(np.random.default_rng(0).uniform(0, 2 * np.pi, 400))
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(20, 20)))[0]
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=1) @ turn[:2]
    near, _ = nearest(reduce(ring, 2), reduce(ring, 2), 16)
    kept, _ = nearest(project(ring), project(ring), 16)
    shared = np.mean([len(set(a[1:]) & set(b[1:])) / 15 for a, b in zip(near, kept, strict=True)])
    assert shared > 0.6


def test_the_same_seed_gives_the_same_map_and_another_seed_another() -> None:
    vectors, _ = clouds(120)
    assert (project(vectors, seed=3) == project(vectors, seed=3)).all()
    assert (project(vectors, seed=3) != project(vectors, seed=4)).any()


@pytest.mark.parametrize("n", [3, 80, 300])
def test_progress_sums_up_to_one(n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "EXACT_MAX", 200)
    parts: list[float] = []
    project(clouds(n)[0], advance=parts.append)
    assert sum(parts) == pytest.approx(1)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 49, 50, 51])
def test_any_number_of_points_gets_finite_places(n: int) -> None:
    positions = project(clouds(n)[0])
    assert positions.shape == (n, 2)
    assert np.isfinite(positions).all()


@pytest.mark.parametrize(
    "vectors",
    [np.zeros((80, 8)), np.ones((80, 8)), np.full((80, 8), np.nan), np.ones((80, 1)),
     np.repeat(clouds(4)[0], 20, axis=0)],
    ids=["zeros", "ones", "nan", "one dimension", "copies"],
)  # fmt: skip
def test_vectors_without_variety_do_no_harm(vectors: np.ndarray) -> None:
    assert np.isfinite(project(vectors)).all()


def test_beyond_the_landmarks_points_are_placed_among_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "EXACT_MAX", 150)
    monkeypatch.setattr(layout, "QUICK_MIN", 100)
    vectors, group = clouds(500)
    assert same_group(project(vectors), group) > 0.97


def test_each_point_spreads_the_same_weight_over_its_neighbours() -> None:
    """UMAP's condition: the directed weights of a point sum up to log2(k); the graph itself is symmetric."""
    flat = reduce(clouds(200)[0], 10)
    near, distance = nearest(flat, flat, 11)
    graph = fuzzy_graph(near[:, 1:], distance[:, 1:]).toarray()
    assert np.allclose(graph, graph.T)
    assert graph.max() <= 1 + 1e-9
    directed = np.where(np.isin(np.arange(200)[None], near[0, 1:]), graph[0], 0)
    assert directed.sum() >= np.log2(10) - 0.01, "the union is never less than the directed weights"


def test_reduced_vectors_keep_distances_between_directions() -> None:
    vectors, _ = clouds(60, dimensions=12)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    full = np.linalg.norm(unit[:, None] - unit, axis=2)
    flat = reduce(vectors, 50)
    assert np.allclose(np.linalg.norm(flat[:, None] - flat, axis=2), full, atol=1e-5)
    assert reduce(vectors, 3).shape == (60, 3)
