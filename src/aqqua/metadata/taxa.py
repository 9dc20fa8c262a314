"""Names of taxa: a built-in snapshot, snapshots that owners froze, and how labels of people and tools match them.

A label that matches nothing stays as it is: it has no taxon, and is never dropped.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from aqqua.errors import ConfigError, NotFoundError

__all__ = ["Taxon", "Taxonomy", "builtin", "by_ecotaxa_id", "clean", "load_taxonomy", "match", "taxa"]

_MAX_BYTES = 64 << 20


@dataclass(frozen=True)
class Taxon:
    """A taxon, or a category such as a stage or something that does not live.

    Args:
        name: accepted name.
        aphia_id: identifier in WoRMS, None for what is no taxon or not certain.
        ecotaxa_id: identifier in EcoTaxa's taxonomy, None where not certain.
        rank: taxonomic rank, or "category".
        lineage: names from the root to the taxon itself.
        also_in: further parents; a source may have it in several places.
        checked: where the AphiaID was seen; None where it is from memory, or there is none.
    """

    name: str
    aphia_id: int | None
    ecotaxa_id: int | None
    rank: str
    lineage: tuple[str, ...]
    also_in: tuple[str, ...] = ()
    checked: str | None = None


class Taxonomy:
    """Names and other names of taxa.

    Args:
        entries: accepted name → parent, rank, aphia, checked, ecotaxa, also, also_in.
        where: names the file in errors.

    Raises:
        ConfigError: a parent is unknown or its own ancestor, or a name means two taxa.
    """

    def __init__(self, entries: Mapping[str, Mapping[str, Any]], where: str = "taxa.yaml") -> None:
        self.where = where
        self.taxa: Mapping[str, Taxon] = MappingProxyType(
            {name: self._taxon(name, entry, entries) for name, entry in entries.items()}
        )
        self.index = self._index(entries)
        self._by_ecotaxa = {taxon.ecotaxa_id: taxon for taxon in self.taxa.values() if taxon.ecotaxa_id}
        self._by_aphia = {taxon.aphia_id: taxon for taxon in self.taxa.values() if taxon.aphia_id}

    def find(self, cleaned: str) -> Taxon | None:
        """The taxon of a cleaned name, or None."""
        return self.index.get(cleaned)

    def by_ecotaxa_id(self, number: int) -> Taxon | None:
        """The taxon with an identifier of EcoTaxa, or None."""
        return self._by_ecotaxa.get(number)

    def by_aphia_id(self, number: int) -> Taxon | None:
        """The taxon with an identifier of WoRMS, or None."""
        return self._by_aphia.get(number)

    def _taxon(self, name: str, entry: Mapping[str, Any], entries: Mapping[str, Mapping[str, Any]]) -> Taxon:
        also_in = tuple(entry.get("also_in", ()))
        if unknown := [parent for parent in also_in if parent not in entries]:
            raise ConfigError(f"{self.where}: {name} is also in the unknown {unknown[0]}")
        line = [name]
        while parent := entries[line[-1]].get("parent"):
            if parent not in entries or parent in line:
                raise ConfigError(f"{self.where}: {line[-1]} has the unknown or circular parent {parent}")
            line.append(parent)
        rank, checked = str(entry.get("rank") or "category"), entry.get("checked") or None
        return Taxon(name, entry.get("aphia"), entry.get("ecotaxa"), rank, tuple(reversed(line)), also_in, checked)

    def _index(self, entries: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Taxon]:
        """Cleaned name → taxon."""
        index: dict[str, Taxon] = {}
        for name, entry in entries.items():
            for label in (name, *entry.get("also", ())):
                if index.setdefault(clean(label), self.taxa[name]).name != name:
                    raise ConfigError(f"{self.where}: {label!r} means both {index[clean(label)].name} and {name}")
        return MappingProxyType(index)


@cache
def builtin() -> Taxonomy:
    """The snapshot that comes with aqqua."""
    return Taxonomy(_entries())


@cache
def _entries() -> dict[str, dict[str, Any]]:
    text = (files("aqqua.metadata") / "taxa.yaml").read_text(encoding="utf-8")
    loaded: dict[str, dict[str, Any]] = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 (a safe loader, in C where there is one)
    return loaded


def load_taxonomy(path: Path | str | None) -> Taxonomy:
    """The built-in snapshot with that of a file, whose word counts where both know a name.

    Args:
        path: YAML as `aqqua taxa freeze` writes it; None: only the built-in one.

    Raises:
        NotFoundError: there is no such file.
        ConfigError: it is no snapshot of taxa.
    """
    if path is None:
        return builtin()
    try:
        return _loaded(str(path), Path(path).stat().st_mtime_ns)
    except OSError as error:
        raise NotFoundError(
            "there is no such snapshot of taxa", where=path, do="make one: aqqua taxa freeze"
        ) from error


@cache
def _loaded(path: str, _: int) -> Taxonomy:
    if Path(path).stat().st_size > _MAX_BYTES:
        raise ConfigError("the snapshot of taxa is too large", where=path)
    try:
        loaded = yaml.load(Path(path).read_text("utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"the snapshot of taxa is not valid YAML: {error}", where=path) from error
    if not isinstance(loaded, dict) or not all(isinstance(entry, dict) for entry in loaded.values()):
        raise ConfigError("this is no snapshot of taxa", where=path, do="make one: aqqua taxa freeze")
    return Taxonomy(_merged(_entries(), loaded), path)


def _merged(ours: Mapping[str, Mapping[str, Any]], theirs: Mapping[Any, Any]) -> dict[str, dict[str, Any]]:
    """All names; a name or other name that the file gives to a taxon is taken from ours."""
    taken = {clean(str(label)) for name, entry in theirs.items() for label in (name, *entry.get("also", ()))}
    merged = {
        name: {**entry, "also": [label for label in entry.get("also", ()) if clean(label) not in taken]}
        for name, entry in ours.items()
    }
    for name, entry in theirs.items():
        if not str(name).startswith("_"):
            old = merged.get(str(name), {})
            merged[str(name)] = {**old, **entry, "also": [*old.get("also", ()), *map(str, entry.get("also", ()))]}
    return merged


def taxa() -> Mapping[str, Taxon]:
    """All taxa of the built-in snapshot, by accepted name."""
    return builtin().taxa


def by_ecotaxa_id(number: int) -> Taxon | None:
    """The taxon with an identifier of EcoTaxa, or None."""
    return builtin().by_ecotaxa_id(number)


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
    """The taxon that a label means by the built-in names; `aqqua.metadata.label_parts.parse` tells more.

    Args:
        label: as written.

    Returns:
        The taxon, or None: what cannot be matched (temporary names such as "t001", "unknown_sticks") has none.

    >>> match("larvae<Polychaeta").name
    'Polychaeta'
    """
    from aqqua.metadata.label_parts import parse

    return parse(label).taxon
