from __future__ import annotations

import numpy as np
import pytest

from aqqua.bench.features import FEATURES, classic_features
from tests.make.trainable import SHAPES, draw


def disc(radius: int, side: int = 80) -> np.ndarray:
    y, x = np.mgrid[:side, :side] - side // 2
    return np.where(x**2 + y**2 <= radius**2, 100, 220).astype(np.uint8)


def feature(image: np.ndarray, name: str, um: float = 10.0) -> float:
    return float(classic_features(image, um)[FEATURES.index(name)])


def test_there_are_thirty() -> None:
    assert len(FEATURES) == len(set(FEATURES)) == 30
    assert classic_features(disc(10), 1.0).shape == (30,)


def test_a_disc_is_measured_in_micrometres() -> None:
    image = disc(20)
    assert feature(image, "area") == pytest.approx(np.pi * 200**2, rel=0.02)
    assert feature(image, "equivalent_diameter_area") == pytest.approx(400, rel=0.02)
    assert feature(image, "eccentricity") < 0.1
    assert feature(image, "circularity") > 0.85
    assert feature(image, "intensity_mean") == 120
    assert feature(image, "height_um") == 800


def test_only_the_largest_object_counts() -> None:
    image = disc(20)
    image[:4, :4] = 100
    assert feature(image, "area") == feature(disc(20), "area")


@pytest.mark.parametrize("shape", SHAPES)
def test_all_shapes_have_finite_features(shape: str) -> None:
    assert np.isfinite(classic_features(draw(shape, 40, np.random.default_rng(0)), 5.0)).all()


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((20, 20), np.uint8),
        np.full((1, 1), 7, np.uint8),
        np.eye(12, dtype=np.uint8) * 255,
        np.pad(np.array([[255]], np.uint8), 9),
        np.random.default_rng(0).integers(0, 65536, (15, 18, 3)).astype(np.uint16),
    ],
    ids=["empty", "pixel", "line", "point", "noise"],
)
def test_odd_images_have_finite_features(image: np.ndarray) -> None:
    assert np.isfinite(classic_features(image, 5.0)).all()
