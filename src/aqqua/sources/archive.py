"""One safe view of a folder or a zip: the same members, names and limits, whichever it is.

Nothing is unpacked. A member can only be read under a name that was listed, and only names that stay inside are listed:
absolute paths, "..", links that lead out, encrypted members and absurd sizes are refused by name.
"""

from __future__ import annotations

import os
import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from posixpath import splitext
from typing import IO

from aqqua.errors import NotFoundError, SourceError, UnsafeInputError

__all__ = ["MAX_IMAGE_BYTES", "MAX_TABLE_BYTES", "Tree", "safe_name"]

MAX_IMAGE_BYTES = 1 << 29
"""An image file may have at most 512 MiB."""
MAX_TABLE_BYTES = 1 << 34
"""A table or a raw instrument file may have at most 16 GiB."""
MAX_RATIO = 1500
"""Deflate cannot pack better than about 1032:1; a member that claims more is made to do harm."""
_UNREADABLE = (OSError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)
_LOCAL_HEADER = struct.Struct("<4s22sHH")  # APPNOTE.TXT of PKWARE, 4.3.7
_LOCAL_MAGIC = b"PK\x03\x04"
_USUAL_EXTRA = 64
_NO_ARCHIVES = {".npz", ".xlsx"}  # zips inside, but files of their own kind to people
_UTF8_FLAG = 0x800
_ENCRYPTED_FLAG = 0x1


