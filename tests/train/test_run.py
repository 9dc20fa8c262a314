from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

import aqqua
from aqqua.errors import ConfigError, MissingExtraError
from aqqua.models.checkpoint import load
from aqqua.train.config import TrainConfig, resolve
from aqqua.train.run import train
from tests.make.trainable import make_dataset

SMALL: dict[str, Any] = {"size": "pico", "steps": 2, "batch": 20, "slices": 8, "embedding": 8, "hidden": 16}


def test_a_model_folder_with_its_origin(shapes_path: Path, tmp_path: Path) -> None:
    out = train(data=[shapes_path], out=tmp_path / "model", seed=4, **SMALL)
    assert sorted(p.name for p in out.iterdir()) == [
        "data.json",
        "log.csv",
        "model.json",
        "model.safetensors",
        "state.safetensors",
        "train.yaml",
    ]
    model = load(out)
    assert model.info["training"]["seed"] == 4
    assert model.info["training"]["images_seen"] == 40
    (origin,) = model.info["data"]
    assert (origin["title"], origin["images"], len(origin["shards"])) == ("Shapes", 60, 2)
    assert resolve(out / "train.yaml") == TrainConfig(**SMALL)


def test_what_the_run_cost_and_saw_is_noted_for_the_card(shapes_path: Path, tmp_path: Path) -> None:
    make_dataset(tmp_path / "closed", 6, training=False)
    out = train(data=[shapes_path, tmp_path / "closed"], out=tmp_path / "model", **SMALL)
    info = load(out).info
    run, (origin,) = info["training"], info["data"]
    assert 0 < run["cpu_seconds"] < 600
    assert run["hardware"]["device"] in {"cpu", "cuda"}
    assert run["hardware"]["threads"] >= 1
    assert set(run["software"]) == {"python", "torch"}
    assert [one["path"] for one in run["left_out"]] == ["closed"]
    assert origin["instruments"] == {"ISIIS": 30, "ZooScan": 30}
    assert origin["license_allows_training"] is None


def test_the_package_is_the_verb(shapes_path: Path, tmp_path: Path) -> None:
    assert aqqua.train(None, data=[shapes_path], out=tmp_path / "m", **SMALL) == tmp_path / "m"  # type: ignore[operator]


def test_a_typo_is_answered_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean 'batch'"):
        train(data=[tmp_path / "nowhere"], out=tmp_path / "m", bacth=3)


@pytest.mark.parametrize("module", ["torch", "safetensors"])
def test_a_missing_extra_is_one_clear_line(module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError) as told:
        train(data=[tmp_path], out=tmp_path / "m")
    assert str(told.value) == f"training needs {module}: pip install 'aqqua[train]'"
