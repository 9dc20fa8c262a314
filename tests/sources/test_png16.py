"""16-bit colour PNG: every filter, bit for bit."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aqqua.errors import SourceError
from aqqua.sources.pixels import decode_picture
from aqqua.sources.png16 import decode_png16
from tests.make.images import as_file
from tests.make.pngs import png16


@settings(max_examples=60)
@given(
    height=st.integers(1, 12),
    width=st.integers(1, 12),
    samples=st.integers(2, 4),
    filters=st.lists(st.integers(0, 4), min_size=1, max_size=5),
    seed=st.integers(0, 99),
    smooth=st.booleans(),
)
def test_every_pixel(height: int, width: int, samples: int, filters: list[int], seed: int, smooth: bool) -> None:
    pixels = np.random.default_rng(seed).integers(0, 65_536, (height, width, samples), np.uint16)
    if smooth:
        pixels = (pixels // 4096 + 300 * np.arange(width, dtype=np.uint16)[None, :, None]).astype(np.uint16)
    data = png16(pixels, filters)
    found = decode_png16(data)
    assert found is not None
    np.testing.assert_array_equal(found, pixels, strict=True)
    opaque = samples in {2, 4} and bool((pixels[..., -1] == 65_535).all())
    if not opaque:
        np.testing.assert_array_equal(decode_picture(data, "x.png").pixels, pixels, strict=True)


def test_opaque_alpha_is_dropped_and_colours_are_named() -> None:
    pixels = np.random.default_rng(0).integers(0, 65_536, (5, 6, 4), np.uint16)
    assert decode_picture(png16(pixels), "x.png").channel_names == "r,g,b,a"
    pixels[..., 3] = 65_535
    picture = decode_picture(png16(pixels), "x.png")
    np.testing.assert_array_equal(picture.pixels, pixels[..., :3])
    assert picture.channel_names == "r,g,b"
    gray = np.stack([pixels[..., 0], pixels[..., 3]], axis=-1)
    np.testing.assert_array_equal(decode_picture(png16(gray), "x.png").pixels, pixels[..., 0])


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_other_pngs_are_left_alone(dtype: str) -> None:
    assert decode_png16(as_file(np.zeros((4, 5), dtype))) is None
    assert decode_png16(b"\x89PNG\r\n\x1a\n") is None


@settings(max_examples=80)
@given(at=st.floats(0, 1, exclude_max=True), value=st.integers(0, 255), keep=st.floats(0, 1))
def test_any_damage_is_an_image_or_a_source_error(at: float, value: int, keep: float) -> None:
    data = bytearray(png16(np.random.default_rng(0).integers(0, 65_536, (6, 7, 3), np.uint16)))
    data[int(at * len(data))] = value
    with contextlib.suppress(SourceError):
        assert decode_picture(bytes(data[: int(keep * len(data))]), "x.png").pixels.size
