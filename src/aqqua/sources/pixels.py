"""Image files → arrays, bit for bit: nothing is rescaled, turned or guessed.

What cannot be kept exactly (floating point, 32 bits, several frames) is refused with a reason, not reduced. The pages
of a TIFF are its channels only where the file itself says so (ImageJ, OME, a name for each page).
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass

import numpy as np
from PIL import Image, UnidentifiedImageError

from aqqua.errors import SourceError
from aqqua.sources.decoders import decode_plain
from aqqua.sources.png16 import decode_png16
from aqqua.sources.tiff import read_tiff

__all__ = ["IMAGE_SUFFIXES", "MAX_SIDE", "Picture", "decode_image", "decode_picture"]

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".pgm", ".ppm"})
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "PPM")
MAX_SIDE = 65_535
"""Longest side in pixels that the dataset format can hold (spec of the value trailer: u16)."""
_SIXTEEN_BIT = {"I;16", "I;16L", "I;16B"}
_TIFF_BITS_PER_SAMPLE = 258
_BIG_MM = b"MM\0+"  # BigTIFF, high byte first: Pillow does not read it
_PNG_BIT_DEPTH = 24  # offset of IHDR's bit depth in a PNG file (PNG specification, 11.2.2)


_COLOURS = {"RGB": "r,g,b", "RGBA": "r,g,b,a", "LA": "gray,a"}


@dataclass(frozen=True)
class Picture:
    """Pixels, and the names of their channels, comma separated, where there are several and they have names."""

    pixels: np.ndarray
    channel_names: str | None = None


def decode_image(data: bytes, where: str) -> np.ndarray:
    """Decode one image file to its pixels; see `decode_picture`."""
    return decode_picture(data, where).pixels


def decode_picture(data: bytes, where: str) -> Picture:
    """Decode one image file.

    8-bit and 16-bit gray stay as they are; 1-bit becomes 0 and 255; a palette becomes the colours it stands for (gray
    if all of them are); alpha is dropped only where the whole image is opaque. EXIF orientation is left alone.

    Args:
        data: the content of the file.
        where: what to call it in an error.

    Returns:
        Pixels: (height, width) or (height, width, channels), uint8 or uint16.

    Raises:
        SourceError: the file is damaged, is no image, or cannot be kept exactly.
    """
    if not data:
        raise SourceError("the image file is empty", where=where, do="export this image again")
    if (plain := decode_plain(data)) is not None:
        return Picture(plain, _COLOURS["RGB"] if plain.ndim == 3 else None)
    if (special := _special(data, where)) is not None:
        return special
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            warnings.simplefilter("ignore", UserWarning)  # odd EXIF or TIFF tags say nothing about pixels
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                _refuse_what_would_be_reduced(image, data, where)
                picture = _pages(image, data, where) if _frames(image) > 1 else _picture(image, where)
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
    return picture


def _refuse_what_would_be_reduced(image: Image.Image, data: bytes, where: str) -> None:
    if max(image.size) > MAX_SIDE or min(image.size) < 1:
        raise SourceError(
            f"{image.size[0]}×{image.size[1]} pixels cannot be stored", where=where, do="cut it into ROIs"
        )
    frames = _frames(image)
    if frames > 1 and frames != _declared_channels(data):
        do = "save each image in a file of its own, or channels as ImageJ does (channels=… in the description)"
        raise SourceError(f"the file holds {frames} images", where=where, do=do)
    depth = _bits_per_sample(image, data)
    if depth > 8 and image.mode not in _SIXTEEN_BIT | {"I", "F"}:
        raise SourceError(f"{depth}-bit colour cannot be kept exactly", where=where, do="save channels as 16-bit gray")


def _frames(image: Image.Image) -> int:
    """Number of images in the file; the second one of a phone's JPEG is a preview."""
    return 1 if image.format == "MPO" else getattr(image, "n_frames", 1)


def _declared_channels(data: bytes) -> int | None:
    """How many pages are channels, by what the file says; else None."""
    tiff = read_tiff(data)
    return tiff.declared() if tiff else None


