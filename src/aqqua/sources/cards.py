"""Which card and which tables go with a source."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from aqqua.errors import ConfigError, NotFoundError
from aqqua.metadata.card import Card
from aqqua.metadata.harmonise import harmonise
from aqqua.metadata.licences import may_share_card
from aqqua.sources.archive import MAX_TABLE_BYTES, Tree
from aqqua.sources.ifdo_card import card_of
from aqqua.sources.tables import TextTable, decode_text, read_table

__all__ = ["OwnerTable", "card_for", "check_card", "refuse_mixed_rights", "tables_for"]

CARD = "card.yaml"
_RIGHTS = {"license_allows_training": "training", "consent_global_interpolation": "global interpolation"}


@dataclass(frozen=True)
class OwnerTable:
    """A table of the owner's, to be joined to the rows of a source.

    Args:
        name: what to call it in messages.
        table: its content.
    """

    name: str
    table: TextTable


def card_for(tree: Tree, given: Card | str | Path | None, usual: Card) -> Card:
    """Return the card of a source: the given one, else its own, else the usual one.

    A source's own card is `card.yaml` at the top of the folder or zip, or `<source>.card.yaml` beside it; that of an
    iFDO image set is its header.

    Args:
        tree: the source.
        given: by the user, for all sources.
        usual: the dataset's.

    Raises:
        NotFoundError: the given card is not there.
        ConfigError: a card has a wrong entry.
    """
    if isinstance(given, Card):
        return given
    if given is not None:
        return Card.load(given)
    if CARD in tree.members:
        return Card.parse(decode_text(tree.read(CARD)), where=tree.path / CARD)
    beside = _beside(tree.path if tree.path.name else tree.path.resolve())
    return Card.load(beside) if beside else card_of(tree) or usual


def _beside(path: Path) -> Path | None:
    names = dict.fromkeys((f"{path.name}.card.yaml", f"{path.stem}.card.yaml"))
    return next((found for name in names if (found := path.with_name(name)).is_file()), None)


def check_card(card: Card) -> None:
    """Refuse a card whose constants cannot be what they should be, before anything is read.

    Raises:
        ConfigError: a constant has a wrong value, or its name no unit.
        UnknownNameError: a constant is no field.
    """
    columns = {"source_path": pl.String, "source_row": pl.Int32, "image_path": pl.String, "object_id": pl.String}
    harmonise(pl.DataFrame([dict.fromkeys(columns)], schema=columns), source="folder", card=card)


def refuse_mixed_rights(dataset: Card, sources: Iterable[tuple[Path, Card]]) -> None:
    """Refuse a source whose owners say no to what the card of the whole dataset does not say no to.

    The card is asked when a model is trained, a map is made or a release is dated, so it must hold for every image.

    Args:
        dataset: the card of the dataset.
        sources: path and card of each source that is to come in.

    Raises:
        ConfigError: a source says no.
    """
    for path, card in sources:
        terms = may_share_card(card, dataset)
        if not terms:
            do = "ingest it into a dataset of its own: each dataset is released under its own licence, on its own day"
            raise ConfigError(f"this source cannot be in a dataset with this card: {terms}", where=path, do=do)
        for name, what in _RIGHTS.items():
            if getattr(card, name) is False and getattr(dataset, name) is not False:
                do = f"ingest it into a dataset of its own, or write {name}: false into the card of the dataset"
                raise ConfigError(
                    f"the owners of this source do not allow {what}, the card of the dataset does not say so",
                    where=path,
                    do=do,
                )


def tables_for(tree: Tree, card: Card, given: list[str | Path]) -> tuple[OwnerTable, ...]:
    """Read the tables that go with a source: those given, else the card's.

    Args:
        tree: the source; a card inside a zip names a table inside the same zip.
        card: of the source.
        given: by the user, for all sources; what later ones say wins.

    Raises:
        NotFoundError: a table is not there.
        SourceError: a table has no rows.
    """
    if given:
        return tuple(_read(Path(path)) for path in given)
    if card.table is None:
        return ()
    path = Path(card.table)
    inside = path.relative_to(tree.path).as_posix() if path.is_relative_to(tree.path) else ""
    if inside in tree.members:
        where = tree.where(inside)
        return (OwnerTable(where, read_table(tree.read(inside, MAX_TABLE_BYTES), where)),)
    return (_read(path),)


def _read(path: Path) -> OwnerTable:
    try:
        data = path.read_bytes()
    except (FileNotFoundError, IsADirectoryError) as error:
        raise NotFoundError("there is no such table", where=path, do="check the path of the table") from error
    return OwnerTable(path.name, read_table(data, path.name))
