"""A real ingest on every engine: the same sealed files, byte for byte."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aqqua.sources.ingest import ingest
from aqqua.store.dataset import Dataset
from tests.make.ecotaxa import FLAVOURS, write_package

pytestmark = [
    pytest.mark.slow,
    # Ray leaves closing its log files and sockets to the garbage collector; that is its affair, not ours.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def sealed(dataset: Dataset) -> list[tuple[str, bytes]]:
    """Every sealed file of the shards, with its content."""
    files = [path for shard in dataset.shards for path in (shard.images, shard.converted, shard.raw)]
    return [(path.relative_to(dataset.path).as_posix(), path.read_bytes()) for path in files]


def test_every_engine_seals_the_same_shards(tmp_path: Path, slurm: Path) -> None:
    pytest.importorskip("ray")
    sources = [tmp_path / "a.zip", tmp_path / "b.zip"]
    write_package(sources[0], FLAVOURS["import"])
    write_package(sources[1], FLAVOURS["backup"], seed=3)
    engines: dict[str, dict[str, Any]] = {
        "here": {},
        "pool": {"workers": 2},
        "slurm": {"logs": tmp_path / "logs", "poll_s": 0.2},
        "ray": {"workers": 2},
    }
    found = {}
    for where, options in engines.items():
        report = ingest(sources, tmp_path / where, where=where, **options)  # type: ignore[arg-type]
        assert report.images > 0
        found[where] = sealed(Dataset.open(tmp_path / where))
    assert len(found["here"]) == 6
    for where in ("pool", "slurm", "ray"):
        assert found[where] == found["here"], where
