from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import aqqua.bench
from aqqua.bench.report import BenchReport
from aqqua.cli import app
from aqqua.errors import ConfigError, MissingExtraError
from aqqua.export import export
from aqqua.train.run import train
from tests.make.trainable import make_dataset


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bench")
    make_dataset(folder / "shapes", 90, shards=2)
    train(data=[folder / "shapes"], out=folder / "model", size="pico", steps=2, batch=25, slices=8)
    train(data=[folder / "shapes"], out=folder / "other", size="pico", steps=3, batch=25, slices=8, seed=1)
    make_dataset(folder / "away", 20, seed=5, labelled=False)
    return folder


@pytest.fixture(scope="module")
def report(folder: Path) -> BenchReport:
    return aqqua.bench.bench(folder / "model", data=[folder / "shapes"], far=[folder / "away"], out=folder / "out")


def model_name(report: BenchReport) -> str:
    return str(report.about["model_id"])


def test_the_model_stands_beside_its_baselines(report: BenchReport) -> None:
    assert list(report.measures) == [
        "no vectors",
        "log size of the image",
        "pixels, 64 principal components",
        "30 shape and intensity features",
        "30 shape and intensity features, as they are",
        "untrained network",
        model_name(report),
        f"{model_name(report)}, size unknown",
    ]
    assert (report.images, report.classes) == (90, 3)
    assert report.split["train"] + report.split["test"] == 90
    assert report.far == ("Shapes",)


def test_thirty_features_tell_a_disc_from_a_ring_from_a_rod(report: BenchReport) -> None:
    """The baseline must be a real one."""
    forest = report.measures["30 shape and intensity features, as they are"]["forest"]
    assert forest["top1"][0] > 0.8
    assert forest["top1"][1] <= forest["top1"][0] <= forest["top1"][2]
    assert report.measures["no vectors"]["constant"]["top1"][0] < 0.55


def test_everything_is_measured(report: BenchReport) -> None:
    told = report.measures[model_name(report)]
    assert set(told) >= {"knn20", "knn1", "linear", "shot1", "shot5", "ranks", "community", "retrieval", "near", "far"}
    assert told["far"]["Mahalanobis"]["auroc"] > 0  # images of the very same kind: no use asking for more
    assert told["near"] is None  # three classes are too few to hold some out
    assert told["leakage"]["instruments"] == 2
    assert told["size"] is None
    blind = report.measures[f"{model_name(report)}, size unknown"]
    assert 0 < blind["size"]["rmse"] < 1
    assert report.speed["both"] > 0
    assert report.speed["peak_mb"] > 50


def test_the_report_is_markdown_with_machine_and_versions(report: BenchReport, folder: Path) -> None:
    text = str(report)
    for title in ("Identification", "Few examples", "Retrieval", "Novelty, far", "instrument", "Calibration", "Speed"):
        assert f"## {title}" in text or title in text
    assert "90 images, 3 classes; split 80/20 by hash of the image id" in text
    for word in ("torch", "scikit-learn", "Python", "threads", "images seen"):
        assert word in text
    assert "## Novelty, near" not in text
    assert text in (folder / "out" / f"{model_name(report)}.md").read_text()
    assert all(
        line.count("|") == text[text.index("| vectors") :].splitlines()[0].count("|") for line in text.splitlines()[4:8]
    )


def test_the_report_is_strict_json(report: BenchReport, folder: Path) -> None:
    def refuse(name: str) -> None:
        raise AssertionError(name)

    told = json.loads((folder / "out" / f"{model_name(report)}.json").read_text(), parse_constant=refuse)
    assert told["format"] == "aqqua benchmark"
    assert told["rows"][0]["method"] == "no vectors, the commonest class"
    assert len(told["rows"]) == len(report.rows)


def test_a_second_model_finds_the_baselines_measured(
    report: BenchReport, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from aqqua.bench import measures

    measured: list[int] = []
    real = measures.measure

    def counted(x: Any, *words: Any, **more: Any) -> dict[str, Any]:
        measured.append(x.shape[1])
        return real(x, *words, **more)

    monkeypatch.setattr(measures, "measure", counted)
    monkeypatch.setattr(measures, "forest", lambda *a: pytest.fail("the forest was grown before"))
    second = aqqua.bench.bench(folder / "other", data=[folder / "shapes"], far=[folder / "away"], out=folder / "out")
    assert len(measured) == 2
    for name in list(report.measures)[:6]:
        assert second.measures[name] == report.measures[name]
    assert model_name(second) != model_name(report)


def test_a_split_given_is_the_split_used(report: BenchReport, folder: Path) -> None:
    table = pl.read_parquet(folder / "out" / "splits.parquet")
    assert table["part"].value_counts(sort=True)["count"].to_list() == [report.split["train"], report.split["test"]]
    turned = table.with_columns(part=pl.when(pl.col("part") == "test").then(pl.lit("train")).otherwise(pl.lit("test")))
    turned.write_parquet(folder / "turned.parquet")
    again = aqqua.bench.bench(
        folder / "model", data=[folder / "shapes"], splits=folder / "turned.parquet", baselines=False
    )
    assert (again.split["train"], again.split["test"]) == (report.split["test"], report.split["train"])
    assert len(again.measures) == 2


def test_peers_stand_in_the_same_tables(folder: Path, report: BenchReport) -> None:
    from aqqua.store.dataset import Dataset

    uid = Dataset.open(folder / "shapes").metadata(["object_id"])["uid"]
    vectors = np.random.default_rng(0).normal(size=(90, 4))
    pl.DataFrame({"uid": uid, "vector": vectors.tolist()}).write_parquet(folder / "noise.parquet")
    found = aqqua.bench.bench(
        folder / "model",
        data=[folder / "shapes"],
        peers=[f"vectors:{folder / 'noise.parquet'}", f"aqqua:{folder / 'other'}"],
        baselines=False,
    )
    names = list(found.measures)
    assert names[2] == "noise"
    assert names[4] == f"{names[3]}, size unknown"
    assert found.measures["noise"]["knn20"]["top1"][0] < 0.6


def test_a_dataset_without_labels_is_told(folder: Path) -> None:
    with pytest.raises(ConfigError, match="needs labels of two classes"):
        aqqua.bench.bench(folder / "model", data=[folder / "away"])


def test_what_is_not_installed_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "skimage", None)
    with pytest.raises(MissingExtraError, match=r"needs skimage: pip install 'aqqua\[train\]'"):
        aqqua.bench.bench(folder / "model", data=[folder / "shapes"])


def test_the_verb_prints_the_report_and_writes_it(
    folder: Path, report: BenchReport, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, data = str(folder / "model"), str(folder / "shapes")
    words = ["bench", model, "--data", data, "--no-baselines", "--by", "cluster", "--json", str(tmp_path / "b.json")]
    app(words, result_action="return_value")
    assert "copies of one image" in capsys.readouterr().out
    assert json.loads((tmp_path / "b.json").read_text())["about"]["model_id"] == model_name(report)


def test_the_table_as_json_stands_on_the_card_of_a_release(report: BenchReport, folder: Path, tmp_path: Path) -> None:
    export(folder / "model", to="model", out=tmp_path / "release", bench=folder / "out" / f"{model_name(report)}.json")
    card = (tmp_path / "release" / "MODEL_CARD.md").read_text()
    for row in report.rows:
        assert f"| {row.method} | {row.top1:.3f} | {row.macro_f1:.3f} | {row.seconds:.0f} |" in card
    told = (
        "90 labelled images, 3 classes, split 80/20 by hash of the image id: Shapes (snapshot 1; its images were seen"
    )
    assert told in card
