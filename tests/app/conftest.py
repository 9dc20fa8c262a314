"""Miniature datasets of drawn shapes, and a browser stand-in that asks the explorer about them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from aqqua.app.prepare import prepare
from aqqua.app.sample import build_sample
from aqqua.app.server import create_app
from aqqua.app.view import View
from aqqua.store.dataset import Dataset
from tests.app.client import Client

Browse = Callable[..., Client]


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """300 images in two shards, with labels and predictions; for reading only."""
    return build_sample(tmp_path_factory.mktemp("explorer") / "Sample Cruise", 300)


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """60 images without predictions; for reading only."""
    return build_sample(tmp_path_factory.mktemp("explorer") / "plain", 60, predicted=False, seed=1)


@pytest.fixture(scope="session")
def view(sample: Dataset) -> View:
    """The first dataset, opened."""
    return prepare(sample)


@pytest.fixture(scope="session")
def browse(sample: Dataset, plain: Dataset) -> Browse:
    """Ask an explorer of datasets: `browse(static=…)` gives a client."""

    def client(datasets: Sequence[Dataset] = (), static: Path = Path("nowhere"), **options: Any) -> Client:
        app = create_app(datasets or [sample, plain], static=static, **options)
        return Client(app)

    return client


@pytest.fixture(scope="session")
def client(browse: Browse) -> Client:
    """A client of an explorer of both datasets."""
    return browse()
