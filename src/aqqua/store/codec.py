"""One image as one value: a blosc2 chunk and a 16-byte trailer that says what the pixels are.

    value   = chunk ‖ trailer
    trailer = "AQ" ‖ version u8 ‖ kind u8 ‖ height u16 ‖ width u16 ‖ xxh3_64 of the chunk      (little endian)
    kind    = channels (bits 0–5) + 64 · log2(bytes per sample) (bits 6–7)

Any blosc2 library reads the chunk as it is; `aqqua.store.deflate` says how we write it, `aqqua.store.chunk` how we
read it.
"""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

import numpy as np
import xxhash

from aqqua.errors import FormatError
from aqqua.store.chunk import HEADER_BYTES, MAX_IMAGE_BYTES, damaged, inflate
from aqqua.store.deflate import deflate
from aqqua.store.quick import quick

__all__ = ["MAX_IMAGE_BYTES", "Record", "check_value", "decode", "encode", "pixel_hash", "record"]

MAX_SIDE_PX = 65_535
MAX_CHANNELS = 63

_TRAILER = struct.Struct("<2sBBHHQ")
_SHAPE = struct.Struct("<HHBB")
_SMALL_BYTES = 1 << 15
"""Below this a copy costs less than hashing in two steps."""
_MAGIC, _VERSION = b"AQ", 1
_BYTE = np.dtype(np.uint8)
_CFRAME = b"\x9e\xa8b2frame\x00"


class Record(NamedTuple):
    """One image encoded, and what its row in Converted Metadata says of its pixels."""

    value: bytes
    height: int
    width: int
    channels: int
    dtype: str
    nbytes: int
    xxh3: int


def record(pixels: np.ndarray) -> Record:
    """Encode one image, as `encode` does, and tell its shape, type and hash.

    Raises:
        FormatError: see `encode`.
    """
    pixels, channels = _canonical(pixels)
    height, width = pixels.shape[:2]
    dtype = "uint8" if pixels.itemsize == 1 else "uint16"
    return Record(_value(pixels, channels), height, width, channels, dtype, pixels.nbytes, _digest(pixels, channels))


def encode(pixels: np.ndarray) -> bytes:
    """The value of one image.

    Args:
        pixels: (height, width) or (height, width, channels), uint8 or uint16, up to 65,535 px a side and 63 channels.
            One channel is no channel: (height, width, 1) comes back as (height, width).

    Raises:
        FormatError: another shape or type.

    >>> import numpy as np
    >>> decode(encode(np.arange(6, dtype=np.uint8).reshape(2, 3))).tolist()
    [[0, 1, 2], [3, 4, 5]]
    """
    return _value(*_canonical(pixels))


def _value(pixels: np.ndarray, channels: int) -> bytes:
    chunk = deflate(pixels)
    kind = channels + 64 * (pixels.itemsize - 1)
    height, width = pixels.shape[:2]
    digest = xxhash.xxh3_64_intdigest(chunk)
    return chunk + _TRAILER.pack(_MAGIC, _VERSION, kind, height, width, digest)


def decode(
    value: bytes | memoryview,
    *,
    shape: tuple[int, ...] | None = None,
    dtype: str = "uint8",
    where: object = None,
) -> np.ndarray:
    """The pixels of one value, as a new array that may be written to.

    Besides our own values this reads what other writers of blosc2 in LMDB make: NDArray cframes, `pack_array2` values,
    and, where the shape is known from elsewhere, SChunk cframes and bare chunks. It never unpickles anything.

    Args:
        value: as `encode` made it, or foreign.
        shape: of the image, for foreign values which do not say it.
        dtype: of the image, likewise.
        where: path and key, for messages.

    Raises:
        FormatError: the value is damaged or no image.
        UnsafeInputError: it claims a size beyond all bounds.
    """
    image = quick(value)
    if image is not None:
        return image
    size = len(value)
    if value[:10] == _CFRAME:
        from aqqua.store.cframe import decode_cframe

        return decode_cframe(bytes(value), shape, dtype, where)
    if size < HEADER_BYTES:
        damaged("an image value is too short to be one", where)
    chunk, kind, image_shape = _opened(value, shape, dtype, where)
    expected = kind.itemsize
    for side in image_shape:
        expected *= side
    samples = np.frombuffer(inflate(chunk, expected, where), np.uint8)
    return samples.copy().view(kind).reshape(image_shape)


