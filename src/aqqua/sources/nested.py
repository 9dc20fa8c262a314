"""A zip inside a source, seen like any other source: nothing is unpacked, the same limits hold.

UVP6 samples come as zips in a folder or in a zip, ZooProcess packs each scan. One level is read, never a zip in a zip
in a zip. A zip that lies uncompressed in a zip is read in place; a compressed one has to fit into memory.
"""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path
from struct import unpack
from typing import IO, cast

from aqqua.errors import SourceError, UnsafeInputError
from aqqua.sources.archive import MAX_IMAGE_BYTES, Tree

__all__ = ["MAX_INNER_BYTES", "InnerTree"]

MAX_INNER_BYTES = 1 << 30
"""A compressed zip in a zip may have at most 1 GiB."""
_LOCAL_HEADER = 30  # bytes before name and extra field (PKWARE APPNOTE 4.3.7)


class InnerTree(Tree):
    """The files of a zip that is a member of a source.

    Args:
        outer: the source: a folder or a zip.
        member: the zip in it.

    Raises:
        UnsafeInputError: the source is itself a zip inside another.
    """

    def __init__(self, outer: Tree, member: str) -> None:
        if isinstance(outer, InnerTree):
            raise UnsafeInputError(
                "a zip in a zip in a zip is not read", where=outer.where(member), do="unpack the outer ones"
            )
        outer.members[member]  # only what was listed can be opened
        self.outer, self.member = outer, member
        self.path: Path = outer.path / member
        self.is_zip, self.only = True, None
        self._open = None

    def __getstate__(self) -> dict[str, object]:
        return super().__getstate__() | {"outer": self.outer, "member": self.member}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, InnerTree) and (self.outer, self.member) == (other.outer, other.member)

    def __hash__(self) -> int:
        return hash((self.outer, self.member))

    def where(self, name: str) -> str:
        """What to call a member in messages: "cruise.zip!sub1_Images.zip!a.png"."""
        return f"{self.outer.where(self.member)}!{name}"

    @property
    def _zip(self) -> zipfile.ZipFile:
        """The open zip of this process."""
        if self._open is None or self._open[0] != os.getpid():
            try:
                self._open = (os.getpid(), zipfile.ZipFile(self._file() if self.outer.is_zip else self.path))
            except (zipfile.BadZipFile, OSError, ValueError) as error:
                raise SourceError(
                    f"the zip is damaged: {error}", where=self.outer.where(self.member), do="copy or pack it again"
                ) from error
        return self._open[1]

    def read(self, name: str, limit: int = MAX_IMAGE_BYTES) -> bytes:
        """Read a whole member, at most `limit` bytes.

        Raises:
            SourceError: the member is damaged or cannot be read.
            UnsafeInputError: it is larger than the limit or than it claimed.
        """
        if not self.outer.is_zip:
            return super().read(name, limit)
        if self.members[name] > limit:
            told = f"{self.members[name]:,} bytes are more than the {limit:,} allowed here"
            raise UnsafeInputError(told, where=self.where(name))
        data = b"".join(self.blocks(name))
        if len(data) > self.members[name]:
            raise UnsafeInputError("larger than it claims to be", where=self.where(name))
        return data

    def _file(self) -> IO[bytes]:
        """The zip within the outer zip."""
        info = self.outer._infos[self.member]
        if info.compress_type == zipfile.ZIP_STORED:
            return cast("IO[bytes]", _Stored(self.outer.path, info))
        return io.BytesIO(self.outer.read(self.member, MAX_INNER_BYTES))


class _Stored(io.RawIOBase):
    """The bytes of an uncompressed member of a zip, in place."""

    def __init__(self, path: Path, info: zipfile.ZipInfo) -> None:
        self._file = path.open("rb")
        self._file.seek(info.header_offset)
        name, extra = unpack("<HH", self._file.read(_LOCAL_HEADER)[26:])
        self._start = info.header_offset + _LOCAL_HEADER + name + extra
        self._size, self._at = info.file_size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        left = max(0, self._size - self._at)
        self._file.seek(self._start + self._at)
        data = self._file.read(left if size is None or size < 0 else min(size, left))
        self._at += len(data)
        return data

    def close(self) -> None:
        self._file.close()
        super().close()
