from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aqqua.curate.hashing import MAX_BITS, MIRRORS, close_pairs, hamming, perceptual_hash
from tests.make.captures import capture, compressed

SEEDS = st.integers(0, 10_000)


def bits(a: int, b: int) -> int:
    return (a ^ b).bit_count()


@given(SEEDS)
@settings(max_examples=30)
def test_a_mirrored_image_has_the_same_hash_but_for_known_bits(seed: int) -> None:
    image = capture(seed)
    told = perceptual_hash(image)
    assert bits(perceptual_hash(image[:, ::-1]), told ^ MIRRORS["left-right"]) <= 1
    assert bits(perceptual_hash(image[::-1]), told ^ MIRRORS["up-down"]) <= 1
    assert bits(perceptual_hash(image[::-1, ::-1]), told ^ MIRRORS["both"]) <= 1


@given(SEEDS)
@settings(max_examples=30)
def test_the_negative_has_all_bits_inverted(seed: int) -> None:
    image = capture(seed)
    assert bits(perceptual_hash(image), perceptual_hash(255 - image)) >= 62


@given(SEEDS, st.sampled_from(["brightness", "contrast", "shift", "jpeg", "sixteen", "colour"]))
@settings(max_examples=60)
def test_what_does_not_matter_changes_few_bits(seed: int, change: str) -> None:
    image = capture(seed)
    shifted = np.pad(image, ((1, 0), (2, 0)), mode="edge")[:-1, :-2]
    changed = {
        "brightness": (image - 30).astype(np.uint8),
        "contrast": (image * 0.8).astype(np.uint8),
        "shift": shifted,
        "jpeg": compressed(image),
        "sixteen": image.astype(np.uint16) * 257,
        "colour": np.stack([image] * 3, axis=-1),
    }[change]
    assert bits(perceptual_hash(image), perceptual_hash(changed)) <= 12


def test_other_objects_have_other_hashes() -> None:
    hashes = np.array([perceptual_hash(capture(seed)) for seed in range(60)], np.uint64)
    distance = hamming(hashes[:, None], hashes[None, :])[np.triu_indices(60, 1)]
    assert np.median(distance) > 20


@pytest.mark.parametrize("shape", [(1, 1), (2, 300), (300, 1), (5, 5)])
def test_odd_shapes_have_a_hash(shape: tuple[int, int]) -> None:
    assert 0 <= perceptual_hash(np.full(shape, 7, np.uint8)) < 2**64


@given(st.integers(0, MAX_BITS), st.integers(0, 1000))
@settings(max_examples=40)
def test_close_pairs_are_all_pairs_that_are_close(limit: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    base = rng.integers(0, 2**63, 12, dtype=np.uint64)
    flipped = base.copy()
    for row in range(len(base)):
        for bit in rng.choice(64, rng.integers(0, 11), replace=False):
            flipped[row] ^= np.uint64(1) << np.uint64(bit)
    hashes = np.concatenate([base, flipped])
    found = {
        (int(a), int(b)) for left, right in close_pairs(hashes, bits=limit) for a, b in zip(left, right, strict=True)
    }
    close = hamming(hashes[:, None], hashes[None, :]) <= limit
    assert found == {(int(a), int(b)) for a, b in zip(*np.nonzero(np.triu(close, 1)), strict=True)}
    across = {
        (int(a), int(b))
        for left, right in close_pairs(base, flipped, bits=limit)
        for a, b in zip(left, right, strict=True)
    }
    assert across == {
        (int(a), int(b)) for a, b in zip(*np.nonzero(hamming(base[:, None], flipped[None, :]) <= limit), strict=True)
    }
