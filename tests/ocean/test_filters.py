from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqqua.ocean.filters import blur, clouds, edge_distance, shrink, smooth_noise


def _spot(size: int = 101) -> np.ndarray:
    image = np.zeros((size, size), np.float32)
    image[size // 2, size // 2] = 1
    return image


@pytest.mark.parametrize("sigma", [0.5, 1.0, 3.0, 7.0, 12.0])
def test_blur_keeps_the_light_and_has_the_width_asked_for(sigma: float) -> None:
    out = blur(_spot(), sigma)
    x = np.arange(101) - 50
    assert out.sum() == pytest.approx(1, abs=0.02)
    assert np.sqrt((out.sum(axis=0) * x**2).sum() / out.sum()) == pytest.approx(sigma, rel=0.2, abs=0.15)


def test_blur_below_a_fifth_of_a_pixel_is_none() -> None:
    image = _spot(5)
    assert blur(image, 0.1) is image


def test_blur_treats_each_layer_alike() -> None:
    layers = np.stack([_spot(31), 3 * _spot(31)])
    assert np.allclose(blur(layers, 8.0)[1], 3 * blur(layers[0], 8.0), atol=1e-6)


@given(st.integers(1, 4), st.integers(1, 5), st.integers(1, 5))
def test_shrink_is_the_mean_of_blocks(step: int, rows: int, columns: int) -> None:
    image = np.arange(rows * step * columns * step, dtype=np.float32).reshape(rows * step, columns * step)
    expected = image.reshape(rows, step, columns, step).mean(axis=(1, 3))
    assert np.allclose(shrink(image, step), expected)


def test_smooth_noise_is_smooth_and_about_one_wide() -> None:
    noise = smooth_noise(np.random.default_rng(0), (200, 300), 10.0)
    assert noise.shape == (200, 300)
    assert 0.6 < noise.std() < 1.3
    assert np.abs(np.diff(noise, axis=1)).mean() < 0.2


def test_clouds_have_finer_structure_than_one_octave() -> None:
    def rough(octaves: int) -> float:
        image = clouds(np.random.default_rng(0), (120, 120), 20.0, octaves)
        return float(np.abs(np.diff(image, axis=1)).mean())

    assert rough(3) > 1.3 * rough(1)


def test_edge_distance_is_zero_in_the_middle_and_one_at_the_corners() -> None:
    distance = edge_distance((101, 51))
    assert distance[50, 25] == 0
    assert distance[0, 0] == pytest.approx(1, abs=0.03)
