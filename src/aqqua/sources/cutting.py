"""Cut ROIs out of large images: collages and scans, whose last one is kept, for rows come sheet by sheet.

A scan of 360 megapixels is more than image libraries decode by default. ImageJ and VueScan write such files as plain
rows of gray; those are read here without decoding, everything else by `aqqua.sources.pixels`.
"""

from __future__ import annotations

import struct
import warnings
from collections.abc import Callable, Mapping
from posixpath import splitext
from typing import Any

import numpy as np
from PIL import Image

from aqqua.errors import AqquaError, FormatError, SourceError
from aqqua.sources.archive import Tree
from aqqua.sources.part import Problem
from aqqua.sources.pixels import FORMATS, IMAGE_SUFFIXES, Picture, decode_picture

__all__ = ["BOX", "Box", "Sheets", "cut", "image_size", "images_of", "outside", "parse_box", "plain_gray", "read_sheet"]

BOX = ("roi_x", "roi_y", "roi_width", "roi_height")
"""Columns that say where in its sheet a ROI lies: pixels from the upper left corner."""
Box = tuple[int, int, int, int]
_TAGS = {
    256: "width",
    257: "height",
    258: "bits",
    259: "compression",
    262: "photometric",
    273: "offsets",
    277: "samples",
    279: "counts",
}
_ORDER = {b"II*\0": "<", b"MM\0*": ">"}
_KINDS = {3: ("H", 2), 4: ("I", 4)}
_BLACK_IS_ZERO = 1


class Sheets:
    """The last sheet that was read, and the error if it could not be.

    Args:
        load: reads a sheet by its name.
    """

    def __init__(self, load: Callable[[str], Picture]) -> None:
        self._load = load
        self._last: tuple[str, Picture | AqquaError] | None = None

    def get(self, name: str) -> Picture:
        """Return a sheet.

        Raises:
            SourceError: it is damaged.
        """
        if self._last is None or self._last[0] != name:
            self._last = (name, self._try(name))
        found = self._last[1]
        if isinstance(found, AqquaError):
            raise found
        return found

    def _try(self, name: str) -> Picture | AqquaError:
        self._last = None  # two sheets at once may be too much
        try:
            return self._load(name)
        except (SourceError, FormatError) as error:
            return error


def parse_box(row: Mapping[str, Any]) -> Box:
    """The four numbers of `BOX`."""
    x, y, width, height = (int(row[name]) for name in BOX)
    return x, y, width, height


def cut(sheet: np.ndarray, box: Box, where: str) -> np.ndarray:
    """Copy a box out of a sheet.

    Args:
        sheet: (height, width) or (height, width, channels).
        box: x, y, width, height in pixels.
        where: what to call the sheet in an error.

    Raises:
        SourceError: the box is not inside.
    """
    x, y, width, height = box
    problem = outside(box, (sheet.shape[1], sheet.shape[0]))
    if problem:
        raise SourceError(problem.reason, where=where, do=problem.do)
    return np.ascontiguousarray(sheet[y : y + height, x : x + width])


def outside(box: Box, size: tuple[int, int]) -> Problem | None:
    """Say why a box cannot be cut out of a sheet of some width and height, if it cannot."""
    x, y, width, height = box
    if width < 1 or height < 1:
        return Problem("roi_width", f"an image of {width} × {height} pixels cannot be", "copy the list file again")
    if x < 0 or y < 0 or x + width > size[0] or y + height > size[1]:
        told = f"the box ({x}, {y}) to ({x + width}, {y + height}) is not inside the {size[0]} × {size[1]} image"
        return Problem("roi_x", told, "check that list and image are of the same run, and whole")
    return None


def images_of(tree: Tree) -> list[str]:
    """All images of a source, also where the user has named only one table of it."""
    return [name for name in tree.members if splitext(name)[1].lower() in IMAGE_SUFFIXES]


def image_size(tree: Tree, name: str) -> tuple[int, int] | None:
    """Width and height by the file's header, or None if it says none; nothing is decoded."""
    try:
        with warnings.catch_warnings(), tree.open(name) as file:
            warnings.simplefilter("ignore")  # size is checked where the image is read
            with Image.open(file, formats=FORMATS) as image:
                return image.size
    except Exception:  # damaged files raise almost anything; they are told when they are read
        return None


def read_sheet(data: bytes, where: str) -> Picture:
    """Decode a sheet; plain gray TIFF of any size without a decoder.

    Raises:
        SourceError: the file is damaged, or too large for anything but plain gray.
    """
    plain = plain_gray(data)
    return Picture(plain) if plain is not None else decode_picture(data, where)


def plain_gray(data: bytes) -> np.ndarray | None:
    """The pixels of an uncompressed gray TIFF in one piece, as a view of its bytes; None for any other file.

    Source: TIFF revision 6.0, section 2 (structure) and 3 (grayscale).
    """
    try:
        order = _ORDER[data[:4]]
        tags = _tags(data, order)
        (width,), (height,), bits = tags["width"], tags["height"], tags["bits"]
        dtypes: dict[tuple[int, ...], str] = {(8,): "u1", (16,): f"{order}u2"}
        dtype = dtypes[bits]
        plain = tags.get("compression", (1,)) == (1,) and tags["photometric"] == (_BLACK_IS_ZERO,)
        if not plain or tags.get("samples", (1,)) != (1,) or not _in_one_piece(tags["offsets"], tags["counts"]):
            return None
        pixels = np.frombuffer(data, dtype, width * height, tags["offsets"][0]).reshape(height, width)
    except (KeyError, ValueError, struct.error):
        return None
    return pixels if bits == (8,) else pixels.astype(np.uint16)


def _tags(data: bytes, order: str) -> dict[str, tuple[int, ...]]:
    """The numbers in the file's only directory, by name; a file with several images is none of ours."""
    (start,) = struct.unpack_from(f"{order}I", data, 4)
    (count,) = struct.unpack_from(f"{order}H", data, start)
    if struct.unpack_from(f"{order}I", data, start + 2 + 12 * count) != (0,):
        raise ValueError("several images")
    tags: dict[str, tuple[int, ...]] = {}
    for place in range(start + 2, start + 2 + 12 * count, 12):
        tag, kind, length = struct.unpack_from(f"{order}HHI", data, place)
        if tag in _TAGS and kind in _KINDS:
            letter, size = _KINDS[kind]
            at = place + 8 if length * size <= 4 else struct.unpack_from(f"{order}I", data, place + 8)[0]
            tags[_TAGS[tag]] = struct.unpack_from(f"{order}{length}{letter}", data, at)
    return tags


def _in_one_piece(offsets: tuple[int, ...], counts: tuple[int, ...]) -> bool:
    """Whether the strips of an image follow each other without a gap."""
    ends = [start + size for start, size in zip(offsets, counts, strict=True)]
    return list(offsets[1:]) == ends[:-1]
