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


def unrelated(folder: Path) -> Dataset:
    return Dataset.create(folder).commit([sealed_shard(folder.parent / "sealing", 5, 9)])


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


def test_a_released_model_is_told_as_such(dataset: Dataset, tmp_path: Path) -> None:
    shelf = tmp_path / "shelf"
    card = {"format": "aqqua model card", "title": "Reef model", "version": "2", "doi": "10.5281/zenodo.7"}
    (model(shelf / "reef", dataset) / "model_card.json").write_text(json.dumps(card | {"about": dataset.uuid}))
    (model(shelf / "other", unrelated(tmp_path / "o")) / "model_card.json").write_text(json.dumps(card))
    found = lineage(dataset, source="source_1.zip", models=[shelf], releases=[shelf])
    assert [(one["model"], one["released"], one["doi"]) for one in found.models] == [
        ("reef", "Reef model", "10.5281/zenodo.7")
    ]
    (one,) = found.releases
    assert (one["kind"], one["model"], one["shards"], one["version"]) == ("model", "reef", 1, "2")
    assert "released Reef model" in str(found)


def test_predictions_by_a_model_that_learned_from_it(dataset: Dataset, tmp_path: Path) -> None:
    other = unrelated(tmp_path / "far" / "other")
    for ds in (dataset, other):
        first = ds.shards[0].number
        uids = ds.metadata(["height"]).filter(shard=first)["uid"]
        learned = [{name: origin(dataset)[name] for name in ("path", "uuid", "snapshot", "shards")}]
        ds.write_predictions("taught", first, pl.DataFrame({"uid": uids}), {"learned_from": learned})
    found = lineage(dataset, source="source_1.zip", models=[tmp_path / "far"])
    by = {(one["model"], one["rows"], one.get("by")) for one in found.tables if one["kind"] == "predictions"}
    assert by == {("vit-1", 12, None), ("taught", 0, "a model that learned from them")}
    assert [(one["model"], one["how"], Path(one["folder"]).parts[-3]) for one in found.models] == [
        ("taught", "predictions", "other")
    ]


def test_a_model_trained_after_a_withdrawal_does_not_contain_it(dataset: Dataset, tmp_path: Path) -> None:
    withdrawn = withdraw(dataset, source="source_1.zip", reason="asked for").dataset
    model(tmp_path / "models" / "again", withdrawn)
    assert lineage(withdrawn, source="source_1.zip", models=[tmp_path / "models"]).models == []
    assert len(lineage(withdrawn, source="source_0.zip", models=[tmp_path / "models"]).models) == 1


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
