"""One trained model and one dataset for all tests of tasks."""

from __future__ import annotations

from pathlib import Path

import pytest

from aqqua.train.run import train
from tests.make.trainable import make_dataset


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of two steps."""
    folder = tmp_path_factory.mktemp("tasks")
    make_dataset(folder / "shapes", 30)
    return train(data=[folder / "shapes"], out=folder / "model", size="pico", steps=2, batch=15, slices=8)


@pytest.fixture
def model_folder(trained: Path, tmp_path: Path) -> Path:
    """A copy of the model that a test may write to."""
    copy = tmp_path / "model"
    copy.mkdir()
    for name in ("model.json", "model.safetensors"):
        (copy / name).write_bytes((trained / name).read_bytes())
    return copy
