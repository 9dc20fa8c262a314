from __future__ import annotations

import contextlib
import struct

import blosc2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aqqua.store.blosclz import unpack, unpack_index


def packed(offsets: np.ndarray, **options: object) -> memoryview:
    chunk = blosc2.compress2(
        offsets,
        typesize=8,
        codec=blosc2.Codec.BLOSCLZ,
        filters=[blosc2.Filter.SHUFFLE],
        filters_meta=[0],
        clevel=9,
        **options,
    )
    return memoryview(chunk)


@pytest.mark.parametrize("count", [20, 100, 2550, 6000, 50_000])
@pytest.mark.parametrize("step", [1, 70_333])
@pytest.mark.parametrize("split", [blosc2.SplitMode.ALWAYS_SPLIT, blosc2.SplitMode.NEVER_SPLIT])
@pytest.mark.parametrize("blocksize", [0, 16 * 1024])
def test_what_blosc2_packs_is_unpacked(count: int, step: int, split: object, blocksize: int) -> None:
    noise = np.random.default_rng(count).integers(0, step, count)
    offsets = np.arange(count, dtype=np.int64) * step + noise
    chunk = packed(offsets, splitmode=split, blocksize=min(blocksize, offsets.nbytes))
    flags, _, nbytes, size, _ = struct.unpack_from("<BBiii", chunk, 2)
    if flags & 2:  # too little to win
        assert len(chunk) == nbytes + 32
        return
    assert unpack_index(chunk, nbytes, size, whole=bool(flags & 16)) == offsets.tobytes()


@given(st.binary(min_size=1, max_size=200), st.integers(0, 500))
@settings(max_examples=300, deadline=None)
def test_garbage_is_an_error_or_bytes_within_bounds(garbage: bytes, size: int) -> None:
    with contextlib.suppress(ValueError, LookupError):
        assert len(unpack(memoryview(garbage), size)) <= size + len(garbage)
