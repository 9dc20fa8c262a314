"""The journal of a record on Zenodo: which draft, which files, when. It never holds a token."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aqqua.errors import ConfigError, FormatError, NotFoundError
from aqqua.export.zenodo_record import LocalFile
from aqqua.store.atomic import write_json

__all__ = ["Journal", "Sent"]

_VERSION = 1
_MAX_BYTES = 16 << 20


@dataclass(frozen=True)
class Sent:
    """A file that is in the draft.

    Args:
        key: its name there.
        nbytes: its size.
        md5: its MD5 sum.
        changed_ns: when the file here was changed.
    """

    key: str
    nbytes: int
    md5: str
    changed_ns: int


@dataclass
class Journal:
    """What was done for one record; on disk after every step.

    Args:
        path: where it is written.
        server: address of the server.
        release: name of the release's folder.
        number: of the draft; None before there is one.
        said: everything else.
    """

    path: Path
    server: str
    release: str
    number: int | None = None
    inherited: list[str] = field(default_factory=list)
    said: dict[str, Any] = field(default_factory=dict)
    files: dict[str, Sent] = field(default_factory=dict)

    @classmethod
    def open(cls, path: Path, server: str, release: str) -> Journal:
        """The journal of a run that broke off, or a new one.

        Raises:
            ConfigError: it is of another server or release.
            FormatError: it is something else.
        """
        if not path.exists():
            return cls(path, server, release)
        journal = cls.read(path)
        for name, here, there in (("server", server, journal.server), ("release", release, journal.release)):
            if here != there:
                what = f"this journal is of another {name}: {there}, not {here}"
                raise ConfigError(what, where=path, do="name another file with --out")
        return journal

    @classmethod
    def read(cls, path: Path) -> Journal:
        """Read a journal.

        Raises:
            NotFoundError: there is none.
            FormatError: it is something else.
        """
        try:
            if path.stat().st_size > _MAX_BYTES:
                raise ValueError("too large")
            said = json.loads(path.read_text("utf-8"))
            if said.pop("aqqua_zenodo_journal") != _VERSION:
                raise ValueError("another version")
            files = {one["key"]: Sent(**one) for one in said.pop("files")}
            head = {name: said.pop(name) for name in ("server", "release", "number", "inherited")}
            if not (head["number"] is None or type(head["number"]) is int) or not isinstance(head["inherited"], list):
                raise ValueError("no number of a draft")
            return cls(path=path, said=said, files=files, **head)
        except FileNotFoundError as error:
            raise NotFoundError("there is no such journal", where=path) from error
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            do = "name a file that `aqqua export --to zenodo` wrote, or a new one"
            raise FormatError("this is no journal of a record", where=path, do=do) from error

    def begin(self, number: int, link: str, *, before: int | None, inherited: Sequence[str]) -> None:
        """Note the draft, before anything is sent to it."""
        self.number, self.inherited = number, list(inherited)
        self.update(link=link, new_version_of=before, state="draft, files missing")

    def md5_of(self, file: LocalFile) -> str | None:
        """The MD5 sum of a file that was sent and has not changed since."""
        sent = self.files.get(file.key)
        same = sent is not None and (sent.nbytes, sent.changed_ns) == (file.nbytes, file.changed_ns)
        return sent.md5 if sent is not None and same else None

    def note(self, sent: Sent) -> None:
        """Note a file that is in the draft."""
        self.files[sent.key] = sent
        self._write()

    def forget(self, key: str) -> None:
        """Note that a file is no longer in the draft."""
        self.files.pop(key, None)
        self.inherited = [name for name in self.inherited if name != key]
        self._write()

    def update(self, **facts: Any) -> None:
        """Note anything else."""
        self.said |= facts
        self._write()

    def _write(self) -> None:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        head = {"server": self.server, "release": self.release, "number": self.number, "inherited": self.inherited}
        files = [vars(sent) for sent in self.files.values()]
        write_json(
            self.path, {"aqqua_zenodo_journal": _VERSION, **head, **self.said, "changed_utc": now, "files": files}
        )
