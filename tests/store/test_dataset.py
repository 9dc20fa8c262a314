from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from aqqua.errors import FormatError, NotFoundError, StorageError, UnknownNameError
from aqqua.metadata.card import Card
from aqqua.metadata.fields import polars_schema
from aqqua.store.codec import check_value
from aqqua.store.dataset import Dataset
from aqqua.store.images import ShardReader
from tests.make.datasets import batch, miniature, sealed_shard

MADE = [batch(20, 0), batch(12, 1)]
IMAGE_OF = {name: image for one in MADE for name, image in zip(one.converted["object_id"], one.images, strict=True)}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return miniature(tmp_path_factory.mktemp("store") / "dataset")


def test_metadata_come_in_storage_order_with_uid_and_shard(dataset: Dataset) -> None:
    frame = dataset.metadata()
    assert frame.schema == {"uid": pl.UInt64, "shard": pl.UInt32, **polars_schema()}
    assert frame["uid"].to_list() == [*range(20), *range(1 << 32, (1 << 32) + 12)]
    assert frame["shard"].to_list() == [0] * 20 + [1] * 12
    assert set(frame["object_id"]) == set(IMAGE_OF)
    assert len(dataset) == len(frame) == 32
    assert frame.equals(dataset.lazy().collect())


def test_columns_can_be_chosen(dataset: Dataset) -> None:
    assert dataset.metadata(["latitude", "uid"]).columns == ["uid", "shard", "latitude"]
    assert dataset.metadata([]).columns == ["uid", "shard"]
    with pytest.raises(UnknownNameError, match="latitude"):
        dataset.metadata(["latitud"])


def test_a_query_reads_what_it_needs(dataset: Dataset) -> None:
    query = dataset.lazy().filter(pl.col("instrument") == "IFCB").select("uid")
    rows = dataset.metadata()
    assert query.collect()["uid"].to_list() == rows.filter(pl.col("instrument") == "IFCB")["uid"].to_list()


def test_each_uid_is_its_image_row_and_source(dataset: Dataset) -> None:
    for uid, name in dataset.metadata(["object_id"]).select("uid", "object_id").iter_rows():
        np.testing.assert_array_equal(dataset.image(uid), IMAGE_OF[name])
        row = dataset.row(uid)
        assert (row["uid"], row["shard"], row["key"], row["object_id"]) == (uid, uid >> 32, uid & 0xFFFFFFFF, name)
        (raw,) = dataset.raw([uid])
        assert raw["object_id"] == name
        assert float(raw["object_lat"]) == row["latitude"]
        assert raw["source_row"] == str(row["source_row"])


def test_images_and_raw_keep_the_order_asked_for(dataset: Dataset) -> None:
    rows = dataset.metadata(["object_id"]).sample(fraction=1, shuffle=True, seed=3)
    uids, names = rows["uid"].to_list(), rows["object_id"].to_list()
    for image, name in zip(dataset.images([*uids, uids[0]]), [*names, names[0]], strict=True):
        np.testing.assert_array_equal(image, IMAGE_OF[name])
    assert [raw["object_id"] for raw in dataset.raw(uids)] == names
    assert dataset.images([]) == []
    assert dataset.raw([]) == []
    assert len(dataset.images(list(np.array(uids[:2], np.uint64)))) == 2


def test_images_of_a_shard_in_storage_order(dataset: Dataset) -> None:
    names = dict(dataset.metadata(["object_id"]).select("uid", "object_id").iter_rows())
    seen = [(uid, image) for shard in dataset.shards for uid, image in dataset.iter_images(shard)]
    assert [uid for uid, _ in seen] == list(names)
    for uid, image in seen:
        np.testing.assert_array_equal(image, IMAGE_OF[names[uid]])


@pytest.mark.parametrize("uid", [20, (1 << 32) + 12, 2 << 32, 2**64 - 1, -1])
def test_unknown_images_are_named(dataset: Dataset, uid: int) -> None:
    for read in (dataset.image, dataset.row, lambda one: dataset.images([0, one]), lambda one: dataset.raw([one])):
        with pytest.raises(NotFoundError, match=f"no image {uid}"):
            read(uid)


def test_raw_columns_named_like_ours_come_back_under_their_own_name(tmp_path: Path) -> None:
    made = batch(2)
    from aqqua.store.shard import ShardBuilder

    builder = ShardBuilder(tmp_path / "a")
    builder.add_batch(made.images, made.converted, made.raw.with_columns(key=pl.lit("mine")))
    dataset = Dataset.create(tmp_path / "d").commit([builder.seal()])
    assert [row["key"] for row in dataset.raw([0, 1])] == ["mine", "mine"]


def test_a_dataset_travels_as_path_and_snapshot(dataset: Dataset) -> None:
    dataset.image(0)
    packed = pickle.dumps(dataset)
    assert len(packed) < 500
    again = pickle.loads(packed)
    assert again == dataset
    np.testing.assert_array_equal(again.image(3), dataset.image(3))


