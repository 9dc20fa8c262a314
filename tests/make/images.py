"""Small images, as arrays and as files."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image


def random_image(rng: np.random.Generator, *, channels: int = 1, dtype: str = "uint8", side: int = 12) -> np.ndarray:
    """Noise of a random size, so that no two images are equal."""
    height, width = rng.integers(2, side, 2)
    shape = (height, width) if channels == 1 else (height, width, channels)
    return rng.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def as_file(pixels: np.ndarray, kind: str = "PNG", **options: object) -> bytes:
    """Encode an image (losslessly, unless the kind is JPEG)."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, kind, **options)
    return out.getvalue()
