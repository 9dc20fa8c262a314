"""Full frames with annotated objects → ROIs: what all kinds of annotation have in common.

Every annotated object becomes one image: the box around it with a margin, copied pixel for pixel, nothing rescaled. Its
outline, where there is one, is kept as the mask of the image. A frame without annotated objects gives no image: the
dataset holds ROIs, not frames.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from posixpath import basename, dirname, splitext
from typing import Any, ClassVar

import numpy as np
import polars as pl
from PIL import Image

from aqqua.errors import ConfigError, SourceError
from aqqua.metadata.check import Finding
from aqqua.sources.archive import Tree
from aqqua.sources.frames_shapes import Area, Runs, Shape, shape_from_json
from aqqua.sources.part import Part, Problem, Rows, rows_frame
from aqqua.sources.pixels import FORMATS, IMAGE_SUFFIXES, Picture, decode_picture

__all__ = ["MARGIN_PX", "Annotated", "FrameIndex", "FramePart", "margin_of"]

MARGIN_PX = 5
"""Pixels of surroundings that a ROI keeps on each side, unless told otherwise (`--source frames_coco:margin=0`)."""
_MAX_MARGIN = 4096
_ROUNDED_PX = 0.01  # fractions written with six digits miss whole pixels by less
_OUTSIDE_PX = 1.0  # corners are often rounded to the next pixel; what lies further out is told


@dataclass(frozen=True)
class Annotated:
    """One object as an annotation tells it.

    Args:
        frame: name of the frame, as the annotation writes it.
        name: of the object within its frame.
        shape: for width and height of the frame in pixels the outline; it may raise SourceError. None: the whole frame
            is the object's image.
        source_path: the file that tells it.
        source_row: where in there, from 1.
        columns: all else that is told, as text.
        size: width and height of the frame on which it was drawn, if told.
    """

    frame: str
    name: str
    shape: Callable[[int, int], Shape] | None
    source_path: str
    source_row: int | None
    columns: Mapping[str, str | None] = field(default_factory=dict)
    size: tuple[int, int] | None = None


def margin_of(text: str) -> int | None:
    """Read the option `margin`: pixels, or None for "whole" (do not cut).

    Raises:
        ConfigError: it is neither.
    """
    if text == "whole":
        return None
    if not text.isdecimal() or int(text) > _MAX_MARGIN:
        do = f"write pixels from 0 to {_MAX_MARGIN}, or whole to keep the frame as it is"
        raise ConfigError(f"margin={text} is no margin", do=do)
    return int(text)


class FrameIndex:
    """The frames of a source, found by whatever an annotation calls them.

    Args:
        tree: the source.
        folder: where the annotation lies; a frame near it wins.
        but: image files that are no frames (masks).
    """

    def __init__(self, tree: Tree, folder: str = "", but: Sequence[str] = ()) -> None:
        out = set(but)
        self.tree, self.folder = tree, folder
        self.names = [n for n in tree.members if splitext(n)[1].lower() in IMAGE_SUFFIXES and n not in out]
        self._known = frozenset(self.names)
        self._by_name: dict[str, list[str]] = {}
        for name in self.names:
            for key in dict.fromkeys((basename(name).casefold(), splitext(basename(name))[0].casefold())):
                self._by_name.setdefault(key, []).append(name)

    @cached_property
    def stems(self) -> dict[str, str]:
        """Path without suffix → frame, where there is one."""
        counts = Counter(splitext(name)[0] for name in self.names)
        return {splitext(name)[0]: name for name in self.names if counts[splitext(name)[0]] == 1}

    def find(self, written: str) -> str | Problem:
        """The frame that is meant, or why nobody knows."""
        clean = written.replace("\\", "/").strip()
        for place in dict.fromkeys((self.folder, f"{self.folder}/images", "", "images")):
            found = self.tree.find(f"{place}/{clean}".strip("/"))
            if found in self._known:
                return found
        hits = self._by_name.get(basename(clean).casefold(), [])
        if len(hits) == 1:
            return hits[0]
        if hits:
            told = f"several frames are called {basename(clean)!r}"
            return Problem("frame", told, "write the path of the frame into the annotation")
        return Problem("frame", f"there is no frame {written!r}", "put the frame beside its annotation")


@dataclass(frozen=True)
class FramePart(Part):
    """Annotated frames.

    Args:
        margin: pixels of surroundings on each side; None: the frame is not cut.
    """

    margin: int | None = MARGIN_PX
    needs: ClassVar[tuple[str, ...]] = (
        "image_path", "roi_x", "roi_y", "roi_width", "roi_height", "roi_shape", "frame_width", "frame_height",
    )  # fmt: skip

    @abstractmethod
    def annotated(self, findings: list[Finding]) -> Iterator[Annotated]:
        """All annotated objects, in an order that depends on the files only."""

    @property
    def masks(self) -> Sequence[str]:
        """Image files that are no frames."""
        return ()

    @cached_property
    def frames(self) -> FrameIndex:
        """The frames."""
        return FrameIndex(self.tree, dirname(self.name), self.masks)

    def read(self, start: int = 0, stop: int | None = None) -> Rows:
        """One row per annotated object, frame by frame."""
        rows = self._whole
        return Rows(rows.frame[start:stop], [] if start else rows.findings)

    def picture(self, row: Mapping[str, Any]) -> Picture:
        """Copy the ROI of a row out of its frame."""
        name = row["image_path"]
        picture = self._frame(name)
        if row["roi_x"] is None:
            return picture
        height, width = picture.pixels.shape[:2]
        if (width, height) != (int(row["frame_width"]), int(row["frame_height"])):
            told = f"the frame decodes to {width} × {height} pixels, its header says otherwise"
            raise SourceError(told, where=self.tree.where(name), do="export this frame again")
        area = _area(row)
        cut = picture.pixels[area.y : area.y + area.height, area.x : area.x + area.width]
        return Picture(np.ascontiguousarray(cut), picture.channel_names)

    def mask(self, row: Mapping[str, Any]) -> np.ndarray | None:
        """The pixels of the object (1) in its ROI, where an outline says them."""
        if not row["roi_shape"]:
            return None
        filled = self.shape_of(row["roi_shape"]).fill(_area(row))
        return None if filled is None else filled.astype(np.uint8)

    def shape_of(self, text: str) -> Shape:
        """The outline of a row's `roi_shape`."""
        return shape_from_json(text)

    @cached_property
    def _whole(self) -> Rows:
        findings: list[Finding] = []
        told = list(self.annotated(findings))
        found = {name: self.frames.find(name) for name in dict.fromkeys(one.frame for one in told)}
        places = [found[one.frame] for one in told]
        order = sorted(range(len(told)), key=lambda i: str(places[i]) if isinstance(places[i], str) else "\uffff")
        laid = _Laid(self, findings)
        for i in order:
            laid.add(told[i], places[i])
        used = {place for place in places if isinstance(place, str)}
        bare = [name for name in self.frames.names if name not in used]
        if bare and not self.tree.only:
            message = "frames have no annotated object and gave no image: the dataset holds ROIs, not frames"
            findings.append(Finding("info", "frames_without_objects", message, self.tree.where(bare[0]), len(bare)))
        return Rows(laid.frame(), findings)

    @cached_property
    def _last(self) -> list[tuple[str, Picture]]:
        return []

    def _frame(self, name: str) -> Picture:
        """A decoded frame; the last one is kept, for rows come frame by frame."""
        if not self._last or self._last[0][0] != name:
            self._last[:] = [(name, decode_picture(self.read_frame(name), self.tree.where(name)))]
        return self._last[0][1]

    def read_frame(self, name: str) -> bytes:
        """The file of a frame."""
        return self.tree.read(name)

    def frame_size(self, name: str) -> tuple[int, int]:
        """Width and height of a frame, by its header.

        Raises:
            SourceError: it has none.
        """
        try:
            with self.tree.open(name) as file, Image.open(file, formats=FORMATS) as image:
                return image.size
        except Exception as error:  # decoders given damaged files raise almost anything
            do = "export this frame again"
            raise SourceError(f"the frame cannot be read: {error}", where=self.tree.where(name), do=do) from error


