"""One small dataset for all tests of training."""

from __future__ import annotations

from pathlib import Path

import pytest

from aqqua.store.dataset import Dataset
from tests.make.trainable import make_dataset


@pytest.fixture(scope="session")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Sixty images in two shards of two instruments."""
    return make_dataset(tmp_path_factory.mktemp("train") / "shapes", 60, shards=2)


@pytest.fixture(scope="session")
def shapes_path(shapes: Dataset) -> Path:
    return shapes.path
