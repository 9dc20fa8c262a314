"""Exact nearest neighbours by cosine similarity, in blocks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["nearest", "unit"]

_BLOCK, _GROUP = 256, 64


def unit(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    """Scale each row to length 1."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: NDArray[np.float32] = (vectors / np.maximum(length, 1e-12)).astype(np.float32)
    return scaled


def nearest(
    vectors: NDArray[np.floating],
    reference: NDArray[np.floating],
    *,
    k: int,
    same: NDArray[np.int64] | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return similarity and row of the k most similar reference vectors.

    Args:
        vectors: (n, d).
        reference: (m, d), m ≥ 1.
        k: number of neighbours; fewer if there are fewer.
        same: (n,) row of `reference` that is the vector itself and is left out, −1 for none.

    Returns:
        (n, k) similarities, best first, −inf where nothing is left, and (n, k) rows.
    """
    queries, known = unit(vectors), unit(reference)
    k, found, rows = min(k, len(known)), [], []
    for first in range(0, len(queries), _BLOCK):
        part = queries[first : first + _BLOCK]
        similarity = np.full((len(part), -(-len(known) // _GROUP) * _GROUP), -np.inf, dtype=np.float32)
        np.matmul(part, known.T, out=similarity[:, : len(known)])
        own = np.full(len(part), -1) if same is None else same[first : first + _BLOCK]
        similarity[np.flatnonzero(own >= 0), own[own >= 0]] = -np.inf
        best, where = _largest(similarity, k)
        found.append(best)
        rows.append(np.where(where < len(known), where, own[:, None]))  # left over: itself
    nothing = np.empty((0, k))
    return np.concatenate([nothing.astype(np.float32), *found]), np.concatenate([nothing.astype(np.int64), *rows])


def _largest(x: NDArray[np.float32], k: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The k largest of each row, in order, and where they are.

    They can only be in the k groups with the largest maxima: so most of a row is looked at once.
    """
    groups = x.reshape(len(x), -1, _GROUP)
    few = min(k, groups.shape[1])
    chosen = np.argpartition(groups.max(axis=2), -few, axis=1)[:, -few:]
    among = np.take_along_axis(groups, chosen[:, :, None], axis=1).reshape(len(x), -1)
    place = np.argpartition(among, -k, axis=1)[:, -k:]
    place = np.take_along_axis(place, np.argsort(-np.take_along_axis(among, place, axis=1), axis=1), axis=1)
    where = np.take_along_axis(chosen, place // _GROUP, axis=1) * _GROUP + place % _GROUP
    return np.take_along_axis(among, place, axis=1), where
