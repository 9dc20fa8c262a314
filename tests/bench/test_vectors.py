from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from aqqua.bench.contestants import line_up, own_network
from aqqua.bench.labelled import Labelled, Seen, far_images, read_labelled
from aqqua.bench.parts import make_parts
from aqqua.bench.vectors import Classic, Describer, Sizes, Thumbnails, describe_all, untrained
from aqqua.models.checkpoint import Model, load
from aqqua.models.describe import describe
from aqqua.store.dataset import Dataset
from aqqua.train.run import train
from tests.make.trainable import make_dataset


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("vectors")
    make_dataset(folder / "shapes", 40, shards=2)
    train(data=[folder / "shapes"], out=folder / "model", size="pico", steps=2, batch=20, slices=8)
    return folder


@pytest.fixture(scope="module")
def data(folder: Path) -> Labelled:
    return read_labelled([Dataset.open(folder / "shapes")])


@pytest.fixture(scope="module")
def model(folder: Path) -> Model:
    return load(folder / "model")


def test_the_model_describes_with_and_without_size(model: Model, data: Labelled) -> None:
    own = own_network(model)
    x, blind = own.halves(describe_all(data.images, [own])[own.key])
    seen = [one for window in data.images.windows() for one in window]
    prepared = [model.preprocessing.prepare(*one) for one in seen]
    np.testing.assert_array_equal(x, describe(model.network, prepared))
    unknown = [model.preprocessing.prepare(one.pixels, None, one.channel_names) for one in seen]
    np.testing.assert_array_equal(blind, describe(model.network, unknown)[:, : model.network.config.vector])
    assert not describe(model.network, unknown)[:, model.network.config.vector :].any()
    np.testing.assert_allclose(np.linalg.norm(blind, axis=1), 1, rtol=1e-5)


def test_what_was_described_is_kept_and_used(model: Model, data: Labelled, tmp_path: Path) -> None:
    describers: list[Describer] = [Classic(), Sizes(), Thumbnails(), own_network(model)]
    first = describe_all(data.images, describers, tmp_path)
    assert len(list(tmp_path.glob("*.npy"))) == 4
    kept = next(tmp_path.glob("sizes*"))
    np.save(kept, np.load(kept) + 1)
    again = describe_all(data.images, describers, tmp_path)
    np.testing.assert_array_equal(again["sizes-1"], first["sizes-1"] + 1)
    kept.write_bytes(b"damaged")
    np.testing.assert_array_equal(describe_all(data.images, describers, tmp_path)["sizes-1"], first["sizes-1"])


def test_sizes_compare_sizes() -> None:
    def sized(side: int) -> Seen:
        return Seen(np.zeros((side, side), np.uint8), 10.0, None)

    small, near, large = Sizes()([sized(20), sized(22), sized(60)])
    assert small @ near > small @ large


def test_a_thumbnail_is_the_picture_in_a_square() -> None:
    image = np.full((40, 80), 200, np.uint8)
    image[10:30, 20:60] = 0
    small = Thumbnails()([Seen(image, 1.0, None)])[0].reshape(24, 24)
    assert small[12, 12] == pytest.approx(200 / 255)
    assert small[0].sum() == small[:, 0].sum() == 0
    tiny = Thumbnails()([Seen(image[::8, ::8], 1.0, None)])[0].reshape(24, 24)
    assert tiny[12, 12] == pytest.approx(200 / 255)


def test_the_untrained_network_is_another_one_and_the_same_each_time(model: Model, data: Labelled) -> None:
    own, fresh, again = own_network(model), untrained(model, data.images, 0), untrained(model, data.images, 0)
    assert fresh.key == again.key != untrained(model, data.images, 1).key
    found = describe_all(data.images, [own, fresh])
    np.testing.assert_array_equal(found[fresh.key], describe_all(data.images, [again])[again.key])
    assert not np.allclose(found[fresh.key], own.halves(found[own.key])[0], atol=0.05)


def test_everybody_is_lined_up_near_and_far(model: Model, data: Labelled, folder: Path) -> None:
    other = far_images([Dataset.open(folder / "shapes")], 7, seed=0)
    parts = make_parts(data)
    lineup = line_up(model, data, parts, other)
    names = [one.name for one in lineup.contestants]
    assert names == [
        "log size of the image",
        "pixels, 64 principal components",
        "30 shape and intensity features",
        "untrained network",
        model.model_id,
        f"{model.model_id}, size unknown",
    ]
    assert all(one.x.shape[0] == 40 and one.other is not None and len(one.other) == 7 for one in lineup.contestants)
    assert [one.sized for one in lineup.contestants] == [True, False, True, True, True, False]
    assert len({one.key for one in lineup.contestants}) == 6
    assert (lineup.esd_um > 10).all()
    assert len(line_up(model, data, parts, None, baselines=False).contestants) == 2