def _special(data: bytes, where: str) -> Picture | None:
    """A file that Pillow would reduce or refuse, though it can be kept exactly; None for any other."""
    try:
        return _many_channels(data) or _deep_png(data)
    except SourceError as error:
        raise SourceError(error.what, where=where, do=error.do) from error


def _many_channels(data: bytes) -> Picture | None:
    """A TIFF that Pillow would reduce or refuse (many channels, 16-bit colour), or None if it is no such file."""
    tiff = read_tiff(data)
    if tiff is None or (tiff.is_plain and not tiff.only_first_has_page() and not data.startswith(_BIG_MM)):
        return None
    if max(tiff.pages[0].shape[:2]) > MAX_SIDE or (len(tiff.pages) > 1 and tiff.declared() is None):
        return None  # what is wrong is told below
    pixels = tiff.decode()
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    return Picture(pixels, tiff.channel_names(channels) or (_COLOURS["RGB"] if channels == 3 else None))


def _deep_png(data: bytes) -> Picture | None:
    """A PNG of 16-bit colour or gray with transparency, or None if it is no such file."""
    pixels = decode_png16(data)
    if pixels is None:
        return None
    return Picture(pixels, _COLOURS["RGB"]) if pixels.shape[2] == 3 else _without_opaque_alpha(pixels)


def _pages(image: Image.Image, data: bytes, where: str) -> Picture:
    """The pages of a file as the channels of one image."""
    pages: list[np.ndarray] = []
    for number in range(_frames(image)):
        image.seek(number)
        page = _picture(image, where).pixels
        if page.ndim != 2 or (pages and (page.shape, page.dtype) != (pages[0].shape, pages[0].dtype)):
            raise SourceError("the channels differ in size or kind", where=where, do="save all channels alike, in gray")
        pages.append(page)
    tiff = read_tiff(data)
    return Picture(np.stack(pages, axis=-1), tiff.channel_names(len(pages)) if tiff else None)


def _bits_per_sample(image: Image.Image, data: bytes) -> int:
    if image.format == "PNG":
        return data[_PNG_BIT_DEPTH]
    if image.format == "TIFF":
        bits = getattr(image, "tag_v2", {}).get(_TIFF_BITS_PER_SAMPLE, 8)
        return max(bits) if isinstance(bits, tuple) else int(bits)
    return 8


def _picture(image: Image.Image, where: str) -> Picture:
    if "transparency" in image.info and image.mode in {"L", "RGB", "P", "1"}:
        image = image.convert("RGBA" if image.mode in {"RGB", "P"} else "LA")
    elif image.mode in {"P", "PA"}:
        image = image.convert("RGBA" if image.mode == "PA" else _palette_mode(image))
    if image.mode == "1":
        image = image.convert("L")
    if image.mode in _SIXTEEN_BIT:
        return Picture(np.array(image).astype(np.uint16))
    if image.mode in {"L", "RGB"}:
        return Picture(np.array(image), _COLOURS.get(image.mode))
    if image.mode in {"LA", "RGBA"}:
        return _without_opaque_alpha(np.array(image))
    if image.mode == "I":
        return Picture(_as_uint16(np.array(image), where))
    raise SourceError(
        f"images of kind {image.mode!r} are not stored", where=where, do="save as 8- or 16-bit gray or RGB"
    )


def _palette_mode(image: Image.Image) -> str:
    palette = np.array(image.getpalette("RGB") or [0], np.uint8).reshape(-1, 3 if image.palette else 1)
    return "L" if (palette == palette[:, :1]).all() else "RGB"


def _without_opaque_alpha(pixels: np.ndarray) -> Picture:
    gray = pixels.shape[2] == 2
    if (pixels[..., -1] != np.iinfo(pixels.dtype).max).any():
        return Picture(pixels, _COLOURS["LA" if gray else "RGBA"])
    if gray:
        return Picture(np.ascontiguousarray(pixels[..., 0]))
    return Picture(np.ascontiguousarray(pixels[..., :3]), _COLOURS["RGB"])


def _as_uint16(pixels: np.ndarray, where: str) -> np.ndarray:
    if pixels.min() < 0 or pixels.max() > np.iinfo(np.uint16).max:
        raise SourceError("32-bit values do not fit into 16 bits", where=where, do="save as 16-bit gray")
    return pixels.astype(np.uint16)
