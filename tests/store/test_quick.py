from __future__ import annotations

import struct
from threading import Thread

import numpy as np
import pytest
import xxhash
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from aqqua.errors import FormatError
from aqqua.store.chunk import MAX_IMAGE_BYTES
from aqqua.store.codec import decode, encode
from aqqua.store.quick import quick

RNG = np.random.default_rng(0)
GRAY = np.kron(RNG.integers(0, 200, (7, 5), np.uint8), np.ones((9, 9), np.uint8))
RGB = np.stack([GRAY, GRAY // 2, 255 - GRAY], axis=-1)
HEAD = "<4siii6s9xBii"


def signed(chunk: bytes, height: int, width: int, kind: int = 1) -> bytes:
    """A record with a right checksum around any chunk."""
    return chunk + struct.pack("<2sBBHHQ", b"AQ", 1, kind, height, width, xxhash.xxh3_64_intdigest(chunk))


@pytest.mark.parametrize("image", [GRAY, RGB], ids=["gray", "rgb"])
@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_ordinary_records_take_the_short_way(image: np.ndarray, kind: type) -> None:
    pixels = quick(kind(encode(image)))
    assert pixels is not None
    np.testing.assert_array_equal(pixels, image)
    assert pixels.dtype == np.uint8
    assert pixels.flags.writeable
    assert pixels.flags.c_contiguous


OTHERS = {
    "16 bits": (GRAY.astype(np.uint16) * 200),
    "stored": RNG.integers(0, 256, (9, 7), np.uint8),
    "zero": np.zeros((40, 40), np.uint8),
    "one value": np.full((40, 40), 9, np.uint8),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_kinds_are_left_to_the_long_way(name: str) -> None:
    assert quick(encode(OTHERS[name])) is None
    np.testing.assert_array_equal(decode(encode(OTHERS[name])), OTHERS[name])


def test_any_flipped_bit_is_left_to_the_long_way() -> None:
    value = encode(GRAY)
    for bit in range(8 * len(value)):
        wrong = bytearray(value)
        wrong[bit // 8] ^= 1 << bit % 8
        assert quick(bytes(wrong)) is None, bit


@given(st.binary(max_size=300))
@settings(max_examples=300)
def test_noise_is_nothing(value: bytes) -> None:
    assert quick(value) is None


@pytest.mark.parametrize("cut", [1, 16, 17, 56, 100])
def test_a_cut_record_is_nothing(cut: int) -> None:
    value = encode(GRAY)
    assert quick(value[:-cut]) is None
    assert quick(value[cut:]) is None


def test_a_frame_that_claims_more_than_the_image_is_never_opened() -> None:
    """With a right checksum, as somebody with bad intentions would make it: 512 MiB of zeros in a few KiB."""
    frame = zstandard.ZstdCompressor().compress(bytes(MAX_IMAGE_BYTES))
    chunk = struct.pack(HEAD, b"\x05\x01\x95\x01", *[100 * 1000] * 2, 40 + len(frame), bytes(6), 0, 36, len(frame))
    assert quick(signed(chunk + frame, 100, 1000)) is None
    with pytest.raises(FormatError):
        decode(signed(chunk + frame, 100, 1000))


def test_sides_that_claim_too_much_are_refused() -> None:
    frame = zstandard.ZstdCompressor().compress(bytes(1000))
    nbytes = 40_000 * 40_000
    chunk = struct.pack(HEAD, b"\x05\x01\x95\x01", nbytes, nbytes, 40 + len(frame), bytes(6), 0, 36, len(frame))
    assert quick(signed(chunk + frame, 40_000, 40_000)) is None


def test_a_frame_that_does_not_decode_is_left_to_the_long_way() -> None:
    value = encode(GRAY)
    head, frame = value[:40], bytearray(value[40:-16])
    frame[20:60] = bytes(40)
    wrong = signed(head + frame, *GRAY.shape)
    assert quick(wrong) is None
    with pytest.raises(FormatError):
        decode(wrong)


def test_threads_have_a_context_each() -> None:
    images = [np.kron(RNG.integers(0, 200, (6, 5), np.uint8), np.ones((k, k), np.uint8)) for k in range(8, 24)]
    values, wrong = [encode(image) for image in images], []

    def work() -> None:
        for _ in range(30):
            if any(not np.array_equal(decode(value), image) for value, image in zip(values, images, strict=True)):
                wrong.append(1)

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_what_is_written_to_one_image_is_in_no_other() -> None:
    """The memory of an image is its own."""
    value = encode(GRAY)
    one, other = quick(value), quick(value)
    assert one is not None
    assert other is not None
    one[...] = 0
    np.testing.assert_array_equal(other, GRAY)
    np.testing.assert_array_equal(quick(value), GRAY)
