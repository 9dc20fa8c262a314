from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from aqqua.bench.labelled import Images, read_labelled
from aqqua.bench.peers import Transformers, _mend_torchvision, as_rgb, open_peer
from aqqua.errors import ConfigError, FormatError, NotFoundError, UnknownNameError
from tests.make.trainable import make_dataset


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Images:
    folder = tmp_path_factory.mktemp("peers")
    return read_labelled([make_dataset(folder / "shapes", 12)]).images


@pytest.fixture(scope="module")
def photo_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model of transformers with the weights it began with, saved as its users save theirs."""
    _mend_torchvision()
    from transformers import ViTConfig, ViTImageProcessor, ViTModel

    folder = tmp_path_factory.mktemp("hf")
    config = ViTConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32, image_size=32, patch_size=16
    )
    ViTModel(config).save_pretrained(folder)
    ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


@pytest.mark.slow
def test_a_model_of_transformers_describes_images_of_every_kind(photo_model: Path, images: Images) -> None:
    peer = open_peer(f"hf:{photo_model}")
    assert isinstance(peer.describer, Transformers)
    seen = [one for window in images.windows() for one in window]
    assert {one.pixels.ndim for one in seen} == {2, 3}
    assert {one.pixels.dtype.name for one in seen} == {"uint8", "uint16"}
    x = peer.describer(seen)
    assert x.shape == (12, 32)  # the first token, and the mean of the others
    assert np.isfinite(x).all()
    np.testing.assert_allclose(x[3:5], peer.describer(seen[3:5]), atol=1e-5)
    assert open_peer(f"hf:{photo_model}").describer.key == peer.describer.key  # type: ignore[union-attr]


def test_maps_are_averaged_and_tokens_told_apart() -> None:
    import torch

    from aqqua.bench.peers import _pooled

    assert _pooled(torch.ones(2, 5, 3, 3)).shape == (2, 5)
    tokens = torch.zeros(1, 3, 2)
    tokens[0, 0] = 4
    tokens[0, 1] = 2
    assert _pooled(tokens).tolist() == [[4, 4, 1, 1]]


def test_every_image_becomes_a_photograph() -> None:
    assert as_rgb(np.full((4, 5), 256 * 7, np.uint16)).tolist() == np.full((4, 5, 3), 7).tolist()
    assert as_rgb(np.full((4, 5, 2), 9, np.uint8)).shape == (4, 5, 3)
    assert as_rgb(np.zeros((4, 5, 3), np.uint8)).shape == (4, 5, 3)


def test_vectors_made_elsewhere_are_joined_by_uid(images: Images, tmp_path: Path) -> None:
    uid = images.table["uid"].to_list()
    vectors = np.random.default_rng(0).normal(size=(12, 5)).astype(np.float32)
    order = np.random.default_rng(1).permutation(12)
    frame = pl.DataFrame({"uid": [uid[i] for i in order], "vector": vectors[order].tolist()})
    frame.write_parquet(tmp_path / "mine.parquet")
    peer = open_peer(f"vectors:{tmp_path / 'mine.parquet'}")
    assert peer.name == "mine"
    np.testing.assert_allclose(peer.read(images), vectors, rtol=1e-6)
    named = frame.with_columns(dataset=pl.lit(images.datasets[0].uuid))
    pl.concat([named, named.with_columns(dataset=pl.lit("another"))]).write_parquet(tmp_path / "two.parquet")
    np.testing.assert_allclose(open_peer(f"vectors:{tmp_path / 'two.parquet'}").read(images), vectors, rtol=1e-6)
    frame[:9].write_parquet(tmp_path / "few.parquet")
    with pytest.raises(FormatError, match="3 of 12 images have no vector"):
        open_peer(f"vectors:{tmp_path / 'few.parquet'}").read(images)
    frame.drop("uid").write_parquet(tmp_path / "bad.parquet")
    with pytest.raises(FormatError, match="no vectors"):
        open_peer(f"vectors:{tmp_path / 'bad.parquet'}").read(images)


def test_what_is_no_peer_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="names no peer"):
        open_peer("dinov2")
    with pytest.raises(UnknownNameError, match="no kind of peer is called 'hub'"):
        open_peer(f"hub:{tmp_path}")
    with pytest.raises(NotFoundError, match="no such peer"):
        open_peer(f"hf:{tmp_path / 'no'}")
    with pytest.raises(NotFoundError, match="no model of transformers"):
        open_peer(f"hf:{tmp_path}")
    (tmp_path / "config.json").write_text('{"model_type": "nonsense"}')
    (tmp_path / "model.safetensors").write_bytes(b"x")
    with pytest.raises(FormatError, match="cannot open"):
        open_peer(f"hf:{tmp_path}")


def test_pickled_weights_are_not_opened(photo_model: Path, tmp_path: Path) -> None:
    for path in photo_model.glob("*.json"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "pytorch_model.bin").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(NotFoundError, match="safetensors"):
        open_peer(f"hf:{tmp_path}")
