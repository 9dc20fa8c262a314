from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from aqqua.errors import FormatError, MissingExtraError, NotFoundError, UnknownNameError
from aqqua.models.onnx import load_onnx
from aqqua.models.preprocess import Preprocessing
from tests.make.onnx_models import write_plain_model


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_plain_model(tmp_path / "model")


def test_vectors_come_in_the_order_of_the_images(folder: Path) -> None:
    rng, model = np.random.default_rng(0), load_onnx(folder)
    shapes = [(20, 30), (40, 12, 3), (90, 90), (20, 30), (5, 5, 2)]
    images = [rng.integers(0, 256, shape, dtype=np.uint8) for shape in shapes]
    sides = (10, 10, 5, None, 1)
    prepared = [model.preprocessing.prepare(pixels, um) for pixels, um in zip(images, sides, strict=True)]
    done: list[int] = []
    vectors = model.describe(prepared, advance=done.append)
    assert sum(done) == len(images)
    np.testing.assert_allclose(vectors[:, 0], [p.signal.mean() for p in prepared], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(vectors[:, 1], [0 if np.isnan(p.size[0]) else p.size[0] for p in prepared], rtol=1e-6)
    assert vectors[:, 2].tolist() == [1, 3, 1, 1, 2]
    assert model.describe([]).shape == (0, 3)


def test_the_id_and_the_facts_say_which_engine(folder: Path) -> None:
    exact, small = load_onnx(folder), load_onnx(folder, "onnx-int8")
    assert (exact.model_id, small.model_id) == ("plain-00c0ffee-onnx", "plain-00c0ffee-int8")
    assert exact.preprocessing == Preprocessing(max_tokens=36)
    facts = small.engine_facts
    assert facts["engine"] == "onnx-int8"
    assert facts["engine_version"].startswith("onnxruntime ")
    assert facts["engine_sha256"] != exact.engine_facts["engine_sha256"]


def test_what_is_not_there_is_told(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no model in this folder"):
        load_onnx(tmp_path)
    with pytest.raises(UnknownNameError, match="onnx-int8"):
        load_onnx(folder, "onnx-int4")
    (folder / "model.onnx").unlink()
    with pytest.raises(NotFoundError, match="--to onnx"):
        load_onnx(folder)


def test_a_changed_file_is_not_run(folder: Path) -> None:
    content = bytearray((folder / "model.onnx").read_bytes())
    content[-1] ^= 1
    (folder / "model.onnx").write_bytes(content)
    with pytest.raises(FormatError, match="damaged, or was exchanged"):
        load_onnx(folder)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"weights_sha256": "other"}, "made of other weights"),
        ({"preprocessing_hash": "other"}, "made of other weights"),
        ({"format": "something"}, "another format"),
        ({"format_version": 2}, "another format"),
        ({"files": {}}, "no SHA-256"),
        ({"files": 3}, "no SHA-256"),
        ({"files": {"model.onnx": {"sha256": 5}}}, "no SHA-256"),
    ],
)
def test_odd_descriptions_are_told(tmp_path: Path, changed: dict[str, object], message: str) -> None:
    with pytest.raises(FormatError, match=message):
        load_onnx(write_plain_model(tmp_path / "model", **changed))


def test_what_onnxruntime_cannot_read_is_told(folder: Path) -> None:
    import hashlib

    content = b"no graph"
    (folder / "model.onnx").write_bytes(content)
    told = json.loads((folder / "onnx.json").read_text())
    told["files"]["model.onnx"]["sha256"] = hashlib.sha256(content).hexdigest()
    (folder / "onnx.json").write_text(json.dumps(told))
    with pytest.raises(FormatError, match="onnxruntime cannot read"):
        load_onnx(folder)


def test_vectors_of_another_length_are_told(folder: Path) -> None:
    for name in ("model.json", "onnx.json"):
        told = json.loads((folder / name).read_text())
        (folder / name).write_text(json.dumps(told | {"vector_length": 4}))
    with pytest.raises(FormatError, match="no model of aqqua"):
        load_onnx(folder)


def test_a_missing_runtime_is_one_clear_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingExtraError, match=r"needs onnxruntime: pip install 'aqqua\[onnx\]'"):
        load_onnx(folder)
