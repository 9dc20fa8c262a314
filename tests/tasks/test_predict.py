from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from aqqua.__main__ import main
from aqqua.errors import MissingExtraError, NotFoundError
from aqqua.models.checkpoint import load
from aqqua.tasks.predict import predict
from tests.make.onnx_models import write_plain_model
from tests.make.trainable import make_dataset


def test_every_image_gets_vector_taxa_and_score(model_folder: Path, tmp_path: Path) -> None:
    ds = make_dataset(tmp_path / "ds", 36, shards=2)
    report = predict(model_folder, [ds.path])
    table = ds.predictions()
    assert table["uid"].to_list() == ds.metadata(["pixel_um"])["uid"].to_list()
    assert table["vector"].dtype == pl.Array(pl.Float32, load(model_folder).network.vector_length)
    for name in ("taxon_knn", "taxon_linear"):
        assert set(table[name]) <= {"disc", "ring", "rod"}
    for name in ("p_knn", "p_linear"):
        assert table[name].is_between(0, 1).all()
    assert table["outlier"].is_between(0, 2).all()
    assert (report.images, report.classes, report.examples, report.status) == (36, 3, 36, "validated")
    assert "3 taxa learnt from 36 validated labels" in str(report)


def test_predictions_know_where_they_come_from(model_folder: Path, tmp_path: Path) -> None:
    ds = make_dataset(tmp_path / "ds", 12)
    report = predict(model_folder, [ds.path])
    model = load(model_folder)
    info = json.loads((ds.path / "predictions" / report.model_id / "model.json").read_text())
    assert info["weights_sha256"] == model.info["weights_sha256"]
    assert info["preprocessing_hash"] == model.preprocessing.hash
    assert info["label_set"] == ["disc", "ring", "rod"]
    assert info["label_status"] == "validated"


def test_nothing_is_left_behind(model_folder: Path, tmp_path: Path) -> None:
    ds = make_dataset(tmp_path / "ds", 12)
    predict(model_folder, [ds.path])
    assert not list((ds.path / "jobs").rglob("*.npy"))


def test_without_labels_vectors_only_and_said_so(model_folder: Path, tmp_path: Path) -> None:
    ds = make_dataset(tmp_path / "ds", 12, labelled=False)
    report = predict(model_folder, [ds.path])
    table = ds.predictions()
    assert table["vector"].null_count() == 0
    assert table["taxon_knn"].null_count() == table["p_linear"].null_count() == 12
    assert "no taxa, because none of the images has a label" in str(report)


def test_heads_learnt_before_serve_a_dataset_without_labels(model_folder: Path, tmp_path: Path) -> None:
    labelled, other = make_dataset(tmp_path / "a", 36), make_dataset(tmp_path / "b", 12, seed=1, labelled=False)
    predict(model_folder, [labelled.path])
    report = predict(model_folder, [other.path])
    assert other.predictions()["taxon_knn"].null_count() == 0
    assert (report.classes, report.agreement) == (3, None)


def test_datasets_teach_each_other(model_folder: Path, tmp_path: Path) -> None:
    labelled, other = make_dataset(tmp_path / "a", 36), make_dataset(tmp_path / "b", 12, seed=1, labelled=False)
    report = predict(model_folder, [other.path, labelled.path])
    assert report.images == 48
    assert other.predictions()["taxon_linear"].null_count() == 0


def test_predicted_labels_teach_only_if_none_are_validated(model_folder: Path, tmp_path: Path) -> None:
    ds = make_dataset(tmp_path / "ds", 18, labelled=False)
    uids = ds.metadata(["pixel_um"])["uid"]
    guesses = pl.DataFrame({"uid": uids, "label": ["old", "older"] * 9, "status": "predicted", "by": "ecotaxa"})
    ds.add_labels(guesses)
    assert predict(model_folder, [ds.path]).status == "predicted"
    sure = guesses.head(10).with_columns(label=pl.Series(["new", "newer"] * 5), status=pl.lit("validated"))
    ds.add_labels(sure.with_columns(recorded_utc=pl.lit(datetime(2099, 1, 1, tzinfo=UTC))))
    report = predict(model_folder, [ds.path])
    assert (report.status, report.examples) == ("validated", 10)
    assert set(ds.predictions()["taxon_knn"]) <= {"new", "newer"}


