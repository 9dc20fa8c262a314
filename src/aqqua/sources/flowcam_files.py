"""The text files of a FlowCam run (VisualSpreadsheet): list, export, context, summaries, classification.

The list (`.lst`) names its own columns: a version, `num-fields|65`, that many lines `name|type`, then one line per
particle. Sources: files of VisualSpreadsheet 4.10 and 4.19; the volume by geometry gives what the program itself states
for both of them (see `imaged_volume_ml`).
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice

import polars as pl

from aqqua.sources.tables import Line, TextTable, build_table, read_lines

__all__ = [
    "ClassFile",
    "ListFile",
    "clock_offset",
    "first_number",
    "imaged_volume_ml",
    "is_list",
    "is_particle_export",
    "parse_classes",
    "parse_context",
    "parse_export",
    "parse_list",
    "parse_run_summary",
    "parse_summary",
]

_VERSION = re.compile(r"\s*(\d{1,4})\s*")
_FIELDS = re.compile(r"\s*num-fields\s*\|\s*(\d{1,4})\s*")
_MAX_FIELDS, _MAX_KEYS = 500, 1000
_ID, _SHEET = "id", "collage_file"
_EXPORT = {
    "Particle ID": _ID,
    "Image X": "image_x",
    "Image Y": "image_y",
    "Image Width": "image_w",
    "Image Height": "image_h",
    "Image File": _SHEET,
    "Calibration Factor": "cal_const",
    "Timestamp": "timestamp",
    "Original Reference ID": "image_id",
}
"""Columns of an exported table that a list has too, by the list's name."""
_UM3_PER_ML = 1e12


@dataclass(frozen=True)
class ListFile:
    """The particles of a run.

    Args:
        table: columns as the list calls them, empty cells null; the line of the file for each row.
        ragged: row → how many cells it has, where that is not the number of columns.
        cut_off: whether the file ends within its list of columns.
    """

    table: TextTable
    ragged: dict[int, int] = field(default_factory=dict)
    cut_off: bool = False

    @property
    def frame(self) -> pl.DataFrame:
        """One row per particle, all text."""
        return self.table.frame

    def __len__(self) -> int:
        return self.frame.height

    def cells(self, *names: str) -> Iterator[dict[str, str]]:
        """Some columns row by row; what is missing is empty."""
        known = [pl.col(name) if name in self.frame.columns else pl.lit(None, pl.String).alias(name) for name in names]
        yield from self.frame.with_columns(known).select(names).fill_null("").iter_rows(named=True)


def is_list(head: str) -> bool:
    """Whether a text begins as a list of VisualSpreadsheet."""
    first, _, rest = head.lstrip("\ufeff").partition("\n")
    return bool(_VERSION.fullmatch(first) and _FIELDS.fullmatch(rest.partition("\n")[0]))


def is_particle_export(head: str) -> bool:
    """Whether a text begins as a table of particles that VisualSpreadsheet has exported."""
    names = {name.strip().strip('"') for name in head.lstrip("\ufeff").partition("\n")[0].split(",")}
    return {"Particle ID", "Image File", "Image X", "Image Y"} <= names


def parse_list(text: str, name: str = "", start: int = 0, stop: int | None = None) -> ListFile:
    """Read a `.lst` file.

    Args:
        text: its content.
        name: what to call it in findings.
        start: first particle, from 0.
        stop: first particle after the last one; None: all.
    """
    lines = text.lstrip("\ufeff").splitlines()
    hit = _FIELDS.fullmatch(lines[1]) if len(lines) > 1 else None
    count = min(int(hit[1]) if hit else 0, _MAX_FIELDS)
    columns = [line.partition("|")[0].strip() for line in lines[2 : 2 + count]]
    records = (
        Line(number, [cell.strip() for cell in line.split("|")])
        for number, line in enumerate(islice(lines, 2 + count, None), 3 + count)
        if line.strip()
    )
    return _listed(columns, islice(records, start, stop), name, cut_off=len(columns) < count)


def parse_export(text: str, name: str = "", start: int = 0, stop: int | None = None) -> ListFile:
    """Read a `.csv` table of particles, or some rows of it; columns that a list has too get the list's name."""
    records = read_lines(io.StringIO(text.lstrip("\ufeff"), newline=None), ",")
    header = next(records, Line(1, [])).cells[:_MAX_FIELDS]
    columns = [_EXPORT.get(title.strip(), _plain(title)) for title in header]
    return _listed(columns, islice(records, start, stop), name)


def _listed(columns: list[str], records: Iterator[Line], name: str, *, cut_off: bool = False) -> ListFile:
    ragged: dict[int, int] = {}

    def noted() -> Iterator[Line]:
        for row, record in enumerate(records if columns else ()):
            if len(record.cells) != len(columns):
                ragged[row] = len(record.cells)
            yield record

    return ListFile(build_table(columns, noted(), name), ragged, cut_off)


def _plain(name: str) -> str:
    return re.sub(r"\W+", "_", name.strip().lower()).strip("_") or "column"


