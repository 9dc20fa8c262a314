from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aqqua.curate.copies import as_function, copy_kind
from aqqua.ocean.vignettes import STYLES, Style, vignette
from tests.make.captures import capture, compressed

SEEDS = st.integers(0, 5000)


@given(SEEDS, st.sampled_from(STYLES), st.sampled_from([0.7, 1.0, 1.5]))
@settings(max_examples=50)
def test_the_raw_image_is_found_in_its_vignettes(seed: int, style: Style, gamma: float) -> None:
    raw = capture(seed)
    found = as_function(raw, vignette(raw, style, gamma=gamma).pixels)
    assert found is not None
    assert found.inverted == (style == "uvp6")
    assert found.share > 0.95


@given(SEEDS, SEEDS)
@settings(max_examples=40)
def test_another_image_is_not_found(a: int, b: int) -> None:
    assert a == b or as_function(capture(a), capture(b)) is None
    assert a == b or as_function(capture(a), vignette(capture(b), "uvp6").pixels) is None


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ("itself", "the same pixels"),
        ("sixteen", "nearly the same pixels"),
        ("negative", "inverted"),
        ("gamma", "other contrast"),
        ("jpeg", "compressed"),
        ("double", "another size"),
        ("colour", "nearly the same pixels"),
    ],
)
def test_the_kind_of_copy_in_words(change: str, kind: str) -> None:
    raw = capture(11)
    copy = {
        "itself": raw,
        "sixteen": raw.astype(np.uint16) * 257,
        "negative": 255 - raw,
        "gamma": np.round((raw / 255) ** 2 * 255).astype(np.uint8),
        "jpeg": compressed(raw, 90),
        "double": raw.repeat(2, axis=0).repeat(2, axis=1),
        "colour": np.stack([raw] * 3, axis=-1),
    }[change]
    found = as_function(raw, copy)
    assert found is not None
    assert copy_kind(found, copy, ".jpg" if change == "jpeg" else ".png") == kind


def test_flat_and_tiny_images_say_nothing() -> None:
    assert as_function(np.zeros((30, 30), np.uint8), np.full((30, 30), 9, np.uint8)) is None
    assert as_function(capture(1)[:5, :5], capture(2)[:5, :5]) is None
    assert as_function(capture(1), np.zeros((3, 200), np.uint8)) is None
