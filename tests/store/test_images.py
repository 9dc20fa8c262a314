from __future__ import annotations

import os
import pickle
import shutil
import struct
import subprocess
import sys
from pathlib import Path
from threading import Thread

import lmdb
import numpy as np
import pytest

from aqqua.errors import FormatError, NotFoundError, StorageError
from aqqua.store import images
from aqqua.store.images import ShardReader, key_of, write_shard

RNG = np.random.default_rng(0)
VALUES = [RNG.bytes(int(size)) for size in RNG.integers(1, 9000, 120)]


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    path = tmp_path / "shard.mdb"
    assert write_shard(path, iter(VALUES)) == len(VALUES)
    return path


def test_values_come_back(shard: Path) -> None:
    reader = ShardReader(shard, size=shard.stat().st_size)
    assert len(reader) == len(VALUES)
    assert [reader.get(key) for key in range(len(VALUES))] == VALUES
    assert [bytes(value) for _, value in reader.visit()] == VALUES


def test_many_come_in_the_order_asked_for(shard: Path) -> None:
    keys = [5, 3, 100, 3, 0]
    assert ShardReader(shard).get_many(keys) == [VALUES[key] for key in keys]
    assert [key for key, _ in ShardReader(shard).visit(keys)] == [0, 3, 5, 100]
    assert ShardReader(shard).get_many([]) == []


def test_plain_lmdb_reads_it(shard: Path) -> None:
    """One file, main database only, 8-byte big-endian keys, no lock file, format of LMDB 0.9."""
    assert [path.name for path in shard.parent.iterdir()] == ["shard.mdb"]
    assert struct.unpack_from("<II", shard.read_bytes(), 16) == (0xBEEFC0DE, 1)
    environment = lmdb.open(str(shard), subdir=False, readonly=True, lock=False)
    with environment.begin() as transaction:
        assert list(transaction.cursor()) == [(struct.pack(">Q", i), value) for i, value in enumerate(VALUES)]
    environment.close()


def test_the_map_grows_as_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "_FIRST_MAP_BYTES", 1 << 16)
    monkeypatch.setattr(images, "_COMMIT_BYTES", 1 << 15)
    path = tmp_path / "shard.mdb"
    large = [*VALUES, RNG.bytes(3_000_000)]
    write_shard(path, large)
    assert ShardReader(path).get_many(range(len(large))) == large


def test_the_same_values_give_the_same_file(tmp_path: Path) -> None:
    for name in "ab":
        write_shard(tmp_path / name, VALUES)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_key_out_of_order_is_an_error(tmp_path: Path) -> None:
    """`put(append=True)` only returns False then, and loses the record."""
    path = tmp_path / "shard.mdb"
    environment = lmdb.open(str(path), subdir=False, lock=False)
    images._append(environment, range(5, 6), [b"a"], path, None)
    with pytest.raises(StorageError, match="key 3"):
        images._append(environment, range(3, 4), [b"b"], path, None)
    environment.close()


def test_nothing_half_written_has_a_name(tmp_path: Path) -> None:
    def broken() -> object:
        yield VALUES[0]
        raise RuntimeError("the source broke")

    with pytest.raises(RuntimeError):
        write_shard(tmp_path / "shard.mdb", broken())  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_ends_is_a_storage_error(tmp_path: Path) -> None:
    """The system's limit of the size of a file acts like a disk that is full."""
    program = (
        "import os, resource, pathlib\n"
        "from aqqua.errors import StorageError\n"
        "from aqqua.store.images import write_shard\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))\n"
        "try:\n"
        f"    write_shard(pathlib.Path({str(tmp_path)!r}) / 'x.mdb', (os.urandom(5000) for _ in range(1000)))\n"
        "except StorageError as error: print(error.what)\n"
    )
    said = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert "disk" in said
    assert list(tmp_path.iterdir()) == []


def test_what_lmdb_says_on_a_full_disk_becomes_clear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise lmdb.DiskError("mdb_txn_commit: No space left on device")

    monkeypatch.setattr(images, "_append", full)
    with pytest.raises(StorageError, match=r"disk is full.*\n.*\n.*make room"):
        write_shard(tmp_path / "x.mdb", VALUES)


def test_an_unknown_key_is_named(shard: Path) -> None:
    for key in (len(VALUES), -1):
        with pytest.raises(NotFoundError, match=f"no image {key}"):
            ShardReader(shard).get(key)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"nothing\.mdb"):
        len(ShardReader(tmp_path / "nothing.mdb"))