def parse_context(text: str) -> dict[str, str]:
    """Read a `.ctx` file: "key=value" lines in [sections] → "Fluid_FlowCellDepth": "100"."""
    told: dict[str, str] = {}
    section = ""
    for line in text.lstrip("\ufeff").splitlines():
        if hit := re.fullmatch(r"\s*\[(.+?)\]\s*", line):
            section = hit[1]
        elif "=" in line and len(told) < _MAX_KEYS:
            key, _, value = line.partition("=")
            told[f"{section}_{key.strip()}".strip("_")] = value.strip()
    return told


def parse_run_summary(text: str) -> dict[str, str]:
    """Read a `_run_summary.txt`: indented "key: value" lines below "Heading:" → "Run_Mode": "AutoImage"."""
    told: dict[str, str] = {}
    heading = ""
    for line in text.lstrip("\ufeff").splitlines():
        key, colon, value = line.partition(":")
        if not colon:
            continue
        if not line[:1].isspace():
            heading = _words(key)
        if value.strip() and len(told) < _MAX_KEYS:
            told.setdefault(f"{heading}_{_words(key)}" if line[:1].isspace() else _words(key), value.strip())
    return told


def parse_summary(text: str) -> dict[str, str]:
    """Read the lines of a `_summary.csv` above its statistics: "Sample Volume Imaged ml,0.01737"."""
    told: dict[str, str] = {}
    for line in text.lstrip("\ufeff").splitlines():
        key, comma, value = line.partition(",")
        if key.strip() == "Summary Stats" or len(told) == _MAX_KEYS:
            break
        if comma and value.strip():
            told[_words(key)] = value.strip()
    return told


def _words(text: str) -> str:
    return re.sub(r"\W+", "_", text.strip()).strip("_")


@dataclass(frozen=True)
class ClassFile:
    """Who is in which class.

    Args:
        of: particle → its classes.
        filtered: classes that were made by a filter, not by a person.
    """

    of: dict[str, list[str]] = field(default_factory=dict)
    filtered: set[str] = field(default_factory=set)


def parse_classes(text: str) -> ClassFile:
    """Read a `.cla` file (version 3); nothing if it is of another form.

    Lines: v3, number of classifications; for each its name and number of classes; for each class its name, AND or OR,
    number of filters, the filters, number of particles, their numbers.
    """
    lines = iter([line.strip() for line in text.lstrip("\ufeff").splitlines()])
    found = ClassFile()
    try:
        if next(lines) != "v3":
            return ClassFile()
        for _ in range(int(next(lines))):
            next(lines)
            for _ in range(int(next(lines))):
                _parse_class(lines, found)
    except (StopIteration, ValueError):
        return ClassFile()
    return found


def _parse_class(lines: Iterator[str], found: ClassFile) -> None:
    name, _, filters = next(lines), next(lines), int(next(lines))
    for _ in range(filters):
        next(lines)
        found.filtered.add(name)
    for _ in range(int(next(lines))):
        found.of.setdefault(next(lines), []).append(name)


def imaged_volume_ml(context: Mapping[str, str]) -> float | None:
    """Volume imaged by geometry: acceptable area of the frame × depth of the flow cell × frames, in millilitres.

    The factor `VolumeCF` is applied where the context says that it is included. For the runs this was checked with it
    gives 289.6065 mL (stated: 289.6065) and 0.01738 mL (stated: 0.01737).

    Returns:
        The volume, or None where the context lacks something.
    """
    try:
        left, right, top, bottom = (
            float(context[f"CaptureRegion_Acceptable{side}"]) for side in ("Left", "Right", "Top", "Bottom")
        )
        um, depth = float(context["Fluid_CalibrationConstant"]), float(context["Fluid_FlowCellDepth"])
        frames = float(context["CaptureStats_RawImageTotal"])
        factor = float(context.get("CaptureStats_VolumeCF") or 1)
    except (KeyError, ValueError):
        return None
    area = (right - left + 1) * (bottom - top + 1) * um**2
    volume = area * depth * frames / _UM3_PER_ML
    included = context.get("CaptureStats_IncludesVolumeCF", "1") == "1"
    return volume * (factor if included else 1) if volume > 0 and factor > 0 else None


def clock_offset(context: Mapping[str, str], summary: Mapping[str, str]) -> timedelta | None:
    """How far the computer's clock was ahead of UTC, or None if the run does not say.

    The context has the start of the run in UTC, the summary by the clock; a difference that is no time zone is none.
    """
    told = (context.get("General_RunStartTime"), summary.get("Date_Time_Start"))
    utc, clock = (_moment(text) for text in told)
    if utc is None or clock is None:
        return None
    offset = clock - utc
    quarter, odd = divmod(offset, timedelta(minutes=15))
    return offset if not odd and abs(quarter) <= 14 * 4 else None


def _moment(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(re.sub(r"\s+", " ", text.strip())) if text else None
    except ValueError:
        return None


def first_number(texts: Sequence[str | None]) -> float | None:
    """The first positive number among texts like "0.0174 ml"."""
    for text in texts:
        hit = re.match(r"\s*([0-9]+(?:[.,][0-9]+)?(?:[eE][-+]?\d+)?)", text or "")
        if hit and float(hit[1].replace(",", ".")) > 0:
            return float(hit[1].replace(",", "."))
    return None
