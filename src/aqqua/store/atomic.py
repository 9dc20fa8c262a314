"""Files that get their name only when they are whole, and disks that say when they are full."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import xxhash

from aqqua.errors import AqquaError, StorageError

__all__ = [
    "digest_of",
    "forget_cache",
    "link_whole",
    "make_folder",
    "storage",
    "sync_folder",
    "whole",
    "write_json",
    "write_text",
]

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FULL_WORDS = ("no space left", "disk quota", "file too large")
_BLOCK = 1 << 20
_LITTLE_BYTES = 32 << 20


@contextmanager
def storage(path: Path) -> Iterator[None]:
    """Turn what the system says about a disk into a `StorageError` that says what to do.

    Args:
        path: the file that is written.
    """
    try:
        yield
    except AqquaError:
        raise
    except OSError as error:
        raise refusal(path, error) from error


def refusal(path: Path, error: Exception) -> StorageError:
    """The `StorageError` for an error of the system or of a library that wrote to the disk."""
    said, free = str(error).lower(), _free_bytes(path)
    full = getattr(error, "errno", None) in _FULL or any(word in said for word in _FULL_WORDS)
    if full or (free < _LITTLE_BYTES and "input/output" in said):  # LMDB says the latter for a write cut short
        do = f"{free / 1e6:,.0f} MB are free there; make room or choose another disk, then run it again"
        return StorageError("the disk is full", where=path, do=do)
    return StorageError(
        f"the disk refuses to be written ({error})", where=path, do="check the disk and its permissions"
    )


def _free_bytes(path: Path) -> int:
    with contextlib.suppress(OSError):
        return shutil.disk_usage(path.parent).free
    return 0


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Write a file under a name nobody else uses (`….part`); it gets its name when the block ends without error.

    The content is on the disk before the name is, and the name before this returns.

    Args:
        path: the name it shall have; a file of this name is replaced.

    Yields:
        where to write.

    Raises:
        StorageError: the disk is full or refuses.
    """
    part = path.with_name(f"{path.name}.{os.getpid()}-{secrets.token_hex(3)}.part")
    with storage(path):
        make_folder(path.parent)
        try:
            yield part
            _sync_file(part)
            part.replace(path)
            sync_folder(path.parent)
        except BaseException:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            raise


def write_text(path: Path, text: str) -> None:
    """Write a small text file as a whole."""
    with whole(path) as part:
        part.write_text(text, encoding="utf-8")


def write_json(path: Path, content: Any) -> None:
    """Write a small JSON file as a whole."""
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False, default=str) + "\n")


def link_whole(source: Path, target: Path) -> None:
    """Give a finished file a second name, on another disk by copying; the source stays."""
    if target.exists() and target.samefile(source):
        return  # done before an interruption; renaming one name of a file to its other does nothing
    with whole(target) as part:
        try:
            os.link(source, part)
        except OSError:
            shutil.copyfile(source, part)


def digest_of(path: Path) -> int:
    """xxh3_64 of the content of a file."""
    digest = xxhash.xxh3_64()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return int(digest.intdigest())


def forget_cache(path: Path) -> None:
    """Let the system drop a written file from memory, so that reading it back asks the disk."""
    if hasattr(os, "posix_fadvise"):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder outlast a power cut (where the file system can)."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Make a folder whose name outlasts a power cut, with those above it."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def _sync_file(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