def test_dubious_and_discarded_labels_do_not_teach(model_folder: Path, tmp_path: Path) -> None:
    ds = make_dataset(tmp_path / "ds", 18, labelled=False)
    uids = ds.metadata(["pixel_um"])["uid"]
    states = ["dubious", "discarded", "unclassified"] * 6
    ds.add_labels(pl.DataFrame({"uid": uids, "label": ["a", "b", "c"] * 6, "status": states, "by": "explorer"}))
    assert predict(model_folder, [ds.path]).classes == 0


def test_a_labelled_image_is_judged_without_its_own_label(model_folder: Path, tmp_path: Path) -> None:
    """One single image has a class of its own: nobody else can tell."""
    ds = make_dataset(tmp_path / "ds", 18)
    alone = ds.metadata(["pixel_um"])["uid"].to_list()[4]
    late = datetime(2099, 1, 1, tzinfo=UTC)
    ds.add_labels(
        pl.DataFrame({"uid": [alone], "label": "unique", "status": "validated", "by": "explorer", "recorded_utc": late})
    )
    predict(model_folder, [ds.path])
    table = ds.predictions()
    assert table.filter(uid=alone)["taxon_knn"].item() != "unique"
    assert table.filter(uid=alone)["taxon_linear"].item() != "unique"


def test_running_again_replaces(model_folder: Path, tmp_path: Path) -> None:
    ds = make_dataset(tmp_path / "ds", 12)
    predict(model_folder, [ds.path])
    first = ds.predictions()
    predict(model_folder, [ds.path])
    assert len(ds.prediction_models()) == 1
    np.testing.assert_allclose(ds.predictions()["outlier"], first["outlier"], atol=1e-6)


@pytest.mark.slow
def test_a_pool_of_processes_gives_the_same(model_folder: Path, tmp_path: Path) -> None:
    ds = make_dataset(tmp_path / "ds", 24, shards=2)
    predict(model_folder, [ds.path])
    here = ds.predictions()
    predict(model_folder, [ds.path], where="pool", workers=2)
    np.testing.assert_allclose(here["vector"].to_numpy(), ds.predictions()["vector"].to_numpy(), atol=1e-3)


def test_no_model_or_no_dataset(model_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="aqqua train"):
        predict(tmp_path, [tmp_path])
    with pytest.raises(NotFoundError):
        predict(model_folder, [tmp_path / "nowhere"])


def test_a_missing_extra_is_one_clear_line(model_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match="prediction needs torch"):
        predict(model_folder, [model_folder])


WITHOUT_TORCH = """
import sys
sys.modules["torch"] = None
from aqqua.tasks.predict import predict
print(predict(sys.argv[1], [sys.argv[2]]))
"""


def test_nothing_of_it_needs_torch(tmp_path: Path) -> None:
    """In a process of its own, where torch cannot be imported: an exported model, heads from labels, outliers."""
    model, ds = write_plain_model(tmp_path / "model"), make_dataset(tmp_path / "ds", 18)
    command = [sys.executable, "-W", "error", "-c", WITHOUT_TORCH, str(model), str(ds.path)]
    quiet = os.environ | {"AQQUA_QUIET": "1"}
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=200, env=quiet)
    assert done.returncode == 0, done.stderr
    assert "18 images described by model plain-00c0ffee-onnx; 3 taxa learnt from 18" in done.stdout
    assert ds.predictions()["taxon_linear"].null_count() == 0


def test_engines_write_side_by_side_and_say_who_they_are(tmp_path: Path) -> None:
    model, ds = write_plain_model(tmp_path / "model"), make_dataset(tmp_path / "ds", 12, labelled=False)
    for engine in ("onnx", "onnx-int8"):
        predict(model, [ds.path], engine=engine)
    assert sorted(ds.prediction_models()) == ["plain-00c0ffee-int8", "plain-00c0ffee-onnx"]
    told = json.loads((ds.path / "predictions" / "plain-00c0ffee-int8" / "model.json").read_text())
    content = (model / "model.int8.onnx").read_bytes()
    assert (told["engine"], told["engine_sha256"]) == ("onnx-int8", hashlib.sha256(content).hexdigest())
    with pytest.raises(NotFoundError, match="no model in this folder"):
        predict(model, [ds.path], engine="torch")


def test_the_model_that_comes_along_is_taken_if_none_is_named(tmp_path: Path) -> None:
    ds = make_dataset(tmp_path / "ds", 12)
    with pytest.raises(SystemExit) as end:
        main(["predict", str(ds.path)])
    assert end.value.code == 0
    (model,) = ds.prediction_models()
    assert model.startswith("aqqua-nano-")
