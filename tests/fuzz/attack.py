"""Run a reader on a hostile file and see that it behaves: an answer or an `AqquaError`, in time, within its folder."""

from __future__ import annotations

import resource
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aqqua.errors import AqquaError

__all__ = ["MAX_GROWTH_MB", "Misbehaviour", "attack"]

SECONDS = 20.0
MAX_GROWTH_MB = 1024

_CHANGING = {"os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.symlink", "os.link", "os.chmod", "os.truncate"}
_NEVER = {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "pickle.find_class", "socket.connect"}
_WRITE = 3  # O_WRONLY | O_RDWR


class Misbehaviour(AssertionError):
    """A reader crashed, hung, wrote where it must not, or took too much memory."""


@dataclass
class _Watch:
    """What the interpreter told while a reader ran."""

    allowed: Path | None = None
    on: bool = False
    seen: list[str] = field(default_factory=list)

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.on:
            return
        if event in _NEVER:
            self.seen.append(f"{event}{arguments!r:.200}")
        elif event == "open" and isinstance(arguments[0], (str, bytes)) and isinstance(arguments[2], int):
            if arguments[2] & _WRITE:
                self._written(event, arguments[0])
        elif event in _CHANGING:
            self._written(event, arguments[0])

    def _written(self, event: str, name: object) -> None:
        path = Path(name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name)).absolute()
        inside = self.allowed is not None and path.resolve().is_relative_to(self.allowed)
        if not inside and not str(path).startswith("/dev/") and "__pycache__" not in str(path):
            self.seen.append(f"{event} {path}")


_watch = _Watch()
_hooked: list[bool] = []


def attack(read: Callable[[], object], folder: Path | None = None) -> str:
    """Run a reader.

    Args:
        read: reads a hostile file.
        folder: the only one where it may write; None for nowhere.

    Returns:
        "read", or the name of the error of aqqua.

    Raises:
        Misbehaviour: anything else happened.
    """
    if not _hooked:
        sys.addaudithook(_watch.hear)
        _hooked.append(True)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    _watch.allowed, _watch.seen = folder and folder.resolve(), []
    try:
        with _limit(SECONDS), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _watch.on = True
            read()
        outcome = "read"
    except AqquaError as error:
        outcome = type(error).__name__
        str(error)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a panic of Polars is no Exception
        raise Misbehaviour(f"{type(error).__name__}: {error!s:.500}") from error
    finally:
        _watch.on = False
    if _watch.seen:
        raise Misbehaviour(f"it did what a reader must not: {_watch.seen[:3]}")
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    if grown > MAX_GROWTH_MB:
        raise Misbehaviour(f"it took {grown:.0f} MB of memory")
    return outcome


@contextmanager
def _limit(seconds: float) -> Iterator[None]:
    def ring(*_: object) -> None:
        raise TimeoutError(f"no answer after {seconds:g} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
