from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from aqqua.curate.content import cut, find_content
from aqqua.ocean.vignettes import STYLES, Style, vignette
from tests.make.captures import capture, compressed


@given(st.integers(0, 5000), st.sampled_from(STYLES), st.integers(30, 110), st.sampled_from([0.7, 1.0, 1.5]))
@settings(max_examples=60)
def test_bars_and_footers_of_known_software_are_found_to_the_pixel(
    seed: int, style: Style, bar: int, gamma: float
) -> None:
    made = vignette(capture(seed), style, bar_px=bar, gamma=gamma)
    found = find_content(made.pixels)
    assert found.kind == ("footer" if style == "text" else "scale_bar")
    assert found.bar_px == made.bar_px
    assert made.picture[3] - 3 <= found.y1 <= made.ink_y
    assert found.x1 >= made.picture[2]


@pytest.mark.parametrize("channels", [0, 3])
@pytest.mark.parametrize("style", ["uvp6", "zooprocess", "overlay"])
def test_after_jpeg_and_in_colour_too(style: Style, channels: int) -> None:
    made = vignette(capture(3), style, bar_px=60)
    pixels = compressed(made.pixels, 90)
    pixels = np.stack([pixels] * 3, axis=-1) if channels else pixels
    found = find_content(pixels)
    assert (found.kind, abs(found.bar_px - made.bar_px) <= 1) == ("scale_bar", True)
    assert abs(found.y1 - np.clip(found.y1, made.picture[3], made.ink_y)) <= 3


@given(st.integers(0, 5000))
@settings(max_examples=60)
def test_nothing_is_found_where_nothing_was_burnt_in(seed: int) -> None:
    image = capture(seed)
    found = find_content(image)
    assert (found.kind, found.x0, found.y0, found.x1, found.y1) == ("none", 0, 0, image.shape[1], image.shape[0])
    assert cut(image) is image


def test_a_fibre_is_no_bar() -> None:
    image = np.full((80, 100), 230, np.uint8)
    for row, value in zip(range(58, 63), (190, 120, 60, 120, 190), strict=True):
        image[row, 20:70] = value
    assert find_content(image).kind == "none"
    image[58:63] = 230
    image[10:30, 10:40] = 20  # objects above each other, the lower one with white all around
    image[50:58, 15:35] = 20
    assert find_content(image).kind == "none"


def test_sixteen_bits_and_small_images() -> None:
    made = vignette(capture(1), "uvp6").pixels
    assert find_content(made.astype(np.uint16) * 200).kind == "scale_bar"
    for shape in [(1, 1), (15, 300), (300, 5), (40, 9, 3)]:
        assert find_content(np.zeros(shape, np.uint8)).kind == "none"


def test_cut_leaves_the_picture_bit_for_bit() -> None:
    image = capture(7)
    made = vignette(image, "text")
    assert np.array_equal(cut(made.pixels), image)


def test_genuine_packages_have_bars_and_genuine_isiis_none(shared_data: Path) -> None:
    packages = shared_data / "ecotaxa" / "qa_packages"
    paths = [*packages.glob("import_test/*/*.jpg"), *packages.glob("import_test_plus/*/*.png")]
    assert len(paths) >= 9
    assert {find_content(np.array(Image.open(path).convert("RGB"))).kind for path in paths} == {"scale_bar"}
    uvp5 = sorted((shared_data / "images/uvp5_morphr/inst/extdata/plank").glob("*.jpg"))[:200]
    assert len(uvp5) == 200
    assert {find_content(np.array(Image.open(path))).kind for path in uvp5} == {"none"}
