"""The map: vectors of many dimensions laid out in two, so that what is alike lies together.

The method is UMAP (McInnes, Healy & Melville 2018, arXiv:1802.03426): a fuzzy graph of nearest neighbours, laid out by
stochastic gradient descent with negative sampling, from the first two principal components (Kobak & Linderman 2021,
doi:10.1038/s41587-020-00809-z: the start decides how faithful the large picture is). It is written for whole arrays, so
there is nothing to compile at the first run, and the same seed gives the same map.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse

__all__ = ["EXACT_MAX", "project", "reduce"]

EXACT_MAX = 50_000
"""Up to so many points all are laid out together; beyond, so many landmarks are, and the rest is placed among them."""
QUICK_MIN = 10_000
TINY = 50
"""With fewer points there are no neighbourhoods to speak of: principal components are shown."""
NEIGHBOURS = 15
CURVE_A, CURVE_B = 1.5769, 0.8951
"""UMAP's low-dimensional similarity 1/(1 + a·d^2b) for min_dist 0.1 and spread 1 (least squares, as in section 4.2)."""
NEGATIVES = 5
SPREAD = 10.0
BATCH = 20_000

Advance = Callable[[float], None]


def _silent(part: float) -> None:
    """Show no progress."""


def project(vectors: np.ndarray, seed: int = 0, advance: Advance = _silent) -> np.ndarray:
    """Lay vectors out in two dimensions.

    Args:
        vectors: (n, dimensions); those of like direction come to lie together.
        seed: same seed and vectors: same map.
        advance: called with fractions that sum up to 1 as the work goes on.

    Returns:
        Positions, (n, 2) f32.
    """
    flat = reduce(vectors, 50, seed)
    if len(flat) < TINY:
        advance(1.0)
        return _two_columns(flat)
    if len(flat) <= EXACT_MAX:
        return _lay_out(flat, seed, advance)
    some = np.sort(np.random.default_rng(seed).choice(len(flat), EXACT_MAX, replace=False))
    positions = np.empty((len(flat), 2), np.float32)
    positions[some] = _lay_out(flat[some], seed, advance)
    rest = np.setdiff1d(np.arange(len(flat)), some)
    positions[rest] = _place(flat[rest], flat[some], positions[some])
    return positions


def reduce(vectors: np.ndarray, dimensions: int, seed: int = 0) -> np.ndarray:
    """Vectors of length one, by their principal components; `dimensions` at most."""
    unit = np.nan_to_num(np.asarray(vectors, np.float32), posinf=0, neginf=0)
    unit = unit / np.maximum(np.linalg.norm(unit, axis=1, keepdims=True), 1e-12)
    if len(unit) < 2:
        return np.zeros((len(unit), 2), np.float32)
    sample = unit
    if len(unit) > EXACT_MAX:
        sample = unit[np.random.default_rng(seed).choice(len(unit), EXACT_MAX, replace=False)]
    centre = sample.mean(axis=0)
    covariance = (sample - centre).T.astype(np.float64) @ (sample - centre)
    _, axes = np.linalg.eigh(covariance)
    axes = axes[:, ::-1][:, :dimensions]
    axes *= np.where(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])] < 0, -1, 1)
    return np.asarray((unit - centre) @ axes.astype(np.float32), np.float32)


def _two_columns(flat: np.ndarray) -> np.ndarray:
    out = np.zeros((len(flat), 2), np.float32)
    out[:, : min(2, flat.shape[1])] = flat[:, :2]
    return out


def _lay_out(flat: np.ndarray, seed: int, advance: Advance) -> np.ndarray:
    near, distance = nearest(flat, flat, NEIGHBOURS + 1)
    graph = fuzzy_graph(near[:, 1:], distance[:, 1:])
    advance(0.1)
    rng = np.random.default_rng(seed)
    start = _two_columns(flat)
    start = start / max(float(start.std()), 1e-12) * SPREAD / 2 + rng.normal(0, 1e-3, start.shape).astype(np.float32)
    epochs = 400 if len(flat) <= 10_000 else 200
    return descend(start, graph, epochs, rng, lambda: advance(0.9 / epochs))


