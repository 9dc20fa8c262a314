"""Full frames with annotations in YOLO's text files: one `.txt` per frame, one line per object.

    class x_centre y_centre width height                    a box
    class x1 y1 x2 y2 x3 y3 …                               an outline

Coordinates are fractions of the frame's width and height; one number more at the end is a confidence. Names of classes
stand in `data.yaml` (`names:`), `classes.txt` or `obj.names`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from posixpath import basename, dirname, splitext

from aqqua.errors import ConfigError, SourceError
from aqqua.metadata.check import Finding
from aqqua.metadata.safe_yaml import load_yaml
from aqqua.sources.archive import Tree
from aqqua.sources.frames import MARGIN_PX, Annotated, FrameIndex, FramePart, margin_of
from aqqua.sources.frames_shapes import Box, Polygons, Shape
from aqqua.sources.part import Part, Problem
from aqqua.sources.tables import decode_text

__all__ = ["FramesYolo", "YoloFiles"]

_NAMES = ("data.yaml", "data.yml", "dataset.yaml", "dataset.yml")
_LISTS = ("classes.txt", "obj.names", "names.txt", "classes.names")
_NO_LABELS = frozenset({*_LISTS, "train.txt", "val.txt", "test.txt", "readme.txt", "source.txt", "notes.txt"})
_MAX_TEXT = 1 << 26
_TRIED = 20  # files read to recognise a source
_BYTES_PER_OBJECT = 60


class FramesYolo:
    """Reader of YOLO annotations.

    Args:
        margin: pixels of surroundings of each ROI, or "whole".
    """

    name = "frames_yolo"
    general = False
    looks_for = "frames with a .txt of the same name each (YOLO: class and coordinates from 0 to 1 on every line)"

    def __init__(self, margin: str = str(MARGIN_PX)) -> None:
        self.margin = margin_of(margin)

    def recognise(self, path: Path | Tree) -> str | None:
        """Say which file holds YOLO annotations."""
        tree = Tree.of(path)
        first = next(_with_lines(tree, _pairs(tree)), None)
        return f"YOLO annotations, the first {first}" if first else None

    def parts(self, path: Path | Tree) -> list[Part]:
        """One part for all files.

        Raises:
            SourceError: no frame has an annotation.
        """
        tree = Tree.of(path)
        if not any(any(map(_is_object, _cells(tree, name))) for name in _pairs(tree)):
            do = "a dataset holds ROIs: give frames with outlines or boxes, or images that are cut out already"
            raise SourceError("no frame has an annotated object", where=tree.path, do=do)
        return [YoloFiles("", tree, self.margin)]


def _pairs(tree: Tree) -> dict[str, str | Problem]:
    """Text file → the frame it may be about."""
    texts = [name for name in tree.with_suffix(".txt") if basename(name).lower() not in _NO_LABELS]
    if not texts:
        return {}
    index = FrameIndex(tree)
    found = {name: _frame(index, name) for name in texts}
    told = [name for name, frame in found.items() if isinstance(frame, str)]
    folders = {dirname(name) for name in told}  # a text without frame counts only beside one with
    return {name: frame for name, frame in found.items() if isinstance(frame, str) or dirname(name) in folders}


def _frame(index: FrameIndex, text: str) -> str | Problem:
    """The frame of a text file: in images/ where the text is in labels/, beside it, or of the same name elsewhere."""
    stem = splitext(text)[0]
    folders = stem.split("/")
    if "labels" in folders[:-1]:
        place = len(folders) - 2 - folders[:-1][::-1].index("labels")
        other = "/".join([*folders[:place], "images", *folders[place + 1 :]])
        if other in index.stems:
            return index.stems[other]
    return index.stems.get(stem) or index.find(basename(stem))


def _with_lines(tree: Tree, pairs: dict[str, str | Problem]) -> Iterator[str]:
    """Text files that hold annotations and nothing else; none after one that holds anything else."""
    for name, frame in islice(pairs.items(), _TRIED):
        if not isinstance(frame, str) or tree.members[name] > _MAX_TEXT:
            continue
        lines = _cells(tree, name)
        if lines and not all(map(_is_object, lines)):
            return
        if lines:
            yield name


def _cells(tree: Tree, name: str) -> list[list[str]]:
    return [line.split() for line in _lines(tree, name) if line.strip()]


def _lines(tree: Tree, name: str) -> list[str]:
    return decode_text(tree.read(name, _MAX_TEXT)).splitlines()


def _is_object(cells: list[str]) -> bool:
    numbers = _numbers(cells)
    return numbers is not None and len(numbers) >= 5 and numbers[0] >= 0 and numbers[0].is_integer()


def _numbers(cells: list[str]) -> list[float] | None:
    try:
        return [float(cell) for cell in cells]
    except ValueError:
        return None


@dataclass(frozen=True)
class YoloFiles(FramePart):
    """All annotations of a source."""

    def estimate(self) -> int:
        """About one object per 60 bytes."""
        return sum(self.tree.members[name] for name in self._texts) // _BYTES_PER_OBJECT + 1

    @cached_property
    def _texts(self) -> dict[str, str | Problem]:
        return _pairs(self.tree)

    def annotated(self, findings: list[Finding]) -> Iterator[Annotated]:
        """Every line of every file."""
        names, where = self._class_names()
        nameless: set[str] = set()
        for text, frame in self._texts.items():
            written = frame if isinstance(frame, str) else splitext(basename(text))[0]
            for number, line in enumerate(_lines(self.tree, text), 1):
                cells = line.split()
                if cells:
                    label = names.get(cells[0])
                    nameless |= set() if label else {cells[0]}
                    columns = {"class_id": cells[0], "label": label, "confidence": _confidence(cells)}
                    source = self.tree.where(text)
                    yield Annotated(written, f"{number:05d}", _shape(cells), source, number, columns)
        if nameless:
            told = f"classes have numbers and no names, so the ROIs have no label: {', '.join(sorted(nameless)[:10])}"
            do = "put data.yaml (names: [Calanus, …]) or classes.txt beside the annotations"
            findings.append(Finding("warning", "class_without_name", told, where, len(nameless), do))

    def _class_names(self) -> tuple[dict[str, str], str]:
        """Number → name, and where they stand."""
        found = {basename(name).lower(): name for name in sorted(self.tree.members, key=lambda n: -n.count("/"))}
        for usual in _NAMES:
            if usual in found:
                return self._yaml_names(found[usual]), self.tree.where(found[usual])
        for usual in _LISTS:
            if usual in found:
                lines = [line.strip() for line in _lines(self.tree, found[usual])]
                return {str(i): line for i, line in enumerate(lines) if line}, self.tree.where(found[usual])
        return {}, self.tree.path.name

    def _yaml_names(self, name: str) -> dict[str, str]:
        try:
            text = decode_text(self.tree.read(name, _MAX_TEXT))
            loaded = load_yaml(text, what="the file", where=self.tree.where(name))
        except ConfigError as error:
            do = "write  names: [Calanus, Oithona]"
            raise SourceError(error.what, where=self.tree.where(name), do=do) from error
        names = loaded.get("names") if isinstance(loaded, dict) else None
        pairs = names.items() if isinstance(names, dict) else enumerate(names if isinstance(names, list) else [])
        return {str(number): str(text) for number, text in pairs}


def _confidence(cells: list[str]) -> str | None:
    return cells[-1] if len(cells) >= 6 and len(cells) % 2 == 0 else None


def _shape(cells: list[str]) -> Callable[[int, int], Shape]:
    def shape(width: int, height: int) -> Shape:
        numbers = _numbers(cells)
        if numbers is None or len(numbers) < 5 or not all(map(math.isfinite, numbers)):
            told = "the line is no annotation: it needs a class and at least four numbers"
            raise SourceError(told, do="export the annotations again")
        values = numbers[1:] if len(numbers) % 2 else numbers[1:-1]
        if len(values) == 4:
            x, y, wide, high = values[0] * width, values[1] * height, values[2] * width, values[3] * height
            return Box(x - wide / 2, y - high / 2, wide, high)
        return Polygons((tuple(value * (height if i % 2 else width) for i, value in enumerate(values)),))

    return shape
