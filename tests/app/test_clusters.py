"""Clusters are the dense parts of the map, named by what is in them."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from aqqua.app import clusters
from aqqua.app.clusters import find_clusters, name_clusters


def three_clouds(n: int = 300) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    group = rng.choice(3, n, p=(0.5, 0.3, 0.2))
    return np.array([[0, 0], [20, 0], [0, 20]])[group] + rng.normal(0, 1, (n, 2)), group


def test_each_cloud_is_a_cluster_and_the_largest_comes_first() -> None:
    positions, group = three_clouds()
    ids = find_clusters(positions)
    assert set(ids[ids >= 0].tolist()) == {0, 1, 2}
    assert (np.diff(np.bincount(ids[ids >= 0])) <= 0).all()
    assert np.mean(ids == group) > 0.95


def test_few_points_make_no_clusters() -> None:
    assert find_clusters(np.zeros((10, 2))).tolist() == [-1] * 10
    assert len(find_clusters(np.zeros((0, 2)))) == 0


def test_very_many_points_join_the_cluster_of_their_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "EXACT_MAX", 150)
    positions, group = three_clouds(600)
    assert np.mean(find_clusters(positions) == group) > 0.95


def test_clusters_are_named_by_their_majority_and_names_are_unique() -> None:
    ids = np.array([0, 0, 0, 0, 1, 1, 1, 2, 2, -1])
    taxon = [*["Calanoida"] * 3, "Oithona", *[None] * 6]
    taxon_knn = [*["x"] * 4, *["Calanoida"] * 3, None, None, "y"]
    frame = pl.DataFrame({"taxon": taxon, "taxon_knn": taxon_knn})
    positions = np.arange(20.0).reshape(10, 2)
    named = name_clusters(ids, positions, frame)
    assert [(c.id, c.label, c.n, c.share, c.of) for c in named] == [
        (0, "Calanoida", 4, 0.75, "taxon"),
        (1, "Calanoida (2)", 3, 1.0, "taxon_knn"),
        (2, "unnamed", 2, None, None),
    ]
    assert (named[0].x, named[0].y) == (3.0, 4.0)


def test_without_naming_columns_clusters_are_unnamed() -> None:
    frame = pl.DataFrame({"other": [1, 2]})
    assert [c.label for c in name_clusters(np.array([0, 0]), np.zeros((2, 2)), frame)] == ["unnamed"]
