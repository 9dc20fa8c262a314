"""Full frames with a mask image beside each: label images, or black-and-white masks.

    images/f1.png + masks/f1.png        or        f1.png + f1_mask.png

In a label image 0 is background and k the k-th object. A mask with one value only is one object, unless it falls into
patches that do not touch and you say that each is an object (`--source frames_masks:objects=patches`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from posixpath import basename, dirname, splitext
from typing import Literal, cast

import numpy as np

from aqqua.errors import ConfigError, SourceError
from aqqua.metadata.check import Finding
from aqqua.sources.archive import Tree
from aqqua.sources.frames import MARGIN_PX, Annotated, FramePart, margin_of
from aqqua.sources.frames_shapes import Area, Shape
from aqqua.sources.part import Part
from aqqua.sources.pixels import IMAGE_SUFFIXES, decode_image

__all__ = ["FramesMasks", "MaskedFrames", "patches"]

_FOLDER = re.compile(r"^(.*[_ -])?(masks?|labels?|label_?images?|segmentations?|annotations?|ground_?truth|gt)$", re.I)
_BESIDE = re.compile(r"^(.+)[._ -](masks?|labels?|seg|segmentation|gt)$", re.I)
_ANY = re.compile("mask|label|seg|annotation|truth|gt", re.I)
"""In every name that the two above know is one of these."""
_LOSSY = (".jpg", ".jpeg")
_MAX_OBJECTS = 65_535


class FramesMasks:
    """Reader of frames with mask images.

    Args:
        margin: pixels of surroundings of each ROI, or "whole".
        objects: "values" – every value of a mask is one object; "patches" – every patch of touching pixels is.
    """

    name = "frames_masks"
    general = False
    looks_for = "frames with a mask image each: masks/f1.png for images/f1.png, or f1_mask.png beside f1.png"

    def __init__(self, margin: str = str(MARGIN_PX), objects: str = "values") -> None:
        self.margin = margin_of(margin)
        if objects not in {"values", "patches"}:
            raise ConfigError(f"objects={objects} is not known", do="write objects=values or objects=patches")
        self.objects = cast("Literal['values', 'patches']", objects)

    def recognise(self, path: Path | Tree) -> str | None:
        """Say which mask belongs to which frame."""
        tree = Tree.of(path)
        if tree.with_suffix(".lst", ".ctx"):  # a FlowCam run has masks of its own kind
            return None
        pairs = _pairs(tree)
        first = next(iter(pairs), None)
        return f"{len(pairs):,} frames with masks: {pairs[first]} for {first}" if first else None

    def parts(self, path: Path | Tree) -> list[Part]:
        """One part for all frames.

        Raises:
            SourceError: no frame has a mask.
        """
        tree = Tree.of(path)
        if not _pairs(tree):
            do = "a dataset holds ROIs: put masks beside the frames, or give images that are cut out already"
            raise SourceError("no frame has a mask", where=tree.path, do=do)
        return [MaskedFrames("", tree, self.margin, self.objects)]


def _pairs(tree: Tree) -> dict[str, str]:
    """Frame → mask."""
    images = tree.with_suffix(*IMAGE_SUFFIXES)
    if not _ANY.search("\n".join(images)):
        return {}
    masks = [name for name in images if _is_mask_name(name) and not name.lower().endswith(_LOSSY)]
    if not masks:
        return {}
    frames: dict[tuple[str, str], str] = {}
    for name in images:
        if not _is_mask_name(name):
            frames.setdefault(_place(dirname(name), splitext(basename(name))[0]), name)
    pairs: dict[str, str] = {}
    for mask in masks:
        found = next((frames[key] for key in _frames_of(mask) if key in frames), None)
        if found:
            pairs.setdefault(found, mask)
    return dict(sorted(pairs.items()))


def _is_mask_name(name: str) -> bool:
    return bool(_BESIDE.match(splitext(basename(name))[0])) or _is_mask_folder(dirname(name))


@cache
def _is_mask_folder(path: str) -> bool:
    return any(_FOLDER.match(folder) for folder in path.split("/"))


def _place(folder: str, stem: str) -> tuple[str, str]:
    return folder.casefold(), stem.casefold()


def _frames_of(mask: str) -> Iterator[tuple[str, str]]:
    """Where the frame of a mask may lie, nearest first: beside it, or in the folder of images beside its own."""
    folder, stem = dirname(mask), splitext(basename(mask))[0]
    short = _BESIDE.match(stem)
    if short:
        yield _place(folder, short[1])
    levels = folder.split("/")
    for depth in range(len(levels) - 1, -1, -1):
        if _FOLDER.match(levels[depth]):
            for name in dict.fromkeys((stem, *([short[1]] if short else []))):
                for other in ("images", "image", "frames", "inputs", "input", "raw", "imgs", "img"):
                    yield _place("/".join([*levels[:depth], other, *levels[depth + 1 :]]), name)
                    prefix = re.sub(_FOLDER, r"\1", levels[depth])
                    yield _place("/".join([*levels[:depth], f"{prefix}{other}", *levels[depth + 1 :]]), name)
                yield _place("/".join([*levels[:depth], *levels[depth + 1 :]]), name)


@dataclass(frozen=True)
class _InMask:
    """An object of a mask image; where it is was found when the mask was read."""

    text: str
    box: Area
    pixels: Callable[[Area], np.ndarray]

    def extent(self) -> tuple[float, float, float, float]:
        return self.box.x, self.box.y, self.box.x + self.box.width, self.box.y + self.box.height

    def fill(self, area: Area) -> np.ndarray:
        return self.pixels(area)

    def to_json(self) -> str:
        return self.text


@dataclass(frozen=True)
class MaskedFrames(FramePart):
    """All frames of a source that have a mask.

    Args:
        objects: what counts as an object: values, or patches of touching pixels.
    """

    objects: Literal["values", "patches"] = "values"

    def estimate(self) -> int:
        """At least one object per frame."""
        return len(self._pairs)

    @cached_property
    def _pairs(self) -> dict[str, str]:
        return _pairs(self.tree)

    @property
    def masks(self) -> Sequence[str]:
        """The mask images."""
        return [name for name in self.tree.members if name in set(self._pairs.values()) or _is_mask_name(name)]

    def annotated(self, findings: list[Finding]) -> Iterator[Annotated]:
        """Every object of every mask."""
        torn: list[str] = []
        empty: list[str] = []
        for frame, mask in self._pairs.items():
            where = self.tree.where(mask)
            try:
                labels = self._labels(mask)
            except SourceError as error:
                yield Annotated(frame, "", _raising(error), where, None, {"mask_path": mask})
                continue
            boxes = _boxes(labels)
            if not boxes:
                empty.append(mask)
            if self.objects == "values" and len(boxes) == 1 and int(patches(labels > 0).max()) > 1:
                torn.append(mask)
            size = (labels.shape[1], labels.shape[0])
            for value, box in boxes.items():
                columns = {"mask_path": mask, "mask_value": str(value)}
                yield Annotated(frame, f"{value:05d}", self._shape(mask, value, box), where, value, columns, size)
        findings += self._notes(torn, empty)

    def shape_of(self, text: str) -> Shape:
        """The object of a mask image."""
        told = json.loads(text)
        return self._in_mask(told["mask"], told["value"], Area(*told["box"]))

    def _shape(self, mask: str, value: int, box: Area) -> Callable[[int, int], Shape]:
        return lambda width, height: self._in_mask(mask, value, box)

    def _in_mask(self, mask: str, value: int, box: Area) -> _InMask:
        def pixels(area: Area) -> np.ndarray:
            labels = self._labels(mask)
            found = labels[area.y : area.y + area.height, area.x : area.x + area.width] == value
            return cast("np.ndarray", found)

        text = json.dumps({"mask": mask, "value": value, "box": [box.x, box.y, box.width, box.height]})
        return _InMask(text, box, pixels)

    @cached_property
    def _last_mask(self) -> list[tuple[str, np.ndarray]]:
        return []

    def _labels(self, mask: str) -> np.ndarray:
        """A mask as a label image; the last one is kept."""
        if not self._last_mask or self._last_mask[0][0] != mask:
            pixels = decode_image(self.tree.read(mask), self.tree.where(mask))
            if pixels.ndim == 3 and (pixels == pixels[..., :1]).all():
                pixels = pixels[..., 0]
            if pixels.ndim == 3:
                do = "save masks in gray: 0 for the background, 1, 2, 3 … for the objects"
                raise SourceError("the mask is a colour image", where=self.tree.where(mask), do=do)
            labels = patches(pixels > 0) if self.objects == "patches" else pixels
            self._last_mask[:] = [(mask, labels)]
        return self._last_mask[0][1]

    def _notes(self, torn: list[str], empty: list[str]) -> Iterator[Finding]:
        if torn:
            told = "masks have one value and several patches that do not touch: each mask was taken as one object"
            do = "if every patch is an object, say  --source frames_masks:objects=patches"
            yield Finding("warning", "mask_in_patches", told, self.tree.where(torn[0]), len(torn), do)
        if empty:
            told = "masks are empty, their frames gave no image"
            yield Finding("info", "mask_empty", told, self.tree.where(empty[0]), len(empty))


def _raising(error: SourceError) -> Callable[[int, int], Shape]:
    def shape(width: int, height: int) -> Shape:
        raise error

    return shape


def _boxes(labels: np.ndarray) -> dict[int, Area]:
    """The box around each object of a label image."""
    rows, columns = np.nonzero(labels)
    values, index = np.unique(labels[rows, columns], return_inverse=True)
    if not len(values):
        return {}
    low = np.full((len(values), 2), np.iinfo(np.int64).max)
    high = np.full((len(values), 2), -1)
    places = np.stack([rows, columns], axis=1)
    np.minimum.at(low, index, places)
    np.maximum.at(high, index, places)
    boxes = zip(values.tolist(), low.tolist(), (high - low + 1).tolist(), strict=True)
    return {value: Area(x, y, width, height) for value, (y, x), (height, width) in boxes}


def patches(mask: np.ndarray) -> np.ndarray:
    """Number the patches of touching pixels (also over corners), in the order of their first pixel.

    Args:
        mask: bool (height, width).

    Returns:
        (height, width): 0 = background, k = the k-th patch; uint16, or uint32 where there are more.

    Runs of every row are joined with those that they touch in the row above (Rosenfeld & Pfaltz 1966,
    doi:10.1145/321356.321357).
    """
    edges = np.diff(np.pad(mask.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    starts, stops = np.argwhere(edges == 1), np.argwhere(edges == -1)[:, 1]
    rows, firsts = starts[:, 0].tolist(), starts[:, 1].tolist()
    ends = stops.tolist()
    parent = list(range(len(rows)))

    def root(run: int) -> int:
        while parent[run] != run:
            parent[run] = parent[parent[run]]
            run = parent[run]
        return run

    above = 0
    for run, row in enumerate(rows):
        while above < run and (rows[above] < row - 1 or (rows[above] == row - 1 and ends[above] < firsts[run])):
            above += 1
        other = above
        while other < run and rows[other] == row - 1 and firsts[other] <= ends[run]:
            one, two = sorted((root(other), root(run)))
            parent[two] = one
            other += 1
    roots = [root(run) for run in range(len(rows))]
    number = {first: k for k, first in enumerate(dict.fromkeys(roots), 1)}
    labels = np.zeros(mask.shape, np.uint16 if len(number) <= _MAX_OBJECTS else np.uint32)
    for run, (row, first, end) in enumerate(zip(rows, firsts, ends, strict=True)):
        labels[row, first:end] = number[roots[run]]
    return labels
