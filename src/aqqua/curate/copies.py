"""Whether the pixels of one image are a function of those of another: brighter, inverted, another gamma, compressed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aqqua.curate.content import Content, find_content
from aqqua.curate.gray import Gray, gray, resized

__all__ = ["ENOUGH", "Sameness", "as_function", "copy_kind"]

ENOUGH = 0.9
"""Share of the variance of a copy that must follow from the raw image."""

_LARGEST = 256
_SHAPE = 0.03
_MOST_OF_IT = 0.7
"""Share of the raw image that must be in the copy: margins of water are cut off with a footer."""
_LOSSY = {".jpg", ".jpeg"}
_EXACT = 0.9999

Pixels = NDArray[np.generic]


@dataclass(frozen=True)
class Sameness:
    """How one image follows from another.

    Args:
        share: of its variance that a function of the other's gray values explains (correlation ratio η², Pearson 1905).
        equal: the pixels are equal, bit for bit.
        inverted: bright is dark.
        padded: there is a margin around.
        scaled: it has another size.
        straight: the gray values follow in a straight line with slope 1: no gamma, no contrast.
    """

    share: float
    equal: bool = False
    inverted: bool = False
    padded: bool = False
    scaled: bool = False
    straight: bool = False


def as_function(raw: Pixels, copy: Pixels) -> Sameness | None:
    """Look for the raw image in a copy.

    Args:
        raw: pixels of the raw image.
        copy: of what may be a copy of it.

    Returns:
        how it follows; None if it does not.
    """
    if raw.shape == copy.shape and raw.dtype == copy.dtype and np.array_equal(raw, copy):
        return Sameness(1.0, equal=True, straight=True)
    one = _inside(gray(raw), find_content(raw))
    best: Sameness | None = None
    for part, two, padded, scaled in _ways(one, _inside(gray(copy), find_content(copy))):
        share, slope, shift = _explained(*_small(part, two))
        if share >= ENOUGH and (best is None or share > best.share + 1e-6):
            straight = abs(slope - 1) < 0.05 and abs(shift) < 0.02
            best = Sameness(share, inverted=slope < 0, padded=padded, scaled=scaled, straight=straight)
    return best


def copy_kind(same: Sameness, copy: Pixels, suffix: str) -> str:
    """What kind of copy it is, in words.

    Args:
        same: how it follows from the raw image.
        copy: its pixels.
        suffix: of its file.
    """
    if same.equal:
        return "the same pixels"
    what = {"none": "", "scale_bar": "vignette with scale bar", "footer": "vignette with footer"}[
        find_content(copy).kind
    ]
    changed = [] if same.straight or same.inverted else ["other contrast"]
    words = [what, "inverted" if same.inverted else "", *changed]
    words += ["with a margin" if same.padded else "", "another size" if same.scaled else ""]
    words += ["compressed" if suffix in _LOSSY and same.share < _EXACT else ""]
    return ", ".join(word for word in words if word) or "nearly the same pixels"


def _inside(image: Gray, content: Content) -> Gray:
    return image[content.y0 : content.y1, content.x0 : content.x1]


def _ways(raw: Gray, copy: Gray) -> Iterator[tuple[Gray, Gray, bool, bool]]:
    """Ways in which a copy may hold the raw image.

    Yields:
        the raw image or most of it; the same part of the copy; whether there was a margin; whether it was scaled.
    """
    if raw.shape == copy.shape:
        yield raw, copy, False, False
        return
    for y, x in dict.fromkeys([(0, 0), _within_margin(copy), _best_place(raw, copy)]):
        height, width = min(raw.shape[0], copy.shape[0] - y), min(raw.shape[1], copy.shape[1] - x)
        if height * width >= _MOST_OF_IT * raw.size:
            yield raw[:height, :width], copy[y : y + height, x : x + width], True, False
    shapes = abs(np.log(copy.shape[0] / copy.shape[1] * raw.shape[1] / raw.shape[0]))
    if shapes < _SHAPE and min(*raw.shape, *copy.shape) >= 8:
        yield raw, resized(copy, *raw.shape), False, True


def _within_margin(copy: Gray) -> tuple[int, int]:
    """First row and column that are not of the colour of the upper left corner alone."""
    other = np.abs(copy - copy[0, 0]) > 1.5 / 255
    return int(other.any(axis=1).argmax()), int(other.any(axis=0).argmax())


def _best_place(raw: Gray, copy: Gray) -> tuple[int, int]:
    """Row and column of the copy at which the raw image fits best, or its negative (largest cross-correlation)."""
    size = tuple(a + b for a, b in zip(raw.shape, copy.shape, strict=True))
    spectrum = np.fft.rfft2(copy - copy.mean(), size) * np.conj(np.fft.rfft2(raw - raw.mean(), size))
    fit = np.abs(np.fft.irfft2(spectrum, size))[: copy.shape[0], : copy.shape[1]]
    row, column = np.unravel_index(int(fit.argmax()), fit.shape)
    return int(row), int(column)


def _small(raw: Gray, copy: Gray) -> tuple[Gray, Gray]:
    factor = _LARGEST / max(raw.shape)
    if factor >= 1:
        return raw, copy
    height, width = (max(round(side * factor), 1) for side in raw.shape)
    return resized(raw, height, width), resized(copy, height, width)


def _explained(raw: Gray, copy: Gray) -> tuple[float, float, float]:
    """Correlation ratio of the copy on gray levels of the raw image; slope and shift of the straight line."""
    x, y = raw.ravel().astype(np.float64), copy.ravel().astype(np.float64)
    spread_x, spread_y = float(x.var()), float(y.var())
    if x.size < 64 or spread_x < 1e-7 or spread_y < 1e-7:
        return 0.0, 0.0, 0.0
    levels = int(np.clip(x.size // 24, 4, 256))
    low, high = float(np.min(x)), float(np.max(x))
    place = np.minimum(np.floor((x - low) / (high - low) * levels).astype(np.int64), levels - 1)
    count = np.bincount(place, minlength=levels).astype(np.float64)
    mean = np.bincount(place, y, minlength=levels) / np.maximum(count, 1)
    freedom = max(x.size - int(np.count_nonzero(count)), 1)
    within = float(((y - mean[place]) ** 2).sum()) / freedom
    slope = float(np.mean((x - x.mean()) * (y - y.mean()))) / spread_x
    return 1 - within / spread_y, slope, float(y.mean() - slope * x.mean())
