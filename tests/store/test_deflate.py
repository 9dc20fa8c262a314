from __future__ import annotations

import struct
import threading

import blosc2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from aqqua.store.chunk import inflate
from aqqua.store.deflate import deflate

RNG = np.random.default_rng(0)
HEADER = struct.Struct("<BBBBiii6sBB6sBB")

SHAPES = st.tuples(st.integers(1, 60), st.integers(1, 60))
KINDS = st.sampled_from(["uint8", "<u2"])
NOISE = KINDS.flatmap(lambda kind: hnp.arrays(kind, SHAPES))
CONSTANT = st.builds(
    lambda kind, shape, value: np.full(shape, value % (1 << 8 * np.dtype(kind).itemsize), kind),
    KINDS,
    SHAPES,
    st.sampled_from([0, 1, 127, 128, 255, 256, 0x1212, 0x1234, 0xFFFF]),
)
SMOOTH = st.builds(
    lambda kind, shape, step: (np.add.outer(np.arange(shape[0]), np.arange(shape[1])) // step).astype(kind),
    KINDS,
    SHAPES,
    st.integers(1, 40),
)

EXAMPLES = {
    "frame": np.kron(RNG.integers(0, 200, (6, 5), np.uint8), np.ones((4, 4), np.uint8)),
    "frame of 16 bits": (RNG.integers(0, 5, (12, 13)) * 300).astype("<u2"),
    "stored": RNG.integers(0, 256, (90, 70), np.uint8),
    "16 bits stored": RNG.integers(0, 1 << 16, (30, 30), np.uint16),
    "zero": np.zeros((12, 12), np.uint8),
    "16 bits zero": np.zeros((12, 12), np.uint16),
    "run": np.full((12, 12), 137, np.uint8),
    "run of 16 bits": np.full((9, 9), 0x1212, np.uint16),
    "constant, no run": np.full((9, 9), 0x1234, np.uint16),
    "large and constant": np.full((700, 900), 3, np.uint8),
    "large": RNG.normal(100, 3, (700, 900)).astype(np.uint8),
}


@given(st.one_of(NOISE, CONSTANT, SMOOTH))
@settings(max_examples=300, deadline=None)
def test_blosc2_and_we_read_what_was_written(image: np.ndarray) -> None:
    chunk = deflate(image)
    assert blosc2.decompress2(chunk) == image.tobytes()
    assert bytes(inflate(memoryview(chunk), image.nbytes, None)) == image.tobytes()
    assert len(chunk) <= 32 + image.nbytes


@pytest.mark.parametrize("name", EXAMPLES)
def test_header_is_the_one_blosc2_writes(name: str) -> None:
    image = EXAMPLES[name]
    ours, theirs = deflate(image), _by_blosc2(image)
    mine, other = list(HEADER.unpack_from(ours)), list(HEADER.unpack_from(theirs))
    assert mine.pop(6) == len(ours)
    assert other.pop(6) == len(theirs)
    assert mine == other
    assert len(ours) <= 1.03 * len(theirs)


@given(st.lists(st.sampled_from(sorted(EXAMPLES)), min_size=1, max_size=6))
@settings(max_examples=20, deadline=None)
def test_chunk_does_not_depend_on_what_was_written_before(names: list[str]) -> None:
    fresh: list[bytes] = []
    thread = threading.Thread(target=lambda: fresh.append(deflate(EXAMPLES[names[-1]])))
    thread.start()
    thread.join()
    assert [deflate(EXAMPLES[name]) for name in names][-1] == fresh[0]


def _by_blosc2(image: np.ndarray) -> bytes:
    last = blosc2.Filter.SHUFFLE if image.itemsize == 2 else blosc2.Filter.NOFILTER
    return bytes(
        blosc2.compress2(
            image,
            typesize=image.itemsize,
            codec=blosc2.Codec.ZSTD,
            clevel=5,
            blocksize=image.nbytes,
            splitmode=blosc2.SplitMode.NEVER_SPLIT,
            filters=[*[blosc2.Filter.NOFILTER] * 5, last],
            filters_meta=[0] * 6,
            nthreads=1,
        )
    )
