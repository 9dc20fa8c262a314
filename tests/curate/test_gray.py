from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqqua.curate.gray import background, binomial, box_mean, gray, noise, resized, white_level


def test_gray_is_the_share_of_the_range_and_passes_alpha_over() -> None:
    assert gray(np.full((2, 2), 255, np.uint8)).max() == 1
    assert gray(np.full((2, 2), 65_535, np.uint16)).max() == 1
    rgba = np.zeros((2, 2, 4), np.uint8)
    rgba[..., 3] = 255
    assert gray(rgba).max() == 0
    assert gray(np.dstack([np.full((2, 2), 51, np.uint8), np.zeros((2, 2), np.uint8)])).max() == pytest.approx(0.2)
    assert gray(np.full((2, 2, 5), 51, np.uint8)).mean() == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("brightest", "level"), [(1023, 1023), (4095, 4095), (16_383, 16_383), (5000, 65_535), (65_535, 65_535)]
)
def test_the_white_level_of_sixteen_bits(brightest: int, level: int) -> None:
    assert white_level(np.full((2, 2), brightest, np.uint16)) == level
    assert white_level(np.zeros((2, 2), np.uint8)) == 255


@given(st.integers(0, 1000), st.floats(0.005, 0.05))
def test_noise_is_measured_in_spite_of_an_object_and_a_slope(seed: int, sigma: float) -> None:
    rng = np.random.default_rng(seed)
    image = np.linspace(0.3, 0.8, 80)[None, :] + rng.normal(0, sigma, (60, 80))
    image[20:40, 20:50] -= 0.3
    assert noise(image.astype(np.float32)) == pytest.approx(sigma, rel=0.15)


def test_the_background_is_what_the_border_shows() -> None:
    image = np.full((20, 20), 0.7, np.float32)
    image[3:17, 3:17] = 0.1
    assert background(image) == pytest.approx(0.7)
    assert background(image[:1, :1]) == pytest.approx(0.7)
    assert noise(image[:2]) == 0


def test_smoothing_keeps_what_is_flat_and_size_is_as_asked() -> None:
    flat = np.full((5, 7), 0.25, np.float32)
    assert np.allclose(box_mean(flat), flat)
    assert np.allclose(binomial(flat), flat)
    assert resized(flat, 3, 4).shape == (3, 4)
    assert resized(flat, 9, 11).shape == (9, 11)
    assert resized(flat, 5, 7) is flat
