"""The arrays of an HDF5, NPZ or NPY file, read row by row; no pickle, no links that lead out, bounded sizes."""

from __future__ import annotations

import io
import math
import weakref
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from posixpath import basename, splitext
from typing import IO, Any, cast

import numpy as np

from aqqua.errors import MissingExtraError, SourceError, UnsafeInputError
from aqqua.sources.archive import MAX_IMAGE_BYTES, Tree

__all__ = ["HDF5_SUFFIXES", "SUFFIXES", "Array", "Arrays", "open_arrays"]

HDF5_SUFFIXES = (".h5", ".hdf5", ".hdf")
SUFFIXES = (*HDF5_SUFFIXES, ".npz", ".npy")
_MAX_CHUNK_BYTES = 1 << 30
_MAX_IN_MEMORY = 1 << 31  # of an HDF5 file inside a zip
_MAX_ARRAYS = 1 << 20
_AGAIN = "copy or write the file again"


@dataclass(frozen=True)
class Array:
    """One array of a file.

    Args:
        name: its path in the file.
        shape: number of rows first.
        dtype: of one number; object: rows of varying length, of `item`.
        item: type of the numbers in rows of varying length, else None.
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    item: np.dtype[Any] | None = None

    @property
    def row_bytes(self) -> int:
        """Size of one row, bytes."""
        return math.prod(self.shape[1:]) * self.dtype.itemsize


class Arrays(ABC):
    """An open file with arrays; `refused` says of some why they are not read."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.refused: dict[str, str] = {}
        self.found: dict[str, Array] = {}

    @abstractmethod
    def rows(self, name: str, start: int, stop: int) -> np.ndarray:
        """Some rows of an array.

        Raises:
            SourceError: they are damaged.
        """

    def notes(self) -> dict[str, Any]:
        """Attributes of the file, its groups and arrays: "path@name" → value."""
        return {}

    def row(self, name: str, number: int) -> np.ndarray:
        """One row.

        Raises:
            UnsafeInputError: it would take more than 512 MiB.
        """
        if self.found[name].row_bytes > MAX_IMAGE_BYTES:
            raise UnsafeInputError(f"one row would take {self.found[name].row_bytes:,} bytes", where=self.where)
        return cast("np.ndarray", self.rows(name, number, number + 1)[0])


def open_arrays(tree: Tree, name: str) -> Arrays:
    """Open a file of a source.

    Raises:
        SourceError: it is damaged, or no such file.
        MissingExtraError: it is HDF5, and h5py is not installed.
    """
    suffix = splitext(name)[1].lower()
    where = tree.where(name)
    if suffix in HDF5_SUFFIXES:
        return _Hdf5(tree, name)
    try:
        return _Npy(tree, name) if suffix == ".npy" else _Npz(tree, name)
    except Exception as error:  # the header is Python text: damaged, it raises almost anything
        raise SourceError(f"the file is no whole NumPy file: {error}", where=where, do=_AGAIN) from error


class _Member:
    """One .npy array in a file that can be sought."""

    def __init__(self, name: str, file: IO[bytes]) -> None:
        self.file = file
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, self.fortran, dtype = read(file)
        self.array = Array(name, shape, dtype)
        self.offset = file.tell()

    def refusal(self) -> str | None:
        if self.array.dtype.hasobject:
            return "it holds Python objects, which are not read (they could run code)"
        if self.fortran and len(self.array.shape) > 1:
            return "it is stored column by column; save it with np.ascontiguousarray"
        return None

    def rows(self, start: int, stop: int, where: str) -> np.ndarray:
        array = self.array
        self.file.seek(self.offset + start * array.row_bytes)
        size = (stop - start) * array.row_bytes
        data = self.file.read(size)
        if len(data) != size:
            raise SourceError(f"array {array.name!r} is cut off at row {start + 1}", where=where, do=_AGAIN)
        return np.frombuffer(data, array.dtype).reshape(stop - start, *array.shape[1:])


class _Npy(Arrays):
    """One array."""

    def __init__(self, tree: Tree, name: str) -> None:
        super().__init__(tree.where(name))
        self._members: dict[str, _Member] = {}
        self._open(tree, name)

    def _open(self, tree: Tree, name: str) -> None:
        file = tree.open(name)
        weakref.finalize(self, file.close)
        self._take(_Member("array", file))

    def _take(self, member: _Member) -> None:
        self._members[member.array.name] = member
        refusal = member.refusal()
        if refusal:
            self.refused[member.array.name] = refusal
        else:
            self.found[member.array.name] = member.array

    def rows(self, name: str, start: int, stop: int) -> np.ndarray:
        """Rows, read from where they lie."""
        try:
            return self._members[name].rows(start, stop, self.where)
        except (OSError, EOFError, ValueError) as error:
            raise SourceError(f"array {name!r} cannot be read: {error}", where=self.where, do=_AGAIN) from error


class _Npz(_Npy):
    """A zip of .npy files."""

    def _open(self, tree: Tree, name: str) -> None:
        inner: Any = io.BytesIO(tree.read(name, _MAX_IN_MEMORY)) if tree.is_zip else tree.path / name
        archive = zipfile.ZipFile(inner)
        weakref.finalize(self, archive.close)
        for info in archive.infolist()[:_MAX_ARRAYS]:
            if info.filename.endswith(".npy"):
                file = archive.open(info)
                weakref.finalize(self, file.close)
                self._take(_Member(info.filename[:-4], file))


class _Hdf5(Arrays):
    """An HDF5 file."""

    def __init__(self, tree: Tree, name: str) -> None:
        super().__init__(tree.where(name))
        try:
            import h5py
        except ImportError as error:
            raise MissingExtraError("reading HDF5 files", "h5py", "hdf5") from error
        self._h5py = h5py
        file: Any = io.BytesIO(tree.read(name, _MAX_IN_MEMORY)) if tree.is_zip else tree.path / name
        try:
            self._file = h5py.File(file, "r")
            weakref.finalize(self, self._file.close)
            self._file.visititems(self._visit)  # follows no links
        except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
            raise SourceError(f"the HDF5 file is damaged: {error}", where=self.where, do=_AGAIN) from error

    def _visit(self, name: str, item: Any) -> None:
        if not isinstance(item, self._h5py.Dataset) or len(self.found) > _MAX_ARRAYS:
            return
        if item.is_virtual or item.external:
            self.refused[name] = "its numbers lie in another file"
        elif item.chunks and math.prod(item.chunks) * item.dtype.itemsize > _MAX_CHUNK_BYTES:
            self.refused[name] = "its chunks are larger than 1 GiB"
        elif item.shape is not None:
            told = self._h5py.check_vlen_dtype(item.dtype)
            item_type = told if isinstance(told, np.dtype) else None  # text is of varying length, too
            self.found[name] = Array(name, tuple(item.shape), item.dtype, item_type)

    def rows(self, name: str, start: int, stop: int) -> np.ndarray:
        """Rows; text comes as bytes."""
        try:
            return np.asarray(self._file[name][start:stop])
        except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
            raise SourceError(f"array {name!r} cannot be read: {error}", where=self.where, do=_AGAIN) from error

    def notes(self) -> dict[str, Any]:
        """All attributes."""
        return dict(self._notes())

    def _notes(self) -> Iterator[tuple[str, Any]]:
        groups = {basename(name): name for name in self.found}
        for name in ("", *groups.values()):
            item = self._file[name] if name else self._file
            for key in item.attrs:
                try:
                    yield f"{name}@{key}", item.attrs[key]
                except (OSError, TypeError, ValueError):  # of a type that NumPy does not have
                    continue
