"""Mask images beside frames: label images, black-and-white masks, and real ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from aqqua.errors import ConfigError, SourceError
from aqqua.metadata.check import Finding
from aqqua.sources import load_source, recognise
from aqqua.sources.frames_masks import patches
from aqqua.sources.part import Part
from tests.make import frames as make
from tests.make.images import as_file
from tests.make.packing import pack


def read(path: Path, name: str | None = None) -> tuple[pl.DataFrame, Part, list[Finding]]:
    source = recognise(path, name)
    assert source.name == "frames_masks"
    (part,) = source.parts(path)
    return part.table(), part, part.rows.findings


@pytest.mark.parametrize(
    ("frame", "mask"),
    [
        ("images/f1.png", "masks/f1.png"),
        ("f1.png", "f1_mask.png"),
        ("f1.jpg", "f1-labels.tif"),
        ("frames/F1.PNG", "labels/f1.png"),
        ("a/images/f1.png", "a/masks/f1_mask.png"),
        ("images/a/f1.png", "masks/a/f1.png"),
        ("f1.png", "masks/f1.png"),
        ("example_inputs/f1.bmp", "example_segmentations/f1.bmp"),
    ],
)
def test_where_masks_lie(tmp_path: Path, frame: str, mask: str) -> None:
    kinds = {".png": "PNG", ".jpg": "JPEG", ".bmp": "BMP", ".tif": "TIFF"}
    pixels = make.frames(["f1.png"])["f1.png"]
    labels = make.label_images(make.THINGS[:2])["f1.png"]
    files = {frame: as_file(pixels, kinds[frame[-4:].lower()]), mask: as_file(labels, kinds[mask[-4:]])}
    table, _, _ = read(pack(tmp_path, files))
    assert table.select("image_path", "mask_path", "mask_value").rows() == [(frame, mask, "1"), (frame, mask, "2")]
    assert table["object_id"].to_list() == [f"{Path(frame).stem}_00001", f"{Path(frame).stem}_00002"]


def test_black_and_white_masks(tmp_path: Path) -> None:
    pixels = make.frames(["f1.png"])["f1.png"]
    mask = (make.label_images(make.THINGS[:2])["f1.png"] > 0).astype(np.uint8) * 255
    pack(tmp_path, {"f1.png": as_file(pixels), "f1_mask.png": as_file(mask)})
    table, part, findings = read(tmp_path)
    assert table["mask_value"].to_list() == ["255"]
    assert [(f.code, f.count) for f in findings if f.severity == "warning"] == [("mask_in_patches", 1)]
    table, part, findings = read(tmp_path, "frames_masks:objects=patches:margin=0")
    assert table["mask_value"].to_list() == ["1", "2"]
    assert not [f for f in findings if f.severity == "warning"]
    for row, thing in zip(table.iter_rows(named=True), make.THINGS, strict=False):
        found = part.mask(row)
        assert found is not None
        assert found.sum() == make.covered(thing.corners).sum()
    with pytest.raises(ConfigError, match="objects=cells"):
        load_source("frames_masks:objects=cells")


def test_sixteen_bit_labels_and_rgb_copies_of_gray(tmp_path: Path) -> None:
    pixels = make.frames(["f1.png", "f2.png"])
    labels = make.label_images()
    files = {"masks/f1.png": as_file(labels["f1.png"].astype(np.uint16) * 1000)}
    files |= {"masks/f2.png": as_file(np.repeat(labels["f2.png"][..., None], 3, axis=2))}
    table, _, _ = read(pack(tmp_path, make.files_of(pixels, "images/") | files))
    assert table["mask_value"].to_list() == ["1000", "2000", "1"]


def test_masks_that_cannot_be_used(tmp_path: Path) -> None:
    pixels = make.frames(["a.png", "b.png", "c.png", "d.png", "e.png"])
    colour = np.zeros((make.HEIGHT, make.WIDTH, 3), np.uint8)
    colour[3, 3] = 1, 2, 3
    masks = {
        "a": as_file(colour),
        "b": b"no image",
        "c": as_file(np.ones((5, 5), np.uint8)),
        "d": as_file(np.zeros((make.HEIGHT, make.WIDTH), np.uint8)),
    }
    files = {f"masks/{name}.png": data for name, data in masks.items()}
    table, _, findings = read(pack(tmp_path, make.files_of(pixels, "images/") | files))
    reasons = dict(zip(table["image_path"], table["_reason"], strict=True))
    assert reasons["images/a.png"] == "the mask is a colour image"
    assert "not an image" in reasons["images/b.png"]
    assert reasons["images/c.png"] == "the frame has 60 × 40 pixels, its annotations are for 5 × 5"
    assert {f.code: f.count for f in findings} == {"mask_empty": 1, "frames_without_objects": 2}


def test_frames_without_masks_are_plain_images(tmp_path: Path) -> None:
    pack(tmp_path, make.files_of(make.frames(), "masks/"))
    assert recognise(tmp_path).name == "folder"
    with pytest.raises(SourceError, match="no frame has a mask"):
        recognise(tmp_path, "frames_masks").parts(tmp_path)


def flooded(mask: np.ndarray) -> np.ndarray:
    """Patches, numbered the slow and plain way."""
    labels, number = np.zeros(mask.shape, int), 0
    for start in zip(*np.nonzero(mask), strict=True):
        if labels[start]:
            continue
        number += 1
        todo = [start]
        while todo:
            row, column = todo.pop()
            inside = 0 <= row < mask.shape[0] and 0 <= column < mask.shape[1]
            if inside and mask[row, column] and not labels[row, column]:
                labels[row, column] = number
                todo += [(row + i, column + j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    return labels


@settings(max_examples=200)
@given(
    height=st.integers(1, 9),
    width=st.integers(1, 9),
    seed=st.integers(0, 10**6),
    density=st.sampled_from([0.2, 0.4, 0.6]),
)
def test_patches_are_what_flooding_finds(height: int, width: int, seed: int, density: float) -> None:
    mask = np.random.default_rng(seed).random((height, width)) < density
    np.testing.assert_array_equal(patches(mask), flooded(mask))


def test_real_masks_of_loki(shared_data: Path) -> None:
    """Vignettes are kept whole (margin=whole); each has the mask that its tool made."""
    source = shared_data / "segmentation" / "loki_appsilon"
    table, part, _ = read(source, "frames_masks:margin=whole")
    assert table["_reason"].null_count() == table.height == 15
    for row in table.iter_rows(named=True):
        expected = np.asarray(Image.open(source / row["mask_path"]))
        mask = part.mask(row)
        assert mask is not None
        np.testing.assert_array_equal(mask, expected)
        np.testing.assert_array_equal(part.picture(row).pixels, np.asarray(Image.open(source / row["image_path"])))
    cut, tight, _ = read(source, "frames_masks:margin=0")
    for row in cut.iter_rows(named=True):
        mask = tight.mask(row)
        assert mask is not None
        assert mask[0].any()
        assert mask[-1].any()
        assert mask[:, 0].any()
        assert mask[:, -1].any()
