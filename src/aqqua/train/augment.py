"""Other views of the same object: one `grid_sample` for turn, flip, zoom, stretch and shift; then light and focus.

Plankton has no up: every angle is as likely. Nothing is stretched to the range of the image, because brightness is
information. A zoom moves the picture and the scale token together: the object keeps its size in µm, the pixel changes.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from aqqua.train.config import Augmentation
from aqqua.train.data import Group

__all__ = ["augment", "choose_tokens"]

_EMPTY = 0.04
"""A token whose strongest signal is below this share of full scale has nothing in it."""


def augment(
    group: Group,
    patch: int,
    settings: Augmentation,
    generator: torch.Generator,
    device: torch.device | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Make one view of each image of a group.

    What is drawn is drawn on the CPU, so that it is the same on every device; pixels are moved once and changed there.

    Args:
        group: n images of c channels.
        patch: side of a token in pixels.
        settings: how far a view may be from its image.
        generator: of the random numbers, on the CPU.
        device: where the pixels are changed; where they are, if not given.

    Returns:
        Views (n, c', side, side) in pixels, their sizes (n, 3) and the kinds of their channels (c',).
    """
    n, side = len(group.images), group.side * patch
    low, high = (math.log(z) for z in settings.zoom)
    zoom = torch.exp(_uniform(n, low, high, generator))
    chosen = _channels(group.images.shape[1], settings.channel_drop, generator)
    images = group.images[:, chosen].to(device)
    views = _geometric(images, side, zoom, settings, generator)
    return (
        _photometric(views, settings, generator),
        _sizes(group.sizes, zoom, settings, generator),
        group.channels[chosen],
    )


def choose_tokens(views: Tensor, patch: int, share: float, generator: torch.Generator) -> Tensor:
    """Choose which tokens of each view are computed: at random, those with something in them first.

    Args:
        views: (n, c, h, w).
        patch: side of a token in pixels.
        share: of the tokens to keep.
        generator: of the random numbers.

    Returns:
        Indices (n, kept), in ascending order.
    """
    strength = F.max_pool2d(views.abs().amax(dim=1, keepdim=True), patch).flatten(1)
    order = torch.rand(strength.shape, generator=generator).to(views.device) + (strength > _EMPTY).float()
    keep = max(1, round(share * strength.shape[1]))
    return order.topk(keep, dim=1).indices.sort(dim=1).values


def _uniform(n: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(n, generator=generator)


def _channels(n: int, drop: float, generator: torch.Generator) -> Tensor:
    """Indices of the channels to keep: all, or now and then a random part of them."""
    if n == 1 or torch.rand(1, generator=generator).item() >= drop:
        return torch.arange(n)
    keep = int(torch.randint(1, n, (1,), generator=generator).item())
    return torch.randperm(n, generator=generator)[:keep].sort().values


def _sizes(sizes: Tensor, zoom: Tensor, s: Augmentation, generator: torch.Generator) -> Tensor:
    """Sizes of the views: the pixel follows the zoom, all are a little uncertain, some unknown."""
    moved = sizes + s.size_jitter * torch.randn(sizes.shape, generator=generator)
    moved[:, 2] -= torch.log10(zoom)
    moved[torch.rand(len(sizes), generator=generator) < s.size_drop] = math.nan
    return moved


def _geometric(images: Tensor, side: int, zoom: Tensor, s: Augmentation, generator: torch.Generator) -> Tensor:
    """Turn, flip, zoom, stretch and shift with one interpolation."""
    n, _, height, width = images.shape
    angle = _uniform(n, 0, 2 * math.pi, generator)
    stretch = torch.exp(0.5 * _uniform(n, -s.stretch, s.stretch, generator))
    flip = torch.where(torch.rand(n, generator=generator) < 0.5, -1.0, 1.0)
    half = side / 2 / zoom  # of the window, in pixels of the image
    x, y = width / 2, height / 2
    cos, sin = angle.cos(), angle.sin()
    shift_x, shift_y = (s.shift * _uniform(n, -1, 1, generator) * (extent - half).abs() / extent for extent in (x, y))
    rows = [
        torch.stack([flip * cos * half * stretch / x, -sin * half / stretch / x, shift_x], dim=1),
        torch.stack([flip * sin * half * stretch / y, cos * half / stretch / y, shift_y], dim=1),
    ]
    turned = torch.stack(rows, dim=1).to(images.device)
    grid = F.affine_grid(turned, [n, 1, side, side], align_corners=False)
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def _photometric(views: Tensor, s: Augmentation, generator: torch.Generator) -> Tensor:
    """Change exposure, contrast, focus and polarity, add noise."""
    n, device = len(views), views.device
    gain, gamma = (torch.exp(_uniform(n, -g, g, generator))[:, None, None, None].to(device) for g in (s.gain, s.gamma))
    views = gain * views.sign() * views.abs().clamp_min(1e-6) ** gamma
    blurred = (torch.rand(n, generator=generator) < s.blur).to(device)
    if blurred.any():
        views[blurred] = F.avg_pool2d(views[blurred], 3, stride=1, padding=1)
    if s.invert:
        inverted = (torch.rand(n, generator=generator) < s.invert).to(device)
        views = torch.where(inverted[:, None, None, None], -views, views)
    noise = _uniform(n, 0, s.noise, generator)[:, None, None, None].to(device)
    return views + noise * _normal(views, generator)


def _normal(like: Tensor, generator: torch.Generator) -> Tensor:
    """Normal numbers of a shape; on a GPU drawn there, from a seed that is drawn here."""
    if like.device.type == "cpu":
        return torch.randn(like.shape, generator=generator)
    seed = int(torch.randint(2**62, (1,), generator=generator).item())
    return torch.randn(like.shape, generator=torch.Generator(like.device).manual_seed(seed), device=like.device)
