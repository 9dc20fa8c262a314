"""TIFF: many channels, 16-bit colour, names – written by tifffile, an independent writer; bit for bit."""

from __future__ import annotations

import contextlib
import io
import struct
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from aqqua.errors import SourceError
from aqqua.sources.pixels import decode_picture
from aqqua.sources.tiff import read_tiff
from tests.make.images import as_file


def written(pixels: np.ndarray, **options: Any) -> bytes:
    out = io.BytesIO()
    tifffile.imwrite(out, pixels, **options)
    return out.getvalue()


def noise(shape: tuple[int, ...], dtype: str, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


@settings(max_examples=80)
@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    channels=st.integers(1, 12),
    dtype=st.sampled_from(["uint8", "uint16"]),
    planar=st.booleans(),
    order=st.sampled_from(["<", ">"]),
    big=st.booleans(),
    compression=st.sampled_from([None, "zlib"]),
    rows=st.sampled_from([None, 7]),
    seed=st.integers(0, 99),
)
def test_any_number_of_channels_in_one_page(
    height: int,
    width: int,
    channels: int,
    dtype: str,
    planar: bool,
    order: Any,
    big: bool,
    compression: Any,
    rows: Any,
    seed: int,
) -> None:
    several = (channels, height, width) if planar else (height, width, channels)
    pixels = noise(several if channels > 1 else (height, width), dtype, seed)
    told: dict[str, Any] = {"photometric": "rgb" if channels == 3 else "minisblack", "byteorder": order, "bigtiff": big}
    if channels > 1:
        told["planarconfig"] = "separate" if planar else "contig"
    data = written(pixels, compression=compression, rowsperstrip=rows, metadata=None, **told)
    expected = np.moveaxis(pixels, 0, -1) if planar and channels > 1 else pixels
    tiff = read_tiff(data)
    assert tiff is not None
    np.testing.assert_array_equal(tiff.decode(), expected, strict=True)
    np.testing.assert_array_equal(decode_picture(data, "x.tif").pixels, expected, strict=True)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("channels", [2, 4])
def test_two_and_four_channels(dtype: str, channels: int) -> None:
    """Without a word about transparency they are channels: none is dropped."""
    pixels = noise((9, 11, channels), dtype)
    data = written(pixels, photometric="minisblack", planarconfig="contig", metadata=None)
    np.testing.assert_array_equal(decode_picture(data, "x.tif").pixels, pixels)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_tiles(dtype: str) -> None:
    pixels = noise((50, 70, 5), dtype)
    data = written(pixels, photometric="minisblack", planarconfig="contig", tile=(32, 16), metadata=None)
    np.testing.assert_array_equal(decode_picture(data, "x.tif").pixels, pixels)


