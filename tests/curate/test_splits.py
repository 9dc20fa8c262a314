from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from aqqua.curate.duplicates import duplicates
from aqqua.curate.leaks import check_split
from aqqua.curate.splits import PARTS, By, read_split, split_info, split_names, splits
from aqqua.errors import ConfigError, NotFoundError, UnknownNameError
from aqqua.store.dataset import Dataset
from tests.make.captures import capture, compressed, dataset_of, uids_by_name


def survey(path: Path, count: int = 40, *, first: int = 0, **more: object) -> Dataset:
    """Samples of four images, taxa in turn."""
    images = [capture(first + i, 24) for i in range(count)]
    return dataset_of(path, images, labels=["copepod", "diatom"] * count, shards=2, **more)  # type: ignore[arg-type]


def parts_of(dataset: Dataset, name: str, column: str) -> dict[str, set[str]]:
    table = dataset.metadata([column]).join(read_split(dataset, name), on="uid")
    return {key: set(values) for key, values in table.group_by(column).agg("split").iter_rows()}


@pytest.mark.parametrize(("by", "column"), [("sample", "sample_id"), ("instrument", "instrument")])
def test_no_group_is_torn_apart(tmp_path: Path, by: By, column: str) -> None:
    dataset = survey(tmp_path / "d", converted={"instrument": ["IFCB"] * 10 + ["FlowCam"] * 20 + ["UVP6"] * 10})
    report = splits([dataset.path], name="one", by=by, fractions=(0.5, 0.25, 0.25))
    assert all(len(found) == 1 for found in parts_of(dataset, "one", column).values())
    assert sum(report.images.values()) == 40
    assert check_split([dataset.path], "one") == []
    assert "one" in str(report)


def test_by_day_and_by_cruise(tmp_path: Path) -> None:
    cruises = ["M1"] * 16 + ["M2"] * 12 + [""] * 12
    dataset = survey(tmp_path / "d", raw={"sample_cruise": cruises})
    splits([dataset.path], name="days", by="time")
    table = dataset.metadata(["time_utc"]).join(read_split(dataset, "days"), on="uid")
    assert table.group_by(pl.col("time_utc").dt.date()).agg(pl.col("split").n_unique())["split"].max() == 1
    splits([dataset.path], name="cruises", by="cruise")
    names = uids_by_name(dataset)
    part = dict(read_split(dataset, "cruises").iter_rows())
    by_cruise = [{part[names[f"object_{i}"]] for i in rows} for rows in (range(16), range(16, 28), range(28, 40))]
    assert [len(found) for found in by_cruise] == [1, 1, 1]


def test_the_same_again_byte_for_byte_and_another_with_another_seed(tmp_path: Path) -> None:
    dataset = survey(tmp_path / "d", 80)
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        splits([dataset.path], name=name, by="cluster", seed=seed)
    a, b, c = (read_split(dataset, name)["split"] for name in "abc")
    assert a.equals(b)
    assert not a.equals(c)
    assert split_names(dataset) == ["a", "b", "c"]
    assert split_info(dataset, "c")["seed"] == 1


def test_shares_and_taxa_come_out_as_asked_where_groups_allow(tmp_path: Path) -> None:
    dataset = survey(tmp_path / "d", 100)
    report = splits([dataset.path], name="s", by="cluster", fractions=(0.6, 0.2, 0.2))
    assert report.images == {"train": 60, "val": 20, "test": 20}
    labels = dataset.labels().join(read_split(dataset, "s"), on="uid").group_by("split", "label").len()
    assert sorted(labels["len"]) == [10, 10, 10, 10, 30, 30]
    assert all(abs(off) < 0.02 for _, off in report.worst.values())


