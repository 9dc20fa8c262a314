"""ROIs are cut pixel by pixel; sheets are read once; plain scans are read without a decoder."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from aqqua.errors import SourceError
from aqqua.sources.archive import Tree
from aqqua.sources.cutting import Sheets, cut, image_size, outside, plain_gray, read_sheet
from aqqua.sources.pixels import Picture
from tests.make.images import as_file

SHEET = np.arange(20 * 30, dtype=np.uint16).reshape(20, 30)
SIDE = st.integers(-3, 35)


@given(x=SIDE, y=SIDE, width=SIDE, height=SIDE)
def test_a_box_is_cut_exactly_or_refused(x: int, y: int, width: int, height: int) -> None:
    inside = x >= 0 and y >= 0 and width > 0 and height > 0 and x + width <= 30 and y + height <= 20
    assert (outside((x, y, width, height), (30, 20)) is None) == inside
    if not inside:
        with pytest.raises(SourceError):
            cut(SHEET, (x, y, width, height), "sheet")
        return
    found = cut(SHEET, (x, y, width, height), "sheet")
    assert found.shape == (height, width)
    assert [found[0, 0], found[-1, -1]] == [30 * y + x, 30 * (y + height - 1) + x + width - 1]


def test_a_sheet_is_read_once_and_so_is_its_error() -> None:
    asked: list[str] = []

    def load(name: str) -> Picture:
        asked.append(name)
        if name == "bad":
            raise SourceError("damaged", where=name)
        return Picture(SHEET)

    sheets = Sheets(load)
    for name in ("a", "a", "b", "a"):
        assert sheets.get(name).pixels is SHEET
    for _ in range(3):
        with pytest.raises(SourceError, match="damaged"):
            sheets.get("bad")
    assert asked == ["a", "b", "a", "bad"]


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_plain_gray_tiff_without_a_decoder(dtype: str) -> None:
    pixels = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, (300, 700), dtype)
    found = plain_gray(as_file(pixels, "TIFF"))
    assert found is not None
    np.testing.assert_array_equal(found, pixels)
    assert found.dtype == pixels.dtype


def test_big_endian_tiff_as_imagej_writes_it() -> None:
    pixels = np.random.default_rng(0).integers(0, 2**16, (40, 50), np.uint16)
    out = io.BytesIO()
    Image.fromarray(pixels.astype(">u2")).save(out, "TIFF")
    assert out.getvalue()[:2] == b"MM"
    found = plain_gray(out.getvalue())
    assert found is not None
    np.testing.assert_array_equal(found, pixels)


@pytest.mark.parametrize(
    "data",
    [
        as_file(np.zeros((9, 9), np.uint8), "TIFF", compression="tiff_lzw"),
        as_file(np.zeros((9, 9, 3), np.uint8), "TIFF"),
        as_file(np.zeros((9, 9), np.uint8)),
        as_file(np.zeros((90, 90), np.uint8), "TIFF")[:2000],
        b"II*\0",
        b"",
    ],
)
def test_everything_else_is_left_to_the_decoder(data: bytes) -> None:
    assert plain_gray(data) is None


@given(data=st.binary(max_size=200), head=st.sampled_from([b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08"]))
def test_damaged_tiff_never_crashes(data: bytes, head: bytes) -> None:
    found = plain_gray(head + data)
    assert found is None or found.nbytes <= len(head + data)


def test_a_damaged_sheet_says_where() -> None:
    with pytest.raises(SourceError, match="known format"):
        read_sheet(b"II*\0 nothing of the kind", "run/a.tif")


def test_the_size_of_an_image_is_known_without_decoding(tmp_path: Path) -> None:
    data = as_file(np.zeros((40, 70), np.uint8), "TIFF", compression="tiff_lzw")
    (tmp_path / "a.tif").write_bytes(data)
    (tmp_path / "b.tif").write_bytes(b"no image")
    assert image_size(Tree(tmp_path), "a.tif") == (70, 40)
    assert image_size(Tree(tmp_path), "b.tif") is None
