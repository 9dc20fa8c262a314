"""Images that others wrote with blosc2 as frames: of an NDArray, of `pack_array2`, or of an SChunk.

The frame is taken apart here, as plain msgpack and plain chunks. blosc2 itself ends the process on a damaged frame, and
rebuilds objects from the metadata inside (functions, references to files); here only numbers come to life.

The layout is described in https://www.blosc.org/c-blosc2/format/cframe_format.html and …/b2nd_format.html
"""

from __future__ import annotations

import itertools
import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from aqqua.errors import FormatError, UnsafeInputError
from aqqua.store.blosclz import unpack_index
from aqqua.store.chunk import HEADER_BYTES, MAX_IMAGE_BYTES, Bytes, exactly, inflate

__all__ = ["decode_cframe"]

_MAX_CHUNKS = 1 << 16
_SPECIAL, _ZERO = 1 << 63, 1  # an offset with the highest bit set names a chunk without data; bits 56-62: which
_TENSOR = b"__pack_tensor__"
_SAMPLES = {"|u1", "u1", "uint8", "<u2", ">u2", "uint16"}


@dataclass(frozen=True)
class _Frame:
    """The parts of a frame."""

    nbytes: int
    chunksize: int
    meta: dict[bytes, bytes]
    vlmeta: dict[bytes, bytes]
    chunks: tuple[memoryview | None, ...]
    where: object

    def data(self, index: int) -> Bytes:
        """The bytes of a chunk."""
        expected = min(self.chunksize, self.nbytes - index * self.chunksize)
        chunk = self.chunks[index]
        return bytes(expected) if chunk is None else inflate(chunk, expected, self.where)


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
    try:
        return _checked(_read(_open(frame, where), shape, dtype), where)
    except FormatError:
        raise
    except (ValueError, TypeError, LookupError, struct.error, OverflowError, RecursionError) as error:
        raise FormatError(f"a blosc2 frame cannot be read ({error!r})", where=where) from error


