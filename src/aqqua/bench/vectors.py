"""Vectors of all images, from whatever can describe one; computed in one pass over the pixels, and kept if asked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from math import nan
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from aqqua.bench.labelled import Images, Seen
from aqqua.models.preprocess import UNIT, Prepared, Preprocessing, resize_area
from aqqua.progress import job

if TYPE_CHECKING:
    from aqqua.models.checkpoint import Model
    from aqqua.models.vit import VisionTransformer

__all__ = ["Classic", "Describer", "Network", "Sizes", "Thumbnails", "describe_all", "untrained"]

Floats = NDArray[np.float32]
SIDE = 24
"""Side of a thumbnail for the principal components of pixels."""
_SETTLE = 4096
_NO_SIZE = (nan, nan, nan)


class Describer(Protocol):
    """Turns images into one row of numbers each."""

    @property
    def key(self) -> str:
        """What names it among all describers, for the cache."""

    def __call__(self, window: Sequence[Seen]) -> Floats:
        """Return (n, length) for n images."""


@dataclass(frozen=True)
class Network:
    """A network of aqqua: vectors with the size, and beside them vectors of the same images of unknown size.

    Args:
        network: in evaluation mode.
        preprocessing: how it wants its images.
        key: names the weights.
        twice: also without size.
    """

    network: VisionTransformer
    preprocessing: Preprocessing
    key: str
    twice: bool = True

    def __call__(self, window: Sequence[Seen]) -> Floats:
        """(n, 2 · length): with size, then without; or only the former."""
        from aqqua.models.describe import describe

        prepared = [self.preprocessing.prepare(*one) for one in window]
        if not self.twice:
            return describe(self.network, prepared)
        blind = [replace(one, size=_NO_SIZE) for one in prepared]
        return np.concatenate([describe(self.network, prepared), describe(self.network, blind)], axis=1)

    def halves(self, both: Floats) -> tuple[Floats, Floats]:
        """Vectors with, and vectors without size; the latter without the zeros where it would stand."""
        length = self.network.vector_length
        return both[:, :length], both[:, length : length + self.network.config.vector]


def untrained(model: Model, images: Images, seed: int) -> Network:
    """The same network with the weights it began with; its vectors are whitened like those of a trained one."""
    import torch

    from aqqua.models.describe import settle
    from aqqua.models.vit import VisionTransformer

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = VisionTransformer(model.network.config).eval()
    rows = np.linspace(0, len(images) - 1, min(_SETTLE, len(images))).astype(int).tolist()
    prepared = [model.preprocessing.prepare(*one) for window in images.windows(rows) for one in window]
    settle(network, prepared)
    return Network(
        network, model.preprocessing, f"untrained-{_shape(model)}-{model.preprocessing.hash}-{seed}", twice=False
    )


def _shape(model: Model) -> str:
    return hashlib.sha256(json.dumps(asdict(model.network.config)).encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Classic:
    """The thirty classic features, see `aqqua.bench.features`."""

    key: str = "classic-1"

    def __call__(self, window: Sequence[Seen]) -> Floats:
        """(n, 30)."""
        from aqqua.bench.features import classic_features

        return np.stack([classic_features(one.pixels, one.pixel_um or 1.0) for one in window])


@dataclass(frozen=True)
class Sizes:
    """Nothing but how large the image is, as points on circles, so that cosine similarity compares sizes."""

    key: str = "sizes-1"

    def __call__(self, window: Sequence[Seen]) -> Floats:
        """(n, 8)."""
        import torch

        from aqqua.models.vit import size_waves

        sides = [(max(one.pixels.shape[:2]), min(one.pixels.shape[:2]), one.pixel_um or 1.0) for one in window]
        um = np.array([(long * um, short * um, um) for long, short, um in sides])
        waves: Floats = size_waves(torch.from_numpy(np.log10(um).astype(np.float32))).numpy()
        return waves


@dataclass(frozen=True)
class Thumbnails:
    """Images as 24 × 24 pixels: centred in a square, mean of the channels; for principal components."""

    key: str = f"thumbnails-{SIDE}"

    def __call__(self, window: Sequence[Seen]) -> Floats:
        """(n, 576)."""
        native = Preprocessing(max_tokens=2**30, min_rows=1)
        return np.stack([_thumbnail(native.prepare(*one)) for one in window])


def _thumbnail(image: Prepared) -> Floats:
    signal = image.signal.astype(np.int32).mean(axis=0, keepdims=True).astype(np.int16)
    side = max(signal.shape[1:])
    rows, columns = side - signal.shape[1], side - signal.shape[2]
    square = np.pad(signal, ((0, 0), (rows // 2, rows - rows // 2), (columns // 2, columns - columns // 2)))
    if side > SIDE:
        square = resize_area(square, SIDE, SIDE)
    else:
        place = np.arange(SIDE) * side // SIDE
        square = square[:, place][:, :, place]
    flat: Floats = (square / UNIT).astype(np.float32).ravel()
    return flat


def describe_all(images: Images, describers: Sequence[Describer], cache: Path | None = None) -> dict[str, Floats]:
    """Describe all images by all describers, reading each image once.

    Args:
        images: the images.
        describers: what describes them.
        cache: folder where the numbers are kept, and looked for first.

    Returns:
        Key of the describer → (n, length).
    """
    found: dict[str, Floats] = {}
    for one in describers:
        if cache is not None and (kept := _kept(cache, images, one)) is not None:
            found[one.key] = kept
    missing = [one for one in describers if one.key not in found]
    if not missing:
        return found
    pieces: dict[str, list[Floats]] = {one.key: [] for one in missing}
    with job("Describing", len(images), unit="images") as advance:
        for window in images.windows():
            for one in missing:
                pieces[one.key].append(one(window))
            advance(len(window))
    for one in missing:
        found[one.key] = np.concatenate(pieces[one.key]).astype(np.float32)
        if cache is not None:
            _keep(cache, images, one, found[one.key])
    return found


def _path(cache: Path, images: Images, one: Describer) -> Path:
    return cache / f"{one.key}-{images.key}.npy"


def _kept(cache: Path, images: Images, one: Describer) -> Floats | None:
    path = _path(cache, images, one)
    try:
        rows: Floats = np.load(path, allow_pickle=False)
    except (OSError, ValueError):
        return None
    return rows if rows.ndim == 2 and len(rows) == len(images) and rows.dtype == np.float32 else None


def _keep(cache: Path, images: Images, one: Describer, rows: Floats) -> None:
    from aqqua.store.atomic import whole

    with whole(_path(cache, images, one)) as place, place.open("wb") as file:
        np.save(file, rows)
