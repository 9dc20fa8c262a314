"""Images for training: read in blocks, shuffled on two levels, grouped by size, from where a run stopped.

An epoch is a list of draws (instruments with temperature, see `draw`), cut into pools of whole blocks in random order:
a pool is read from disk sequentially and shuffled in memory. Everything is a function of (seed, epoch), so a position
is three numbers and a resumed run sees what the unbroken one would have seen. Several processes go through the same
batches, each with its part of every one, so the position does not depend on how many they are.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import xxhash
from numpy.typing import NDArray
from rich.markup import escape
from torch import Tensor

from aqqua.errors import ConfigError
from aqqua.models.preprocess import UNIT, Prepared, Preprocessing
from aqqua.models.vit import PATCH
from aqqua.progress import say
from aqqua.store.dataset import Dataset
from aqqua.train.stream import ImageStream
from aqqua.train.twins import find_twins, pairs, read_organisms

__all__ = ["Batch", "Catalogue", "Group", "ImageStream", "Loader", "Portion", "Position", "draw"]

BLOCK_IMAGES = 1024
"""Images read in one go: neighbours on disk."""
POOL_IMAGES = 16_384
"""Images shuffled together in memory …"""
POOL_BATCHES = 16
"""… or so many batches, if these are more: what is compared with each other is to come from many places."""
_SMALL_GROUP = 12


@dataclass(frozen=True)
class Position:
    """Where a run stands: the next batch to come."""

    epoch: int = 0
    pool: int = 0
    batch: int = 0


@dataclass(frozen=True)
class Group:
    """Images of a batch that are computed together: same kinds of channels, about the same number of tokens.

    Args:
        images: (n, c, h, w) in units of full scale, centred, background 0.
        sizes: (n, 3) log10 of long side, short side, pixel in µm.
        channels: (c,) index into `CHANNEL_TYPES`.
        side: rows and columns of tokens of the square views to make of them.
        place: (n,) where in the batch each image stands.
        instrument: (n,) which instrument took it, as a number.
    """

    images: Tensor
    sizes: Tensor
    channels: Tensor
    side: int
    place: Tensor
    instrument: Tensor


class Batch(list[Group]):
    """Groups of a batch.

    Args:
        groups: of the images.
        twins: of the images that stand in for them in the second view: the same organism seen by another camera where
            there is one, else the image itself; None if no image has a twin.
    """

    def __init__(self, groups: Iterable[Group], twins: list[Group] | None = None) -> None:
        super().__init__(groups)
        self.twins = twins


@dataclass(frozen=True)
class Portion:
    """What one process computes of the batch of a step.

    Args:
        parts: each gets a loss of its own.
        shares: of the images of the step, one for each part; over all processes they add up to 1.
        images: of the step, all processes together.
    """

    parts: list[Batch]
    shares: list[float]
    images: int


class Catalogue:
    """What images there are: one row each, over all datasets, in storage order.

    Args:
        datasets: to learn from; their cards must not forbid it.
        left_out: datasets that were given too, but whose cards do.
        organisms: which organism an object is, by object_id: what several cameras saw of one are its twins.
    """

    def __init__(
        self,
        datasets: Sequence[Dataset],
        left_out: Sequence[Dataset] = (),
        organisms: Mapping[str, str] | None = None,
    ) -> None:
        self.datasets, self.left_out = datasets, left_out
        tables = [ds.metadata(["instrument", "pixel_um", "channel_names"]) for ds in datasets]
        self.dataset = np.concatenate([np.full(len(t), i, dtype=np.int32) for i, t in enumerate(tables)])
        self.uid = np.concatenate([t["uid"].to_numpy() for t in tables]).astype(np.uint64)
        self.pixel_um = np.concatenate([t["pixel_um"].to_numpy() for t in tables]).astype(np.float64)
        names = [name for t in tables for name in t["instrument"].fill_null("").to_list()]
        self.instrument = np.unique(names, return_inverse=True)[1] if names else np.empty(0, dtype=np.int64)
        self.channel_names: list[str | None] = [name for t in tables for name in t["channel_names"].to_list()]
        shard, key = self.uid >> np.uint64(32), self.uid & np.uint64(0xFFFFFFFF)
        place = np.stack([self.dataset.astype(np.uint64), shard, key // np.uint64(BLOCK_IMAGES)], axis=1)
        self.block = np.unique(place, axis=0, return_inverse=True)[1].reshape(-1)
        self.twins = find_twins(datasets, organisms, self.instrument) if organisms else {}

    def __len__(self) -> int:
        """Number of images."""
        return len(self.uid)

    @property
    def fingerprint(self) -> str:
        """Which images these are: another one as soon as some are added, or withdrawn."""
        digest = xxhash.xxh3_128()
        for ds in self.datasets:
            digest.update(ds.uuid.encode())
        digest.update(np.ascontiguousarray(self.dataset).data)
        digest.update(np.ascontiguousarray(self.uid).data)
        return str(digest.hexdigest())


def open_for_training(paths: Sequence[Path | str], organisms: Path | str | None = None) -> Catalogue:
    """Open datasets to learn from; those whose owners do not allow it are left out, and it is said.

    Args:
        paths: of the datasets.
        organisms: table that says which objects are the same organism, see `aqqua.train.twins`.

    Raises:
        ConfigError: there are no images, or no dataset whose card allows training.
    """
    given = [Dataset.open(path) for path in paths]
    datasets = [ds for ds in given if ds.card.license_allows_training is not False]
    left_out = [ds for ds in given if ds.card.license_allows_training is False]
    for ds in left_out:
        say(f"Left out, its card does not allow training: {escape(str(ds.path))}")
    if left_out and not datasets:
        raise ConfigError(
            "the licence of this dataset does not allow training"
            if len(left_out) == 1
            else "the licences of these datasets do not allow training",
            where=", ".join(str(ds.path) for ds in left_out),
            do="take others, or ask the owners and change license_allows_training in the card",
        )
    catalogue = Catalogue(datasets, left_out, read_organisms(organisms) if organisms else None)
    if len(catalogue) < 2:
        raise ConfigError(
            f"{len(catalogue)} images are too few to train on",
            where=", ".join(map(str, paths)),
            do="ingest some first: aqqua ingest SOURCE… DATASET",
        )
    return catalogue


def draw(instrument: NDArray[np.int64], temperature: float, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw as many rows as there are, instruments in proportion to images ** temperature.

    Within an instrument every image is drawn equally often, or once more than another.
    """
    counts = np.bincount(instrument)
    weight = np.where(counts > 0, counts, 1) ** temperature * (counts > 0)
    wanted = np.rint(len(instrument) * weight / weight.sum()).astype(int)
    rows = []
    for code, (have, want) in enumerate(zip(counts, wanted, strict=True)):
        if have:
            mine = np.flatnonzero(instrument == code)
            rows += [mine] * (want // have) + [rng.permutation(mine)[: want % have]]
    return np.concatenate(rows)


class Loader:
    """Batches of prepared images, without end.

    Args:
        catalogue: the images.
        preprocessing: how they become signal.
        batch: images per batch, about: a pool is cut into equal parts.
        temperature: of the sampling over instruments.
        seed: of all random orders.
        cache_mb: keep prepared images up to this size, so that later epochs need not decode.
        twin_views: batches have twins, where the catalogue knows any.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        preprocessing: Preprocessing,
        *,
        batch: int,
        temperature: float = 0.5,
        seed: int = 0,
        cache_mb: int = 2048,
        twin_views: bool = True,
    ) -> None:
        self.twin_views = twin_views
        self.catalogue, self.preprocessing = catalogue, preprocessing
        self.batch, self.temperature, self.seed = batch, temperature, seed
        self._cache: dict[int, Prepared] = {}
        self._room = cache_mb * 2**20

    def batches(self, start: Position = Position()) -> Iterator[tuple[Batch, Position]]:
        """Yield batches from a position on, each with the position after it."""
        for portion, after in self.portions(start):
            yield portion.parts[0], after

    def portions(
        self, start: Position = Position(), parts: int = 1, mine: Sequence[int] = (0,)
    ) -> Iterator[tuple[Portion, Position]]:
        """Yield what one process computes of each batch, and the position after it.

        Args:
            start: the first batch.
            parts: every batch is cut into so many.
            mine: the parts of this process; no other images are read.

        Raises:
            ConfigError: there are parts of less than two images.
        """
        self._check(parts)
        epoch, first_pool, first_batch = start.epoch, start.pool, start.batch
        while True:
            pools = self._pools(epoch)
            for number in range(first_pool, len(pools)):
                batches = [np.array_split(rows, parts) for rows in self._batches(epoch, number, pools[number])]
                paired = self.twin_views and bool(self.catalogue.twins)
                others = [self._others(epoch, number, cut) for cut in batches] if paired else None
                wanted = [cut[i] for cuts in (batches, others or []) for cut in cuts[first_batch:] for i in mine]
                images = self._read(np.unique(np.concatenate(wanted)))
                for batch in range(first_batch, len(batches)):
                    portion = self._portion(batches[batch], mine, images, others[batch] if others else None)
                    yield portion, _after(epoch, number, batch, pools, batches)
                first_batch = 0
            epoch, first_pool = epoch + 1, 0

    def sample(self, n: int) -> list[Prepared]:
        """Return at most n images, instruments drawn as in training; the same for the same seed."""
        rng = np.random.default_rng(self.seed)
        rows = np.unique(draw(self.catalogue.instrument, self.temperature, rng))
        images = self._read(np.sort(rng.permutation(rows)[:n]))
        return list(images.values())

    def twins(self, n: int) -> list[tuple[Prepared, Prepared]]:
        """Return at most n pairs of images of one organism by two cameras; the same for the same seed."""
        found = pairs(self.catalogue.twins)
        found = found[np.sort(np.random.default_rng(self.seed).permutation(len(found))[:n])]
        images = self._read(np.unique(found)) if len(found) else {}
        return [(images[one], images[other]) for one, other in found.tolist()]

    def _pools(self, epoch: int) -> list[NDArray[np.int64]]:
        """The draws of an epoch, in pools of whole blocks."""
        rng = np.random.default_rng([self.seed, epoch])
        rows = draw(self.catalogue.instrument, self.temperature, rng)
        block = self.catalogue.block[rows]
        rank = rng.permutation(self.catalogue.block.max() + 1)[block]
        rows = rows[np.argsort(rank, kind="stable")]
        whole = np.cumsum(np.bincount(rank))  # draws up to the end of each block
        size = max(POOL_IMAGES, POOL_BATCHES * self.batch)
        ends = np.unique(whole[np.searchsorted(whole, np.arange(size, len(rows), size))])
        ends = ends[len(rows) - ends >= self.batch // 2]  # a small rest is no pool of its own
        return [pool for pool in np.split(rows, ends) if len(pool)]

    def _check(self, parts: int) -> None:
        least = min(self.batch // 2, len(self.catalogue)) // parts
        if parts > 1 and least < 2:
            raise ConfigError(
                f"{parts} parts of a batch of {self.batch} out of {len(self.catalogue)} images: "
                "some would have less than two images",
                where="fields batch, parts",
                do="give a larger batch, fewer parts or fewer processes",
            )

    def _batches(self, epoch: int, number: int, pool: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """The batches of a pool, as rows."""
        order = np.random.default_rng([self.seed, epoch, number]).permutation(pool)
        return np.array_split(order, max(1, round(len(order) / self.batch)))

    def _others(self, epoch: int, number: int, cut: list[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
        """The rows that stand in for those of a batch in the second view: a twin, else the image itself."""
        twins = self.catalogue.twins
        rng = np.random.default_rng([self.seed, epoch, number, int(cut[0][0])])
        return [np.array([rng.choice(twins[r]) if r in twins else r for r in rows.tolist()]) for rows in cut]

    def _portion(
        self,
        cut: Sequence[NDArray[np.int64]],
        mine: Sequence[int],
        images: dict[int, Prepared],
        others: Sequence[NDArray[np.int64]] | None,
    ) -> Portion:
        """The parts of one process of a batch that is cut in parts."""
        total, instrument = sum(map(len, cut)), self.catalogue.instrument
        parts = []
        for i in mine:
            groups = group([images[row] for row in cut[i]], instrument[cut[i]])
            twins = None if others is None else group([images[row] for row in others[i]], instrument[others[i]])
            parts.append(Batch(groups, twins))
        return Portion(parts, [len(cut[i]) / total for i in mine], total)

    def _read(self, rows: NDArray[np.int64]) -> dict[int, Prepared]:
        """Prepared images of rows, from memory or from disk block by block."""
        missing = np.array([row for row in rows if row not in self._cache], dtype=np.int64)
        images = {row: self._cache[row] for row in rows.tolist() if row in self._cache}
        if len(missing):
            for block in np.split(missing, np.flatnonzero(np.diff(self.catalogue.block[missing])) + 1):
                images.update(self._read_block(block.tolist()))
        return images

    def _read_block(self, rows: list[int]) -> dict[int, Prepared]:
        c = self.catalogue
        pixels = c.datasets[c.dataset[rows[0]]].images([int(c.uid[row]) for row in rows])
        images = {
            row: self.preprocessing.prepare(image, float(c.pixel_um[row]), c.channel_names[row])
            for row, image in zip(rows, pixels, strict=True)
        }
        size = sum(image.signal.nbytes for image in images.values())
        if size <= self._room:
            self._room -= size
            self._cache.update(images)
        return images


def _after(epoch: int, pool: int, batch: int, pools: Sequence[object], batches: Sequence[object]) -> Position:
    if batch + 1 < len(batches):
        return Position(epoch, pool, batch + 1)
    return Position(epoch, pool + 1, 0) if pool + 1 < len(pools) else Position(epoch + 1, 0, 0)


def group(images: Sequence[Prepared], instrument: NDArray[np.int64] | None = None) -> Batch:
    """Put images of the same kinds of channels and about the same number of tokens together.

    Args:
        images: of a batch, in its order.
        instrument: which one took each; all the same one if not given.
    """
    found: dict[tuple[tuple[int, ...], int], list[int]] = {}
    for place, image in enumerate(images):
        found.setdefault((image.channels, view_side(image)), []).append(place)
    groups: list[tuple[tuple[tuple[int, ...], int], list[int]]] = []
    for key in sorted(found):
        if groups and groups[-1][0][0] == key[0] and len(groups[-1][1]) < _SMALL_GROUP:
            found[key] = groups.pop()[1] + found[key]
        groups.append((key, found[key]))
    took = np.zeros(len(images), dtype=np.int64) if instrument is None else instrument
    return Batch(_stack(images, places, side, took) for (_, side), places in groups)


def view_side(image: Prepared) -> int:
    """Side, in tokens, of the square view with about as many tokens as the image has."""
    _, height, width = image.signal.shape
    return max(2, math.ceil(math.sqrt(height * width) / PATCH - 0.25))


def _stack(batch: Sequence[Prepared], places: list[int], side: int, instrument: NDArray[np.int64]) -> Group:
    """Centre the images at some places of a batch, each upright, in one tensor."""
    images = [batch[place] for place in places]
    upright = [p.signal if p.signal.shape[1] >= p.signal.shape[2] else p.signal.swapaxes(1, 2) for p in images]
    height, width = (max(s.shape[axis] for s in upright) for axis in (1, 2))
    field = np.zeros((len(images), len(upright[0]), height, width), dtype=np.float32)
    for room, signal in zip(field, upright, strict=True):
        top, left = (height - signal.shape[1]) // 2, (width - signal.shape[2]) // 2
        room[:, top : top + signal.shape[1], left : left + signal.shape[2]] = signal
    sizes = torch.tensor([p.size for p in images], dtype=torch.float32)
    pixels, channels = torch.from_numpy(field / UNIT).float(), torch.tensor(images[0].channels)
    return Group(pixels, sizes, channels, side, torch.tensor(places), torch.from_numpy(instrument[places]))
