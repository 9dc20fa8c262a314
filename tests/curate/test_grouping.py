from __future__ import annotations

from pathlib import Path

import pytest

from aqqua.curate.grouping import BY, grouped, upstream_parts
from tests.make.captures import capture, dataset_of, uids_by_name


def test_sources_tell_their_parts_in_many_words(tmp_path: Path) -> None:
    words = ["Train", "validation", "TEST", "holdout", "something", None, "", "dev"]
    dataset = dataset_of(tmp_path / "d", [capture(i, 24) for i in range(8)], raw={"Subset": words}, shards=2)
    names = {uid: name for name, uid in uids_by_name(dataset).items()}
    found = {names[uid]: part for uid, part in upstream_parts(dataset).iter_rows()}
    assert found == {"object_0": 0, "object_1": 1, "object_2": 2, "object_3": 2, "object_7": 1}


def test_folders_tell_it_if_exactly_one_of_them_does(tmp_path: Path) -> None:
    paths = ["train/a.png", "x/val/a.png", "train/test/a.png", "test.png", "testudo/a.png"]
    dataset = dataset_of(tmp_path / "d", [capture(i, 24) for i in range(5)], raw={"image_path": paths})
    names = {uid: name for name, uid in uids_by_name(dataset).items()}
    assert {names[uid]: part for uid, part in upstream_parts(dataset).iter_rows()} == {"object_0": 0, "object_1": 1}


@pytest.mark.parametrize("by", sorted(BY))
def test_groups_are_numbered_without_a_hole(tmp_path: Path, by: str) -> None:
    dataset = dataset_of(tmp_path / "d", [capture(i // 2 * 2, 24) for i in range(8)])
    found = grouped([dataset], by)
    numbers = sorted(found.table["group"].unique())
    assert numbers == list(range(len(numbers)))
    assert len(found.fixed) == len(numbers)
    assert sorted(found.table["stratum"].unique()) == list(range(len(found.strata)))
    assert len(numbers) == {"cluster": 4, "sample": 2, "cruise": 1, "instrument": 1, "time": 1}[by]


def test_samples_of_other_sources_and_missing_ones_are_told_apart(tmp_path: Path) -> None:
    samples = ["a", "a", None, None]
    dataset = dataset_of(tmp_path / "d", [capture(i, 24) for i in range(4)], converted={"sample_id": samples})
    assert grouped([dataset], "sample").table["group"].n_unique() == 2
    assert "near duplicates are not known" in grouped([dataset], "sample").notes[0]


def test_images_without_sample_are_told(tmp_path: Path) -> None:
    samples = ["a", "a", None, None]
    dataset = dataset_of(tmp_path / "d", [capture(i, 24) for i in range(4)], converted={"sample_id": samples})
    assert any(note.startswith("2 images have no sample") for note in grouped([dataset], "sample").notes)
    assert not any("have no sample" in note for note in grouped([dataset], "time").notes)