def check_value(value: bytes | memoryview) -> bool:
    """Whether a value of ours is as it was written, without decoding it (2 GB/s)."""
    if len(value) < HEADER_BYTES + _TRAILER.size:
        return False
    magic, _, _, _, _, digest = _TRAILER.unpack_from(value, len(value) - _TRAILER.size)
    chunk = memoryview(value)[: -_TRAILER.size]
    return bool(magic == _MAGIC and xxhash.xxh3_64_intdigest(chunk) == digest)


def pixel_hash(pixels: np.ndarray) -> int:
    """xxh3_64 of pixels, shape and type: equal images have equal hashes, whatever file they came from.

    It is the hash of the samples (C order, little endian) followed by height u16, width u16, channels u8 and bytes per
    sample u8.
    """
    return _digest(*_canonical(pixels))


def _digest(pixels: np.ndarray, channels: int) -> int:
    shape = _SHAPE.pack(*pixels.shape[:2], channels, pixels.itemsize)
    if pixels.nbytes < _SMALL_BYTES:
        return xxhash.xxh3_64_intdigest(pixels.tobytes() + shape)
    digest = xxhash.xxh3_64(pixels.data)
    digest.update(shape)
    return int(digest.intdigest())


def _canonical(pixels: np.ndarray) -> tuple[np.ndarray, int]:
    """The same image contiguous, little endian, without an idle channel axis; and its number of channels."""
    if pixels.dtype is _BYTE and pixels.ndim == 2 and pixels.flags.c_contiguous:
        height, width = pixels.shape
        if 0 < height <= MAX_SIDE_PX and 0 < width <= MAX_SIDE_PX and height * width <= MAX_IMAGE_BYTES:
            return pixels, 1
    if pixels.dtype.kind != "u" or pixels.itemsize not in {1, 2}:
        raise FormatError(f"an image of type {pixels.dtype} cannot be stored", do="convert it to uint8 or uint16")
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    fits = pixels.ndim in {2, 3} and min(pixels.shape) > 0 and max(pixels.shape[:2]) <= MAX_SIDE_PX
    if not fits or channels > MAX_CHANNELS or pixels.nbytes > MAX_IMAGE_BYTES:
        limits = f"1 to {MAX_SIDE_PX} px a side, 1 to {MAX_CHANNELS} channels, up to {MAX_IMAGE_BYTES} bytes"
        raise FormatError(f"an image of shape {pixels.shape} cannot be stored", do=f"the format holds {limits}")
    if pixels.itemsize == 1:
        return np.ascontiguousarray(pixels), channels
    return np.ascontiguousarray(pixels, dtype=pixels.dtype.newbyteorder("<")), channels


def _opened(
    value: bytes | memoryview, shape: tuple[int, ...] | None, dtype: str, where: object
) -> tuple[memoryview, np.dtype[Any], tuple[int, ...]]:
    """Chunk, sample type and shape of a value, after its checksum was found right."""
    chunk, end = memoryview(value), len(value) - _TRAILER.size
    magic, version, kind, height, width, digest = _TRAILER.unpack_from(value, end)
    if magic != _MAGIC:
        if shape is None:
            damaged("an image value has neither our trailer nor a frame of blosc2 around it", where)
        return chunk, np.dtype(dtype), shape
    if version != _VERSION:
        raise FormatError(f"an image record of version {version}", where=where, do="update aqqua to read it")
    chunk = chunk[:end]
    if xxhash.xxh3_64_intdigest(chunk) != digest:
        damaged("an image record is damaged (its checksum does not match)", where)
    channels, log2 = kind & 63, kind >> 6
    if log2 > 1 or channels == 0:
        damaged(f"an image record of unknown kind {kind}", where)
    sample = np.dtype("<u2" if log2 else "u1")
    return chunk, sample, (height, width) if channels == 1 else (height, width, channels)
