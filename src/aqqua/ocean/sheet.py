"""A contact sheet: every taxon before every instrument that can see it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from aqqua.ocean.chance import Array, named_rng
from aqqua.ocean.instruments import INSTRUMENTS, Instrument
from aqqua.ocean.organisms import TAXA, Taxon, build
from aqqua.ocean.pictures import take_picture

__all__ = ["contact_sheet", "in_colour"]

_PAPER, _INK, _FAINT = (250, 250, 248), (30, 34, 40), (120, 126, 134)
_TITLE, _NAME = 34, 150


def contact_sheet(path: Path | str, *, seed: int = 0, cell_px: int = 150, each: int = 2) -> Path:
    """Draw every taxon before every instrument and save it as one picture.

    Args:
        path: of the picture (PNG, or JPEG by its suffix).
        seed: another seed, other organisms.
        cell_px: side of the square for one image; images are shrunk to fit, small ones enlarged up to four times.
        each: how many organisms per taxon and instrument.

    Returns:
        The path.
    """
    devices = list(INSTRUMENTS.values())
    width = _NAME + len(devices) * each * cell_px
    sheet = Image.new("RGB", (width, _TITLE + len(TAXA) * cell_px), _PAPER)
    pen = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=13)
    for column, device in enumerate(devices):
        x = _NAME + column * each * cell_px
        pen.text((x + 6, 9), f"{device.name} · {device.modality} · {device.pixel_um:.3g} um/px", _INK, font)
    for row, taxon in enumerate(TAXA.values()):
        y = _TITLE + row * cell_px
        pen.text((8, y + cell_px // 2 - 8), taxon.name.replace("<", " < "), _INK, font)
        pen.line((0, y, width, y), (225, 225, 222))
        for column, device in enumerate(devices):
            for number in range(each):
                x = _NAME + (column * each + number) * cell_px
                _cell(sheet, pen, taxon, device, seed, number, each, (x, y), cell_px)
    path = Path(path)
    sheet.save(path)
    return path


def _cell(
    sheet: Image.Image,
    pen: ImageDraw.ImageDraw,
    taxon: Taxon,
    device: Instrument,
    seed: int,
    number: int,
    each: int,
    corner: tuple[int, int],
    side: int,
) -> None:
    low = max(taxon.typical_um[0], device.smallest_um)
    high = min(taxon.typical_um[1], device.longest_um, 55 * device.pixel_um * 8)
    if low >= high:
        return
    share = (number + named_rng(seed, "sheet", taxon.name, device.key, number).random()) / each
    length = low * (high / low) ** share
    body = build(taxon.name, length, seed, "sheet", device.key, number)
    picture = take_picture(body, device, named_rng(seed, "sheet picture", taxon.name, device.key, number))
    image = Image.fromarray(in_colour(picture.pixels))
    room = side - 16
    factor = min(room / max(image.size), 4.0)
    size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
    resample = Image.Resampling.LANCZOS if factor < 1 else Image.Resampling.BICUBIC
    left, top = corner[0] + (side - size[0]) // 2, corner[1] + (side - size[1]) // 2 - 5
    sheet.paste(image.resize(size, resample), (left, top))
    text = f"{length:.0f} um" if length < 1000 else f"{length / 1000:.1f} mm"
    pen.text((corner[0] + side // 2, corner[1] + side - 13), text, _FAINT, ImageFont.load_default(size=10), anchor="ma")


def in_colour(pixels: npt.NDArray[np.uint8] | npt.NDArray[np.uint16]) -> npt.NDArray[np.uint8]:
    """An image for the eye: gray or RGB as it is; three fluorescence channels as gray, red and blue light.

    Args:
        pixels: (h, w) or (h, w, 3); 16-bit means bright field, chlorophyll, DNA.
    """
    if pixels.dtype == np.uint8:
        gray = pixels.astype(np.uint8)
        return np.repeat(gray[:, :, None], 3, axis=2) if gray.ndim == 2 else gray
    bright, chlorophyll, dna = np.moveaxis(pixels.astype(np.float32) / 65535, 2, 0)
    base = 0.4 * bright
    layers = [base + chlorophyll, base + 0.12 * chlorophyll + 0.25 * dna, base + dna]
    light: Array = np.clip(np.stack(layers, axis=2), 0, 1)
    return (255 * light).astype(np.uint8)
