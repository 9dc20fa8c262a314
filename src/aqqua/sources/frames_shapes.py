"""Outlines of objects in a frame – box, polygons, run lengths – and exactly which pixels they cover.

Coordinates are in pixels from the upper left corner of the frame; pixel (column 3, row 5) reaches from (3, 5) to
(4, 6). A pixel belongs to a polygon if its centre does (even-odd rule); several polygons of one object are united.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

import numpy as np

from aqqua.errors import SourceError

__all__ = ["MAX_POINTS", "Area", "Box", "Polygons", "Runs", "Shape", "circle", "ellipse", "shape_from_json"]

MAX_POINTS = 1 << 18
"""An object's outline may have at most this many corners."""
_DRAW = "draw the outline again, or remove this annotation"
_FARTHEST_PX = 1e9  # beyond this (and for nan) a coordinate is no place in an image
_CORNERS = 64  # of a polygon that stands for a circle: its area is 0.2 % too small


@dataclass(frozen=True)
class Area:
    """A rectangle of whole pixels.

    Args:
        x: first column.
        y: first row.
        width: number of columns.
        height: number of rows.
    """

    x: int
    y: int
    width: int
    height: int

    def grown(self, margin: int, width: int, height: int) -> Area:
        """The rectangle with a margin, as far as the frame reaches."""
        x, y = max(self.x - margin, 0), max(self.y - margin, 0)
        right, bottom = min(self.x + self.width + margin, width), min(self.y + self.height + margin, height)
        return Area(x, y, right - x, bottom - y)


