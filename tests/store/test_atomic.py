from __future__ import annotations

import errno
import json
import os
import shutil
from pathlib import Path

import pytest
import xxhash

from aqqua.errors import FormatError, StorageError
from aqqua.store import atomic
from aqqua.store.atomic import digest_of, forget_cache, link_whole, storage, whole, write_json


def test_a_file_has_its_name_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file"
    with whole(path) as part:
        part.write_text("text")
        assert part.suffix == ".part"
        assert not path.exists()
    assert path.read_text() == "text"
    assert list(path.parent.iterdir()) == [path]


def test_after_an_error_the_old_file_is_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), whole(path) as part:
        part.write_text(str(1 / len("")))
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_two_writers_do_not_disturb_each_other(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with whole(path) as one, whole(path) as two:
        one.write_text("one")
        two.write_text("two")
    assert path.read_text() == "one"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_says_so(tmp_path: Path, number: int) -> None:
    with pytest.raises(StorageError, match="disk is full") as caught, storage(tmp_path / "file"):
        raise OSError(number, os.strerror(number))
    assert "MB are free" in str(caught.value)
    assert str(tmp_path / "file") in str(caught.value)


def test_a_write_cut_short_on_a_disk_without_room_is_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut = Exception("mdb_txn_commit: Input/output error")
    assert "refuses" in atomic.refusal(tmp_path / "file", cut).what
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 10, 0))
    assert "full" in atomic.refusal(tmp_path / "file", cut).what


def test_a_disk_that_refuses_says_why(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="Read-only"), storage(tmp_path / "file"):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))


def test_our_own_errors_pass(tmp_path: Path) -> None:
    with pytest.raises(FormatError), storage(tmp_path):
        raise FormatError("something else")


def test_a_link_or_a_copy_gives_the_same_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "source"
    source.write_text("content")
    link_whole(source, tmp_path / "a" / "linked")

    def refuse(*_: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    link_whole(source, tmp_path / "a" / "copied")
    assert {path.name: path.read_text() for path in (tmp_path / "a").iterdir()} == {
        "linked": "content",
        "copied": "content",
    }
    assert source.read_text() == "content"


def test_linking_twice_leaves_nothing_unfinished(tmp_path: Path) -> None:
    """Renaming one name of a file to another name of the same file does nothing, and leaves both."""
    source = tmp_path / "source"
    source.write_text("content")
    for _ in range(2):
        link_whole(source, tmp_path / "a" / "linked")
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["linked"]


def test_digest_and_json(tmp_path: Path) -> None:
    write_json(tmp_path / "x.json", {"µ": [1, None]})
    assert json.loads((tmp_path / "x.json").read_text(encoding="utf-8")) == {"µ": [1, None]}
    data = os.urandom(3_000_000)
    (tmp_path / "x").write_bytes(data)
    forget_cache(tmp_path / "x")
    assert digest_of(tmp_path / "x") == xxhash.xxh3_64_intdigest(data)
