"""Files on another disk of this machine: copied like from a server, with the same checks, and resumed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from urllib.parse import unquote, urlsplit

from aqqua.errors import NotFoundError, RemoteError, UnsafeInputError
from aqqua.sources.transfer.places import BLOCK_BYTES, Place, RemoteFile, Stream

__all__ = ["Local"]


class Local(Place):
    """A file, or a folder with all below it: a path or `file:///path`."""

    def files(self) -> list[RemoteFile]:
        """All files below the path; links that lead out of it are refused."""
        root = self._root
        if root.is_file():
            return [_file(root, root.name)]
        if not root.is_dir():
            raise NotFoundError("there is no such file or folder", where=root, do="check the path; is the disk there?")
        return [_file(path, path.relative_to(root).as_posix()) for path in _files_of(root)]

    @contextmanager
    def open(self, file: RemoteFile, start: int = 0, stamp: str | None = None) -> Iterator[Stream]:
        """Open a file at a byte, if it has not changed."""
        path = Path(file.address)
        try:
            now = _file(path, file.name)
            begin = start if stamp is not None and stamp == now.stamp else 0
            with path.open("rb") as opened:
                opened.seek(begin)
                yield Stream(begin, now.size, now.stamp, _blocks(opened))
        except OSError as error:
            if isinstance(error, RemoteError):
                raise
            raise RemoteError(
                f"the disk cannot be read ({error.strerror})", where=path, do="is it still there?"
            ) from error

    @property
    def _root(self) -> Path:
        parts = urlsplit(self.address)
        return Path(unquote(parts.path) if parts.scheme == "file" else self.address)


def _files_of(root: Path) -> list[Path]:
    found = sorted(path for path in root.rglob("*") if path.is_file())
    real = root.resolve()
    for path in found:
        if path.is_symlink() and not path.resolve().is_relative_to(real):
            do = "copy the file itself into the folder"
            raise UnsafeInputError(f"a symbolic link leads out of the folder, to {path.resolve()}", where=path, do=do)
    return found


def _file(path: Path, name: str) -> RemoteFile:
    status = path.stat()
    return RemoteFile(name, str(path), status.st_size, f"{status.st_size}-{status.st_mtime_ns}")


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    while block := file.read(BLOCK_BYTES):
        yield block
