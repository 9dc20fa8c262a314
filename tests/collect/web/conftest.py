"""A desk with an empty registry, and a browser without scripts at it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from aqqua.collect.registry import Registry
from tests.make.desks import client_of


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    registry = Registry.open(tmp_path / "r.sqlite")
    yield registry
    registry.close()


@pytest.fixture
def client(registry: Registry, tmp_path: Path) -> Iterator[TestClient]:
    with client_of(registry, tmp_path / "outbox") as client:
        yield client
