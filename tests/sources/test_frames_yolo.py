"""YOLO annotations: outlines and boxes, wherever the frames lie; real hand-drawn outlines."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from aqqua.errors import SourceError
from aqqua.metadata.check import Finding
from aqqua.sources import recognise
from aqqua.sources.part import Part
from tests.make import frames as make
from tests.make.packing import pack


def read(path: Path, name: str | None = None) -> tuple[pl.DataFrame, Part, list[Finding]]:
    source = recognise(path, name)
    assert source.name == "frames_yolo"
    (part,) = source.parts(path)
    return part.table(), part, part.rows.findings


LAYOUTS = {
    "side by side": ("{}.png", "{}.txt"),
    "images and labels": ("images/{}.png", "labels/{}.txt"),
    "split": ("images/train/{}.png", "labels/train/{}.txt"),
    "set": ("set/images/{}.png", "set/labels/{}.txt"),
    "split first": ("train/images/{}.png", "train/labels/{}.txt"),
    "far apart": ("pictures/plates/{}.png", "export/labels/default/{}.txt"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout(tmp_path: Path, layout: str) -> None:
    frame, text = LAYOUTS[layout]
    files = make.files_of(make.frames())
    texts = {n.removeprefix("labels/").removesuffix(".txt"): data for n, data in make.yolo().items() if "labels" in n}
    files = {frame.format(name[:-4]): data for name, data in files.items()}
    pack(tmp_path, files | {text.format(name): data for name, data in texts.items()} | {"classes.txt": b"A\nB\n"})
    table, _, _ = read(tmp_path)
    assert table["_reason"].null_count() == 3
    assert table["label"].to_list() == ["A", "B", "A"]
    assert table["object_id"].to_list() == ["f1_00001", "f1_00002", "f2_00001"]
    assert table["source_row"].to_list() == [1, 2, 1]


def test_boxes_and_confidences(tmp_path: Path) -> None:
    pictures = make.frames(["f1.png"])
    lines = "1 0.5 0.5 0.2 0.25\n1 0.5 0.5 0.2 0.25 0.93\n\n0 0.1 0.1 0.4 0.1 0.4 0.5 0.77\n"
    pack(tmp_path, make.files_of(pictures) | {"f1.txt": lines.encode()})
    table, part, _ = read(tmp_path, "frames_yolo:margin=0")
    assert table["confidence"].to_list() == [None, "0.93", "0.77"]
    assert table["source_row"].to_list() == [1, 2, 4]
    for row in table.to_dicts()[:2]:
        np.testing.assert_array_equal(part.picture(row).pixels, pictures["f1.png"][15:25, 24:36])
        assert part.mask(row) is None
    assert part.mask(table.to_dicts()[2]) is not None


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("0 0.5 0.5", "no annotation"),
        ("copepod 0.5 0.5 0.1 0.1 x", "no annotation"),
        ("0 nan 0.5 0.1 0.1", "no annotation"),
        ("0 0.5 0.5 0 0.1", "the box is empty"),
        ("0 250 250 30 30", "outside of the frame"),
        ("0 0.1 0.1 0.2 0.2 0.3 0.3", "encloses no area"),
    ],
)
def test_bad_lines_have_a_reason(tmp_path: Path, line: str, reason: str) -> None:
    lines = f"0 0.5 0.5 0.2 0.25\n{line}\n".encode()
    pack(tmp_path, make.files_of(make.frames(["f1.png"])) | {"f1.txt": lines})
    table, _, _ = read(tmp_path, "frames_yolo")
    assert table.height == 2
    assert reason in table["_reason"].drop_nulls().item()


def test_classes_without_names_are_told(tmp_path: Path) -> None:
    pack(tmp_path, make.files_of(make.frames(["f1.png"])) | {"f1.txt": b"7 0.5 0.5 0.2 0.25\n"})
    table, _, findings = read(tmp_path)
    assert table["label"].to_list() == [None]
    assert [(f.code, f.count) for f in findings if f.severity == "warning"] == [("class_without_name", 1)]


@pytest.mark.parametrize("names", ["names: {0: Calanus, 1: Oithona}", "names:\n- Calanus\n- Oithona\n"])
def test_names_as_list_or_by_number(tmp_path: Path, names: str) -> None:
    files = make.files_of(make.frames(["f1.png"])) | {"f1.txt": b"1 0.5 0.5 0.2 0.25\n", "data.yaml": names.encode()}
    table, _, _ = read(pack(tmp_path, files))
    assert table["label"].to_list() == ["Oithona"]


def test_a_broken_yaml_is_told(tmp_path: Path) -> None:
    pack(tmp_path, make.files_of(make.frames(["f1.png"])) | {"f1.txt": b"1 .5 .5 .2 .2\n", "data.yaml": b"names: [a"})
    with pytest.raises(SourceError, match="not valid YAML"):
        read(tmp_path)


def test_other_text_files_are_no_annotations(tmp_path: Path) -> None:
    pack(tmp_path, make.files_of(make.frames()) | {"f1.txt": b"Sampled near the pier.\n", "notes.txt": b"0 1 2 3 4\n"})
    assert recognise(tmp_path).name == "folder"
    with pytest.raises(SourceError, match="no frame has an annotated object"):
        recognise(tmp_path, "frames_yolo").parts(tmp_path)


def test_a_text_without_frame_is_a_reject(tmp_path: Path) -> None:
    files = make.files_of(make.frames(["f1.png"])) | make.yolo()
    table, _, _ = read(pack(tmp_path, files))
    assert table["_reason"].drop_nulls().to_list() == ["there is no frame 'f2'"]


@settings(max_examples=40)
@given(lines=st.lists(st.text(alphabet="01.5e- nax\t", max_size=24), max_size=5))
def test_every_line_is_an_object_or_has_a_reason(tmp_path_factory: pytest.TempPathFactory, lines: list[str]) -> None:
    path = tmp_path_factory.mktemp("s")
    text = "\n".join(["0 0.5 0.5 0.2 0.25", *lines]).encode()
    pack(path, make.files_of(make.frames(["f1.png"])) | {"f1.txt": text, "f2.txt": b"0 0.5 0.5 0.2 0.25\n"})
    pack(path, make.files_of(make.frames(["f2.png"])))
    table = recognise(path, "frames_yolo").parts(path)[0].table() if _has_object(path) else None
    if table is not None:
        told = sum(bool(line.split()) for line in lines)
        assert table.filter(pl.col("source_path").str.ends_with("f1.txt")).height == told + 1


def _has_object(path: Path) -> bool:
    try:
        recognise(path, "frames_yolo").parts(path)
    except SourceError:
        return False
    return True


def test_real_outlines_drawn_by_hand(shared_data: Path, tmp_path: Path) -> None:
    """Pseudo-nitzschia of the Adriatic: the chains are in the ROIs, and their masks are darker than the rest."""
    source = shared_data / "segmentation" / "adriatic_pseudonitzschia"
    shutil.copytree(source, tmp_path / "adriatic")
    (tmp_path / "adriatic" / "data.yaml").write_text(
        "names: [Pseudo-nitzschia delicatissima, Pseudo-nitzschia calliantha]\n"
    )
    table, part, _ = read(tmp_path / "adriatic", "frames_yolo:margin=20")
    assert table["_reason"].null_count() == table.height == 3
    assert table["label"].value_counts().sort("label")["count"].to_list() == [2, 1]
    for row in table.iter_rows(named=True):
        pixels, mask = part.picture(row).pixels, part.mask(row)
        assert mask is not None
        assert pixels.shape[:2] == mask.shape
        frame = np.asarray(Image.open(tmp_path / "adriatic" / row["image_path"]))
        x, y = int(row["roi_x"]), int(row["roi_y"])
        np.testing.assert_array_equal(pixels, frame[y : y + mask.shape[0], x : x + mask.shape[1]])
        inside, outside = pixels[mask == 1].mean(), pixels[mask == 0].mean()
        assert abs(inside - outside) > 3
