"""From pixels to what the model sees: background 0, objects positive, native size, the same numbers on every machine.

Nothing here depends on the image's own range: two images of one camera keep their difference in brightness.
All arithmetic is in integers (or in float64 holding integers below 2**53), so no library version can change a value;
golden values are pinned in the tests. Whoever changes a value raises `VERSION`.
"""

from __future__ import annotations

import functools
import hashlib
import json
import math
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aqqua.errors import FormatError

__all__ = ["CHANNEL_TYPES", "UNIT", "Prepared", "Preprocessing", "channel_types", "resize_area"]

VERSION = 1
PATCH = 8
UNIT = 255.0
"""A signal of 255 is the full scale of an 8-bit camera; the model divides by it."""

CHANNEL_TYPES = ("gray", "red", "green", "blue", "fluorescence", "other")

_SIXTEEN_BIT_KNEE = 64.0
_CHANNEL_NAMES = {
    "gray": r"gr[ae]y|l|luminance|bright.?field|dark.?field|bf|df|shadow\w*|.*scatter\w*",
    "red": r"r|red",
    "green": r"g|green",
    "blue": r"b|blue",
    "fluorescence": r".*fluo.*|chl.*|phyco.*|pe|dna|dapi|gfp|dio.*|hoechst.*|membranes?|(ex|em)?\d{3} ?(nm)?",
}


