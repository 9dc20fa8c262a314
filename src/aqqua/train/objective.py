"""What the model learns from: two views of one object must agree, and all objects together must stay spread.

No teacher, no prototypes, no queue, no negatives. Invariance pulls the two views of an object together; alone it would
put all objects on one point. So the cloud of embeddings is held at a given place, scale and shape:

    L = (1 − λ) · invariance + λ · (centre + scale + shape)

VISReg (Wu, Balestriero and Levine 2026, arXiv 2606.02572; haiyuwu.github.io/visreg) with scale after VICReg (Bardes
et al. 2022, arXiv 2105.04906) and shape by sliced Wasserstein distance to the isotropic Gaussian that LeJEPA
(Balestriero and LeCun 2025, arXiv 2511.08544) shows to be the best target for unknown tasks.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

__all__ = ["Objective", "Terms", "camera_distance", "shape_distance", "told"]


_SMALL_CLOUD = 8


def _none() -> Tensor:
    return torch.zeros(())


@dataclass(frozen=True)
class Terms:
    """The loss and its parts, each a tensor without dimensions; parts of other objectives are 0."""

    loss: Tensor
    invariance: Tensor = field(default_factory=_none)
    centre: Tensor = field(default_factory=_none)
    scale: Tensor = field(default_factory=_none)
    shape: Tensor = field(default_factory=_none)
    camera: Tensor = field(default_factory=_none)
    told: Tensor = field(default_factory=_none)
    told_size: Tensor = field(default_factory=_none)
    reconstruction: Tensor = field(default_factory=_none)
    agreement: Tensor = field(default_factory=_none)
    patches: Tensor = field(default_factory=_none)
    apart: Tensor = field(default_factory=_none)


class Objective(nn.Module):
    """Invariance between views, and regularised centre, scale and shape of each view's embeddings.

    Args:
        weight: λ, the share of the regulariser (the paper: 0.9 for large data, 0.6 for small).
        slices: number of random directions per step in which the shape is compared.
        per_instrument: weight of holding each instrument's own cloud at the same place and scale.
    """

    def __init__(self, weight: float = 0.6, slices: int = 512, per_instrument: float = 0.0) -> None:
        super().__init__()
        self.weight, self.slices, self.per_instrument = weight, slices, per_instrument

    def forward(
        self, views: Tensor, generator: torch.Generator | None = None, instrument: Tensor | None = None
    ) -> Terms:
        """Return the loss of embeddings (views, n, d) of images by instruments (n,)."""
        mean = views.mean(dim=0, keepdim=True)
        invariance = (views - mean).square().mean()
        centre = views.mean(dim=1).square().mean()
        spread = views.std(dim=1)
        scale = (1 - spread).square().mean()
        shaped = (views - views.mean(dim=1, keepdim=True)) / (spread.detach()[:, None] + 1e-4)
        shape = shape_distance(shaped, self.slices, generator)
        loss = (1 - self.weight) * invariance + self.weight * (centre + scale + shape)
        if not self.per_instrument or instrument is None:
            return Terms(loss, invariance, centre, scale, shape)
        camera = camera_distance(views, instrument)
        return Terms(loss + self.per_instrument * camera, invariance, centre, scale, shape, camera)


def camera_distance(views: Tensor, instrument: Tensor) -> Tensor:
    """How far the clouds of single instruments lie from the common centre and scale.

    The squared mean of n normal numbers is 1/n by chance alone; this is taken off, so that small groups pull no harder
    than large ones and identical clouds cost nothing on average.

    Args:
        views: (views, n, d) embeddings.
        instrument: (n,) of the images. Those with less than eight images in the batch are left out.
    """
    costs, counts = [], []
    for one in torch.unique(instrument):
        mine = views[:, instrument == one]
        n = mine.shape[1]
        if n < _SMALL_CLOUD:
            continue
        variance = mine.var(dim=1)
        costs.append((mine.mean(dim=1).square() - variance / n).mean() + (1 - (variance + 1e-4).sqrt()).square().mean())
        counts.append(n)
    if not costs:
        return torch.zeros((), device=views.device)
    weight = torch.tensor(counts, device=views.device, dtype=views.dtype)
    return (torch.stack(costs) * weight).sum() / weight.sum()


def told(said: Tensor, measured: Tensor) -> Tensor:
    """How far what is said is from what was measured; each number counts in units of its spread in the batch.

    Args:
        said: (n, m) or (views, n, m).
        measured: (n, m); NaN where it is not known.
    """
    known = torch.isfinite(measured)
    count = known.sum(dim=0).clamp_min(1)
    filled = torch.where(known, measured, 0.0)
    mean = filled.sum(dim=0) / count
    spread = (torch.where(known, filled - mean, 0.0).square().sum(dim=0) / count).sqrt().clamp_min(1e-3)
    wanted = ((filled - mean) / spread).clamp(-4, 4)
    far = F.smooth_l1_loss(said, wanted.expand_as(said), reduction="none") * known
    return far.sum() / known.expand_as(said).sum().clamp_min(1)


def shape_distance(x: Tensor, slices: int, generator: torch.Generator | None = None) -> Tensor:
    """Return the squared sliced 2-Wasserstein distance of clouds (views, n, d) to the standard normal.

    Along each random direction the sorted projections are compared with the quantiles of the normal distribution.
    """
    n, d = x.shape[1:]
    directions = F.normalize(torch.randn(d, slices, generator=generator, device=x.device, dtype=x.dtype), dim=0)
    seen = (x @ directions).sort(dim=1).values
    middle = (torch.arange(n, device=x.device, dtype=x.dtype) + 0.5) / n
    wanted: Tensor = torch.special.ndtri(middle)
    return (seen - wanted[None, :, None]).square().mean()
