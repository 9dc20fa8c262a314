"""What a reader of raw sources is: a `Source` that knows its kind, and the `Part`s it falls into.

A reader recognises a path and cuts it into parts. A part gives one table – every column as text, verbatim – and the
pixels for its rows. It interprets nothing: units, dates and names are the work of `aqqua.metadata`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
import polars as pl

from aqqua.errors import FormatError, SourceError
from aqqua.metadata.check import Finding
from aqqua.sources.archive import Tree
from aqqua.sources.pixels import Picture

__all__ = ["PROBLEM", "Part", "Problem", "Rows", "Source", "rows_frame"]

PROBLEM = {"_field": pl.String, "_reason": pl.String, "_do": pl.String}
"""Columns of a part's table that say why a row cannot be used (null: it can); they are not part of Raw Metadata."""


@dataclass(frozen=True)
class Problem:
    """Why one row cannot be used.

    Args:
        field: the column or file it is about.
        reason: what is wrong, in words a data owner understands.
        do: what they can do.
    """

    field: str
    reason: str
    do: str = ""


@dataclass(frozen=True)
class Rows:
    """The table of a part, and what was noticed when it was read."""

    frame: pl.DataFrame
    findings: list[Finding] = field(default_factory=list)


@runtime_checkable
class Source(Protocol):
    """A reader of one kind of raw source.

    `general` readers (a plain folder of images) count only where no special one recognises the path. `looks_for` says
    what makes a path one of this kind, for the message when nobody recognises it.
    """

    name: str
    general: bool
    looks_for: str

    def recognise(self, path: Path | Tree) -> str | None:
        """Say why the path is of this kind, or None if it is not."""

    def parts(self, path: Path | Tree) -> list[Part]:
        """Cut the source into parts, in an order that depends on names only."""


@dataclass(frozen=True)
class Part(ABC):
    """One table of a source with its images; frozen, and cheap to pickle: what was read stays behind.

    Args:
        name: path of the table, bin or folder within the source.
        tree: the source.
    """

    name: str
    tree: Tree
    needs: ClassVar[tuple[str, ...]] = ("image_path",)

    @property
    def path(self) -> Path:
        """The source on disk."""
        return self.tree.path

    @abstractmethod
    def estimate(self) -> int:
        """About how many rows there are, without reading it all."""

    @abstractmethod
    def read(self, start: int = 0, stop: int | None = None) -> Rows:
        """Read the table, or its rows from `start` up to, not including, `stop`.

        All columns as text, with `source_path`, `source_row`, `image_path` and `object_id`, and those of `PROBLEM`.
        Findings about the whole table go with its first row.
        """

    @abstractmethod
    def picture(self, row: Mapping[str, Any]) -> Picture:
        """Read the pixels for the `needs` columns of one row, or raise SourceError."""

    def mask(self, row: Mapping[str, Any]) -> np.ndarray | None:
        """The objects in the image of a row, where the source says them; None where it does not.

        Args:
            row: the `needs` columns of one row, as for `picture`.

        Returns:
            (height, width) of the image, uint8 or uint16: 0 = background, k = the k-th object.
        """
        return None

    @cached_property
    def rows(self) -> Rows:
        """The table, read once in this process."""
        return self.read()

    def table(self) -> pl.DataFrame:
        """The table: one row per image; a row with a `_reason` has none that can be used."""
        return self.rows.frame

    def images(self, rows: Sequence[int]) -> Iterator[np.ndarray | SourceError | FormatError]:
        """Yield for rows of the table their pixels, or the error that says why there are none."""
        for picture in self.pictures(self.table()[list(rows)]):
            yield picture.pixels if isinstance(picture, Picture) else picture

    def pictures(self, frame: pl.DataFrame) -> Iterator[Picture | SourceError | FormatError]:
        """Yield pixels with the names of their channels for the rows of a frame that has the `needs` columns."""
        for row in frame.select(self.needs).iter_rows(named=True):
            try:
                yield self.picture(row)
            except (SourceError, FormatError) as error:
                yield error

    def __getstate__(self) -> dict[str, object]:
        return {entry.name: getattr(self, entry.name) for entry in fields(self)}


def rows_frame(
    frame: pl.DataFrame,
    *,
    source_path: str | Sequence[str],
    source_row: Sequence[int | None],
    image_path: Sequence[str | None],
    object_id: Sequence[str | None],
    problems: Mapping[int, Problem],
) -> pl.DataFrame:
    """Put what every part's table has beside the source's own columns.

    Args:
        frame: the source's columns, as text.
        source_path: the file each row comes from, or one for all.
        source_row: its line there, from 1, where it is a table.
        image_path: the image within the source.
        object_id: name of the object.
        problems: row → why it cannot be used.
    """
    paths = [source_path] * len(source_row) if isinstance(source_path, str) else source_path
    told = [problems.get(row) for row in range(len(source_row))]
    return frame.drop("object_id", strict=False).with_columns(
        pl.Series("source_path", paths, pl.String),
        pl.Series("source_row", source_row, pl.Int32),
        pl.Series("image_path", image_path, pl.String),
        pl.Series("object_id", object_id, pl.String),
        pl.Series("_field", [p and p.field for p in told], pl.String),
        pl.Series("_reason", [p and p.reason for p in told], pl.String),
        pl.Series("_do", [p and p.do for p in told], pl.String),
    )
