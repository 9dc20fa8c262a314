"""Datasets as sources: images byte for byte, metadata, labels and masks as they are, removed images gone."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from aqqua.errors import ConfigError, NotFoundError
from aqqua.metadata.card import Card, Person
from aqqua.sources import recognise
from aqqua.sources.aqqua_dataset import ORIGIN, merge, merged_card, subset
from aqqua.sources.ingest import ingest
from aqqua.store.compact import compact
from aqqua.store.dataset import Dataset
from aqqua.store.identity import read_identity
from aqqua.store.images import ShardReader
from aqqua.store.verify import verify_shard
from aqqua.store.withdraw import withdraw
from tests.make.datasets import miniature, sealed_shard
from tests.make.folders import write_classes

ABOUT = [
    "object_id",
    "xxh3",
    "time_utc",
    "latitude",
    "depth_min_m",
    "instrument",
    "pixel_um",
    "sample_id",
    "source_row",
]


def told(dataset: Dataset) -> pl.DataFrame:
    return dataset.metadata(ABOUT).drop("uid", "shard").sort("object_id")


def where_from(dataset: Dataset) -> dict[int, tuple[str, int]]:
    """Uid → identity of the dataset it came from, uid there."""
    uids = dataset.metadata([])["uid"].to_list()
    parts = [row[ORIGIN].split(" < ")[0].split("/") for row in dataset.raw(uids)]
    return {uid: (name, int(shard) << 32 | int(key)) for uid, (name, shard, key) in zip(uids, parts, strict=True)}


def value(dataset: Dataset, uid: int) -> bytes:
    return ShardReader(dataset.shards[uid >> 32].images).get(uid & 0xFFFFFFFF)


def test_two_datasets_become_one(tmp_path: Path) -> None:
    a, b = miniature(tmp_path / "a"), miniature(tmp_path / "b", (9,))
    b = Dataset.create(tmp_path / "c").commit([sealed_shard(tmp_path / "c" / "jobs" / "5", 9, seed=5)])
    report = ingest([a.path, b.path], tmp_path / "all")
    whole = report.dataset
    assert (report.images, report.shards, report.rejected) == (len(a) + len(b), 3, 0)
    assert_frame_equal(told(whole), pl.concat([told(a), told(b)]).sort("object_id"))
    names = {str(read_identity(one.path)["uuid"]): one for one in (a, b)}
    for uid, (name, old) in where_from(whole).items():
        assert value(whole, uid) == value(names[name], old), "encoded images go over byte for byte"
        np.testing.assert_array_equal(whole.image(uid), names[name].image(old))
        raw = whole.raw([uid])[0]
        assert raw.pop(ORIGIN)
        assert raw == names[name].raw([old])[0]
    for shard in whole.shards:
        assert not [finding for finding in verify_shard(shard, level=3) if finding.severity == "error"]
    assert not (whole.path / "jobs").exists()
    assert [finding.code for finding in whole.findings()].count("merged") == 2


def test_labels_keep_their_history(tmp_path: Path) -> None:
    a = miniature(tmp_path / "a", (6,))
    uid = int(a.labels()["uid"][0])
    later = datetime(2030, 1, 2, tzinfo=UTC)
    a.add_labels(pl.DataFrame({"uid": [uid], "label": ["Oithona"], "by": ["explorer"], "recorded_utc": [later]}))
    whole = ingest([a.path], tmp_path / "all").dataset
    places = {old: new for new, (_, old) in where_from(whole).items()}
    for old, new in places.items():
        assert_frame_equal(whole.label_history(new).drop("uid"), a.label_history(old).drop("uid"))
    assert whole.label_history(places[uid]).height == 2


def test_removed_images_stay_out(tmp_path: Path) -> None:
    a = miniature(tmp_path / "a", (8, 5))
    uids = a.metadata([])["uid"].to_list()
    a = a.add_tombstones([uids[2], *uids[8:]], "withdrawn by their owner")
    whole = ingest([a.path], tmp_path / "all").dataset
    assert len(whole) == len(a) == 7
    assert len(whole.shards) == 1
    assert_frame_equal(told(whole), told(a))


@pytest.mark.parametrize("compacted", [True, False])
@pytest.mark.parametrize("by_hand", [True, False], ids=["merged again", "ingested, then merged"])
def test_what_was_withdrawn_does_not_come_back_with_a_merge(tmp_path: Path, compacted: bool, by_hand: bool) -> None:
    write_classes(tmp_path / "raw")
    theirs = ingest([tmp_path / "raw"], tmp_path / "theirs").dataset
    first = theirs.path if by_hand else tmp_path / "raw"
    ours = ingest([first], tmp_path / "ours").dataset
    lost = ours.metadata(["object_id"]).head(2)
    withdraw(ours, uids=lost["uid"], reason="the owner asked for it")
    if compacted:
        compact(ours.path)
    whole = ingest([theirs.path], ours.path).dataset
    assert set(lost["object_id"]).isdisjoint(whole.metadata(["object_id"])["object_id"])
    assert set(theirs.metadata(["object_id"])["object_id"]) - set(lost["object_id"]) == set(
        whole.metadata(["object_id"])["object_id"]
    )


def test_a_whole_dataset_that_was_withdrawn_stays_out(tmp_path: Path) -> None:
    a = miniature(tmp_path / "a", (6,))
    ours = ingest([a.path], tmp_path / "ours").dataset
    withdraw(ours, source=ours.shards[0].source, reason="the owner asked for it")
    compact(ours.path)
    report = ingest([a.path], ours.path)
    assert (report.images, len(report.dataset)) == (0, 0)


def test_a_dataset_that_has_grown_adds_what_is_new(tmp_path: Path) -> None:
    a = miniature(tmp_path / "a", (6,))
    ingest([a.path], tmp_path / "all")
    assert ingest([a.path], tmp_path / "all").images == 0
    a = a.commit([sealed_shard(tmp_path / "a" / "jobs" / "7", 4, seed=7)])
    report = ingest([a.path], tmp_path / "all")
    assert (report.images, len(report.dataset)) == (4, 10)


def test_with_a_raw_source_in_one_run(tmp_path: Path) -> None:
    a = miniature(tmp_path / "a", (6,))
    write_classes(tmp_path / "raw")
    report = ingest([tmp_path / "raw", a.path], tmp_path / "all")
    assert report.images == 12
    assert report.dataset.card.title == "A small survey"
    assert report.dataset.metadata(["instrument"])["instrument"].unique().sort().to_list() == [
        "IFCB",
        "ISIIS",
        "ZooScan",
    ]


def test_mappings_are_not_applied_twice(tmp_path: Path) -> None:
    """What was harmonised once is copied: a card with other constants changes nothing."""
    write_classes(tmp_path / "raw")
    first = ingest([tmp_path / "raw"], tmp_path / "a").dataset
    whole = ingest([first.path], tmp_path / "all", card=Card(title="All", overrides={"pixel_um": 7})).dataset
    assert whole.card.title == "All"
    assert whole.metadata(["pixel_um"])["pixel_um"].unique().to_list() == [68.0]
    assert_frame_equal(told(whole), told(first))


def test_subset(tmp_path: Path) -> None:
    a = miniature(tmp_path / "a")
    chosen = a.metadata(["instrument"]).filter(pl.col("instrument") == "ZooScan")
    chosen.select("uid").write_csv(tmp_path / "uids.csv")
    chosen.select("uid").write_parquet(tmp_path / "uids.parquet")
    expected = told(a).filter(pl.col("instrument") == "ZooScan")
    ways: list[list[int] | pl.DataFrame | Path] = [chosen["uid"].to_list(), chosen]
    for number, uids in enumerate([*ways, tmp_path / "uids.csv", tmp_path / "uids.parquet"]):
        part = subset(a.path, tmp_path / f"part{number}", uids=uids)
        assert_frame_equal(told(part), expected)
    again = subset(part, tmp_path / "part_of_part", uids=part.metadata([])["uid"].to_list()[:3])
    chains = [row[ORIGIN] for row in again.raw(again.metadata([])["uid"].to_list())]
    assert all(chain.count(" < ") == 1 for chain in chains)
    assert all(chain.endswith(f"/{chain.split('/')[-2]}/{chain.split('/')[-1]}") for chain in chains)


def test_subset_of_what_is_not_there(tmp_path: Path) -> None:
    a = miniature(tmp_path / "a", (6,))
    with pytest.raises(NotFoundError, match="no image 99"):
        subset(a, tmp_path / "b", uids=[0, 99])
    with pytest.raises(ConfigError, match="no image is chosen"):
        subset(a, tmp_path / "b", uids=[])
    with pytest.raises(ConfigError, match="no column uid"):
        subset(a, tmp_path / "b", uids=pl.DataFrame({"id": [1]}))
    assert not (tmp_path / "b").exists()


def test_masks_come_along(tmp_path: Path) -> None:
    a = miniature(tmp_path / "a", (6,))
    uids = a.metadata([])["uid"].to_list()
    drawn = {uid: (a.image(uid).reshape(*a.image(uid).shape[:2], -1)[..., 0] % 3).astype(np.uint8) for uid in uids[1:4]}
    a.write_masks("source", 0, drawn.items(), {"how": "drawn"})
    whole = merge(a, Dataset.create(tmp_path / "all"))
    assert whole.mask_names() == ["source"]
    for new, (_, old) in where_from(whole).items():
        mask = whole.mask(new)
        if old in drawn:
            assert mask is not None
            np.testing.assert_array_equal(mask, drawn[old])
        else:
            assert mask is None
    shutil.rmtree(whole.path / "masks")  # as if the run had been stopped right after its images were in
    again = merge(a, whole)
    assert len(again) == len(whole)
    assert sum(again.mask(uid) is not None for uid in again.metadata([])["uid"]) == 3


def test_what_cannot_be_merged(tmp_path: Path) -> None:
    a = miniature(tmp_path / "a", (3,))
    with pytest.raises(ConfigError, match="into itself"):
        ingest([a.path], a.path)
    with pytest.raises(ConfigError, match="no table is joined"):
        ingest([a.path], tmp_path / "b", table=tmp_path / "t.csv")
    with pytest.raises(ConfigError, match="no source for the reader folder"):
        ingest([a.path], tmp_path / "b", source="folder")


def test_a_dataset_is_recognised_and_reads_as_a_source(tmp_path: Path) -> None:
    a = miniature(tmp_path / "a", (4, 3))
    source = recognise(a.path)
    assert source.name == "aqqua_dataset"
    parts = source.parts(a.path)
    assert [part.estimate() for part in parts] == [4, 3]
    table = parts[1].table()
    for uid, image in zip(table["image_path"], parts[1].images(range(3)), strict=True):
        assert isinstance(image, np.ndarray)
        np.testing.assert_array_equal(image, a.image(int(uid)))
    assert table["object_lat"].null_count() == 0


def test_cards_promise_only_what_all_promise() -> None:
    one = Card(
        title="A", licence="CC-BY-4.0", license_allows_training=True, instruments=("IFCB",), people=(Person("X"),)
    )
    two = Card(title="B", licence="CC-BY-4.0", license_allows_training=True, instruments=("IFCB", "UVP6"))
    card = merged_card([one, two])
    assert (card.title, card.licence, card.license_allows_training) == ("A + B", "CC-BY-4.0", True)
    assert (card.instruments, card.people) == (("IFCB", "UVP6"), (Person("X"),))
    card = merged_card([one, Card(licence="CC-BY-NC-4.0", license_allows_training=False)])
    assert (card.licence, card.license_allows_training) == ("unknown", False)
    assert merged_card([one, Card()]).license_allows_training is None


def test_another_licence_is_told(tmp_path: Path) -> None:
    sealed = sealed_shard(tmp_path / "a1", 3, seed=1)
    a = Dataset.create(tmp_path / "a", Card(licence="CC-BY-NC-4.0")).commit([sealed])
    b = Dataset.create(tmp_path / "b", Card(licence="CC-BY-4.0")).commit([sealed_shard(tmp_path / "b1", 3, seed=2)])
    assert "licence_differs" in {finding.code for finding in merge(a, b).findings()}
