from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import aqqua.bench
from aqqua.bench.isiis import BenchReport, _folds
from aqqua.errors import ConfigError
from aqqua.export import export
from aqqua.train.run import train
from tests.make.trainable import make_dataset


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bench")
    make_dataset(folder / "shapes", 75)
    train(data=[folder / "shapes"], out=folder / "model", size="pico", steps=2, batch=25, slices=8)
    return folder


@pytest.fixture(scope="module")
def report(folder: Path) -> BenchReport:
    return aqqua.bench.bench(folder / "model", data=[folder / "shapes"])


def test_the_table_has_the_model_beside_its_baselines(report: BenchReport) -> None:
    methods = [row.method for row in report.rows]
    assert methods[0] == "majority class"
    assert any("random forest" in m for m in methods)
    assert any("untrained" in m for m in methods)
    assert any("log size" in m for m in methods)
    assert sum("pico-" in m for m in methods) >= 2
    assert (report.images, report.classes) == (75, 3)


def test_thirty_features_tell_a_disc_from_a_ring_from_a_rod(report: BenchReport) -> None:
    """The baseline must be a real one."""
    rows = {row.method: row for row in report.rows}
    forest = next(row for name, row in rows.items() if "random forest" in name)
    assert forest.top1 > 0.8
    assert forest.macro_f1 > 0.8
    assert rows["majority class"].top1 < 0.45


def test_the_report_is_markdown_with_machine_and_versions(report: BenchReport) -> None:
    text = str(report)
    assert "| method | top-1 | macro-F1 | seconds |" in text
    assert "75 images, 3 classes, 5 folds by image id" in text
    for word in ("torch", "scikit-learn", "Python", "threads", "images seen"):
        assert word in text


def test_folds_depend_on_the_id_alone_and_are_about_equal() -> None:
    ids = [f"image_{i}" for i in range(5000)]
    folds = _folds(ids)
    assert np.array_equal(folds[::-1], _folds(ids[::-1]))
    assert np.bincount(folds).min() > 900
    assert _folds(["100224", "100723"]).tolist() == [2, 2]


def test_a_dataset_without_labels_is_told(folder: Path, tmp_path: Path) -> None:
    make_dataset(tmp_path / "bare", 6, labelled=False)
    with pytest.raises(ConfigError, match="needs labels of two classes"):
        aqqua.bench.bench(folder / "model", data=[tmp_path / "bare"])


def test_the_table_as_json_stands_on_the_card_of_a_release(report: BenchReport, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "bench.json").write_text(json.dumps(report.to_dict()))
    export(folder / "model", to="model", out=tmp_path / "release", bench=tmp_path / "bench.json")
    card = (tmp_path / "release" / "MODEL_CARD.md").read_text()
    for row in report.rows:
        assert f"| {row.method} | {row.top1:.3f} | {row.macro_f1:.3f} | {row.seconds:.0f} |" in card
    assert "75 labelled images, 3 classes, 5 folds: Shapes (snapshot 1; its images were seen in training" in card
