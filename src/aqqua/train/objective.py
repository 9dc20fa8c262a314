"""What the model learns from: two views of one object must agree, and all objects together must stay spread.

No teacher, no prototypes, no queue, no negatives. Invariance pulls the two views of an object together; alone it would
put all objects on one point. So the cloud of embeddings is held at a given place, scale and shape:

    L = (1 − λ) · invariance + λ · (centre + scale + shape)

VISReg (Wu, Balestriero and Levine 2026, arXiv 2606.02572; haiyuwu.github.io/visreg) with scale after VICReg (Bardes
et al. 2022, arXiv 2105.04906) and shape by sliced Wasserstein distance to the isotropic Gaussian that LeJEPA
(Balestriero and LeCun 2025, arXiv 2511.08544) shows to be the best target for unknown tasks.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

__all__ = ["Objective", "Projector", "Terms", "shape_distance", "told"]


@dataclass(frozen=True)
class Terms:
    """The loss and its parts, each a tensor without dimensions."""

    loss: Tensor
    invariance: Tensor
    centre: Tensor
    scale: Tensor
    shape: Tensor
    told: Tensor
    told_size: Tensor


class Projector(nn.Module):
    """What stands between the vector that is kept and the objective, and is thrown away after training.

    Two layers give the embedding that the objective shapes; two others tell what was measured, if that is asked for.

    Args:
        dim: length of the vector.
        hidden: width of the hidden layer.
        out: length of the embedding.
        told: how many measured numbers are to be told, if any.
    """

    def __init__(self, dim: int, hidden: int, out: int, told: int = 0) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(dim, hidden, bias=False), nn.BatchNorm1d(hidden), nn.GELU(), nn.Linear(hidden, out)
        )
        if told:
            self.tell = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, 256), nn.GELU(), nn.Linear(256, told))

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, dim) to (n, out)."""
        out: Tensor = self.net(x)
        return out


class Objective(nn.Module):
    """Invariance between views, and regularised centre, scale and shape of each view's embeddings.

    Args:
        weight: λ, the share of the regulariser (the paper: 0.9 for large data, 0.6 for small).
        slices: number of random directions per step in which the shape is compared.
    """

    def __init__(self, weight: float = 0.6, slices: int = 512) -> None:
        super().__init__()
        self.weight, self.slices = weight, slices

    def forward(self, views: Tensor, generator: torch.Generator | None = None) -> Terms:
        """Return the loss of embeddings (views, n, d)."""
        mean = views.mean(dim=0, keepdim=True)
        invariance = (views - mean).square().mean()
        centre = views.mean(dim=1).square().mean()
        spread = views.std(dim=1)
        scale = (1 - spread).square().mean()
        shaped = (views - views.mean(dim=1, keepdim=True)) / (spread.detach()[:, None] + 1e-4)
        shape = shape_distance(shaped, self.slices, generator)
        loss = (1 - self.weight) * invariance + self.weight * (centre + scale + shape)
        none = torch.zeros_like(loss)
        return Terms(loss, invariance, centre, scale, shape, none, none)


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
