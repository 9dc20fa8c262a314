"""Full frames with annotations in COCO JSON (exported by CVAT, Label Studio, Roboflow …).

    {"images": [{"id": 1, "file_name": "f1.png", "width": …, "height": …}],
     "categories": [{"id": 3, "name": "Calanus"}],
     "annotations": [{"id": 7, "image_id": 1, "category_id": 3, "segmentation": […], "bbox": [x, y, w, h]}]}

`segmentation` is a list of polygons or run lengths (plain or in letters); without it the box counts. What an image
says besides (latitude, depth_m …) becomes columns, as do the attributes of an annotation.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from aqqua.errors import SourceError
from aqqua.metadata.check import Finding
from aqqua.sources.archive import Tree
from aqqua.sources.frames import MARGIN_PX, Annotated, FramePart, margin_of
from aqqua.sources.frames_shapes import Box, Polygons, Runs, Shape
from aqqua.sources.part import Part
from aqqua.sources.tables import decode_text

__all__ = ["CocoFile", "FramesCoco", "load_json", "text_of"]

MAX_JSON_BYTES = 1 << 30
_LISTS = ("images", "annotations", "categories")
_BYTES_PER_OBJECT = 300
_ABOUT_FRAME = frozenset({"id", "width", "height", "file_name", "license", "flickr_url", "coco_url", "date_captured"})
_ABOUT_OBJECT = frozenset({"image_id", "segmentation", "attributes"})


class FramesCoco:
    """Reader of COCO annotations.

    Args:
        margin: pixels of surroundings of each ROI, or "whole".
    """

    name = "frames_coco"
    general = False
    looks_for = "a .json file with images, annotations and categories (COCO), and the frames it names"

    def __init__(self, margin: str = str(MARGIN_PX)) -> None:
        self.margin = margin_of(margin)

    def recognise(self, path: Path | Tree) -> str | None:
        """Say which file holds COCO annotations."""
        files = _files(Tree.of(path))
        return f"COCO annotations in {files[0]}" if files else None

    def parts(self, path: Path | Tree) -> list[Part]:
        """One part per annotation file.

        Raises:
            SourceError: there is none.
        """
        tree = Tree.of(path)
        files = _files(tree)
        if not files:
            do = "a dataset holds ROIs: give frames with outlines or boxes, or images that are cut out already"
            raise SourceError("there are no COCO annotations", where=tree.path, do=do)
        return [CocoFile(name, tree, self.margin) for name in files]


def _files(tree: Tree) -> list[str]:
    return [name for name in tree.with_suffix(".json") if _is_coco(tree, name)]


def _is_coco(tree: Tree, name: str) -> bool:
    """Whether the file has the lists of COCO; it is read only as far as that takes."""
    if not 20 < tree.members[name] <= MAX_JSON_BYTES:
        return False
    seen: set[str] = set()
    before = b""
    try:
        for number, block in enumerate(tree.blocks(name)):
            if number == 0 and not block.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
                return False
            seen |= {word for word in _LISTS if f'"{word}"'.encode() in before + block}
            if seen == set(_LISTS):
                return True
            before = block[-16:]  # a word may lie across two blocks
    except SourceError:
        return False
    return {"images", "annotations"} <= seen


@dataclass(frozen=True)
class CocoFile(FramePart):
    """One file of annotations."""

    def estimate(self) -> int:
        """About one object per 300 bytes."""
        return self.tree.members[self.name] // _BYTES_PER_OBJECT + 1

    def annotated(self, findings: list[Finding]) -> Iterator[Annotated]:
        """All annotations of the file.

        Raises:
            SourceError: it is not valid, or has no annotation.
        """
        where = self.tree.where(self.name)
        loaded = self._loaded
        frames = {text_of(one.get("id")): one for one in loaded["images"] if isinstance(one, dict)}
        names = {
            text_of(one.get("id")): text_of(one.get("name")) for one in loaded["categories"] if isinstance(one, dict)
        }
        if not loaded["annotations"]:
            do = "a dataset holds ROIs: annotate the objects first, then export again"
            raise SourceError(f"{len(frames):,} frames and not one annotated object", where=where, do=do)
        for number, one in enumerate(loaded["annotations"], 1):
            told = one if isinstance(one, dict) else {}
            frame = frames.get(text_of(told.get("image_id")), {})
            yield Annotated(
                frame=text_of(frame.get("file_name")) or f"image_id {told.get('image_id')}",
                name=text_of(told.get("id")) or str(number),
                shape=_shape(told),
                source_path=where,
                source_row=number,
                columns=_columns(frame, told, names),
                size=_size(frame),
            )

    @cached_property
    def _loaded(self) -> dict[str, list[Any]]:
        loaded = load_json(self.tree, self.name)
        lists = {name: loaded.get(name) or [] for name in _LISTS} if isinstance(loaded, dict) else {}
        if not lists or not all(isinstance(entries, list) for entries in lists.values()):
            told = "the file has no lists of images, annotations and categories"
            raise SourceError(told, where=self.tree.where(self.name), do="export the annotations as COCO")
        return lists


def load_json(tree: Tree, name: str) -> Any:
    """Read a JSON file.

    Raises:
        SourceError: it is not valid.
    """
    try:
        return json.loads(decode_text(tree.read(name, MAX_JSON_BYTES)))
    except (ValueError, RecursionError) as error:
        do = "export the annotations again"
        raise SourceError(f"not valid JSON: {error}", where=tree.where(name), do=do) from error


def text_of(value: Any) -> str | None:
    """A value of a JSON file as text; lists and entries as JSON."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _columns(
    frame: Mapping[str, Any], told: Mapping[str, Any], names: Mapping[str | None, str | None]
) -> dict[str, str | None]:
    about_frame = {f"frame_{key}" if key in _ABOUT_FRAME else str(key): text_of(value) for key, value in frame.items()}
    about = {f"annotation_{key}": text_of(value) for key, value in told.items() if key not in _ABOUT_OBJECT}
    given = told.get("attributes")
    attributes = {str(key): text_of(value) for key, value in given.items()} if isinstance(given, dict) else {}
    label = names.get(text_of(told.get("category_id")))
    return {**about_frame, **about, **{f"attribute_{key}": text for key, text in attributes.items()}, "label": label}


