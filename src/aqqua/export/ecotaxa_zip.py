"""Zips for upload: written in one go, split before they become too large, named when they are whole.

The same content gives the same bytes: times in the zip are constant, images are stored as they are.
"""

from __future__ import annotations

import zipfile
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from aqqua.export.ecotaxa_package import Table
from aqqua.export.ecotaxa_table import to_bytes
from aqqua.store.atomic import storage, whole

__all__ = ["FACTOR", "ImageFile", "ZipSeries"]

FACTOR = "object_pixel_factor"
"""Column for the number that 8-bit pixels are multiplied by to have 16-bit ones again."""

_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest a zip can say
_ENTRY_BYTES = 200  # local and central header of a member, beside its name twice
_MODE = 0o644 << 16


@dataclass(frozen=True)
class ImageFile:
    """The image of one row: name of its object, path in the zip, content, and the factor its pixels were divided by."""

    object: str
    path: str
    data: bytes
    factor: float = 1.0


class ZipSeries:
    """Writes tables with their images into one zip, or several if they would become too large.

    Args:
        path: the first zip; the next ones get _2, _3 … before the suffix.
        max_bytes: size that no zip exceeds.
        max_tables: number of tables that no zip exceeds.
    """

    def __init__(self, path: Path, max_bytes: int, max_tables: int) -> None:
        self.path, self.max_bytes, self.max_tables = path, max_bytes, max_tables
        self.files: list[Path] = []
        self._stack = ExitStack()
        self._zip: zipfile.ZipFile | None = None
        self._bytes = self._tables = 0
        self._table: Table | None = None
        self._first = self._next = 0
        self._factors: list[float] = []

    def __enter__(self) -> ZipSeries:
        return self

    def __exit__(self, *error: object) -> None:
        """Finish the last zip, or remove what is unfinished."""
        if error[0] is None:
            self._close()
        else:
            self._stack.__exit__(*error)  # type: ignore[arg-type]

    def start(self, table: Table) -> None:
        """Begin a table; its rows follow object by object."""
        self._end_table()
        self._table, self._first, self._next = table, 0, 0

    def add(self, files: list[ImageFile]) -> None:
        """Add the next rows of the table, one image each; they stay in one zip."""
        assert self._table is not None
        text = self._table.frame.slice(self._next, len(files))
        size = sum(len(file.data) + 2 * len(file.path) + _ENTRY_BYTES for file in files) + _text_bytes(text.rows())
        if self._next == self._first:
            size += _text_bytes([self._table.header, self._table.types]) + 2 * len(self._table.path) + _ENTRY_BYTES
        if self._zip is None or self._bytes + size > self.max_bytes or self._tables >= self.max_tables:
            self._close()
            self._open()
        with storage(self.path):
            for file in files:
                self._write(file.path, file.data, zipfile.ZIP_STORED)
                self._factors.append(file.factor)
        self._bytes += size
        self._next += len(files)

    def _open(self) -> None:
        path = self.path if not self.files else self.path.with_stem(f"{self.path.stem}_{len(self.files) + 1}")
        part = self._stack.enter_context(whole(path))
        self._zip = self._stack.enter_context(zipfile.ZipFile(part, "w", allowZip64=True))
        self.files.append(path)
        self._bytes, self._tables = _ENTRY_BYTES, 0

    def _close(self) -> None:
        self._end_table()
        self._stack.close()
        self._zip = None

    def _end_table(self) -> None:
        """Write the rows of the table whose images are in this zip."""
        if self._table is not None and self._next > self._first:
            rows = self._table.frame.slice(self._first, self._next - self._first)
            if FACTOR in rows.columns:
                rows = rows.with_columns(pl.Series(FACTOR, self._factors).cast(pl.String))
            self._write(self._table.path, to_bytes(replace(self._table, frame=rows)), zipfile.ZIP_DEFLATED)
            self._tables += 1
        self._first = self._next
        self._factors = []

    def _write(self, name: str, data: bytes, method: int) -> None:
        assert self._zip is not None
        info = zipfile.ZipInfo(name, _TIME)
        info.compress_type, info.external_attr, info.create_system = method, _MODE, 3
        self._zip.writestr(info, data, compresslevel=6 if method == zipfile.ZIP_DEFLATED else None)


def _text_bytes(rows: list[tuple[str, ...]]) -> int:
    """At most so many bytes, uncompressed: text, tabs, quotes."""
    return sum(4 + sum(len(cell.encode()) + 3 for cell in row) for row in rows)
