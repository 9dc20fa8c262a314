"""Look labels up in WoRMS or EcoTaxa, and keep what is found: in a cache, and in a snapshot that can be shared.

What a service says is only taken where it is certain: one exact match, with the accepted name behind it. Similar names
are told to the person, who writes the right one into a table of labels.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import yaml

from aqqua.errors import ConfigError
from aqqua.metadata.label_parts import parse
from aqqua.metadata.qualifiers import WORDS
from aqqua.metadata.taxa import Taxonomy, builtin, clean
from aqqua.progress import track
from aqqua.sources.worms import NAMES_PER_CALL, Worms, WormsRecord

if TYPE_CHECKING:
    from aqqua.sources.ecotaxa_api.client import EcotaxaClient

__all__ = ["Cache", "Found", "candidate", "freeze", "look_up", "names_to_ask"]

Service = Literal["worms", "ecotaxa"]
Entries = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Found:
    """What a service knows of a name.

    Args:
        entries: the accepted taxon and those above it, in the form of a snapshot; empty where nothing is certain.
        name: accepted name, None where nothing is certain.
        near: names that look like it.
    """

    entries: Entries
    name: str | None = None
    near: tuple[str, ...] = ()


class Cache:
    """Answers of the services, kept in one JSON file, so that no name is asked for twice.

    Args:
        path: the file; None for the usual place of the user's cache.
    """

    def __init__(self, path: Path | str | None = None) -> None:
        usual = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "aqqua" / "taxa.json"
        self.path = Path(path) if path is not None else usual
        self._known: dict[str, Any] = {}
        if self.path.is_file():
            try:
                self._known = dict(json.loads(self.path.read_text("utf-8")))
            except (ValueError, TypeError) as error:
                do = "remove it: it is filled again"
                raise ConfigError(f"the cache of taxa is damaged ({error})", where=self.path, do=do) from error

    def get(self, service: str, name: str) -> Found | None:
        """What was found before, or None."""
        told = self._known.get(f"{service} {clean(name)}")
        return Found(told["entries"], told["name"], tuple(told["near"])) if told else None

    def put(self, service: str, name: str, found: Found) -> None:
        """Keep an answer; `save` writes it."""
        now = f"{datetime.now(UTC):%Y-%m-%d}"
        entry = {"entries": found.entries, "name": found.name, "near": list(found.near), "retrieved_utc": now}
        self._known[f"{service} {clean(name)}"] = entry

    def save(self) -> None:
        """Write the file, wholly or not at all."""
        from aqqua.store.atomic import write_json

        write_json(self.path, self._known)


def candidate(label: str) -> str:
    """The part of a label that may be a name: without parents, stages, numbers and the like.

    >>> candidate("Acartia_clausi (CV female)")
    'Acartia clausi'
    """
    child = label.partition("<")[0].partition("(")[0]
    words = [word for word in clean(child).replace("-", " ").split(" ") if word and word not in WORDS]
    named = " ".join(word for word in words if word.isalpha())
    return named[:1].upper() + named[1:]


def names_to_ask(labels: Iterable[tuple[str, str | None]], names: Taxonomy) -> dict[str, str]:
    """Names worth asking a service for, each with the label it comes from: what is unmatched, or has no AphiaID."""
    asked: dict[str, str] = {}
    for label, hierarchy in labels:
        parsed = parse(label, names, hierarchy=hierarchy)
        taxon, name = parsed.taxon, candidate(label)
        if taxon is not None and taxon.rank != "category" and taxon.aphia_id is None:
            asked.setdefault(taxon.name, label)
        species = taxon is not None and taxon.rank == "Genus" and name.count(" ") == 1
        if len(name) > 2 and (taxon is None or parsed.by == "hierarchy" or species) and names.find(clean(name)) is None:
            asked.setdefault(name, label)
    return asked


def look_up(
    names: Sequence[str],
    service: Service,
    *,
    cache: Cache,
    server: str | None = None,
    fresh: bool = False,
    worms: Worms | None = None,
    ecotaxa: EcotaxaClient | None = None,
) -> dict[str, Found]:
    """Ask a service for names; those in the cache are not asked for again.

    Args:
        names: what to ask for.
        service: "worms" or "ecotaxa".
        cache: answers of before; what is new is added and written, also if the service fails on the way.
        server: address of the service, None for the usual one.
        fresh: ask again for what is in the cache.
        worms: client to use.
        ecotaxa: client to use.

    Raises:
        RemoteError: the service cannot be reached, or fails.
        MissingExtraError: the EcoTaxa client is not installed.
    """
    known = {} if fresh else {name: found for name in names if (found := cache.get(service, name)) is not None}
    asked = [name for name in dict.fromkeys(names) if name not in known]
    ask, size = _asker(service, server, worms, ecotaxa)
    batches = [asked[start : start + size] for start in range(0, len(asked), size)]
    try:
        for some in track(batches, f"Asking {service}", unit="requests"):
            for name, found in ask(some).items():
                known[name] = found
                cache.put(service, name, found)
    finally:
        if asked:
            cache.save()
    return {name: known[name] for name in dict.fromkeys(names)}


def _asker(
    service: Service, server: str | None, worms: Worms | None, ecotaxa: EcotaxaClient | None
) -> tuple[Callable[[Sequence[str]], Mapping[str, Found]], int]:
    """How to ask a service for names, and for how many at once."""
    if service == "worms":
        client = worms or Worms(server)
        return lambda some: _ask_worms(some, client), NAMES_PER_CALL
    eco = ecotaxa or _ecotaxa(server)
    return lambda some: {name: _ask_ecotaxa(name, eco) for name in some}, 1


def freeze(found: Mapping[str, Found], path: Path | str, *, old: Taxonomy | None = None) -> Taxonomy:
    """Write a snapshot of what was found, that `--taxa` and a card's `taxa:` can name, and return it with all names.

    Args:
        found: by the names that were asked for.
        path: YAML file to write; what is in it already is kept.
        old: names to build on; None: the built-in ones.
    """
    from aqqua.metadata.taxa import load_taxonomy
    from aqqua.store.atomic import write_text

    target = Path(path)
    entries: Entries = (yaml.safe_load(target.read_text("utf-8")) or {}) if target.is_file() else {}
    names = old or builtin()
    for asked, one in found.items():
        for name, entry in one.entries.items():
            entries[name] = {**entries.get(name, {}), **entry}
        if one.name is not None and clean(asked) != clean(one.name) and names.find(clean(asked)) is None:
            also = entries[one.name].setdefault("also", [])
            entries[one.name]["also"] = sorted({*also, clean(asked)})
    head = (
        f"# Taxa looked up by aqqua; written {datetime.now(UTC):%Y-%m-%d}. Cite WoRMS: doi:10.14284/170 (CC BY 4.0).\n"
    )
    write_text(target, head + yaml.safe_dump(entries, allow_unicode=True, sort_keys=False, width=120))
    return load_taxonomy(target)


def _ask_worms(names: Sequence[str], client: Worms) -> dict[str, Found]:
    return {name: _of_worms(name, records, client) for name, records in client.match(names).items()}


def _of_worms(name: str, records: Sequence[WormsRecord], client: Worms) -> Found:
    """The accepted taxon behind the one exact match; of several only one that is accepted, or the only marine one."""
    exact = [record for record in records if record.match == "exact" and clean(record.name) == clean(name)]
    for choice in (exact, [record for record in exact if record.status == "accepted"],
                   [record for record in exact if record.marine]):  # fmt: skip
        if len({record.valid_id or record.aphia_id for record in choice}) == 1:
            accepted = client.accepted(choice[0])
            if accepted is not None:
                return Found(_line(client.classification(accepted.aphia_id), accepted), accepted.name)
    return Found({}, near=tuple(dict.fromkeys(record.valid_name or record.name for record in records))[:5])


def _line(classification: Sequence[tuple[int, str, str]], accepted: WormsRecord) -> Entries:
    entries: Entries = {}
    parent = None
    for aphia_id, rank, name in classification or [(accepted.aphia_id, accepted.rank, accepted.name)]:
        above: dict[str, Any] = {"parent": parent} if parent else {}
        entries[name] = {**above, "rank": rank or "category", "aphia": aphia_id, "checked": "worms"}
        parent = name
    return entries


def _ecotaxa(server: str | None) -> EcotaxaClient:
    from aqqua.sources.ecotaxa_api.client import EcotaxaClient

    return EcotaxaClient(server)


def _ask_ecotaxa(name: str, client: EcotaxaClient) -> Found:
    """The one taxon of EcoTaxa that is called like this; a renamed one leads to its new name."""
    hits = client.search_taxa(name)
    same = [hit for hit in hits if clean(str(hit.get("text", "")).partition("<")[0]) == clean(name)]
    ids = {int(hit["renm_id"] if hit.get("status") == "D" and hit.get("renm_id") else hit["id"]) for hit in same}
    if len(ids) != 1:
        return Found({}, near=tuple(str(hit.get("text", "")) for hit in (same or hits))[:5])
    told = client.taxa(sorted(ids))
    if not told:
        return Found({})
    raw = told[0].model_dump()
    line, ids_above = list(raw["lineage"]), list(raw["id_lineage"])
    entries: Entries = {}
    for place in reversed(range(len(line))):
        above = {"parent": line[place + 1]} if place + 1 < len(line) else {}
        entries[line[place]] = {**above, "ecotaxa": int(ids_above[place])}
        if place:
            entries[line[place]] |= _usual(line[place])
    own = entries[line[0]]
    own["rank"] = raw.get("rank") or ("category" if raw.get("type") == "M" else "unranked")
    if raw.get("aphia_id"):
        own |= {"aphia": int(raw["aphia_id"]), "checked": "ecotaxa"}
    return Found(entries, line[0])


def _usual(name: str) -> dict[str, Any]:
    """What the built-in snapshot knows of a taxon above the one that was asked for."""
    taxon = builtin().taxa.get(name)
    known = {"rank": taxon.rank if taxon else "unranked"}
    return {**known, "aphia": taxon.aphia_id} if taxon and taxon.aphia_id else known
