"""From prepared images to vectors: batches of one grid shape, dense attention, no padding."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from aqqua.models.grids import batches, stacked
from aqqua.models.preprocess import UNIT, Prepared
from aqqua.models.vit import VisionTransformer

__all__ = ["describe", "settle"]

_CPU_TOKENS, _CPU_TOKENS_16, _GPU_TOKENS = 2048, 8192, 65_536
"""Tokens of a batch: what stays in the cache of a processor, and what keeps an accelerator busy."""

Compute = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]


def describe(
    network: VisionTransformer,
    images: Sequence[Prepared],
    *,
    advance: Callable[[int], object] = lambda n: None,
    bfloat16: bool = False,
) -> NDArray[np.float32]:
    """Return the vectors (n, length) of prepared images, in their order.

    Args:
        network: in evaluation mode.
        images: any mix of sizes and channels.
        advance: told the number of images done after each batch.
        bfloat16: compute products with 16 bits.
    """
    return _run(network, network.describe, network.vector_length, images, advance, bfloat16)


def settle(
    network: VisionTransformer,
    images: Sequence[Prepared],
    twins: Sequence[tuple[Prepared, Prepared]] = (),
    *,
    weight: float = 0.0,
    unlearn: int = 0,
) -> None:
    """Fit the whitening of a network to images; labels are not needed.

    Args:
        network: in evaluation mode; its vectors are others afterwards.
        images: a sample of what it was trained on, some thousands.
        twins: pairs of images of one organism by two cameras; in what they differ counts less in the vectors.
        weight: of these differences, see `Whitening.fit`.
        unlearn: how many axes are left out for them.
    """

    def features(some: Sequence[Prepared]) -> torch.Tensor:
        told = _run(network, network.features, len(network.whitening.mean), some, lambda n: None, False)
        return torch.from_numpy(told).to(network.whitening.mean.device)

    if not twins:
        network.whitening.fit(features(images))
        return
    apart = features([one for one, _ in twins]) - features([other for _, other in twins])
    network.whitening.fit(features(images), apart=apart, weight=weight, unlearn=unlearn)


def _run(
    network: VisionTransformer,
    compute: Compute,
    length: int,
    images: Sequence[Prepared],
    advance: Callable[[int], object],
    bfloat16: bool,
) -> NDArray[np.float32]:
    """Call `compute` on batches of one grid, and put its rows in the order of the images."""
    device = next(network.parameters()).device
    tokens = _GPU_TOKENS if device.type != "cpu" else _CPU_TOKENS_16 if bfloat16 else _CPU_TOKENS
    out = np.empty((len(images), length), dtype=np.float32)
    with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=bfloat16):
        for rows in batches(images, tokens):
            signal, channels, sizes = (torch.from_numpy(array).to(device) for array in stacked(images, rows))
            out[rows] = compute(signal.float() / UNIT, channels, sizes).float().cpu().numpy()
            advance(len(rows))
    return out
