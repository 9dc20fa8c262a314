"""Journals: on disk before the server is asked, readable after a crash, nobody else's to read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aqqua.errors import FormatError, NotFoundError, StorageError
from aqqua.sources.ecotaxa_api.journal import Writer, new_path, read_journal

MEMBER = {"id": 10, "email": "aqqua@geomar.de", "name": "AqQua Service", "organisation": "org"}


def write(path: Path) -> Path:
    with Writer(path, "https://example.org/api", MEMBER, "grant view") as writer:
        writer.before(12, {"projid": 12, "title": "é"})
        writer.after(12, {"projid": 12, "title": "è"})
        writer.before(13, {"projid": 13})
    return path


def test_what_is_written_is_read(tmp_path: Path) -> None:
    journal = read_journal(write(tmp_path / "j.jsonl"))
    assert (journal.server, journal.member) == ("https://example.org/api", MEMBER)
    first, second = journal.entries
    assert (first.projid, first.before["title"], first.after) == (12, "é", {"projid": 12, "title": "è"})
    assert (second.projid, second.after) == (13, None)


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    assert write(tmp_path / "j.jsonl").stat().st_mode & 0o077 == 0


def test_a_line_is_there_before_the_next_thing_happens(tmp_path: Path) -> None:
    with Writer(tmp_path / "j.jsonl", "https://example.org/api", MEMBER, "grant view") as writer:
        writer.before(12, {"projid": 12})
        assert [entry.projid for entry in read_journal(tmp_path / "j.jsonl").entries] == [12]


def test_a_journal_of_nothing_is_removed(tmp_path: Path) -> None:
    with Writer(tmp_path / "j.jsonl", "https://example.org/api", MEMBER, "grant view"):
        assert (tmp_path / "j.jsonl").exists()
    assert not (tmp_path / "j.jsonl").exists()


def test_of_several_tries_the_first_state_counts(tmp_path: Path) -> None:
    with Writer(tmp_path / "j.jsonl", "https://example.org/api", MEMBER, "grant view") as writer:
        writer.before(12, {"n": 1})
        writer.before(12, {"n": 2})
    assert read_journal(tmp_path / "j.jsonl").entries[0].before == {"n": 1}


def test_a_last_line_that_broke_off_is_left_out(tmp_path: Path) -> None:
    path = write(tmp_path / "j.jsonl")
    path.write_bytes(path.read_bytes()[:-20])
    assert [entry.projid for entry in read_journal(path).entries] == [12]


def test_a_journal_is_never_overwritten(tmp_path: Path) -> None:
    path = write(tmp_path / "j.jsonl")
    with pytest.raises(StorageError, match="there is a file already"):
        Writer(path, "https://example.org/api", MEMBER, "grant view")
    with pytest.raises(StorageError, match="cannot be written"):
        Writer(tmp_path / "nowhere" / "j.jsonl", "https://example.org/api", MEMBER, "grant view")
    first = new_path(tmp_path)
    first.touch()
    assert new_path(tmp_path) != first


@pytest.mark.parametrize("text", ["", "{}\n", "id,title\n12,x\n", json.dumps([1]) + "\n{}\n"])
def test_another_file_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_text(text)
    with pytest.raises(FormatError):
        read_journal(tmp_path / "x")


def test_no_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        read_journal(tmp_path / "x")
