from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from aqqua.curate.compare import compare
from aqqua.ocean.vignettes import vignette
from tests.make.captures import capture, compressed

SEEDS = st.integers(0, 5000)


@given(SEEDS, st.sampled_from(["itself", "jpeg", "brightness", "negative", "shift", "crop", "vignette"]))
@settings(max_examples=60)
def test_one_capture_saved_twice(seed: int, change: str) -> None:
    image = capture(seed)
    changed = {
        "itself": image,
        "jpeg": compressed(image, 90),
        "brightness": (image * 0.85).astype(np.uint8),
        "negative": 255 - image,
        "shift": np.pad(image, ((0, 2), (1, 0)), mode="edge")[2:, :-1],
        "crop": image[2:-1, 1:-2],
        "vignette": vignette(image, "text").pixels,
    }[change]
    found = compare(image, changed)
    assert found is not None
    assert found.same
    assert (found.look < 0) == (change == "negative")


@given(SEEDS)
@settings(max_examples=40)
def test_two_captures_of_one_still_object_are_not_one_capture(seed: int) -> None:
    one, two = capture(seed), capture(seed)
    rng = np.random.default_rng(seed)
    one, two = (np.clip(image + rng.normal(0, 12, image.shape), 0, 255).astype(np.uint8) for image in (one, two))
    found = compare(one, two)
    assert found is not None
    assert found.look > 0.5
    assert found.detail < 0.7


@given(SEEDS, SEEDS)
@settings(max_examples=40)
def test_other_objects_are_not_the_same(a: int, b: int) -> None:
    found = compare(capture(a), capture(b))
    assert a == b or found is None or not found.same


def test_other_shapes_are_not_compared_and_other_sizes_are() -> None:
    image = capture(1)
    assert compare(image, np.zeros((64, 30), np.uint8)) is None
    larger = image.repeat(2, axis=0).repeat(2, axis=1)
    found = compare(image, larger)
    assert found is not None
    assert found.scaled
    assert found.same
    flat = compare(np.zeros((20, 20), np.uint8), np.zeros((20, 20), np.uint8))
    assert flat is not None
    assert not flat.same
    assert compare(np.zeros((2, 2), np.uint8), np.zeros((2, 2), np.uint8)) is None
