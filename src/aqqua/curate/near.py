"""Near duplicates: the same capture saved again – compressed, brightened, cropped or shifted by little, mirrored."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aqqua.curate.compare import Likeness, compare
from aqqua.curate.hashing import MAX_BITS, MIRRORS, close_pairs, hamming
from aqqua.store.dataset import Dataset

__all__ = ["NearPair", "near_pairs"]

_SIZE = 4
"""Width and height may differ by so many pixels."""
_CELL = 16
_ALIKE = 32
"""Of more images with one and the same hash, these many are compared with others, the rest only with the first."""
_HELD = 4096

Places = NDArray[np.int64]


@dataclass(frozen=True)
class NearPair:
    """Two images of one capture.

    Args:
        a: row of the first in the table of all.
        b: row of the other.
        bits: in which their hashes differ.
        mirror: how the second is mirrored, None if not.
        likeness: of their pixels.
    """

    a: int
    b: int
    bits: int
    mirror: str | None
    likeness: Likeness


def near_pairs(
    datasets: Sequence[Dataset], table: pl.DataFrame, *, bits: int = MAX_BITS, mirrored: bool = False
) -> Iterator[NearPair]:
    """Find pairs by hash and size, and compare their pixels.

    Args:
        datasets: the datasets.
        table: `dataset`, `uid`, `phash`, `width`, `height` of all images; a row per image.
        bits: hashes may differ in so many.
        mirrored: look for mirrored copies too.
    """
    phash = table["phash"].to_numpy()
    pixels = _Pixels(datasets, table)
    masks: list[tuple[str | None, int]] = [(None, 0), *(MIRRORS.items() if mirrored else ())]
    for mirror, mask in masks:
        pairs = _candidates(phash, table["width"].to_numpy(), table["height"].to_numpy(), bits, np.uint64(mask))
        for a, b in pairs:
            likeness = compare(pixels[a], _mirrored(pixels[b], mirror))
            if likeness is not None and likeness.same:
                distance = int(hamming(phash[a : a + 1] ^ np.uint64(mask), phash[b : b + 1])[0])
                yield NearPair(a, b, distance, mirror, likeness)


def _candidates(
    phash: NDArray[np.uint64], width: Places, height: Places, bits: int, mask: np.uint64
) -> list[tuple[int, int]]:
    """Rows of images with close hashes and nearly the same size, each pair once, in the order of the first row.

    Images are sorted into cells of 16 × 16 sizes; two sizes that differ by at most 4 px lie in one cell of at least one
    of four grids, half a cell apart.
    """
    found: list[NDArray[np.int64]] = []
    for y_off in (0, _CELL // 2):
        for x_off in (0, _CELL // 2):
            cell = ((height.astype(np.int64) + y_off) // _CELL) << 32 | ((width.astype(np.int64) + x_off) // _CELL)
            order = np.argsort(cell, kind="stable")
            cuts = np.flatnonzero(np.diff(cell[order])) + 1
            for rows in np.split(order, cuts):
                if len(rows) > 1:
                    found += list(_in_cell(np.sort(rows), phash, width, height, bits, mask))
    if not found:
        return []
    return [(int(a), int(b)) for a, b in np.unique(np.concatenate(found), axis=0)]


def _in_cell(
    rows: Places, phash: NDArray[np.uint64], width: Places, height: Places, bits: int, mask: np.uint64
) -> Iterator[NDArray[np.int64]]:
    few, rest = _few_alike(rows, phash)
    chosen = phash[few]
    others = None if mask == 0 else chosen
    blocks = [(few[left], few[right]) for left, right in close_pairs(chosen ^ mask, others, bits=bits)]
    for left, right in [*blocks, *([rest] if mask == 0 and len(rest[0]) else [])]:
        near = (np.abs(width[left] - width[right]) <= _SIZE) & (np.abs(height[left] - height[right]) <= _SIZE)
        near &= left != right
        pairs = np.stack([left[near], right[near]], axis=1)
        yield np.unique(np.sort(pairs, axis=1), axis=0)


def _few_alike(rows: Places, phash: NDArray[np.uint64]) -> tuple[Places, tuple[Places, Places]]:
    """Rows without the surplus of those with the same hash; and the surplus, each beside the first of its hash."""
    order = np.argsort(phash[rows], kind="stable")
    ordered = phash[rows][order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    first = np.repeat(starts, np.diff(np.append(starts, len(rows))))
    surplus = np.arange(len(rows)) - first >= _ALIKE
    return np.sort(rows[order[~surplus]]), (rows[order[first[surplus]]], rows[order[surplus]])


def _mirrored(pixels: NDArray[np.generic], mirror: str | None) -> NDArray[np.generic]:
    rows = slice(None, None, -1 if mirror in {"up-down", "both"} else 1)
    columns = slice(None, None, -1 if mirror in {"left-right", "both"} else 1)
    return np.asarray(pixels[rows, columns])


class _Pixels:
    """Pixels by row of the table; the last few thousand stay at hand."""

    def __init__(self, datasets: Sequence[Dataset], table: pl.DataFrame) -> None:
        self._datasets = datasets
        self._number, self._uid = table["dataset"].to_list(), table["uid"].to_list()
        self._held: OrderedDict[int, NDArray[np.generic]] = OrderedDict()

    def __getitem__(self, row: int) -> NDArray[np.generic]:
        if row in self._held:
            self._held.move_to_end(row)
            return self._held[row]
        pixels: NDArray[np.generic] = self._datasets[self._number[row]].image(self._uid[row])
        self._held[row] = pixels
        if len(self._held) > _HELD:
            self._held.popitem(last=False)
        return pixels
