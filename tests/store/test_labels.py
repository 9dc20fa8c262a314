from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from aqqua.errors import ConfigError, NotFoundError
from aqqua.store.dataset import Dataset
from aqqua.store.labels import LABEL_SCHEMA, latest
from tests.make.datasets import miniature


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return miniature(tmp_path / "dataset", (10, 6))


def test_labels_of_the_source_are_there(dataset: Dataset) -> None:
    labels = dataset.labels()
    assert dict(labels.schema) == {
        name: kind() if isinstance(kind, type) else kind for name, kind in LABEL_SCHEMA.items()
    }
    assert len(labels) == 8
    assert labels["uid"].is_sorted()
    assert set(labels["status"]) == {"validated"}
    assert labels["recorded_utc"].null_count() == 0


def test_the_label_recorded_last_counts(dataset: Dataset) -> None:
    uid = dataset.labels()["uid"][0]
    first = dataset.labels()["label"][0]
    path = dataset.add_labels(pl.DataFrame({"uid": [uid], "label": ["Oithona"], "by": ["explorer"]}))
    assert path.parent == dataset.path / "labels"
    assert dataset.labels().filter(pl.col("uid") == uid)["label"].to_list() == ["Oithona"]
    assert dataset.label_history(uid)["label"].to_list() == [first, "Oithona"]
    dataset.add_labels(pl.DataFrame({"uid": [uid], "label": ["Oncaea"]}))
    assert Dataset.open(dataset.path).label_history(uid)["label"].to_list() == [first, "Oithona", "Oncaea"]
    assert len(dataset.labels()) == 8


def test_a_label_recorded_earlier_does_not_count(dataset: Dataset) -> None:
    uid, label = dataset.labels().select("uid", "label").row(0)
    early = datetime(2001, 1, 1, tzinfo=UTC)
    dataset.add_labels(pl.DataFrame({"uid": [uid], "label": ["old"], "recorded_utc": [early]}))
    assert dataset.labels()["label"][0] == label
    assert dataset.label_history(uid)["label"].to_list() == ["old", label]


def test_of_two_at_the_same_time_the_one_written_last_counts() -> None:
    now = datetime(2020, 1, 1, tzinfo=UTC)
    rows = {"uid": [1, 2, 1], "label": ["a", "b", "c"], "recorded_utc": [now] * 3}
    assert latest(pl.DataFrame(rows)).select("uid", "label").rows() == [(1, "c"), (2, "b")]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"label": None}, "no column"),
        ({"uid": None}, "no column"),
        ({"colour": ["red"]}, "unknown columns"),
        ({"status": ["perhaps"]}, "status 'perhaps'"),
        ({"by": ["someone@example.org"]}, "e-mail"),
        ({"uid": ["first"]}, "wrong type"),
        ({"aphia_id": ["many"]}, "wrong type"),
    ],
)
def test_faulty_labels_are_refused(dataset: Dataset, change: dict[str, Any], message: str) -> None:
    rows = {name: value for name, value in ({"uid": [0], "label": ["a"]} | change).items() if value is not None}
    files = sorted((dataset.path / "labels").iterdir())
    with pytest.raises(ConfigError, match=message):
        dataset.add_labels(pl.DataFrame(rows))
    assert sorted((dataset.path / "labels").iterdir()) == files


def test_a_label_without_an_image_is_refused(dataset: Dataset) -> None:
    with pytest.raises(NotFoundError, match="no image 77"):
        dataset.add_labels(pl.DataFrame({"uid": [0, 77], "label": ["a", "b"]}))
    with pytest.raises(ConfigError, match="without uid"):
        dataset.add_labels(pl.DataFrame({"uid": [0, None], "label": ["a", "b"]}))
