"""The verb: fetch what is at some addresses into a folder, resumed, checked, with a record of what came from where."""

from __future__ import annotations

import contextlib
import fcntl
import fnmatch
import json
import os
import shutil
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aqqua.errors import ConfigError, StorageError
from aqqua.progress import job
from aqqua.sources.ecotaxa_api.crowd import at_once
from aqqua.sources.transfer.checksums import differs, hashes_for, lists_checksums, read_list, split_checksum
from aqqua.sources.transfer.places import Place, RemoteFile, inside, place_of
from aqqua.sources.transfer.resume import Patience, Whole, fetch_file

__all__ = ["RECORD", "FetchReport", "fetch"]

RECORD = ".fetched.jsonl"
"""In the target folder: one line per file with name, address, size, stamp, SHA-256, and when it came."""


@dataclass(frozen=True)
class FetchReport:
    """What a fetch gave.

    Args:
        folder: where the files are.
        files: all of them, in the order of their names.
        came_bytes: fetched now.
        kept_bytes: of transfers that had broken off before.
        there: files that were there already, and have not changed at their place.
        checked: files compared with a checksum that somebody else had made.
    """

    folder: Path
    files: list[Path] = field(default_factory=list)
    came_bytes: int = 0
    kept_bytes: int = 0
    there: int = 0
    checked: int = 0

    def __str__(self) -> str:
        """A few lines for people."""
        count = f"{len(self.files):,} file{'s' * (len(self.files) != 1)}"
        lines = [f"{count} in {self.folder}: {_size(self.came_bytes)} fetched"]
        if self.kept_bytes:
            lines.append(f"{_size(self.kept_bytes)} were kept from an earlier try")
        if self.there:
            lines.append(f"{self.there:,} were there already")
        unchecked = len(self.files) - self.checked
        lines.append(f"checksums: {self.checked:,} right" + (f", {unchecked:,} without one" if unchecked else ""))
        return "\n".join(lines)


