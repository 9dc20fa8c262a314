"""Which image of a FlowCam run a particle is in: a box of a collage, or an image of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from posixpath import basename, dirname, splitext

from aqqua.errors import FormatError, SourceError
from aqqua.metadata.check import Finding
from aqqua.sources.archive import Tree
from aqqua.sources.cutting import Box, image_size, images_of, outside, read_sheet
from aqqua.sources.part import Problem
from aqqua.sources.pixels import IMAGE_SUFFIXES

__all__ = ["PLACE_COLUMNS", "Place", "RunImages", "left_out"]

_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_NUMBER = re.compile(r"(?:^|[_ -])0*(\d{1,9})$")
_RUN_FILE = re.compile(r"(?:_\d{6}(?:_bin)?|^rawfile_\d+|^cal_image_\d+)$", re.IGNORECASE)
"""Collages, masks, raw frames and backgrounds: no image of a single particle has such a name."""
_BOX_COLUMNS = ("image_x", "image_y", "image_w", "image_h")
PLACE_COLUMNS = (*_BOX_COLUMNS, "collage_file", "image_id", "id")
"""Columns of a list that say where a particle is."""


@dataclass(frozen=True)
class Place:
    """Where the pixels of a particle are.

    Args:
        image: member of the source.
        kind: "collage" or "vignette" (an image of its own).
        box: x, y, width, height in the collage; of a vignette only its size counts.
    """

    image: str
    kind: str
    box: Box


class RunImages:
    """The images of one run.

    Args:
        tree: the source.
        table: the list of the run.
    """

    def __init__(self, tree: Tree, table: str) -> None:
        self._tree = tree
        self._folder = dirname(table)
        self._stem = splitext(basename(table))[0]
        self._sheets: dict[str, str | None] = {}
        self._sizes: dict[str, tuple[int, int] | None] = {}
        self._masks: dict[str, Finding | None] = {}

    def place(self, row: Mapping[str, str]) -> Place | Problem:
        """Find the pixels of a particle by its `PLACE_COLUMNS`, or say why there are none."""
        try:
            x, y, width, height = (int(float(row[name])) for name in _BOX_COLUMNS)
        except (ValueError, OverflowError):
            return Problem("image_x", "the line does not say where the particle is", "copy the list again")
        written = row["collage_file"]
        sheet = self._sheet(written)
        if sheet is not None:
            size = self._size(sheet)
            problem = outside((x, y, width, height), size) if size else None
            return problem or Place(sheet, "collage", (x, y, width, height))
        own = self._vignette(row)
        if own is not None:
            return Place(own, "vignette", (0, 0, width, height))
        return Problem("collage_file", f"there is no collage {_file_name(written)!r}", "copy it beside the list")

    def mask_of(self, sheet: str) -> str | None:
        """The mask of a collage, if it has one of its size that can be read."""
        return None if self._bad_mask(sheet) else self._mask_file(sheet)

    def findings(self, places: Sequence[Place | Problem]) -> list[Finding]:
        """What is odd about the images of a run."""
        used = [place for place in places if isinstance(place, Place)]
        own = [place for place in used if place.kind == "vignette"]
        sheets = dict.fromkeys(place.image for place in used if place.kind == "collage")
        found = [finding for sheet in sheets if (finding := self._bad_mask(sheet))]
        if own:
            told = "the collages are not there: images of single particles were taken, by number or id"
            found.append(Finding("info", "vignettes_taken", told, self._tree.where(own[0].image), len(own)))
        return found

    def _sheet(self, written: str) -> str | None:
        """The member that a list means: beside it, else the only one of that name."""
        if written not in self._sheets:
            name = _file_name(written)
            beside = self._tree.find(f"{self._folder}/{name}".strip("/")) if name else None
            self._sheets[written] = beside or self._only(name)
        return self._sheets[written]

    def _only(self, name: str) -> str | None:
        found = self._by_name.get(name.casefold(), [])
        return found[0] if len(found) == 1 else None

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for member in images_of(self._tree):
            found.setdefault(basename(member).casefold(), []).append(member)
        return found

    def _size(self, sheet: str) -> tuple[int, int] | None:
        if sheet not in self._sizes:
            self._sizes[sheet] = image_size(self._tree, sheet)
        return self._sizes[sheet]

    def _mask_file(self, sheet: str) -> str | None:
        stem, suffix = splitext(sheet)
        return self._tree.find(f"{stem}_bin{suffix}")

    def _bad_mask(self, sheet: str) -> Finding | None:
        """Why the mask of a collage cannot be used, if it has one and cannot."""
        if sheet not in self._masks:
            mask = self._mask_file(sheet)
            told = self._wrong_with(mask, sheet) if mask else None
            do = "copy the mask of the same run again; the images are taken without mask"
            where = self._tree.where(mask or sheet)
            self._masks[sheet] = Finding("warning", "mask_unusable", told, where, do=do) if told else None
        return self._masks[sheet]

    def _wrong_with(self, mask: str, sheet: str) -> str | None:
        try:
            height, width = read_sheet(self._tree.read(mask), self._tree.where(mask)).pixels.shape[:2]
        except (SourceError, FormatError) as error:
            return f"the mask of a collage cannot be read: {error.what}"
        size = self._size(sheet)
        if size and size != (width, height):
            return f"the mask of a collage has {width} × {height} pixels, the collage {size[0]} × {size[1]}"
        return None

    def _vignette(self, row: Mapping[str, str]) -> str | None:
        """The image of a single particle, by the id or number in its name; None if there are several."""
        keys = (row["image_id"].upper(), row["id"])
        found = next((hits for key in keys if key and (hits := self._vignettes.get(key))), [])
        return found[0] if len(found) == 1 else None

    @cached_property
    def _vignettes(self) -> dict[str, list[str]]:
        folder = f"{self._folder}/" if self._folder else ""
        inside = [name for name in images_of(self._tree) if name.startswith(folder)]
        images = [name for name in inside if not _RUN_FILE.search(_stem(name))]
        lists = [name for name in self._tree.members if name.startswith(folder) and name.lower().endswith(".lst")]
        if len(lists) > 1:  # a number alone does not say of which run it is
            images = [name for name in images if _stem(name).startswith(self._stem)]
        found: dict[str, list[str]] = {}
        for name in images:
            guid, number = _GUID.search(_stem(name)), _NUMBER.search(_stem(name))
            key = guid[0].upper() if guid else number[1] if number else ""
            found.setdefault(key, []).append(name)
        return found


def left_out(tree: Tree, tables: Sequence[str]) -> list[Finding]:
    """Images that are of no run with a list."""
    folders = tuple(f"{dirname(name)}/" if dirname(name) else "" for name in tables)
    rest = [name for name in tree.with_suffix(*IMAGE_SUFFIXES) if not name.startswith(folders)]
    if not rest:
        return []
    told = f"images lie in folders without a list and were left out: {', '.join(rest[:3])}"
    do = "ingest them by themselves, with --source folder and a card"
    return [Finding("warning", "images_left_out", told, tree.path.name, len(rest), do)]


def _stem(name: str) -> str:
    return splitext(basename(name))[0]


def _file_name(written: str) -> str:
    """The last part of a path, of Windows or not."""
    return basename(written.strip().replace("\\", "/"))