class Tree:
    """The files of one source, by their path inside it ("sample_1/ecotaxa_sample_1.tsv").

    Cheap to make and to pickle: only the path travels; each process opens the zip for itself.

    Args:
        path: a folder, a zip, or one file: then its folder, and only files of this name (whatever suffix) are `chosen`.

    Raises:
        NotFoundError: nothing is there.
    """

    def __init__(self, path: str | Path) -> None:
        path = Path(path)
        if not path.exists():
            raise NotFoundError("there is no such file or folder", where=path, do="check the path")
        self.only = None
        packed = zipfile.is_zipfile(path) and path.suffix.lower() not in _NO_ARCHIVES if path.is_file() else False
        if path.is_file() and not packed:
            if path.suffix.lower() == ".zip":
                raise SourceError("this is not a whole zip file", where=path, do="copy or download it again")
            self.only, path = path.stem, path.parent
        self.path = path
        self.is_zip = path.is_file()
        self._open: tuple[int, zipfile.ZipFile] | None = None

    @classmethod
    def of(cls, path: str | Path | Tree) -> Tree:
        """The tree of a path, or the tree itself."""
        return path if isinstance(path, Tree) else cls(path)

    def __getstate__(self) -> dict[str, object]:
        return {"path": self.path, "is_zip": self.is_zip, "only": self.only, "_open": None}

    def __repr__(self) -> str:
        return f"Tree({str(self.path)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tree) and (self.path, self.only) == (other.path, other.only)

    def __hash__(self) -> int:
        return hash((self.path, self.only))

    @cached_property
    def members(self) -> dict[str, int]:
        """Name → size in bytes, sorted by name; hidden files, lock files and folders are left out.

        Raises:
            UnsafeInputError: a member would escape, is encrypted, or claims an absurd size.
            SourceError: the zip is damaged.
        """
        found = dict(self._zip_members() if self.is_zip else self._folder_members())
        return {name: found[name] for name in sorted(found) if self._is_wanted(name)}

    def find(self, name: str) -> str | None:
        """Return the member that is meant by a name written in a table, or None.

        Exact names win; else case, Unicode composition and backslashes may differ, if only one member fits.
        """
        if name in self.members:
            return name
        found = self._folded.get(_fold(name), ())
        return found[0] if len(found) == 1 else None

    def with_suffix(self, *suffixes: str) -> list[str]:
        """Names of the chosen members that end with one of some suffixes (".png"), whatever their case, sorted."""
        found = [name for suffix in suffixes for name in self._by_suffix.get(suffix, ())]
        found = found if self.only is None else [name for name in found if self.chosen(name)]
        return found if len(suffixes) == 1 else sorted(found)

    def chosen(self, name: str) -> bool:
        """Whether a table or raw file may be read as a source: always, unless the user named one file."""
        return self.only is None or ("/" not in name and splitext(name)[0] == self.only)

    def read(self, name: str, limit: int = MAX_IMAGE_BYTES) -> bytes:
        """Read a whole member, at most `limit` bytes.

        Raises:
            SourceError: the member is damaged or cannot be read.
            UnsafeInputError: it is larger than the limit or than it claimed.
        """
        if self.members[name] > limit:
            raise UnsafeInputError(
                f"{self.members[name]:,} bytes are more than the {limit:,} allowed here", where=self.where(name)
            )
        try:
            data = self._at_once(name)
            if data is None:
                with self.open(name) as file:
                    data = file.read(limit + 1)
        except _UNREADABLE as error:
            raise self._unreadable(name, error) from error
        if len(data) > limit:
            raise UnsafeInputError("larger than it claims to be", where=self.where(name))
        return data

    def _at_once(self, name: str) -> bytes | None:
        """A whole member in one reading, or None where something is not as listed and `zipfile` or `open` must say."""
        size = self.members[name]
        if not self.is_zip:
            file = os.open(f"{self._folder}/{name}", os.O_RDONLY)
            try:
                data = os.read(file, size + 1)
            finally:
                os.close(file)
            return data if len(data) == size else None
        return _zip_member(self._zip.fp.fileno(), self._infos[name])  # type: ignore[union-attr]

    def blocks(self, name: str, size: int = 1 << 20) -> Iterator[bytes]:
        """Yield a member block by block.

        Raises:
            SourceError: the member is damaged or cannot be read.
        """
        try:
            with self.open(name) as file:
                while block := file.read(size):
                    yield block
        except _UNREADABLE as error:
            raise self._unreadable(name, error) from error

    def open(self, name: str) -> IO[bytes]:
        """Open a member for reading."""
        self.members[name]  # only what was listed can be opened
        return self._zip.open(self._infos[name]) if self.is_zip else (self.path / name).open("rb")

    def where(self, name: str) -> str:
        """What to call a member in messages: "survey.zip!a/b.png" or "survey/a/b.png"."""
        return f"{self.path.name}{'!' if self.is_zip else '/'}{name}"

    def fingerprint(self) -> str:
        """Sixteen hex digits that change with the content (zip: names, sizes, CRCs; folder: names, sizes, times)."""
        import xxhash

        digest = xxhash.xxh3_64()
        for name, size in self.members.items():
            mark = self._infos[name].CRC if self.is_zip else self._times[name]
            digest.update(f"{name}\0{size}\0{mark}\n".encode())
        return digest.hexdigest()

    def _unreadable(self, name: str, error: Exception) -> SourceError:
        return SourceError(f"cannot be read: {error}", where=self.where(name), do="copy or pack it again")

    @property
    def _zip(self) -> zipfile.ZipFile:
        """The open zip of this process (a handle shared over a fork would share its position)."""
        if self._open is None or self._open[0] != os.getpid():
            try:
                self._open = (os.getpid(), zipfile.ZipFile(self.path))
            except (zipfile.BadZipFile, OSError, ValueError) as error:
                raise SourceError(
                    f"the zip is damaged: {error}", where=self.path, do="copy or download it again"
                ) from error
        return self._open[1]

    @cached_property
    def _folder(self) -> str:
        return str(self.path)

    @cached_property
    def _times(self) -> dict[str, int]:
        """When each file of a folder was last changed, as it was listed."""
        return {}

    @cached_property
    def _infos(self) -> dict[str, zipfile.ZipInfo]:
        infos: dict[str, zipfile.ZipInfo] = {}
        for info in self._zip.infolist():
            name = safe_name(_zip_name(info), f"{self.path}!{info.filename}")
            _refuse_odd_member(info, f"{self.path}!{name}")
            if not info.is_dir():
                if name in infos:
                    raise UnsafeInputError("the zip holds two files of this name", where=f"{self.path}!{name}")
                infos[name] = info
        return infos

    @cached_property
    def _by_suffix(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name in self.members:
            found.setdefault(splitext(name)[1].lower(), []).append(name)
        return found

    @cached_property
    def _folded(self) -> dict[str, list[str]]:
        folded: dict[str, list[str]] = {}
        for name in self.members:
            folded.setdefault(_fold(name), []).append(name)
        return folded

    def _zip_members(self) -> Iterator[tuple[str, int]]:
        yield from ((name, info.file_size) for name, info in self._infos.items())

    def _folder_members(self) -> Iterator[tuple[str, int]]:
        root, pending = self.path.resolve(), [""]
        while pending:
            folder = pending.pop()
            with os.scandir(f"{self._folder}/{folder}") as entries:
                for entry in entries:
                    if entry.is_symlink():
                        _refuse_link_out(entry.path, root)
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(f"{folder}{entry.name}/")
                    elif entry.is_file():
                        status = entry.stat()
                        self._times[f"{folder}{entry.name}"] = status.st_mtime_ns
                        yield f"{folder}{entry.name}", status.st_size

    @staticmethod
    def _is_wanted(name: str) -> bool:
        if "/." in name or name[0] == "." or "__MACOSX" in name or name.endswith("Thumbs.db"):
            parts = name.split("/")
            return parts[-1] != "Thumbs.db" and not any(part.startswith(".") or part == "__MACOSX" for part in parts)
        return True


_ODD = re.compile(r"[\\\0:]|\.\.|^/|^\./")
"""Names without any of these are as they should be."""


def safe_name(name: str, where: str) -> str:
    """Return a member's name with forward slashes, or refuse one that leads out of its folder.

    Raises:
        UnsafeInputError: the name is absolute or holds "..".
    """
    if not _ODD.search(name):
        return name
    posix = name.replace("\\", "/")
    if posix.startswith("/") or ".." in posix.split("/") or "\0" in posix or (len(posix) > 1 and posix[1] == ":"):
        raise UnsafeInputError(
            f"the name {name!r} would lead out of its folder", where=where, do="do not trust this file; pack it anew"
        )
    return posix.removeprefix("./")


def _refuse_odd_member(info: zipfile.ZipInfo, where: str) -> None:
    if stat.S_ISLNK(info.external_attr >> 16):
        raise UnsafeInputError("the zip holds a symbolic link", where=where, do="pack the files, not links to them")
    if info.flag_bits & _ENCRYPTED_FLAG:
        raise UnsafeInputError("the zip is encrypted", where=where, do="unpack it with its password, ingest the folder")
    if info.file_size > MAX_RATIO * max(info.compress_size, 1) + 4096:
        raise UnsafeInputError(
            f"claims to unpack from {info.compress_size:,} to {info.file_size:,} bytes", where=where, do="pack it anew"
        )


def _refuse_link_out(path: str, root: Path) -> None:
    target = Path(path).resolve()
    if not target.is_relative_to(root) or not target.exists():
        raise UnsafeInputError(
            f"a symbolic link leads out of the folder, to {target}",
            where=path,
            do="copy the file itself into the folder",
        )


def _zip_member(file: int, info: zipfile.ZipInfo) -> bytes | None:
    """A member as the directory of the zip lists it; None if anything is otherwise, or packed in an unusual way."""
    if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED} or info.flag_bits & _ENCRYPTED_FLAG:
        return None
    if info.compress_size > info.file_size + (info.file_size >> 8) + _USUAL_EXTRA:
        return None  # it claims to have grown by being packed
    name = info.orig_filename.encode("utf-8" if info.flag_bits & _UTF8_FLAG else "cp437")
    data = os.pread(file, _LOCAL_HEADER.size + len(name) + _USUAL_EXTRA + info.compress_size, info.header_offset)
    if len(data) < _LOCAL_HEADER.size:
        return None
    magic, _, name_bytes, extra_bytes = _LOCAL_HEADER.unpack_from(data)
    begin = _LOCAL_HEADER.size + name_bytes + extra_bytes
    packed = memoryview(data)[begin : begin + info.compress_size]
    if magic != _LOCAL_MAGIC or data[_LOCAL_HEADER.size :][:name_bytes] != name or len(packed) < info.compress_size:
        return None
    if info.compress_type == zipfile.ZIP_STORED:
        content = bytes(packed)
    else:
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        content = inflater.decompress(packed, info.file_size + 1)
    return content if len(content) == info.file_size and zlib.crc32(content) == info.CRC else None


def _zip_name(info: zipfile.ZipInfo) -> str:
    """The member's name; many tools write UTF-8 without saying so, which zipfile then reads as cp437."""
    if info.flag_bits & _UTF8_FLAG or info.filename.isascii():
        return info.filename
    try:
        return info.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return info.filename


def _fold(name: str) -> str:
    return unicodedata.normalize("NFC", name.replace("\\", "/").removeprefix("./")).casefold()
