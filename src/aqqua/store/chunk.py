"""What is inside a blosc2 chunk, taken out with care: its header is checked before anything is allocated or decoded.

The one block of our own chunks is handed to `zstandard`, without importing blosc2 (which takes part of a second), and
several times faster than blosc2's own way, which makes a new zstd context for each image. Whatever else foreign writers
make (other codecs, several blocks) goes to blosc2.
"""

from __future__ import annotations

import struct
import threading
from typing import NoReturn

import numpy as np
import zstandard

from aqqua.errors import FormatError, UnsafeInputError

__all__ = ["HEADER_BYTES", "MAX_IMAGE_BYTES", "Bytes", "damaged", "exactly", "inflate", "unshuffled"]

MAX_IMAGE_BYTES = 536_866_816
"""The largest single block of blosc2 (BLOSC2_MAXBLOCKSIZE)."""

Bytes = bytes | memoryview

# The chunk header, https://www.blosc.org/c-blosc2/format/chunk_format.html
_HEADER = struct.Struct("<BBBBiii6s9xB")
HEADER_BYTES = _HEADER.size
_INT = struct.Struct("<i")
_CHUNK_VERSION = 5
_EXTENDED, _STORED, _WHOLE_BLOCK = 0x05, 0x02, 0x10
_ZSTD = 4
_NO_FILTER = bytes(6)
_SHUFFLE = frozenset(bytes(int(slot == place) for slot in range(6)) for place in range(6))  # alone, in any slot
_SPECIAL_ZERO, _SPECIAL_VALUE = 1, 3
_SPARE_FLAGS = 0x0F

# What is handed to blosc2: decoders that guard themselves against damaged input (c-blosc2#800, #801)
_CODECS = {1, 3, _ZSTD}  # LZ4 (and LZ4HC), zlib, zstd
_FILTERS = {0, 1, 2, 35}  # none, shuffle, bitshuffle, bytedelta

_local = threading.local()


def inflate(chunk: memoryview, expected: int, where: object) -> Bytes:
    """The bytes inside a chunk.

    Args:
        chunk: the chunk, and perhaps more behind it.
        expected: how many bytes must be in it.
        where: path and key, for messages.

    Raises:
        FormatError: it is damaged, or holds another number of bytes.
        UnsafeInputError: it claims a size beyond all bounds.
    """
    if len(chunk) < HEADER_BYTES:
        damaged("an image record is cut short", where)
    (version, _, flags, typesize, nbytes, blocksize, cbytes, filters, flags2) = _HEADER.unpack_from(chunk)
    if version != _CHUNK_VERSION or flags & _EXTENDED != _EXTENDED:
        damaged(f"an image record is not a blosc2 chunk of format {_CHUNK_VERSION}", where)
    if not 0 < nbytes <= MAX_IMAGE_BYTES:
        raise UnsafeInputError(f"an image record claims to hold {nbytes} bytes", where=where)
    if nbytes != expected or not HEADER_BYTES <= cbytes <= len(chunk) or not typesize:
        damaged(f"an image record holds {nbytes} bytes where its shape needs {expected}", where)
    if special := flags2 >> 4:
        return _special(chunk, special, typesize, nbytes, where)
    if flags & _STORED:
        return exactly(chunk[HEADER_BYTES:cbytes], nbytes, where)
    shuffled = filters in _SHUFFLE and not nbytes % typesize
    simple = flags >> 5 == _ZSTD and flags & _WHOLE_BLOCK and blocksize == nbytes and not flags2 & _SPARE_FLAGS
    if not simple or not (shuffled or filters == _NO_FILTER):
        if flags >> 5 not in _CODECS or set(filters) - _FILTERS or not 0 < blocksize <= MAX_IMAGE_BYTES:
            damaged("a chunk with a codec or filter other than zstd, LZ4, zlib, (bit)shuffle and bytedelta", where)
        return exactly(_by_blosc2(chunk[:cbytes], where), nbytes, where)
    block = _block(chunk[:cbytes], nbytes, where)
    return unshuffled(block, typesize) if shuffled else block


def _special(chunk: memoryview, special: int, typesize: int, nbytes: int, where: object) -> bytes:
    """A chunk without data: all zero, or one value repeated."""
    if special == _SPECIAL_ZERO:
        return bytes(nbytes)
    value = bytes(chunk[HEADER_BYTES : HEADER_BYTES + typesize])
    if special != _SPECIAL_VALUE or not value or nbytes % len(value):
        damaged("an image record has no pixels in it", where)
    return value * (nbytes // len(value))


def _block(chunk: memoryview, nbytes: int, where: object) -> Bytes:
    """The only block of a chunk: empty (zero), a run of one byte, stored, or a zstd frame."""
    try:
        begin = _INT.unpack_from(chunk, HEADER_BYTES)[0] + _INT.size
        if begin < HEADER_BYTES + 2 * _INT.size:
            damaged("an image record points outside itself", where)
        csize = _INT.unpack_from(chunk, begin - _INT.size)[0]
        if csize <= 0:
            return bytes((-csize,)) * nbytes
        frame = chunk[begin : begin + csize]
        if csize == nbytes:
            return exactly(frame, nbytes, where)
        if len(frame) < csize or zstandard.frame_content_size(frame) not in {nbytes, -1}:
            damaged("an image record is cut short", where)
        return exactly(_decompressor().decompress(frame, max_output_size=nbytes), nbytes, where)
    except (struct.error, zstandard.ZstdError, ValueError) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(f"an image record cannot be decoded ({error})", where=where) from error


def unshuffled(block: Bytes, typesize: int) -> Bytes:
    """First all lowest bytes, then all second bytes … → samples of `typesize` bytes."""
    return block if typesize == 1 else np.frombuffer(block, np.uint8).reshape(typesize, -1).T.tobytes()


def _by_blosc2(chunk: memoryview, where: object) -> bytes:
    import blosc2

    blosc2.set_nthreads(1)
    try:
        return bytes(blosc2.decompress2(bytes(chunk)))
    except Exception as error:  # it raises nearly everything for a damaged chunk
        raise FormatError(f"a blosc2 chunk cannot be decoded ({error})", where=where) from error


def _decompressor() -> zstandard.ZstdDecompressor:
    """One per thread, made once: making one costs more than decoding a small image."""
    decompressor: zstandard.ZstdDecompressor | None = getattr(_local, "zstd", None)
    if decompressor is None:
        decompressor = _local.zstd = zstandard.ZstdDecompressor()
    return decompressor


def exactly(data: Bytes, nbytes: int, where: object) -> Bytes:
    """The data, if they are as many bytes as announced."""
    if len(data) != nbytes:
        damaged(f"an image record holds {len(data)} bytes, its header says {nbytes}", where)
    return data


def damaged(what: str, where: object) -> NoReturn:
    """Say that a value cannot be what it should be."""
    raise FormatError(what, where=where, do="fetch the file again, or ingest its source again")
