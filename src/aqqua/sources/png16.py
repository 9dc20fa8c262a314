"""PNG files of 16-bit colour, or 16-bit gray with transparency, which Pillow would reduce to 8 bits."""

from __future__ import annotations

import struct
import zlib

import numpy as np

from aqqua.errors import SourceError

__all__ = ["decode_png16"]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_SAMPLES = {2: 3, 4: 2, 6: 4}  # colour types with several samples (PNG specification, 11.2.1)
_MAX_BYTES = 1 << 29


def decode_png16(data: bytes) -> np.ndarray | None:
    """The pixels: uint16 (height, width, 2 to 4); None for any other file.

    Interlaced files, and those where one colour means transparent, are other files here.

    Raises:
        SourceError: the file is damaged, or too large.
    """
    if not data.startswith(_SIGNATURE) or len(data) < 33:
        return None
    width, height, depth, colour, _, _, interlaced = struct.unpack_from(">IIBBBBB", data, 16)
    samples = _SAMPLES.get(colour)
    if depth != 16 or samples is None or interlaced or b"tRNS" in data[: data.find(b"IDAT")]:
        return None
    stride = 2 * samples * width
    if not width or not height or height * (stride + 1) > _MAX_BYTES:
        raise SourceError(f"{width}×{height} pixels cannot be stored", do="cut it into ROIs")
    try:
        packed = b"".join(_packed(data))
        lines = zlib.decompressobj().decompress(packed, height * (stride + 1))
    except (zlib.error, struct.error) as error:
        raise SourceError(f"the image file is damaged: {error}", do="export this image again") from error
    if len(lines) < height * (stride + 1):
        raise SourceError("the image file is damaged: it is cut off", do="export this image again")
    rows = np.frombuffer(lines, np.uint8).reshape(height, stride + 1)
    flat = _unfiltered(rows, 2 * samples)
    return flat.view(">u2").astype(np.uint16).reshape(height, width, samples)


def _packed(data: bytes) -> list[bytes]:
    """The contents of all IDAT chunks."""
    found, at = [], len(_SIGNATURE)
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind == b"IDAT":
            found.append(data[at + 8 : at + 8 + length])
        if kind == b"IEND":
            break
        at += length + 12
    return found


def _unfiltered(rows: np.ndarray, step: int) -> np.ndarray:
    """Undo the filter of each line (PNG specification, 9.2): none, left, above, their mean, Paeth.

    Args:
        rows: uint8 (height, 1 + bytes of a line); the first byte names the filter.
        step: bytes per pixel.
    """
    height, stride = rows.shape[0], rows.shape[1] - 1
    whole = np.zeros((height + 1, stride), np.uint8)  # above the first line is nothing
    for number in range(height):
        kind, line, above = int(rows[number, 0]), rows[number, 1:], whole[number]
        if kind == 0:
            whole[number + 1] = line
        elif kind == 1:
            whole[number + 1] = np.cumsum(line.reshape(-1, step), axis=0, dtype=np.uint8).ravel()
        elif kind == 2:
            whole[number + 1] = line + above
        elif kind in {3, 4}:
            whole[number + 1] = _by_pixel(kind, line.tolist(), above.tolist(), step)
        else:
            raise SourceError(f"the image file is damaged: there is no filter {kind}", do="export this image again")
    return np.ascontiguousarray(whole[1:])


def _by_pixel(kind: int, line: list[int], above: list[int], step: int) -> list[int]:
    """Mean (3) and Paeth (4), which need the byte to the left first."""
    out = [0] * len(line)
    for at, value in enumerate(line):
        left = out[at - step] if at >= step else 0
        up = above[at]
        if kind == 3:
            guess = (left + up) >> 1
        else:
            corner = above[at - step] if at >= step else 0
            to_left, to_up, to_corner = abs(up - corner), abs(left - corner), abs(left + up - 2 * corner)
            guess = left if to_left <= to_up and to_left <= to_corner else up if to_up <= to_corner else corner
        out[at] = (value + guess) & 255
    return out