@dataclass(frozen=True)
class Prepared:
    """One image as the model sees it.

    Args:
        signal: (channels, rows, columns) int16, background 0, 255 is the full scale of an 8-bit camera.
        channels: index into `CHANNEL_TYPES` of each channel.
        size: log10 of long side µm, short side µm, pixel µm (of these pixels, not of the camera's); NaN if unknown.
    """

    signal: NDArray[np.int16]
    channels: tuple[int, ...]
    size: tuple[float, float, float]

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of tokens."""
        return -(-self.signal.shape[1] // PATCH), -(-self.signal.shape[2] // PATCH)


@dataclass(frozen=True)
class Preprocessing:
    """How pixels become signal; versioned, and written with its hash into every model and prediction.

    Args:
        max_tokens: larger images are shrunk until their grid has no more tokens than this.
        min_rows: smaller images are centred in a grid of this many rows and columns of tokens.
        border_px: width of the frame whose median is the background.
        version: of the arithmetic.
    """

    max_tokens: int = 64
    min_rows: int = 2
    border_px: int = 2
    version: int = field(default=VERSION)

    def __post_init__(self) -> None:
        if self.version != VERSION:
            raise FormatError(
                f"this model wants preprocessing version {self.version}, this aqqua has version {VERSION}",
                do="use the aqqua version the model was made with, or train again",
            )

    @property
    def hash(self) -> str:
        """Sixteen hex digits that name these settings and the version of the arithmetic."""
        text = json.dumps(asdict(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def prepare(self, pixels: NDArray[Any], pixel_um: float | None, channel_names: str | None = None) -> Prepared:
        """Turn the pixels of one image into signal.

        Args:
            pixels: (rows, columns) or (rows, columns, channels), uint8 or uint16.
            pixel_um: side of a pixel in µm, None or NaN if unknown.
            channel_names: names of the channels separated by commas, as in Converted Metadata.
        """
        planes = pixels[None] if pixels.ndim == 2 else np.moveaxis(pixels, -1, 0)
        kinds = channel_types(len(planes), channel_names)
        signal = self._signal(planes, joint=_is_rgb(kinds))
        height, width = signal.shape[1:]
        small = self._fit(signal)
        return Prepared(_pad(small, self.min_rows * PATCH), kinds, _size(height, width, pixel_um, small.shape[1]))

    def _signal(self, planes: NDArray[np.generic], *, joint: bool) -> NDArray[np.int16]:
        """Subtract the border's median and turn the sign so that objects are bright."""
        wide: NDArray[Any] = planes.astype(np.int16 if planes.dtype == np.uint8 else np.int32)
        border = _border(wide, self.border_px)
        away = wide - np.sort(border, axis=1)[:, border.shape[1] // 2][:, None, None]
        if planes.dtype == np.uint16:
            away = _compress(away)
        axis = None if joint else (1, 2)
        dark = -away.min(axis=axis, keepdims=True) > away.max(axis=axis, keepdims=True)
        signal: NDArray[np.int16] = np.where(dark, -away, away).astype(np.int16, copy=False)
        return signal

    def _fit(self, signal: NDArray[np.int16]) -> NDArray[np.int16]:
        """Shrink what has too many tokens, keeping the shape."""
        height, width = signal.shape[1:]
        factor = 1.0
        rows, columns = height, width
        while -(-rows // PATCH) * -(-columns // PATCH) > self.max_tokens:
            factor *= min(0.98, math.sqrt(self.max_tokens * PATCH**2 / (rows * columns)))
            rows, columns = max(1, round(height * factor)), max(1, round(width * factor))
        if (rows, columns) == (height, width):
            return signal
        return resize_area(signal, rows, columns)


@functools.lru_cache(maxsize=1024)
def channel_types(n: int, names: str | None = None) -> tuple[int, ...]:
    """Return the kind of each of n channels as index into `CHANNEL_TYPES`, from their names or their number."""
    words = [word.strip().lower() for word in re.split(r"[,;|]", names or "") if word.strip()]
    if len(words) != n:
        words = {1: ["gray"], 3: ["red", "green", "blue"]}.get(n, ["other"] * n)
    return tuple(_channel_type(word) for word in words)


def _channel_type(word: str) -> int:
    for kind, pattern in _CHANNEL_NAMES.items():
        if re.fullmatch(pattern, word):
            return CHANNEL_TYPES.index(kind)
    return CHANNEL_TYPES.index("other")


def _is_rgb(kinds: Sequence[int]) -> bool:
    return [CHANNEL_TYPES[k] for k in kinds] == ["red", "green", "blue"]


def _border(planes: NDArray[Any], px: int) -> NDArray[Any]:
    """The pixels of the frame of each plane, (channels, n)."""
    c, height, width = planes.shape
    if px == 0 or min(height, width) <= 2 * px:
        return planes.reshape(c, -1)
    sides = planes[:, :px], planes[:, -px:], planes[:, px:-px, :px], planes[:, px:-px, -px:]
    return np.concatenate([side.reshape(c, -1) for side in sides], axis=1)


def _compress(away: NDArray[np.int32]) -> NDArray[np.int32]:
    """Bend 16-bit differences to ±255: linear to about 64 counts, then logarithmic.

    A 12-bit camera in a 16-bit file and a true 16-bit camera are both seen, and no image is judged by its own range.
    """
    scaled = np.arcsinh(away / _SIXTEEN_BIT_KNEE) * (UNIT / math.asinh(65535 / _SIXTEEN_BIT_KNEE))
    return np.rint(scaled).astype(np.int32)


def _pad(signal: NDArray[np.int16], side: int) -> NDArray[np.int16]:
    """Centre the image in a field of whole tokens, at least `side` wide and high."""
    channels, height, width = signal.shape
    rows, columns = (max(side, -(-n // PATCH) * PATCH) for n in (height, width))
    top, left = (rows - height) // 2, (columns - width) // 2
    field = np.zeros((channels, rows, columns), dtype=np.int16)
    field[:, top : top + height, left : left + width] = signal
    return field


def _size(height: int, width: int, pixel_um: float | None, rows_now: int) -> tuple[float, float, float]:
    """Log10 of long side, short side and pixel, all in µm."""
    if pixel_um is None or not math.isfinite(pixel_um) or pixel_um <= 0:
        return (math.nan, math.nan, math.nan)
    long, short = max(height, width) * pixel_um, min(height, width) * pixel_um
    return math.log10(long), math.log10(short), math.log10(pixel_um * height / rows_now)


def resize_area(signal: NDArray[np.int16], rows: int, columns: int) -> NDArray[np.int16]:
    """Shrink (channels, h, w) to (channels, rows, columns) by area averages, exactly the same everywhere.

    Weights are integers that add up to 4096 for each output row; sums stay below 2**53, so that float64 is exact
    in any order of summation, and float32 in the first direction, if signals are below 4096.
    """
    small = int(signal.min()) > -4096 and int(signal.max()) < 4096
    tall = _shrink(signal.astype(np.float32 if small else np.float64), rows)
    total = _shrink(np.ascontiguousarray(tall.transpose(0, 2, 1), dtype=np.float64), columns).transpose(0, 2, 1)
    return np.floor(total / 4096.0**2 + 0.5).astype(np.int16)


def _shrink(signal: NDArray[Any], rows: int) -> NDArray[Any]:
    """Sum (channels, h, w) to (channels, rows, w), 4096-fold.

    The first rows of all output rows together, then the second ones, and so on. No matrix library with threads of its
    own is asked: for images as small as these its waiting costs more than the sums.
    """
    first, exact = _weights(signal.shape[1], rows)
    weights = exact.astype(signal.dtype)
    total: NDArray[Any] = signal[:, first] * weights[0][:, None]
    for step in range(1, len(weights)):
        total += signal[:, np.minimum(first + step, signal.shape[1] - 1)] * weights[step][:, None]
    return total


@functools.lru_cache(maxsize=1024)
def _weights(n: int, m: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """First input pixel (m,) of each of m output pixels, and how much of it and its next ones lies therein.

    Returns:
        First pixels (m,), and weights (k, m) in 4096ths: of the first pixel, of the second …, 0 where there is none.
    """
    edges = np.arange(m + 1, dtype=np.int64) * n  # in units of 1/m input pixel
    first = edges[:-1] // m
    pixel = first + np.arange(int((-(-edges[1:] // m) - first).max()))[:, None]
    inside = np.clip(np.minimum(edges[1:], (pixel + 1) * m) - edges[:-1], 0, None)  # up to the end of this pixel
    weights = np.diff(inside * 4096 // n, axis=0, prepend=0)  # the floor makes those of one output add up to 4096
    return first, weights.astype(np.float64)
