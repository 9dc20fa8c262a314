"""A folder and a zip look the same, and nothing leads out of them."""

from __future__ import annotations

import os
import pickle
import stat
import zipfile
from pathlib import Path

import pytest

from aqqua.errors import NotFoundError, SourceError, UnsafeInputError
from aqqua.sources.archive import Tree, safe_name
from tests.make.packing import pack

FILES = {"b/2.txt": b"two", "a.txt": b"one", "b/c/3.txt": b"three"}


@pytest.mark.parametrize("name", ["source", "source.zip"])
def test_folder_and_zip_look_the_same(tmp_path: Path, name: str) -> None:
    hidden = {".hidden": b"", "b/._a": b"", "__MACOSX/a.txt": b"", "b/Thumbs.db": b"", "b/.~lock.a#": b""}
    tree = Tree(pack(tmp_path / name, FILES | hidden))
    assert tree.members == {"a.txt": 3, "b/2.txt": 3, "b/c/3.txt": 5}
    assert {member: tree.read(member) for member in tree.members} == FILES


def test_pickled_tree_reads_the_same(tmp_path: Path) -> None:
    tree = Tree(pack(tmp_path / "a.zip", FILES))
    tree.read("a.txt")
    assert pickle.loads(pickle.dumps(tree)).read("a.txt") == b"one"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_process_opens_the_zip_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = Tree(pack(tmp_path / "a.zip", FILES))
    first = tree._zip
    assert tree._zip is first
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert tree._zip is not first


@pytest.mark.parametrize(
    "name",
    ["../evil.tsv", "a/../../evil.tsv", "/etc/evil.tsv", "..\\evil.tsv", "C:\\evil.tsv", "C:/evil.tsv", "\\evil.tsv"],
)
def test_a_zip_that_escapes_its_folder_is_refused_by_name(tmp_path: Path, name: str) -> None:
    path = pack(tmp_path / "evil.zip", {"ok.txt": b"", name: b"x"})
    with pytest.raises(UnsafeInputError, match="out of its folder") as caught:
        _ = Tree(path).members
    assert "evil" in str(caught.value.where)
    assert not list(tmp_path.glob("**/evil.tsv"))


def test_a_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "link.zip", "w") as archive:
        info = zipfile.ZipInfo("link.png")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(UnsafeInputError, match="symbolic link") as caught:
        _ = Tree(tmp_path / "link.zip").members
    assert str(caught.value.where).endswith("!link.png")


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    path = pack(tmp_path / "secret.zip", {"a.txt": b"x"})
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(UnsafeInputError, match="encrypted"):
        _ = Tree(path).members


def test_a_zip_with_two_files_of_one_name_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("a.txt", "1")
        archive.writestr("./a.txt", "2")
    with pytest.raises(UnsafeInputError, match="two files"):
        _ = Tree(tmp_path / "two.zip").members


def test_a_zip_that_claims_an_absurd_size_is_refused(tmp_path: Path) -> None:
    path = pack(tmp_path / "bomb.zip", {"a.txt": b"x" * 100})
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02") + 24
    data[at : at + 4] = (1 << 31).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(UnsafeInputError, match="claims to unpack"):
        _ = Tree(path).members


def test_reading_stops_at_the_limit(tmp_path: Path) -> None:
    tree = Tree(pack(tmp_path / "a.zip", {"a.txt": b"x" * 100}))
    assert len(tree.read("a.txt", 100)) == 100
    with pytest.raises(UnsafeInputError, match="100 bytes are more than the 99"):
        tree.read("a.txt", 99)


def test_a_link_out_of_a_folder_is_refused_and_one_within_is_followed(tmp_path: Path) -> None:
    folder = pack(tmp_path / "source", FILES)
    (folder / "same.txt").symlink_to(folder / "a.txt")
    assert Tree(folder).read("same.txt") == b"one"
    (folder / "out").symlink_to(tmp_path)
    with pytest.raises(UnsafeInputError, match="leads out of the folder"):
        _ = Tree(folder).members


def test_only_listed_names_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("s")
    tree = Tree(pack(tmp_path / "source", FILES))
    with pytest.raises(KeyError):
        tree.read("../secret.txt")


def test_a_damaged_zip_says_so(tmp_path: Path) -> None:
    path = pack(tmp_path / "half.zip", {"a.txt": bytes(range(256)) * 40})
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(SourceError, match="not a whole zip"):
        Tree(path)


def test_a_damaged_member_says_so(tmp_path: Path) -> None:
    path = tmp_path / "stored.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", b"hello plankton")
    path.write_bytes(path.read_bytes().replace(b"hello plankton", b"hello_plankton"))
    with pytest.raises(SourceError, match="CRC") as caught:
        Tree(path).read("a.txt")
    assert caught.value.where == "stored.zip!a.txt"


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        Tree(tmp_path / "nothing")


@pytest.mark.parametrize("name", ["source", "source.zip"])
def test_names_in_tables_may_differ_in_case_composition_and_slashes(tmp_path: Path, name: str) -> None:
    tree = Tree(pack(tmp_path / name, {"Fotos/Ru\u0308sselkrebs.PNG": b"1", "x.png": b"2", "X.png": b"3"}))
    assert tree.find("fotos\\r\u00fcsselkrebs.png") == "Fotos/Ru\u0308sselkrebs.PNG"
    assert tree.find("X.png") == "X.png"
    assert tree.find("./x.png") is None, "two members fit"
    assert tree.find("y.png") is None


def test_names_that_a_zip_forgot_to_call_utf8(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.zip", {"caf\u00e9.png": b"1"})
    data = bytearray(path.read_bytes())
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.index(signature) + flags
        data[at : at + 2] = b"\0\0"
    path.write_bytes(data)
    assert list(Tree(path).members) == ["caf\u00e9.png"]


@pytest.mark.parametrize("name", ["source", "source.zip"])
def test_fingerprint_changes_with_the_content(tmp_path: Path, name: str) -> None:
    path = pack(tmp_path / name, FILES)
    before = Tree(path).fingerprint()
    assert Tree(path).fingerprint() == before
    pack(path, FILES | {"a.txt": b"ONE"})
    assert Tree(path).fingerprint() != before


def test_one_file_stands_for_all_of_its_name(tmp_path: Path) -> None:
    tree = Tree(pack(tmp_path / "source", {"x.adc": b"", "x.roi": b"", "y.adc": b"", "sub/x.adc": b""}) / "x.adc")
    assert [name for name in tree.members if tree.chosen(name)] == ["x.adc", "x.roi"]


def test_safe_names_keep_their_folders() -> None:
    assert safe_name("./a\\b..c/d.png", "here") == "a/b..c/d.png"
