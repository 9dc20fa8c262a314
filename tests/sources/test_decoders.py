"""The short way gives the pixels the long way gives, or nothing."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from aqqua.errors import SourceError
from aqqua.sources import pixels as pixels_module
from aqqua.sources.decoders import decode_plain
from aqqua.sources.pixels import decode_image

RNG = np.random.default_rng(0)
GRAY = RNG.integers(0, 256, (23, 31)).astype(np.uint8)
SHAPES = st.one_of(
    st.tuples(st.integers(1, 30), st.integers(1, 30)), st.tuples(st.integers(1, 30), st.integers(1, 30), st.just(3))
)


def as_file(pixels: np.ndarray, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, kind, **options)
    return out.getvalue()


@given(pixels=arrays(np.uint8, SHAPES), level=st.integers(0, 9))
def test_plain_png_is_exact(pixels: np.ndarray, level: int) -> None:
    decoded = decode_plain(as_file(pixels, "PNG", compress_level=level))
    assert decoded is not None
    np.testing.assert_array_equal(decoded, pixels)


@given(pixels=arrays(np.uint16, st.tuples(st.integers(1, 20), st.integers(1, 20))))
def test_png_of_sixteen_bits_is_exact(pixels: np.ndarray) -> None:
    decoded = decode_plain(as_file(pixels, "PNG"))
    assert decoded is not None
    assert decoded.dtype == np.uint16
    np.testing.assert_array_equal(decoded, pixels)


@given(
    pixels=arrays(np.uint8, SHAPES),
    quality=st.sampled_from([10, 75, 95]),
    progressive=st.booleans(),
    subsampling=st.sampled_from([0, 2]),
)
@settings(max_examples=60)
def test_jpeg_is_what_pillow_makes_of_it(pixels: np.ndarray, quality: int, progressive: bool, subsampling: int) -> None:
    data = as_file(pixels, "JPEG", quality=quality, progressive=progressive, subsampling=subsampling)
    decoded = decode_plain(data)
    assert decoded is not None
    np.testing.assert_array_equal(decoded, np.asarray(Image.open(io.BytesIO(data))))


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I4s", len(data), name) + data + struct.pack(">I", zlib.crc32(name + data))


def test_idat_may_come_in_pieces_between_harmless_chunks() -> None:
    data = as_file(GRAY, "PNG")
    at = data.index(b"IDAT") - 4
    (length,) = struct.unpack_from(">I", data, at)
    packed, end = data[at + 8 : at + 8 + length], data[at + 12 + length :]
    pieces = chunk(b"tEXt", b"who\0nobody") + chunk(b"IDAT", packed[:50]) + chunk(b"IDAT", packed[50:])
    decoded = decode_plain(data[:at] + pieces + end)
    assert decoded is not None
    np.testing.assert_array_equal(decoded, GRAY)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GIF89a",
        as_file(GRAY, "BMP"),
        as_file(GRAY, "TIFF"),
        as_file(GRAY > 99, "PNG"),
        as_file(np.dstack([GRAY] * 4), "PNG"),
        as_file(GRAY, "PNG", transparency=7),
        as_file(np.dstack([GRAY] * 3), "PNG", transparency=(1, 2, 3)),
        b"\xff\xd8\xff\xd9",
        b"\xff\xd8\xff",
    ],
)
def test_what_is_not_plain_is_left_to_the_long_way(data: bytes) -> None:
    assert decode_plain(data) is None


def test_cmyk_and_palette_are_left_to_the_long_way() -> None:
    out = io.BytesIO()
    Image.fromarray(np.dstack([GRAY] * 4), "CMYK").save(out, "JPEG")
    assert decode_plain(out.getvalue()) is None
    out = io.BytesIO()
    Image.fromarray(GRAY).convert("P").save(out, "PNG")
    assert decode_plain(out.getvalue()) is None


@given(st.data())
@settings(max_examples=400, deadline=None)
def test_damage_never_gives_other_pixels_than_the_long_way(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(["PNG", "JPEG"]))
    file = bytearray(as_file(data.draw(st.sampled_from([GRAY, np.dstack([GRAY] * 3)])), kind))
    at = data.draw(st.integers(0, len(file) - 1))
    if data.draw(st.booleans()):
        file[at] ^= data.draw(st.integers(1, 255))
    else:
        del file[at:]
    quick = decode_plain(bytes(file))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pixels_module, "decode_plain", lambda data: None)
        try:
            slow = decode_image(bytes(file), "here")
        except SourceError:
            slow = None
    if quick is not None and slow is not None:
        np.testing.assert_array_equal(quick, slow)
    assert slow is not None or quick is None
