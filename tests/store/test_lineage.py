from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from aqqua.errors import NotFoundError, UnknownNameError
from aqqua.sources.aqqua_dataset import merge
from aqqua.store.compact import compact
from aqqua.store.dataset import Dataset
from aqqua.store.lineage import lineage, origin
from aqqua.store.parquet import write_frame
from aqqua.store.withdraw import withdraw
from tests.make.datasets import miniature, sealed_shard


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    dataset = miniature(tmp_path / "dataset", (25, 12))
    rows = dataset.metadata(["height", "width"])
    for shard in dataset.shards:
        uids = rows.filter(shard=shard.number)["uid"]
        dataset.write_predictions("vit-1", shard.number, pl.DataFrame({"uid": uids}), {})
    masks = [(uid, np.ones((h, w), np.uint8)) for uid, _, h, w in rows.filter(shard=1)[:3].iter_rows()]
    dataset.write_masks("objects", 1, masks, {"what": "objects"})
    write_frame(dataset.path / "splits" / "first.parquet", rows.select("uid", split=pl.lit("test")), kind="split")
    return dataset


def model(folder: Path, dataset: Dataset, name: str = "model.json") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    info = {"format": "aqqua model", "model_id": folder.name, "data": [origin(dataset)]}
    (folder / name).write_text(json.dumps(info))
    return folder


def test_a_source_is_found_everywhere(dataset: Dataset) -> None:
    found = lineage(dataset, source="source_1.zip")
    assert (found.images, found.removed, found.erased) == (12, 0, 0)
    assert [(shard["number"], shard["images"], shard["of"]) for shard in found.shards] == [(1, 12, 12)]
    assert found.shards[0]["files"][0] == "images/0000/00000001.mdb"
    tables = {(table["kind"], table["file"]): table["rows"] for table in found.tables}
    assert tables == {
        ("labels", "labels/v000001.parquet"): 6,
        ("predictions", "predictions/vit-1/00000001.parquet"): 12,
        ("splits", "splits/first.parquet"): 12,
    }
    assert [(mask["name"], mask["masks"]) for mask in found.masks] == [("objects", 3)]
    assert json.loads(json.dumps(found.to_dict()))["dataset"]["uuid"] == dataset.uuid
    text = str(found)
    for words in ("source source_1.zip in", "12 images, 0 of them withdrawn", "model vit-1", "releases: none"):
        assert words in text


def test_a_sample_and_images(dataset: Dataset) -> None:
    found = lineage(dataset.path, sample="sample_1")
    assert [(shard["number"], shard["images"]) for shard in found.shards] == [(0, 10), (1, 2)]
    one = lineage(dataset, uids=pl.Series([3, (1 << 32) + 5]))
    assert (one.images, len(one.shards), len(one.masks), one.about) == (2, 2, 0, {"uids": 2})


def test_models_that_learned_from_it(dataset: Dataset, tmp_path: Path) -> None:
    models = tmp_path / "models"
    model(models / "a" / "deep", dataset)
    model(models / "begun", dataset, "data.json")
    model(model(models / "ended", dataset), dataset, "data.json")
    model(model(models / "heads", miniature(tmp_path / "other", (0,) * 0)), dataset, "heads.json")
    later = dataset.commit([sealed_shard(tmp_path / "x", 3, 5)])
    model(models / "later", later)
    (models / "broken").mkdir()
    for name, text in {"model.json": "{", "heads.json": "[1]", "data.json": '{"data": [3, {"shards": "x"}]}'}.items():
        (models / "broken" / name).write_text(text)
    found = lineage(later, source="source_1.zip", models=[models])
    assert {(Path(one["folder"]).name, one["how"]) for one in found.models} == {
        ("deep", "learned"),
        ("begun", "unfinished"),
        ("ended", "learned"),
        ("heads", "heads"),
        ("later", "learned"),
    }
    new = lineage(later, source="source_5.zip", models=[models])
    assert [(Path(one["folder"]).name, one["snapshot"]) for one in new.models] == [("later", 2)]


def test_releases_that_contain_or_name_it(dataset: Dataset, tmp_path: Path) -> None:
    releases = tmp_path / "releases"
    same = Dataset.create(releases / "copy").commit([sealed_shard(tmp_path / "x", 12, 1)])
    Dataset.create(releases / "other").commit([sealed_shard(tmp_path / "y", 4, 8)])
    merged = Dataset.create(releases / "merged")
    merge(dataset, merged)
    (releases / "croissant.json").write_text(json.dumps({"isBasedOn": dataset.uuid}))
    (releases / "unrelated.json").write_text("{}")
    found = lineage(dataset, source="source_1.zip", releases=[releases])
    assert [(Path(one["path"]).name, one["kind"]) for one in found.releases] == [
        ("copy", "dataset"),
        ("croissant.json", "document"),
        ("merged", "dataset"),
    ]
    assert found.releases[0]["images"] == len(same) == 12


def test_it_is_answered_after_withdrawal_and_after_compaction(dataset: Dataset, tmp_path: Path) -> None:
    models = model(tmp_path / "models" / "m", dataset).parent
    withdrawn = withdraw(dataset, source="source_1.zip", reason="asked for").dataset
    found = lineage(withdrawn, source="source_1.zip", models=[models])
    assert (found.images, found.removed, found.erased, len(found.models)) == (12, 12, 0, 1)
    gone = lineage(compact(withdrawn).dataset, source="source_1.zip", models=[models])
    assert (gone.images, gone.removed, gone.erased, len(gone.models)) == (0, 0, 12, 1)
    assert gone.shards == gone.tables == gone.masks == []


def test_what_is_not_there_is_named(dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="source_1"):
        lineage(dataset, source="source_9.zip")
    with pytest.raises(NotFoundError, match="no such folder"):
        lineage(dataset, source="source_1.zip", models=[tmp_path / "nowhere"])
