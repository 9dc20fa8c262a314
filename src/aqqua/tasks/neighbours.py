"""Exact nearest neighbours by cosine similarity, in blocks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["nearest", "unit"]

_BLOCK = 2048


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
    import torch

    queries, known = torch.from_numpy(unit(vectors)), torch.from_numpy(unit(reference))
    k = min(k, len(known))
    found, rows = [], []
    for first in range(0, len(queries), _BLOCK):
        similarity = queries[first : first + _BLOCK] @ known.T
        if same is not None:
            own = torch.from_numpy(same[first : first + _BLOCK])
            here = own >= 0
            similarity[here.nonzero()[:, 0], own[here]] = -torch.inf
        best = similarity.topk(k, dim=1)
        found.append(best.values)
        rows.append(best.indices)
    return torch.cat(found).numpy(), torch.cat(rows).numpy()
