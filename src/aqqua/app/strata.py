"""Points in nested random strata: any viewport gets an unbiased random sample, however many points there are.

All points are put in one random order (their *rank*). The first 65,536 are stratum 0, and each further stratum makes
the whole four times as large; inside a stratum the points are sorted along a Morton curve, so that a rectangle is a few
hundred slices. A viewport gets the points of smallest rank in it: what is shown at one zoom is still there at the next.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from aqqua.app.arrays import load_array, save_array

__all__ = ["SIDE", "Rectangle", "Sample", "Strata"]

SIDE = 1 << 16
FIRST = 1 << 16
GROWTH = 4
DETAIL = 5
"""The border of a rectangle is covered by cells of about 1/32 of its side; only points in these are tested singly."""


class Rectangle(NamedTuple):
    """A closed rectangle on the 65,536 × 65,536 grid of quantised positions."""

    x0: int
    y0: int
    x1: int
    y1: int


class Sample(NamedTuple):
    """Points of a viewport, in random order, and how many there are in all."""

    rows: np.ndarray
    x: np.ndarray
    y: np.ndarray
    total: int


@dataclass(frozen=True)
class Strata:
    """Points sorted for quick random samples of rectangles.

    Args:
        code: Morton code of each point, ascending within its stratum (u32).
        row: the point's row in the dataset (u32).
        rank: its place in the random order (u32).
    """

    code: np.ndarray
    row: np.ndarray
    rank: np.ndarray

    @classmethod
    def build(cls, x: np.ndarray, y: np.ndarray, seed: int = 0) -> Strata:
        """Sort points; x and y are u16 positions."""
        n = len(x)
        row = np.random.default_rng(seed).permutation(n).astype(np.uint32)
        code = morton(x[row], y[row])
        rank = np.arange(n, dtype=np.uint32)
        for low, high in stratum_bounds(n):
            order = low + np.argsort(code[low:high], kind="stable")
            code[low:high], row[low:high], rank[low:high] = code[order], row[order], rank[order]
        return cls(code, row, rank)

    def save(self, folder: Path) -> None:
        """Write three arrays into a folder."""
        for name in ("code", "row", "rank"):
            save_array(folder, f"strata_{name}", getattr(self, name))

    @classmethod
    def load(cls, folder: Path) -> Strata:
        """Map the arrays of a folder into memory."""
        return cls(*(load_array(folder, f"strata_{name}") for name in ("code", "row", "rank")))

    def __len__(self) -> int:
        return len(self.code)

    def sample(self, view: Rectangle, budget: int, mask: np.ndarray | None = None) -> Sample:
        """A random sample of at most `budget` points in a rectangle, and the exact number of points in it.

        Args:
            view: the rectangle.
            budget: most points to return.
            mask: which rows count (bool, in the order of the dataset); None: all.
        """
        cells = cover(view)
        found: list[np.ndarray] = []
        total = 0
        for low, high in stratum_bounds(len(self)):
            places = self._places(low, high, cells, view, mask)
            if total < budget:
                found.append(self._smallest_ranks(places, budget - total))
            total += len(places)
        at = np.concatenate(found) if found else np.zeros(0, np.int64)
        at = at[np.argsort(self.rank[at])]
        x, y = unmorton(self.code[at])
        return Sample(self.row[at], x, y, total)

    def _places(self, low: int, high: int, cells: Cells, view: Rectangle, mask: np.ndarray | None) -> np.ndarray:
        """Places of the points of one stratum that are in the view."""
        starts = low + np.searchsorted(self.code[low:high], cells.first, "left")
        stops = low + np.searchsorted(self.code[low:high], cells.last, "right")
        inside = _ranges(starts[cells.whole], stops[cells.whole])
        border = _ranges(starts[~cells.whole], stops[~cells.whole])
        x, y = unmorton(self.code[border])
        border = border[(x >= view.x0) & (x <= view.x1) & (y >= view.y0) & (y <= view.y1)]
        places = np.concatenate([inside, border])
        return places if mask is None else places[mask[self.row[places]]]

    def _smallest_ranks(self, places: np.ndarray, budget: int) -> np.ndarray:
        if len(places) <= budget:
            return places
        return places[np.argpartition(self.rank[places], budget)[:budget]]


class Cells(NamedTuple):
    """Stretches of the Morton curve that cover a rectangle; `whole` ones lie entirely in it."""

    first: np.ndarray
    last: np.ndarray
    whole: np.ndarray


def cover(view: Rectangle) -> Cells:
    """Cover a rectangle with stretches of the Morton curve, coarse inside and fine at its border."""
    if view.x1 < view.x0 or view.y1 < view.y0:
        return Cells(np.zeros(0, np.uint32), np.zeros(0, np.uint32), np.zeros(0, bool))
    largest = max(view.x1 - view.x0, view.y1 - view.y0) + 1
    finest = max(0, largest.bit_length() - 1 - DETAIL)
    x = y = np.zeros(1, np.int64)
    firsts, bits, wholes = [], [], []
    for bit in range(16, finest - 1, -1):
        size = 1 << bit
        touching = (x <= view.x1) & (x + size > view.x0) & (y <= view.y1) & (y + size > view.y0)
        x, y = x[touching], y[touching]
        whole = (x >= view.x0) & (x + size - 1 <= view.x1) & (y >= view.y0) & (y + size - 1 <= view.y1)
        taken = whole if bit > finest else np.ones(len(x), bool)
        firsts.append(morton(x[taken], y[taken]))
        bits.append(np.full(int(taken.sum()), bit))
        wholes.append(whole[taken])
        x, y, half = x[~taken], y[~taken], size >> 1
        x = (x[:, None] + np.array([0, half, 0, half])).ravel()
        y = (y[:, None] + np.array([0, 0, half, half])).ravel()
    first = np.concatenate(firsts).astype(np.int64)
    last = first + (np.int64(1) << (2 * np.concatenate(bits))) - 1
    return _merge(first, last, np.concatenate(wholes))


def _merge(first: np.ndarray, last: np.ndarray, whole: np.ndarray) -> Cells:
    """Join stretches that follow each other and are of one kind."""
    order = np.argsort(first)
    first, last, whole = first[order], last[order], whole[order]
    new = np.ones(len(first), bool)
    new[1:] = (first[1:] != last[:-1] + 1) | (whole[1:] != whole[:-1])
    end = np.append(np.flatnonzero(new)[1:] - 1, len(first) - 1)
    return Cells(first[new].astype(np.uint32), last[end].astype(np.uint32), whole[new])


def stratum_bounds(n: int) -> list[tuple[int, int]]:
    """Where each stratum begins and ends."""
    bounds, low, high = [], 0, FIRST
    while low < n:
        bounds.append((low, min(high, n)))
        low, high = high, high * GROWTH
    return bounds


def _ranges(starts: np.ndarray, stops: np.ndarray) -> np.ndarray:
    """All integers of many ranges, one after the other."""
    lengths = stops - starts
    if not len(lengths) or not lengths.sum():
        return np.zeros(0, np.int64)
    offset = np.repeat(starts - np.concatenate([[0], np.cumsum(lengths)[:-1]]), lengths)
    return np.asarray(offset + np.arange(lengths.sum()))


def morton(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Interleave the bits of two u16 coordinates (x in the even places)."""
    return np.asarray(_spread(x) | (_spread(y) << np.uint32(1)))


def unmorton(code: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The two u16 coordinates of Morton codes."""
    return _gather(code), _gather(code >> np.uint32(1))


_STEPS = ((8, 0x00FF00FF), (4, 0x0F0F0F0F), (2, 0x33333333), (1, 0x55555555))


def _spread(value: np.ndarray) -> np.ndarray:
    out = value.astype(np.uint32)
    for shift, keep in _STEPS:
        out = (out | (out << np.uint32(shift))) & np.uint32(keep)
    return out


def _gather(value: np.ndarray) -> np.ndarray:
    out = value & np.uint32(0x55555555)
    for shift, keep in ((1, 0x33333333), (2, 0x0F0F0F0F), (4, 0x00FF00FF), (8, 0x0000FFFF)):
        out = (out | (out >> np.uint32(shift))) & np.uint32(keep)
    return out.astype(np.uint16)
