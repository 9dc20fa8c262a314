"""Images of datasets for a PyTorch `DataLoader` of your own: read in blocks, shuffled on two levels.

    from torch.utils.data import DataLoader
    from aqqua.train.data import ImageStream

    stream = ImageStream([Dataset.open("mydata")], transform=my_transform, seed=1)
    for batch in DataLoader(stream, batch_size=256, num_workers=4):
        ...

Training by aqqua itself reads through `aqqua.train.data.Loader`, which also groups images by size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import IterableDataset, get_worker_info

from aqqua.errors import ConfigError
from aqqua.store.dataset import Dataset

__all__ = ["ImageStream"]


class ImageStream(IterableDataset[Any]):
    """Every image of some datasets once per epoch, in an order that is random and the same for the same seed.

    Blocks of neighbours come in random order; some of them at a time are read and shuffled in memory. So files are
    read in long runs, which network disks need, and images that were neighbours come far apart. The workers of a
    `DataLoader` share the blocks among themselves; the images of an epoch do not depend on their number, their
    order does.

    Args:
        datasets: what to read.
        transform: makes of pixels (rows, columns) or (rows, columns, channels) and the uid what a batch is made of;
            None for the pixels alone.
        shuffle: False for the order of storage.
        seed: of the order.
        block: images in a block.
        pool: images shuffled together in memory, in each worker.

    Raises:
        ConfigError: a block or pool of less than one image.
    """

    def __init__(
        self,
        datasets: Sequence[Dataset],
        transform: Callable[[NDArray[Any], int], Any] | None = None,
        *,
        shuffle: bool = True,
        seed: int = 0,
        block: int = 256,
        pool: int = 4096,
    ) -> None:
        if min(block, pool) < 1:
            raise ConfigError(f"blocks of {block} and pools of {pool} images", do="give at least one image to each")
        self.datasets, self.transform = list(datasets), transform
        self.shuffle, self.seed, self.block, self.pool, self.epoch = shuffle, seed, block, pool, 0
        self._uids = [dataset.metadata([])["uid"].to_numpy() for dataset in self.datasets]

    def __len__(self) -> int:
        """Number of images in an epoch, all workers together."""
        return sum(map(len, self._uids))

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of the next pass; each epoch has its own."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[Any]:
        """The images of this worker's blocks."""
        worker = get_worker_info()
        number, count = (0, 1) if worker is None else (worker.id, worker.num_workers)
        rng = np.random.default_rng([self.seed, self.epoch])
        blocks = self._blocks()
        order = rng.permutation(len(blocks)) if self.shuffle else np.arange(len(blocks))
        mine = [blocks[index] for index in order[number::count]]
        rng = np.random.default_rng([self.seed, self.epoch, number, count])
        together = max(1, self.pool // self.block) if self.shuffle else 1
        for first in range(0, len(mine), together):
            pool = [pair for place in mine[first : first + together] for pair in self._read(*place)]
            for index in rng.permutation(len(pool)) if self.shuffle else range(len(pool)):
                uid, pixels = pool[index]
                yield pixels if self.transform is None else self.transform(pixels, uid)

    def _blocks(self) -> list[tuple[int, int]]:
        """Dataset and first row of each block."""
        return [(index, first) for index, uids in enumerate(self._uids) for first in range(0, len(uids), self.block)]

    def _read(self, index: int, first: int) -> list[tuple[int, NDArray[Any]]]:
        uids = self._uids[index][first : first + self.block].tolist()
        return list(zip(uids, self.datasets[index].images(uids), strict=True))
