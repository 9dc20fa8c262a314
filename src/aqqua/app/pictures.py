"""Pixels as a browser shows them. Scaling is for the eye only; `raw_png` gives the pixels as they are."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

from aqqua.errors import ConfigError, UnknownNameError

__all__ = ["CELL", "GRID", "display_png", "raw_png", "sprite_jpeg", "thumb_jpeg"]

CELL = 96
GRID = 8
_COLOURS = ("#ffffff", "#00e5ff", "#ff3dcb", "#ffe600", "#3dff6e", "#ff6a3d", "#8f7bff")
"""Of channels that are no colours themselves, as fluorescence: the first in white, others in colours that add up."""


def names_of(channel_names: str | None, channels: int) -> list[str]:
    """Names of the channels of an image; their numbers if they have none."""
    names = [name.strip() for name in (channel_names or "").split(",")]
    return names if len(names) == channels and all(names) else [str(i) for i in range(channels)]


def one_channel(pixels: np.ndarray, names: Sequence[str], channel: str) -> np.ndarray:
    """One channel, by name or number.

    Raises:
        UnknownNameError: there is no such channel; the message names those there are.
    """
    if pixels.ndim == 2:
        pixels = pixels[:, :, None]
    if channel in names:
        return np.ascontiguousarray(pixels[:, :, names.index(channel)])
    if channel.isascii() and channel.isdecimal() and len(channel) < 4 and int(channel) < pixels.shape[2]:
        return np.ascontiguousarray(pixels[:, :, int(channel)])
    raise UnknownNameError("channel", channel, names)


def viewable(pixels: np.ndarray, channel_names: str | None = None, channel: str | None = None) -> np.ndarray:
    """Any image as 8-bit grey (h, w) or colour (h, w, 3).

    16 bit are scaled between the 0.1st and 99.9th percentile; channels that are no colours are laid over each other.
    """
    names = names_of(channel_names, 1 if pixels.ndim == 2 else pixels.shape[2])
    if channel is not None:
        return _eight_bit(one_channel(pixels, names, channel))
    if pixels.ndim == 2 or pixels.shape[2] == 1:
        return _eight_bit(pixels.reshape(pixels.shape[:2]))
    if pixels.shape[2] == 3 and (channel_names is None or [n[:1].lower() for n in names] == ["r", "g", "b"]):
        return _eight_bit(pixels)
    return _overlay(pixels)


def _eight_bit(pixels: np.ndarray) -> np.ndarray:
    if pixels.dtype == np.uint8:
        return pixels
    low, high = np.percentile(pixels, [0.1, 99.9]) if pixels.size else (0, 1)
    scaled = np.clip((pixels.astype(np.float32) - low) / max(high - low, 1), 0, 1)
    return np.asarray(np.rint(scaled * 255), np.uint8)


def _overlay(pixels: np.ndarray) -> np.ndarray:
    out = np.zeros((*pixels.shape[:2], 3), np.float32)
    for i in range(pixels.shape[2]):
        colour = _COLOURS[i % len(_COLOURS)]
        rgb = np.array([int(colour[j : j + 2], 16) for j in (1, 3, 5)], np.float32) / 255
        out += _eight_bit(np.ascontiguousarray(pixels[:, :, i])).astype(np.float32)[:, :, None] * rgb
    return np.asarray(np.clip(out, 0, 255), np.uint8)


def display_png(pixels: np.ndarray, channel_names: str | None = None, channel: str | None = None) -> bytes:
    """An image for the eye, as 8-bit PNG."""
    return _encode(Image.fromarray(viewable(pixels, channel_names, channel)), "PNG", compress_level=1)


def raw_png(pixels: np.ndarray, channel_names: str | None = None, channel: str | None = None) -> bytes:
    """The very pixels, as PNG of 8 or 16 bit.

    Raises:
        ConfigError: PNG cannot hold all channels of this image at once.
    """
    names = names_of(channel_names, 1 if pixels.ndim == 2 else pixels.shape[2])
    if channel is not None:
        pixels = one_channel(pixels, names, channel)
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    if pixels.ndim == 3 and (pixels.dtype != np.uint8 or pixels.shape[2] > 4):
        raise ConfigError("a PNG cannot hold all channels of this image", do=f"add &channel={names[0]}")
    return _encode(Image.fromarray(np.ascontiguousarray(pixels)), "PNG", compress_level=1)


def thumb(pixels: np.ndarray, channel_names: str | None = None) -> Image.Image:
    """An image of at most 96 pixels a side; smaller ones stay as they are."""
    image = Image.fromarray(viewable(pixels, channel_names))
    image.thumbnail((CELL, CELL), Image.Resampling.BOX, reducing_gap=None)
    return image


def thumb_jpeg(pixels: np.ndarray, channel_names: str | None = None) -> bytes:
    """A thumbnail as JPEG."""
    return _encode(thumb(pixels, channel_names), "JPEG", quality=82)


def sprite_jpeg(images: Sequence[tuple[np.ndarray, str | None]]) -> bytes:
    """Up to 64 thumbnails, each in the middle of its cell of 96 × 96 pixels, 8 in a row, filled row by row.

    Args:
        images: pixels and channel names of each; the rest of a cell has the colour of the image's border.
    """
    small = [thumb(pixels, names) for pixels, names in images]
    mode = "L" if all(image.mode == "L" for image in small) else "RGB"
    rows = max(1, -(-len(small) // GRID))
    sheet = Image.new(mode, (GRID * CELL, rows * CELL))
    for i, image in enumerate(small):
        left, top = i % GRID * CELL, i // GRID * CELL
        sheet.paste(_border_colour(image.convert(mode)), (left, top, left + CELL, top + CELL))
        sheet.paste(image, (left + (CELL - image.width) // 2, top + (CELL - image.height) // 2))
    return _encode(sheet, "JPEG", quality=82)


def _border_colour(image: Image.Image) -> int | tuple[int, ...]:
    pixels = np.asarray(image)
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    colour = np.median(border, axis=0).astype(int)
    return int(colour) if colour.ndim == 0 else tuple(int(c) for c in colour)


def _encode(image: Image.Image, kind: str, **options: int) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()
