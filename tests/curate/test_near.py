from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from aqqua.curate.near import near_pairs
from aqqua.curate.signatures import read_signatures, signatures
from aqqua.store.dataset import Dataset
from tests.make.captures import capture, compressed, dataset_of, uids_by_name


def table_of(dataset: Dataset) -> pl.DataFrame:
    return read_signatures(dataset, signatures(dataset)).with_columns(dataset=pl.lit(0, pl.UInt16))


def test_pairs_once_with_how_alike_they_are(tmp_path: Path) -> None:
    first = capture(0)
    images = [first, compressed(first, 90), capture(1), np.ascontiguousarray(first[::-1])]
    dataset = dataset_of(tmp_path / "d", images)
    table = table_of(dataset)
    names = {uid: name for name, uid in uids_by_name(dataset).items()}
    row_name = [names[uid] for uid in table["uid"]]
    [pair] = list(near_pairs([dataset], table))
    assert {row_name[pair.a], row_name[pair.b]} == {"object_0", "object_1"}
    assert (pair.mirror, pair.bits <= 7, pair.likeness.same) == (None, True, True)
    mirrored = [pair for pair in near_pairs([dataset], table, mirrored=True) if pair.mirror]
    assert {frozenset((row_name[p.a], row_name[p.b])) for p in mirrored} == {
        frozenset(("object_0", "object_3")),
        frozenset(("object_1", "object_3")),
    }


def test_sizes_must_be_near(tmp_path: Path) -> None:
    first = capture(0)
    images = [first, np.pad(first, ((0, 5), (0, 0)), mode="edge"), np.pad(first, ((0, 4), (0, 0)), mode="edge")]
    dataset = dataset_of(tmp_path / "d", images)
    names = uids_by_name(dataset)
    table = table_of(dataset)
    uids = table["uid"].to_list()
    found = {frozenset((uids[pair.a], uids[pair.b])) for pair in near_pairs([dataset], table)}
    assert found == {
        frozenset((names["object_0"], names["object_2"])),
        frozenset((names["object_1"], names["object_2"])),
    }


def test_no_images_no_pairs(tmp_path: Path) -> None:
    dataset = dataset_of(tmp_path / "d", [capture(0)])
    assert list(near_pairs([dataset], table_of(dataset))) == []
