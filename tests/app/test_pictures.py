"""Pictures: exact where they claim to be, and good to look at elsewhere."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from aqqua.app.pictures import CELL, display_png, names_of, raw_png, sprite_jpeg, thumb_jpeg
from aqqua.errors import ConfigError, UnknownNameError

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (30, 50), np.uint8)
DEEP = RNG.integers(100, 60_000, (30, 50), np.uint16)
RGB = RNG.integers(0, 256, (30, 50, 3), np.uint8)


def read(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


@pytest.mark.parametrize("pixels", [GREY, RGB, GREY[:, :, None], RNG.integers(0, 256, (9, 5, 4), np.uint8)])
def test_raw_png_of_8_bit_is_exact(pixels: np.ndarray) -> None:
    assert (read(raw_png(pixels)) == pixels.squeeze()).all()


def test_raw_png_of_16_bit_is_exact() -> None:
    back = read(raw_png(DEEP))
    assert back.dtype == np.uint16
    assert (back == DEEP).all()


def test_one_channel_of_many_is_exact_by_name_or_number() -> None:
    pixels = RNG.integers(0, 65_535, (6, 7, 5), np.uint16)
    names = "a,b,c,d,e"
    assert (read(raw_png(pixels, names, "c")) == pixels[:, :, 2]).all()
    assert (read(raw_png(pixels, names, "4")) == pixels[:, :, 4]).all()
    with pytest.raises(ConfigError, match="cannot hold all channels"):
        raw_png(pixels, names)
    with pytest.raises(UnknownNameError):
        raw_png(pixels, names, "z")
    with pytest.raises(UnknownNameError):
        display_png(pixels, names, "5")


def test_display_of_8_bit_grey_and_rgb_leaves_pixels_alone() -> None:
    assert (read(display_png(GREY)) == GREY).all()
    assert (read(display_png(RGB, "r,g,b")) == RGB).all()
    assert (read(display_png(RGB)) == RGB).all()


def test_display_of_16_bit_uses_the_whole_range_and_keeps_the_order() -> None:
    shown = read(display_png(DEEP))
    assert shown.dtype == np.uint8
    assert shown.min() == 0
    assert shown.max() == 255
    assert np.isin(shown, [0, 255]).mean() < 0.02, "few pixels are cut off"
    order = np.argsort(DEEP.ravel())
    assert (np.diff(shown.ravel()[order].astype(int)) >= 0).all()
    assert read(display_png(np.full((4, 4), 700, np.uint16))).max() == 0


def test_channels_that_are_no_colours_are_laid_over_each_other() -> None:
    pixels = np.zeros((10, 10, 2), np.uint8)
    pixels[:5, :, 0], pixels[5:, :, 1] = 200, 200
    shown = read(display_png(pixels, "scatter,chlorophyll")).astype(int)
    assert shown.shape == (10, 10, 3)
    assert np.ptp(shown[0, 0]) == 0, "the first channel is white"
    assert shown[9, 0, 2] > shown[9, 0, 0], "the second is coloured"
    fluorescence = RNG.integers(0, 255, (5, 5, 3), np.uint8)
    assert (read(display_png(fluorescence, "chl,pe,dapi")) != fluorescence).any()


@pytest.mark.parametrize("shape", [(10, 10), (500, 20), (20, 500), (1, 1), (1, 3000), (97, 96, 3), (200, 300, 2)])
def test_thumbs_fit_and_small_images_stay_as_they_are(shape: tuple[int, ...]) -> None:
    thumb = read(thumb_jpeg(RNG.integers(0, 256, shape, np.uint8)))
    assert max(thumb.shape[:2]) <= CELL
    if max(shape[:2]) <= CELL:
        assert thumb.shape[:2] == shape[:2]


def test_a_sheet_has_each_thumb_in_the_middle_of_its_cell() -> None:
    images = [(np.full((40, 20), 20 * i + 10, np.uint8), None) for i in range(10)]
    sheet = read(sprite_jpeg(images))
    assert sheet.shape == (2 * CELL, 8 * CELL)
    for i in range(10):
        cell = sheet[i // 8 * CELL :, i % 8 * CELL :][:CELL, :CELL]
        assert abs(int(cell[CELL // 2, CELL // 2]) - (20 * i + 10)) < 4
        assert abs(int(cell[2, 2]) - (20 * i + 10)) < 4, "the rest has the colour of the border"
    assert read(sprite_jpeg([*images, (RGB, None)])).shape == (2 * CELL, 8 * CELL, 3)


def test_channels_have_names_or_numbers() -> None:
    assert names_of("r, g,b", 3) == ["r", "g", "b"]
    assert names_of(None, 2) == ["0", "1"]
    assert names_of("a,b", 3) == ["0", "1", "2"]
