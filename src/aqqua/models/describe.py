"""From prepared images to vectors: batches of one grid shape, dense attention, no padding."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from aqqua.models.preprocess import UNIT, Prepared
from aqqua.models.vit import VisionTransformer

__all__ = ["describe", "settle"]

_BATCH_TOKENS = 16_384


def describe(
    network: VisionTransformer, images: Sequence[Prepared], *, advance: Callable[[int], object] = lambda n: None
) -> NDArray[np.float32]:
    """Return the vectors (n, length) of prepared images, in their order.

    Args:
        network: in evaluation mode.
        images: any mix of sizes and channels.
        advance: told the number of images done after each batch.
    """
    return _run(network, network.describe, network.vector_length, images, advance)


def settle(network: VisionTransformer, images: Sequence[Prepared]) -> None:
    """Fit the whitening of a network to images; labels are not needed.

    Args:
        network: in evaluation mode; its vectors are others afterwards.
        images: a sample of what it was trained on, some thousands.
    """
    features = _run(network, network.features, len(network.whitening.mean), images, lambda n: None)
    network.whitening.fit(torch.from_numpy(features).to(network.whitening.mean.device))


def _run(
    network: VisionTransformer,
    compute: Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor],
    length: int,
    images: Sequence[Prepared],
    advance: Callable[[int], object],
) -> NDArray[np.float32]:
    """Call `compute` on batches of one grid, and put its rows in the order of the images."""
    device = next(network.parameters()).device
    out = np.empty((len(images), length), dtype=np.float32)
    with torch.inference_mode():
        for rows in batches(images):
            signal = torch.from_numpy(np.stack([images[row].signal for row in rows])).to(device).float() / UNIT
            channels = torch.tensor(images[rows[0]].channels, device=device)
            sizes = torch.tensor([images[row].size for row in rows], dtype=torch.float32, device=device)
            out[rows] = compute(signal, channels, sizes).cpu().numpy()
            advance(len(rows))
    return out


def batches(images: Sequence[Prepared]) -> Iterator[list[int]]:
    """Indices of images with the same channels and grid, so many that a batch has a bounded number of tokens."""
    found: dict[tuple[Any, ...], list[int]] = {}
    for index, image in enumerate(images):
        found.setdefault((image.channels, *image.grid), []).append(index)
    for (channels, rows, columns), members in sorted(found.items()):
        size = max(1, _BATCH_TOKENS // (rows * columns * len(channels)))
        for first in range(0, len(members), size):
            yield members[first : first + size]
