"""COCO annotations: outlines, run lengths, boxes, and all that goes wrong with them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aqqua.errors import SourceError
from aqqua.sources import recognise
from aqqua.sources.part import Part
from tests.make import frames as make
from tests.make.packing import pack
from tests.sources.test_frames_shapes import encode, letters


def read(path: Path, loaded: Any) -> tuple[pl.DataFrame, Part, dict[str, np.ndarray]]:
    pictures = make.frames()
    pack(path, make.files_of(pictures) | {"a.json": json.dumps(loaded).encode()})
    (part,) = recognise(path, "frames_coco:margin=0").parts(path)
    return part.table(), part, pictures


def test_columns(tmp_path: Path) -> None:
    loaded = make.coco()
    loaded["images"][0] |= {"latitude": 54.5, "depth_m": 3, "date_captured": "0"}  # type: ignore[index]
    table, _, _ = read(tmp_path, loaded)
    row = table.to_dicts()[0]
    told = {
        "latitude": "54.5",
        "depth_m": "3",
        "frame_date_captured": "0",
        "annotation_area": "12.5",
        "label": "Calanus",
    }
    assert {name: row[name] for name in told} == told
    assert row["attribute_occluded"] == "false"
    assert (row["object_id"], row["source_row"], row["source_path"]) == ("f1_1", 1, f"{tmp_path.name}/a.json")


@pytest.mark.parametrize("compressed", [False, True])
def test_run_lengths(tmp_path: Path, compressed: bool) -> None:
    mask = make.covered(make.THINGS[1].corners)
    counts: Any = encode(mask)
    loaded = make.coco(make.THINGS[1:2])
    loaded["annotations"][0]["segmentation"] = {  # type: ignore[index]
        "size": [make.HEIGHT, make.WIDTH],
        "counts": letters(counts) if compressed else counts,
    }
    table, part, pictures = read(tmp_path, loaded)
    rows, columns = np.nonzero(mask)
    area = np.s_[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    np.testing.assert_array_equal(part.picture(table.to_dicts()[0]).pixels, pictures["f1.png"][area])
    np.testing.assert_array_equal(part.mask(table.to_dicts()[0]), mask[area])


def test_boxes_have_no_mask(tmp_path: Path) -> None:
    loaded = make.coco(make.THINGS[:1])
    loaded["annotations"][0] |= {"segmentation": [], "bbox": [3, 4, 10, 5]}  # type: ignore[index]
    table, part, pictures = read(tmp_path, loaded)
    row = table.to_dicts()[0]
    np.testing.assert_array_equal(part.picture(row).pixels, pictures["f1.png"][4:9, 3:13])
    assert part.mask(row) is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"segmentation": [[1, 1, 2, 2]]}, "only 2 different corners"),
        ({"segmentation": [[1, 1, "a", 2, 5, 6]]}, "no number"),
        ({"segmentation": [[5, 5, 5.1, 5, 5.1, 5.1]]}, "covers no pixel"),
        ({"segmentation": [], "bbox": None}, "neither outline nor box"),
        ({"segmentation": [], "bbox": [1, 2, 0, 3]}, "the box is empty"),
        ({"segmentation": {"size": [10, 10], "counts": [50, 50]}}, "the mask 10 × 10"),
        ({"segmentation": {"size": [40, 60], "counts": "\x01"}}, "run lengths"),
        ({"segmentation": {"size": [40, 60], "counts": [0, 2400]}, "iscrowd": 1}, "a crowd of objects"),
        ({"image_id": 99}, "there is no frame 'image_id 99'"),
        ({"image_id": [1]}, "there is no frame"),
    ],
)
def test_what_cannot_be_used_has_a_reason(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    loaded = make.coco(make.THINGS[:2])
    loaded["annotations"][0] |= change  # type: ignore[index]
    table, _, _ = read(tmp_path, loaded)
    assert table.height == 2
    assert reason in table["_reason"].drop_nulls().item()
    assert table["_do"].drop_nulls().item()


def test_frames_and_no_annotation(tmp_path: Path) -> None:
    loaded = make.coco()
    loaded["annotations"] = []
    with pytest.raises(SourceError, match="not one annotated object") as caught:
        read(tmp_path, loaded)
    assert "ROIs" in str(caught.value.do)


@pytest.mark.parametrize(
    "text", ['{"images": [], "annotations": [}', '{"images": 3, "annotations": 4, "categories": 5}']
)
def test_a_file_that_is_no_coco(tmp_path: Path, text: str) -> None:
    pack(tmp_path, {"a.json": text.encode()})
    (part,) = recognise(tmp_path).parts(tmp_path)
    with pytest.raises(SourceError):
        part.table()


def test_a_word_across_two_blocks(tmp_path: Path) -> None:
    """The reader looks for three words in a file that it reads in blocks of 1 MiB."""
    pad = "x" * ((1 << 20) - 30)
    text = json.dumps({"info": pad, **make.coco()}).encode()
    assert (1 << 20) - 20 < text.index(b'"images"') < 1 << 20
    pack(tmp_path, make.files_of(make.frames()) | {"a.json": text})
    assert recognise(tmp_path).name == "frames_coco"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 99) | st.floats(-9, 99) | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "image_id", "size", "counts"]), inner)
    ),
    max_leaves=6,
)


@settings(max_examples=60)
@given(
    outline=JSON,
    box=JSON,
    image=JSON,
    number=JSON,
    frame=st.dictionaries(st.sampled_from(["id", "width", "height", "file_name", "x"]), JSON),
)
def test_odd_entries_never_stop_the_work(
    tmp_path_factory: pytest.TempPathFactory, outline: Any, box: Any, image: Any, number: Any, frame: Any
) -> None:
    loaded: Any = make.coco(make.THINGS[:1])
    loaded["annotations"] += [
        {"id": number, "image_id": 1, "segmentation": outline, "bbox": box},
        outline,
        {"image_id": image},
    ]
    loaded["images"].append(frame)
    loaded["categories"].append(outline)
    path = tmp_path_factory.mktemp("s")
    table, part, _ = read(path, loaded)
    assert table.height == 4
    assert table["_reason"][table["object_id"].to_list().index("f1_1")] is None or frame.get("id") == 1
    for row in table.filter(pl.col("_reason").is_null()).iter_rows(named=True):
        assert part.picture(row).pixels.size
