"""Simple drawn shapes with known names, for trying the explorer without any data."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from PIL import Image, ImageDraw

__all__ = ["SHAPES", "draw"]

Draw = Callable[[ImageDraw.ImageDraw, np.random.Generator, float], None]


def _disc(canvas: ImageDraw.ImageDraw, rng: np.random.Generator, s: float) -> None:
    canvas.ellipse((s * 0.1, s * 0.1, s * 0.9, s * 0.9), fill=int(rng.integers(120, 200)))


def _ring(canvas: ImageDraw.ImageDraw, rng: np.random.Generator, s: float) -> None:
    canvas.ellipse((s * 0.1, s * 0.1, s * 0.9, s * 0.9), outline=220, width=max(2, int(s * rng.uniform(0.05, 0.12))))


def _rod(canvas: ImageDraw.ImageDraw, rng: np.random.Generator, s: float) -> None:
    canvas.rounded_rectangle((s * 0.05, s * 0.4, s * 0.95, s * 0.6), radius=s * 0.1, fill=int(rng.integers(150, 240)))


def _chain(canvas: ImageDraw.ImageDraw, rng: np.random.Generator, s: float) -> None:
    number = int(rng.integers(4, 8))
    for i in range(number):
        left = s * (0.05 + 0.9 * i / number)
        canvas.rectangle((left, s * 0.4, left + s * 0.8 / number, s * 0.6), outline=230, fill=110)


def _star(canvas: ImageDraw.ImageDraw, rng: np.random.Generator, s: float) -> None:
    arms = int(rng.integers(7, 14))
    for angle in np.linspace(0, 2 * np.pi, arms, endpoint=False):
        tip = (s * (0.5 + 0.45 * np.cos(angle)), s * (0.5 + 0.45 * np.sin(angle)))
        canvas.line((s / 2, s / 2, *tip), fill=200, width=max(1, int(s / 40)))
    canvas.ellipse((s * 0.35, s * 0.35, s * 0.65, s * 0.65), fill=230)


def _copepod(canvas: ImageDraw.ImageDraw, rng: np.random.Generator, s: float) -> None:
    canvas.ellipse((s * 0.3, s * 0.35, s * 0.8, s * 0.65), fill=180)
    canvas.line((s * 0.3, s * 0.5, s * 0.05, s * rng.uniform(0.4, 0.6)), fill=150, width=max(1, int(s / 30)))
    for side in (-1, 1):
        canvas.line((s * 0.78, s * 0.5, s * 0.6, s * (0.5 + side * 0.45)), fill=210, width=max(1, int(s / 50)))


def _thread(canvas: ImageDraw.ImageDraw, rng: np.random.Generator, s: float) -> None:
    x = np.linspace(0.05, 0.95, 24)
    y = 0.5 + np.cumsum(rng.normal(0, 0.03, 24))
    canvas.line([(float(s * a), float(s * b)) for a, b in zip(x, y, strict=True)], fill=190, width=max(1, int(s / 40)))


def _snow(canvas: ImageDraw.ImageDraw, rng: np.random.Generator, s: float) -> None:
    for x, y, r in np.abs(rng.normal((0.5, 0.5, 0.08), (0.13, 0.13, 0.03), (40, 3))):
        canvas.ellipse((s * (x - r), s * (y - r), s * (x + r), s * (y + r)), fill=int(rng.integers(60, 140)))


SHAPES: Mapping[str, Draw] = {
    "Calanoida": _copepod,
    "Foraminifera": _disc,
    "Coscinodiscus": _ring,
    "Chaetognatha": _rod,
    "Chaetoceros": _chain,
    "Radiolaria": _star,
    "Trichodesmium": _thread,
    "marine snow": _snow,
}


def draw(name: str, rng: np.random.Generator, kind: str = "grey") -> np.ndarray:
    """One image of a shape, turned at random.

    Args:
        name: a key of `SHAPES`.
        rng: where chance comes from.
        kind: "grey" (dark field), "bright" (bright field RGB), "deep" (16 bit) or "channels" (two channels).

    Returns:
        Pixels, (h, w) or (h, w, channels).
    """
    side = int(rng.integers(32, 160))
    image = Image.new("L", (side, side), 0)
    SHAPES[name](ImageDraw.Draw(image), rng, float(side))
    image = image.rotate(float(rng.uniform(0, 360)), expand=True, fillcolor=0)
    box = image.getbbox() or (0, 0, side, side)
    pixels = np.pad(np.asarray(image.crop(box), np.float32), 4) + rng.normal(12, 4, 1)
    pixels = np.clip(pixels + rng.normal(0, 5, pixels.shape), 0, 255)
    if kind == "bright":
        return np.asarray(np.stack([245 - pixels * tint for tint in (0.9, 0.7, 0.8)], axis=2).clip(0, 255), np.uint8)
    if kind == "deep":
        return np.asarray(pixels * 180 + 300, np.uint16)
    if kind == "channels":
        return np.asarray(np.stack([pixels, np.roll(pixels, 2, axis=0) * (pixels > 100)], axis=2), np.uint8)
    return np.asarray(pixels, np.uint8)
