"""One image as one value: a blosc2 chunk and a 16-byte trailer that says what the pixels are.

    value   = chunk ‖ trailer
    trailer = "AQ" ‖ version u8 ‖ kind u8 ‖ height u16 ‖ width u16 ‖ xxh3_64 of the chunk      (little endian)
    kind    = channels (bits 0–5) + 64 · log2(bytes per sample) (bits 6–7)

Any blosc2 library reads the chunk as it is. Our own reading path does not import blosc2 (which takes part of a second):
it checks the header, then hands the one zstd frame to `zstandard`, four times faster than blosc2's own way, which
makes a new zstd context for each image. Whatever else is in a chunk (other codecs, several blocks) goes to blosc2.
"""

from __future__ import annotations

import struct
import threading
from typing import Any, NoReturn

import numpy as np
import xxhash
import zstandard

from aqqua.errors import FormatError, UnsafeInputError

__all__ = ["MAX_IMAGE_BYTES", "check_value", "decode", "encode", "pixel_hash"]

MAX_IMAGE_BYTES = 536_866_816
"""The largest single block of blosc2 (BLOSC2_MAXBLOCKSIZE)."""
MAX_SIDE_PX = 65_535
MAX_CHANNELS = 63

_TRAILER = struct.Struct("<2sBBHHQ")
_HEADER = struct.Struct("<BBBBiii6sBB6sBB")
_INT = struct.Struct("<i")
_MAGIC, _VERSION = b"AQ", 1
_CFRAME = b"\x9e\xa8b2frame\x00"

# Bits of the blosc2 chunk header, https://www.blosc.org/c-blosc2/format/chunk_format.html
_CHUNK_VERSION = 5
_EXTENDED, _STORED, _WHOLE_BLOCK = 0x05, 0x02, 0x10
_ZSTD = 4
_NO_FILTER = bytes(6)
_SHUFFLE = frozenset(bytes(int(slot == place) for slot in range(6)) for place in range(6))  # alone, in any slot
_SPECIAL_ZERO, _SPECIAL_VALUE = 1, 3
_SPARE_FLAGS = 0x0F

_local = threading.local()


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
    pixels, channels = _canonical(pixels)
    chunk = _compress(pixels)
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
    size = len(value)
    if value[:10] == _CFRAME:
        from aqqua.store import foreign

        return foreign.decode_cframe(bytes(value), shape, dtype, where)
    if size < _HEADER.size:
        _damaged("an image value is too short to be one", where)
    chunk, kind, image_shape = _opened(value, shape, dtype, where)
    expected = kind.itemsize
    for side in image_shape:
        expected *= side
    samples = np.frombuffer(_inflate(chunk, expected, where), np.uint8)
    return samples.copy().view(kind).reshape(image_shape)


def check_value(value: bytes | memoryview) -> bool:
    """Whether a value of ours is as it was written, without decoding it (2 GB/s)."""
    if len(value) < _HEADER.size + _TRAILER.size:
        return False
    magic, _, _, _, _, digest = _TRAILER.unpack_from(value, len(value) - _TRAILER.size)
    chunk = memoryview(value)[: -_TRAILER.size]
    return bool(magic == _MAGIC and xxhash.xxh3_64_intdigest(chunk) == digest)


def pixel_hash(pixels: np.ndarray) -> int:
    """xxh3_64 of pixels, shape and type: equal images have equal hashes, whatever file they came from.

    It is the hash of the samples (C order, little endian) followed by height u16, width u16, channels u8 and bytes per
    sample u8.
    """
    pixels, channels = _canonical(pixels)
    digest = xxhash.xxh3_64(pixels.data)
    digest.update(struct.pack("<HHBB", *pixels.shape[:2], channels, pixels.itemsize))
    return int(digest.intdigest())


def _canonical(pixels: np.ndarray) -> tuple[np.ndarray, int]:
    """The same image contiguous, little endian, without an idle channel axis; and its number of channels."""
    if pixels.dtype.kind != "u" or pixels.itemsize not in {1, 2}:
        raise FormatError(f"an image of type {pixels.dtype} cannot be stored", do="convert it to uint8 or uint16")
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    fits = pixels.ndim in {2, 3} and min(pixels.shape) > 0 and max(pixels.shape[:2]) <= MAX_SIDE_PX
    if not fits or channels > MAX_CHANNELS or pixels.nbytes > MAX_IMAGE_BYTES:
        limits = f"1 to {MAX_SIDE_PX} px a side, 1 to {MAX_CHANNELS} channels, up to {MAX_IMAGE_BYTES} bytes"
        raise FormatError(f"an image of shape {pixels.shape} cannot be stored", do=f"the format holds {limits}")
    return np.ascontiguousarray(pixels, dtype=pixels.dtype.newbyteorder("<")), channels


def _compress(pixels: np.ndarray) -> bytes:
    import blosc2

    last = blosc2.Filter.SHUFFLE if pixels.itemsize == 2 else blosc2.Filter.NOFILTER
    return bytes(
        blosc2.compress2(
            pixels,
            typesize=pixels.itemsize,
            codec=blosc2.Codec.ZSTD,
            clevel=5,
            blocksize=pixels.nbytes,
            splitmode=blosc2.SplitMode.NEVER_SPLIT,
            filters=[*[blosc2.Filter.NOFILTER] * 5, last],
            filters_meta=[0] * 6,
            nthreads=1,
        )
    )