def nearest(queries: np.ndarray, among: np.ndarray, k: int, *, quick: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Rows and Euclidean distances of the k nearest vectors, nearest first; `quick` may miss some near ones."""
    import faiss

    index: Any = faiss.IndexFlatL2(among.shape[1])
    if quick and len(among) > QUICK_MIN:
        cells = round(len(among) ** 0.5)
        index = faiss.IndexIVFFlat(index, among.shape[1], cells)
        index.cp.min_points_per_centroid, index.nprobe = 1, max(4, cells // 16)
        index.train(np.ascontiguousarray(among))
    index.add(np.ascontiguousarray(among))
    squared, rows = index.search(np.ascontiguousarray(queries), min(k, len(among)))
    return rows, np.sqrt(np.maximum(squared, 0))


def fuzzy_graph(near: np.ndarray, distance: np.ndarray) -> sparse.coo_matrix:
    """UMAP's fuzzy graph: how much each point counts another as its neighbour, made symmetric by a fuzzy union.

    Args:
        near: (n, k) rows of the nearest others.
        distance: (n, k) their distances.
    """
    n, k = near.shape
    beyond = np.maximum(distance - distance[:, :1], 0).astype(np.float64)
    low, high = np.zeros(n), np.full(n, np.inf)
    sigma = np.maximum(beyond.mean(axis=1), 1e-8)
    for _ in range(48):
        wide = np.exp(-beyond / sigma[:, None]).sum(axis=1) > np.log2(k)
        high, low = np.where(wide, sigma, high), np.where(wide, low, sigma)
        sigma = np.where(np.isinf(high), sigma * 2, (low + high) / 2)
        sigma = np.clip(sigma, 1e-8, 1e8)
    weight = np.exp(-beyond / sigma[:, None])
    directed = sparse.csr_matrix((weight.ravel(), (np.repeat(np.arange(n), k), near.ravel())), shape=(n, n))
    back = directed.T.tocsr()
    union = (directed + back - directed.multiply(back)).tocoo()
    keep = (union.row != union.col) & (union.data > 1e-4)
    return sparse.coo_matrix((union.data[keep], (union.row[keep], union.col[keep])), shape=(n, n))


def descend(
    start: np.ndarray, graph: sparse.coo_matrix, epochs: int, rng: np.random.Generator, tick: Callable[[], None]
) -> np.ndarray:
    """Pull neighbours together and push random others apart, with a step that falls to zero."""
    position = start.astype(np.float32)
    head, tail = graph.row.astype(np.int64), graph.col.astype(np.int64)
    chance = (graph.data / graph.data.max()).astype(np.float32)
    for epoch in range(epochs):
        step = np.float32(1 - epoch / epochs)
        due = np.flatnonzero(rng.random(len(chance), np.float32) < chance)
        rng.shuffle(due)
        for part in np.array_split(due, max(4, len(due) // BATCH)):
            _pull_and_push(position, head[part], tail[part], step, rng)
        tick()
    return position


def _pull_and_push(
    position: np.ndarray, head: np.ndarray, tail: np.ndarray, step: np.float32, rng: np.random.Generator
) -> None:
    n = len(position)
    gap = position[head] - position[tail]
    square = np.maximum((gap * gap).sum(axis=1), 1e-12)
    power = _power(square)
    pull = np.clip((-2 * CURVE_A * CURVE_B * power / square / (1 + CURVE_A * power))[:, None] * gap, -4, 4)
    other = rng.integers(0, n, (len(head), NEGATIVES), np.int32)
    gap = position[head][:, None] - position[other]
    square = (gap * gap).sum(axis=2)
    push = np.clip((2 * CURVE_B / (0.001 + square) / (1 + CURVE_A * _power(square)))[:, :, None] * gap, -4, 4)
    move = pull + push.sum(axis=1)
    for axis in (0, 1):
        position[:, axis] += step * (np.bincount(head, move[:, axis], n) - np.bincount(tail, pull[:, axis], n)).astype(
            np.float32
        )


def _power(square: np.ndarray) -> np.ndarray:
    """d^2b from d²; the logarithm of a float32 array is far quicker than its power."""
    return np.asarray(np.exp(np.float32(CURVE_B) * np.log(np.maximum(square, np.float32(1e-12)))))


def _place(vectors: np.ndarray, landmarks: np.ndarray, positions: np.ndarray, k: int = 5) -> np.ndarray:
    """Put further points between their nearest landmarks, nearer ones counting more."""
    near, distance = nearest(vectors, landmarks, k, quick=True)
    weight = 1 / np.maximum(distance, 1e-6) ** 4
    weight /= weight.sum(axis=1, keepdims=True)
    return np.asarray((positions[near] * weight[:, :, None]).sum(axis=1), np.float32)
