"""Which projects are meant: ids, a file with ids, or all that a filter leaves."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path

from aqqua.errors import ConfigError, NotFoundError

__all__ = ["ALL", "project_ids"]

ALL = "all"
_ID_COLUMNS = ("id", "projid", "project_id", "project")


def project_ids(given: Sequence[str]) -> list[int] | None:
    """Ids of projects, each once, in the order given; None for all.

    Args:
        given: ids, also several with commas; files with an id per line or a table with a column `id`; or "all".

    Raises:
        ConfigError: nothing is given, or something is neither.
        NotFoundError: it looks like a file that is not there.
    """
    words = [
        word for text in given for word in ([text] if Path(text).is_file() else re.split(r"[,;\s]+", text)) if word
    ]
    if not words:
        do = "--projects 12,13 or --projects FILE or --projects all"
        raise ConfigError("no projects are named", do=do)
    if words == [ALL]:
        return None
    found: dict[int, None] = {}
    for word in words:
        numbers = [int(word)] if word.isdigit() else _from_file(Path(word))
        found |= dict.fromkeys(numbers)
    return list(found)


def _words(text: str) -> list[str]:
    """One file, or ids with commas between."""
    return [text] if Path(text).is_file() else [word for word in re.split(r"[,;\s]+", text) if word]


def _from_file(path: Path) -> list[int]:
    if not path.is_file():
        if path.suffix or len(path.parts) > 1:
            raise NotFoundError("there is no file with projects", where=path)
        raise ConfigError(f"{path} is neither the id of a project nor a file", do="write ids, a file, or all")
    text = path.read_text("utf-8-sig")
    header = next(iter(text.splitlines()), "")
    names = [name.strip().lower() for name in re.split(r"[,;\t]", header)]
    if column := next((name for name in _ID_COLUMNS if name in names), None):
        separator = next((mark for mark in ",;\t" if mark in header), ",")
        rows = csv.reader(text.splitlines(), delimiter=separator)
        next(rows)
        cells = [(number, row[names.index(column)]) for number, row in enumerate(rows, 2) if row]
    else:
        lines = [line.partition("#")[0].strip() for line in text.splitlines()]
        cells = [(number, line) for number, line in enumerate(lines, 1) if line]
    for number, cell in cells:
        if not cell.strip().isdigit():
            where = f"{path}, line {number}"
            raise ConfigError(f"{cell!r} is not the id of a project", where=where, do="write an id per line")
    return [int(cell) for _, cell in cells]
