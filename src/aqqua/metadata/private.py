"""What may name people in metadata, so that it is left out of what is published.

People appear in public only as the authors and the acknowledged of a card, because that is what they agreed to. Raw
tables name others: who annotated, who operated the camera, who may be written to.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import polars as pl

__all__ = ["REMOVED", "has_address", "may_name_people", "names_in", "without", "without_addresses"]

REMOVED = "[removed]"
_PEOPLE = re.compile(
    r"person|people|mail|user|author|annotator|operator|contact|scientist|investigator|observer|collector|curator"
    r"|technician|analyst|orcid|phone|(annotat|identifi|record|validat|label|sort|collect|count|measur|creat)\w*_by$"
    r"|(^|_)(who|pi)($|_)",
    re.IGNORECASE,
)
_ADDRESS = r"[A-Za-z0-9._%+\-]+@[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)+"
_FULL_NAME = r"^\p{L}[\p{L}.'\-]+(?:[ ,]+\p{L}[\p{L}.'\-]*){1,4}$"
_MAX_NAMES = 5000


def may_name_people(column: str) -> bool:
    """Whether a raw column, by its name, may say who somebody is.

    >>> may_name_people("object_annotation_person_name"), may_name_people("object_lat")
    (True, False)
    """
    return _PEOPLE.search(column) is not None


def has_address(text: str) -> bool:
    """Whether there is an e-mail address in a text."""
    return re.search(_ADDRESS, text) is not None


def without_addresses(text: str) -> str:
    """A text without the e-mail addresses in it.

    >>> without_addresses("write to ada@example.org")
    'write to [removed]'
    """
    return re.sub(_ADDRESS, REMOVED, text)


def names_in(frame: pl.DataFrame) -> list[str]:
    """Full names in the cells of columns that name people, to be looked for elsewhere."""
    cells = [frame[name].cast(pl.String).drop_nulls().unique() for name in frame.columns]
    if not cells:
        return []
    values = pl.concat([cell.rename("value") for cell in cells]).str.strip_chars().unique()
    return sorted(values.filter(values.str.contains(_FULL_NAME)).to_list())[:_MAX_NAMES]


def without(frame: pl.DataFrame, names: Sequence[str] = ()) -> pl.DataFrame:
    """A table without e-mail addresses and these names in any of its texts."""
    texts = [name for name, kind in frame.schema.items() if kind == pl.String]
    for name in texts:
        column = frame[name]
        if column.str.contains("@", literal=True).any():
            frame = frame.with_columns(pl.col(name).str.replace_all(_ADDRESS, REMOVED))
        if names and column.str.contains_any(list(names)).any():
            frame = frame.with_columns(pl.col(name).str.replace_many(list(names), [REMOVED]))
    return frame
