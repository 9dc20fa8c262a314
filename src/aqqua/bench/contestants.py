"""Who takes part: the model with and without size, the baselines of the same run, and peers – each as vectors."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from aqqua.bench.features import FEATURES
from aqqua.bench.labelled import Images, Labelled
from aqqua.bench.parts import Parts
from aqqua.bench.vectors import Classic, Describer, Network, Sizes, Thumbnails, describe_all, untrained

if TYPE_CHECKING:
    from aqqua.bench.peers import Peer
    from aqqua.models.checkpoint import Model

__all__ = ["CLASSIC", "Contestant", "Lineup", "line_up", "own_network"]

CLASSIC = "30 shape and intensity features"
COMPONENTS = 64
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Contestant:
    """A set of vectors to be measured.

    Args:
        name: in the tables.
        key: names the vectors for the cache.
        x: (n, d) of the labelled images.
        other: (m, d) of images of other instruments.
        sized: whether the vectors were told how large the image is.
    """

    name: str
    key: str
    x: Floats
    other: Floats | None = None
    sized: bool = False


@dataclass(frozen=True)
class Lineup:
    """All contestants, the baselines first.

    Args:
        classic: (n, 30) classic features of the labelled images.
        contestants: what is to be measured.
    """

    classic: Floats
    contestants: list[Contestant]

    @property
    def esd_um(self) -> Floats:
        """(n,) equivalent circular diameter of the largest object of each image."""
        return self.classic[:, FEATURES.index("equivalent_diameter_area")]


def own_network(model: Model) -> Network:
    """The model as describer."""
    key = f"model-{str(model.info['weights_sha256'])[:16]}-{model.preprocessing.hash}"
    return Network(model.network, model.preprocessing, key)


def line_up(
    model: Model,
    data: Labelled,
    parts: Parts,
    other: Images | None,
    *,
    peers: Sequence[Peer] = (),
    baselines: bool = True,
    cache: Path | None = None,
    seed: int = 0,
) -> Lineup:
    """Describe the labelled images, and those of other instruments, by everybody who takes part.

    Args:
        model: what is benchmarked.
        data: the labelled images.
        parts: principal components are fitted to what is learnt from.
        other: images of other instruments.
        peers: other people's models.
        baselines: whether baselines take part.
        cache: where vectors are kept.
        seed: of the untrained network.
    """
    own = own_network(model)
    base: list[Describer] = [Sizes(), Thumbnails(), untrained(model, data.images, seed)] if baselines else []
    everybody: list[Describer] = [Classic(), *base, own, *(peer.describer for peer in peers if peer.describer)]
    near = describe_all(data.images, everybody, cache)
    far = describe_all(other, everybody, cache) if other is not None else {}
    found: list[Contestant] = []
    if baselines:
        sizes, thumbnails, fresh = base
        found += [Contestant("log size of the image", sizes.key, near[sizes.key], far.get(sizes.key), sized=True)]
        found += [_components(thumbnails.key, near[thumbnails.key], far.get(thumbnails.key), parts)]
        found += [_standard(near["classic-1"], far.get("classic-1"), parts)]
        found += _network(fresh, "untrained network", near, far)
    found += _network(own, model.model_id, near, far)
    for peer in peers:
        found += _peer(peer, near, far, data.images, other)
    return Lineup(near[Classic().key], found)


def _network(one: Describer, name: str, near: dict[str, Floats], far: dict[str, Floats]) -> list[Contestant]:
    """A network of aqqua twice: with the size, and of unknown size."""
    assert isinstance(one, Network)
    x, blind = one.halves(near[one.key])
    there = one.halves(far[one.key]) if one.key in far else (None, None)
    sized = Contestant(name, f"{one.key}-sized", x, there[0], sized=True)
    if not one.twice:
        return [sized]
    return [sized, Contestant(f"{name}, size unknown", f"{one.key}-blind", blind, there[1])]


def _peer(
    peer: Peer, near: dict[str, Floats], far: dict[str, Floats], images: Images, other: Images | None
) -> list[Contestant]:
    if isinstance(peer.describer, Network):
        return _network(peer.describer, peer.name, near, far)
    if peer.describer is not None:
        return [Contestant(peer.name, peer.describer.key, near[peer.describer.key], far.get(peer.describer.key))]
    x = peer.read(images)
    key = f"vectors-{hashlib.sha256(x.tobytes()).hexdigest()[:16]}"
    return [Contestant(peer.name, key, x, peer.read(other) if other is not None else None)]


def _standard(x: Floats, other: Floats | None, parts: Parts) -> Contestant:
    """Classic features in units of their spread; counts and areas, which span decades, by their logarithm."""
    train = _tame(x)[parts.train_rows]
    mean, spread = train.mean(axis=0), np.maximum(train.std(axis=0), 1e-6)
    there = None if other is None else (_tame(other) - mean) / spread
    return Contestant(CLASSIC, f"classic-{parts.key}", (_tame(x) - mean) / spread, there, sized=True)


def _tame(x: Floats) -> Floats:
    tame: Floats = (np.sign(x) * np.log1p(np.abs(x))).astype(np.float32)
    return tame


def _components(key: str, x: Floats, other: Floats | None, parts: Parts) -> Contestant:
    """The 64 principal components of the pixels of the training images."""
    train = x[parts.train_rows].astype(np.float64)
    mean = train.mean(axis=0)
    _, axes = np.linalg.eigh((train - mean).T @ (train - mean))
    first = axes[:, ::-1][:, :COMPONENTS]
    there = None if other is None else ((other - mean) @ first).astype(np.float32)
    name = f"pixels, {first.shape[1]} principal components"
    return Contestant(name, f"{key}-{parts.key}", ((x - mean) @ first).astype(np.float32), there)
