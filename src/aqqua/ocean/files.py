"""Files that come out the same to the last byte each time: zips with fixed dates, tables, cards."""

from __future__ import annotations

import csv
import hashlib
import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from aqqua.metadata.card import Card, Person

__all__ = ["StillZip", "make_card", "sha256_of", "table_text"]

_STILL = (2024, 1, 1, 0, 0, 0)


class StillZip:
    """A zip whose members all bear the same date, so that the same content gives the same bytes.

    Args:
        path: of the zip.
    """

    def __init__(self, path: Path) -> None:
        self._zip = zipfile.ZipFile(path, "w")

    def add(self, name: str, data: bytes, *, packed: bool = False) -> None:
        """Write a member; `packed` compresses it (images are compressed already)."""
        info = zipfile.ZipInfo(name, _STILL)
        info.external_attr = 0o644 << 16
        info.create_system = 3
        info.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
        self._zip.writestr(info, data)

    def close(self) -> None:
        """Finish the file."""
        self._zip.close()


def table_text(
    columns: Sequence[str],
    rows: Iterable[Mapping[str, Any]],
    *,
    delimiter: str = ",",
    quote_text: bool = False,
    second: Sequence[str] = (),
) -> str:
    """A table as text.

    Args:
        columns: names, in order.
        rows: values by name; missing or None is an empty cell.
        delimiter: between cells.
        quote_text: put every text in quotation marks (as EcoTaxa does).
        second: a line under the header (EcoTaxa's types).
    """
    file = io.StringIO(newline="")
    writer = csv.writer(
        file,
        delimiter=delimiter,
        lineterminator="\n",
        quoting=csv.QUOTE_NONNUMERIC if quote_text else csv.QUOTE_MINIMAL,
    )
    writer.writerow(columns)
    if second:
        writer.writerow(second)
    for row in rows:
        writer.writerow(["" if row.get(name) is None else row[name] for name in columns])
    return file.getvalue()


def make_card(title: str, abstract: str, instrument: str, **more: Any) -> Card:
    """The card of a source of the virtual ocean.

    Args:
        title: of the source.
        abstract: what it is.
        instrument: canonical name.
        more: further entries of the card.
    """
    return Card(
        title=title,
        abstract=abstract,
        instruments=(instrument,),
        project="Virtual ocean",
        licence="CC0-1.0",
        license_allows_training=True,
        consent_global_interpolation=True,
        people=(Person(name="aqqua.ocean"),),
        source="made by aqqua.ocean: no organism was harmed, for there was none",
        **more,
    )


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, as hexadecimal text."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()
