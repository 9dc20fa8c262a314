"""Prepared images in batches of one grid shape: no padding, so every token that is computed is one of an image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aqqua.models.preprocess import Prepared

__all__ = ["batches", "stacked"]


def batches(images: Sequence[Prepared], tokens: int) -> Iterator[list[int]]:
    """Indices of images with the same channels and grid.

    Args:
        images: any mix of sizes and channels.
        tokens: a batch has at most so many of them, all channels counted, but at least one image.
    """
    found: dict[tuple[Any, ...], list[int]] = {}
    for index, image in enumerate(images):
        found.setdefault((image.channels, *image.grid), []).append(index)
    for (channels, rows, columns), members in sorted(found.items()):
        size = max(1, tokens // (rows * columns * len(channels)))
        for first in range(0, len(members), size):
            yield members[first : first + size]


def stacked(
    images: Sequence[Prepared], rows: Sequence[int]
) -> tuple[NDArray[np.int16], NDArray[np.int64], NDArray[np.float32]]:
    """Signals (n, c, height, width), kinds of channels (c,) and sizes (n, 3) of a batch."""
    signal = np.stack([images[row].signal for row in rows])
    sizes = np.array([images[row].size for row in rows], dtype=np.float32)
    return signal, np.array(images[rows[0]].channels, dtype=np.int64), sizes
