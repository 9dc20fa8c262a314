"""Whether two images show the same capture: aligned, then compared coarsely and in their finest detail."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aqqua.curate.content import cut
from aqqua.curate.gray import Gray, background, box_mean, gray, resized

__all__ = ["SAME_DETAIL", "SAME_LOOK", "Likeness", "compare"]

SAME_LOOK, SAME_DETAIL = 0.85, 0.7
"""Correlations from which on two images are the same capture: of gray values, and of what smoothing takes away."""

_REACH = 4
"""Images may be shifted against each other by so many pixels."""
_LARGEST = 64
"""Larger images are compared with so many pixels on their longer side."""
_SHAPE = 0.04
"""Images of other sizes are compared if height over width differs by less than this."""


@dataclass(frozen=True)
class Likeness:
    """How alike two images are.

    Args:
        look: normalised correlation of the gray values, −1..1; negative: one is a negative of the other.
        detail: the same of the details of a few pixels – edges and noise, which two captures never share.
        scaled: they had different sizes, and the larger one was made as small as the other.
    """

    look: float
    detail: float
    scaled: bool = False

    @property
    def same(self) -> bool:
        """Whether both are high enough to say that it is one capture, negative or not."""
        return abs(self.look) >= SAME_LOOK and np.sign(self.look) * self.detail >= SAME_DETAIL


def compare(a: NDArray[np.generic], b: NDArray[np.generic]) -> Likeness | None:
    """Compare two images without their scale bars.

    Args:
        a: pixels.
        b: pixels.

    Returns:
        how alike they are; None if their shapes do not fit each other.
    """
    one, two = gray(cut(a)), gray(cut(b))
    pair = _alike_in_size(one, two)
    if pair is None:
        return None
    one, two, scaled = pair
    one, two = _aligned(one - np.float32(background(one)), two - np.float32(background(two)))
    if min(one.shape) < 4:
        return None
    factor = max(_LARGEST / max(one.shape), 8 / min(one.shape))
    if factor < 1:  # in large images compression takes the noise, but not what is left of it here
        height, width = (max(round(side * factor), 1) for side in one.shape)
        one, two = resized(one, height, width), resized(two, height, width)
    return Likeness(_correlation(one, two), _correlation(one - box_mean(one), two - box_mean(two)), scaled)


def _alike_in_size(one: Gray, two: Gray) -> tuple[Gray, Gray, bool] | None:
    """Both with nearly the same size, and not larger than need be; the flag says that one was scaled."""
    close = all(abs(p - q) <= _REACH for p, q in zip(one.shape, two.shape, strict=True))
    if not close:
        shapes = [image.shape[0] / image.shape[1] for image in (one, two)]
        if abs(np.log(shapes[0] / shapes[1])) > _SHAPE:
            return None
        height, width = min(one.shape, two.shape)
        one, two = resized(one, height, width), resized(two, height, width)
    return one, two, not close


def _aligned(one: Gray, two: Gray) -> tuple[Gray, Gray]:
    """What both have in common where they fit best, with a shift of at most four pixels."""
    if one.shape == two.shape and _correlation(one, two) > 0.999:
        return one, two
    size = tuple(max(p, q) + _REACH for p, q in zip(one.shape, two.shape, strict=True))
    spectrum = np.fft.rfft2(one, size) * np.conj(np.fft.rfft2(two, size))
    fit = np.abs(np.fft.irfft2(spectrum, size))
    shifts = range(-_REACH, _REACH + 1)
    down, right = max(((y, x) for y in shifts for x in shifts), key=lambda at: fit[at])
    top, left = max(down, 0), max(right, 0)
    height = min(one.shape[0] - top, two.shape[0] - max(-down, 0))
    width = min(one.shape[1] - left, two.shape[1] - max(-right, 0))
    below, beside = max(-down, 0), max(-right, 0)
    return one[top : top + height, left : left + width], two[below : below + height, beside : beside + width]


def _correlation(one: Gray, two: Gray) -> float:
    """Pearson's, 0 where there is nothing to compare."""
    x, y = one - one.mean(), two - two.mean()
    size = float(np.sqrt((x**2).sum(dtype=np.float64) * (y**2).sum(dtype=np.float64)))
    return float((x * y).sum(dtype=np.float64)) / size if size > 1e-12 else 0.0
