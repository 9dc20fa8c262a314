from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from aqqua.errors import MissingExtraError, NotFoundError, UnknownNameError
from aqqua.models.checkpoint import save
from aqqua.models.engines import choose_engine, open_model
from aqqua.models.preprocess import Preprocessing
from aqqua.models.vit import SIZES, VisionTransformer
from tests.make.onnx_models import write_plain_model


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    network = VisionTransformer(SIZES["pico"])
    return save(tmp_path / "weights", network, Preprocessing(), name="pico", training={}, data=[]).folder


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    return write_plain_model(tmp_path / "exported")


def test_auto_is_torch_where_there_are_weights(weights: Path, exported: Path) -> None:
    assert choose_engine(weights) == "torch"
    assert choose_engine(exported) == "onnx"
    (exported / "model.onnx").unlink()
    assert choose_engine(exported) == "onnx-int8"


def test_auto_without_torch_is_what_was_exported(
    weights: Path, exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    for name in ("model.onnx", "onnx.json"):
        (weights / name).write_bytes((exported / name).read_bytes())
    assert choose_engine(weights) == "onnx"
    (weights / "model.onnx").unlink()
    with pytest.raises(MissingExtraError, match="prediction needs torch"):
        choose_engine(weights)
    with pytest.raises(MissingExtraError, match="prediction needs torch"):
        open_model(weights, "torch")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingExtraError, match="onnxruntime"):
        choose_engine(exported)


def test_sixteen_bits_have_an_id_of_their_own(weights: Path) -> None:
    exact, coarse = open_model(weights, "torch"), open_model(weights, "torch-bf16")
    assert coarse.model_id == exact.model_id + "-bf16"
    assert (exact.engine, coarse.engine) == ("torch", "torch-bf16")
    images = [exact.preprocessing.prepare(np.eye(40, dtype=np.uint8) * 200, 10.0)]
    assert 0 < np.abs(exact.describe(images) - coarse.describe(images)).max() < 0.05


def test_what_is_not_there_is_told(tmp_path: Path, weights: Path) -> None:
    with pytest.raises(NotFoundError, match="aqqua train"):
        choose_engine(tmp_path)
    with pytest.raises(UnknownNameError, match="did you mean torch"):
        open_model(weights, "troch")
