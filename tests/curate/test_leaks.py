from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from aqqua.curate.leaks import check_split
from aqqua.curate.splits import splits
from aqqua.errors import NotFoundError
from aqqua.store.dataset import Dataset
from tests.make.captures import capture, dataset_of, uids_by_name


def split(path: Path, **more: object) -> Dataset:
    dataset = dataset_of(path, [capture(i, 24) for i in range(24)], **more)  # type: ignore[arg-type]
    splits([dataset.path], name="s", fractions=(0.5, 0.25, 0.25))
    return dataset


def changed(dataset: Dataset, change: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
    path = dataset.path / "splits" / "s.parquet"
    frame = change(pl.read_parquet(path))
    frame.write_parquet(path)


def codes(dataset: Dataset) -> list[tuple[str, str]]:
    return [(finding.severity, finding.code) for finding in check_split([dataset.path], "s")]


def put(uid: int, part: str) -> Callable[[pl.DataFrame], pl.DataFrame]:
    new = pl.when(pl.col("uid") == uid).then(pl.lit(part)).otherwise("split")
    return lambda frame: frame.with_columns(new.alias("split"))


def test_a_group_in_two_parts_is_an_error(tmp_path: Path) -> None:
    dataset = split(tmp_path / "d")
    assert codes(dataset) == []
    uid = uids_by_name(dataset)["object_0"]
    part = dict(pl.read_parquet(dataset.path / "splits" / "s.parquet").select("uid", "split").iter_rows())[uid]
    changed(dataset, put(uid, "test" if part == "train" else "train"))
    assert codes(dataset) == [("error", "split_group_crosses")]


def test_a_duplicate_in_two_parts_is_an_error(tmp_path: Path) -> None:
    images = [capture(i, 24) for i in range(24)]
    images[23] = images[0]  # in another sample
    dataset = dataset_of(tmp_path / "d", images)
    splits([dataset.path], name="s", fractions=(0.5, 0.25, 0.25))
    assert codes(dataset) == []
    sample = [uids_by_name(dataset)[f"object_{i}"] for i in range(20, 24)]
    table = pl.read_parquet(dataset.path / "splits" / "s.parquet")
    part = dict(table.select("uid", "split").iter_rows())[sample[0]]
    new = pl.when(pl.col("uid").is_in(sample)).then(pl.lit("val" if part != "val" else "test")).otherwise("split")
    changed(dataset, lambda frame: frame.with_columns(new.alias("split")))
    assert codes(dataset) == [("error", "split_duplicate_crosses")]


def test_training_on_an_upstream_test_set_is_an_error(tmp_path: Path) -> None:
    dataset = split(tmp_path / "d", raw={"subset": ["test"] * 4 + [""] * 20})
    sample = [uids_by_name(dataset)[f"object_{i}"] for i in range(4)]
    new = pl.when(pl.col("uid").is_in(sample)).then(pl.lit("train")).otherwise("split")
    changed(dataset, lambda frame: frame.with_columns(new.alias("split")))
    assert codes(dataset) == [("error", "split_upstream_test")]


def test_images_without_part_or_with_two_and_unknown_parts(tmp_path: Path) -> None:
    dataset = split(tmp_path / "d")
    changed(dataset, lambda frame: frame[1:])
    assert codes(dataset) == [("warning", "split_outside")]
    changed(dataset, lambda frame: pl.concat([frame, frame[:1]]))
    assert ("error", "split_twice") in codes(dataset)
    changed(dataset, lambda frame: frame.with_columns(split=pl.lit("tarin")))
    assert ("error", "split_unknown_part") in codes(dataset)


def test_a_dataset_that_was_split_too_should_be_named(tmp_path: Path) -> None:
    one, two = (dataset_of(tmp_path / name, [capture(i, 24) for i in range(8)]) for name in ("one", "two"))
    splits([one.path, two.path], name="s")
    assert check_split([one.path, two.path], "s") == []
    [finding] = check_split([one.path], "s")
    assert (finding.severity, finding.code) == ("warning", "split_dataset_missing")
    with pytest.raises(NotFoundError):
        check_split([], "s")
