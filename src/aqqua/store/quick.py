"""The short way from a record to pixels, for the records nearly all are: 8 bits, one zstd frame, no filter.

It makes every check that `docs/reference/format.md` demands before anything is allocated, but in one comparison with
what such a record must look like. What looks otherwise in any way, damaged or just of another kind, is not judged
here: `aqqua.store.codec.decode` then takes the long way, which knows all kinds and says what is wrong.
"""

from __future__ import annotations

import struct
import threading

import numpy as np
import xxhash
import zstandard

from aqqua.store.chunk import MAX_IMAGE_BYTES

__all__ = ["quick"]

_HEAD = struct.Struct("<4siii6s9xBii")  # up to the frame: header of the chunk, offset of the block, its length
_TRAILER = struct.Struct("<4sHHQ")
_START = b"\x05\x01\x95\x01"  # chunk 5, zstd 1, extended header and one block, samples of one byte
_NO_FILTER = bytes(6)
_CHANNELS = {b"AQ\x01" + bytes((channels,)): channels for channels in range(1, 64)}
_OFFSET = _HEAD.size - 4
_BYTE = np.dtype(np.uint8)


class _PerThread(threading.local):
    """A zstd context for each thread, made once: making one costs more than decoding a small image."""

    def __init__(self) -> None:
        self.decompress = zstandard.ZstdDecompressor().decompress


_zstd = _PerThread()


def quick(value: bytes | memoryview) -> np.ndarray | None:
    """The pixels of an ordinary record, as a new array that may be written to; None if it is anything else."""
    end = len(value) - _TRAILER.size
    if end <= _HEAD.size:
        return None
    mark, height, width, digest = _TRAILER.unpack_from(value, end)
    start, nbytes, blocksize, cbytes, filters, special, offset, csize = _HEAD.unpack_from(value)
    channels = _CHANNELS.get(mark, 0)
    if (
        start != _START
        or special
        or filters != _NO_FILTER
        or not nbytes == blocksize == height * width * channels
        or cbytes != end
        or offset != _OFFSET
        or csize != end - _HEAD.size
        or not csize < nbytes <= MAX_IMAGE_BYTES
    ):
        return None
    view = memoryview(value)
    frame = view[_HEAD.size : end]
    if xxhash.xxh3_64_intdigest(view[:end]) != digest:
        return None
    try:
        if zstandard.frame_content_size(frame) != nbytes:
            return None
        samples = _zstd.decompress(frame)
    except zstandard.ZstdError:
        return None
    return _array(samples, (height, width) if channels == 1 else (height, width, channels))


def _array(samples: bytes, shape: tuple[int, ...]) -> np.ndarray:
    """The samples as an array that may be written to, without copying them.

    As when it is unpickled, the array takes the memory of the bytes for its own: nobody else holds them.
    """
    image = np.empty(0, _BYTE)
    image.__setstate__((1, shape, _BYTE, False, samples))  # type: ignore[arg-type]
    return image
