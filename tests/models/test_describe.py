from __future__ import annotations

import numpy as np
import pytest
import torch

from aqqua.models.describe import batches, describe, settle
from aqqua.models.preprocess import Prepared, Preprocessing
from aqqua.models.vit import SIZES, VisionTransformer


@pytest.fixture(scope="module")
def network() -> VisionTransformer:
    torch.manual_seed(0)
    return VisionTransformer(SIZES["pico"]).eval()


@pytest.fixture(scope="module")
def images() -> list[Prepared]:
    rng = np.random.default_rng(0)
    shapes = [(20, 30), (40, 12, 3), (20, 30), (90, 90), (5, 5), (40, 12, 3)]
    return [Preprocessing().prepare(rng.integers(0, 256, shape, dtype=np.uint8), 10.0) for shape in shapes]


def test_order_is_kept_over_all_grids(network: VisionTransformer, images: list[Prepared]) -> None:
    done: list[int] = []
    together = describe(network, images, advance=done.append)
    alone = np.concatenate([describe(network, [image]) for image in images])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    assert sum(done) == len(images)


def test_a_batch_has_one_grid_and_one_set_of_channels(images: list[Prepared]) -> None:
    groups = list(batches(images))
    assert sorted(row for rows in groups for row in rows) == list(range(6))
    assert [0, 2] in groups
    assert [1, 5] in groups


def test_nothing_gives_nothing(network: VisionTransformer) -> None:
    assert describe(network, []).shape == (0, network.vector_length)


def test_settling_changes_the_vectors_not_the_network(images: list[Prepared]) -> None:
    torch.manual_seed(0)
    network = VisionTransformer(SIZES["pico"]).eval()
    weights = {name: value.clone() for name, value in network.named_parameters()}
    before = describe(network, images)
    settle(network, images)
    assert all(torch.equal(value, weights[name]) for name, value in network.named_parameters())
    after = describe(network, images)
    assert np.abs(after - before).max() > 0.01
    np.testing.assert_allclose(np.linalg.norm(after, axis=1), 1, atol=1e-5)
