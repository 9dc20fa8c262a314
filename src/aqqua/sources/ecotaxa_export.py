"""EcoTaxa packages: what EcoTaxa exports (general, backup, legacy), and what it imports.

A folder or zip with tables `ecotaxa*.tsv` (at the root or in folders) and images beside them. With or without byte
order mark, types line, internal ids; dates in either style and decimal commas stay as they are, for harmonisation.
UVP6 samples (`*Images.zip` in the package) are read in place; see `aqqua.sources.ecotaxa_vignettes`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from posixpath import basename, dirname, splitext
from typing import Any

import polars as pl

from aqqua.errors import SourceError, UnsafeInputError
from aqqua.metadata.check import Finding
from aqqua.sources.archive import Tree, safe_name
from aqqua.sources.ecotaxa_vignettes import DamagedBundle, bundle_names, mark_variants, open_bundle
from aqqua.sources.part import Part, Problem, Rows, rows_frame
from aqqua.sources.pixels import Picture, decode_picture
from aqqua.sources.tables import TextTable, build_table, decode_text, open_text, pass_over, read_lines
from aqqua.sources.tables_plain import read_rows

__all__ = ["EcotaxaExport", "EcotaxaTable"]

_TYPE = re.compile(r"^\[[a-z]\]$", re.IGNORECASE)
_HEADER_BYTES = 1 << 16


class EcotaxaExport:
    """Reader of EcoTaxa packages."""

    name = "ecotaxa_export"
    general = False
    looks_for = "tables ecotaxa*.tsv, or other .tsv whose header has object_id and img_file_name"

    def recognise(self, path: Path | Tree) -> str | None:
        """Say which table makes it an EcoTaxa package."""
        tree = Tree.of(path)
        names = _tables(tree)
        if names:
            return f"{len(names)} EcoTaxa table{'s' * (len(names) > 1)}, the first {names[0]}"
        samples = [part.name for part in _samples(tree) if isinstance(part, EcotaxaTable)]
        return f"{len(samples)} UVP6 samples in zips, the first table {samples[0]}" if samples else None

    def parts(self, path: Path | Tree) -> list[Part]:
        """One part per table.

        Raises:
            SourceError: no table, or every one is empty.
        """
        tree = Tree.of(path)
        parts: list[Part] = [EcotaxaTable(name, tree) for name in _tables(tree)]
        parts += _samples(tree)
        if not any(isinstance(part, EcotaxaTable) for part in parts):
            do = "export again (EcoTaxa: general export with images), or name another reader with --source"
            raise SourceError("the package has no EcoTaxa table", where=tree.path, do=do)
        return parts


def _samples(tree: Tree) -> list[Part]:
    """The tables in zips of UVP6 samples; a zip that cannot be read is a part that says so."""
    parts: list[Part] = []
    for name in bundle_names(tree):
        inner = open_bundle(tree, name)
        if isinstance(inner, Tree):
            parts += [EcotaxaTable(table, inner) for table in _tables(inner)]
        else:
            parts.append(DamagedBundle(name, tree, inner.what, inner.do or "copy or pack it again"))
    return parts


def _tables(tree: Tree) -> list[str]:
    named = re.compile(r"ecotaxa.*\.(tsv|txt)", re.IGNORECASE)
    tables = tree.with_suffix(".tsv", ".txt")
    return [name for name in tables if named.fullmatch(basename(name)) or _has_header(tree, name)]


def _has_header(tree: Tree, name: str) -> bool:
    """Whether a .tsv of another name is an EcoTaxa table, by its first line."""
    if not name.lower().endswith(".tsv"):
        return False
    try:
        first = decode_text(next(tree.blocks(name, _HEADER_BYTES), b"")).split("\n", 1)[0]
    except SourceError:
        return False
    header = _header(first.replace('"', "").split("\t"))
    return "object_id" in header and "img_file_name" in header


@dataclass(frozen=True)
class EcotaxaTable(Part):
    """One table of an EcoTaxa package, with the images it names."""

    def estimate(self) -> int:
        """Lines of the table."""
        with suppress(SourceError):  # told when it is read
            return sum(block.count(b"\n") + block.count(b"\r") for block in self.tree.blocks(self.name)) + 1
        return 1

    def read(self, start: int = 0, stop: int | None = None) -> Rows:
        """Read the table; header names are trimmed and lower-cased, as EcoTaxa does."""
        where = self.tree.where(self.name)
        with open_text(self.tree, self.name) as lines:
            records = read_lines(lines, "\t")
            first, second = next(records, None), next(records, None)
            if first is None:
                told = "the table is empty"
                return Rows(_no_rows(), [Finding("warning", "empty_table", told, where, do="export it again")])
            typed = second is not None and _is_types(second.cells)
            if typed and second is not None:
                rest, left, number = pass_over(lines, start, second.number + 1)
                count = None if stop is None else stop - start
                table = read_rows(_header(first.cells), rest, left, count, number, where)
            else:
                data = islice(chain(() if second is None else (second,), records), start, stop)
                table = build_table(_header(first.cells), data, where)
        if table.lines and not typed and start == 0:
            told = "the table has no line of types: read here, but EcoTaxa would not import it"
            table.findings.append(Finding("info", "no_types_line", told, where))
        if second is None or (typed and not table.lines and start == 0):
            told = "the table has a header and no rows"
            table.findings.append(Finding("warning", "empty_table", told, where, do="export it again"))
        frame, variants = mark_variants(self._frame(table, where), self.tree, self.name)
        return Rows(frame, [*table.findings, *([] if start else variants)])

    def picture(self, row: Mapping[str, Any]) -> Picture:
        """Read the image of a row."""
        name = row["image_path"]
        return decode_picture(self.tree.read(name), self.tree.where(name))

    def _frame(self, table: TextTable, where: str) -> pl.DataFrame:
        files, objects = (_column(table.frame, name) for name in ("img_file_name", "object_id"))
        folder = dirname(self.name)
        images = [file and self._image(file, folder) for file in files]
        problems = _problems(table, objects, files, images)
        return rows_frame(
            table.frame,
            source_path=where,
            source_row=table.lines,
            image_path=[image if isinstance(image, str) else None for image in images],
            object_id=objects,
            problems=problems,
        )

    def _image(self, file: str, folder: str) -> str | Problem:
        """The member that a table's file name means: beside the table, else from the root of the package."""
        try:
            safe_name(file, self.name)
        except UnsafeInputError:
            return Problem(
                "img_file_name", f"the file name {file!r} leads out of the package", "put the image beside the table"
            )
        if (exact := f"{folder}/{file}".strip("/")) in self.tree.members:
            return exact
        stem = re.sub(r"^ecotaxa_?", "", splitext(basename(self.name))[0], flags=re.IGNORECASE)
        for place in (folder, f"{folder}/{stem}", ""):
            if found := self.tree.find(f"{place}/{file}".strip("/")):
                return found
        return Problem(
            "img_file_name", f"there is no image {file!r} in the package", "export with images, or add the file"
        )


