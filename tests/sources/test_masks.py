"""Masks that sources offer end beside the images, each with its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from aqqua.errors import SourceError
from aqqua.sources import recognise
from aqqua.sources.archive import Tree
from aqqua.sources.ingest import ingest
from aqqua.store.compact import compact
from aqqua.store.dataset import Dataset
from aqqua.store.verify import verify
from aqqua.store.withdraw import withdraw
from tests.make.folders import write_classes
from tests.make.frames import write_coco


def offered(path: Path) -> dict[str, np.ndarray]:
    """The masks that the reader offers, by object."""
    found = {}
    for part in recognise(Tree(path)).parts(Tree(path)):
        frame = part.table()
        for name, row in zip(frame["object_id"], frame.select(part.needs).iter_rows(named=True), strict=True):
            mask = part.mask(row)
            if mask is not None:
                found[name] = mask
    return found


def stored(dataset: Dataset) -> dict[str, np.ndarray]:
    rows = dataset.metadata(["object_id"])
    masks = {name: dataset.mask(uid) for uid, name in rows.select("uid", "object_id").iter_rows()}
    return {name: mask for name, mask in masks.items() if mask is not None}


@pytest.mark.parametrize("where", ["here", "pool"])
def test_masks_of_frames_come_in(tmp_path: Path, where: str) -> None:
    write_coco(tmp_path / "frames")
    expected = offered(tmp_path / "frames")
    assert expected
    report = ingest([tmp_path / "frames"], tmp_path / "data", shard_images=2, where=where)  # type: ignore[arg-type]
    dataset = report.dataset
    assert dataset.mask_names() == ["source"]
    found = stored(dataset)
    assert found.keys() == expected.keys()
    assert all(np.array_equal(found[name], mask) for name, mask in expected.items())
    assert len(dataset.shards) > 1
    assert verify(dataset, 3) == []
    first = dataset.metadata([])["uid"][:1]
    after = compact(withdraw(dataset, uids=first, reason="test").dataset).dataset
    assert all(np.array_equal(mask, expected[name]) for name, mask in stored(after).items())
    assert verify(after, 3) == []


def test_sources_without_masks_have_none(tmp_path: Path) -> None:
    write_classes(tmp_path / "classes")
    assert ingest([tmp_path / "classes"], tmp_path / "data").dataset.mask_names() == []


@pytest.mark.parametrize("harm", ["shape", "raise", "bool"])
def test_a_mask_that_cannot_be_used_costs_no_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harm: str) -> None:
    write_coco(tmp_path / "frames")
    part = type(recognise(Tree(tmp_path / "frames")).parts(Tree(tmp_path / "frames"))[0])
    real = part.mask

    def harmed(self: object, row: dict[str, object]) -> np.ndarray | None:
        if harm == "raise":
            raise SourceError("the mask is torn")
        mask = real(self, row)  # type: ignore[arg-type]
        return mask if mask is None else mask > 0 if harm == "bool" else mask[:-1]

    images = ingest([tmp_path / "frames"], tmp_path / "a").images
    monkeypatch.setattr(part, "mask", harmed)
    report = ingest([tmp_path / "frames"], tmp_path / "b")
    assert report.images == images > 0
    told = [finding for finding in report.findings if finding.code == "mask_unusable"]
    assert bool(told) == (harm != "bool")
    assert bool(report.dataset.mask_names()) == (harm == "bool")
