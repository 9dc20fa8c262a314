from __future__ import annotations

import numpy as np
import pytest

from aqqua.ocean.vignettes import STYLES, Style, vignette


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("kind", ["gray", "colour", "sixteen"])
def test_the_truth_is_true(style: Style, kind: str) -> None:
    gray = np.random.default_rng(0).integers(90, 230, (50, 60)).astype(np.uint8)
    kinds: dict[str, np.ndarray] = {
        "gray": gray,
        "colour": np.stack([gray] * 3, axis=-1),
        "sixteen": gray.astype(np.uint16) * 257,
    }
    pixels = kinds[kind]
    made = vignette(pixels, style, bar_px=30)
    x0, y0, x1, y1 = made.picture
    picture = made.pixels[y0:y1, x0:x1]
    assert np.array_equal(picture, 255 - gray if style == "uvp6" else gray)
    assert made.ink_y >= y1
    assert made.bar_px == {"text": 0, "uvp6": 31}.get(style, 30)
    assert made.pixels.dtype == np.uint8


def test_gamma_changes_the_picture_and_wide_bars_widen_it() -> None:
    gray = np.full((20, 20), 128, np.uint8)
    assert vignette(gray, "text", gamma=2).pixels[0, 0] > 128
    assert vignette(gray, "uvp6", bar_px=200).pixels.shape[1] == 210