def _header(cells: Sequence[str]) -> list[str]:
    return [cell.strip().strip("\ufeff").lower() for cell in cells]


def _is_types(cells: Sequence[str]) -> bool:
    told = [cell.strip() for cell in cells if cell.strip()]
    return bool(told) and all(_TYPE.match(cell) for cell in told)


def _column(frame: pl.DataFrame, name: str) -> list[str | None]:
    """A column's values without surrounding blanks; all None if it is not there."""
    if name not in frame.columns:
        return [None] * frame.height
    return [(value.strip() or None) if value else None for value in frame[name].to_list()]


def _problems(
    table: TextTable,
    objects: Sequence[str | None],
    files: Sequence[str | None],
    images: Sequence[str | Problem | None],
) -> dict[int, Problem]:
    seen: dict[tuple[str, str], int] = {}
    problems: dict[int, Problem] = {}
    for row, (name, file, image) in enumerate(zip(objects, files, images, strict=True)):
        if row in table.trouble:
            problems[row] = Problem(*table.trouble[row], "mend this line of the table")
        elif row == 0 and name and _TYPE.match(name):
            problems[row] = Problem(
                "object_id", "the line of types is broken", "write [t] or [f] under every column name"
            )
        elif name is None:
            problems[row] = Problem("object_id", "the row has no object_id", "give every object a name")
        elif file is None:
            problems[row] = Problem(
                "img_file_name", "the row names no image", "export with images (EcoTaxa: all images)"
            )
        elif not isinstance(image, str):
            problems[row] = image or Problem("img_file_name", f"there is no image {file!r}")
        elif (name, image) in seen:
            told = f"the row repeats line {table.lines[seen[name, image]]}: same object, same image"
            problems[row] = Problem("object_id", told, "remove one of the two lines")
        else:
            seen[name, image] = row
    return problems


def _no_rows() -> pl.DataFrame:
    return rows_frame(pl.DataFrame(), source_path=[], source_row=[], image_path=[], object_id=[], problems={})
