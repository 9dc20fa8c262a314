"""Images are decoded bit for bit, or refused with a reason."""

from __future__ import annotations

import contextlib
import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from aqqua.errors import SourceError
from aqqua.sources.pixels import decode_image, decode_picture
from tests.make.images import as_file

SHAPES = st.one_of(
    st.tuples(st.integers(1, 20), st.integers(1, 20)), st.tuples(st.integers(1, 20), st.integers(1, 20), st.just(3))
)


@given(pixels=arrays(np.uint8, SHAPES), kind=st.sampled_from(["PNG", "BMP", "TIFF", "PPM"]))
def test_eight_bits_are_exact(pixels: np.ndarray, kind: str) -> None:
    decoded = decode_image(as_file(pixels, kind), "here")
    assert decoded.dtype == np.uint8
    np.testing.assert_array_equal(decoded, pixels)


@given(
    pixels=arrays(np.uint16, st.tuples(st.integers(1, 20), st.integers(1, 20))), kind=st.sampled_from(["PNG", "TIFF"])
)
def test_sixteen_bits_are_exact(pixels: np.ndarray, kind: str) -> None:
    decoded = decode_image(as_file(pixels, kind), "here")
    assert decoded.dtype == np.uint16
    np.testing.assert_array_equal(decoded, pixels)


@given(pixels=arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(4))))
def test_alpha_is_dropped_only_where_all_is_opaque(pixels: np.ndarray) -> None:
    opaque = pixels.copy()
    opaque[..., 3] = 255
    np.testing.assert_array_equal(decode_image(as_file(opaque), "here"), pixels[..., :3])
    pixels[0, 0, 3] = 7
    np.testing.assert_array_equal(decode_image(as_file(pixels), "here"), pixels)


@given(
    pixels=arrays(np.bool_, st.tuples(st.integers(1, 20), st.integers(1, 20))), kind=st.sampled_from(["PNG", "TIFF"])
)
def test_one_bit_is_black_and_white(pixels: np.ndarray, kind: str) -> None:
    np.testing.assert_array_equal(decode_image(as_file(pixels, kind), "here"), pixels.astype(np.uint8) * 255)


@given(
    index=arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.integers(0, 3)),
    palette=arrays(np.uint8, (4, 3)),
)
def test_a_palette_becomes_its_colours(index: np.ndarray, palette: np.ndarray) -> None:
    image = Image.fromarray(index).convert("P")
    image.putpalette(palette.tobytes())
    out = io.BytesIO()
    image.save(out, "PNG")
    decoded = decode_image(out.getvalue(), "here")
    colours = palette[index]
    expected = colours if decoded.ndim == 3 else colours[..., 0]
    np.testing.assert_array_equal(decoded, expected)
    assert (decoded.ndim == 2) <= (colours == colours[..., :1]).all()


def test_a_gray_gif_is_gray() -> None:
    pixels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    np.testing.assert_array_equal(decode_image(as_file(pixels, "GIF"), "here"), pixels)


def test_jpeg_is_what_its_decoder_says_and_is_not_turned() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # "rotate by 90 degrees"
    data = as_file(np.arange(200, dtype=np.uint8).reshape(10, 20), "JPEG", exif=exif)
    assert decode_image(data, "here").shape == (10, 20)


def test_equal_channels_stay_three() -> None:
    assert decode_image(as_file(np.full((4, 5, 3), 9, np.uint8)), "here").shape == (4, 5, 3)


@pytest.mark.parametrize(
    ("description", "names"),
    [
        ("ImageJ=1.54f\nimages=3\nchannels=3\nmode=grayscale\n", None),
        (
            "ImageJ=1.54f\nimages=3\nchannels=3\nchannel_names=bright-field,chlorophyll,dna\n",
            "bright-field,chlorophyll,dna",
        ),
        (
            '<OME><Pixels SizeC="3" SizeT="1" SizeZ="1"><Channel Name="a"/><Channel Name="b"/><Channel Name="c"/>',
            "a,b,c",
        ),
    ],
)
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_pages_are_channels_where_the_file_says_so(description: str, names: str | None, dtype: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype)
    pages = [Image.fromarray(pixels[..., channel]) for channel in range(3)]
    out = io.BytesIO()
    pages[0].save(out, "TIFF", save_all=True, append_images=pages[1:], tiffinfo={270: description})
    picture = decode_picture(out.getvalue(), "here")
    np.testing.assert_array_equal(picture.pixels, pixels)
    assert picture.pixels.dtype == dtype
    assert picture.channel_names == names


