"""What was changed on EcoTaxa, line by line: each project before and after, so that it can be undone.

The file is the user's own; it holds names and addresses of the projects' members as EcoTaxa has them, never a login.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from aqqua.errors import FormatError, NotFoundError, StorageError

__all__ = ["Entry", "Journal", "new_path", "read_journal"]

_VERSION = 1


@dataclass
class Entry:
    """A project that was changed, or was about to be."""

    projid: int
    before: dict[str, Any]
    after: dict[str, Any] | None = None


@dataclass
class Journal:
    """A journal as read.

    Args:
        server: address of the API.
        member: whose right was changed: id, name, email, organisation.
        entries: in the order they were changed.
    """

    server: str
    member: dict[str, Any]
    entries: list[Entry] = field(default_factory=list)


def new_path(folder: Path | None = None) -> Path:
    """A name that is not taken yet: ecotaxa_rights_<time>.jsonl."""
    stem = datetime.now(UTC).strftime("ecotaxa_rights_%Y%m%dT%H%M%SZ")
    base = folder or Path.cwd()
    names = (base / f"{stem}{'' if number == 0 else f'_{number}'}.jsonl" for number in range(1000))
    return next(path for path in names if not path.exists())


class Writer:
    """Appends to a new journal; each line is on disk before the server is asked. One that notes nothing is removed.

    Args:
        path: a file that is not there yet; only its owner can read it.
        server: address of the API.
        member: whose right changes.

    Raises:
        StorageError: it cannot be made.
    """

    def __init__(self, path: Path, server: str, member: Mapping[str, Any], what: str) -> None:
        self.path = path
        self.projects = 0
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise StorageError("there is a file already", where=path, do="name another journal") from None
        except OSError as error:
            raise StorageError(f"the journal cannot be written: {error.strerror}", where=path) from None
        self._file = os.fdopen(handle, "w", encoding="utf-8")
        self._line({"aqqua_ecotaxa_journal": _VERSION, "server": server, "member": dict(member), "what": what})

    def before(self, projid: int, raw: Mapping[str, Any]) -> None:
        """Note a project that is about to be changed."""
        self.projects += 1
        self._line({"projid": projid, "before": dict(raw)})

    def after(self, projid: int, raw: Mapping[str, Any]) -> None:
        """Note what became of it."""
        self._line({"projid": projid, "after": dict(raw)})

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()
        if not self.projects:
            self.path.unlink()

    def _line(self, entry: dict[str, Any]) -> None:
        stamped = {"time_utc": datetime.now(UTC).isoformat(timespec="seconds"), **entry}
        self._file.write(json.dumps(stamped, ensure_ascii=False) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())


def read_journal(path: Path) -> Journal:
    """Read a journal; a last line that broke off is left out.

    Raises:
        NotFoundError: there is none.
        FormatError: it is something else.
    """
    if not path.is_file():
        raise NotFoundError("there is no journal", where=path)
    lines = path.read_text("utf-8").splitlines()
    rows = [_row(line, path, number, last=number == len(lines)) for number, line in enumerate(lines, 1)]
    head = rows[0] if rows else None
    if not head or head.get("aqqua_ecotaxa_journal") != _VERSION:
        raise FormatError("this is not a journal of rights", where=path, do="name a file that aqqua ecotaxa wrote")
    entries: dict[int, Entry] = {}
    for row in filter(None, rows[1:]):
        projid = int(row["projid"])
        if "before" in row:
            entries.setdefault(projid, Entry(projid, row["before"]))
        elif projid in entries:
            entries[projid].after = row["after"]
    return Journal(str(head["server"]), dict(head["member"]), list(entries.values()))


def _row(line: str, path: Path, number: int, *, last: bool) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except ValueError:
        if last and number > 1:
            return None
        raise FormatError("a line of the journal is damaged", where=f"{path}, line {number}") from None
    if not isinstance(row, dict):
        raise FormatError("a line of the journal is damaged", where=f"{path}, line {number}")
    return row
