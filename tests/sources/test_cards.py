"""Which card and which tables go with a source."""

from __future__ import annotations

from pathlib import Path

import pytest

from aqqua.errors import NotFoundError, SourceError, UnknownNameError
from aqqua.metadata.card import Card
from aqqua.sources.archive import Tree
from aqqua.sources.cards import card_for, tables_for
from tests.make.packing import pack

USUAL = Card(title="of the dataset")


@pytest.mark.parametrize("name", ["s", "s.zip"])
def test_the_nearest_card_counts(tmp_path: Path, name: str) -> None:
    bare = Tree(pack(tmp_path / name, {"1.png": b""}))
    assert card_for(bare, None, USUAL) == USUAL
    (tmp_path / "s.card.yaml").write_text("title: beside")
    assert card_for(bare, None, USUAL).title == "beside"
    with_own = Tree(
        pack(tmp_path / "x" / name if "." not in name else tmp_path / name, {"card.yaml": b"title: inside"})
    )
    assert card_for(with_own, None, USUAL).title == "inside"
    (tmp_path / "given.yaml").write_text("title: given")
    assert card_for(with_own, tmp_path / "given.yaml", USUAL).title == "given"
    assert card_for(with_own, Card(title="made"), USUAL).title == "made"


def test_a_card_beside_a_zip_may_have_its_whole_name(tmp_path: Path) -> None:
    tree = Tree(pack(tmp_path / "s.zip", {"1.png": b""}))
    (tmp_path / "s.zip.card.yaml").write_text("title: beside")
    assert card_for(tree, None, USUAL).title == "beside"


def test_a_wrong_card_names_its_place(tmp_path: Path) -> None:
    tree = Tree(pack(tmp_path / "s.zip", {"card.yaml": b"titel: x"}))
    with pytest.raises(UnknownNameError, match="did you mean title") as caught:
        card_for(tree, None, USUAL)
    assert "s.zip" in str(caught.value.where)
    with pytest.raises(NotFoundError):
        card_for(tree, tmp_path / "no.yaml", USUAL)


@pytest.mark.parametrize("name", ["s", "s.zip"])
def test_the_table_of_a_card_lies_beside_it_also_in_a_zip(tmp_path: Path, name: str) -> None:
    files = {"card.yaml": b"table: mine.csv", "mine.csv": b"file,depth_m\n1.png,5\n"}
    tree = Tree(pack(tmp_path / name, files))
    (owner,) = tables_for(tree, card_for(tree, None, USUAL), [])
    assert owner.name == tree.where("mine.csv")
    assert owner.table.frame["depth_m"].to_list() == ["5"]


def test_given_tables_go_before_the_cards(tmp_path: Path) -> None:
    tree = Tree(pack(tmp_path / "s", {"1.png": b""}))
    pack(tmp_path, {"a.csv": b"x\n1\n", "b.csv": b"x\n2\n"})
    card = Card(table=tmp_path / "a.csv")
    assert [owner.name for owner in tables_for(tree, card, [])] == ["a.csv"]
    assert [owner.name for owner in tables_for(tree, card, [tmp_path / "b.csv"])] == ["b.csv"]
    assert tables_for(tree, Card(), []) == ()


def test_a_table_that_is_not_there_or_empty(tmp_path: Path) -> None:
    tree = Tree(pack(tmp_path / "s", {"1.png": b"", "empty.csv": b""}))
    with pytest.raises(NotFoundError, match="no such table"):
        tables_for(tree, Card(), [tmp_path / "no.csv"])
    with pytest.raises(SourceError, match="no rows"):
        tables_for(tree, Card(), [tmp_path / "s" / "empty.csv"])


def test_a_single_file_named_from_its_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cells.npy").write_bytes(b"x")
    monkeypatch.chdir(tmp_path)
    assert card_for(Tree("cells.npy"), None, Card(title="usual")).title == "usual"
