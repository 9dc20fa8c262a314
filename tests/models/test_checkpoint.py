from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from aqqua.errors import FormatError, NotFoundError
from aqqua.models.checkpoint import Model, load, save
from aqqua.models.preprocess import Preprocessing
from aqqua.models.vit import SIZES, VisionTransformer


@pytest.fixture
def model(tmp_path: Path) -> Model:
    torch.manual_seed(0)
    network = VisionTransformer(SIZES["pico"])
    about = {"title": "Shapes", "images": 3}
    return save(tmp_path / "m", network, Preprocessing(max_tokens=36), name="pico", training={"steps": 3}, data=[about])


def change(model: Model, **values: object) -> None:
    path = model.folder / "model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_what_is_saved_is_loaded(model: Model) -> None:
    again = load(model.folder)
    image, gray, size = torch.rand(2, 1, 16, 24), torch.tensor([0]), torch.tensor([[3.0, 2.5, 1.0]] * 2)
    torch.testing.assert_close(again.network(image, gray, size), model.network(image, gray, size), rtol=0, atol=0)
    assert again.preprocessing == Preprocessing(max_tokens=36)
    assert again.model_id == model.model_id == "pico-" + model.info["weights_sha256"][:8]
    assert again.info["data"] == [{"title": "Shapes", "images": 3}]
    assert not again.network.training


def test_only_two_files_and_no_pickle(model: Model) -> None:
    assert sorted(p.name for p in model.folder.iterdir()) == ["model.json", "model.safetensors"]


def test_the_same_weights_have_the_same_id(model: Model, tmp_path: Path) -> None:
    again = save(tmp_path / "n", model.network, model.preprocessing, name="pico", training={}, data=[])
    assert again.model_id == model.model_id


def test_no_model(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="aqqua train"):
        load(tmp_path)


def test_changed_weights_are_noticed(model: Model) -> None:
    path = model.folder / "model.safetensors"
    tensors = load_file(path)
    tensors["norm.bias"] = tensors["norm.bias"] + 1
    save_file(tensors, path)
    with pytest.raises(FormatError, match=r"not those model\.json describes"):
        load(model.folder)


def test_a_cut_file_is_noticed(model: Model) -> None:
    path = model.folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(FormatError, match="damaged"):
        load(model.folder)


def test_changed_preprocessing_is_noticed(model: Model) -> None:
    change(model, preprocessing={"max_tokens": 64})
    with pytest.raises(FormatError, match="not the one the model was trained with"):
        load(model.folder)


def test_weights_of_another_network_are_noticed(model: Model) -> None:
    config = dict(json.loads((model.folder / "model.json").read_text())["config"])
    change(model, config=config | {"depth": 3})
    with pytest.raises(FormatError, match=r"do not fit.*blocks\.2"):
        load(model.folder)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"format": "other"}, "not the model.json of an aqqua model"),
        ({"format_version": 2}, "model format 2"),
        ({"config": {"dim": 32, "surprise": 1}}, "ViTConfig cannot be"),
        ({"config": {"dim": 10**9}}, "layers of 1000000000"),
        ({"config": {"dim": 30}}, "do not share 30"),
        ({"config": 5}, "ViTConfig cannot be"),
        ({"preprocessing": {"version": 7}}, "version 7"),
    ],
)
def test_odd_json_is_told(model: Model, values: dict[str, object], message: str) -> None:
    change(model, **values)
    with pytest.raises(FormatError, match=message):
        load(model.folder)


def test_broken_json_is_told(model: Model) -> None:
    (model.folder / "model.json").write_text("{")
    with pytest.raises(FormatError, match="damaged"):
        load(model.folder)
