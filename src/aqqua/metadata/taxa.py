"""Names of taxa: a small built-in snapshot, and how labels of people and tools match it.

A label that matches nothing stays as it is: it has no taxon, and is never dropped.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import yaml

from aqqua.errors import ConfigError

__all__ = ["Taxon", "by_ecotaxa_id", "clean", "match", "taxa"]

# Parts, stages and qualities: what they are said of is the taxon ("part<Ciliophora", "larvae<Polychaeta").
_MORPHO = frozenset(
    {
        "part",
        "parts",
        "head",
        "tail",
        "body",
        "antenna",
        "dead",
        "cut",
        "multiple",
        "chain",
        "chains",
        "colony",
        "larva",
    }
    | {"larvae", "nauplius", "nauplii", "juvenile", "adult", "female", "male", "egg", "eggs", "sac", "cyst", "spore"}
    | {"stage", "like", "other", "others", "unknown", "small", "large", "solitary"}
)


@dataclass(frozen=True)
class Taxon:
    """A taxon, or a category such as a stage or something that does not live.

    Args:
        name: accepted name.
        aphia_id: identifier in WoRMS, None for what is no taxon or not certain.
        ecotaxa_id: identifier in EcoTaxa's taxonomy, None where not certain.
        rank: taxonomic rank, or "category".
        lineage: names from the root to the taxon itself.
    """

    name: str
    aphia_id: int | None
    ecotaxa_id: int | None
    rank: str
    lineage: tuple[str, ...]


@cache
def taxa() -> Mapping[str, Taxon]:
    """All taxa of the snapshot, by accepted name."""
    entries = _entries()
    return MappingProxyType(
        {
            name: Taxon(name, entry.get("aphia"), entry.get("ecotaxa"), entry["rank"], _lineage(name, entries))
            for name, entry in entries.items()
        }
    )


@cache
def _entries() -> dict[str, dict[str, Any]]:
    text = (files("aqqua.metadata") / "taxa.yaml").read_text(encoding="utf-8")
    loaded: dict[str, dict[str, Any]] = yaml.safe_load(text)
    return loaded


def _lineage(name: str, entries: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    line = [name]
    while parent := entries[line[-1]].get("parent"):
        if parent not in entries or parent in line:
            raise ConfigError(f"taxa.yaml: {line[-1]} has the unknown or circular parent {parent}")
        line.append(parent)
    return tuple(reversed(line))


@cache
def _index() -> Mapping[str, Taxon]:
    """Cleaned name → taxon."""
    index: dict[str, Taxon] = {}
    for name, entry in _entries().items():
        for label in (name, *entry.get("also", ())):
            if index.setdefault(clean(label), taxa()[name]).name != name:
                raise ConfigError(f"taxa.yaml: {label!r} means both {index[clean(label)].name} and {name}")
    return MappingProxyType(index)


@cache
def _by_ecotaxa_id() -> Mapping[int, Taxon]:
    return MappingProxyType({taxon.ecotaxa_id: taxon for taxon in taxa().values() if taxon.ecotaxa_id})


def by_ecotaxa_id(number: int) -> Taxon | None:
    """The taxon with an identifier of EcoTaxa, or None."""
    return _by_ecotaxa_id().get(number)


def clean(label: str) -> str:
    """The label for comparison: lower case, "_" as blank, single blanks, without "sp." and the like.

    >>> clean(" Mesodinium_rubrum ")
    'mesodinium rubrum'
    """
    text = unicodedata.normalize("NFKC", label).casefold().replace("_", " ")
    text = re.sub(r"\s+", " ", text).strip()
    return re.sub(r"\s(sp|spp|indet)\.?$", "", text)


@cache
def match(label: str) -> Taxon | None:
    """The taxon that a label means.

    Understands accepted names and other names for them, EcoTaxa's "Child<Parent" and "Child (Parent)", and labels in
    snake_case that go from the general to the special ("copepod_calanoid_eggs"), whose longest known beginning counts.

    Args:
        label: as written.

    Returns:
        The taxon, or None: what cannot be matched (temporary names such as "t001", "unknown_sticks") has none.

    >>> match("larvae<Polychaeta").name
    'Polychaeta'
    """
    known = _index()
    text = clean(label)
    if text in known:
        return known[text]
    if hit := re.fullmatch(r"(.+?)\s*(?:<\s*(.+)|\(\s*(.+?)\s*\))", text):
        return _of_parent(hit[1], hit[2] or hit[3])
    if "_" in label:
        words = text.split(" ")
        beginnings = (" ".join(words[:count]) for count in range(len(words) - 1, 0, -1))
        return next((known[beginning] for beginning in beginnings if beginning in known), None)
    stem, _, last = text.rpartition("-")
    return known.get(stem) if last in _MORPHO - {"like"} else None


def _of_parent(child: str, parent: str) -> Taxon | None:
    """A child by its own name; a part, stage or quality by what it is said of."""
    known = _index()
    if not set(child.split(" ")) <= _MORPHO:
        return known.get(child)
    said_of = known.get(parent.partition("<")[0].strip())
    if said_of is not None and said_of.name != "Biota" and said_of.rank != "category":
        return said_of
    return known.get(child)
