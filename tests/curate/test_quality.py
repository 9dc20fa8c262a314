from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from aqqua.curate.quality import quality, read_quality
from aqqua.curate.scores import QUALITY_SCHEMA
from aqqua.errors import ConfigError, NotFoundError, UnknownNameError
from aqqua.ocean.vignettes import vignette
from aqqua.store.dataset import Dataset
from tests.make.captures import capture, dataset_of, uids_by_name


def mixed(path: Path) -> Dataset:
    water = np.random.default_rng(1).normal(200, 3, (40, 40)).astype(np.uint8)
    images = [capture(0), capture(1, blur=30), water, vignette(capture(2), "uvp6").pixels, capture(3)[:, :30]]
    return dataset_of(path, images, shards=2)


def test_columns_for_every_image_in_storage_order(tmp_path: Path) -> None:
    dataset = mixed(tmp_path / "d")
    [report] = quality([dataset.path])
    frame = read_quality(dataset)
    assert frame["uid"].equals(dataset.metadata([])["uid"])
    assert set(QUALITY_SCHEMA) | {"stuck", "stuck_group", "stuck_count"} == set(frame.columns)
    names = {uid: name for name, uid in uids_by_name(dataset).items()}
    flagged = {
        flag: [names[uid] for uid in frame.filter(flag)["uid"]]
        for flag in ("out_of_focus", "empty", "burnt_in", "cut_off")
    }
    assert flagged == {
        "out_of_focus": ["object_1"], "empty": ["object_2"], "burnt_in": ["object_3"], "cut_off": ["object_4"],
    }  # fmt: skip
    assert {finding.code for finding in report.findings} == {f"quality_{flag}" for flag in flagged}
    assert "1 (20.0%) images are out of focus" in str(report)


def test_only_some_columns_and_removed_images_are_left_out(tmp_path: Path) -> None:
    dataset = mixed(tmp_path / "d")
    quality([dataset.path], stuck=False)
    after = dataset.add_tombstones([0], "test")
    frame = read_quality(after, ["focus", "stuck"])
    assert frame.columns == ["uid", "focus", "stuck"]
    assert (len(frame), frame["stuck"].null_count()) == (4, 4)  # nobody looked for stuck ones
    with pytest.raises(UnknownNameError, match="focus"):
        read_quality(after, ["fokus"])


def test_what_is_done_is_not_done_again_unless_thresholds_change(tmp_path: Path) -> None:
    dataset = mixed(tmp_path / "d")
    quality([dataset.path], stuck=False)
    path = dataset.path / "quality" / "00000000.parquet"
    before = path.stat().st_mtime_ns
    quality([dataset.path], stuck=False)
    assert path.stat().st_mtime_ns == before
    told = json.loads((dataset.path / "quality" / "quality.json").read_text())
    told["thresholds"]["focus"] = 9
    (dataset.path / "quality" / "quality.json").write_text(json.dumps(told))
    quality([dataset.path], stuck=False)
    assert path.stat().st_mtime_ns != before


def test_another_engine_gives_the_same_bytes(tmp_path: Path) -> None:
    here, pool = mixed(tmp_path / "a"), mixed(tmp_path / "b")
    quality([here.path])
    quality([pool.path], where="pool", workers=2)
    for name in ("00000000.parquet", "00000001.parquet", "stuck.parquet"):
        assert (here.path / "quality" / name).read_bytes() == (pool.path / "quality" / name).read_bytes()


def test_nobody_has_looked_yet(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="aqqua curate quality"):
        read_quality(mixed(tmp_path / "d"))
    with pytest.raises(ConfigError):
        quality([])
