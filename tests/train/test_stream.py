from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch.utils.data import DataLoader

from aqqua.errors import ConfigError
from aqqua.store.dataset import Dataset
from aqqua.train.data import ImageStream
from tests.make.datasets import miniature


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return miniature(tmp_path_factory.mktemp("stream") / "data", (40, 23))


def uid_and_sum(pixels: np.ndarray, uid: int) -> tuple[int, int]:
    return uid, int(pixels.sum())


def as_list(batch: list[Any]) -> list[Any]:
    return batch


def stream(dataset: Dataset, **options: Any) -> ImageStream:
    return ImageStream([dataset], uid_and_sum, **{"block": 8, "pool": 16, **options})


def truth(dataset: Dataset) -> list[tuple[int, int]]:
    return [(uid, int(pixels.sum())) for shard in dataset.shards for uid, pixels in dataset.iter_images(shard)]


@pytest.mark.parametrize("workers", [0, 2])
def test_every_image_comes_once(dataset: Dataset, workers: int) -> None:
    loader = DataLoader(stream(dataset), batch_size=5, num_workers=workers, collate_fn=as_list)
    seen = [pair for batch in loader for pair in batch]
    assert sorted(seen) == sorted(truth(dataset))
    assert len(stream(dataset)) == len(seen) == 63


def test_the_order_follows_seed_and_epoch(dataset: Dataset) -> None:
    one, same, other, later = stream(dataset), stream(dataset), stream(dataset, seed=1), stream(dataset)
    later.set_epoch(1)
    assert list(one) == list(same) == list(one)
    assert list(one) != list(other)
    assert list(one) != list(later)


def test_neighbours_come_apart(dataset: Dataset) -> None:
    uids = [uid for uid, _ in stream(dataset)]
    together = sum(b - a == 1 for a, b in itertools.pairwise(uids))
    assert together < 12


def test_without_shuffling_it_is_the_order_of_storage(dataset: Dataset) -> None:
    assert list(stream(dataset, shuffle=False)) == truth(dataset)


def test_without_a_transform_it_is_the_pixels(dataset: Dataset) -> None:
    first = next(iter(ImageStream([dataset], shuffle=False)))
    np.testing.assert_array_equal(first, dataset.image(0))


def test_several_datasets_are_one_stream(dataset: Dataset, tmp_path: Path) -> None:
    other = miniature(tmp_path / "other", (9,))
    assert len(list(ImageStream([dataset, other], uid_and_sum))) == 72


def test_removed_images_do_not_come(dataset: Dataset, tmp_path: Path) -> None:
    mine = miniature(tmp_path / "mine", (9,)).add_tombstones([3, 4], "bubbles")
    assert sorted(uid for uid, _ in stream(mine)) == [0, 1, 2, 5, 6, 7, 8]


def test_a_block_of_nothing_is_refused(dataset: Dataset) -> None:
    with pytest.raises(ConfigError, match="blocks of 0"):
        stream(dataset, block=0)
