from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aqqua.curate.scores import FLAGS, QUALITY_SCHEMA, flags, score_image
from aqqua.ocean.vignettes import vignette
from tests.make.captures import capture


@given(st.integers(0, 3000))
@settings(max_examples=25)
def test_blur_lowers_the_focus_and_brightness_does_not_change_it(seed: int) -> None:
    sharp, soft, softer = (score_image(capture(seed, blur=times))["focus"] for times in (0, 2, 8))
    assert sharp > soft > softer
    brighter = score_image(capture(seed) + np.uint8(20))["focus"]
    assert brighter == pytest.approx(sharp, rel=0.02)


@given(st.integers(0, 3000))
@settings(max_examples=25)
def test_a_cut_object_touches_the_border(seed: int) -> None:
    image = capture(seed)
    assert not score_image(image)["cut_off"]
    assert score_image(image[:, : image.shape[1] // 2])["cut_off"]


@given(st.integers(0, 3000), st.sampled_from([np.uint8, np.uint16]))
@settings(max_examples=25)
def test_water_is_empty(seed: int, kind: type) -> None:
    told = np.random.default_rng(seed).normal(180, 4, (50, 60))
    water: np.ndarray = (told * 250 if kind is np.uint16 else told).astype(kind)
    found = score_image(water)
    assert found["empty"]
    assert not any(found[name] for name in FLAGS if name != "empty")
    assert not score_image(capture(seed))["empty"]


def test_clipped_objects_are_overexposed_whatever_the_bits() -> None:
    image = np.full((60, 60), 10, np.uint8)
    image[20:40, 20:40] = 255
    assert score_image(image)["overexposed"]
    assert score_image(image.astype(np.uint16) * 16 + 15)["overexposed"]  # 12 bits in 16
    image[20:40, 20:40] = 200
    assert not score_image(image)["overexposed"]


def test_a_faint_object_has_low_contrast_and_a_vignette_is_burnt_in() -> None:
    rng = np.random.default_rng(0)
    faint = 128 + rng.normal(0, 10, (80, 80))
    faint[30:50, 30:50] -= 24
    assert score_image(np.clip(faint, 0, 255).astype(np.uint8))["low_contrast"]
    told = score_image(vignette(capture(5), "uvp6").pixels)
    assert told["burnt_in"]
    assert told["content_y1"] == 64


def test_what_is_scored_are_the_columns_of_the_table() -> None:
    assert set(score_image(capture(0))) == set(QUALITY_SCHEMA) - {"uid"}


@pytest.mark.parametrize("shape", [(1, 1), (1, 200), (2, 2), (3, 3, 3), (40, 40, 5)])
def test_odd_shapes_have_scores(shape: tuple[int, ...]) -> None:
    told = score_image(np.zeros(shape, np.uint8))
    assert all(np.isfinite(value) for value in told.values() if isinstance(value, float))


def test_thresholds_can_be_others() -> None:
    told = score_image(capture(0))
    assert not flags(told)["out_of_focus"]
    limits = {"focus": 99, "object_px": 1, "saturated": 1, "border": 1, "noise_share": 1}
    assert flags(told, limits)["out_of_focus"]
