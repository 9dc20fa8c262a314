from __future__ import annotations

import numpy as np
import pytest
import torch

from aqqua.models.describe import describe, settle
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


def test_sixteen_bits_give_nearly_the_same(network: VisionTransformer, images: list[Prepared]) -> None:
    exact, coarse = describe(network, images), describe(network, images, bfloat16=True)
    assert coarse.dtype == np.float32
    assert 0 < np.abs(exact - coarse).max() < 0.05
    assert (exact * coarse).sum(axis=1).min() > 0.999
