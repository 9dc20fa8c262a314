"""Which card and which tables go with a source."""

from __future__ import annotations

from pathlib import Path

import pytest

from aqqua.errors import ConfigError, NotFoundError, SourceError, UnknownNameError
from aqqua.metadata.card import Card
from aqqua.sources.archive import Tree
from aqqua.sources.cards import card_for, refuse_mixed_rights, tables_for
from aqqua.sources.ingest import ingest
from aqqua.store.dataset import Dataset
from tests.make.folders import CARD, write_classes
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


@pytest.mark.parametrize("name", ["license_allows_training", "consent_global_interpolation"])
def test_what_one_source_forbids_the_card_of_the_whole_must_forbid(name: str) -> None:
    closed = Card(**{name: False})  # type: ignore[arg-type]
    for whole in (Card(), Card(**{name: True})):  # type: ignore[arg-type]
        with pytest.raises(ConfigError, match="the owners of this source do not allow") as told:
            refuse_mixed_rights(whole, [(Path("a.zip"), whole), (Path("b.zip"), closed)])
        assert "b.zip" in str(told.value)
    refuse_mixed_rights(closed, [(Path("a.zip"), Card(**{name: True})), (Path("b.zip"), closed)])  # type: ignore[arg-type]
    refuse_mixed_rights(Card(**{name: True}), [(Path("a.zip"), Card())])  # type: ignore[arg-type]


def test_nothing_comes_into_a_dataset_that_promises_more_than_the_owners(tmp_path: Path) -> None:
    write_classes(tmp_path / "free")
    dataset = ingest([tmp_path / "free"], tmp_path / "ds").dataset
    write_classes(tmp_path / "closed")
    (tmp_path / "closed" / "card.yaml").write_text(f"{CARD}\nlicense_allows_training: false\n")
    with pytest.raises(ConfigError, match="do not allow training"):
        ingest([tmp_path / "closed"], tmp_path / "ds")
    assert Dataset.open(tmp_path / "ds").snapshot == dataset.snapshot
    apart = ingest([tmp_path / "closed"], tmp_path / "apart").dataset
    with pytest.raises(ConfigError, match="do not allow training"):
        ingest([apart.path], tmp_path / "ds")


def test_an_embargo_does_not_end_by_coming_into_a_dataset(tmp_path: Path) -> None:
    write_classes(tmp_path / "free")
    dataset = ingest([tmp_path / "free"], tmp_path / "ds").dataset
    write_classes(tmp_path / "late")
    (tmp_path / "late" / "card.yaml").write_text(f"{CARD}\npublish: embargo\npublish_on: 2028-01-01\n")
    with pytest.raises(ConfigError, match="agreed to a publication from 2028-01-01"):
        ingest([tmp_path / "late"], tmp_path / "ds")
    assert Dataset.open(tmp_path / "ds").snapshot == dataset.snapshot
    assert ingest([tmp_path / "late"], tmp_path / "apart").images > 0
