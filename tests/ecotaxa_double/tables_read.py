"""Tables of an import: found, decoded and typed as the server does (a byte order mark decides about the encoding)."""

from __future__ import annotations

import codecs
import csv
import fnmatch
import io
import math
import re
from dataclasses import dataclass, field
from typing import Any

__all__ = ["BadCell", "Tsv", "find_tables", "parse_cell"]

NUMBERS = {"object_depth_min", "object_depth_max", "img_rank", "object_annotation_category_id"}
_PLACES = {"object_lat": ("Lat.", 90), "object_lon": ("Long.", 180)}
_DEGREES = re.compile(r"^(-?)(\d{1,3})°(\d{1,2}(?:\.\d+)?) (\d{1,2}(?:\.\d+)?)$")
_DATES = re.compile(r"^(\d{4})-?(\d{2})-?(\d{2})$")
_CLOCK = re.compile(r"^(\d{2}):(\d{2}):(\d{2})$")
STATUSES = {"predicted": "P", "validated": "V", "dubious": "D", "discarded": "X", "noid": None, "": None}


class BadCell(Exception):
    """What the importer says about a value."""


@dataclass
class Tsv:
    """A table: names and types of its columns, and its rows with the line they stand in."""

    path: str
    names: list[str]
    types: dict[str, str]
    rows: list[tuple[int, dict[str, str]]] = field(default_factory=list)

    @property
    def folder(self) -> str:
        """Where its images are."""
        return self.path.rpartition("/")[0]

    @property
    def shown(self) -> str:
        """How messages name it."""
        return f"[base]/{self.path}"


def find_tables(files: dict[str, bytes]) -> list[Tsv]:
    """All tables of a folder whose name begins with ecotaxa."""
    names = [
        name
        for name in sorted(files)
        if any(fnmatch.fnmatchcase(name.rpartition("/")[2], f"ecotaxa*.{suffix}") for suffix in ("tsv", "txt"))
    ]
    return [read_table(name, files[name]) for name in names]


def read_table(path: str, data: bytes) -> Tsv:
    """Decode and split: UTF-8 only with a byte order mark, else Latin-1; the second line is always the types."""
    text = data.decode("utf-8-sig") if data.startswith(codecs.BOM_UTF8) else data.decode("latin-1")
    lines = list(csv.reader(io.StringIO(text, newline=""), delimiter="\t", quotechar='"'))
    names = [name.strip().lower() for name in (lines[0] if lines else [])]
    types = dict(zip(names, lines[1] if len(lines) > 1 else [], strict=False))
    table = Tsv(path, names, types)
    for number, line in enumerate(lines[2:], 3):
        if line:
            table.rows.append((number, dict(zip(names, (cell.strip() for cell in line), strict=False))))
    return table


def parse_cell(name: str, text: str, kind: str) -> Any:
    """The value of a cell.

    Args:
        kind: n for numbers, t for text.

    Raises:
        BadCell: the importer refuses it.
    """
    if name in _PLACES:
        return _place(name, text)
    if name in {"object_date", "object_annotation_date"}:
        return _date(name, text)
    if name in {"object_time", "object_annotation_time"}:
        return _time(name, text)
    if name == "object_annotation_status":
        if text.lower() not in STATUSES:
            raise BadCell(f"Invalid Annotation Status '{text}' for field '{name}'.")
        return STATUSES[text.lower()]
    if name in NUMBERS or kind == "n":
        return _number(name, text)
    return text or None


def _number(name: str, text: str) -> float | None:
    if text.lower() in {"", "nan", "na"}:
        return None
    try:
        return float(text)
    except ValueError:
        raise BadCell(f"Invalid float value '{text}' for field '{name}'.") from None


def _place(name: str, text: str) -> float | None:
    what, most = _PLACES[name]
    if text.lower() in {"", "nan", "na"}:
        return None
    found = _DEGREES.match(text)
    try:
        if found:
            size = int(found[2]) + float(found[3]) / 60 + float(found[4]) / 3600
            value = -size if found[1] else size
        else:
            value = float(text)
    except ValueError:
        value = math.nan
    if not -most <= value <= most:
        raise BadCell(f"Invalid {what} value '{text}' for field '{name}'. Correct range is -{most}/+{most}°.")
    return value


def _date(name: str, text: str) -> str | None:
    if not text:
        return None
    found = _DATES.match(text)
    if not found or not (1 <= int(found[2]) <= 12 and 1 <= int(found[3]) <= 31):
        raise BadCell(f"Invalid Date value '{text}' for field '{name}'.")
    return "-".join(found.groups())


def _time(name: str, text: str) -> str | None:
    if not text:
        return None
    clock = text
    if text.isdigit():
        digits = text.zfill(4) + "00" if len(text) <= 4 else text.zfill(6)
        clock = f"{digits[:2]}:{digits[2:4]}:{digits[4:]}"
    found = _CLOCK.match(clock)
    if not found or int(found[1]) > 23 or int(found[2]) > 59 or int(found[3]) > 59:
        raise BadCell(f"Invalid Time value '{text}' for field '{name}'.")
    return clock