def _open(frame: bytes, where: object) -> _Frame:
    """Take a frame apart: header, chunks, index of the chunks, trailer."""
    (header_bytes,) = struct.unpack_from(">i", frame, 11)
    _, _, length, _, nbytes, cbytes, _, _, chunksize, *_, meta = _unpack(frame[:header_bytes])
    if length != len(frame) or not 0 <= cbytes <= len(frame) - header_bytes:
        _refuse(f"a blosc2 frame is {len(frame)} bytes long, its header says {length}", where)
    if not 0 < nbytes <= 2 * MAX_IMAGE_BYTES or not 0 < chunksize <= MAX_IMAGE_BYTES:
        raise UnsafeInputError(f"a blosc2 frame claims to hold {nbytes} bytes", where=where)
    count = -(-nbytes // chunksize)
    if count > _MAX_CHUNKS:
        raise UnsafeInputError(f"a blosc2 frame claims to have {count} chunks", where=where)
    data, rest = memoryview(frame)[header_bytes:][:cbytes], memoryview(frame)[header_bytes + cbytes :]
    offsets, index_bytes = _offsets(rest, count, where)
    vlmeta = _unpack(bytes(rest[index_bytes:]))[1]
    chunks = tuple(_chunk_at(data, offset, where) for offset in offsets)
    return _Frame(nbytes, chunksize, _layers(meta), _layers(vlmeta), chunks, where)


def _unpack(data: bytes) -> list[Any]:
    import msgpack  # type: ignore[import-untyped]

    entries: list[Any] = msgpack.unpackb(data, raw=True)
    return entries


def _layers(entry: list[Any]) -> dict[bytes, bytes]:
    """Names and contents of metalayers."""
    _, names, contents = entry
    return dict(zip(names, contents, strict=True))


def _offsets(rest: memoryview, count: int, where: object) -> tuple[list[int], int]:
    """Where each chunk begins, and the length of the index that says so."""
    flags, typesize, nbytes, blocksize, cbytes = struct.unpack_from("<BBiii", rest, 2)
    if flags & 2 or flags >> 5 or rest[31] >> 4:
        index = inflate(rest, 8 * count, where)
    elif nbytes != 8 * count or typesize != 8 or not 0 < blocksize <= nbytes or not HEADER_BYTES < cbytes <= len(rest):
        _refuse("a blosc2 frame whose index is damaged", where)
    else:
        index = exactly(unpack_index(rest[:cbytes], nbytes, blocksize, whole=bool(flags & 16)), nbytes, where)
    return np.frombuffer(index, "<u8").tolist(), cbytes


def _chunk_at(data: memoryview, offset: int, where: object) -> memoryview | None:
    """A chunk; None if it is all zero and has no data."""
    if offset & _SPECIAL:
        if offset >> 56 & 0x7F != _ZERO:
            _refuse("a blosc2 frame has a chunk without pixels in it", where)
        return None
    return data[offset:]


def _read(frame: _Frame, shape: tuple[int, ...] | None, dtype: str) -> np.ndarray:
    if b"b2nd" in frame.meta:
        return _array(frame)
    if _TENSOR in frame.vlmeta:
        content = memoryview(frame.vlmeta[_TENSOR])
        (nbytes,) = struct.unpack_from("<i", content, 4)
        if not 0 < nbytes < 1000:
            _refuse("a blosc2 frame with damaged metadata", frame.where)
        _, sides, named = _plain(_unpack(bytes(inflate(content, nbytes, frame.where))))
        shape, dtype = tuple(_plain(sides)), _text(named)
    if shape is None:
        _refuse("a blosc2 SChunk does not say which shape its image has", frame.where)
    sample = _sample(dtype, frame.where)
    if _size(shape, frame.where) * sample.itemsize != frame.nbytes:
        _refuse(f"a blosc2 frame holds {frame.nbytes} bytes, which are no image of shape {shape}", frame.where)
    data = b"".join(frame.data(index) for index in range(len(frame.chunks)))
    return np.frombuffer(data, sample).reshape(shape)


def _array(frame: _Frame) -> np.ndarray:
    """An NDArray: chunks in a grid, in each of them blocks in a grid; the last ones are filled up."""
    _, _, shape, chunks, blocks, _, named = _unpack(frame.meta[b"b2nd"])
    sample = _sample(_text(named), frame.where)
    for sides in (shape, chunks, blocks):
        if len(sides) not in {2, 3} or len(sides) != len(shape):
            _refuse(f"a blosc2 array of {len(shape)} dimensions is no image", frame.where)
        _size(sides, frame.where)
    filled = [_up(side, block) for side, block in zip(chunks, blocks, strict=True)]
    grid = [range(0, side, chunk) for side, chunk in zip(shape, chunks, strict=True)]
    if _size(filled, frame.where) * sample.itemsize != frame.chunksize or math.prod(map(len, grid)) != len(
        frame.chunks
    ):
        _refuse("a blosc2 array whose chunks do not fit its shape", frame.where)
    image = np.empty(shape, sample)
    for index, corner in enumerate(itertools.product(*grid)):
        pixels = _in_order(np.frombuffer(frame.data(index), sample), filled, blocks)
        room = image[tuple(slice(at, at + side) for at, side in zip(corner, chunks, strict=True))]
        room[...] = pixels[tuple(map(slice, room.shape))]
    return image


def _in_order(samples: np.ndarray, sides: Sequence[int], blocks: Sequence[int]) -> np.ndarray:
    """Samples block by block → an array."""
    counts = [side // block for side, block in zip(sides, blocks, strict=True)]
    turned = [axis for pair in zip(range(len(sides)), range(len(sides), 2 * len(sides)), strict=True) for axis in pair]
    return samples.reshape(*counts, *blocks).transpose(turned).reshape(sides)


def _up(side: int, block: int) -> int:
    return -(-side // block) * block


def _size(sides: Any, where: object) -> int:
    """Number of samples, if it is within bounds."""
    if not all(isinstance(side, int) and side > 0 for side in sides) or math.prod(sides) > MAX_IMAGE_BYTES:
        raise UnsafeInputError(f"a blosc2 frame claims an image of shape {tuple(sides)}", where=where)
    return math.prod(sides)


def _plain(entry: list[Any]) -> list[Any]:
    """Newer versions of blosc2 mark tuples in msgpack by a first element."""
    return entry[1:] if entry and entry[0] == b"__tuple__" else entry


def _text(name: object) -> str:
    return name.decode("ascii") if isinstance(name, bytes) else str(name)


def _sample(dtype: str, where: object) -> np.dtype[Any]:
    """Only names of plain types: a structured type from a file is none of ours."""
    if dtype not in _SAMPLES:
        _refuse(f"a blosc2 frame holds samples of type {dtype!r}, not of 8 or 16 bits without sign", where)
    return np.dtype(dtype)


def _checked(image: np.ndarray, where: object) -> np.ndarray:
    if image.ndim not in {2, 3}:
        _refuse(f"a blosc2 frame holds {image.ndim} dimensions, which is no image", where)
    image = image[:, :, 0] if image.ndim == 3 and image.shape[2] == 1 else image
    return image.astype(image.dtype.newbyteorder("="))


def _refuse(what: str, where: object) -> NoReturn:
    raise FormatError(what, where=where, do="write images with aqqua, or as blosc2 NDArray of uint8 or uint16")
