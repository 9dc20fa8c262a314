"""What the header of an iFDO file says for the card of its source: title, people, licence, identifiers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from aqqua.errors import ConfigError, SourceError
from aqqua.metadata.card import LICENCES, Card, Person
from aqqua.sources.archive import Tree
from aqqua.sources.ifdo import ifdo_files, read_ifdo

__all__ = ["card_of"]

_ORCID = re.compile(r"\d{4}-\d{4}-\d{4}-\d{3}[\dXx]")


def card_of(tree: Tree) -> Card | None:
    """The card that the only iFDO file of a source amounts to, or None.

    E-mail addresses of people are left out. A licence without version ("CC-BY") is taken as 4.0, the current one.
    """
    files = ifdo_files(tree)
    if len(files) != 1:
        return None
    try:
        header, _ = read_ifdo(tree, files[0])
    except SourceError:  # told when the source is read
        return None
    return Card(
        title=_told(header.get("image-set-name")),
        abstract=_told(header.get("image-abstract")),
        id=_told(header.get("image-set-uuid")),
        source=_told(header.get("image-set-handle")),
        project=_told(header.get("image-project")),
        platform=_told(header.get("image-platform")),
        licence=_licence(_told(header.get("image-license"))),
        people=tuple(dict.fromkeys(_people(header))),
        citation=_told(header.get("image-citation")),
    )


def _told(value: Any) -> str:
    told = value.get("name") if isinstance(value, Mapping) else value
    return str(told) if isinstance(told, (str, int, float)) else ""


def _licence(text: str) -> str:
    """The SPDX identifier that is meant, or "unknown"."""
    plain = re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-").replace("cc-0", "cc0")
    short = re.sub(r"^creative-commons-", "cc-", plain)
    for known in LICENCES:
        if short in {known.lower(), known.lower().removesuffix("-4.0"), known.lower().removesuffix("-1.0")}:
            return known
    return "unknown"


def _people(header: Mapping[str, Any]) -> Iterator[Person]:
    creators = header.get("image-creators")
    for one in [header.get("image-pi"), *(creators if isinstance(creators, list) else [creators])]:
        name = _told(one)
        if name:
            ids = " ".join(str(one.get(key, "")) for key in ("orcid", "uri")) if isinstance(one, Mapping) else ""
            found = _ORCID.search(ids)
            try:
                yield Person(name, orcid=found[0].upper() if found else None)
            except ConfigError:  # a wrong check digit: the name is right all the same
                yield Person(name)
