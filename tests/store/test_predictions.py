from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from aqqua.errors import ConfigError, FormatError, NotFoundError, UnknownNameError
from aqqua.store.dataset import Dataset
from aqqua.store.parquet import read_notes
from aqqua.store.predictions import write_predictions
from tests.make.datasets import miniature

INFO = {"weights_sha256": "abc", "preprocessing_hash": "def", "label_set": ["Acartia"]}


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return miniature(tmp_path / "dataset", (10, 6))


def uids(dataset: Dataset, shard: int) -> pl.Series:
    return dataset.metadata([]).filter(pl.col("shard") == shard)["uid"]


def predicted(dataset: Dataset, shard: int, dimensions: int = 4) -> pl.DataFrame:
    of_shard = uids(dataset, shard)
    vectors = np.random.default_rng(shard).normal(size=(len(of_shard), dimensions)).astype(np.float32)
    return pl.DataFrame(
        {
            "uid": of_shard,
            "vector": vectors,
            "taxon_knn": ["Acartia"] * len(of_shard),
            "p_knn": np.linspace(0, 1, len(of_shard)),
        }
    )


def test_predictions_come_back_in_storage_order(dataset: Dataset) -> None:
    frames = [predicted(dataset, shard) for shard in (0, 1)]
    for shard, frame in enumerate(frames):
        path = dataset.write_predictions("vit-1234", shard, frame.sample(fraction=1, shuffle=True), INFO)
        assert path == dataset.prediction_path("vit-1234", shard)
    again = dataset.predictions()
    assert again["uid"].to_list() == dataset.metadata([])["uid"].to_list()
    assert again.schema["vector"] == pl.Array(pl.Float32, 4)
    expected = np.concatenate([frame["vector"].to_numpy() for frame in frames])
    np.testing.assert_allclose(again["vector"].to_numpy(), expected, rtol=1e-3)
    assert again["p_knn"].dtype == pl.Float32
    assert again["taxon_linear"].to_list() == [None] * 16
    assert dataset.predictions(columns=["p_knn"]).columns == ["uid", "p_knn"]
    assert dataset.predictions("vit-1234", ["uid", "vector"]).columns == ["uid", "vector"]


def test_vectors_are_kept_with_16_bits_where_these_suffice(dataset: Dataset) -> None:
    frame = predicted(dataset, 0)
    path = dataset.write_predictions("a", 0, frame, INFO)
    assert pl.read_parquet_schema(path)["vector"] == pl.Array(pl.Float16, 4)
    large = frame.with_columns(pl.col("vector") * pl.lit(1e6, pl.Float32))
    path = dataset.write_predictions("a", 0, large, INFO)
    np.testing.assert_array_equal(dataset.predictions("a")["vector"].to_numpy(), large["vector"].to_numpy())
    assert pl.read_parquet_schema(path)["vector"] == pl.Array(pl.Float32, 4)


def test_lists_and_more_columns_are_taken(dataset: Dataset) -> None:
    frame = predicted(dataset, 0).with_columns(pl.col("vector").arr.to_list(), area_um2=pl.lit(3.5))
    dataset.write_predictions("a", 0, frame, INFO)
    again = dataset.predictions("a")
    assert again.schema["vector"] == pl.Array(pl.Float32, 4)
    assert again["area_um2"].to_list() == [3.5] * 10


def test_vectors_of_different_lengths_are_refused(dataset: Dataset) -> None:
    frame = pl.DataFrame({"uid": uids(dataset, 0)[:2], "vector": [[1.0, 2.0], [1.0]]})
    with pytest.raises(ConfigError, match="lengths"):
        dataset.write_predictions("a", 0, frame, INFO)


def test_only_images_of_the_shard_once(dataset: Dataset) -> None:
    frame = predicted(dataset, 1)
    with pytest.raises(ConfigError, match="shard 0"):
        dataset.write_predictions("a", 0, frame, INFO)
    with pytest.raises(ConfigError):
        dataset.write_predictions("a", 1, pl.concat([frame, frame[:1]]), INFO)
    with pytest.raises(ConfigError):
        dataset.write_predictions("a", 1, frame.drop("uid"), INFO)


def test_the_newest_model_is_the_default(dataset: Dataset) -> None:
    for model, created, shard in (("old-1", "2020-01-01", 0), ("new-1", "2024-01-01", 1), ("mid-1", "2022-01-01", 0)):
        dataset.write_predictions(model, shard, predicted(dataset, shard), {**INFO, "created_utc": created})
    assert dataset.prediction_models() == ["new-1", "mid-1", "old-1"]
    assert len(dataset.predictions()) == 6  # only one shard is done yet
    assert len(dataset.predictions("old-1")) == 10
    with pytest.raises(UnknownNameError, match="new-1"):
        dataset.predictions("new-2")
    with pytest.raises(UnknownNameError, match="p_knn"):
        dataset.predictions(columns=["p_kn"])


def test_what_made_them_is_noted_in_each_file_and_once(dataset: Dataset) -> None:
    path = dataset.write_predictions("vit-1", 0, predicted(dataset, 0), INFO)
    origin = {"dataset": dataset.uuid, "snapshot": dataset.snapshot, "shard": dataset.shards[0].identity}
    expected = {**INFO, "model_id": "vit-1", "kind": "predictions", "format": [1, 1], "origin": origin}
    assert read_notes(path) == expected
    info = json.loads((path.parent / "model.json").read_text())
    assert info.items() >= {**INFO, "model_id": "vit-1"}.items()
    assert info["created_utc"]
    assert info["aqqua_version"]
    before = (path.parent / "model.json").stat().st_mtime_ns
    dataset.write_predictions("vit-1", 1, predicted(dataset, 1), INFO)
    assert (path.parent / "model.json").stat().st_mtime_ns == before


def test_a_job_may_write_where_it_is_told(dataset: Dataset, tmp_path: Path) -> None:
    path = write_predictions(tmp_path / "elsewhere.parquet", 1, predicted(dataset, 1), INFO)
    assert len(pl.read_parquet(path)) == 6


def test_there_may_be_none(dataset: Dataset) -> None:
    assert dataset.prediction_models() == []
    with pytest.raises(NotFoundError, match="aqqua predict"):
        dataset.predictions()
    dataset.write_predictions("empty", 0, predicted(dataset, 0)[:0], INFO)
    assert len(dataset.predictions("empty")) == 0


@pytest.mark.parametrize("name", ["", "..", "../x", "a/b", ".hidden", "a b"])
def test_a_model_id_makes_no_path(dataset: Dataset, name: str) -> None:
    with pytest.raises(ConfigError):
        dataset.prediction_path(name, 0)


def test_a_damaged_model_json_is_named(dataset: Dataset) -> None:
    path = dataset.write_predictions("a", 0, predicted(dataset, 0), INFO)
    (path.parent / "model.json").write_text("{")
    with pytest.raises(FormatError, match=r"model\.json"):
        dataset.prediction_models()
