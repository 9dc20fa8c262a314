"""The images of one shard: an LMDB file with one value per image; its key is the ordinal, 8 bytes, big endian.

Reading keeps to what is known to be safe (`docs/reference/format.md`): the size of the file is compared before it is
mapped (a shortened file would kill the process), each process opens its own environment, one per file, never locked.
"""

from __future__ import annotations

import os
import struct
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import lmdb
import numpy as np

from aqqua.errors import FormatError, NotFoundError, StorageError
from aqqua.store.atomic import refusal, whole
from aqqua.store.codec import decode
from aqqua.store.quick import quick

__all__ = ["ShardReader", "key_of", "write_shard"]

_KEY = struct.Struct(">Q")
_COMMIT_BYTES = 32 << 20
_FIRST_MAP_BYTES = 64 << 20
_MAX_OPEN = 256

# Meta page of LMDB 0.9 on 64-bit machines: magic and format at 16, page size at 40, last page at 136, transaction 144
_META_MAGIC, _META_FORMAT, _META_BYTES = 0xBEEFC0DE, 1, 152


def key_of(ordinal: int) -> bytes:
    """The key of an image."""
    return _KEY.pack(ordinal)


def write_shard(path: Path, values: Iterable[bytes], keys: Sequence[int] | None = None) -> int:
    """Write values under the keys 0, 1, 2 … of a new file, which gets its name when it is whole.

    Args:
        path: the file; one of this name is replaced.
        values: encoded images, in the order of their keys; memory holds 32 MiB of them at a time.
        keys: other keys, ascending; may grow while the values are taken.

    Returns:
        Number of values.

    Raises:
        StorageError: the disk is full or refuses.
    """
    with whole(path) as part:
        part.unlink(missing_ok=True)
        try:
            return _write(part, values, keys)
        except lmdb.Error as error:
            raise refusal(path, error) from error


