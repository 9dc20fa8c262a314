"""Packages of the UVP6: zips inside; an image is shown as a vignette with a footer, its original hidden at rank 100."""

from __future__ import annotations

import io
import zipfile

import numpy as np
from PIL import Image

from tests.ecotaxa_double.state import png

__all__ = ["FOOTER_PX", "expand_vignettes", "vignette"]

FOOTER_PX = 31


def expand_vignettes(files: dict[str, bytes]) -> dict[str, bytes]:
    """Unpack `…Images.zip` beside the rest."""
    found: dict[str, bytes] = {}
    for name, data in files.items():
        if not name.endswith("Images.zip"):
            found[name] = data
            continue
        folder = name.removesuffix(".zip")
        with zipfile.ZipFile(io.BytesIO(data)) as inner:
            files_inside = [member for member in inner.namelist() if not member.endswith("/")]
            found |= {f"{folder}/{member}": inner.read(member) for member in files_inside}
    return found


def vignette(data: bytes) -> bytes:
    """Inverted, with a footer for the scale bar."""
    with Image.open(io.BytesIO(data)) as image:
        pixels = np.asarray(image.convert("L"))
    footer = np.full((FOOTER_PX, pixels.shape[1]), 255, np.uint8)
    return png(np.vstack([255 - pixels, footer]))
