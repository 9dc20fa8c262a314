"""Stacks of images in one file: HDF5, NPZ or NPY, rows × height × width (× channels).

    images   uint8 (1000, 64, 64)          or a group with one array per image, or rows of varying length
    label    1000 texts                    every other array of as many rows becomes a column
    depth_m  1000 numbers

Attributes become columns with the same value in each row. A table `name.csv` beside `name.npy` with one line per image,
in the same order, becomes columns too. Images are read one by one, however large the file.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from posixpath import basename, dirname, splitext
from typing import Any, ClassVar

import numpy as np
import polars as pl

from aqqua.errors import ConfigError, MissingExtraError, SourceError
from aqqua.metadata.check import Finding
from aqqua.sources.archive import MAX_TABLE_BYTES, Tree
from aqqua.sources.part import Part, Problem, Rows, rows_frame
from aqqua.sources.pixels import MAX_SIDE, Picture, decode_picture
from aqqua.sources.stack_arrays import SUFFIXES, Array, Arrays, open_arrays
from aqqua.sources.tables import read_table

__all__ = ["Stack", "StackFile"]

_MAX_CHANNELS = 16
_MOST_TEXT = 4096
_LABELS = frozenset({"label", "labels", "class", "classes", "target", "targets", "y", "category"})
_CLASS_NAMES = frozenset({"class_names", "label_names", "classes", "names", "categories", "target_names"})
_SHAPES = ("shape", "shapes", "size", "sizes")
_DO_KIND = "save the images as uint8 or uint16"


class Stack:
    """Reader of stacks of images.

    Args:
        images: name of the array of images, where there are several.
        axes: order of the axes where it is not rows, height, width, channels: "NCHW".
    """

    name = "stack"
    general = False
    looks_for = f"a file {', '.join(SUFFIXES)} with an array of images (rows × height × width, uint8 or uint16)"

    def __init__(self, images: str = "", axes: str = "NHWC") -> None:
        if axes not in {"NHWC", "NCHW"}:
            raise ConfigError(f"axes={axes} is not known", do="write axes=NHWC or axes=NCHW")
        self.images, self.axes = images, axes

    def recognise(self, path: Path | Tree) -> str | None:
        """Say which array holds images."""
        tree = Tree.of(path)
        for name in tree.with_suffix(*SUFFIXES):
            try:
                found = _image_arrays(open_arrays(tree, name))
            except MissingExtraError as error:
                return f"{name} is HDF5 ({error.what})"
            except SourceError:
                continue
            if found:
                return f"images in {name}, array {found[0]}"
        return None

    def parts(self, path: Path | Tree) -> list[Part]:
        """One part per file and array.

        Raises:
            SourceError: no file has images, or one has several arrays of images.
            MissingExtraError: a file is HDF5, and h5py is not installed.
        """
        tree = Tree.of(path)
        parts = []
        for name in tree.with_suffix(*SUFFIXES):
            parts += [StackFile(name, tree, array, self.axes) for array in self._chosen(tree, name)]
        if not parts:
            raise SourceError(
                "there is no array of images", where=tree.path, do=f"this reader looks for {self.looks_for}"
            )
        return list(parts)

    def _chosen(self, tree: Tree, name: str) -> list[str]:
        arrays = open_arrays(tree, name)
        found = _image_arrays(arrays)
        if self.images:
            found = [one for one in found if one == self.images.strip("/")]
        if len(found) > 1:
            do = f"name one with --source stack:images={found[0]}"
            raise SourceError(f"several arrays hold images: {', '.join(found[:5])}", where=arrays.where, do=do)
        return found


def _image_arrays(arrays: Arrays) -> list[str]:
    """Arrays of images; groups of single images count as one, with "/" at the end."""
    stacks = [name for name, array in arrays.found.items() if _is_stack(array) or _is_ragged(array)]
    if stacks:
        return stacks
    groups: dict[str, int] = {}
    for name, array in arrays.found.items():
        if _is_picture(array):
            groups[f"{dirname(name)}/"] = groups.get(f"{dirname(name)}/", 0) + 1
    return list(groups)


def _is_stack(array: Array) -> bool:
    return _holds_pixels(array.dtype) and (
        (len(array.shape) == 3 and (array.shape[2] > 4 or array.shape[0] < 5)) or len(array.shape) == 4
    )


def _is_ragged(array: Array) -> bool:
    return array.item is not None and _holds_pixels(array.item) and len(array.shape) == 1


def _is_picture(array: Array) -> bool:
    flat = len(array.shape) == 2 or (len(array.shape) == 3 and array.shape[2] <= 4)
    return _holds_pixels(array.dtype) and flat and min(array.shape) > 0


def _holds_pixels(dtype: np.dtype[Any]) -> bool:
    return dtype.kind == "u" and dtype.itemsize in {1, 2}


@dataclass(frozen=True)
class StackFile(Part):
    """The images of one array.

    Args:
        array: its name in the file; with "/" at the end a group with an array for each image.
        axes: order of its axes, "NHWC" or "NCHW".
    """

    array: str = ""
    axes: str = "NHWC"
    needs: ClassVar[tuple[str, ...]] = ("image_path", "stack_row")

    @cached_property
    def arrays(self) -> Arrays:
        """The file, opened in this process."""
        return open_arrays(self.tree, self.name)

    @cached_property
    def members(self) -> list[str]:
        """Names of the arrays of a group, one per image; empty for a stack."""
        if not self.array.endswith("/"):
            return []
        inside = {name: one for name, one in self.arrays.found.items() if f"{dirname(name)}/" == self.array}
        return [name for name, one in inside.items() if _is_picture(one)]

    def estimate(self) -> int:
        """Number of images."""
        return len(self.members) if self.array.endswith("/") else self.arrays.found[self.array].shape[0]

    def read(self, start: int = 0, stop: int | None = None) -> Rows:
        """Rows with the columns that the file has for them."""
        count = self.estimate()
        stop = count if stop is None else min(stop, count)
        findings: list[Finding] = []
        columns = self._columns(start, stop, count, findings) | self._beside(start, stop, count, findings)
        rows = range(start, stop)
        columns["stack_row"] = [self.members[row] if self.members else str(row) for row in rows]
        stem = splitext(basename(self.name))[0]
        names = [f"{stem}_{basename(self.members[row])}" if self.members else f"{stem}_{row + 1:06d}" for row in rows]
        problem = self._refusal()
        frame = rows_frame(
            pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String)),
            source_path=self.tree.where(self.name),
            source_row=[row + 1 for row in rows],
            image_path=[self.name] * len(rows),
            object_id=columns.get("object_id") or names,
            problems=dict.fromkeys(range(len(rows)), problem) if problem else {},
        )
        return Rows(frame, [] if start else findings)

    def picture(self, row: Mapping[str, Any]) -> Picture:
        """Read one image."""
        told = row["stack_row"]
        if self.array.endswith("/"):
            pixels = self.arrays.rows(told, 0, self.arrays.found[told].shape[0])
        elif self.arrays.found[self.array].item is not None:
            return self._ragged(int(told))
        else:
            pixels = self.arrays.row(self.array, int(told))
        if self.axes == "NCHW" and pixels.ndim == 3:
            pixels = np.moveaxis(pixels, 0, -1)
        if pixels.ndim == 3 and pixels.shape[2] == 1:
            pixels = pixels[..., 0]
        return Picture(np.ascontiguousarray(pixels.astype(pixels.dtype.newbyteorder("="))), self._channels(pixels))

    def _channels(self, pixels: np.ndarray) -> str | None:
        """Names of the channels, where an attribute or array has one for each."""
        if pixels.ndim != 3:
            return None
        for name, value in {**self.arrays.notes(), **self._texts}.items():
            if basename(name.replace("@", "/")) in {"channel_names", "channels"}:
                told = [_text(one) for one in np.atleast_1d(np.asarray(value)).tolist()]
                names = [one for text in told if text for one in text.split(",")]
                if len(names) == pixels.shape[2]:
                    return ",".join(name.strip() for name in names)
        return None

    @cached_property
    def _texts(self) -> dict[str, list[Any]]:
        """Short arrays: names of classes and channels."""
        arrays = self.arrays
        short = [n for n, a in arrays.found.items() if len(a.shape) == 1 and 0 < a.shape[0] <= 4096 and a.item is None]
        wanted = [name for name in short if basename(name) in _CLASS_NAMES | {"channel_names", "channels"}]
        return {name: arrays.rows(name, 0, arrays.found[name].shape[0]).tolist() for name in wanted}

    def _refusal(self) -> Problem | None:
        """Why no image of the array can be read."""
        if self.array.endswith("/") or self.arrays.found[self.array].item is not None:
            return None
        shape = self.arrays.found[self.array].shape
        if len(shape) == 4 and self.axes == "NHWC" and shape[3] > _MAX_CHANNELS >= shape[1]:
            told = f"the array is {' × '.join(map(str, shape))}: its channels seem to stand before height and width"
            return Problem("images", told, "say so: --source stack:axes=NCHW")
        if max(shape[1:], default=0) > MAX_SIDE or 0 in shape[1:]:
            told = f"images of {' × '.join(map(str, shape[1:]))} pixels cannot be stored"
            return Problem("images", told, "cut them into ROIs")
        return None

    def _ragged(self, row: int) -> Picture:
        """An image of a row of varying length: pixels with a shape beside them, or an encoded image file."""
        where = f"{self.arrays.where}, row {row + 1}"
        flat = np.asarray(self.arrays.row(self.array, row))
        shape = self._shape_of(row)
        if shape is None:
            if flat.dtype.itemsize != 1:
                do = "add arrays height and width with a number for each image"
                raise SourceError("nothing says how high and wide the image is", where=where, do=do)
            return decode_picture(flat.tobytes(), where)
        if min(shape) < 1 or int(np.prod(shape)) != flat.size:
            told = f"{flat.size:,} numbers are no image of {' × '.join(map(str, shape))}"
            raise SourceError(told, where=where, do="correct height and width")
        return Picture(flat.reshape(shape).astype(flat.dtype.newbyteorder("=")))

    def _shape_of(self, row: int) -> tuple[int, ...] | None:
        by_name = {basename(name).lower(): name for name in self.arrays.found}
        for name in _SHAPES:
            if name in by_name and len(self.arrays.found[by_name[name]].shape) == 2:
                return tuple(int(side) for side in self.arrays.row(by_name[name], row))
        sides = [by_name.get(name) or by_name.get(f"{name}s") for name in ("height", "width", "channel")]
        if sides[0] is None or sides[1] is None:
            return None
        return tuple(int(self.arrays.row(name, row)) for name in sides if name)

    def _columns(self, start: int, stop: int, count: int, findings: list[Finding]) -> dict[str, list[str | None]]:
        """Arrays of as many rows, and attributes."""
        columns: dict[str, list[str | None]] = {}
        notes = self.arrays.notes()
        for name, array in self.arrays.found.items():
            if name == self.array or not array.shape or array.shape[0] != count or array.item is not None:
                continue
            told = notes.get(f"{name}@units", notes.get(f"{name}@unit"))
            if array.dtype.names and len(array.shape) == 1:
                rows = self.arrays.rows(name, start, stop)
                columns |= {str(field): [_text(one) for one in rows[field].tolist()] for field in array.dtype.names}
            elif len(array.shape) == 1:
                values = [_text(one) for one in self.arrays.rows(name, start, stop).tolist()]
                columns[_column(name, told, columns)] = self._named(basename(name), values)
        for name, value in notes.items():
            if name.startswith("@") or name.startswith(f"{self.array.rstrip('/')}@"):
                self._note(columns, name.rpartition("@")[2], value, start, stop, count)
        for name, reason in self.arrays.refused.items():
            told = f"the array {name!r} was not read: {reason}"
            findings.append(Finding("warning", "array_refused", told, self.arrays.where))
        return columns

    def _note(
        self, columns: dict[str, list[str | None]], name: str, value: Any, start: int, stop: int, count: int
    ) -> None:
        """An attribute: one value for all rows, or one for each."""
        if np.ndim(value) == 1 and len(value) == count and count > 1:
            columns.setdefault(name, [_text(one) for one in np.asarray(value).tolist()[start:stop]])
        elif np.ndim(value) == 0:
            columns.setdefault(name, [_text(value)] * (stop - start))

    def _named(self, name: str, values: list[str | None]) -> list[str | None]:
        """Names of classes for numbers of classes, where the file has both."""
        if name.lower() not in _LABELS or not all(value is None or value.isdecimal() for value in values):
            return values
        lists = [self._texts, {key.replace("@", "/"): value for key, value in self.arrays.notes().items()}]
        for key, told in (pair for one in lists for pair in one.items()):
            texts = [_text(one) for one in np.atleast_1d(np.asarray(told)).tolist()]
            if basename(key) in _CLASS_NAMES and basename(key) != name and texts and not all(map(_is_number, texts)):
                return [texts[int(v)] if v is not None and int(v) < len(texts) else v for v in values]
        return values

    def _beside(self, start: int, stop: int, count: int, findings: list[Finding]) -> dict[str, list[str | None]]:
        """The table of the same name, if it has one line per image."""
        found = next((n for s in (".csv", ".tsv") if (n := self.tree.find(splitext(self.name)[0] + s))), None)
        if found is None:
            return {}
        where = self.tree.where(found)
        table = read_table(self.tree.read(found, MAX_TABLE_BYTES), where)
        findings += table.findings
        if table.frame.height != count:
            told = f"the table has {table.frame.height:,} lines for {count:,} images, and was not used"
            do = "give one line per image, in the same order, or join it with --table"
            findings.append(Finding("warning", "table_not_joined", told, where, do=do))
            return {}
        return {name: table.frame[name][start:stop].to_list() for name in table.frame.columns}


def _column(name: str, unit: Any, taken: Mapping[str, Sequence[str | None]]) -> str:
    short = basename(name) if basename(name) not in taken else name
    text = _text(unit) if np.ndim(unit) == 0 else None
    return f"{short} ({text})" if text else short


def _text(value: Any) -> str | None:
    """A value as text; nan and nothing as None."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bytes):
        value = value.decode("utf-8", errors="replace")
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return (repr(value) if isinstance(value, float) else str(value))[:_MOST_TEXT]


def _is_number(text: str | None) -> bool:
    return text is None or text.lstrip("-").isdecimal()
