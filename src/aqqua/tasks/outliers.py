"""How far an image is from what is known: the mean cosine distance to its nearest neighbours.

After Sun et al. 2022, "Out-of-distribution detection with deep nearest neighbors" (arXiv 2204.06507).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aqqua.tasks.neighbours import nearest

__all__ = ["outlier_scores"]


def outlier_scores(
    vectors: NDArray[np.float32],
    reference: NDArray[np.float32],
    *,
    same: NDArray[np.int64] | None = None,
    k: int = 10,
) -> NDArray[np.float32]:
    """Return the mean cosine distance (0 to 2) of each vector to its k nearest reference vectors.

    Args:
        vectors: (n, d).
        reference: (m, d).
        same: (n,) row of `reference` that is the image itself and does not count, −1 for none.
        k: number of neighbours.
    """
    if len(reference) == 0:
        return np.full(len(vectors), np.nan, dtype=np.float32)
    similarity, _ = nearest(vectors, reference, k=k, same=same)
    finite = np.where(np.isfinite(similarity), similarity, np.nan)
    known = np.isfinite(finite).any(axis=1)
    scores = np.full(len(vectors), np.nan, dtype=np.float32)
    scores[known] = 1 - np.nanmean(finite[known], axis=1)
    return scores
