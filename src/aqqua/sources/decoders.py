"""The two usual kinds of image file, decoded without detours: plain PNG, and JPEG with one or three channels.

Pillow's own way of opening a file (guess the kind, read all that is in the header, set up, copy twice) takes longer
than decoding a small image. Here the header is read by hand as far as it matters, and the decoder inside Pillow is
called on the rest as `Image.frombytes` and `tobytes` call it; the pixels are the same. Whatever is not plain, or not
whole, is left to `aqqua.sources.pixels`, which then also knows what to say about it.
"""

from __future__ import annotations

import contextlib
import struct
import zlib
from importlib import import_module
from typing import Any

import numpy as np

__all__ = ["decode_plain"]

_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
_CHUNK = struct.Struct(">I4s")
_IHDR = struct.Struct(">IIBBBBB")
_CRC_BYTES = 4
_PNG_KINDS = {(8, 0): ("L", "L"), (8, 2): ("RGB", "RGB"), (16, 0): ("I;16", "I;16B")}
"""(bits, colour type of the PNG specification) → mode of Pillow, order of the bytes in the file."""
_CHANGES_PIXELS = {b"tRNS", b"acTL", b"PLTE"}  # transparency, animation, palette

_SOF = struct.Struct(">HBHHB")  # markers: ITU-T T.81, table B.1
_FRAMES = {0xC0, 0xC1, 0xC2}  # baseline, extended, progressive
_BEFORE_FRAME = {0xC4, 0xDB, 0xDD, *range(0xE0, 0xF0), 0xFE}  # tables, restarts, applications, comments
_JPEG_MODES = {1: "L", 3: "RGB"}

_pillow: Any = None  # Pillow's decoders without its objects; a Pillow that has them elsewhere: the careful way for all
with contextlib.suppress(ImportError):
    _pillow = import_module("PIL._imaging")

_BYTES = {"L": 1, "RGB": 3, "I;16": 2}
_MAX_PIXELS = 1 << 26
"""Larger ones go the careful way."""


def decode_plain(data: bytes) -> np.ndarray | None:
    """The pixels of a plain PNG or JPEG file, or None if it is not one, or not whole.

    Args:
        data: the content of the file.

    Returns:
        (height, width) or (height, width, 3), uint8 or uint16.
    """
    try:
        if data.startswith(_PNG):
            return _png(data)
        if data.startswith(_JPEG):
            return _jpeg(data)
    except (struct.error, ValueError, OSError, MemoryError, SyntaxError):  # what Pillow's decoders raise
        return None
    except (AttributeError, TypeError):  # another Pillow, whose inside is otherwise
        return None
    return None


def _png(data: bytes) -> np.ndarray | None:
    mode, scan, size, at, packed = "", "", (0, 0), len(_PNG), []
    while True:
        length, name = _CHUNK.unpack_from(data, at)
        begin, end = at + _CHUNK.size, at + _CHUNK.size + length
        if int.from_bytes(data[end : end + _CRC_BYTES], "big") != zlib.crc32(data[at + 4 : end]):
            return None
        if name == b"IDAT":
            packed.append(data[begin:end])
        elif name == b"IHDR" and at == len(_PNG):
            *size_, bits, colour, compression, filters, interlace = _IHDR.unpack_from(data, begin)
            if (bits, colour) not in _PNG_KINDS or compression or filters or interlace:
                return None
            (mode, scan), size = _PNG_KINDS[bits, colour], (size_[0], size_[1])
        elif name == b"IEND":
            break
        elif name in _CHANGES_PIXELS or packed or name[0] < ord("a"):
            return None
        at = end + _CRC_BYTES
    return _decoded(mode, size, packed[0] if len(packed) == 1 else b"".join(packed), "zip", scan)


def _jpeg(data: bytes) -> np.ndarray | None:
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if marker in _FRAMES:
            _, bits, height, width, components = _SOF.unpack_from(data, at + 2)
            if bits != 8 or components not in _JPEG_MODES:
                return None
            mode = _JPEG_MODES[components]
            return _decoded(mode, (width, height), data, "jpeg", mode, "")
        if marker not in _BEFORE_FRAME or length < 2:
            return None
        at += 2 + length
    return None


def _decoded(mode: str, size: tuple[int, int], data: bytes, decoder: str, *arguments: str) -> np.ndarray | None:
    width, height = size
    if not mode or not data or not 0 < width * height <= _MAX_PIXELS:
        return None
    box, nbytes = (0, 0, width, height), width * height * _BYTES[mode]
    image = _pillow.new(mode, size)
    reader = getattr(_pillow, f"{decoder}_decoder")(mode, *arguments)
    reader.setimage(image, box)
    left, failed = reader.decode(data)
    if left >= 0 or failed:  # there should be more to come, or it cannot be decoded
        return None
    writer = _pillow.raw_encoder(mode, mode, 0, 1)
    writer.setimage(image, box)
    _, done, content = writer.encode(nbytes)
    if done != 1 or len(content) != nbytes:
        return None
    samples = np.frombuffer(content, np.uint8)
    if mode == "I;16":
        return samples.view("<u2").astype(np.uint16).reshape(height, width)
    return samples.copy().reshape((height, width) if mode == "L" else (height, width, 3))
