"""Collages by name wherever they lie; single images by number or id, if only one fits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from aqqua.sources.archive import Tree
from aqqua.sources.flowcam_images import Place, RunImages, left_out
from tests.make.flowcam import particles
from tests.make.images import as_file
from tests.make.packing import pack

ROW = particles().rows[0]
IMAGE = as_file(np.zeros((30, 70), np.uint8), "TIFF")


def place(folder: Path, *names: str, table: str = "a/run.lst") -> str | None:
    pack(folder, {table: b"", **dict.fromkeys(names, IMAGE)})
    found = RunImages(Tree(folder), table).place(ROW)
    return found.image if isinstance(found, Place) else None


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["a/run_000001.tif", "b/run_000001.tif"], "a/run_000001.tif"),
        (["a/RUN_000001.TIF"], "a/RUN_000001.TIF"),
        (["collages/run_000001.tif"], "collages/run_000001.tif"),
        (["b/run_000001.tif", "c/run_000001.tif"], None),
        (["a/x_1.tif"], "a/x_1.tif"),
        (["a/images/x_0001.tif"], "a/images/x_0001.tif"),
        (["a/x_1.tif", "a/y_1.tif"], None),
        (["a/x_11.tif"], None),
        (["b/x_1.tif"], None),
        (["a/other_000001.tif", "a/cal_image_000001.tif", "a/rawfile_000001.tif"], None),
    ],
)
def test_where_a_particle_is(tmp_path: Path, names: list[str], expected: str | None) -> None:
    assert place(tmp_path / "s", *names) == expected


def test_a_number_alone_does_not_say_which_run(tmp_path: Path) -> None:
    pack(tmp_path / "s", {"a/other.lst": b""})
    assert place(tmp_path / "s", "a/x_1.tif") is None
    assert place(tmp_path / "s", "a/run_1.tif") == "a/run_1.tif"


def test_images_beside_no_list_are_told(tmp_path: Path) -> None:
    pack(tmp_path / "s", {"a/run.lst": b"", "a/x.tif": b"", "b/y.tif": b"", "z.png": b""})
    (told,) = left_out(Tree(tmp_path / "s"), ["a/run.lst"])
    assert told.count == 2
    assert left_out(Tree(tmp_path / "s" / "a"), ["run.lst"]) == []