def test_duplicates_stay_together_across_samples_and_datasets(tmp_path: Path) -> None:
    one = survey(tmp_path / "one")
    copies = [capture(i, 24) for i in (0, 9, 18, 27, 36)] + [compressed(capture(5, 24), 95)]
    two = dataset_of(tmp_path / "two", [*copies, *(capture(900 + i, 24) for i in range(14))])
    both = [one.path, two.path]
    duplicates(both)
    splits(both, name="s", by="cluster", fractions=(0.34, 0.33, 0.33), seed=4)
    first, second = (dict(read_split(ds, "s").iter_rows()) for ds in (one, two))
    names, others = uids_by_name(one), uids_by_name(two)
    for copy, original in enumerate((0, 9, 18, 27, 36, 5)):
        assert second[others[f"object_{copy}"]] == first[names[f"object_{original}"]]
    assert check_split(both, "s") == []


def test_an_upstream_test_set_stays_one_and_takes_its_group_along(tmp_path: Path) -> None:
    told = ["Test" if i in {0, 1, 2, 3, 9} else "train" if i < 20 else None for i in range(40)]
    dataset = survey(tmp_path / "d", raw={"split": told})
    report = splits([dataset.path], name="s", fractions=(0.6, 0.2, 0.2))
    part = {name: dict(read_split(dataset, "s").iter_rows())[uid] for name, uid in uids_by_name(dataset).items()}
    assert {part[f"object_{i}"] for i in (0, 1, 2, 3, 8, 9, 10, 11)} == {"test"}
    assert {part[f"object_{i}"] for i in (4, 5, 6, 7, 12, 19)} == {"train"}
    assert (report.upstream, report.moved) == (20, 3)
    splits([dataset.path], name="free", honour=False)
    assert split_info(dataset, "free")["honour_upstream"] is False


def test_folders_called_train_and_test_count_too(tmp_path: Path) -> None:
    paths = [f"{'test' if i % 10 == 0 else 'train'}/copepod/{i}.png" for i in range(40)]
    dataset = survey(tmp_path / "d", raw={"image_path": paths})
    splits([dataset.path], name="s", by="cluster")
    part = {name: dict(read_split(dataset, "s").iter_rows())[uid] for name, uid in uids_by_name(dataset).items()}
    assert {name for name, where in part.items() if where == "test"} == {f"object_{i}" for i in (0, 10, 20, 30)}


def test_files_are_read_by_others(tmp_path: Path) -> None:
    dataset = survey(tmp_path / "d")
    report = splits([dataset.path], name="s")
    frame = pl.read_parquet(report.files[0])
    assert frame.columns == ["uid", "split", "group_name"]
    assert set(frame["split"]) <= set(PARTS)
    info = json.loads(report.files[0].with_suffix(".json").read_text())
    assert info["fractions"] == {"train": 0.8, "val": 0.1, "test": 0.1}
    assert info["images"] == report.images


def test_wrong_wishes_are_answered(tmp_path: Path) -> None:
    dataset = survey(tmp_path / "d", 8)
    for options in ({"name": "../x"}, {"name": "s", "fractions": (0.5, 0.6, 0.1)}, {"name": "s", "fractions": (1.0,)}):
        with pytest.raises(ConfigError, match=r"no split can be called '(\.\./x|s)' and have the shares \d"):
            splits([dataset.path], **options)
    with pytest.raises(UnknownNameError, match="sample"):
        splits([dataset.path], name="s", by="samples")  # type: ignore[arg-type]
    with pytest.raises(NotFoundError):
        read_split(dataset, "s")
    splits([dataset.path], name="mine")
    with pytest.raises(UnknownNameError, match="mine"):
        read_split(dataset, "mein")
    with pytest.raises(NotFoundError, match="no image"):
        splits([Dataset.create(tmp_path / "empty").path], name="s")
    with pytest.raises(ConfigError):
        splits([], name="s")


def test_removed_images_are_left_out(tmp_path: Path) -> None:
    dataset = survey(tmp_path / "d")
    splits([dataset.path], name="s")
    after = dataset.add_tombstones([0, 1], "test")
    assert len(read_split(after, "s")) == 38
    assert np.all(read_split(after, "s")["uid"].to_numpy() == after.metadata([])["uid"].to_numpy())
