"""Three ways to learn without labels, behind one loop; each is a function that gives the loss of a batch.

    invariance      two views of an object agree, all objects stay spread (VISReg; the default, see `objective`)
    reconstruction  what lies at the places left out (masked autoencoder, He et al. 2022, arXiv 2111.06377)
    distillation    a slow copy of the network, which sees the whole view, is imitated (DINOv2, Oquab et al. 2024,
                    arXiv 2304.07193: classes over prototypes, iBOT's patches, KoLeo's distance)

The last two are here to be compared with; written from the formulas of the papers. To add one: a function with the
signature of these, an entry in `OBJECTIVES`, and what it needs beside the network in `make_heads`.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from aqqua.models.shape import MEASURES, measure
from aqqua.models.vit import PATCH, VisionTransformer
from aqqua.train.augment import augment, choose_tokens
from aqqua.train.config import TrainConfig
from aqqua.train.data import Batch, Group
from aqqua.train.distributed import whole
from aqqua.train.heads import Decoder, Projector, Prototypes
from aqqua.train.objective import Objective, Terms, told

if TYPE_CHECKING:
    from aqqua.train.state import Run

__all__ = ["OBJECTIVES", "SIZES_TOLD", "follow", "loss", "make_heads", "make_teacher"]

SIZES_TOLD = 2
"""Long and short side."""
_SHARP, _SHARPER = 0.1, 0.05
"""Temperatures of the network that learns and of the one it imitates."""
_SINKHORN = 3
_KOLEO = 0.1


@dataclass(frozen=True)
class View:
    """What the network saw of a group.

    Args:
        tokens: (n, 1 + registers + 1 + kept, dim).
        pixels: (n, c, side, side), the view itself.
        channels: (c,) kinds of its channels.
        kept: (n, kept) which of its tokens were computed.
    """

    tokens: Tensor
    pixels: Tensor
    channels: Tensor
    kept: Tensor


def loss(run: Run, batch: Batch, config: TrainConfig, device: torch.device, bfloat16: bool) -> Terms:
    """The loss of a batch: that of the objective, and of telling what was measured.

    Args:
        run: network, heads and random numbers.
        batch: groups of images, and those of their twins if there are any.
        config: which objective, and its weights.
        device: where to compute.
        bfloat16: whether matrix products are done in it.
    """
    with torch.autocast(device.type, torch.bfloat16, enabled=bfloat16):
        return OBJECTIVES[config.objective](run, batch, config, device)


def invariance(run: Run, batch: Batch, config: TrainConfig, device: torch.device) -> Terms:
    """Two views of each object, their embeddings, and how far these are from agreeing and from being well spread.

    Only the first view is told the size of its object. If both were, the size alone would make them agree, and the
    network would learn to look at little else. The second view is of the twin, where an object has one: the same
    organism seen by another camera.
    """
    views = [
        in_order(groups, [see(run, group, config, device, told=first).tokens[:, 0] for group in groups], batch)
        for groups, first in ((batch, True), (batch.twins or batch, False))
    ]
    camera = in_order(batch, [group.instrument.to(device) for group in batch], batch)
    with torch.autocast(device.type, enabled=False):
        embeddings = torch.stack([run.projector(view.float()) for view in views])
        objective = Objective(config.regulariser, config.slices, config.per_instrument)
        terms: Terms = objective(embeddings, run.generator, camera)
        if config.tell_shape or config.tell_size:
            return tell(run, terms, batch, views, config)
    return terms


def tell(run: Run, terms: Terms, batch: Batch, views: list[Tensor], config: TrainConfig) -> Terms:
    """Add to the loss how badly the views tell what was measured on their images."""
    assert isinstance(run.projector, Projector)
    said = torch.stack([run.projector.tell(view.float()) for view in views])
    measured, sizes = [], []
    for groups in (batch, batch.twins or batch):
        m = [measure(group.images.to(said.device)) for group in groups]
        measured.append(in_order(groups, m, batch))
        s = [group.sizes[:, :SIZES_TOLD].to(said.device) for group in groups]
        sizes.append(in_order(groups, s, batch))
    pairs = list(zip(said, measured, strict=True))
    shape = torch.stack([told(one[:, :MEASURES], truth) for one, truth in pairs]).mean()
    size = told(said[-1, :, MEASURES:], sizes[-1])
    whole = terms.loss + config.tell_shape * shape + config.tell_size * size
    return replace(terms, loss=whole, told=shape, told_size=size)


def reconstruction(run: Run, batch: Batch, config: TrainConfig, device: torch.device) -> Terms:
    """One view of each object, computed in part: what is in the rest?"""
    wrong, pixels = [], 0
    for group in batch:
        view = see(run, group, config, device, told=True)
        said = run.projector(view.tokens, view.kept, group.side)
        truth = F.pixel_unshuffle(view.pixels.mean(dim=1, keepdim=True), PATCH).flatten(2).transpose(1, 2)
        hidden = torch.ones(truth.shape[:2], device=truth.device).scatter(1, view.kept, 0.0)
        each = (said.float() - truth).square().mean(dim=2) * hidden
        wrong.append(each.sum())
        pixels += int(hidden.sum())
    mean = torch.stack(wrong).sum() / max(pixels, 1) * 25  # signal of a fifth of full scale counts as one
    return Terms(mean, reconstruction=mean)


def distillation(run: Run, batch: Batch, config: TrainConfig, device: torch.device) -> Terms:
    """The network sees parts of two views; its slow copy sees both whole, and says which prototypes they are like."""
    views = [_two_looks(run, batch, config, device, told=first) for first in (True, False)]
    images, wanted = [v.said for v in views], [balanced(v.wanted) for v in views]
    agreement = (_cross(images[0], wanted[1]) + _cross(images[1], wanted[0])) / 2
    patches = torch.stack([_cross(v.patches, balanced(v.patches_wanted)) for v in views]).mean()
    apart = torch.stack([koleo(v.vectors) for v in views]).mean()
    return Terms(agreement + patches + _KOLEO * apart, agreement=agreement, patches=patches, apart=apart)


@dataclass(frozen=True)
class _Looks:
    """Prototype scores of one view of a batch, by the network and by its slow copy; and the network's vectors."""

    said: Tensor
    wanted: Tensor
    patches: Tensor
    patches_wanted: Tensor
    vectors: Tensor