@pytest.mark.parametrize("compression", ["tiff_lzw", "packbits", "tiff_adobe_deflate", "raw", "tiff_deflate"])
@pytest.mark.parametrize("smooth", [True, False])
def test_compressions_as_libtiff_writes_them(compression: str, smooth: bool) -> None:
    """Long enough for LZW to fill and to renew its table."""
    pixels = (
        (np.add.outer(np.arange(90), np.arange(120)) // 9 % 256).astype(np.uint8)
        if smooth
        else noise((90, 120), "uint8")
    )
    tiff = read_tiff(as_file(pixels, "TIFF", compression=compression))
    assert tiff is not None
    np.testing.assert_array_equal(tiff.decode(), pixels)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_differences_between_neighbours(dtype: str) -> None:
    pixels = noise((6, 8, 3), dtype)
    data = written(pixels, photometric="rgb", metadata=None, compression="zlib", predictor=True)
    tiff = read_tiff(data)
    assert tiff is not None
    assert tiff.pages[0].number(317, 1) == 2
    np.testing.assert_array_equal(tiff.decode(), pixels)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_ome_channels_with_names(dtype: str) -> None:
    pixels = noise((3, 12, 9), dtype)
    told: dict[str, Any] = {"axes": "CYX", "Channel": {"Name": ["Bright field", "Chl <a>", "SSC & µ"]}}
    picture = decode_picture(written(pixels, ome=True, photometric="minisblack", metadata=told), "x.ome.tif")
    np.testing.assert_array_equal(picture.pixels, np.moveaxis(pixels, 0, -1))
    assert picture.channel_names == "Bright field,Chl <a>,SSC & µ"


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_imagej_channels_with_labels(dtype: str) -> None:
    pixels = noise((4, 12, 9), dtype)
    told: dict[str, Any] = {"axes": "CYX", "Labels": ["BF", "Chlorophyll", "PE", "Side, scatter"]}
    picture = decode_picture(written(pixels, imagej=True, metadata=told), "x.tif")
    np.testing.assert_array_equal(picture.pixels, np.moveaxis(pixels, 0, -1))
    assert picture.channel_names == "BF,Chlorophyll,PE,Side; scatter"


def pages(names: list[str | None], shape: tuple[int, ...] = (8, 6)) -> tuple[bytes, np.ndarray]:
    pixels = noise((len(names), *shape), "uint16")
    out = io.BytesIO()
    with tifffile.TiffWriter(out) as file:
        for page, name in zip(pixels, names, strict=True):
            tags = [(285, "s", 0, name, True)] if name else []
            file.write(page, photometric="minisblack", contiguous=False, metadata=None, extratags=tags)
    return out.getvalue(), np.moveaxis(pixels, 0, -1)


def test_named_pages_are_channels() -> None:
    data, pixels = pages(["Ch01", "Ch02", "Ch05"])
    picture = decode_picture(data, "cell.tif")
    np.testing.assert_array_equal(picture.pixels, pixels)
    assert picture.channel_names == "Ch01,Ch02,Ch05"


@pytest.mark.parametrize("names", [["a", "a"], ["a", None], [None, None]])
def test_other_pages_are_several_images(names: list[str | None]) -> None:
    with pytest.raises(SourceError, match="the file holds 2 images"):
        decode_picture(pages(names)[0], "x.tif")


def test_channels_without_pages_of_their_own_are_found() -> None:
    """ImageJ writes files beyond 4 GB with one page only, and the other channels behind it."""
    pixels = noise((3, 10, 8), "uint16")
    data = written(pixels, imagej=True, metadata={"axes": "CYX"})
    order = "<" if data[:2] == b"II" else ">"
    at = struct.unpack_from(f"{order}I", data, 4)[0]
    end = at + 2 + 12 * struct.unpack_from(f"{order}H", data, at)[0]
    alone = data[:end] + bytes(4) + data[end + 4 :]
    tiff = read_tiff(alone)
    assert tiff is not None
    assert len(tiff.pages) == 1
    np.testing.assert_array_equal(decode_picture(alone, "x.tif").pixels, np.moveaxis(pixels, 0, -1))


@pytest.mark.parametrize("dtype", ["float32", "uint32", "int16"])
def test_numbers_that_are_not_kept(dtype: str) -> None:
    pixels = np.ones((4, 5, 6), dtype)
    with pytest.raises(SourceError):
        decode_picture(written(pixels, photometric="minisblack", planarconfig="contig", metadata=None), "x.tif")


@settings(max_examples=150)
@given(at=st.floats(0, 1, exclude_max=True), value=st.integers(0, 255), keep=st.floats(0.1, 1), kind=st.integers(0, 3))
def test_any_damage_is_an_image_or_a_source_error(at: float, value: int, keep: float, kind: int) -> None:
    data = [
        written(noise((9, 7, 5), "uint16"), photometric="minisblack", planarconfig="contig", compression="zlib"),
        written(noise((3, 9, 7), "uint8"), imagej=True, metadata={"axes": "CYX", "Labels": ["a", "b", "c"]}),
        as_file(noise((9, 7), "uint8"), "TIFF", compression="tiff_lzw"),
        pages(["a", "b"])[0],
    ][kind]
    broken = bytearray(data)
    broken[int(at * len(data))] = value
    rest = bytes(broken[: int(keep * len(data))])
    with contextlib.suppress(SourceError):
        tiff = read_tiff(rest)
        assert tiff is None or tiff.decode().size
    with contextlib.suppress(SourceError):
        assert decode_picture(rest, "x.tif").pixels.size


def test_plain_colour_is_left_to_pillow() -> None:
    pixels = noise((9, 7, 3), "uint8")
    data = as_file(pixels, "TIFF")
    tiff = read_tiff(data)
    assert tiff is not None
    assert tiff.is_plain
    np.testing.assert_array_equal(tiff.decode(), np.asarray(Image.open(io.BytesIO(data))))
