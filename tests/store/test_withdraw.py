from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from aqqua.errors import ConfigError, FormatError, NotFoundError, UnknownNameError
from aqqua.store.dataset import Dataset
from aqqua.store.tombstones import read_tombstones
from aqqua.store.withdraw import chosen, read_uids, withdraw
from tests.make.datasets import miniature


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return miniature(tmp_path / "dataset", (25, 12))


def test_a_source(dataset: Dataset) -> None:
    report = withdraw(dataset.path, source="source_1.zip", reason="the owner asked for it")
    assert (report.images, report.before) == (12, 0)
    assert len(Dataset.open(dataset.path)) == len(report.dataset) == 25
    assert set(read_tombstones(dataset.path, report.dataset.manifest.tombstones)["reason"]) == {
        "the owner asked for it"
    }
    assert "12 images withdrawn, 25 remain" in str(report)
    assert "aqqua dataset compact" in str(report)
    again = withdraw(dataset.path, source="source_1.zip", reason="once more")
    assert (again.images, again.before, again.dataset.snapshot) == (0, 12, report.dataset.snapshot)
    assert "withdrawn before" in str(again)


def test_a_sample_of_all_sources_or_of_one(dataset: Dataset) -> None:
    assert len(chosen(dataset, sample="sample_0")) == 20
    report = withdraw(dataset, sample="sample_0", source="source_0.zip", reason="wrong position")
    assert report.images == 10
    assert report.dataset.metadata(["object_id"]).filter(shard=1).height == 12


@pytest.mark.parametrize(("name", "text"), [("u.csv", "uid,why\n3,x\n4,y\n"), ("u.txt", "3\n4\n"), ("u.parquet", "")])
def test_uids_of_a_file(dataset: Dataset, tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    if text:
        path.write_text(text)
    else:
        pl.DataFrame({"uid": [4, 3, 3]}).write_parquet(path)
    assert withdraw(dataset, uids=path, reason="blurred").images == 2
    assert not {3, 4} & set(Dataset.open(dataset.path).metadata()["uid"])


def test_nothing_happens_without_choice_or_reason(dataset: Dataset) -> None:
    for choice in ({}, {"uids": pl.Series([1]), "source": "source_0.zip"}):
        with pytest.raises(ConfigError, match="nothing is chosen"):
            withdraw(dataset, reason="x", **choice)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="reason"):
        withdraw(dataset, reason=" ", source="source_0.zip")
    with pytest.raises(UnknownNameError, match=r"did you mean source_0.zip"):
        withdraw(dataset, reason="x", source="source_0")
    with pytest.raises(UnknownNameError, match="sample"):
        withdraw(dataset, reason="x", sample="sample_7")
    for uid in (25, 2 << 32):
        with pytest.raises(NotFoundError, match=f"no image {uid}"):
            withdraw(dataset, reason="x", uids=pl.Series([0, uid]))
    assert Dataset.open(dataset.path) == dataset


@pytest.mark.parametrize("content", [b"three\n", b"-1\n", b"\xff\xfe\x00", b"99999999999999999999999\n", b"1.5\n"])
def test_what_is_no_list_of_images(tmp_path: Path, content: bytes) -> None:
    for name in ("u.txt", "u.parquet"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(FormatError, match="no list of images"):
            read_uids(tmp_path / name)