def _two_looks(run: Run, batch: Batch, config: TrainConfig, device: torch.device, *, told: bool) -> _Looks:
    teacher = run.teacher
    assert teacher is not None
    found: list[tuple[Tensor, ...]] = []
    for group in batch:
        view = see(run, group, config, device, told=told)
        image, guessed, patches = run.projector(view.tokens, view.kept, group.side)
        with torch.no_grad():
            sizes = torch.full((len(view.pixels), 3), math.nan, device=device)
            tokens = teacher.network.tokens(view.pixels, view.channels, sizes)
            image_wanted, wanted = teacher.heads.whole(tokens)
        there = wanted.gather(1, view.kept[..., None].expand(-1, -1, wanted.shape[-1]))
        both, truth = torch.cat([guessed, patches], dim=1), torch.cat([wanted, there], dim=1)
        found.append((image, image_wanted, both.flatten(0, 1), truth.flatten(0, 1), view.tokens[:, 0]))
    return _Looks(*(torch.cat(parts).float() for parts in zip(*found, strict=True)))


OBJECTIVES: dict[str, Callable[[Run, Batch, TrainConfig, torch.device], Terms]] = {
    "invariance": invariance,
    "reconstruction": reconstruction,
    "distillation": distillation,
}
"""Name → loss of a batch."""


def see(run: Run, group: Group, config: TrainConfig, device: torch.device, *, told: bool) -> View:
    """One view of each image of a group, as tokens; told or not told how large the object is."""
    pixels, sizes, channels = augment(group, PATCH, config.augmentation, run.generator, device)
    if not told:
        sizes = torch.full_like(sizes, math.nan)
    kept = choose_tokens(pixels, PATCH, config.keep, run.generator)
    channels = channels.to(device)
    return View(run.network.tokens(pixels, channels, sizes.to(device), kept), pixels, channels, kept)


def in_order(groups: list[Group], parts: list[Tensor], batch: Batch) -> Tensor:
    """What was computed group by group, in the order of the batch; as it comes where nobody compares two orders."""
    together = torch.cat(parts)
    if batch.twins is None:
        return together
    place = torch.cat([group.place for group in groups]).to(together.device)
    return torch.empty_like(together).index_copy(0, place, together)


@torch.no_grad()
def balanced(scores: Tensor) -> Tensor:
    """Shares (n, prototypes) of prototypes such that all are used alike (Sinkhorn and Knopp; Caron et al. 2020)."""
    shares = (scores / _SHARPER - (scores / _SHARPER).amax()).exp()
    for _ in range(_SINKHORN):
        shares = shares / shares.sum(dim=0).clamp_min(1e-12) / shares.shape[1]
        shares = shares / shares.sum(dim=1, keepdim=True).clamp_min(1e-12) / shares.shape[0]
    return shares * shares.shape[0]


def koleo(x: Tensor) -> Tensor:
    """Minus the mean log distance to the nearest other vector (Sablayrolles et al. 2019, arXiv 1806.03198)."""
    x = F.normalize(x, dim=1)
    near = (x @ x.T).fill_diagonal_(-1.0).argmax(dim=1)
    near_by: Tensor = torch.linalg.vector_norm(x - x[near], dim=1)
    return -(near_by + 1e-6).log().mean()


def _cross(scores: Tensor, wanted: Tensor) -> Tensor:
    return -(wanted * (scores / _SHARP).log_softmax(dim=1)).sum(dim=1).mean()


@dataclass
class Teacher:
    """A slow copy of what is trained; never trained itself."""

    network: VisionTransformer
    heads: Prototypes


def make_heads(config: TrainConfig, network: VisionTransformer) -> nn.Module:
    """What stands between the network and its objective, and is thrown away after training."""
    if config.objective == "reconstruction":
        return Decoder(network.config, PATCH**2)
    if config.objective == "distillation":
        return Prototypes(network.config, config.hidden, config.prototypes)
    asked = MEASURES + SIZES_TOLD if config.tell_shape or config.tell_size else 0
    return Projector(network.config.dim, config.hidden, config.embedding, asked)


def make_teacher(config: TrainConfig, network: VisionTransformer, heads: nn.Module) -> Teacher | None:
    """The slow copy, for the objective that has one."""
    if not isinstance(heads, Prototypes):
        return None
    return Teacher(copy.deepcopy(network).requires_grad_(False), copy.deepcopy(heads).requires_grad_(False))


@torch.no_grad()
def follow(run: Run, config: TrainConfig, done: float) -> None:
    """Let the slow copy come a little nearer; ever less as training goes on (`done` from 0 to 1)."""
    if run.teacher is None:
        return
    stay = 1 - (1 - config.teacher_momentum) * (math.cos(math.pi * done) + 1) / 2
    for slow, fast in ((run.teacher.network, run.network), (run.teacher.heads, run.projector)):
        for a, b in zip(slow.parameters(), fast.parameters(), strict=True):
            a.lerp_(whole(b), 1 - stay)
