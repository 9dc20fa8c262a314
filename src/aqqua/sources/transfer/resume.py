"""One file, until it is whole: what came stays in `NAME.part`, and only the rest is asked for the next time.

Beside it `NAME.part.json` says of which file, and which version of it, the bytes are; else they are worth nothing.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aqqua.errors import RefusedError, RemoteError
from aqqua.sources.transfer.checksums import differs, hashes_for, split_checksum
from aqqua.sources.transfer.places import Place, RemoteFile, Stream
from aqqua.store.atomic import storage, sync_folder

__all__ = ["Patience", "Whole", "fetch_file"]

_FOR_GOOD = {400, 401, 403, 404, 405, 407, 410, 501}
_LONGEST_PAUSE_S = 120.0


@dataclass(frozen=True)
class Patience:
    """What to do when a transfer breaks off.

    Args:
        attempts: how often in a row a transfer may break off without one byte more.
        pause_s: pause after the first time; it doubles with each further one, and a server may ask for a longer one.
        sleep: how to wait (tests do not).
    """

    attempts: int = 6
    pause_s: float = 1.0
    sleep: Callable[[float], None] = time.sleep

    def pause(self, failures: int, asked_s: float | None) -> None:
        """Wait after so many failures in a row."""
        wait_s = self.pause_s * 2.0 ** (failures - 1) * (0.75 + random.random() / 2)
        self.sleep(min(max(wait_s, asked_s or 0.0), _LONGEST_PAUSE_S))


@dataclass(frozen=True)
class Whole:
    """A file that is all there.

    Args:
        path: where.
        size: in bytes.
        sha256: of its content, as hexadecimal digits.
        stamp: of the version that was fetched, if the place says one.
        checked: the kind of checksum it was compared with, None if nobody knew one.
        came: bytes that were fetched now.
        kept: bytes that were there from an earlier try.
    """

    path: Path
    size: int
    sha256: str
    stamp: str | None
    checked: str | None
    came: int
    kept: int


class _Part:
    """The bytes that are there, with their hashes."""

    def __init__(self, file: RemoteFile, target: Path, checksum: str | None) -> None:
        self.file, self.checksum = file, checksum
        self.path = target.with_name(f"{target.name}.part")
        self.state = target.with_name(f"{target.name}.part.json")
        self.stamp, self.size = self._known()
        if self.stamp is None:
            self.discard()
        self.have = self._usable()
        self.kept = self.have
        self.hashes = self._hashed(self.have)

    def begin(self, stream: Stream) -> None:
        """Take up what the place sends: the rest, or everything anew."""
        if stream.start != self.have:
            self.have, self.kept, self.hashes = 0, 0, hashes_for([self.checksum])
            self.path.unlink(missing_ok=True)
        self.stamp, self.size = stream.stamp, stream.size
        state = {"address": self.file.address, "stamp": stream.stamp, "size": stream.size}
        self.state.write_text(json.dumps(state), encoding="utf-8")

    def add(self, block: bytes, into: Any) -> None:
        """Write a block."""
        if self.size is not None and self.have + len(block) > self.size:
            do = "try again later; if it stays, ask the owner for the file in another way"
            raise RemoteError("the server sends more than the file has", where=self.file.address, do=do)
        into.write(block)
        self.have += len(block)
        for digest in self.hashes.values():
            digest.update(block)

    def discard(self) -> None:
        """Forget everything."""
        self.path.unlink(missing_ok=True)
        self.state.unlink(missing_ok=True)
        self.have = 0

    def _known(self) -> tuple[str | None, int | None]:
        """Of which version the bytes are, if that can be known."""
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
            state = json.loads(self.state.read_text(encoding="utf-8"))
            if state["address"] == self.file.address and self.path.is_file():
                return state["stamp"], state["size"]
        return None, None

    def _usable(self) -> int:
        """How many bytes count; of a whole file all but the last, to ask the place whether it is still the same."""
        have = self.path.stat().st_size if self.path.is_file() else 0
        usable = have if self.size is None else max(0, min(have, self.size - 1))
        if usable < have:
            os.truncate(self.path, usable)
        return usable

    def _hashed(self, count: int) -> dict[str, hashlib._Hash]:
        hashes = hashes_for([self.checksum])
        if count:
            with self.path.open("rb") as file:
                while block := file.read(1 << 20):
                    for digest in hashes.values():
                        digest.update(block)
        return hashes


def fetch_file(
    place: Place,
    file: RemoteFile,
    target: Path,
    *,
    checksum: str | None = None,
    patience: Patience | None = None,
    advance: Callable[[int], object] = lambda n: None,
) -> Whole:
    """Fetch a file; it has its name only when it is whole and what its checksum says.

    Args:
        place: where it is.
        file: which one.
        target: file to write; one of this name is replaced at the end.
        checksum: what it should be, `sha256:…`; without it, what the place says.
        patience: what to do when it breaks off.
        advance: is told the number of bytes as they come, kept ones included; negative if they had to be given up.

    Raises:
        RemoteError: it breaks off again and again, is gone, or is not what its checksum says.
        RefusedError: the login or a right is missing.
        StorageError: the disk is full or refuses.
    """
    expected = checksum or file.checksum
    target.parent.mkdir(parents=True, exist_ok=True)
    with storage(target):
        part = _Part(file, target, expected)
        advance(part.have)
        came = _bytes_of(place, part, patience or Patience(), advance)
        if expected and differs(part.hashes, expected) and part.kept:  # perhaps the kept bytes were of something else
            advance(-part.have)
            part.discard()
            part = _Part(file, target, expected)
            came += _bytes_of(place, part, patience or Patience(), advance)
        if expected and differs(part.hashes, expected):
            part.discard()
            raise _differs(file, expected)
        with part.path.open("rb") as written:
            os.fsync(written.fileno())
        part.path.replace(target)
        part.state.unlink(missing_ok=True)
        sync_folder(target.parent)
    kind = split_checksum(expected)[0] if expected else None
    return Whole(target, part.have, part.hashes["sha256"].hexdigest(), part.stamp, kind, came, part.kept)


def _bytes_of(place: Place, part: _Part, patience: Patience, advance: Callable[[int], object]) -> int:
    """Get all bytes, however often it breaks off; return how many came."""
    failures = came = 0
    while True:
        before = part.have
        try:
            came += _one_try(place, part, advance)
            return came
        except RemoteError as error:
            got = part.have - before
            came += max(got, 0)
            failures = 1 if got > 0 else failures + 1
            if isinstance(error, RefusedError) or error.status in _FOR_GOOD or failures >= patience.attempts:
                raise
            patience.pause(failures, getattr(error, "wait_s", None))


def _one_try(place: Place, part: _Part, advance: Callable[[int], object]) -> int:
    came = 0
    with place.open(part.file, part.have, part.stamp) as stream:
        had = part.have
        part.begin(stream)
        advance(part.have - had)
        with part.path.open("ab") as into:
            for block in stream.blocks:
                part.add(block, into)
                came += len(block)
                advance(len(block))
    if part.size is not None and part.have != part.size:
        do = "run it again; what came stays"
        raise RemoteError(
            f"the transfer broke off at {part.have:,} of {part.size:,} bytes", where=part.file.address, do=do
        )
    return came


def _differs(file: RemoteFile, expected: str) -> RemoteError:
    what = f"{file.name} is not what its {split_checksum(expected)[0].upper()} checksum says; it was given up"
    return RemoteError(what, where=file.address, do="fetch it again; if it stays so, ask the owner")
