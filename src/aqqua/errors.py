"""The exceptions of aqqua.

```
AqquaError
├── SourceError      (ValueError)    a raw source that cannot be read as what it should be
├── FormatError      (ValueError)    a dataset file that is damaged or not what its name says
│   └── UnsafeInputError             input that would escape its folder, or claims sizes beyond all bounds
├── ConfigError      (ValueError)    a card, mapping, table or configuration with a wrong entry
├── UnknownNameError (KeyError)      a name nobody registered; the message names the nearest ones
├── MissingExtraError (ImportError)  an optional part that is not installed
├── NotFoundError    (FileNotFoundError)  a path or dataset that is not there
├── PausedError      (RuntimeError)  a long job that was asked to stop, and goes on when it is started again
├── RemoteError      (ConnectionError)    a server that cannot be reached, or fails
│   └── RefusedError (PermissionError)    a login or a right that a server misses
└── StorageError     (OSError)       a disk that is full or refuses
```

A bad *row* is a finding, not an exception (see `aqqua.metadata.check.Finding`): exceptions are for what stops the work.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = [
    "AqquaError",
    "ConfigError",
    "FormatError",
    "MissingExtraError",
    "NotFoundError",
    "PausedError",
    "RefusedError",
    "RemoteError",
    "SourceError",
    "StorageError",
    "UnknownNameError",
    "UnsafeInputError",
]


class AqquaError(Exception):
    """What happened, where, and what to do about it.

    Args:
        what: one sentence in words of the field.
        where: path, and row or field where known.
        do: what the reader can do next.
    """

    def __init__(self, what: str, *, where: object = None, do: str | None = None) -> None:
        super().__init__(what)
        self.what, self.where, self.do = what, None if where is None else str(where), do

    def __str__(self) -> str:
        """All three parts, a line each."""
        lines = [self.what]
        if self.where:
            lines.append(f"  where: {self.where}")
        if self.do:
            lines.append(f"  do:    {self.do}")
        return "\n".join(lines)


class SourceError(AqquaError, ValueError):
    """A raw source that cannot be read as what it should be."""


class FormatError(AqquaError, ValueError):
    """A dataset file that is damaged, or not what its name says."""


class UnsafeInputError(FormatError):
    """Input that would escape its folder, or claims sizes beyond all bounds."""


class ConfigError(AqquaError, ValueError):
    """A card, mapping, table or configuration with a wrong entry."""


class UnknownNameError(AqquaError, KeyError):
    """A name nobody registered; the message names the nearest known ones.

    Args:
        kind: what the name should be of, for example "source".
        name: the name that was asked for.
        known: the names there are.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str], *, where: object = None) -> None:
        names = sorted(known)
        near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else f"there is: {', '.join(names) or 'nothing'}"
        super().__init__(f"no {kind} is called {name!r}", where=where, do=hint)


class MissingExtraError(AqquaError, ImportError):
    """An optional part that is not installed.

    Args:
        task: what needs it, for example "training".
        module: the missing module.
        extra: the extra of aqqua that brings it.
    """

    def __init__(self, task: str, module: str, extra: str) -> None:
        super().__init__(f"{task} needs {module}: pip install 'aqqua[{extra}]'")


class NotFoundError(AqquaError, FileNotFoundError):
    """A path or dataset that is not there."""


class PausedError(AqquaError, RuntimeError):
    """A long job that was asked to stop: its state is saved, the same call goes on from there."""


class RemoteError(AqquaError, ConnectionError):
    """A server that cannot be reached, or fails.

    Args:
        what: one sentence in words of the field.
        where: the address, without anything secret.
        do: what the reader can do next.
        status: the server's HTTP status; None if no answer came.
    """

    def __init__(self, what: str, *, where: object = None, do: str | None = None, status: int | None = None) -> None:
        super().__init__(what, where=where, do=do)
        self.status = status


class RefusedError(RemoteError, PermissionError):
    """A login or a right that a server misses."""


class StorageError(AqquaError, OSError):
    """A disk that is full, or refuses to be written."""