@pytest.mark.parametrize("keep", [0, 100, 4096, 5000, 0.5, -1])
@pytest.mark.parametrize("known", [True, False])
def test_a_cut_file_is_an_error_not_a_crash(shard: Path, keep: float, known: bool) -> None:
    """LMDB itself would die of SIGBUS."""
    size = shard.stat().st_size
    length = int(size * keep) if isinstance(keep, float) else keep if keep >= 0 else size + keep
    with shard.open("r+b") as file:
        file.truncate(length)
    with pytest.raises(FormatError):
        ShardReader(shard, size=size if known else None).get(100)


def test_what_is_no_lmdb_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.mdb"
    path.write_bytes(bytes(100_000))
    with pytest.raises(FormatError, match="no LMDB"):
        len(ShardReader(path))


@pytest.mark.skipif(int(lmdb.__version__.split(".")[0]) < 3, reason="this py-lmdb has no LMDB 1.0")
def test_the_newer_lmdb_format_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "x.mdb"
    environment = lmdb.open(str(path), subdir=False, lock=False, lib_version=1)
    with environment.begin(write=True) as transaction:
        transaction.put(b"a", b"b")
    environment.close()
    with pytest.raises(FormatError):
        len(ShardReader(path))


def test_a_hole_in_the_keys_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "x.mdb"
    environment = lmdb.open(str(path), subdir=False, lock=False)
    with environment.begin(write=True) as transaction:
        for key in (0, 1, 3):
            transaction.put(key_of(key), b"value")
    environment.close()
    with pytest.raises(FormatError, match="key 2"):
        list(ShardReader(path).visit())


def test_readers_of_one_file_share_it(shard: Path) -> None:
    """A second open of a file in one process is an error of LMDB."""
    link = shard.with_name("link.mdb")
    link.symlink_to(shard)
    one, two, three = ShardReader(shard), ShardReader(shard), ShardReader(link)
    for (_, a), (_, b), (_, c) in zip(one.visit(), two.visit(), three.visit(), strict=True):
        assert bytes(a) == bytes(b) == bytes(c)


def test_a_reader_travels_as_its_path(shard: Path) -> None:
    reader = ShardReader(shard, size=shard.stat().st_size)
    reader.get(0)
    again = pickle.loads(pickle.dumps(reader))
    assert (again.path, again.size) == (shard, reader.size)
    assert again.get(7) == VALUES[7]


def test_a_forked_child_reads_for_itself(shard: Path) -> None:
    reader = ShardReader(shard)
    reader.get(0)
    child = os.fork()
    if child == 0:
        os._exit(0 if reader.get_many([3, 4]) == VALUES[3:5] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert reader.get(5) == VALUES[5]


def test_threads_read_side_by_side(shard: Path) -> None:
    reader, wrong = ShardReader(shard), []

    def work() -> None:
        if any(bytes(value) != VALUES[key] for _ in range(20) for key, value in reader.visit()):
            wrong.append(1)

    threads = [Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_closed_file_is_let_go_and_opened_again(shard: Path) -> None:
    reader = ShardReader(shard)
    visit = reader.visit()
    next(visit)
    reader.close()  # somebody is reading: stays open
    assert bytes(next(visit)[1]) == VALUES[1]
    visit.close()  # type: ignore[attr-defined]
    reader.close()
    reader.close()
    lmdb.open(str(shard), subdir=False, readonly=True, lock=False).close()
    assert reader.get(3) == VALUES[3]


def test_the_number_of_open_files_is_bounded(shard: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "_pool", images._Pool())
    monkeypatch.setattr(images, "_MAX_OPEN", 3)
    paths = [shard.with_name(f"{i}.mdb") for i in range(8)]
    for path in paths:
        shutil.copyfile(shard, path)
    visits = [ShardReader(path).visit() for path in paths[:4]]
    firsts = [bytes(next(visit)[1]) for visit in visits]  # more in use than the bound: none is closed
    assert firsts == [VALUES[0]] * 4
    assert len(images._pool.files) == 4
    assert all(bytes(next(visit)[1]) == VALUES[1] for visit in visits)
    for visit in visits:
        visit.close()  # type: ignore[attr-defined]
    for path in paths:
        assert ShardReader(path).get(2) == VALUES[2]
    assert len(images._pool.files) == 3