@pytest.mark.parametrize(
    "description", ["ImageJ=1\nimages=2\nslices=2\n", "ImageJ=1\nimages=2\nchannels=2\nframes=2\n", ""]
)
def test_slices_and_frames_are_no_channels(description: str) -> None:
    pages = [Image.fromarray(np.full((4, 4), value, np.uint8)) for value in (0, 200)]
    out = io.BytesIO()
    pages[0].save(out, "TIFF", save_all=True, append_images=pages[1:], tiffinfo={270: description})
    with pytest.raises(SourceError, match="holds 2 images"):
        decode_image(out.getvalue(), "here")


def test_channels_of_two_sizes_are_refused() -> None:
    pages = [Image.fromarray(np.zeros((4, side), np.uint8)) for side in (4, 5)]
    out = io.BytesIO()
    told = "ImageJ=1\nimages=2\nchannels=2\n"
    pages[0].save(out, "TIFF", save_all=True, append_images=pages[1:], tiffinfo={270: told})
    with pytest.raises(SourceError, match="differ in size"):
        decode_image(out.getvalue(), "here")


def test_colours_are_named() -> None:
    assert decode_picture(as_file(np.zeros((2, 2, 3), np.uint8)), "here").channel_names == "r,g,b"
    assert decode_picture(as_file(np.zeros((2, 2, 4), np.uint8)), "here").channel_names == "r,g,b,a"
    assert decode_picture(as_file(np.zeros((2, 2), np.uint8)), "here").channel_names is None


def _png(width: int, height: int, *, depth: int = 8, colour: int = 0, data: bytes = b"", interlaced: int = 0) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def _frames(kind: str) -> bytes:
    out = io.BytesIO()
    frames = [Image.fromarray(np.full((4, 4), value, np.uint8)) for value in (0, 200)]
    frames[0].save(out, kind, save_all=True, append_images=frames[1:])
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty"),
        (b"no image at all", "not an image of a known format"),
        (as_file(np.arange(4000, dtype=np.uint16).reshape(40, 100))[:200], "is damaged"),
        (as_file(np.zeros((40, 100), np.uint8), "JPEG")[:300], "is damaged"),
        (_png(20_000, 20_000), "too large"),
        (_png(9_000, 11_000), "too large"),
        (_png(70_000, 1), "70000×1 pixels cannot be stored"),
        (_png(1, 1, depth=16, colour=2, data=b"\0" + bytes(5)), "cut off"),
        (_png(1, 1, depth=16, colour=2, data=b"\0" + bytes(6), interlaced=1), "16-bit colour"),
        (as_file(np.zeros((3, 3), np.float32), "TIFF"), "kind 'F'"),
        (as_file(np.full((3, 3), -1, np.int32), "TIFF"), "32-bit values"),
        (_frames("GIF"), "holds 2 images"),
        (_frames("TIFF"), "holds 2 images"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(SourceError, match=reason) as caught:
        decode_image(data, "cruise.zip!a.png")
    assert caught.value.where == "cruise.zip!a.png"
    assert caught.value.do


@given(
    at=st.integers(0, 10_000), value=st.integers(0, 255), kind=st.sampled_from(["PNG", "JPEG", "GIF", "BMP", "TIFF"])
)
def test_any_damage_is_an_image_or_a_source_error(at: int, value: int, kind: str) -> None:
    data = bytearray(as_file(np.arange(600, dtype=np.uint16).astype(np.uint8).reshape(20, 30), kind))
    data[at % len(data)] = value
    with contextlib.suppress(SourceError):
        assert decode_image(bytes(data), "here").dtype in {np.dtype(np.uint8), np.dtype(np.uint16)}
