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


def test_the_package_is_the_verb(shapes_path: Path, tmp_path: Path) -> None:
    assert aqqua.train(None, data=[shapes_path], out=tmp_path / "m", **SMALL) == tmp_path / "m"


def test_a_typo_is_answered_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean 'batch'"):
        train(data=[tmp_path / "nowhere"], out=tmp_path / "m", bacth=3)


@pytest.mark.parametrize("module", ["torch", "safetensors"])
def test_a_missing_extra_is_one_clear_line(module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError) as told:
        train(data=[tmp_path], out=tmp_path / "m")
    assert str(told.value) == f"training needs {module}: pip install 'aqqua[train]'"
