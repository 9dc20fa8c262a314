"""Image files → arrays, bit for bit: nothing is rescaled, turned or guessed.

What cannot be kept exactly (16-bit colour, floating point, several frames) is refused with a reason, not reduced.
"""

from __future__ import annotations

import io
import warnings

import numpy as np
from PIL import Image, UnidentifiedImageError

from aqqua.errors import SourceError

__all__ = ["IMAGE_SUFFIXES", "MAX_SIDE", "decode_image"]

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".pgm", ".ppm"})
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "PPM")
MAX_SIDE = 65_535
"""Longest side in pixels that the dataset format can hold (spec of the value trailer: u16)."""
_SIXTEEN_BIT = {"I;16", "I;16L", "I;16B"}
_TIFF_BITS_PER_SAMPLE = 258
_PNG_BIT_DEPTH = 24  # offset of IHDR's bit depth in a PNG file (PNG specification, 11.2.2)


def decode_image(data: bytes, where: str) -> np.ndarray:
    """Decode one image file.

    8-bit and 16-bit gray stay as they are; 1-bit becomes 0 and 255; a palette becomes the colours it stands for (gray
    if all of them are); alpha is dropped only where the whole image is opaque. EXIF orientation is left alone.

    Args:
        data: the content of the file.
        where: what to call it in an error.

    Returns:
        (height, width) or (height, width, channels), uint8 or uint16.

    Raises:
        SourceError: the file is damaged, is no image, or cannot be kept exactly.
    """
    if not data:
        raise SourceError("the image file is empty", where=where, do="export this image again")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            warnings.simplefilter("ignore", UserWarning)  # odd EXIF or TIFF tags say nothing about pixels
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                _refuse_what_would_be_reduced(image, data, where)
                pixels = _pixels(image, where)
    except SourceError:
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise SourceError(f"the image is too large: {error}", where=where, do="cut it into ROIs") from error
    except UnidentifiedImageError as error:
        raise SourceError(
            "not an image of a known format (PNG, JPEG, GIF, BMP, TIFF, PPM)", where=where, do="export it as PNG"
        ) from error
    except Exception as error:  # decoders given damaged files raise almost anything
        raise SourceError(f"the image file is damaged: {error}", where=where, do="export this image again") from error
    return pixels


def _refuse_what_would_be_reduced(image: Image.Image, data: bytes, where: str) -> None:
    if max(image.size) > MAX_SIDE or min(image.size) < 1:
        raise SourceError(
            f"{image.size[0]}×{image.size[1]} pixels cannot be stored", where=where, do="cut it into ROIs"
        )
    frames = getattr(image, "n_frames", 1)
    if frames > 1 and image.format != "MPO":
        raise SourceError(f"the file holds {frames} images", where=where, do="save each image in a file of its own")
    depth = _bits_per_sample(image, data)
    if depth > 8 and image.mode not in _SIXTEEN_BIT | {"I", "F"}:
        raise SourceError(f"{depth}-bit colour cannot be kept exactly", where=where, do="save channels as 16-bit gray")


def _bits_per_sample(image: Image.Image, data: bytes) -> int:
    if image.format == "PNG":
        return data[_PNG_BIT_DEPTH]
    if image.format == "TIFF":
        bits = getattr(image, "tag_v2", {}).get(_TIFF_BITS_PER_SAMPLE, 8)
        return max(bits) if isinstance(bits, tuple) else int(bits)
    return 8


def _pixels(image: Image.Image, where: str) -> np.ndarray:
    if "transparency" in image.info and image.mode in {"L", "RGB", "P", "1"}:
        image = image.convert("RGBA" if image.mode in {"RGB", "P"} else "LA")
    elif image.mode in {"P", "PA"}:
        image = image.convert("RGBA" if image.mode == "PA" else _palette_mode(image))
    if image.mode == "1":
        image = image.convert("L")
    if image.mode in _SIXTEEN_BIT:
        return np.array(image).astype(np.uint16)
    if image.mode in {"L", "RGB"}:
        return np.array(image)
    if image.mode in {"LA", "RGBA"}:
        return _without_opaque_alpha(np.array(image))
    if image.mode == "I":
        return _as_uint16(np.array(image), where)
    raise SourceError(
        f"images of kind {image.mode!r} are not stored", where=where, do="save as 8- or 16-bit gray or RGB"
    )


def _palette_mode(image: Image.Image) -> str:
    palette = np.array(image.getpalette("RGB") or [0], np.uint8).reshape(-1, 3 if image.palette else 1)
    return "L" if (palette == palette[:, :1]).all() else "RGB"


def _without_opaque_alpha(pixels: np.ndarray) -> np.ndarray:
    if (pixels[..., -1] != 255).any():
        return pixels
    return np.ascontiguousarray(pixels[..., 0] if pixels.shape[2] == 2 else pixels[..., :3])


def _as_uint16(pixels: np.ndarray, where: str) -> np.ndarray:
    if pixels.min() < 0 or pixels.max() > np.iinfo(np.uint16).max:
        raise SourceError("32-bit values do not fit into 16 bits", where=where, do="save as 16-bit gray")
    return pixels.astype(np.uint16)