def test_a_forked_child_reads_for_itself(dataset: Dataset) -> None:
    expected = dataset.image(3)
    child = os.fork()
    if child == 0:
        os._exit(0 if np.array_equal(dataset.image(3), expected) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_it_may_be_moved(tmp_path: Path) -> None:
    miniature(tmp_path / "here", (5,))
    (tmp_path / "here").rename(tmp_path / "there")
    moved = Dataset.open(tmp_path / "there")
    assert moved.image(4).size
    assert moved.shards[0].images.is_relative_to(tmp_path / "there")


def test_opening_reads_no_shard(tmp_path: Path) -> None:
    dataset = miniature(tmp_path / "dataset", (5,))
    for path in dataset.path.rglob("0000*"):
        if path.is_file():
            path.unlink()
    again = Dataset.open(dataset.path)
    assert len(again) == 5
    with pytest.raises(NotFoundError, match=r"00000000\.mdb"):
        again.image(0)
    with pytest.raises(NotFoundError, match="table"):
        again.metadata()
    with pytest.raises(NotFoundError, match="table"):
        again.row(0)


def test_opening_and_reading_images_imports_no_blosc2(dataset: Dataset) -> None:
    program = (
        "import sys; from aqqua.store.dataset import Dataset\n"
        f"dataset = Dataset.open({str(dataset.path)!r})\n"
        "assert 'torch' not in sys.modules and 'blosc2' not in sys.modules\n"
        "dataset.images(dataset.metadata(['width'])['uid'].to_list())\n"
        "assert 'blosc2' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_new_dataset_is_empty_and_whole(tmp_path: Path) -> None:
    dataset = Dataset.create(tmp_path / "new", Card(title="Three cruises"))
    assert dataset.card.title == "Three cruises"
    assert len(dataset) == 0
    assert dataset
    assert dataset.shards == []
    assert dataset.metadata().schema == {"uid": pl.UInt64, "shard": pl.UInt32, **polars_schema()}
    assert len(dataset.labels()) == len(dataset.rejected()) == 0
    assert dataset.findings() == []
    assert dataset.prediction_models() == []
    assert Dataset.open(tmp_path / "new") == dataset
    assert "0 images" in repr(dataset)


def test_a_dataset_is_made_only_where_there_is_room(tmp_path: Path) -> None:
    Dataset.create(tmp_path / "a")
    with pytest.raises(StorageError, match="already"):
        Dataset.create(tmp_path / "a")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "thesis.tex").touch()
    with pytest.raises(StorageError, match="not empty"):
        Dataset.create(tmp_path / "b")
    with pytest.raises(StorageError, match="not empty"):
        Dataset.create(tmp_path / "b" / "thesis.tex")
    (tmp_path / "a" / "AQQUA.json").unlink()  # as after a crash
    assert len(Dataset.create(tmp_path / "a")) == 0


def test_what_is_no_dataset_is_refused_in_words(tmp_path: Path) -> None:
    assert not Dataset.is_at(tmp_path)
    with pytest.raises(NotFoundError, match="no dataset here"):
        Dataset.open(tmp_path)
    with pytest.raises(NotFoundError, match="no dataset here"):
        Dataset.open(tmp_path / "nothing")


@pytest.mark.parametrize("change", [{"version": {"major": 2, "minor": 0}}, {"required_features": ["time-travel"]}])
def test_a_newer_dataset_is_refused_in_words(tmp_path: Path, change: dict[str, Any]) -> None:
    dataset = Dataset.create(tmp_path / "new")
    path = dataset.path / "AQQUA.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(FormatError, match="update aqqua"):
        Dataset.open(dataset.path)


def test_counts_are_told(tmp_path: Path) -> None:
    dataset = miniature(tmp_path / "dataset", (5, 3)).add_tombstones([0], "blurred")
    told = json.loads((dataset.path / "AQQUA.json").read_text())
    assert told["counts"] == {"snapshot": 2, "shards": 2, "images": 7}
    assert told["tools"]["lmdb"]


def test_a_damaged_image_says_which(tmp_path: Path) -> None:
    dataset = miniature(tmp_path / "dataset", (5,))
    path = dataset.shards[0].images
    content = bytearray(path.read_bytes())
    content[content.rindex(b"AQ\x01") - 3] ^= 1
    path.write_bytes(content)
    damaged = next(key for key, value in ShardReader(path).visit() if not check_value(value))
    with pytest.raises(FormatError) as caught:
        dataset.image(damaged)
    assert f"{path}, key {damaged}" in str(caught.value)
    assert len(dataset.images([uid for uid in range(5) if uid != damaged])) == 4


def test_a_damaged_table_says_which(tmp_path: Path) -> None:
    dataset = miniature(tmp_path / "dataset", (5,))
    path = dataset.shards[0].converted
    path.write_bytes(path.read_bytes()[:200])
    for read in (dataset.metadata, lambda: dataset.row(0)):
        with pytest.raises(FormatError, match="cannot be read"):
            read()


def test_older_columns_may_be_missing_and_newer_ones_come_along(tmp_path: Path) -> None:
    dataset = Dataset.create(tmp_path / "d").commit([sealed_shard(tmp_path / "a", 4)])
    path = dataset.shards[0].converted
    frame = pl.read_parquet(path)
    frame.drop("modality").with_columns(salinity=pl.lit(35.0)).write_parquet(path)
    again = dataset.metadata()
    assert again["modality"].to_list() == [None] * 4
    assert again["salinity"].to_list() == [35.0] * 4


def test_opening_reads_nothing_per_image(tmp_path: Path) -> None:
    """A million images or ten: what lies beside the manifest might as well not be there."""
    dataset = miniature(tmp_path / "d", (5, 4))
    for kind in ("images", "meta", "labels"):
        shutil.rmtree(dataset.path / kind)
    again = Dataset.open(dataset.path)
    assert (len(again), again.shards, repr(again)) == (len(dataset), dataset.shards, repr(dataset))
    assert pickle.loads(pickle.dumps(again)).snapshot == dataset.snapshot
