from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from aqqua.models.shape import MEASURES, measure
from aqqua.models.vit import SIZES, VisionTransformer


def blob(height: int = 48, width: int = 48, long: float = 15.0, short: float = 6.0, bright: float = 0.6) -> Tensor:
    """An ellipse with an eye, off the centre (1, 1, height, width)."""
    y = torch.arange(height)[:, None] - height / 2 - 3.5
    x = torch.arange(width)[None] - width / 2 + 1.5
    body = ((x / long) ** 2 + (y / short) ** 2 < 1).float() * bright
    eye = ((x - long / 2) ** 2 + y**2 < 6).float() * 0.3
    return (body + eye)[None, None]


def test_a_turn_or_a_mirror_changes_nothing() -> None:
    image = blob()
    told = measure(image)
    for other in (image.rot90(1, (2, 3)), image.rot90(2, (2, 3)), image.flip(2), image.flip(3)):
        torch.testing.assert_close(measure(other), told, atol=2e-2, rtol=2e-2)


def test_empty_water_around_the_object_changes_nothing() -> None:
    image = blob()
    padded = torch.nn.functional.pad(image, (16, 16, 8, 8))
    torch.testing.assert_close(measure(padded), measure(image), atol=5e-3, rtol=1e-2)


def test_an_image_is_measured_the_same_alone_and_among_others() -> None:
    images = torch.cat([blob(), blob(long=9), blob(bright=0.3)])
    together = measure(images)
    alone = torch.cat([measure(image[None]) for image in images])
    torch.testing.assert_close(together, alone)


def test_length_width_brightness_and_size_are_told_apart() -> None:
    told = {
        name: measure(blob(**change))[0]  # type: ignore[arg-type]
        for name, change in {
            "as it is": {},
            "longer": {"long": 20.0},
            "brighter": {"bright": 0.9},
            "smaller": {"long": 7.5, "short": 3.0},
        }.items()
    }
    plain = told["as it is"]
    assert told["longer"][1] > plain[1] + 0.3  # ln of the ratio of the variances
    assert told["brighter"][2].item() == pytest.approx(plain[2].item() + 0.28, abs=0.05)
    assert told["smaller"][0] < plain[0] - 0.5  # ln of the side of an equal square


def test_folds_are_counted() -> None:
    """A star with five arms has its strength in the fivefold part of the outline."""
    y, x = torch.meshgrid(torch.arange(64) - 31.5, torch.arange(64) - 31.5, indexing="ij")
    star = ((x**2 + y**2).sqrt() < 18 + 8 * torch.cos(5 * torch.atan2(y, x))).float()[None, None] * 0.5
    from aqqua.models import shape

    rings = shape._around(torch.cat([star, star], dim=1), torch.zeros(1, 2), torch.tensor([30.0]))
    outline = shape._folds(rings).reshape(2, 8, 6)[1].sum(dim=1)
    assert int(outline.argmax()) + 1 == 5


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 6), st.integers(2, 6), st.integers(1, 3), st.integers(0, 2**31), st.floats(-2, 2))
def test_every_image_has_finite_measures(rows: int, columns: int, channels: int, seed: int, factor: float) -> None:
    noise = torch.rand(2, channels, 8 * rows, 8 * columns, generator=torch.Generator().manual_seed(seed))
    told = measure(factor * noise)
    assert told.shape == (2, MEASURES)
    assert torch.isfinite(told).all()
    assert told.abs().max() < 60


def test_nothing_in_the_picture_can_be_measured_too() -> None:
    assert torch.isfinite(measure(torch.zeros(1, 1, 16, 16))).all()


def test_the_network_tells_what_was_measured_beside_what_it_learnt() -> None:
    network = VisionTransformer(SIZES["pico"]).eval()
    image, sizes = blob(), torch.full((1, 3), torch.nan)
    features = network.features(image, torch.tensor([0]), sizes)
    torch.testing.assert_close(features[:, -MEASURES:], measure(image))
    with torch.autocast("cpu", torch.bfloat16):
        half = network.features(image, torch.tensor([0]), sizes)
    torch.testing.assert_close(half[:, -MEASURES:].float(), measure(image))