class ShardReader:
    """Reads the images of one shard; may be pickled, forked and used from threads.

    Args:
        path: the LMDB file.
        size: in bytes, as the manifest says; None if there is no manifest.
        readahead: let the system read on behind each image; good for reading a whole shard from a slow disk, bad for
            images here and there (it then reads 30 times as much).

    Raises (at the first use):
        NotFoundError: there is no such file.
        FormatError: it is shorter than it should be, or no LMDB file of format 1.
    """

    def __init__(self, path: Path, *, size: int | None = None, readahead: bool = False) -> None:
        self.path, self.size, self.readahead = Path(path), size, readahead

    def __len__(self) -> int:
        """Number of images."""
        with self._transaction() as transaction:
            return int(transaction.stat()["entries"])

    def get(self, key: int) -> bytes:
        """The value of one image.

        Raises:
            NotFoundError: the shard has no such key.
        """
        entry = _pool.take(self.path, self._open)
        try:
            with entry.environment.begin(buffers=True) as transaction:
                return bytes(self._value(transaction, key))
        except lmdb.Error as error:
            raise FormatError(f"the shard cannot be read ({error})", where=self.path) from error
        finally:
            _pool.give(entry)

    def get_many(self, keys: Sequence[int]) -> list[bytes]:
        """Values in the order asked for; the file is read in the order of the keys."""
        found = {key: bytes(value) for key, value in self.visit(keys)}
        return [found[key] for key in keys]

    def image(self, key: int) -> np.ndarray:
        """The pixels of one image.

        Raises:
            NotFoundError: the shard has no such key.
            FormatError: it is damaged.
        """
        return self._pixels(key, self.get(key))

    def images(self, keys: Iterable[int] | None = None) -> Iterator[tuple[int, np.ndarray]]:
        """Key and pixels of images in the order of the keys; see `visit`."""
        for key, value in self.visit(keys):
            image = quick(value)
            yield (key, self._pixels(key, value)) if image is None else (key, image)

    def visit(self, keys: Iterable[int] | None = None) -> Iterator[tuple[int, memoryview]]:
        """Key and value of images in the order of the keys, without copying.

        A value is only valid until the next one is asked for.

        Args:
            keys: which ones, in any order (a range: upwards); None for all, in the order of the file.
        """
        pack = _KEY.pack
        with self._transaction() as transaction:
            if keys is None:
                for expected, (key, value) in enumerate(transaction.cursor().iternext()):
                    if key != pack(expected):
                        raise FormatError(f"key {expected} of the shard is missing", where=self.path)
                    yield expected, value
                return
            get = transaction.get
            for wanted in keys if isinstance(keys, range) else sorted(set(keys)):
                found = get(pack(wanted)) if wanted >= 0 else None
                yield wanted, self._value(transaction, wanted) if found is None else found

    def visit_sparse(self, keys: Iterable[int] | None = None) -> Iterator[tuple[int, memoryview]]:
        """As `visit`, where keys may be missing: those are passed over."""
        with self._transaction() as transaction:
            if keys is None:
                for key, value in transaction.cursor().iternext():
                    yield int.from_bytes(key, "big"), value
                return
            for wanted in sorted(set(keys)):
                if (value := transaction.get(key_of(wanted))) is not None:
                    yield wanted, value

    def close(self) -> None:
        """Let go of the file, if nobody in this process is reading it; it is opened again where it is needed."""
        _pool.release(self.path)

    def _pixels(self, key: int, value: bytes | memoryview) -> np.ndarray:
        return decode(value, where=f"{self.path}, key {key}")

    def _value(self, transaction: Any, key: int) -> memoryview:
        value = transaction.get(key_of(key)) if key >= 0 else None
        if value is None:
            raise NotFoundError(f"there is no image {key} in this shard", where=self.path)
        return value  # type: ignore[no-any-return]

    @contextmanager
    def _transaction(self) -> Iterator[Any]:
        with _pool.borrow(self.path, self._open) as environment:
            try:
                with environment.begin(buffers=True) as transaction:
                    yield transaction
            except lmdb.Error as error:
                raise FormatError(f"the shard cannot be read ({error})", where=self.path) from error

    def _open(self) -> Any:
        _check_file(self.path, self.size)
        try:
            return lmdb.open(
                str(self.path), subdir=False, readonly=True, lock=False, readahead=self.readahead, max_spare_txns=4
            )
        except lmdb.Error as error:
            raise FormatError(f"this is no LMDB file ({error})", where=self.path) from error


@dataclass
class _Open:
    """An environment and how many are using it now."""

    environment: Any
    users: int = 0


@dataclass
class _Pool:
    """The environments this process has open: one per file, as LMDB demands; a forked child starts anew."""

    pid: int = -1
    files: dict[tuple[int, int], _Open] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def borrow(self, path: Path, make: Callable[[], Any]) -> Iterator[Any]:
        """Use the environment of a file, made if this process has none."""
        entry = self.take(path, make)
        try:
            yield entry.environment
        finally:
            self.give(entry)

    def take(self, path: Path, make: Callable[[], Any]) -> _Open:
        """The environment of a file, to be given back."""
        if self.pid != os.getpid():
            inherited, self.files = self.files, {}
            self.pid, self.lock = os.getpid(), threading.Lock()
            for entry in inherited.values():
                entry.environment.close()  # without locks this touches nothing of the parent's
        identity = _identity(path)
        with self.lock:
            if identity not in self.files:
                self._close_idle()
                self.files[identity] = _Open(make())
            entry = self.files[identity] = self.files.pop(identity)  # the last used one goes to the end
            entry.users += 1
        return entry

    def give(self, entry: _Open) -> None:
        """Say that it is used no longer."""
        with self.lock:
            entry.users -= 1

    def release(self, path: Path) -> None:
        """Close the environment of a file, if there is an idle one of this process."""
        with self.lock:
            entry = self.files.get(_identity(path)) if self.pid == os.getpid() else None
            if entry is not None and not entry.users:
                self.files.pop(_identity(path)).environment.close()

    def _close_idle(self) -> None:
        """Keep the number of open files bounded: the longest unused ones are closed."""
        idle = [identity for identity, entry in self.files.items() if not entry.users]
        for identity in idle[: max(0, len(self.files) - _MAX_OPEN + 1)]:
            self.files.pop(identity).environment.close()


