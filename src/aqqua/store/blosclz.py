"""BloscLZ, just enough of it: blosc2 packs the list of a frame's chunks with it, whatever codec the chunks have.

The decoder of c-blosc2 writes beyond its memory on damaged input (c-blosc2#801); this one is slow and safe.
"""

from __future__ import annotations

import struct

from aqqua.store.chunk import Bytes, unshuffled

__all__ = ["unpack", "unpack_index"]

_OFFSET_BYTES = 8
_HEADER_BYTES = 32
_FAR = 8191


def unpack_index(chunk: memoryview, nbytes: int, blocksize: int, *, whole: bool) -> bytes:
    """The offsets in a chunk that is packed with BloscLZ and shuffled.

    Args:
        chunk: the chunk.
        nbytes: how many bytes are in it, from its header.
        blocksize: how many in each of its blocks but the last, from its header.
        whole: blocks are packed whole; otherwise each of the eight bytes of the offsets for itself.

    Raises:
        ValueError, LookupError, struct.error: it is damaged.
    """
    blocks = []
    for number, first in enumerate(range(0, nbytes, blocksize)):
        size = min(blocksize, nbytes - first)
        streams = 1 if whole or size < blocksize else _OFFSET_BYTES
        (at,) = struct.unpack_from("<i", chunk, _HEADER_BYTES + 4 * number)
        parts = []
        for _ in range(streams):
            (csize,) = struct.unpack_from("<i", chunk, at)
            parts.append(_stream(chunk[at + 4 : at + 4 + max(csize, 0)], csize, size // streams))
            at += 4 + (csize if csize > 0 else int(csize < 0))
        blocks.append(unshuffled(b"".join(parts), _OFFSET_BYTES))
    return b"".join(blocks)


def _stream(packed: memoryview, csize: int, size: int) -> Bytes:
    """One packed stream: a run of one byte, stored, or packed."""
    if csize <= 0:
        return bytes((-csize,)) * size
    return packed if csize == size else unpack(packed, size)


def unpack(packed: memoryview, size: int) -> bytes:
    """Unpack: literals and matches as in FastLZ, level 2 (https://ariya.github.io/FastLZ).

    Args:
        packed: the packed bytes.
        size: of what is in them.

    Raises:
        ValueError, LookupError: they are damaged.
    """
    out, at = bytearray(), 1
    control = packed[0] & 31
    while True:
        if control < 32:
            out += packed[at : at + control + 1]
            at += control + 1
        else:
            length, distance, at = _match(packed, at, control)
            begin = len(out) - distance - 1
            if begin < 0 or len(out) + length > size:
                raise ValueError("a match that leaves the data")
            for place in range(begin, begin + length):
                out.append(out[place])
        if at >= len(packed):
            return bytes(out)
        control, at = packed[at], at + 1


def _match(packed: memoryview, at: int, control: int) -> tuple[int, int, int]:
    """Length and distance of a match, and where the next control byte is."""
    length, distance = (control >> 5) + 2, (control & 31) << 8
    if control >> 5 == 7:
        more = 255
        while more == 255:
            more, at = packed[at], at + 1
            length += more
    low, at = packed[at], at + 1
    if low == 255 and distance == 31 << 8:
        return length, (packed[at] << 8) + packed[at + 1] + _FAR, at + 2
    return length, distance + low, at
