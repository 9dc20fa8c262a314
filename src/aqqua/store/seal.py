"""Small files that know their own checksum, so that any flipped bit in them is noticed.

A seal is the last entry of a file's JSON (of the whole file, or of what Parquet keeps at its end):

    "seal": "xxh3:0123456789abcdef"

The sixteen digits are the xxh3_64 of the file with these digits as zeros. Who does not know of seals reads the file as
ever. Images have checksums of their own, and those of the manifest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import xxhash

from aqqua.errors import FormatError
from aqqua.store.atomic import storage, whole

__all__ = ["BLANK", "SealState", "require_seal", "seal_file", "seal_state", "write_sealed_json"]

SealState = Literal["whole", "damaged", "none"]

BLANK = {"seal": f"xxh3:{0:016x}"}
"""Put this at the end of the JSON of a file that will be sealed."""

_MARK = b'"seal": "xxh3:'
_DIGITS = 16
_TAIL_BYTES = 16 << 20
_BLOCK = 1 << 20


def seal_file(path: Path) -> None:
    """Fill in the seal of a file that has a blank one; the only change ever made to a file after it was written.

    Raises:
        FormatError: there is no blank seal in it.
        StorageError: the disk refuses.
    """
    with storage(path):
        at = _place(path)
        if at is None:
            raise FormatError("a file without a place for its seal", where=path)
        digits = f"{_digest(path, at):016x}".encode()
        with path.open("r+b") as file:
            file.seek(at)
            file.write(digits)


def seal_state(path: Path) -> SealState:
    """Whether a file is as it was sealed; "none" if it has no seal.

    Raises:
        OSError: it cannot be read.
    """
    at = _place(path)
    if at is None:
        return "none"
    with path.open("rb") as file:
        file.seek(at)
        digits = file.read(_DIGITS)
    return "whole" if digits == f"{_digest(path, at):016x}".encode() else "damaged"


def require_seal(path: Path) -> None:
    """Make sure that a file that is sealed is as it was sealed.

    Raises:
        FormatError: it is damaged, or not there.
    """
    try:
        state = seal_state(path)
    except OSError as error:
        do = "copy the dataset again"
        raise FormatError(f"a file of the dataset cannot be read ({error})", where=path, do=do) from error
    if state == "damaged":
        what = "a file of the dataset is damaged: it is not as it was sealed (checksum)"
        raise FormatError(what, where=path, do="copy it again from where the dataset came from")


def write_sealed_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a small JSON file as a whole, with its seal."""
    told = {name: value for name, value in content.items() if name not in BLANK} | BLANK
    with whole(path) as part:
        part.write_text(json.dumps(told, indent=2, ensure_ascii=False, default=str) + "\n", encoding="utf-8")
        seal_file(part)


def _place(path: Path) -> int | None:
    """Where the digits of the seal begin: the last mark in the file counts."""
    size = path.stat().st_size
    begin = max(0, size - _TAIL_BYTES)
    with path.open("rb") as file:
        file.seek(begin)
        tail = file.read(_TAIL_BYTES)
    found = tail.rfind(_MARK)
    at = found + len(_MARK)
    return begin + at if found >= 0 and at + _DIGITS <= len(tail) else None


def _digest(path: Path, at: int) -> int:
    """xxh3_64 of a file with zeros for the digits of its seal."""
    digest = xxhash.xxh3_64()
    with path.open("rb") as file:
        first = 0
        while block := file.read(_BLOCK):
            inside = range(max(at, first), min(at + _DIGITS, first + len(block)))
            if inside:
                cut = slice(inside.start - first, inside.stop - first)
                block = block[: cut.start] + b"0" * len(inside) + block[cut.stop :]
            digest.update(block)
            first += len(block)
    return int(digest.intdigest())
