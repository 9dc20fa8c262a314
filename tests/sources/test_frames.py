"""Frames → ROIs: pixel for pixel, whatever kind of annotation says where the objects are."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from aqqua.errors import ConfigError, SourceError, UnknownNameError
from aqqua.metadata.card import Card
from aqqua.metadata.check import Finding
from aqqua.sources import load_source, recognise
from aqqua.sources.archive import Tree
from aqqua.sources.frames import margin_of
from aqqua.sources.ingest import ingest
from aqqua.sources.part import Part
from aqqua.sources.plan import plan_source
from tests.make import frames as make
from tests.make.images import as_file
from tests.make.packing import pack
from tests.sources.asking import pixels_of

KINDS: dict[str, Callable[[], dict[str, bytes]]] = {
    "frames_coco": lambda: {"annotations/instances.json": json.dumps(make.coco()).encode()},
    "frames_yolo": make.yolo,
    "frames_squidle": lambda: {"export.csv": make.squidle()},
    "frames_biigle": lambda: {"report.csv": make.biigle()},
    "frames_masks": lambda: {f"masks/{name}": as_file(image) for name, image in make.label_images().items()},
}


def read(path: Path, name: str | None = None) -> tuple[pl.DataFrame, Part, list[Finding]]:
    """The table of the only part, and its findings."""
    (part,) = recognise(path, name).parts(path)
    return part.table(), part, part.rows.findings


def write(path: Path, kind: str, **more: bytes) -> dict[str, np.ndarray]:
    """Frames in images/ with annotations of a kind."""
    pictures = make.frames()
    pack(path, make.files_of(pictures, "images/") | KINDS[kind]() | more)
    return pictures


@pytest.mark.parametrize("suffix", ["", ".zip"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_gives_the_same_rois_and_masks(tmp_path: Path, kind: str, suffix: str) -> None:
    path = tmp_path / f"plates{suffix}"
    pictures = write(path, kind)
    table, part, findings = read(path)
    assert recognise(path).name == kind
    assert table["_reason"].null_count() == table.height == 3
    assert part.estimate() >= 1
    assert "roi_margin" in {finding.code for finding in findings}
    images = list(part.images(range(3)))
    for row, image, thing in zip(table.iter_rows(named=True), images, make.THINGS, strict=True):
        truth = make.covered(thing.corners)
        rows, columns = np.nonzero(truth)
        x, y, width, height = (int(row[f"roi_{name}"]) for name in ("x", "y", "width", "height"))
        frame = pictures[thing.frame]
        assert isinstance(image, np.ndarray)
        np.testing.assert_array_equal(image, frame[y : y + height, x : x + width])
        mask = part.mask(row)
        assert mask is not None
        np.testing.assert_array_equal(mask, truth[y : y + height, x : x + width])
        corners = np.array(thing.corners)
        edges = [columns.min(), rows.min()] if kind == "frames_masks" else np.floor(corners.min(axis=0) + 1e-3)
        assert [x, y] == [max(edge - 5, 0) for edge in edges]
        last = columns.max() + 1 if kind == "frames_masks" else np.ceil(corners[:, 0].max() - 1e-3)
        assert x + width == min(last + 5, make.WIDTH)
        assert row.get("label") == (None if kind == "frames_masks" else thing.label)


def test_margin_by_option(tmp_path: Path) -> None:
    pictures = write(tmp_path, "frames_coco")
    table, part, _ = read(tmp_path, "frames_coco:margin=0")
    np.testing.assert_array_equal(next(iter(part.images([0]))), pictures["f1.png"][5:15, 10:20])
    assert table["roi_margin_px"].to_list() == ["0"] * 3
    table, part, _ = read(tmp_path, "frames_coco:margin=whole")
    row = table.to_dicts()[0]
    np.testing.assert_array_equal(part.picture(row).pixels, pictures["f1.png"])
    mask = part.mask(row)
    assert mask is not None
    np.testing.assert_array_equal(mask, make.covered(make.THINGS[0].corners))


@pytest.mark.parametrize("text", ["-1", "5000", "1.5", "", "none"])
def test_a_wrong_margin_is_told(text: str) -> None:
    with pytest.raises(ConfigError, match="margin"):
        margin_of(text)


def test_an_unknown_option_is_told() -> None:
    with pytest.raises(UnknownNameError, match="margn") as caught:
        load_source("frames_coco:margn=3")
    assert "margin" in str(caught.value)
    with pytest.raises(UnknownNameError, match="option of folder"):
        load_source("folder:margin=3")


def test_metadata_of_frames_by_a_table(tmp_path: Path) -> None:
    make.write_coco(tmp_path / "plates")
    (tmp_path / "stations.csv").write_text("frame_file,depth_m\nf1.png,10\nf2.png,25\n")
    report = ingest([tmp_path / "plates"], tmp_path / "data", table=tmp_path / "stations.csv")
    assert report.images == 3
    told = report.dataset.metadata(["object_id", "depth_min_m", "pixel_um"]).sort("object_id")
    assert told.select("object_id", "depth_min_m").rows() == [("f1_1", 10.0), ("f1_2", 10.0), ("f2_3", 25.0)]
    assert report.dataset.labels()["label"].value_counts().sort("label").rows() == [("Calanus", 2), ("Oithona", 1)]
    assert {image.shape for image in pixels_of(report.dataset).values()} == {(20, 20), (24, 26), (17, 17)}


def test_masks_come_in_with_their_images(tmp_path: Path) -> None:
    make.write_coco(tmp_path / "plates")
    dataset = ingest([tmp_path / "plates"], tmp_path / "data", source="frames_coco:margin=0").dataset
    assert dataset.mask_names() == ["source"]
    told = dataset.metadata(["object_id"])
    for uid, name in zip(told["uid"], told["object_id"], strict=True):
        thing = make.THINGS[int(name[-1]) - 1]
        mask = dataset.mask(uid)
        assert mask is not None
        assert mask.shape == dataset.image(uid).shape
        assert int(mask.sum()) == make.covered(thing.corners).sum()


def test_another_margin_is_another_plan(tmp_path: Path) -> None:
    """What an interrupted run with one margin has left is not taken for what another one needs."""
    make.write_coco(tmp_path / "plates")
    names = [None, "frames_coco", "frames_coco:margin=0", "frames_coco:margin=9"]
    plans = [plan_source(Tree(tmp_path / "plates"), name, Card(), (), 100) for name in names]
    assert plans[0].fingerprint == plans[1].fingerprint
    assert len({plan.fingerprint for plan in plans}) == 3
    assert len({plan.content for plan in plans}) == 1


def test_a_frame_of_another_size_is_refused(tmp_path: Path) -> None:
    pictures = make.frames()
    told = json.dumps(make.coco()).encode()
    pack(
        tmp_path,
        {"f1.png": as_file(pictures["f1.png"][::2, ::2]), "f2.png": as_file(pictures["f2.png"]), "a.json": told},
    )
    table, _, _ = read(tmp_path)
    bad = table.filter(pl.col("_reason").is_not_null())
    assert bad["_reason"].unique().to_list() == ["the frame has 30 × 20 pixels, its annotations are for 60 × 40"]
    assert table.height - bad.height == 1


def test_missing_and_damaged_frames(tmp_path: Path) -> None:
    pack(tmp_path, {"f1.png": b"\x89PNG nothing", "a.json": json.dumps(make.coco()).encode()})
    table, _, _ = read(tmp_path)
    assert table.height == 3
    reasons = dict(zip(table["object_id"], table["_reason"], strict=True))
    assert reasons["f2_3"] == "there is no frame 'f2.png'"
    assert reasons["f1_1"].startswith("the frame cannot be read")


def test_frames_of_one_name_in_two_folders(tmp_path: Path) -> None:
    pictures = make.files_of(make.frames(["f1.png"]))
    told = json.dumps(make.coco(make.THINGS[:1])).encode()
    pack(tmp_path, {"a/f1.png": pictures["f1.png"], "b/f1.png": pictures["f1.png"], "a.json": told})
    table, _, _ = read(tmp_path)
    assert table["_reason"].to_list() == ["several frames are called 'f1.png'"]


def test_outlines_beyond_the_frame(tmp_path: Path) -> None:
    out = make.Thing("f1.png", "Calanus", ((50, 30), (70, 30), (70, 50), (50, 50)))
    away = make.Thing("f1.png", "Calanus", ((100, 30), (120, 30), (110, 50)))
    pictures = make.write_coco(tmp_path, [out, away])
    table, part, findings = read(tmp_path)
    assert table["_reason"].to_list() == [None, "the outline lies outside of the frame (60 × 40 pixels)"]
    row = table.to_dicts()[0]
    np.testing.assert_array_equal(part.picture(row).pixels, pictures["f1.png"][25:40, 45:60])
    mask = part.mask(row)
    assert mask is not None
    assert mask.shape == (15, 15)
    assert mask.sum() == 100
    assert [(f.code, f.count) for f in findings if f.severity == "warning"] == [("outline_outside", 1)]


def test_frames_without_objects_are_told(tmp_path: Path) -> None:
    make.write_coco(tmp_path, make.THINGS[:2])
    _, _, findings = read(tmp_path)
    assert [(f.count, f.where) for f in findings if f.code == "frames_without_objects"] == [
        (1, f"{tmp_path.name}/images/f2.png")
    ]


@pytest.mark.parametrize("name", ["frames_coco", "frames_yolo", "frames_squidle", "frames_biigle", "frames_masks"])
def test_frames_without_masks_or_boxes_are_refused(tmp_path: Path, name: str) -> None:
    pack(tmp_path, make.files_of(make.frames()))
    with pytest.raises(SourceError) as caught:
        recognise(tmp_path, name).parts(tmp_path)
    assert caught.value.do


def test_two_kinds_of_annotation_are_not_guessed(tmp_path: Path) -> None:
    pack(tmp_path, make.files_of(make.frames(), "images/") | KINDS["frames_coco"]() | KINDS["frames_yolo"]())
    with pytest.raises(SourceError, match="several readers") as caught:
        recognise(tmp_path)
    assert "--source" in str(caught.value)


def test_colour_frames(tmp_path: Path) -> None:
    pictures = make.frames(channels=3)
    pack(tmp_path, make.files_of(pictures) | {"a.json": json.dumps(make.coco()).encode()})
    table, part, _ = read(tmp_path, "frames_coco:margin=2")
    picture = part.picture(table.to_dicts()[2])
    np.testing.assert_array_equal(picture.pixels, pictures["f2.png"][0:14, 0:14])
    assert picture.channel_names == "r,g,b"
