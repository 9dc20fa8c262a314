"""ZooProcess scans: one `.pid` file per scan, with a line per object, and the images of the objects.

    sample_d1_1/sample_d1_1_dat1.pid  sample_d1_1/sample_d1_1_vis1.zip  sample_d1_1/sample_d1_1_17.jpg

Where the processed scan (`_vis1.tif`, or a `.zip` with it) is there, each object is cut out of it by its bounding box:
gray as it was scanned. Else its vignette is taken, `<label>_<item>.jpg`, which has a margin and often a scale bar.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from posixpath import basename, dirname, splitext
from typing import Any, ClassVar

import polars as pl

from aqqua.errors import SourceError
from aqqua.metadata.check import Finding
from aqqua.sources.archive import MAX_TABLE_BYTES, Tree
from aqqua.sources.cutting import BOX, Sheets, cut, images_of, parse_box, read_sheet
from aqqua.sources.nested import InnerTree
from aqqua.sources.part import Part, Problem, Rows, rows_frame
from aqqua.sources.pixels import Picture, decode_picture
from aqqua.sources.tables import decode_text, head_of
from aqqua.sources.zooprocess_files import Pid, in_decimal_degrees, is_pid, parse_header, parse_pid
from aqqua.sources.zooprocess_scan import scan_columns, scan_findings

__all__ = ["Zooprocess", "ZooprocessScan"]

_HEAD_BYTES = 1 << 16
_BYTES_PER_LINE = 250
_PLACE = ("bx", "by", "width", "height")
_SCAN_SUFFIXES = ("_vis1.zip", "_vis1.tif", "_vis1.tiff")


class Zooprocess:
    """Reader of ZooProcess scans."""

    name = "zooprocess"
    general = False
    looks_for = "files of ZooProcess (.pid or _dat1.txt that begin with PID, or with !Item and Label)"

    def recognise(self, path: Path | Tree) -> str | None:
        """Say how many .pid files there are."""
        names = _pids(Tree.of(path))
        return f"{len(names)} ZooProcess file{'s' * (len(names) > 1)}, the first {names[0]}" if names else None

    def parts(self, path: Path | Tree) -> list[Part]:
        """One part per scan.

        Raises:
            SourceError: there is none.
        """
        tree = Tree.of(path)
        names = _pids(tree)
        if not names:
            raise SourceError("there is no .pid file", where=tree.path, do=f"this reader looks for {self.looks_for}")
        decimal = any(in_decimal_degrees(parse_header(head_of(tree, name, _HEAD_BYTES))) for name in names)
        return [ZooprocessScan(name, tree, decimal) for name in names]


def _pids(tree: Tree) -> list[str]:
    """Files of scans; of a scan that was validated (_dat1.txt) only that."""
    found = [name for name in tree.with_suffix(".pid", ".txt") if is_pid(head_of(tree, name, _HEAD_BYTES))]
    validated = {splitext(name)[0] for name in found if name.lower().endswith(".txt")}
    return [name for name in found if name.lower().endswith(".txt") or splitext(name)[0] not in validated]


@dataclass(frozen=True)
class ZooprocessScan(Part):
    """One scan.

    Args:
        decimal: whether positions of this source are decimal degrees, not degrees.minutes.
    """

    decimal: bool = False
    needs: ClassVar[tuple[str, ...]] = ("image_path", *BOX, "roi_from")

    def estimate(self) -> int:
        """About one object per 250 bytes."""
        return self.tree.members[self.name] // _BYTES_PER_LINE + 1

    def read(self, start: int = 0, stop: int | None = None) -> Rows:
        """Read the objects, with what the header says about sample and scan."""
        where = self.tree.where(self.name)
        pid = parse_pid(decode_text(self.tree.read(self.name, MAX_TABLE_BYTES)), where, start, stop)
        frame, findings = self._frame(pid, where)
        findings = [*pid.table.findings, *findings]
        if start:
            return Rows(frame, findings)
        if not frame.height:
            do = "process the scan again, or copy the file again: it may be cut off"
            findings.append(Finding("warning", "empty_table", "the file has no object", where, do=do))
        return Rows(frame, [*findings, *scan_findings(pid.header, where, decimal=self.decimal)])

    def picture(self, row: Mapping[str, Any]) -> Picture:
        """Cut the object of a row out of the scan, or read its vignette."""
        name = row["image_path"]
        if row["roi_from"] == "scan":
            return Picture(cut(self._sheets.get(name).pixels, parse_box(row), self.tree.where(name)))
        return decode_picture(self.tree.read(name), self.tree.where(name))

    @cached_property
    def _sheets(self) -> Sheets:
        return Sheets(self._scan_image)

    def _scan_image(self, name: str) -> Picture:
        """The scan; of a zip its only image."""
        if not name.lower().endswith(".zip"):
            return read_sheet(self.tree.read(name), self.tree.where(name))
        inner = InnerTree(self.tree, name)
        images = inner.with_suffix(".tif", ".tiff")
        if len(images) != 1:
            raise SourceError(
                f"the zip holds {len(images)} scans", where=self.tree.where(name), do="put one _vis1.tif into it"
            )
        return read_sheet(inner.read(images[0]), inner.where(images[0]))

    def _frame(self, pid: Pid, where: str) -> tuple[pl.DataFrame, list[Finding]]:
        table = _lower_case(pid.table.frame)
        labels, items = (_column(table, name) for name in ("label", "item"))
        rows = list(table.select([name for name in _PLACE if name in table.columns]).iter_rows(named=True))
        places = [self._place(*entry) for entry in zip(labels, items, rows, strict=True)]
        problems = {row: place for row, place in enumerate(places) if isinstance(place, Problem)}
        problems |= {row: Problem(*told, "copy the file again") for row, told in pid.table.trouble.items()}
        problems |= _repeated(labels, items, pid.table.lines)
        used = [place if isinstance(place, _Place) else None for place in places]
        columns = {name: [place.box[name] if place else None for place in used] for name in BOX}
        columns["roi_from"] = [place.kind if place else None for place in used]
        frame = rows_frame(
            table.rename({name: f"pid_{name}" for name in table.columns}).with_columns(
                *(pl.Series(name, values, pl.String) for name, values in columns.items()),
                *scan_columns(pid.header, self._scan_name(labels), table, decimal=self.decimal),
            ),
            source_path=where,
            source_row=pid.table.lines,
            image_path=[place.image if place else None for place in used],
            object_id=[
                f"{label}_{item}" if label and item else None for label, item in zip(labels, items, strict=True)
            ],
            problems=problems,
        )
        return frame, list(self._notes(used))

    def _scan_name(self, labels: list[str | None]) -> str:
        first = next((label for label in labels if label), None)
        return first or splitext(basename(self.name))[0].removesuffix("_dat1")

    def _place(self, label: str | None, item: str | None, row: Mapping[str, str | None]) -> _Place | Problem:
        """Where the pixels of an object are, or why there are none."""
        if not label or not item:
            return Problem("Label", "the line has no Label or Item", "copy the file again")
        scan = self._scan(label)
        if scan is not None:
            try:
                numbers = [str(int(float(row[name] or ""))) for name in _PLACE]
            except (KeyError, ValueError, OverflowError):
                return Problem("BX", "the line does not say where in the scan the object is", "process the scan again")
            return _Place(scan, "scan", dict(zip(BOX, numbers, strict=True)))
        name = f"{label}_{item}"
        found = self._vignettes.get(name.casefold(), [])
        beside = [member for member in found if dirname(member) == dirname(self.name)]
        if len(found) == 1 or len(beside) == 1:
            return _Place((found if len(found) == 1 else beside)[0], "vignette", dict.fromkeys(BOX, "0"))
        if found:
            return Problem("image", f"several images are called {name!r}", "keep one of each name, or ingest by scan")
        told = f"there is neither a vignette '{name}.jpg' nor the scan '{label}_vis1.zip'"
        return Problem("image", told, "copy the vignettes (or the processed scan) into the folder of the .pid file")

    def _scan(self, label: str) -> str | None:
        """The processed scan: beside the file, else the only one of its name."""
        for suffix in _SCAN_SUFFIXES:
            name = f"{label}{suffix}"
            beside = self.tree.find(f"{dirname(self.name)}/{name}".strip("/"))
            found = self._scans.get(name.casefold(), [])
            if beside or len(found) == 1:
                return beside or found[0]
        return None

    @cached_property
    def _scans(self) -> dict[str, list[str]]:
        return _by_name([name for name in self.tree.members if name.lower().endswith(_SCAN_SUFFIXES)], whole=True)

    @cached_property
    def _vignettes(self) -> dict[str, list[str]]:
        return _by_name(images_of(self.tree))

    def _notes(self, used: list[_Place | None]) -> Iterator[Finding]:
        vignettes = [place for place in used if place and place.kind == "vignette"]
        if vignettes:
            told = "vignettes were taken: they have a margin, are often JPEG and may have a scale bar"
            do = "if there is the processed scan (_vis1.zip), copy it beside the .pid file: objects are cut out of it"
            yield Finding("info", "vignettes_taken", told, self.tree.where(vignettes[0].image), len(vignettes), do)


@dataclass(frozen=True)
class _Place:
    image: str
    kind: str
    box: dict[str, str]


def _by_name(members: list[str], *, whole: bool = False) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for member in members:
        name = basename(member) if whole else splitext(basename(member))[0]
        found.setdefault(name.casefold(), []).append(member)
    return found


def _lower_case(table: pl.DataFrame) -> pl.DataFrame:
    """With names in lower case, but those that would be the same."""
    lower = [name.lower() for name in table.columns]
    return table.rename({name: name.lower() for name in table.columns if lower.count(name.lower()) == 1})


def _column(table: pl.DataFrame, name: str) -> list[str | None]:
    return [value.strip() if value else None for value in table[name]] if name in table.columns else [None] * len(table)


def _repeated(labels: list[str | None], items: list[str | None], lines: list[int]) -> dict[int, Problem]:
    problems: dict[int, Problem] = {}
    seen: dict[tuple[str | None, str | None], int] = {}
    for row, key in enumerate(zip(labels, items, strict=True)):
        if key in seen and all(key):
            told = f"object {key[1]} stands twice, first in line {seen[key]}"
            problems[row] = Problem("Item", told, "remove one of the two lines")
        seen.setdefault(key, lines[row])
    return problems
