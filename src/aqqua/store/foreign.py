"""Images that others wrote with blosc2: cframes of an NDArray, of `pack_array2` or of an SChunk, and odd chunks.

Only numbers are taken from them: metadata inside a frame is read as plain msgpack, so that none of the objects which
blosc2 can rebuild (pickles, compiled functions, references to files) ever comes to life.
"""

from __future__ import annotations

import math
import struct
from typing import Any, NoReturn

import numpy as np

from aqqua.errors import FormatError, UnsafeInputError
from aqqua.store.codec import MAX_IMAGE_BYTES

__all__ = ["decode_cframe", "inflate"]

# Header of a frame (big endian msgpack), https://www.blosc.org/c-blosc2/format/cframe_format.html:
# length of the frame, of its data before and after compression, of a sample, a block and a chunk, in bytes
_FRAME = struct.Struct(">16xQ5xxqxqxixixi")
_TENSOR = "__pack_tensor__"

_CHUNK = struct.Struct("<BBBBiii6s9xB")
_STORED, _CODECS = 0x02, {1, 3, 4}  # LZ4 (and LZ4HC), zlib, zstd
_FILTERS = {0, 1, 2, 35}  # none, shuffle, bitshuffle, bytedelta


def decode_cframe(frame: bytes, shape: tuple[int, ...] | None, dtype: str, where: object) -> np.ndarray:
    """The image in a contiguous frame of blosc2.

    Args:
        frame: the whole frame.
        shape: for an SChunk, which does not know the shape of what it holds.
        dtype: likewise.
        where: for messages.

    Raises:
        FormatError: it is damaged, or no image of 8 or 16 bits.
        UnsafeInputError: it claims a size beyond all bounds.
    """
    _check_header(frame, where)
    try:
        return _checked(_read(frame, shape, dtype, where), where)
    except FormatError:
        raise
    except Exception as error:  # blosc2 raises nearly everything for a damaged frame
        raise FormatError(f"a blosc2 frame cannot be read ({error})", where=where) from error


def inflate(chunk: memoryview, where: object) -> bytes:
    """The bytes in a chunk that our quick path does not know: other codecs and filters, several blocks.

    The caller has checked the sizes in its header.
    """
    import blosc2

    _check_chunk(chunk, where)
    blosc2.set_nthreads(1)
    try:
        return bytes(blosc2.decompress2(bytes(chunk)))
    except Exception as error:
        raise FormatError(f"a blosc2 chunk cannot be decoded ({error})", where=where) from error


def _check_header(frame: bytes, where: object) -> None:
    if len(frame) < _FRAME.size:
        _refuse("a blosc2 frame is cut short", where)
    length, nbytes, _, _, blocksize, chunksize = _FRAME.unpack_from(frame)
    if length != len(frame):
        _refuse(f"a blosc2 frame is {len(frame)} bytes long, its header says {length}", where)
    if not all(0 <= size <= MAX_IMAGE_BYTES for size in (nbytes, blocksize, chunksize)):
        raise UnsafeInputError(f"a blosc2 frame claims to hold {nbytes} bytes", where=where)


def _check_chunk(chunk: bytes | memoryview, where: object) -> None:
    """Refuse codecs and filters whose decoders do not guard themselves against damaged input (c-blosc2#800, #801)."""
    _, _, flags, typesize, nbytes, blocksize, cbytes, filters, flags2 = _CHUNK.unpack_from(chunk)
    if not 0 <= nbytes <= MAX_IMAGE_BYTES or not 0 <= blocksize <= MAX_IMAGE_BYTES or cbytes > len(chunk):
        raise UnsafeInputError(f"a blosc2 chunk claims to hold {nbytes} bytes", where=where)
    has_no_data = flags & _STORED or flags2 >> 4
    if not typesize or set(filters) - _FILTERS or (flags >> 5 not in _CODECS and not has_no_data):
        _refuse("a blosc2 chunk with a codec or filter other than zstd, LZ4, zlib and (bit)shuffle, bytedelta", where)


def _read(frame: bytes, shape: tuple[int, ...] | None, dtype: str, where: object) -> np.ndarray:
    import blosc2
    import msgpack  # type: ignore[import-untyped]
    from blosc2 import blosc2_ext

    blosc2.set_nthreads(1)
    schunk = blosc2.schunk_from_cframe(frame, True)
    for index in range(schunk.nchunks):
        _check_chunk(schunk.get_chunk(index), where)
    if "b2nd" in schunk.meta:
        _, _, array_shape, chunks, blocks, *_ = msgpack.unpackb(blosc2_ext.meta__getitem__(schunk, "b2nd"))
        for sides in (array_shape, chunks, blocks):
            _check_size(sides, where)
        return np.asarray(blosc2.ndarray_from_cframe(frame, True)[:])
    if _TENSOR in list(schunk.vlmeta):
        entry = msgpack.unpackb(blosc2_ext.vlmeta.get_vlmeta(schunk.vlmeta, _TENSOR))
        _, sides, dtype = _plain(entry)
        shape = tuple(_plain(sides))
    if shape is None:
        _refuse("a blosc2 SChunk does not say which shape its image has", where)
    _check_size(shape, where)
    return np.frombuffer(schunk[:], _sample(dtype, where)).reshape(shape).copy()


def _plain(entry: list[Any]) -> list[Any]:
    """Newer versions of blosc2 mark tuples in msgpack by a first element."""
    return entry[1:] if entry and entry[0] == "__tuple__" else entry


def _check_size(sides: Any, where: object) -> None:
    if not all(isinstance(side, int) and side > 0 for side in sides) or math.prod(sides) > MAX_IMAGE_BYTES:
        raise UnsafeInputError(f"a blosc2 frame claims an image of shape {tuple(sides)}", where=where)


def _sample(dtype: object, where: object) -> np.dtype[Any]:
    """Only names of plain types: a structured type from a file is none of ours."""
    if dtype not in {"|u1", "<u2", ">u2", "uint8", "uint16"}:
        _refuse(f"a blosc2 frame holds samples of type {dtype!r}, not of 8 or 16 bits without sign", where)
    return np.dtype(str(dtype))


def _checked(image: np.ndarray, where: object) -> np.ndarray:
    if image.dtype.kind != "u" or image.itemsize > 2 or image.ndim not in {2, 3}:
        _refuse(f"a blosc2 frame holds {image.ndim} dimensions of {image.dtype}, which is no image", where)
    return image[:, :, 0] if image.ndim == 3 and image.shape[2] == 1 else image


def _refuse(what: str, where: object) -> NoReturn:
    raise FormatError(what, where=where, do="write images with aqqua, or as blosc2 NDArray of uint8 or uint16")
