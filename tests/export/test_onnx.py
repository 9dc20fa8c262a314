"""The true exporter: some tens of seconds, so one export serves all tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from aqqua.errors import ConfigError, MissingExtraError, NotFoundError, StorageError
from aqqua.export import export
from aqqua.models.checkpoint import load
from aqqua.models.onnx import load_onnx
from aqqua.models.released import verify_released
from aqqua.train.run import train
from tests.make.trainable import make_dataset

pytestmark = pytest.mark.timeout(900)  # the exporter takes half a minute of an idle processor

WITHOUT_TORCH = """
import sys
sys.modules["torch"] = None
from aqqua.tasks.predict import predict
print(predict(sys.argv[1], [sys.argv[2]], engine=sys.argv[3]))
assert sys.modules["torch"] is None
assert not any(name.startswith("torch") and sys.modules[name] for name in sys.modules)
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("onnx")
    make_dataset(folder / "shapes", 40)
    return train(data=[folder / "shapes"], out=folder / "model", size="pico", steps=3, batch=15, slices=8)


@pytest.fixture(scope="module")
def exported(trained: Path) -> Path:
    out = trained.parent / "exported"
    report = export(trained, to="onnx", out=out, data=[trained.parent / "shapes"])
    assert [file.name for file in report.files] == ["model.json", "onnx.json", "model.onnx", "model.int8.onnx"]
    assert all("on 40 images: cosine" in note.message for note in report.notes)
    return out


@pytest.mark.slow
def test_every_grid_and_channel_gets_the_vector_torch_gives(trained: Path, exported: Path) -> None:
    rng = np.random.default_rng(1)
    model, exact, small = load(trained), load_onnx(exported), load_onnx(exported, "onnx-int8")
    shapes = [(h, w, *([c] if c > 1 else [])) for h in (5, 16, 40, 200) for w in (9, 33, 120) for c in (1, 2, 3, 5)]
    pixels: list[NDArray[Any]] = [rng.integers(0, 256, shape).astype(np.uint8) for shape in shapes]
    pixels += [(image.astype(np.uint16) * 200) for image in pixels[:6]]
    images = [model.preprocessing.prepare(one, (10.0, None, 3.5)[i % 3]) for i, one in enumerate(pixels)]
    wanted = model.describe(images)
    np.testing.assert_allclose(exact.describe(images), wanted, atol=2e-4)
    cosine = (small.describe(images) * wanted).sum(axis=1)
    assert cosine.min() > 0.99
    assert np.abs(small.describe(images) - wanted).max() > 0


@pytest.mark.slow
def test_the_files_tell_how_far_they_are_from_torch(exported: Path) -> None:
    told = json.loads((exported / "onnx.json").read_text())
    assert told["files"]["model.onnx"]["largest_difference"] < 2e-4
    assert told["files"]["model.int8.onnx"]["least_cosine"] > 0.99
    assert told["compared_on"] == "40 images"
    assert (exported / "model.int8.onnx").stat().st_size < 0.5 * (exported / "model.onnx").stat().st_size


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["auto", "onnx-int8"])
def test_predict_runs_where_torch_cannot_be_imported(exported: Path, tmp_path: Path, engine: str) -> None:
    """Labels teach heads, too: all of predict, in a process of its own."""
    ds = make_dataset(tmp_path / "ds", 24, shards=2)
    command = [sys.executable, "-W", "error", "-c", WITHOUT_TORCH, str(exported), str(ds.path), engine]
    quiet = os.environ | {"AQQUA_QUIET": "1"}
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300, env=quiet)
    assert done.returncode == 0, done.stderr
    assert "3 taxa learnt from 24 validated labels" in done.stdout
    (model_id,) = ds.prediction_models()
    assert model_id.endswith({"auto": "-onnx", "onnx-int8": "-int8"}[engine])
    info = json.loads((ds.path / "predictions" / model_id / "model.json").read_text())
    assert info["engine"] == {"auto": "onnx"}.get(engine, engine)
    assert len(info["engine_sha256"]) == 64
    assert ds.predictions()["taxon_linear"].null_count() == 0


@pytest.mark.slow
def test_the_predictions_are_those_of_torch(trained: Path, exported: Path, tmp_path: Path) -> None:
    from aqqua.tasks.predict import predict

    ds = make_dataset(tmp_path / "ds", 24)
    predict(trained, [ds.path], engine="torch")
    predict(exported, [ds.path], engine="onnx")
    models = ds.prediction_models()
    assert len(models) == 2
    one, two = (ds.predictions(model=name) for name in models)
    np.testing.assert_allclose(one["vector"].to_numpy(), two["vector"].to_numpy(), atol=1e-3)
    np.testing.assert_allclose(one["outlier"], two["outlier"], atol=1e-4)


@pytest.mark.slow
def test_beside_the_weights_and_into_a_release(trained: Path, exported: Path, tmp_path: Path) -> None:
    """Files that lie in the model folder go into its release; a release is never changed."""
    both = tmp_path / "both"
    both.mkdir()
    for file in [*exported.iterdir(), trained / "model.safetensors"]:
        (both / file.name).write_bytes(file.read_bytes())
    export(both, to="model", out=tmp_path / "released")
    card = verify_released(tmp_path / "released")
    assert {"model.onnx", "model.int8.onnx", "onnx.json"} <= card["files"].keys()
    with pytest.raises(StorageError, match="as it was published"):
        export(both, to="onnx", out=tmp_path / "released")
    assert load_onnx(tmp_path / "released").model_id == load(trained).model_id + "-onnx"


def test_what_stands_in_the_way_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotFoundError, match="no model in this folder"):
        export(tmp_path, to="onnx", out=tmp_path / "out")
    with pytest.raises(ConfigError, match="exported as a whole"):
        export(tmp_path, to="onnx", out=tmp_path / "out", uids=[1])
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match="export to ONNX needs torch"):
        export(tmp_path, to="onnx", out=tmp_path / "out")


def test_another_folder_must_be_empty(tmp_path: Path) -> None:
    from aqqua.models.checkpoint import save
    from aqqua.models.preprocess import Preprocessing
    from aqqua.models.vit import SIZES, VisionTransformer

    save(tmp_path / "m", VisionTransformer(SIZES["pico"]), Preprocessing(), name="m", training={}, data=[])
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "letter.txt").write_text("Dear …")
    with pytest.raises(StorageError, match="not empty"):
        export(tmp_path / "m", to="onnx", out=tmp_path / "out")
