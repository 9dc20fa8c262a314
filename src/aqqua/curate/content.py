"""Scale bars and footers that were burnt into images: where is the picture itself?

Three kinds are known: the footer that EcoTaxa computes under UVP6 images (a band of one colour, "2 mm", a hooked line),
the legend of ZooProcess and its relatives ("1 mm" and a bar in the white below the object), and a bar without text. All
have a horizontal bar of one colour, with nothing beside it. A band of one colour with text but no bar counts only where
the picture above it has another background.

The pixels stay as they are; a box says where the picture is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["CONTENT_VERSION", "Content", "cut", "find_content"]

CONTENT_VERSION = 1
INK = 0.35
"""Share of the range of gray values by which ink differs from the paper around it."""
_SOLID = 0.6
"""The same for a bar without text, which has less to show for itself."""
_SHORTEST, _SHORTEST_BARE = 8, 24
_THICKEST, _DEEPEST = 8, 90
_TEXT_HEIGHT = range(4, 41)

Kind = Literal["none", "scale_bar", "footer"]
Ink = NDArray[np.bool_]


@dataclass(frozen=True)
class Content:
    """Where the picture is: from column x0 and row y0 up to, not including, x1 and y1.

    Args:
        x0: first column.
        y0: first row.
        x1: end of the columns.
        y1: end of the rows.
        kind: what was burnt in: "scale_bar" (with or without text), "footer" (text alone), "none".
        bar_px: length of the bar in pixels, 0 without one.
    """

    x0: int
    y0: int
    x1: int
    y1: int
    kind: Kind = "none"
    bar_px: int = 0


@dataclass(frozen=True)
class _Bar:
    """First row of a bar, its first column and its length."""

    top: int
    left: int
    length: int


def find_content(pixels: NDArray[np.generic]) -> Content:
    """Find a scale bar or footer at the lower edge.

    Args:
        pixels: (h, w) or (h, w, channels), uint8 or uint16.

    Returns:
        Where the picture is; all of it, if nothing was found.
    """
    height, width = pixels.shape[:2]
    whole = Content(0, 0, width, height)
    if height < 16 or width < _SHORTEST + 2:
        return whole
    contrast = _contrast(pixels)
    ink = contrast > INK
    bar = _find_bar(ink, contrast)
    if bar is not None:
        return _above_bar(ink, contrast, bar)
    return _above_text(ink, contrast) or whole


def cut(pixels: NDArray[np.generic]) -> NDArray[np.generic]:
    """The picture without a burnt-in bar or footer."""
    box = find_content(pixels)
    return pixels if box.kind == "none" else np.ascontiguousarray(pixels[box.y0 : box.y1, box.x0 : box.x1])


def _contrast(pixels: NDArray[np.generic]) -> NDArray[np.float32]:
    """Largest difference of a channel to the paper – the lowest row – as share of the range, only of the lower part."""
    values = pixels.astype(np.float32)
    values = values.reshape(*values.shape[:2], -1)
    paper = np.median(values[-1], axis=0)
    span = np.float32(255) if pixels.dtype == np.uint8 else np.float32(max(float(np.ptp(values)), 1.0))
    return np.asarray(np.abs(values - paper).max(axis=2) / span, np.float32)


def _any(ink: Ink, axis: int) -> Ink:
    """Which columns (axis 0) or rows (axis 1) have ink."""
    return np.asarray(ink.any(axis=axis))


def _find_bar(ink: Ink, contrast: NDArray[np.float32]) -> _Bar | None:
    """The lowest thing in the image, if it is a bar."""
    rows = _any(ink, 1)
    height = len(rows)
    inked = np.flatnonzero(rows)
    if not len(inked) or rows[-1] or height - inked[-1] > _DEEPEST:
        return None
    last = int(inked[-1])
    top = last
    while top > 0 and rows[top - 1] and last - top < _THICKEST:
        top -= 1
    if last - top >= _THICKEST or top < 4:
        return None
    columns = np.flatnonzero(_any(ink[top : last + 1], 0))
    left, length = int(columns[0]), int(columns[-1] - columns[0] + 1)
    full = [row for row in range(top, last + 1) if ink[row, left : left + length].mean() > 0.98]
    if not full or length < _SHORTEST or length < 2 * (last - top + 1) or left < 1:
        return None
    return _Bar(top, left, length) if _is_solid(ink, contrast, full, top, last, left, length) else None


def _is_solid(
    ink: Ink, contrast: NDArray[np.float32], full: list[int], top: int, last: int, left: int, length: int
) -> bool:
    """Rows of the bar have one colour, and its other rows hold only hooks at its ends."""
    inner = contrast[full[0] : full[-1] + 1, left + 1 : left + length - 1]
    one_colour = float(np.ptp(np.median(inner, axis=0))) < 0.12
    rest = [row for row in range(top, last + 1) if row not in full]
    hooks = all(not ink[row, left + 2 : left + length - 2].any() for row in rest)
    return one_colour and hooks and len(full) == full[-1] - full[0] + 1


def _above_bar(ink: Ink, contrast: NDArray[np.float32], bar: _Bar) -> Content:
    """Where the picture ends above a bar, and above its text."""
    height, width = ink.shape
    text = _text_above(ink, bar.top)
    if text is None and (bar.length < _SHORTEST_BARE or _is_soft(contrast, bar)):
        return Content(0, 0, width, height)
    start = bar.top if text is None else text
    y1 = _paper_above(contrast, start)
    widened = bar.left + bar.length >= width - 3  # EcoTaxa makes an image as wide as its bar
    return Content(0, 0, _without_margin(contrast, y1) if widened else width, y1, "scale_bar", bar.length)


def _is_soft(contrast: NDArray[np.float32], bar: _Bar) -> bool:
    """Whether a bar has soft edges, or is not black: a fibre, not ink."""
    columns = slice(max(bar.left - 2, 0), bar.left + bar.length + 2)
    blackest = float(np.median(contrast[bar.top : bar.top + _THICKEST, columns].max(axis=0)))
    shade = float(np.median(contrast[bar.top - 1, columns]))
    return bool(contrast[bar.top - 2, columns].max(initial=0) > 0.15 or shade > 0.1 or blackest < _SOLID)


def _text_above(ink: Ink, bottom: int) -> int | None:
    """First row of a line of text above the row `bottom`; None if there is none."""
    rows = _any(ink, 1)
    end = bottom - 1
    while end > 0 and not rows[end]:
        end -= 1
    if end == bottom - 1 or not rows[end]:
        return None
    top = end
    while top > 0 and rows[top - 1]:
        top -= 1
    high, gap = end - top + 1, bottom - 1 - end
    if top == 0 or high not in _TEXT_HEIGHT or gap > max(6, high / 2):
        return None
    letters = _any(ink[top : end + 1], 0)
    strokes = int(np.count_nonzero(np.diff(letters.astype(np.int8)) == 1)) + int(letters[0])
    return top if strokes >= 2 and ink[top : end + 1].mean() < 0.5 else None


def _paper_above(contrast: NDArray[np.float32], start: int) -> int:
    """First row of the paper that the text is written on: rows of exactly one colour, else one row of margin."""
    row = start
    while row > 1 and contrast[row - 1].max() <= 1.01 / 255 and start - row < _DEEPEST:
        row -= 1
    return row if row < start else max(start - 1, 1)


def _without_margin(contrast: NDArray[np.float32], y1: int) -> int:
    """End of the columns without those at the right that are paper only: images narrower than their bar."""
    blank = (contrast[:y1].max(axis=0) <= 1.01 / 255).tolist()
    x1 = len(blank)
    while x1 > 1 and blank[x1 - 1]:
        x1 -= 1
    return x1 if x1 > 1 and not blank[0] else len(blank)


def _above_text(ink: Ink, contrast: NDArray[np.float32]) -> Content | None:
    """A band of one colour with a line of text, under a picture whose background is another."""
    height, width = ink.shape
    if contrast[-2:].max() > 1.01 / 255:
        return None
    rows = np.flatnonzero(_any(ink, 1))
    if not len(rows) or height - int(rows[-1]) > _DEEPEST:
        return None
    top = _text_above(ink, int(rows[-1]) + 2)
    if top is None or contrast[top - 1].max() > 1.01 / 255:
        return None
    y1 = _paper_above(contrast, top)
    other = max(float(np.mean(contrast[:y1, side] > 2.5 / 255)) for side in (0, -1)) > 0.9
    return Content(0, 0, width, y1, "footer") if other and y1 >= 8 else None