class _Laid:
    """Rows under construction."""

    def __init__(self, part: FramePart, findings: list[Finding]) -> None:
        self.part, self.findings = part, findings
        self.told: list[Annotated] = []
        self.columns: dict[str, list[str | None]] = {}
        self.images: list[str | None] = []
        self.problems: dict[int, Problem] = {}
        self.sizes: dict[str, tuple[int, int] | SourceError] = {}
        self.outside = 0

    def add(self, one: Annotated, place: str | Problem) -> None:
        """One more row."""
        row = len(self.told)
        self.told.append(one)
        self.images.append(place if isinstance(place, str) else None)
        own: dict[str, str | None] = {}
        if isinstance(place, Problem):
            self.problems[row] = place
        else:
            try:
                own = self._roi(one, place)
            except SourceError as error:
                self.problems[row] = Problem("outline", error.what, error.do or "")
        for name, value in {**one.columns, **own}.items():
            column = self.columns.setdefault(name, [])
            column += [None] * (row - len(column)) + [value or None]

    def frame(self) -> pl.DataFrame:
        """All rows."""
        self._tell()
        count = len(self.told)
        usual = [name for name in self.part.needs if name != "image_path"]
        columns = {name: [None] * count for name in usual} | self.columns
        values = {name: column + [None] * (count - len(column)) for name, column in columns.items()}
        return rows_frame(
            pl.DataFrame(values, schema=dict.fromkeys(values, pl.String)),
            source_path=[one.source_path for one in self.told],
            source_row=[one.source_row for one in self.told],
            image_path=self.images,
            object_id=self._names(),
            problems=self.problems,
        )

    def _roi(self, one: Annotated, place: str) -> dict[str, str | None]:
        """Where the ROI of an object is, and its outline."""
        width, height = self._size(place)
        size: dict[str, str | None] = {"frame_width": str(width), "frame_height": str(height)}
        if one.size is not None and one.size != (width, height):
            told = f"the frame has {width} × {height} pixels, its annotations are for {one.size[0]} × {one.size[1]}"
            raise SourceError(told, do="give the frame as it was when it was annotated, not a smaller copy")
        if one.shape is None:
            return size
        shape = one.shape(width, height)
        if isinstance(shape, Runs) and (shape.width, shape.height) != (width, height):
            told = f"the frame has {width} × {height} pixels, the mask {shape.width} × {shape.height}"
            raise SourceError(told, do="give the frame as it was when it was annotated")
        area = self._inner(shape, width, height)
        filled = shape.fill(area)
        if filled is not None and not filled.any():
            raise SourceError("the outline covers no pixel", do="draw it larger, or remove this annotation")
        margin = self.part.margin
        area = Area(0, 0, width, height) if margin is None else area.grown(margin, width, height)
        where = {"roi_x": area.x, "roi_y": area.y, "roi_width": area.width, "roi_height": area.height}
        return {
            **size,
            **{name: str(value) for name, value in where.items()},
            "roi_margin_px": "whole frame" if margin is None else str(margin),
            "roi_shape": shape.to_json(),
        }

    def _inner(self, shape: Shape, width: int, height: int) -> Area:
        """The pixels of the frame that an outline touches."""
        left, top, right, bottom = shape.extent()
        first = [math.floor(edge + _ROUNDED_PX) for edge in (left, top)]
        last = [max(math.ceil(edge - _ROUNDED_PX), one + 1) for edge, one in zip((right, bottom), first, strict=True)]
        x, y = (max(edge, 0) for edge in first)
        area = Area(x, y, min(last[0], width) - x, min(last[1], height) - y)
        if area.width <= 0 or area.height <= 0:
            told = f"the outline lies outside of the frame ({width} × {height} pixels)"
            raise SourceError(told, do="compare outline and frame: is it the right frame?")
        if min(left, top) < -_OUTSIDE_PX or right > width + _OUTSIDE_PX or bottom > height + _OUTSIDE_PX:
            self.outside += 1
        return area

    def _size(self, place: str) -> tuple[int, int]:
        if place not in self.sizes:
            try:
                self.sizes[place] = self.part.frame_size(place)
            except SourceError as error:
                self.sizes[place] = error
        size = self.sizes[place]
        if isinstance(size, SourceError):
            raise size
        return size

    def _names(self) -> list[str | None]:
        """Frame and object; with the path of the frame, where names of frames repeat."""
        frames = sorted({image for image in self.images if image})
        stems = [splitext(basename(name))[0] for name in frames]
        short = dict(zip(frames, stems if len(set(stems)) == len(stems) else frames, strict=True))
        written = [
            short.get(image or "", splitext(one.frame)[0]) for one, image in zip(self.told, self.images, strict=True)
        ]
        return [f"{frame}_{one.name}".strip("_") for frame, one in zip(written, self.told, strict=True)]

    def _tell(self) -> None:
        where = self.part.tree.where(self.part.name)
        if self.outside:
            told = "outlines reach beyond their frame; they were cut at its edge"
            do = "compare some outlines with their frames"
            self.findings.append(Finding("warning", "outline_outside", told, where, self.outside, do))
        cut = len(self.columns.get("roi_x", ()))
        if cut and self.part.margin is not None:
            told = f"ROIs were cut out of frames with a margin of {self.part.margin} pixels on each side"
            do = f"choose another with --source NAME:margin=PIXELS (0 to {_MAX_MARGIN})"
            self.findings.append(Finding("info", "roi_margin", told, where, len(self.told), do))


def _area(row: Mapping[str, Any]) -> Area:
    return Area(*(int(row[name]) for name in ("roi_x", "roi_y", "roi_width", "roi_height")))
