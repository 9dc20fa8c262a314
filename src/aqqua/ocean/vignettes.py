"""What processing software makes of a raw image: copies with scale bars and footers, of which the truth is known.

uvp6        EcoTaxa's computed vignette: gamma, inverted, a footer of 31 px with a hooked line and "2 mm"
zooprocess  a white margin, and below the object "1 mm" over a bar
bar         a bar without text in a white margin
text        a footer with text and no bar
overlay     bar and text written into the background of the image itself (CytoSense)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

__all__ = ["STYLES", "Style", "Vignette", "vignette"]

Style = Literal["uvp6", "zooprocess", "bar", "text", "overlay"]
STYLES: tuple[Style, ...] = get_args(Style)


@dataclass(frozen=True)
class Vignette:
    """A processed copy.

    Args:
        pixels: (h, w), uint8.
        picture: x0, y0, x1, y1 of the picture in it.
        ink_y: first row of the text or bar; a cut anywhere from the picture's end to here is right.
        bar_px: length of the bar, 0 without.
    """

    pixels: npt.NDArray[np.uint8]
    picture: tuple[int, int, int, int]
    ink_y: int
    bar_px: int


def vignette(pixels: npt.NDArray[Any], style: Style, *, bar_px: int = 40, gamma: float = 1.0) -> Vignette:
    """Make a copy of an image as processing software does.

    Args:
        pixels: of the raw image, (h, w) or (h, w, channels), uint8 or uint16.
        style: which software.
        bar_px: length of the bar.
        gamma: of the copy; 1: none.
    """
    gray = _eight_bits(pixels, gamma)
    if style == "uvp6":
        return _footer(255 - gray, bar_px, text="2 mm", paper=254)
    if style == "text":
        return _footer(gray, 0, text="cast 12  134 m", paper=0 if gray.mean() > 128 else 255)
    if style == "overlay":
        return _overlay(gray, bar_px)
    return _margin(gray, bar_px, text="1 mm" if style == "zooprocess" else "")


def _eight_bits(pixels: npt.NDArray[Any], gamma: float) -> npt.NDArray[np.uint8]:
    gray = pixels.mean(axis=2) if pixels.ndim == 3 else pixels.astype(np.float64)
    top = 255 if pixels.dtype == np.uint8 else 65_535
    return np.round((gray / top) ** (1 / gamma) * 255).astype(np.uint8)


def _footer(gray: npt.NDArray[np.uint8], bar_px: int, *, text: str, paper: int) -> Vignette:
    """A band of 31 px below, as wide as the bar needs."""
    height, width = gray.shape
    wide = max(width, bar_px + 10, 9 + int(_font().getlength(text)) + 2)
    sheet = Image.new("L", (wide, height + 31), paper)
    sheet.paste(Image.fromarray(gray))
    ink = 0 if paper > 128 else 255
    draw, bottom = ImageDraw.Draw(sheet), height + 31
    if bar_px:
        draw.line([(9, bottom - 6), (9, bottom - 4), (9 + bar_px, bottom - 4), (9 + bar_px, bottom - 2)], fill=ink)
    draw.text((10, bottom - 18), text, fill=ink, font=_font())
    return _finished(sheet, (0, 0, width, height), paper, bar_px + 1 if bar_px else 0)


def _margin(gray: npt.NDArray[np.uint8], bar_px: int, *, text: str) -> Vignette:
    """A white margin of 10 px, and a legend in it."""
    height, width = gray.shape
    wide = max(width + 20, bar_px + 20)
    sheet = Image.new("L", (wide, height + 20 + 24), 255)
    sheet.paste(Image.fromarray(gray), (10, 10))
    draw, bottom = ImageDraw.Draw(sheet), height + 44
    draw.rectangle([9, bottom - 6, 9 + bar_px - 1, bottom - 5], fill=0)
    draw.text((10, bottom - 19), text, fill=0, font=_font())
    return _finished(sheet, (10, 10, 10 + width, 10 + height), 255, bar_px)


def _overlay(gray: npt.NDArray[np.uint8], bar_px: int) -> Vignette:
    """Bar and text on more of the image's own background."""
    height, width = gray.shape
    edge = gray[-2:].ravel()
    rng = np.random.default_rng(len(edge))
    below = rng.choice(edge, size=(26, width)).astype(np.uint8)
    sheet = Image.fromarray(np.concatenate([gray, below]))
    ink = 0 if float(np.median(edge)) > 128 else 255
    draw, bottom = ImageDraw.Draw(sheet), height + 26
    length = min(bar_px, width - 12)
    draw.rectangle([5, bottom - 6, 5 + length - 1, bottom - 5], fill=ink)
    draw.text((5, bottom - 19), "50 µm", fill=ink, font=_font())
    pixels = np.array(sheet)
    rows = np.flatnonzero((pixels[height:] == ink).any(axis=1))
    return Vignette(pixels, (0, 0, width, height), height + int(rows[0]), length)


def _finished(sheet: Image.Image, picture: tuple[int, int, int, int], paper: int, bar_px: int) -> Vignette:
    pixels = np.array(sheet)
    end = picture[3]
    inked = np.flatnonzero((np.abs(pixels[end:].astype(int) - paper) > 40).any(axis=1))
    return Vignette(pixels, picture, end + int(inked[0]), bar_px)


@cache
def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The font that comes with Pillow, capitals about 7 px high."""
    return ImageFont.load_default(size=10)
