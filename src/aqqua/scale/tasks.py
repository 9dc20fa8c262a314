"""One shard: do the work, make it durable, give it its name – or say what failed."""

from __future__ import annotations

import errno
import os
import shutil
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aqqua.errors
from aqqua.errors import AqquaError, StorageError

__all__ = ["Failure", "Outcome", "Task", "finish"]

_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}


@dataclass(frozen=True)
class Task:
    """One shard to be done: `work(shard, part)` writes what then becomes `out`."""

    work: Callable[[Any, Path], object]
    shard: Any
    out: Path

    @property
    def part(self) -> Path:
        """Where the output grows until it is whole."""
        return self.out.with_name(self.out.name + ".part")


@dataclass(frozen=True)
class Failure:
    """Why a shard failed, in plain text, so that it travels between processes whatever was raised."""

    kind: str
    what: str
    where: str | None = None
    do: str | None = None
    trace: str = ""

    @classmethod
    def of(cls, error: BaseException) -> Failure:
        """Describe an exception; a full disk is recognised and named."""
        trace = "".join(traceback.format_exception(error))
        if isinstance(error, OSError) and error.errno in _NO_SPACE:
            do = "free some space, then run again: only what is missing will be done"
            error = StorageError(f"the disk is full or refuses: {error.strerror}", where=error.filename, do=do)
        if isinstance(error, AqquaError):
            return cls(_public_class(error), error.what, error.where, error.do, trace)
        return cls("AqquaError", f"{type(error).__name__}: {error}", trace=trace)


@dataclass(frozen=True)
class Outcome:
    """What became of the shard whose output is `out`; `failure` is None when it is done."""

    out: Path
    failure: Failure | None = None


def finish(task: Task) -> Outcome:
    """Do one shard: write `.part`, sync it to disk, rename it. An output that is there is left alone."""
    if task.out.exists():
        return Outcome(task.out)
    try:
        task.out.parent.mkdir(parents=True, exist_ok=True)
        remove(task.part)
        task.work(task.shard, task.part)
        _seal(task)
    except Exception as error:
        remove(task.part, quietly=True)
        return Outcome(task.out, Failure.of(error))
    except BaseException:
        remove(task.part, quietly=True)
        raise
    return Outcome(task.out)


def remove(path: Path, *, quietly: bool = False) -> None:
    """Remove a file or folder if it is there."""
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError:
        if not quietly:
            raise


def _seal(task: Task) -> None:
    if not task.part.exists():
        name = getattr(task.work, "__qualname__", repr(task.work))
        raise AqquaError(f"{name} wrote no output", where=task.part, do="write to the path given as second argument")
    for path in _inside(task.part):
        _sync(path)
    task.part.rename(task.out)
    _sync(task.out.parent)


def _inside(path: Path) -> Iterator[Path]:
    """Yield every file below, then its folder: a folder is synced after what is in it."""
    if path.is_dir():
        for child in path.iterdir():
            yield from _inside(child)
    yield path


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _public_class(error: AqquaError) -> str:
    """Name the nearest class of aqqua.errors that takes the three common arguments."""
    for cls in type(error).__mro__:
        if cls.__name__ in aqqua.errors.__all__ and "__init__" not in vars(cls):
            return cls.__name__
    return "AqquaError"
