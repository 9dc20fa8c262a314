from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from aqqua.export.ecotaxa_images import SixteenBit, encode_png, planes, scale_to_8_bit
from aqqua.sources.pixels import decode_image


@pytest.mark.parametrize(
    ("channels", "dtype", "names", "sixteen_bit", "expected"),
    [
        (1, "uint8", None, "keep", [""]),
        (1, "uint16", "chl", "keep", [""]),
        (3, "uint8", None, "keep", [""]),
        (3, "uint8", "r,g,b", "keep", [""]),
        (3, "uint8", "Red, Green, Blue", "keep", [""]),
        (3, "uint8", "chl,pe,side", "keep", ["chl", "pe", "side"]),
        (3, "uint16", None, "convert", [""]),
        (3, "uint16", None, "keep", ["channel 0", "channel 1", "channel 2"]),
        (2, "uint8", "a,a", "keep", ["channel 0", "channel 1"]),
        (4, "uint8", "r,g,b", "keep", ["channel 0", "channel 1", "channel 2", "channel 3"]),
    ],
)
def test_what_stays_whole(
    channels: int, dtype: str, names: str | None, sixteen_bit: SixteenBit, expected: list[str]
) -> None:
    assert planes(channels, dtype, names, sixteen_bit) == expected


@pytest.mark.parametrize(
    ("shape", "dtype"), [((5, 7), "uint8"), ((5, 7, 3), "uint8"), ((5, 7), "uint16"), ((1, 1), "uint8")]
)
def test_png_keeps_every_pixel(shape: tuple[int, ...], dtype: str) -> None:
    pixels = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)
    data = encode_png(pixels)
    assert Image.open(io.BytesIO(data)).format == "PNG"
    np.testing.assert_array_equal(decode_image(data, "x"), pixels)
    assert decode_image(data, "x").dtype == pixels.dtype
    assert encode_png(pixels) == data


@given(arrays(np.uint16, st.tuples(st.integers(1, 5), st.integers(1, 5))))
def test_scaling_to_8_bit_can_be_undone_to_half_a_step(pixels: np.ndarray) -> None:
    scaled, factor = scale_to_8_bit(pixels)
    assert scaled.dtype == np.uint8
    assert factor >= 1
    assert np.abs(scaled * factor - pixels).max() <= factor / 2 + 1e-6


def test_scaling_leaves_what_fits_and_uses_the_whole_range() -> None:
    scaled, factor = scale_to_8_bit(np.array([[0, 255]], np.uint16))
    assert (scaled.tolist(), factor) == ([[0, 255]], 1.0)
    scaled, factor = scale_to_8_bit(np.array([[0, 51, 4080]], np.uint16))
    assert (scaled.tolist(), factor) == ([[0, 3, 255]], 16.0)
