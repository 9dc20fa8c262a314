"""A hash of 64 bits that says what an image looks like, and how to find those that differ in few bits.

The hash is the signs of 64 low frequencies of the cosine transform (Zauner 2010, "Implementation and benchmarking of
perceptual image hash functions"), of the image without its background. So brightness and contrast do not matter;
a mirrored image has the same hash but for known bits, and a negative all of them inverted.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from aqqua.curate.content import cut
from aqqua.curate.gray import Gray, background, box_mean, gray, noise, resized

__all__ = ["HASH_VERSION", "MAX_BITS", "MIRRORS", "close_pairs", "hamming", "perceptual_hash"]

HASH_VERSION = 1
"""Changes whenever the same image gives another hash."""

_SIDE, _LOW = 32, 8
_RADII = 2.0
_FAINT = 0.15
"""What is fainter than this share of the contrast does not move the window."""
_BANDS, _BAND_BITS = 4, 16
MAX_BITS = 7
"""Two hashes that differ in at most 7 bits differ in at most one bit in at least one of their four bands."""
_ROWS = 1 << 20

Hashes = NDArray[np.uint64]


def perceptual_hash(pixels: NDArray[np.generic]) -> int:
    """64 bits of an image; a burnt-in scale bar does not count.

    Args:
        pixels: (h, w) or (h, w, channels), uint8 or uint16.
    """
    image = gray(cut(pixels))
    water = background(image)
    small = _window(image - np.float32(water), noise(image)).astype(np.float64)
    cosines = _cosines()
    low = cosines @ small @ cosines[:_LOW].T
    # Not the mean, which is almost never negative, but one frequency more.
    return _packed(np.append(low[:_LOW].ravel()[1:], low[_LOW, 0]) > 0)


def _window(image: Gray, sigma: float) -> Gray:
    """What surrounds the object, 32 × 32: as far as twice its mean radius around its centre of mass.

    So a shift, a margin or a cropped border change little.

    Args:
        image: gray values without the background.
        sigma: noise.
    """
    away = np.abs(box_mean(image))
    weight = np.maximum(away - np.float32(max(sigma, _FAINT * float(away.max()))), 0)
    total = float(weight.sum())
    if total <= 0:
        return resized(image, _SIDE, _SIDE)
    y, x = np.arange(image.shape[0]), np.arange(image.shape[1])
    down, across = weight.sum(axis=1), weight.sum(axis=0)
    middle_y, middle_x = float(down @ y) / total, float(across @ x) / total
    variance = float(down @ (y - middle_y) ** 2 + across @ (x - middle_x) ** 2) / total
    half = max(_RADII * variance**0.5, 4.0)
    pad = int(max(half - min(middle_y, middle_x), half + middle_y - len(y), half + middle_x - len(x), 0)) + 2
    padded = Image.fromarray(np.pad(image, pad))
    left, top = middle_x + 0.5 + pad - half, middle_y + 0.5 + pad - half
    box = (left, top, left + 2 * half, top + 2 * half)
    return np.asarray(padded.resize((_SIDE, _SIDE), Image.Resampling.BILINEAR, box=box), np.float32)


def _packed(bits: NDArray[np.bool_]) -> int:
    return int(np.packbits(bits).view(">u8")[0])


@cache
def _cosines() -> NDArray[np.float64]:
    """The lowest frequencies of the cosine transform (DCT-II) of 32 values, as rows."""
    frequency, place = np.arange(_LOW + 1)[:, None], np.arange(_SIDE)[None, :]
    return np.cos(np.pi * frequency * (2 * place + 1) / (2 * _SIDE))


@cache
def _mirror_mask(rows: bool, columns: bool) -> int:
    """The bits that mirroring inverts: odd frequencies change their sign."""
    y, x = np.indices((_LOW, _LOW))
    odd = ((y % 2 == 1) & rows) ^ ((x % 2 == 1) & columns)
    return _packed(np.append(odd.ravel()[1:], False))


MIRRORS = {
    "left-right": _mirror_mask(False, True),
    "up-down": _mirror_mask(True, False),
    "both": _mirror_mask(True, True),
}
"""Exclusive or with one of these is the hash of the mirrored image."""


def hamming(a: Hashes, b: Hashes) -> NDArray[np.uint8]:
    """Number of bits in which hashes differ."""
    return np.bitwise_count(np.bitwise_xor(a, b))


def close_pairs(
    hashes: Hashes, others: Hashes | None = None, *, bits: int = MAX_BITS
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Find all pairs that differ in few bits, by multi-index hashing (Norouzi et al. 2012, CVPR, "Fast search in …").

    Each of four bands of 16 bits is sorted once and looked up with none and each one of its bits inverted: 68 look-ups
    in 65,536 drawers per hash, whatever their number. A pair may come more than once.

    Args:
        hashes: distinct ones; else every pair of equal ones comes too.
        others: look in these; without them in the hashes themselves, with the lower place of a pair first.
        bits: at most so many differ, up to 7.

    Yields:
        places in `hashes` and places in `others` (or `hashes`), in blocks of about a million candidates.
    """
    within = others is None
    others = hashes if others is None else others
    flips = np.array([0, *(1 << bit for bit in range(_BAND_BITS))] if bits >= _BANDS else [0], np.uint64)
    for band in range(_BANDS):
        shift = np.uint64(band * _BAND_BITS)
        mine, theirs = _band(hashes, shift), _band(others, shift)
        order = np.argsort(theirs, kind="stable")
        drawers = theirs[order]
        for flip in flips:
            probe = mine ^ flip
            first, stop = np.searchsorted(drawers, probe, "left"), np.searchsorted(drawers, probe, "right")
            for left, place in _spread(first, stop):
                right = order[place]
                near = hamming(hashes[left], others[right]) <= bits
                near &= (left < right) | (not within)
                if near.any():
                    yield left[near], right[near]


def _band(hashes: Hashes, shift: np.uint64) -> Hashes:
    return np.bitwise_and(np.right_shift(hashes, shift), np.uint64((1 << _BAND_BITS) - 1))


def _spread(first: NDArray[np.int64], stop: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Each row with all places of its drawer, a million at a time."""
    count = stop - first
    rows = np.flatnonzero(count)
    ends = np.cumsum(count[rows])
    begin = 0
    while begin < len(rows):
        done = int(ends[begin - 1]) if begin else 0
        end = max(int(np.searchsorted(ends, done + _ROWS, "right")), begin + 1)
        chosen = rows[begin:end]
        sizes = count[chosen]
        offset = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        yield np.repeat(chosen, sizes), np.repeat(first[chosen], sizes) + offset
        begin = end
