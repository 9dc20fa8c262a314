from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from aqqua.__main__ import main
from aqqua.errors import ConfigError, FormatError, NotFoundError, StorageError, UnknownNameError
from aqqua.export import export
from aqqua.export.model_about import Carbon, read_about
from aqqua.models.checkpoint import load
from aqqua.models.released import tensors_hash, verify_released
from aqqua.store.dataset import Dataset
from aqqua.store.withdraw import withdraw
from aqqua.tasks.predict import predict
from aqqua.train.run import train
from tests.make.trainable import make_dataset

ABOUT = """\
title: "Shapes | model"
version: "1.2"
licence: CC-BY-4.0
doi: 10.5281/zenodo.77
people:
  - {name: Ada Larsen, orcid: 0000-0002-1825-0097}
limits: It has only ever seen discs, rings and rods.
carbon: {watts_per_core: 7.5, grid_g_per_kwh: 100, overhead: 1.5, source: "meter of the cabinet, invoice of 2026"}
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release")
    make_dataset(folder / "shapes", 20, shards=2, training=True)
    train(data=[folder / "shapes"], out=folder / "model", size="pico", steps=2, batch=10, slices=8)
    predict(folder / "model", [folder / "shapes"])
    return folder


@pytest.fixture
def model(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained / "model", tmp_path / "model"))


@pytest.fixture
def about(tmp_path: Path) -> Path:
    path = tmp_path / "about.yaml"
    path.write_text(ABOUT)
    return path


def changed(model: Path, name: str = "model.json", **entries: Any) -> Path:
    """A model whose first dataset says something else."""
    info = json.loads((model / name).read_text())
    info["data"][0] |= entries
    (model / name).write_text(json.dumps(info))
    return model


def card_of(folder: Path) -> dict[str, Any]:
    card: dict[str, Any] = json.loads((folder / "model_card.json").read_text())
    return card


def test_a_release_has_all_files_each_with_its_sum(model: Path, about: Path, tmp_path: Path) -> None:
    out = tmp_path / "release"
    report = export(model, to="model", out=out, about=about)
    assert [path.name for path in report.files] == [
        "CITATION.cff",
        "LICENSE",
        "MODEL_CARD.md",
        "SHA256SUMS",
        "heads.json",
        "heads.safetensors",
        "model.json",
        "model.safetensors",
        "model_card.json",
    ]
    lines = [line.split() for line in (out / "SHA256SUMS").read_text().splitlines()]
    sums = {name: digest for digest, name in lines}
    assert set(sums) == {path.name for path in report.files} - {"SHA256SUMS"}
    for name, digest in sums.items():
        assert hashlib.sha256((out / name).read_bytes()).hexdigest() == digest
    assert {name: one["sha256"] for name, one in card_of(out)["files"].items()} == {
        name: digest for name, digest in sums.items() if name != "model_card.json"
    }
    assert verify_released(out)["model_id"] == load(out).model_id == load(model).model_id
    assert report.images == 20


def test_the_card_says_what_the_model_saw_and_under_which_terms(model: Path, about: Path, tmp_path: Path) -> None:
    changed(model, licence="CC-BY-NC-4.0")
    export(model, to="model", out=tmp_path / "r", about=about)
    card = card_of(tmp_path / "r")
    saw, terms = card["saw"], card["terms"]
    assert saw["images_by_instrument"] == {"ISIIS": 10, "ZooScan": 10}
    assert [(one["title"], one["images"], len(one["shards"])) for one in saw["datasets"]] == [("Shapes", 20, 2)]
    assert saw["heads"]["classes"] == ["disc", "ring", "rod"]
    assert terms["images_by_licence"] == {"CC-BY-NC-4.0": 20}
    assert terms["non_commercial"] is True
    assert terms["goes_together"]["CC-BY-NC-4.0"]["ok"] is False
    assert terms["allowed_training"] == ["Shapes"]
    text = (tmp_path / "r" / "MODEL_CARD.md").read_text()
    for words in (
        "# Shapes / model",
        "| Shapes | 20 | 1 | 2 | CC-BY-NC-4.0 | yes |",
        "non-commercial data seen: yes",
        "It sees the camera",
        "It has only ever seen discs",
        "aqqua predict doi:10.5281/zenodo.77",
        "Not measured.",
    ):
        assert words in text, words


def test_hours_hardware_and_carbon_are_those_of_the_run(model: Path, about: Path, tmp_path: Path) -> None:
    export(model, to="model", out=tmp_path / "r", about=about)
    run, card = load(model).info["training"], card_of(tmp_path / "r")
    assert card["training"]["hardware"] == run["hardware"]
    assert card["training"]["seconds"] == run["seconds"]
    kwh = run["cpu_seconds"] * 7.5 / 3.6e6 * 1.5
    assert card["carbon"]["kwh"] == pytest.approx(kwh, rel=0.01)
    assert card["carbon"]["g_co2e"] == pytest.approx(kwh * 100, rel=0.01)
    assert "meter of the cabinet" in (tmp_path / "r" / "MODEL_CARD.md").read_text()


def test_carbon_is_not_made_up(model: Path, tmp_path: Path) -> None:
    info = json.loads((model / "model.json").read_text())
    info["training"]["hardware"]["device"] = "cuda"
    (model / "model.json").write_text(json.dumps(info))
    export(model, to="model", out=tmp_path / "gpu")
    assert card_of(tmp_path / "gpu")["carbon"]["kwh"] is None
    assert "power of the device (cuda) is not stated" in (tmp_path / "gpu" / "MODEL_CARD.md").read_text()
    for name in ("cpu_seconds", "hardware", "seconds"):
        del info["training"][name]
    (model / "model.json").write_text(json.dumps(info))
    export(model, to="model", out=tmp_path / "old")
    text = (tmp_path / "old" / "MODEL_CARD.md").read_text()
    assert "the run did not note its CPU time" in text
    assert "not recorded hours" in text


def test_citation_names_the_authors(model: Path, about: Path, tmp_path: Path) -> None:
    export(model, to="model", out=tmp_path / "r", about=about, version="2")
    cited = yaml.safe_load((tmp_path / "r" / "CITATION.cff").read_text())
    assert cited["cff-version"] == "1.2.0"
    assert cited["authors"][0]["family-names"] == "Larsen"
    assert (cited["title"], cited["doi"], cited["version"]) == ("Shapes | model", "10.5281/zenodo.77", "2")
    assert cited["license"] == "CC-BY-4.0"


def test_what_nobody_said_is_told(model: Path, tmp_path: Path) -> None:
    report = export(changed(model, license_allows_training=None), to="model", out=tmp_path / "r")
    told = " ".join(note.message for note in report.notes)
    for words in ("nobody was asked whether models may learn from: Shapes", "no author", "no licence", "no benchmark"):
        assert words in told, words
    assert {note.severity for note in report.notes} == {"warning"}
    assert "nobody was asked" in (tmp_path / "r" / "MODEL_CARD.md").read_text()
    assert not (tmp_path / "r" / "LICENSE").exists()
    assert yaml.safe_load((tmp_path / "r" / "CITATION.cff").read_text())["authors"] == [{"name": "authors not named"}]


@pytest.mark.parametrize("name", ["model.json", "heads.json"])
def test_a_model_that_learned_what_it_may_not_is_refused(name: str, model: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not allow training: Shapes"):
        export(changed(model, name, license_allows_training=False), to="model", out=tmp_path / "r")
    assert not (tmp_path / "r").exists()


def test_what_was_taken_back_since_the_training_is_not_released(trained: Path, model: Path, tmp_path: Path) -> None:
    path = Path(shutil.copytree(trained / "shapes", tmp_path / "shapes"))
    ds = Dataset.open(path)
    assert export(model, to="model", out=tmp_path / "a", data=[path]).images == 20
    withdraw(ds, uids=ds.metadata([])["uid"][:1], reason="blurred")
    report = export(model, to="model", out=tmp_path / "b", data=[path])
    assert any("withdrawn from shapes; the model may" in note.message for note in report.notes)
    other = make_dataset(tmp_path / "other", 6)
    report = export(model, to="model", out=tmp_path / "c", data=[other.path])
    assert any("has not seen the dataset" in note.message for note in report.notes)
    withdraw(path, uids=ds.metadata([]).filter(pl.col("uid") < 2**32)["uid"][1:], reason="all of it")
    with pytest.raises(ConfigError, match="learned from 1 shard withdrawn since"):
        export(model, to="model", out=tmp_path / "d", data=[path])
    (path / "card.yaml").write_text("title: Shapes\nlicense_allows_training: false\n")
    with pytest.raises(ConfigError, match="do not allow training any more"):
        export(model, to="model", out=tmp_path / "d", data=[path])


def bench_file(path: Path, model: Path, **other: Any) -> Path:
    info = load(model).info
    about = {"model_id": info["model_id"], "weights_sha256": info["weights_sha256"]}
    about["data"] = [{"title": "Shapes", "uuid": info["data"][0]["uuid"], "snapshot": 1}]
    rows = [{"method": "majority class", "top1": 0.3333, "macro_f1": 0.17, "seconds": 0.1}]
    told = {
        "format": "aqqua benchmark",
        "rows": rows,
        "images": 20,
        "classes": 3,
        "folds": 5,
        "facts": {"machine": "x"},
    }
    path.write_text(json.dumps(told | {"about": about | other}))
    return path


def test_the_benchmark_is_that_of_this_model(model: Path, tmp_path: Path) -> None:
    export(model, to="model", out=tmp_path / "r", bench=bench_file(tmp_path / "b.json", model))
    text = (tmp_path / "r" / "MODEL_CARD.md").read_text()
    assert "| majority class | 0.333 | 0.170 | 0 |" in text
    assert "its images were seen in training, without labels" in text
    other = bench_file(tmp_path / "o.json", model, weights_sha256="0" * 64, model_id="nano-00000000")
    with pytest.raises(ConfigError, match="of another model"):
        export(model, to="model", out=tmp_path / "r2", bench=other)
    (tmp_path / "no.json").write_text("{}")
    with pytest.raises(FormatError, match="no result of a benchmark"):
        export(model, to="model", out=tmp_path / "r2", bench=tmp_path / "no.json")


def test_wrong_weights_no_model_or_a_full_folder(model: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    with pytest.raises(StorageError, match="not empty"):
        export(model, to="model", out=tmp_path / "full")
    with pytest.raises(NotFoundError, match="no model"):
        export(tmp_path / "full", to="model", out=tmp_path / "r")
    with pytest.raises(ConfigError, match="as a whole"):
        export(model, to="model", out=tmp_path / "r", model="vit")
    weights = bytearray((model / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (model / "model.safetensors").write_bytes(weights)
    with pytest.raises(FormatError, match="the weights are not those"):
        export(model, to="model", out=tmp_path / "r")


def test_the_sum_of_tensors_without_torch_is_that_with_torch(model: Path, tmp_path: Path) -> None:
    assert tensors_hash(model / "model.safetensors") == load(model).info["weights_sha256"]
    for content in (b"", b"\xff" * 8, b"\x02" + b"\0" * 7 + b"[]", b"\x08" + b"\0" * 7 + b'{"a": 3}'):
        (tmp_path / "x.safetensors").write_bytes(content)
        with pytest.raises(FormatError, match="damaged"):
            tensors_hash(tmp_path / "x.safetensors")


def test_the_file_about_the_model_is_checked(tmp_path: Path) -> None:
    def about(text: str) -> Path:
        (tmp_path / "a.yaml").write_text(text)
        return tmp_path / "a.yaml"

    with pytest.raises(NotFoundError):
        read_about(tmp_path / "nowhere.yaml")
    with pytest.raises(UnknownNameError, match="titel"):
        read_about(about("titel: x"))
    with pytest.raises(UnknownNameError, match="wats"):
        read_about(about("carbon: {wats: 3}"))
    with pytest.raises(ConfigError, match="grid_g_per_kwh"):
        read_about(about("carbon: {grid_g_per_kwh: much}"))
    with pytest.raises(ConfigError, match="lines"):
        read_about(about("- a"))
    assert read_about(about("")).carbon == Carbon()


def test_the_verb(model: Path, about: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["export", str(model), "--to", "model", "--out", str(tmp_path / "r"), "--about", str(about)])
    assert not stop.value.code
    out = capsys.readouterr().out
    assert "MODEL_CARD.md" in out
    assert "no benchmark is given" in out
