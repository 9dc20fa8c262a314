"""What a ruler and a light meter would say about an image: numbers that do not change when the object turns.

Measured features have served plankton imaging for decades (Gorsky et al. 2010, doi:10.1093/plankt/fbp124), and they
know things that a small network learns slowly. So they stand beside the learned features before these are whitened,
and a network may be asked to tell them from an augmented view while it learns. No label is involved. All images of a
batch are measured at once, on the device, from the same signal the network sees:

- how large the object is in its picture, how long for its width, how bright, how even;
- brightness along the radius, mean and spread over the angles, and of the outline alone;
- the strength of two to eight folds around the centre (magnitudes of a Fourier transform over the angle, which a turn
  does not change; after the Zernike and Fourier descriptors of shape, Khotanzad and Hong 1990, doi:10.1109/34.55109);
- how much light changes from each scale to the next, and the histogram of brightness within the object.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

__all__ = ["MEASURES", "measure"]

_ANGLES, _RADII, _RINGS, _FOLDS = 48, 24, 6, 8
_LEVELS = (0.08, 0.16, 0.31, 0.47, 0.7)
_BINS = 10
_BLURS = (3, 3, 5, 7)
_OUTLINE = 0.1
"""Signal, as a share of full scale, above which a pixel belongs to the object."""

MEASURES = 7 + len(_LEVELS) + 4 * (_RADII // 2) + 2 * _RINGS * _FOLDS + 2 * len(_BLURS) + _BINS
"""How many numbers describe an image."""


def measure(images: Tensor) -> Tensor:
    """Measure each image.

    Args:
        images: (n, c, h, w) in units of full scale, background 0.

    Returns:
        (n, MEASURES), finite, of about the order of one.
    """
    light = images.mean(dim=1).clamp(-2, 2)
    inside = (light > _OUTLINE).float()
    weight = light.clamp_min(0) * inside + 1e-6
    centre, spread = _moments(weight)
    radius = 2.2 * spread.sum(dim=1).clamp_min(1.0).sqrt()
    rings = _around(torch.stack([light, inside], dim=1), centre, radius)
    told = [
        _whole(light, inside, weight, spread, radius),
        torch.stack([(light > level).float().sum(dim=(1, 2)).log1p() / 2 for level in _LEVELS], dim=1),
        _along_the_radius(rings),
        _folds(rings),
        _scales(light, inside),
        _histogram(light, inside),
    ]
    return torch.nan_to_num(torch.cat(told, dim=1), posinf=0.0, neginf=0.0)


def _moments(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Centre (n, 2) as x, y in pixels from the middle, and the two principal variances (n, 2), larger first."""
    _, h, w = weight.shape
    y, x = (torch.arange(n, device=weight.device, dtype=torch.float32) for n in (h, w))
    y, x = y - y.mean(), x - x.mean()
    total = weight.sum(dim=(1, 2))
    column, row = weight.sum(dim=1), weight.sum(dim=2)
    cx, cy = (column * x).sum(dim=1) / total, (row * y).sum(dim=1) / total
    xx = (column * x**2).sum(dim=1) / total - cx**2
    yy = (row * y**2).sum(dim=1) / total - cy**2
    xy = (weight * y[:, None] * x).sum(dim=(1, 2)) / total - cx * cy
    half, apart = (xx + yy) / 2, (((xx - yy) / 2) ** 2 + xy**2).sqrt()
    return torch.stack([cx, cy], dim=1), torch.stack([half + apart, (half - apart).clamp_min(0.05)], dim=1)


def _around(planes: Tensor, centre: Tensor, radius: Tensor) -> Tensor:
    """Planes (n, p, h, w) as seen from the centre, (n, p, angles, radii)."""
    _, _, h, w = planes.shape
    angle = 2 * math.pi * torch.arange(_ANGLES, device=planes.device) / _ANGLES
    share = (torch.arange(_RADII, device=planes.device) + 0.5) / _RADII
    reach = radius[:, None, None] * share[None, None, :]
    x = (centre[:, 0, None, None] + reach * angle.cos()[None, :, None]) * 2 / w
    y = (centre[:, 1, None, None] + reach * angle.sin()[None, :, None]) * 2 / h
    return F.grid_sample(planes, torch.stack([x, y], dim=-1), align_corners=False)


def _whole(light: Tensor, inside: Tensor, weight: Tensor, spread: Tensor, radius: Tensor) -> Tensor:
    """Size, elongation, mean, spread and peak of light, how filled, how sharp (n, 7)."""
    area = inside.sum(dim=(1, 2)).clamp_min(1.0)
    mean = (light * inside).sum(dim=(1, 2)) / area
    deviation = (((light - mean[:, None, None]) * inside) ** 2).sum(dim=(1, 2)).div(area).sqrt()
    down, across = light[:, 1:] - light[:, :-1], light[:, :, 1:] - light[:, :, :-1]
    edges = down.abs().sum(dim=(1, 2)) + across.abs().sum(dim=(1, 2))
    return torch.stack(
        [
            area.log() / 2,
            (spread[:, 0] / spread[:, 1]).log(),
            mean,
            deviation,
            light.amax(dim=(1, 2)),
            area / (math.pi * radius**2),
            (edges / area).log1p(),
        ],
        dim=1,
    )


def _along_the_radius(rings: Tensor) -> Tensor:
    """Mean and spread over the angles, of light and of the outline, at twelve radii (n, 48)."""
    coarse = torch.unflatten(rings, 3, (_RADII // 2, 2)).mean(dim=4)
    return torch.cat([coarse.mean(dim=2), coarse.std(dim=2)], dim=1).flatten(1)


def _folds(rings: Tensor) -> Tensor:
    """Strength of one to eight folds on six rings, of light and of the outline (n, 96)."""
    coarse = torch.unflatten(rings, 3, (_RINGS, -1)).mean(dim=4).transpose(2, 3)
    turn = 2 * math.pi / _ANGLES * torch.arange(_ANGLES, device=rings.device)
    angle = turn[:, None] * torch.arange(1, _FOLDS + 1, device=rings.device)
    even, odd = coarse @ angle.cos(), coarse @ angle.sin()
    return torch.log1p(10 / _ANGLES * (even**2 + odd**2 + 1e-12).sqrt()).flatten(1)


def _scales(light: Tensor, inside: Tensor) -> Tensor:
    """How much changes from one scale to the next, and the strongest light left (n, 8)."""
    told, now, area = [], light[:, None], inside.sum(dim=(1, 2)).clamp_min(1.0)
    for width in _BLURS:
        blurred = F.avg_pool2d(now, width, stride=1, padding=width // 2)
        change = (now - blurred).abs().sum(dim=(1, 2, 3)) / area
        told += [(10 * change).log1p(), blurred.amax(dim=(1, 2, 3))]
        now = F.avg_pool2d(blurred, 2) if width == _BLURS[0] and len(told) == 2 else blurred
    return torch.stack(told, dim=1)


def _histogram(light: Tensor, inside: Tensor) -> Tensor:
    """Shares of the object's pixels at ten levels of brightness (n, 10)."""
    edges = [level / _BINS for level in range(1, _BINS)]
    above = torch.stack([((light > edge).float() * inside).sum(dim=(1, 2)) for edge in edges], dim=1)
    all_of_it = inside.sum(dim=(1, 2))[:, None]
    counts = torch.cat([all_of_it, above], dim=1) - torch.cat([above, torch.zeros_like(all_of_it)], dim=1)
    return (counts.clamp_min(0) / all_of_it.clamp_min(1.0)).sqrt()
