"""Full frames with annotation tables of Squidle+ and BIIGLE (CSV; Squidle+ also JSON).

Squidle+: one line per annotation with `point.x`, `point.y` (fractions of the frame) and `point.data.polygon` (corners
as fractions, counted from that point), `label.name`, `point.media.key`, and position, depth and time of the frame as
`point.pose.*`. BIIGLE (image annotation report): `filename`, `shape_name`, `points` (pixels), `label_name`,
`annotation_id`; an annotation with several labels stands on several lines and is one object with the first of them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from posixpath import basename
from typing import Any, Literal

from aqqua.errors import SourceError
from aqqua.metadata.check import Finding
from aqqua.sources.archive import MAX_TABLE_BYTES, Tree
from aqqua.sources.frames import MARGIN_PX, Annotated, FramePart, margin_of
from aqqua.sources.frames_coco import load_json, text_of
from aqqua.sources.frames_shapes import Box, Polygons, Shape, circle, ellipse
from aqqua.sources.part import Part
from aqqua.sources.tables import decode_text, read_table

__all__ = ["AnnotationTable", "FramesBiigle", "FramesSquidle", "outline_of"]

_HEAD_BYTES = 1 << 14
_BYTES_PER_OBJECT = 200
_SQUIDLE = ("point.x", "point.y")
_SQUIDLE_OUTLINES = ("point.data.polygon", "point.polygon", "data.polygon")
_SQUIDLE_FRAMES = ("point.media.key", "media.key", "point.media.path_best", "point.media.path", "media.path_best")
_BIIGLE = ("shape_name", "points", "filename")
_POSE = {"lat": "latitude", "lon": "longitude", "dep": "depth_m", "timestamp": "time_utc"}
_EXPORT = "export the annotations again"
_NO_OUTLINE = "a dataset holds ROIs: draw a polygon or a box around the object, or remove this annotation"


@dataclass(frozen=True)
class _Entry:
    """One line of a table, or one entry of a JSON list."""

    number: int
    cells: Mapping[str, str | None]


class FramesSquidle:
    """Reader of annotations of Squidle+.

    Args:
        margin: pixels of surroundings of each ROI, or "whole".
    """

    name = "frames_squidle"
    general = False
    looks_for = "a .csv or .json of Squidle+ (point.x, point.y, point.data.polygon), and the frames it names"
    kind: Literal["squidle", "biigle"] = "squidle"

    def __init__(self, margin: str = str(MARGIN_PX)) -> None:
        self.margin = margin_of(margin)

    def recognise(self, path: Path | Tree) -> str | None:
        """Say which table it is."""
        files = self._files(Tree.of(path))
        return f"annotations in {files[0]}" if files else None

    def parts(self, path: Path | Tree) -> list[Part]:
        """One part per table.

        Raises:
            SourceError: there is none.
        """
        tree = Tree.of(path)
        files = self._files(tree)
        if not files:
            raise SourceError("there are no annotations", where=tree.path, do=f"this reader looks for {self.looks_for}")
        return [AnnotationTable(name, tree, self.margin, self.kind) for name in files]

    def _files(self, tree: Tree) -> list[str]:
        return [name for name in tree.with_suffix(".csv", ".tsv", ".json") if self._is_one(tree, name)]

    def _is_one(self, tree: Tree, name: str) -> bool:
        try:
            head = decode_text(next(tree.blocks(name, _HEAD_BYTES), b""))
        except SourceError:
            return False
        if name.lower().endswith(".json"):
            head = head if head.lstrip().startswith(("[", "{")) else ""
            return self.kind == "squidle" and all(f'"{column}"' in head for column in _SQUIDLE)
        columns = {
            cell.strip().strip('"') for cell in head.split("\n", 1)[0].replace(";", ",").replace("\t", ",").split(",")
        }
        if self.kind == "biigle":
            return set(_BIIGLE) <= columns
        return set(_SQUIDLE) <= columns


class FramesBiigle(FramesSquidle):
    """Reader of image annotation reports of BIIGLE."""

    name = "frames_biigle"
    looks_for = "a .csv of BIIGLE (filename, shape_name, points: the image annotation report), and the frames it names"
    kind = "biigle"


@dataclass(frozen=True)
class AnnotationTable(FramePart):
    """One table of annotations.

    Args:
        kind: of Squidle+ or of BIIGLE.
    """

    kind: Literal["squidle", "biigle"] = "squidle"

    def estimate(self) -> int:
        """About one object per 200 bytes."""
        return self.tree.members[self.name] // _BYTES_PER_OBJECT + 1

    def annotated(self, findings: list[Finding]) -> Iterator[Annotated]:
        """Every annotation once."""
        where = self.tree.where(self.name)
        told = self._biigle() if self.kind == "biigle" else self._squidle()
        seen: dict[str, _Entry] = {}
        again = 0
        for entry, frame, number, columns in told:
            if number and seen.setdefault(f"{frame}\0{number}", entry) is not entry:
                again += 1
                continue
            yield Annotated(frame, number or str(entry.number), self._shape(entry.cells), where, entry.number, columns)
        findings += self._findings_of_table
        if again:
            message = "lines give an object a further label: the first one was taken"
            do = "keep one label per annotation; the others are in the table of the source only"
            findings.append(Finding("warning", "further_labels", message, where, again, do))

    @cached_property
    def _findings_of_table(self) -> list[Finding]:
        return []

    @cached_property
    def _entries(self) -> list[_Entry]:
        if not self.name.lower().endswith(".json"):
            table = read_table(self.tree.read(self.name, MAX_TABLE_BYTES), self.tree.where(self.name))
            self._findings_of_table[:] = table.findings
            rows = table.frame.iter_rows(named=True)
            return [_Entry(line, row) for line, row in zip(table.lines, rows, strict=True)]
        loaded = load_json(self.tree, self.name)
        listed = loaded.get("objects") or loaded.get("annotations") if isinstance(loaded, dict) else loaded
        if not isinstance(listed, list):
            raise SourceError("the file has no list of annotations", where=self.tree.where(self.name), do=_EXPORT)
        return [_Entry(number, _flat(one)) for number, one in enumerate(listed, 1)]

    def _squidle(self) -> Iterator[tuple[_Entry, str, str, dict[str, str | None]]]:
        for entry in self._entries:
            frame = next((text for name in _SQUIDLE_FRAMES if (text := entry.cells.get(name))), "")
            columns = dict(entry.cells)
            pose = {ours: entry.cells.get(f"point.pose.{theirs}") for theirs, ours in _POSE.items()}
            label = {"label": entry.cells.get("label.name") or entry.cells.get("tag_names")}
            yield entry, _last(frame), entry.cells.get("id") or "", columns | pose | label

    def _biigle(self) -> Iterator[tuple[_Entry, str, str, dict[str, str | None]]]:
        for entry in self._entries:
            place = {"latitude": entry.cells.get("image_latitude"), "longitude": entry.cells.get("image_longitude")}
            label = {"label": entry.cells.get("label_name")}
            number = entry.cells.get("annotation_id") or ""
            yield entry, entry.cells.get("filename") or "", number, dict(entry.cells) | place | label

    def _shape(self, cells: Mapping[str, str | None]) -> Callable[[int, int], Shape]:
        if self.kind == "biigle":
            return lambda width, height: _biigle_shape(cells)
        return lambda width, height: _squidle_shape(cells, width, height)


def _last(address: str) -> str:
    """The file name at the end of an address."""
    return basename(address.split("?", 1)[0]) if "://" in address else address


def _flat(one: Any, prefix: str = "") -> dict[str, str | None]:
    """Nested entries as Squidle+ writes them in tables: {"point": {"x": 1}} → point.x."""
    if not isinstance(one, dict):
        return {}
    found: dict[str, str | None] = {}
    for key, value in one.items():
        if isinstance(value, dict) and prefix.count(".") < 6:
            found |= _flat(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = text_of(value)
    return found


def _list(text: str | None, what: str) -> list[Any]:
    """A list of numbers, or of pairs of them, written as JSON."""
    try:
        told = json.loads((text or "").replace("(", "[").replace(")", "]"))
    except (ValueError, RecursionError) as error:
        raise SourceError(f"{what} cannot be read: {(text or '')[:40]!r}", do=_EXPORT) from error
    flat = (
        [value for item in told for value in (item if isinstance(item, list) else [item])]
        if isinstance(told, list)
        else []
    )
    if not flat or not all(isinstance(value, (int, float)) for value in flat):
        raise SourceError(f"{what} cannot be read: {(text or '')[:40]!r}", do=_EXPORT)
    return [float(value) for value in flat]


def _squidle_shape(cells: Mapping[str, str | None], width: int, height: int) -> Shape:
    outline = next((text for name in _SQUIDLE_OUTLINES if (text := cells.get(name))), None)
    if outline is None or outline in {"[]", "null"}:
        raise SourceError("the annotation is a point: it has no outline", do=_NO_OUTLINE)
    try:
        x, y = (float(cells.get(name) or "") for name in _SQUIDLE)
    except ValueError as error:
        raise SourceError("point.x and point.y are no numbers", do=_EXPORT) from error
    corners = _list(outline, "point.data.polygon")
    return Polygons((tuple((value + y) * height if i % 2 else (value + x) * width for i, value in enumerate(corners)),))


def _biigle_shape(cells: Mapping[str, str | None]) -> Shape:
    kind = (cells.get("shape_name") or "").strip().lower()
    points = _list(cells.get("points"), "points") if kind not in {"point", "linestring", "wholeframe"} else []
    return outline_of(kind, points)


def outline_of(kind: str, points: Sequence[float]) -> Shape:
    """The outline that BIIGLE and iFDO tell by the name of a shape and a list of x and y in turn.

    Raises:
        SourceError: it has none (a point, a line), or too few numbers.
    """
    if kind == "circle" and len(points) >= 3:
        return circle(points[0], points[1], points[2])
    if kind == "rectangle" and len(points) == 4:
        left, top, right, bottom = (*map(min, points[:2], points[2:]), *map(max, points[:2], points[2:]))
        return Box(left, top, right - left, bottom - top)
    if kind in {"polygon", "rectangle"} and len(points) >= 6:
        return _box_of(points) if kind == "rectangle" else Polygons((tuple(points),))
    if kind == "ellipse" and len(points) >= 8:  # ends of the long axis, then of the short one
        x, y = sum(points[0:4:2]) / 2, sum(points[1:4:2]) / 2
        return ellipse(x, y, (points[0] - x, points[1] - y), (points[4] - x, points[5] - y))
    if kind in {"point", "single-pixel", "linestring", "line", "polyline"}:
        raise SourceError(f"the annotation is a {kind}: it has no outline", do=_NO_OUTLINE)
    raise SourceError(f"{len(points)} numbers are no {kind or 'shape'}", do=_EXPORT)


def _box_of(points: Sequence[float]) -> Shape:
    """A rectangle by its corners: a box if it stands upright, else a polygon."""
    xs, ys = sorted(set(points[::2])), sorted(set(points[1::2]))
    if len(points) == 8 and len(xs) == len(ys) == 2:
        return Box(xs[0], ys[0], xs[1] - xs[0], ys[1] - ys[0])
    return Polygons((tuple(points),))
