"""One dataset with withdrawn images, released once for all tests of this folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from aqqua.export.release import ReleaseReport, release
from aqqua.metadata.card import Card, Person
from aqqua.store.dataset import Dataset
from tests.make.releases import releasable

ON = "2027-07-15"


@dataclass(frozen=True)
class Released:
    """A dataset, what was withdrawn from it, and its release."""

    dataset: Dataset
    withdrawn: pl.DataFrame
    report: ReleaseReport

    @property
    def bag(self) -> Path:
        return self.report.records[0]


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory) -> Released:
    folder = tmp_path_factory.mktemp("release")
    dataset = releasable(folder / "bay")
    gone = dataset.metadata(["object_id", "xxh3"])[3:9]
    dataset = dataset.add_tombstones(gone["uid"].to_list(), "not ours")
    return Released(dataset, gone, release([dataset], folder / "out", on=ON))


@pytest.fixture(scope="session")
def several(tmp_path_factory: pytest.TempPathFactory) -> tuple[ReleaseReport, list[Dataset]]:
    """Two datasets with different licences, cut into small files, under one umbrella."""
    folder = tmp_path_factory.mktemp("several")
    people = (Person("Zoe Zander"), Person("Ada Larsen", "0000-0002-1825-0097", roles=("Validation",)))
    datasets = [
        releasable(folder / "bay"),
        releasable(folder / "fjord", (9,), licence="CC-BY-SA-4.0", people=people, title="A fjord", funding=()),
    ]
    umbrella = Card(title="AqQua 2027", people=(Person("Lea Lead", roles=("Conceptualization",)),))
    return release(datasets, folder / "out", on=ON, version="2", umbrella=umbrella, max_bytes=40_000), datasets
