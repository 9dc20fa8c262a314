"""A zip inside a source is read in place, under the same rules as any other."""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path

import pytest

from aqqua.errors import SourceError, UnsafeInputError
from aqqua.sources.archive import Tree
from aqqua.sources.nested import InnerTree
from tests.make.packing import pack

FILES = {"sub1/a.txt": b"a" * 5000, "b.txt": b"bb", "ä/ç.txt": b"c" * 70_000}


def zipped(files: dict[str, bytes], kind: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", kind) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def source(path: Path, inner: bytes, kind: int) -> Tree:
    """A folder, or a zip in which the inner zip is stored or compressed."""
    files = {"x/Images.zip": inner, "other.txt": b"before and after" * 99}
    if path.suffix != ".zip":
        return Tree(pack(path, files))
    path.write_bytes(zipped(files, kind))
    return Tree(path)


@pytest.mark.parametrize("name", ["s", "s.zip"])
@pytest.mark.parametrize("kind", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("inner_kind", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_members_as_in_any_source(tmp_path: Path, name: str, kind: int, inner_kind: int) -> None:
    tree = InnerTree(source(tmp_path / name, zipped(FILES, inner_kind), kind), "x/Images.zip")
    assert tree.members == {key: len(FILES[key]) for key in sorted(FILES)}
    assert {key: tree.read(key) for key in tree.members} == FILES
    assert b"".join(tree.blocks("ä/ç.txt", 999)) == FILES["ä/ç.txt"]
    assert tree.find("SUB1\\A.TXT") == "sub1/a.txt"
    assert tree.where("b.txt") == f"{name}{'!' if name.endswith('zip') else '/'}x/Images.zip!b.txt"


def test_it_travels(tmp_path: Path) -> None:
    tree = InnerTree(source(tmp_path / "s.zip", zipped(FILES), zipfile.ZIP_STORED), "x/Images.zip")
    tree.read("b.txt")
    again = pickle.loads(pickle.dumps(tree))
    assert again == tree
    assert hash(again) == hash(tree)
    assert again.read("b.txt") == b"bb"
    assert tree != Tree(tmp_path / "s.zip")
    assert again.fingerprint() == tree.fingerprint()


@pytest.mark.parametrize("bad", [{"../x": b"1"}, {"/etc/x": b"1"}, {"C:\\x": b"1"}])
def test_names_that_lead_out_are_refused(tmp_path: Path, bad: dict[str, bytes]) -> None:
    tree = InnerTree(source(tmp_path / "s", zipped(bad), 0), "x/Images.zip")
    with pytest.raises(UnsafeInputError, match="lead out"):
        tree.members  # noqa: B018


@pytest.mark.parametrize("name", ["s", "s.zip"])
@pytest.mark.parametrize("data", [b"", b"PK no zip", zipped(FILES)[:-30]])
def test_a_damaged_zip_is_told(tmp_path: Path, name: str, data: bytes) -> None:
    tree = InnerTree(source(tmp_path / name, data, 0), "x/Images.zip")
    with pytest.raises(SourceError, match=r"damaged.*\n?.*x/Images\.zip"):
        tree.members  # noqa: B018


def test_only_one_level_and_only_what_is_there(tmp_path: Path) -> None:
    tree = InnerTree(source(tmp_path / "s", zipped({"again.zip": zipped(FILES)}), 0), "x/Images.zip")
    with pytest.raises(UnsafeInputError, match="zip in a zip in a zip"):
        InnerTree(tree, "again.zip")
    with pytest.raises(KeyError):
        InnerTree(Tree(tmp_path / "s"), "nothing.zip")


def test_a_bomb_is_refused(tmp_path: Path) -> None:
    bomb = bytearray(zipped({"x.png": bytes(1 << 20)}))
    place = bomb.rindex(b"PK\x01\x02")
    bomb[place + 24 : place + 28] = (1 << 31).to_bytes(4, "little")  # the size it claims to unpack to
    tree = InnerTree(source(tmp_path / "s.zip", bytes(bomb), 0), "x/Images.zip")
    with pytest.raises(UnsafeInputError, match="claims to unpack"):
        tree.members  # noqa: B018