_pool = _Pool()


def _identity(path: Path) -> tuple[int, int]:
    try:
        status = os.stat(path)  # noqa: PTH116  half the time of Path.stat, at each reading
    except FileNotFoundError as error:
        do = "copy the whole dataset again"
        raise NotFoundError("a shard of the dataset is missing", where=path, do=do) from error
    return status.st_dev, status.st_ino


def _check_file(path: Path, size: int | None) -> None:
    """Compare the size of a file with the manifest and with what LMDB itself says, before it is mapped."""
    actual = path.stat().st_size
    if size is not None and actual != size:
        what = f"the shard is {actual} bytes long, the manifest says {size}"
        raise FormatError(what, where=path, do="copy it again from where the dataset came from")
    with path.open("rb") as file:
        head = file.read(_META_BYTES)
        page_bytes = _meta(head, path)[0]
        file.seek(page_bytes)
        pages = max(_meta(head, path), _meta(file.read(_META_BYTES), path), key=lambda meta: meta[2])[1]
    if actual < pages * page_bytes:
        what = f"the shard is cut short: {actual} of {pages * page_bytes} bytes"
        raise FormatError(what, where=path, do="copy it again from where the dataset came from")


def _meta(page: bytes, path: Path) -> tuple[int, int, int]:
    """Page size, number of pages, transaction of one of the two meta pages."""
    if len(page) < _META_BYTES or struct.unpack_from("<I", page, 16)[0] != _META_MAGIC:
        raise FormatError("this is no LMDB file", where=path)
    version, (page_bytes,) = struct.unpack_from("<I", page, 20)[0], struct.unpack_from("<I", page, 40)
    if version != _META_FORMAT or page_bytes not in {1 << bits for bits in range(9, 17)}:
        what = f"an LMDB file of format {version}; the AqQua format uses format {_META_FORMAT} (LMDB 0.9)"
        raise FormatError(what, where=path, do="copy it with mdb_dump and mdb_load of LMDB 0.9")
    last_page, transaction = struct.unpack_from("<QQ", page, 136)
    return page_bytes, last_page + 1, transaction


def _write(path: Path, values: Iterable[bytes], keys: Sequence[int] | None) -> int:
    environment = lmdb.open(
        str(path),
        subdir=False,
        map_size=_FIRST_MAP_BYTES,
        lock=False,
        sync=False,
        metasync=False,
        max_dbs=0,
        **_oldest_engine(),
    )
    try:
        count = 0
        for block in _blocks(values):
            _append(environment, range(count, count + len(block)), block, path, keys)
            count += len(block)
        environment.sync(True)
        return count
    finally:
        environment.close()


@cache
def _oldest_engine() -> dict[str, Any]:
    """py-lmdb ≥ 3 can write two formats; ours is that of LMDB 0.9."""
    return {"lib_version": 0} if int(lmdb.__version__.split(".")[0]) >= 3 else {}


def _blocks(values: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Some values at a time: as many as go into one transaction."""
    block: list[bytes] = []
    size = 0
    for value in values:
        block.append(value)
        size += len(value)
        if size >= _COMMIT_BYTES:
            yield block
            block, size = [], 0
    if block:
        yield block


def _append(environment: Any, ordinals: range, block: list[bytes], path: Path, keys: Sequence[int] | None) -> None:
    """Append one block in one transaction; where the map is too small it is doubled and the transaction repeated."""
    while True:
        try:
            with environment.begin(write=True) as transaction:
                for ordinal, value in zip(ordinals, block, strict=True):
                    key = ordinal if keys is None else keys[ordinal]
                    if not transaction.put(key_of(key), value, append=True):
                        raise StorageError(f"key {key} came out of order", where=path)
        except lmdb.MapFullError:
            environment.set_mapsize(2 * environment.info()["map_size"])
        else:
            return
