"""Clusters on the map, and names for them from what their images are called."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.spatial import cKDTree

__all__ = ["Cluster", "find_clusters", "name_clusters"]

EXACT_MAX = 20_000
"""With more points, so many are clustered (the time grows with their square) and the rest joins its nearest."""
NAMING = ("taxon", "label", "taxon_linear", "taxon_knn")
"""Columns that may name a cluster, the most trustworthy first."""
ENOUGH_NAMED = 0.2
"""A column names a cluster only if it says something about this share of its images."""


@dataclass(frozen=True)
class Cluster:
    """One cluster: its name, and what share of its named images bear it (`of`: by which column)."""

    id: int
    label: str
    n: int
    x: float
    y: float
    share: float | None
    of: str | None


def find_clusters(positions: np.ndarray, seed: int = 0) -> np.ndarray:
    """Number the dense parts of the map, the largest first; -1 for what lies between (HDBSCAN, Campello et al. 2013).

    Args:
        positions: (n, 2).
        seed: which points are looked at when there are very many.
    """
    from sklearn.cluster import HDBSCAN

    n = len(positions)
    if n < 50:
        return np.full(n, -1, np.int32)
    some = np.arange(n)
    if n > EXACT_MAX:
        some = np.sort(np.random.default_rng(seed).choice(n, EXACT_MAX, replace=False))
    smallest = int(np.clip(len(some) / 150, 8, 200))
    found = HDBSCAN(min_cluster_size=smallest, min_samples=min(smallest, 10), copy=True).fit_predict(positions[some])
    ids = np.full(n, -1, np.int32)
    ids[some] = found
    rest = np.setdiff1d(np.arange(n), some)
    if len(rest):
        _, near = cKDTree(positions[some]).query(positions[rest])
        ids[rest] = found[near]
    return _largest_first(ids)


def _largest_first(ids: np.ndarray) -> np.ndarray:
    found, counts = np.unique(ids[ids >= 0], return_counts=True)
    rank = {int(old): new for new, old in enumerate(found[np.argsort(-counts, kind="stable")])}
    return np.array([rank.get(int(i), -1) for i in ids], np.int32)


def name_clusters(ids: np.ndarray, positions: np.ndarray, frame: pl.DataFrame) -> list[Cluster]:
    """Name every cluster by what most of its images are called.

    Args:
        ids: cluster of each row, -1 for none.
        positions: (n, 2) on the map; a cluster lies where the middle of its points is.
        frame: the columns that may name it, row for row.
    """
    naming = [name for name in NAMING if name in frame.columns]
    numbered = pl.DataFrame({"_id": ids, "_row": np.arange(len(ids))})
    frame = pl.concat([numbered, *([frame.select(naming)] if naming else [])], how="horizontal").filter(
        pl.col("_id") >= 0
    )
    clusters: list[Cluster] = []
    used: Counter[str] = Counter()
    for (number,), part in sorted(frame.partition_by("_id", as_dict=True).items()):
        name, share, of = _majority(part, naming)
        used[name] += 1
        label = name if used[name] == 1 else f"{name} ({used[name]})"
        x, y = np.median(positions[part["_row"].to_numpy()], axis=0)
        clusters.append(Cluster(int(number), label, part.height, float(x), float(y), share, of))
    return clusters


def _majority(part: pl.DataFrame, naming: list[str]) -> tuple[str, float | None, str | None]:
    for column in naming:
        named = part[column].drop_nulls()
        if len(named) >= max(1, ENOUGH_NAMED * part.height):
            top = named.cast(pl.String).value_counts(sort=True).sort(["count", column], descending=[True, False])
            return top[column][0], top["count"][0] / len(named), column
    return "unnamed", None, None
