"""Pixels → images that EcoTaxa takes: PNG, 8-bit gray or RGB, or 16-bit gray; what does not fit is split or scaled."""

from __future__ import annotations

import io
from typing import Literal

import numpy as np

__all__ = ["SixteenBit", "encode_png", "planes", "scale_to_8_bit"]

SixteenBit = Literal["keep", "convert"]
_RGB = {"r", "g", "b", "red", "green", "blue"}


def planes(channels: int, dtype: str, channel_names: str | None, sixteen_bit: SixteenBit = "keep") -> list[str]:
    """Names of the files that an image becomes.

    One, "", if it stays whole: gray, or 8-bit RGB. Else a gray image per channel, shown by EcoTaxa as the object's
    images one after the other: fluorescence channels are no colours, and a PNG holds no 16-bit colour that all read.

    Args:
        channels: number of channels.
        dtype: "uint8" or "uint16".
        channel_names: names separated by commas, if there are any.
        sixteen_bit: whether 16-bit images are converted to 8 bits.
    """
    names = [name.strip() for name in (channel_names or "").split(",") if name.strip()]
    is_colour = channels == 3 and (not names or {name.lower() for name in names} <= _RGB)
    if channels == 1 or (is_colour and (dtype == "uint8" or sixteen_bit == "convert")):
        return [""]
    return names if len(set(names)) == channels else [f"channel {k}" for k in range(channels)]


def scale_to_8_bit(pixels: np.ndarray) -> tuple[np.ndarray, float]:
    """Scale 16-bit pixels to 8 bits, and say the factor that scales them back (approximately).

    Args:
        pixels: (height, width) or (height, width, channels), uint16.

    Returns:
        uint8 pixels, and the number of 16-bit steps per 8-bit step, at least 1.
    """
    factor = max(1.0, float(pixels.max(initial=0)) / 255)
    return np.clip(np.rint(pixels / factor), 0, 255).astype(np.uint8), factor


def encode_png(pixels: np.ndarray) -> bytes:
    """Encode (height, width) uint8 or uint16, or (height, width, 3) uint8, without loss."""
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(out, "PNG", compress_level=6)
    return out.getvalue()
