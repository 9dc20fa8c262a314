from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from aqqua.errors import NotFoundError
from aqqua.metadata.check import Finding
from aqqua.store.check import check
from aqqua.store.dataset import Dataset
from tests.make.datasets import miniature


@pytest.fixture(autouse=True)
def all_sea(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aqqua.metadata.land.sea_within", lambda latitude, *_: np.ones(len(latitude), dtype=bool))


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return miniature(tmp_path / "one", (8,))


def test_findings_of_ingest_and_files_come_together_gravest_first(dataset: Dataset) -> None:
    rejects = pl.DataFrame({"source_path": ["a.tsv"], "source_row": [3], "reason": ["no time"]})
    stored = [Finding("info", "told", "something"), Finding("warning", "odd", "strange")]
    dataset = dataset.commit([], rejects=rejects, findings=stored)
    dataset.shards[0].raw.unlink()
    findings = check([dataset.path])
    assert [finding.severity for finding in findings] == sorted(
        (finding.severity for finding in findings), key=["error", "warning", "info"].index
    )
    codes = [finding.code for finding in findings]
    assert codes[0] == "file_missing"
    assert {"told", "odd", "rejected_rows"} <= set(codes)


def test_rows_are_checked(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    from aqqua.store import check as module

    seen: list[int] = []

    def look(frame: pl.DataFrame, **_: object) -> list[Finding]:
        seen.append(len(frame))
        return [Finding("warning", "odd", "strange")] * 2

    monkeypatch.setattr(module, "check_rows", look)
    assert [finding.code for finding in check(dataset.path)] == ["odd"]
    assert seen == [8]


def test_unreadable_metadata_are_one_error(dataset: Dataset) -> None:
    path = dataset.shards[0].converted
    path.write_bytes(bytes(path.stat().st_size))
    assert [finding.code for finding in check(dataset.path, level=0)] == ["metadata_unreadable"]
    assert [finding.code for finding in check(dataset.path, level=1)] == ["parquet_unreadable"]


def test_several_datasets_are_told_apart(dataset: Dataset, tmp_path: Path) -> None:
    other = miniature(tmp_path / "two", (4,)).commit([], findings=[Finding("warning", "odd", "strange", "column x")])
    other.shards[0].images.unlink()
    findings = check([dataset.path, str(other.path)])
    errors = [finding for finding in findings if finding.severity == "error"]
    assert [finding.where for finding in errors] == [str(other.shards[0].images)]
    assert f"{other.path}: column x" in {finding.where for finding in findings}


def test_a_missing_dataset_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        check([tmp_path])
