from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from aqqua.curate.duplicates import DUPLICATES_SCHEMA, duplicates, read_duplicates
from aqqua.errors import ConfigError, NotFoundError
from aqqua.store.dataset import Dataset
from tests.make.captures import capture, compressed, dataset_of, uids_by_name


def family(path: Path) -> Dataset:
    """Object 0 four times: itself, an equal copy, as JPEG, cropped; 4 and 5 are others; 6 is a mirrored 4."""
    first = capture(0)
    images = [first, first.copy(), compressed(first, 90), first[1:, 1:], capture(4), capture(5), capture(4)[:, ::-1]]
    return dataset_of(path, [np.ascontiguousarray(image) for image in images], shards=2)


def groups_of(dataset: Dataset, kind: str) -> list[tuple[list[str], str]]:
    """Names of the members of each group, and of the one to keep."""
    names = {uid: name for name, uid in uids_by_name(dataset).items()}
    found = read_duplicates(dataset).filter(kind=kind)
    return sorted(
        (sorted(names[uid] for uid in rows["uid"]), next(names[uid] for uid in rows.filter("keep")["uid"]))
        for _, rows in found.group_by("group")
    )


def test_exact_and_near_ones_are_found_and_nothing_is_removed(tmp_path: Path) -> None:
    dataset = family(tmp_path / "d")
    report = duplicates([dataset.path])
    assert (report.images, report.exact, report.near, report.across, report.removed) == (7, 1, 2, 0, 0)
    [(members, kept)] = groups_of(dataset, "exact")
    assert members == ["object_0", "object_1"]
    [(members, near_kept)] = groups_of(dataset, "near")
    assert members == sorted([kept, "object_2", "object_3"])
    assert near_kept in {kept, "object_2"}  # the largest; 3 was cropped
    assert len(Dataset.open(dataset.path)) == 7
    assert "1 exact copies in 1 groups" in str(report)
    assert "nothing was taken out" in str(report)
    frame = read_duplicates(dataset)
    assert frame.schema == pl.Schema(DUPLICATES_SCHEMA)
    assert (frame.filter(kind="near")["detail"] > 0.7).all()


def test_mirrored_ones_if_asked(tmp_path: Path) -> None:
    dataset = family(tmp_path / "d")
    assert duplicates([dataset.path], mirrored=True).near == 3
    mirrored = read_duplicates(dataset).filter(pl.col("mirror") == "left-right")
    names = uids_by_name(dataset)
    assert set(mirrored["uid"]) == {names["object_4"], names["object_6"]}


@pytest.mark.parametrize(("remove", "left"), [("exact", 6), ("all", 4)])
def test_they_are_removed_only_if_asked_with_the_reason(tmp_path: Path, remove: str, left: int) -> None:
    dataset = family(tmp_path / "d")
    report = duplicates([dataset.path], remove=remove)
    assert report.removed == 7 - left
    after = Dataset.open(dataset.path)
    assert len(after) == left
    reasons = pl.concat([pl.read_parquet(path) for path in (dataset.path / "tombstones").glob("*.parquet")])["reason"]
    assert set(reasons) <= {f"{kind} duplicate of an image of this dataset" for kind in ("exact", "near")}
    again = duplicates([dataset.path])
    assert (again.exact, again.near) == (0, 0 if remove == "all" else again.near)


def test_across_datasets_the_first_keeps_its_image(tmp_path: Path) -> None:
    one = dataset_of(tmp_path / "one", [capture(0), capture(1)])
    two = dataset_of(tmp_path / "two", [compressed(capture(1), 90), capture(2), capture(0)])
    report = duplicates([one.path, two.path], remove="all")
    assert (report.exact, report.near, report.across, report.removed) == (1, 1, 2, 2)
    assert len(Dataset.open(one.path)) == 2
    assert list(uids_by_name(Dataset.open(two.path))) == ["object_1"]
    assert set(read_duplicates(one)["group"]) == set(read_duplicates(two)["group"])


def test_few_rows_at_a_time_and_other_processes_give_the_same(tmp_path: Path) -> None:
    dataset = family(tmp_path / "d")
    duplicates([dataset.path])
    before = read_duplicates(dataset)
    other = family(tmp_path / "e")
    duplicates([other.path], rows_at_once=2, where="pool", workers=2)
    columns = ["uid", "kind", "keep", "distance", "detail"]
    assert read_duplicates(other).select(columns).equals(before.select(columns))


def test_many_images_of_nothing_end_in_few_comparisons(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    water = [np.full((20 + i % 2, 20), 128, np.uint8) for i in range(80)]
    water += [rng.normal(128, 4, (20, 20)).astype(np.uint8) for _ in range(10)]
    report = duplicates([dataset_of(tmp_path / "d", water).path])
    assert report.exact == 78
    assert report.near == 0


def test_wrong_wishes_are_answered(tmp_path: Path) -> None:
    dataset = dataset_of(tmp_path / "d", [capture(0)])
    for datasets, options in (([], {}), ([dataset.path] * 2, {}), ([dataset.path], {"remove": "some"})):
        with pytest.raises(ConfigError):
            duplicates(datasets, **options)  # type: ignore[arg-type]
    with pytest.raises(NotFoundError):
        duplicates([tmp_path / "nothing"])
    assert read_duplicates(dataset).is_empty()


def test_an_interrupted_run_goes_on(tmp_path: Path) -> None:
    dataset = family(tmp_path / "d")
    first = duplicates([dataset.path])
    shard = next((dataset.path / "duplicates").glob("signatures-*/00000001.parquet"))
    shard.unlink()
    shard.with_name(shard.name + ".part").write_bytes(b"cut short")
    assert duplicates([dataset.path]).near == first.near