def _size(frame: Mapping[str, Any]) -> tuple[int, int] | None:
    width, height = frame.get("width"), frame.get("height")
    known = isinstance(width, int) and isinstance(height, int) and width > 0 and height > 0
    return (int(frame["width"]), int(frame["height"])) if known else None


def _shape(told: Mapping[str, Any]) -> Callable[[int, int], Shape]:
    def shape(width: int, height: int) -> Shape:
        outline = told.get("segmentation")
        if told.get("iscrowd") and not isinstance(outline, list):
            do = "give every object an outline of its own"
            raise SourceError("the annotation marks a crowd of objects, not one (iscrowd)", do=do)
        if isinstance(outline, dict):
            return Runs.parse(outline.get("size"), outline.get("counts"))
        if isinstance(outline, list) and outline:
            return _polygons(outline)
        return _box(told.get("bbox"))

    return shape


def _polygons(outline: list[Any]) -> Polygons:
    rings = outline if isinstance(outline[0], list) else [outline]
    try:
        return Polygons(tuple(tuple(float(value) for value in ring) for ring in rings))
    except (TypeError, ValueError) as error:
        raise SourceError("the outline has a corner that is no number", do="export the annotations again") from error


def _box(told: Any) -> Box:
    numbers = told if isinstance(told, list) else []
    if len(numbers) != 4 or not all(isinstance(one, (int, float)) for one in numbers):
        raise SourceError("the annotation has neither outline nor box", do="draw one, or remove this annotation")
    return Box(*(float(one) for one in numbers))
