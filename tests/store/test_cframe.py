from __future__ import annotations

import contextlib
import pickle
import struct
from collections.abc import Callable
from pathlib import Path

import blosc2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aqqua.errors import FormatError, UnsafeInputError
from aqqua.store.codec import decode

RNG = np.random.default_rng(1)

SMALL = RNG.integers(0, 20, (40, 50), np.uint8)
LARGE = RNG.integers(0, 20, (1500, 1700), np.uint8)
HALF_EMPTY = LARGE.copy()
HALF_EMPTY[:700] = 0

IMAGES = {
    "gray": SMALL,
    "large": LARGE,
    "half empty": HALF_EMPTY,
    "rgb": RNG.integers(0, 256, (31, 17, 3), np.uint8),
    "16 bits": RNG.integers(0, 4096, (33, 21), np.uint16),
    "constant": np.full((20, 20), 9, np.uint8),
    "zero": np.zeros((20, 20), np.uint16),
}


def ndarray_cframe(image: np.ndarray) -> bytes:
    return bytes(blosc2.asarray(image).to_cframe())


def ndarray_in_chunks(image: np.ndarray) -> bytes:
    chunks = tuple(max(1, side // 2) for side in image.shape)
    return bytes(blosc2.asarray(image, chunks=chunks).to_cframe())


def ndarray_in_many_chunks(image: np.ndarray) -> bytes:
    """Their index is packed with BloscLZ; chunks that are all zero are not there at all."""
    chunks = tuple(max(1, side // 7) for side in image.shape)
    return bytes(blosc2.asarray(image, chunks=chunks).to_cframe())


def ndarray_in_odd_blocks(image: np.ndarray) -> bytes:
    chunks = tuple(max(1, 2 * side // 3) for side in image.shape)
    blocks = tuple(max(1, side // 4) for side in chunks)
    return bytes(blosc2.asarray(image, chunks=chunks, blocks=blocks).to_cframe())


def tensor_in_chunks(image: np.ndarray) -> bytes:
    return bytes(blosc2.pack_tensor(image, chunksize=1000))


def ndarray_lz4(image: np.ndarray) -> bytes:
    return bytes(blosc2.asarray(image, cparams={"codec": blosc2.Codec.LZ4}).to_cframe())


WRITERS = [
    ndarray_cframe,
    ndarray_in_chunks,
    ndarray_in_many_chunks,
    ndarray_in_odd_blocks,
    ndarray_lz4,
    blosc2.pack_array2,
    tensor_in_chunks,
]


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("name", IMAGES)
def test_what_other_writers_make_is_read(name: str, write: Callable[[np.ndarray], bytes]) -> None:
    again = decode(write(IMAGES[name]))
    assert again.dtype == IMAGES[name].dtype
    np.testing.assert_array_equal(again, IMAGES[name])


@pytest.mark.parametrize("name", IMAGES)
def test_values_without_a_shape_are_read_where_it_is_known(name: str) -> None:
    image = IMAGES[name]
    frame = blosc2.SChunk(data=image, cparams={"typesize": image.itemsize}).to_cframe()
    chunk = blosc2.compress2(image, typesize=image.itemsize)
    for value in (frame, chunk):
        np.testing.assert_array_equal(decode(value, shape=image.shape, dtype=image.dtype.name), image)
        with pytest.raises(FormatError, match=r"shape|neither"):
            decode(value)


def test_a_wrong_shape_is_an_error() -> None:
    frame = blosc2.SChunk(data=SMALL).to_cframe()
    with pytest.raises(FormatError):
        decode(frame, shape=(41, 50))
    with pytest.raises(FormatError):
        decode(blosc2.compress2(SMALL), shape=(41, 50))


class Trap:
    """Unpickling this makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.path,)


def test_a_pickle_never_comes_to_life(tmp_path: Path) -> None:
    """`unpack_array` of blosc2 is `pickle.loads`; such values look like bare chunks."""
    trap = tmp_path / "sprung"
    value = blosc2.compress2(pickle.dumps(Trap(trap)))
    with pytest.raises(FormatError):
        decode(value)
    with pytest.raises(FormatError):
        decode(value, shape=(1, 7))
    assert not trap.exists()


@pytest.mark.parametrize("dtype", ["float32", "int8", "uint32", "bool"])
def test_other_types_are_no_images(dtype: str) -> None:
    with pytest.raises(FormatError, match=r"no image|samples of type"):
        decode(ndarray_cframe(np.zeros((4, 4), dtype)))
    with pytest.raises(FormatError):
        decode(blosc2.pack_array2(np.zeros((4, 4), dtype)))


def test_a_structured_type_is_no_image() -> None:
    with pytest.raises(FormatError):
        decode(blosc2.pack_array2(np.zeros((4, 4), [("a", "u1"), ("b", "u2")])))


@pytest.mark.parametrize("shape", [(400,), (2, 2, 2, 2)])
def test_other_numbers_of_dimensions_are_no_images(shape: tuple[int, ...]) -> None:
    with pytest.raises(FormatError):
        decode(ndarray_cframe(np.zeros(shape, np.uint8)))


def test_a_codec_that_does_not_guard_itself_is_refused() -> None:
    image = np.kron(SMALL, np.ones((8, 8), np.uint8))
    frame = blosc2.asarray(image, cparams={"codec": blosc2.Codec.BLOSCLZ}).to_cframe()
    with pytest.raises(FormatError, match="codec"):
        decode(frame)


@pytest.mark.parametrize("write", [ndarray_cframe, blosc2.pack_array2])
def test_a_cut_frame_is_an_error(write: Callable[[np.ndarray], bytes]) -> None:
    frame = write(SMALL)
    for length in [*range(10, 100), len(frame) // 2, len(frame) - 1]:
        with pytest.raises(FormatError):
            decode(frame[:length])


@pytest.mark.parametrize("offset", [30, 58])
def test_sizes_beyond_all_bounds_are_refused(offset: int) -> None:
    frame = bytearray(ndarray_cframe(SMALL))
    layout = ">q" if offset == 30 else ">i"
    struct.pack_into(layout, frame, offset, 2_000_000_000)
    with pytest.raises(UnsafeInputError):
        decode(bytes(frame))


def test_a_shape_beyond_all_bounds_is_refused() -> None:
    frame = bytearray(ndarray_cframe(SMALL))
    at = frame.index(b"b2nd")
    side = frame.index(struct.pack(">q", 40), at)
    struct.pack_into(">q", frame, side, 1 << 40)
    with pytest.raises(UnsafeInputError):
        decode(bytes(frame))


@given(st.data())
@settings(max_examples=400, deadline=None)
def test_a_damaged_frame_gives_an_error_or_an_image(data: st.DataObject) -> None:
    """blosc2 itself would end the process."""
    write = data.draw(st.sampled_from([ndarray_cframe, ndarray_in_many_chunks, blosc2.pack_array2]))
    frame = bytearray(write(SMALL))
    edges = st.one_of(st.integers(0, 260), st.integers(len(frame) - 300, len(frame) - 1))
    for _ in range(data.draw(st.integers(1, 4))):
        frame[data.draw(edges)] = data.draw(st.integers(0, 255))
    with contextlib.suppress(FormatError):
        assert decode(bytes(frame)).dtype.kind == "u"


def test_one_channel_is_no_channel() -> None:
    assert decode(ndarray_cframe(SMALL[:, :, None])).shape == SMALL.shape