def fetch(
    addresses: Sequence[str],
    folder: str | Path,
    *,
    checksum: str | None = None,
    only: Sequence[str] = (),
    connections: int = 4,
    timeout_s: float = 60.0,
    patience: Patience | None = None,
) -> FetchReport:
    """Fetch the files at some addresses; run it again after an interruption, and only what is missing is fetched.

    Args:
        addresses: `https://…`, a Nextcloud share link, a Zenodo record, `davs://…`, `ftp://…`, `s3://…`, or a path.
        folder: where to put the files; made if it is not there.
        checksum: of the one file there is, `sha256:…` or `md5:…`; lists beside the files (SHA256SUMS …) count anyway.
        only: patterns of file names (`*.zip`); all, if there is none.
        connections: how many files at once.
        timeout_s: how long to wait for an answer.
        patience: what to do when a transfer breaks off.

    Raises:
        RemoteError: a place cannot be reached, or a file is not what its checksum says.
        RefusedError: a login or a right is missing.
        ConfigError: two files would get the same name, or none is left by `only`.
        StorageError: the disk has not enough room.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        stack.enter_context(_alone(folder))
        places = [stack.enter_context(contextlib.closing(place_of(text, timeout_s=timeout_s))) for text in addresses]
        found = [(place, file) for place in places for file in place.files()]
        chosen = [pair for pair in found if _wanted(pair[1].name, only)]
        _refuse_clashes(chosen, found, only)
        if checksum is not None:
            split_checksum(checksum)
            if len(chosen) != 1:
                raise ConfigError(f"one checksum, but {len(chosen):,} files", do="name one file by --only")
        work = _Work(folder, chosen, checksum, patience)
        return work.do(max(1, connections))


class _Work:
    """Some files to be fetched into one folder."""

    def __init__(
        self, folder: Path, chosen: list[tuple[Place, RemoteFile]], checksum: str | None, patience: Patience | None
    ) -> None:
        self.folder, self.chosen, self.patience = folder, chosen, patience
        self.checksums = {chosen[0][1].name: checksum} if checksum else {}
        self.record = _read_record(folder / RECORD)
        self.lock = threading.Lock()
        self.came = self.kept = self.there = self.checked = 0

    def do(self, connections: int) -> FetchReport:
        """Lists of checksums first, then everything else."""
        self._refuse_little_room()
        lists = [pair for pair in self.chosen if lists_checksums(pair[1].name)]
        rest = [pair for pair in self.chosen if not lists_checksums(pair[1].name)]
        sizes = [file.size for _, file in self.chosen]
        total = None if None in sizes else sum(size or 0 for size in sizes) / 1e6
        with job("Fetching", total, unit="MB") as advance:

            def one(pair: tuple[Place, RemoteFile]) -> None:
                self._one(*pair, lambda n: advance(n / 1e6))

            at_once(one, lists, threads=1)
            for _, file in lists:
                kind = lists_checksums(file.name) or ""
                self.checksums = read_list(inside(self.folder, file.name), file.name, kind) | self.checksums
            at_once(one, rest, threads=min(connections, max(1, len(rest))))
        files = sorted(inside(self.folder, file.name) for _, file in self.chosen)
        return FetchReport(self.folder, files, self.came, self.kept, self.there, self.checked)

    def _one(self, place: Place, file: RemoteFile, advance: Any) -> None:
        """One file, unless it is there."""
        target = inside(self.folder, file.name)
        expected = self.checksums.get(file.name) or file.checksum
        if self._is_there(file, target, expected):
            advance(file.size or 0)
            with self.lock:
                self.there += 1
                self.checked += bool(expected)
            return
        whole = fetch_file(place, file, target, checksum=expected, patience=self.patience, advance=advance)
        self._note(file, whole)

    def _is_there(self, file: RemoteFile, target: Path, expected: str | None) -> bool:
        """Whether the file came before and is still the same, here and at its place."""
        if not target.exists():
            return False
        known = self.record.get(file.name)
        same_size = target.is_file() and file.size in (None, target.stat().st_size)
        if expected and same_size and not differs(_hashed(target, expected), expected):
            return True
        if known is None:
            do = "choose an empty folder, or move this file away"
            raise StorageError("a file of this name is here that did not come from this place", where=target, do=do)
        same = known["address"] == file.address and known["size"] == target.stat().st_size and same_size
        return expected is None and same and file.stamp is not None and known["listed"] == file.stamp

    def _note(self, file: RemoteFile, whole: Whole) -> None:
        """Write down what came."""
        entry = {"name": file.name, "address": file.address, "size": whole.size, "stamp": whole.stamp}
        entry |= {"listed": file.stamp, "sha256": whole.sha256, "checked": whole.checked}
        entry |= {"fetched_utc": datetime.now(UTC).isoformat(timespec="seconds")}
        with self.lock:
            with (self.folder / RECORD).open("a", encoding="utf-8") as record:
                record.write(json.dumps(entry, ensure_ascii=False) + "\n")
            self.came += whole.came
            self.kept += whole.kept
            self.checked += whole.checked is not None

    def _refuse_little_room(self) -> None:
        """Say it before the first byte, not after the last that fits."""
        needed = 0
        for _, file in self.chosen:
            target = inside(self.folder, file.name)
            part = target.with_name(f"{target.name}.part")
            have = next((path.stat().st_size for path in (target, part) if path.is_file()), 0)
            needed += max(0, (file.size or 0) - have)
        free = shutil.disk_usage(self.folder).free
        if needed > free:
            what = f"{_size(needed)} are to be fetched, but only {_size(free)} are free"
            raise StorageError(what, where=self.folder, do="make room, or choose another disk")


def _wanted(name: str, only: Sequence[str]) -> bool:
    return not only or any(
        fnmatch.fnmatchcase(name, p) or fnmatch.fnmatchcase(name.rpartition("/")[2], p) for p in only
    )


def _refuse_clashes(chosen: list[Any], found: list[Any], only: Sequence[str]) -> None:
    if not chosen:
        names = ", ".join(file.name for _, file in found[:5])
        raise ConfigError(f"no file is called like {' or '.join(only)}", do=f"there are: {names or 'none'} …")
    seen: dict[str, RemoteFile] = {}
    for _, file in chosen:
        inner = file.name.casefold()
        if inner in seen:
            where = f"{seen[inner].address} and {file.address}"
            raise ConfigError(f"two files would be called {file.name}", where=where, do="fetch them into two folders")
        seen[inner] = file


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Nobody else may fetch into the same folder at the same time."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StorageError("another fetch is writing here", where=folder, do="wait until it has ended") from error
        except OSError:  # a file system without locks
            pass
        yield
    finally:
        os.close(descriptor)


def _read_record(path: Path) -> dict[str, dict[str, Any]]:
    """Name → what was written down about the file; a line that a crash cut short does not count."""
    found = {}
    if path.is_file():
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            with contextlib.suppress(ValueError, KeyError, TypeError):
                entry = json.loads(line)
                found[str(entry["name"])] = {key: entry[key] for key in ("address", "size", "listed")}
    return found


def _hashed(path: Path, checksum: str) -> dict[str, Any]:
    hashes = hashes_for([checksum])
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            for digest in hashes.values():
                digest.update(block)
    return hashes


def _size(count: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:,.0f} {unit}" if unit in {"bytes", "kB"} else f"{count:,.1f} {unit}"
        count /= 1000
    raise AssertionError
