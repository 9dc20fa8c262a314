from __future__ import annotations

from pathlib import Path

import pytest

from aqqua.curate.copies_in_dataset import read_variants, variants
from aqqua.errors import ConfigError
from aqqua.ocean.vignettes import vignette
from aqqua.store.dataset import Dataset
from tests.make.captures import capture, dataset_of, uids_by_name


def with_copies(path: Path) -> Dataset:
    images = [image for seed in range(3) for image in (capture(seed), vignette(capture(seed), "uvp6").pixels)]
    names = [f"{folder}/{seed}.png" for seed in range(3) for folder in ("raw", "vignette")]
    return dataset_of(path, images, raw={"image_path": names}, shards=2)  # the second pair lies across the shards


def test_copies_are_written_down_across_shards(tmp_path: Path) -> None:
    dataset = with_copies(tmp_path / "d")
    assert read_variants(dataset).is_empty()
    [report] = variants([dataset.path])
    assert (report.images, report.copies, report.removed) == (6, 3, 0)
    names = uids_by_name(dataset)
    found = read_variants(dataset)
    pairs = dict(found.select("uid", "raw_uid").iter_rows())
    assert pairs == {names[f"object_{2 * i + 1}"]: names[f"object_{2 * i}"] for i in range(3)}
    assert set(found["kind"]) == {"vignette with scale bar, inverted"}
    assert len(Dataset.open(dataset.path)) == 6
    assert "nothing was taken out" in str(report)


def test_copies_are_taken_out_if_asked(tmp_path: Path) -> None:
    dataset = with_copies(tmp_path / "d")
    [report] = variants([dataset.path], remove=True)
    assert report.removed == 3
    assert sorted(uids_by_name(Dataset.open(dataset.path))) == ["object_0", "object_2", "object_4"]
    [again] = variants([dataset.path], remove=True)
    assert again.copies == 0


def test_no_dataset_is_an_error() -> None:
    with pytest.raises(ConfigError):
        variants([])