class Shape(Protocol):
    """What an annotation says about where its object is."""

    def extent(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom edge, pixels.

        Raises:
            SourceError: it is no outline of anything.
        """

    def fill(self, area: Area) -> np.ndarray | None:
        """Which pixels of an area are the object's, bool (height, width); None if only a box is known."""

    def to_json(self) -> str:
        """The shape as text, for `shape_from_json`."""


@dataclass(frozen=True)
class Box:
    """A box; what in it is the object is not known."""

    x: float
    y: float
    width: float
    height: float

    def extent(self) -> tuple[float, float, float, float]:
        """Its edges."""
        if not all(abs(value) <= _FARTHEST_PX for value in (self.x, self.y, self.width, self.height)):
            raise SourceError("the box has a corner that is no number", do=_DRAW)
        if self.width <= 0 or self.height <= 0:
            raise SourceError(f"the box is empty: {self.width:g} × {self.height:g} pixels", do=_DRAW)
        return self.x, self.y, self.x + self.width, self.y + self.height

    def fill(self, area: Area) -> np.ndarray | None:
        """Nothing is known about single pixels."""
        return None

    def to_json(self) -> str:
        """{"box": [x, y, width, height]}."""
        return json.dumps({"box": [self.x, self.y, self.width, self.height]})


@dataclass(frozen=True)
class Polygons:
    """One or several polygons of one object.

    Args:
        rings: for each polygon x1, y1, x2, y2 …
    """

    rings: tuple[tuple[float, ...], ...]

    def extent(self) -> tuple[float, float, float, float]:
        """Edges of the box around all corners."""
        self._check()
        xs = [x for ring in self.rings for x in ring[::2]]
        ys = [y for ring in self.rings for y in ring[1::2]]
        return min(xs), min(ys), max(xs), max(ys)

    def fill(self, area: Area) -> np.ndarray:
        """Pixels whose centre lies in one of the polygons."""
        found = np.zeros((area.height, area.width), bool)
        for ring in self.rings:
            found |= _inside(np.array(ring, np.float64).reshape(-1, 2), area)
        return found

    def to_json(self) -> str:
        """{"polygons": [[x1, y1, …], …]}."""
        return json.dumps({"polygons": self.rings})

    def _check(self) -> None:
        if not self.rings:
            raise SourceError("the outline has no corner", do=_DRAW)
        if sum(map(len, self.rings)) > 2 * MAX_POINTS:
            raise SourceError(f"the outline has more than {MAX_POINTS:,} corners", do="simplify the outline")
        for ring in self.rings:
            if len(ring) % 2:
                raise SourceError("the outline has an x without y", do=_DRAW)
            if not all(abs(value) <= _FARTHEST_PX for value in ring):
                raise SourceError("the outline has a corner that is no number", do=_DRAW)
            corners = set(zip(ring[::2], ring[1::2], strict=True))
            if len(corners) < 3:
                raise SourceError(f"the outline has only {len(corners)} different corners", do=_DRAW)
            if not _encloses(ring):
                raise SourceError("the outline encloses no area: all its corners lie on one line", do=_DRAW)


@dataclass(frozen=True)
class Runs:
    """Run lengths of a whole frame, column by column, as COCO writes them: outside, inside, and so on.

    Args:
        height: of the frame, pixels.
        width: of the frame, pixels.
        counts: lengths of the runs; the first is outside of the object.
    """

    height: int
    width: int
    counts: tuple[int, ...]

    def extent(self) -> tuple[float, float, float, float]:
        """Edges of the box around all runs."""
        self._check()
        ends = np.cumsum(np.array(self.counts, np.int64))
        first, last = ends[0::2][: len(ends) // 2], ends[1::2] - 1
        kept = last >= first
        first, last = first[kept], last[kept]
        if not len(first):
            raise SourceError("the mask is empty", do=_DRAW)
        left, right = int(first[0]) // self.height, int(last[-1]) // self.height + 1
        one = first // self.height == last // self.height  # a run that goes on in the next column has the whole height
        top = int(np.where(one, first % self.height, 0).min())
        bottom = int(np.where(one, last % self.height, self.height - 1).max()) + 1
        return left, top, right, bottom

    def fill(self, area: Area) -> np.ndarray:
        """Pixels inside."""
        values = np.arange(len(self.counts)) % 2 == 1
        whole = np.repeat(values, self.counts).reshape(self.width, self.height)
        return np.ascontiguousarray(whole[area.x : area.x + area.width, area.y : area.y + area.height].T)

    def to_json(self) -> str:
        """{"rle": {"size": [height, width], "counts": […]}}."""
        return json.dumps({"rle": {"size": [self.height, self.width], "counts": self.counts}})

    @classmethod
    def parse(cls, size: Any, counts: Any) -> Runs:
        """Read run lengths, written as numbers or in COCO's compressed letters.

        Raises:
            SourceError: they are neither.
        """
        numbers = _unpacked(counts) if isinstance(counts, str) else counts
        whole = isinstance(numbers, list) and all(isinstance(number, int) for number in numbers)
        sized = isinstance(size, list) and len(size) == 2 and all(isinstance(side, int) for side in size)
        if not (whole and sized):
            raise SourceError("the run lengths of the mask cannot be read", do="export the annotations again")
        return cls(size[0], size[1], tuple(numbers))

    def _check(self) -> None:
        if min(self.counts, default=-1) < 0 or sum(self.counts) != self.height * self.width:
            told = f"the run lengths of the mask do not add up to {self.width} × {self.height} pixels"
            raise SourceError(told, do="export the annotations again")


def shape_from_json(text: str) -> Shape:
    """Read what `Shape.to_json` wrote."""
    told = json.loads(text)
    if "box" in told:
        return Box(*told["box"])
    if "rle" in told:
        return Runs.parse(told["rle"]["size"], told["rle"]["counts"])
    return Polygons(tuple(tuple(ring) for ring in told["polygons"]))


def circle(x: float, y: float, radius: float) -> Polygons:
    """A circle, as a polygon of 64 corners.

    Raises:
        SourceError: its radius is not above zero.
    """
    return ellipse(x, y, (radius, 0.0), (0.0, radius))


def ellipse(x: float, y: float, one: tuple[float, float], two: tuple[float, float]) -> Polygons:
    """An ellipse by its centre and the vectors of its two half axes, as a polygon of 64 corners.

    Raises:
        SourceError: it has no area.
    """
    if not abs(one[0] * two[1] - one[1] * two[0]) > 0:
        raise SourceError("the circle or ellipse has no area", do=_DRAW)
    turns = [2 * math.pi * corner / _CORNERS for corner in range(_CORNERS)]
    ring = [(x + math.cos(t) * one[0] + math.sin(t) * two[0], y + math.cos(t) * one[1] + math.sin(t) * two[1])
            for t in turns]  # fmt: skip
    return Polygons((tuple(value for corner in ring for value in corner),))


def _inside(ring: np.ndarray, area: Area) -> np.ndarray:
    """Even-odd rule at the centres of pixels: every edge flips the pixels to the right of where it crosses a row."""
    flips = np.zeros((area.height, area.width + 1), np.int64)
    ahead = np.roll(ring, -1, axis=0)
    for (x1, y1), (x2, y2) in zip(ring, ahead, strict=True):
        top, bottom = (math.ceil(np.clip(y - area.y - 0.5, -1, area.height)) for y in sorted((y1, y2)))
        rows = np.arange(max(top, 0), max(bottom, 0))
        if len(rows):
            crossing = x1 + (rows + area.y + 0.5 - y1) * ((x2 - x1) / (y2 - y1))
            columns = np.ceil(np.clip(crossing - area.x - 0.5, 0, area.width)).astype(np.int64)
            flips[rows, columns] += 1
    return cast("np.ndarray", np.cumsum(flips[:, :-1], axis=1) % 2 == 1)


def _encloses(ring: Sequence[float]) -> bool:
    """Whether some corner does not lie on the line through the first two different ones."""
    points = np.array(ring, np.float64).reshape(-1, 2)
    away = points - points[0]
    far = away[np.abs(away).sum(axis=1).argmax()]
    return bool((np.abs(away[:, 0] * far[1] - away[:, 1] * far[0]) > 1e-9 * max(1.0, float(np.abs(far).max()))).any())


def _unpacked(text: str) -> list[int]:
    """Run lengths out of COCO's letters: five bits each, the sixth says that more follow, then differences.

    From the fourth number on each is the difference to the one before the last (COCO API, `rleFrString`).
    """
    numbers: list[int] = []
    value = shift = 0
    for letter in text.encode("ascii", "replace"):
        bits = letter - 48
        if not 0 <= bits < 64 or shift > 50:
            raise SourceError("the run lengths of the mask cannot be read", do="export the annotations again")
        value |= (bits & 0x1F) << shift
        shift += 5
        if not bits & 0x20:
            value -= (1 << shift) if bits & 0x10 else 0
            numbers.append(value + (numbers[-2] if len(numbers) > 2 else 0))
            value = shift = 0
    if shift:
        raise SourceError("the run lengths of the mask are cut off", do="export the annotations again")
    return numbers