def _opened(
    value: bytes | memoryview, shape: tuple[int, ...] | None, dtype: str, where: object
) -> tuple[memoryview, np.dtype[Any], tuple[int, ...]]:
    """Chunk, sample type and shape of a value, after its checksum was found right."""
    chunk, end = memoryview(value), len(value) - _TRAILER.size
    magic, version, kind, height, width, digest = _TRAILER.unpack_from(value, end)
    if magic != _MAGIC:
        if shape is None:
            _damaged("an image value has neither our trailer nor a frame of blosc2 around it", where)
        return chunk, np.dtype(dtype), shape
    if version != _VERSION:
        raise FormatError(f"an image record of version {version}", where=where, do="update aqqua to read it")
    chunk = chunk[:end]
    if xxhash.xxh3_64_intdigest(chunk) != digest:
        _damaged("an image record is damaged (its checksum does not match)", where)
    channels, log2 = kind & 63, kind >> 6
    if log2 > 1 or channels == 0:
        _damaged(f"an image record of unknown kind {kind}", where)
    sample = np.dtype("<u2" if log2 else "u1")
    return chunk, sample, (height, width) if channels == 1 else (height, width, channels)


def _inflate(chunk: memoryview, expected: int, where: object) -> bytes | memoryview | np.ndarray:
    """The bytes inside a blosc2 chunk, after its header was found to be sound."""
    (version, _, flags, typesize, nbytes, blocksize, cbytes, filters, _, _, _, _, flags2) = _HEADER.unpack_from(chunk)
    if version != _CHUNK_VERSION or flags & _EXTENDED != _EXTENDED:
        _damaged(f"an image record is not a blosc2 chunk of format {_CHUNK_VERSION}", where)
    if not 0 < nbytes <= MAX_IMAGE_BYTES:
        raise UnsafeInputError(f"an image record claims to hold {nbytes} bytes", where=where)
    if nbytes != expected or not _HEADER.size <= cbytes <= len(chunk):
        _damaged(f"an image record holds {nbytes} bytes where its shape needs {expected}", where)
    if special := flags2 >> 4:
        return _special(chunk, special, typesize, nbytes, where)
    if flags & _STORED:
        return _exactly(chunk[_HEADER.size : cbytes], nbytes, where)
    shuffled = filters in _SHUFFLE and typesize == 2
    simple = flags >> 5 == _ZSTD and flags & _WHOLE_BLOCK and blocksize == nbytes and not flags2 & _SPARE_FLAGS
    if not simple or not (shuffled or filters == _NO_FILTER):
        from aqqua.store import foreign

        return _exactly(foreign.inflate(chunk, where), nbytes, where)
    block = _block(chunk[:cbytes], nbytes, where)
    return _unshuffled(block) if shuffled else block


def _special(chunk: memoryview, special: int, typesize: int, nbytes: int, where: object) -> bytes:
    """A chunk without data: all zero, or one value repeated."""
    if special == _SPECIAL_ZERO:
        return bytes(nbytes)
    value = bytes(chunk[_HEADER.size : _HEADER.size + typesize])
    if special != _SPECIAL_VALUE or not value or nbytes % len(value):
        _damaged("an image record has no pixels in it", where)
    return value * (nbytes // len(value))


def _block(chunk: memoryview, nbytes: int, where: object) -> bytes | memoryview:
    """The only block of a chunk: empty (zero), a run of one byte, stored, or a zstd frame."""
    try:
        begin = _INT.unpack_from(chunk, _HEADER.size)[0] + _INT.size
        if begin < _HEADER.size + 2 * _INT.size:
            _damaged("an image record points outside itself", where)
        csize = _INT.unpack_from(chunk, begin - _INT.size)[0]
        if csize <= 0:
            return bytes((-csize,)) * nbytes
        frame = chunk[begin : begin + csize]
        if csize == nbytes:
            return _exactly(frame, nbytes, where)
        if len(frame) < csize or zstandard.frame_content_size(frame) not in {nbytes, -1}:
            _damaged("an image record is cut short", where)
        return _exactly(_decompressor().decompress(frame, max_output_size=nbytes), nbytes, where)
    except (struct.error, zstandard.ZstdError, ValueError) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(f"an image record cannot be decoded ({error})", where=where) from error


def _unshuffled(block: bytes | memoryview) -> np.ndarray:
    """First all low bytes, then all high bytes → samples of two bytes."""
    return np.frombuffer(block, np.uint8).reshape(2, -1).T.reshape(-1)


def _decompressor() -> zstandard.ZstdDecompressor:
    """One per thread, made once: making one costs more than decoding a small image."""
    decompressor: zstandard.ZstdDecompressor | None = getattr(_local, "zstd", None)
    if decompressor is None:
        decompressor = _local.zstd = zstandard.ZstdDecompressor()
    return decompressor


def _exactly(data: bytes | memoryview, nbytes: int, where: object) -> bytes | memoryview:
    if len(data) != nbytes:
        _damaged(f"an image record holds {len(data)} bytes, its header says {nbytes}", where)
    return data


def _damaged(what: str, where: object) -> NoReturn:
    raise FormatError(what, where=where, do="fetch the file again, or ingest its source again")
