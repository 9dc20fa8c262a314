"""The umbrella record over the records of several datasets: who, what, under which licence – and no images.

Each dataset has its own licence, authors and DOI, so nothing of it is repeated here. The umbrella holds the global
tables, the author list of the data paper and the acknowledgements.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from aqqua.errors import StorageError
from aqqua.export.release.bag import close_bag, payload_of, sender_of, write_document, write_yaml
from aqqua.export.release.bundle import Options
from aqqua.export.release.datacite import people_of, related_identifiers, titled
from aqqua.export.release.facts import Facts, Payload, lower_name, public_card, uuid4_of
from aqqua.export.release.rocrate import people
from aqqua.export.release.terms import Terms
from aqqua.export.release.words import citation_cff, license_text, people_text, table_schema
from aqqua.metadata.card import Card, Person
from aqqua.metadata.licences import licence_of
from aqqua.store.atomic import make_folder, storage, sync_folder, write_text

__all__ = ["LICENCE", "all_people", "build_umbrella"]

LICENCE = "CC-BY-4.0"
"""Of the umbrella's own texts and tables, if its card does not say another one."""
_COLUMNS = (
    *("name", "title", "version", "identifier", "licence", "models_may_learn", "global_interpolation", "images"),
    *("samples", "instruments", "first_utc", "last_utc", "south", "north", "west", "east", "institution", "authors"),
)


def build_umbrella(parts: Sequence[Facts], out: Path, card: Card | None, options: Options) -> Path:
    """Build the umbrella record.

    Args:
        parts: what the records of the datasets say.
        out: folder in which it gets its place.
        card: its title, abstract and people, who stand first in the author list; None: made from the datasets.
        options: how the release is made.

    Raises:
        StorageError: the disk is full, or there is another umbrella of this name.
    """
    whole = _card(parts, card, options)
    name = f"{lower_name(whole.id or 'umbrella')}-{lower_name(whole.version)}"
    told = [name, whole.dump(), options.on.isoformat(), [(part.uuid, part.name, part.doi) for part in parts]]
    key = sha256(json.dumps(told).encode()).hexdigest()
    identifier = f"urn:uuid:{uuid4_of(key)}"
    place, work = out / name, out / f"{name}.part"
    if place.exists():
        if sender_of(place) != key:
            do = "choose another --version, or another folder; what was released must not change"
            raise StorageError("there is another umbrella record of this name already", where=place, do=do)
        return place
    shutil.rmtree(work, ignore_errors=True)
    make_folder(work / "data")
    _write_data(work / "data", parts, whole)
    _write_documents(work, parts, whole, options, identifier)
    owner = whole.institution or "AqQua"
    close_bag(work, identifier=identifier, sender=key, title=whole.title, organization=owner, on=options.on)
    with storage(place):
        work.rename(place)
        sync_folder(out)
    return place


def all_people(parts: Sequence[Facts], first: Sequence[Person] = ()) -> tuple[Person, ...]:
    """Everybody once: those of the umbrella's card, then by dataset in the order given, each in the order of its card.

    The same person (by ORCID, else by name) has the roles of all datasets, and is an author if of any of them.
    """
    found: dict[str, Person] = {}
    known: dict[str, str] = {}
    for person in (*first, *(one for part in parts for one in part.card.people)):
        key = known.get(person.orcid or "") or known.get(person.name) or person.orcid or person.name
        known |= {person.name: key} | ({person.orcid: key} if person.orcid else {})
        found[key] = _merged(found[key], person) if key in found else person
    return tuple(found.values())


def _merged(one: Person, other: Person) -> Person:
    return replace(
        one,
        orcid=one.orcid or other.orcid,
        affiliation=one.affiliation or other.affiliation,
        ror=one.ror or other.ror,
        roles=tuple(dict.fromkeys((*one.roles, *other.roles))),
        author=one.author or other.author,
    )


def _card(parts: Sequence[Facts], given: Card | None, options: Options) -> Card:
    base = given or Card()
    licence = licence_of(base.licence if base.licence != "unknown" else LICENCE)
    version = options.version or base.version
    public = public_card(base, Terms(licence, licence.spdx, options.on), version)
    images = sum(part.images for part in parts)
    abstract = f"{len(parts)} datasets of plankton images, {images} images in all; each has a record of its own."
    return replace(
        public,
        title=base.title or "AqQua: plankton images from many cameras",
        abstract=public.abstract or abstract,
        people=all_people(parts, public.people),
        funding=tuple(dict.fromkeys((*public.funding, *(one for part in parts for one in part.card.funding)))),
        instruments=tuple(dict.fromkeys(name for part in parts for name in part.extent.instruments)),
    )


def _write_data(data: Path, parts: Sequence[Facts], card: Card) -> None:
    card.save(data / "card.yaml")
    write_text(data / "datasets.csv", _table(parts))
    write_text(
        data / "authors.txt", people_text(replace(card, people=tuple(p for p in card.people if p.author))) + "\n"
    )
    write_text(data / "acknowledgements.txt", _acknowledgements(parts, card))
    write_document(data / "fields.json", table_schema())
    write_text(data / "LICENSE", license_text(licence_of(card.licence), card.licence))
    write_text(data / "README.md", _readme(parts, card))


def _write_documents(bag: Path, parts: Sequence[Facts], card: Card, options: Options, identifier: str) -> None:
    licence, day = licence_of(card.licence), options.on.isoformat()
    record: dict[str, Any] = {
        **titled(card, licence, options.on.year),
        "types": {"resourceType": "Umbrella of datasets", "resourceTypeGeneral": "Collection"},
        **people_of(card),
        "dates": [{"date": day, "dateType": "Issued"}],
        "relatedIdentifiers": [*related_identifiers(card), *map(_has_part, parts)],
        "alternateIdentifiers": [{"alternateIdentifier": identifier, "alternateIdentifierType": "uuid"}],
    }
    write_document(bag / "datacite.json", {name: value for name, value in record.items() if value})
    write_yaml(bag / "CITATION.cff", citation_cff(card, licence, day, identifier))
    files = [payload_of(bag, path, path.name) for path in sorted((bag / "data").iterdir())]
    write_document(bag / "ro-crate-metadata.json", _crate(parts, card, files, day, identifier))


def _has_part(part: Facts) -> dict[str, str]:
    kind, name = ("DOI", part.doi) if part.doi else ("URN", f"urn:uuid:{part.uuid}")
    return {"relatedIdentifier": name, "relatedIdentifierType": kind, "relationType": "HasPart"}


def _crate(parts: Sequence[Facts], card: Card, files: Sequence[Payload], day: str, identifier: str) -> dict[str, Any]:
    licence = licence_of(card.licence)
    persons = list(people(card.people))
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": card.title,
        "description": card.abstract,
        "identifier": identifier,
        "version": card.version,
        "datePublished": day,
        "license": {"@id": licence.url},
        "author": [{"@id": one["@id"]} for one, person in zip(persons, card.people, strict=False) if person.author],
        "hasPart": [*({"@id": file.path} for file in files), *({"@id": part.address} for part in parts)],
    }
    about = {"about": {"@id": "./"}, "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"}}
    graph: list[dict[str, Any]] = [{"@id": "ro-crate-metadata.json", "@type": "CreativeWork", **about}, root]
    graph += [{"@id": file.path, "@type": "File", "name": file.doc, "sha256": file.sha256} for file in files]
    graph += [{"@id": licence.url, "@type": "CreativeWork", "name": licence.name}, *persons, *map(_part, parts)]
    return {"@context": "https://w3id.org/ro/crate/1.1/context", "@graph": graph}


def _part(part: Facts) -> dict[str, Any]:
    told = {"@id": part.address, "@type": "Dataset", "name": part.card.title, "version": part.card.version}
    return {**told, "license": part.terms.licence.url, "identifier": part.name}


def _table(parts: Sequence[Facts]) -> str:
    """One row per dataset."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for part in parts:
        card, extent = part.card, part.extent
        times = (f"{time:%Y-%m-%dT%H:%M:%SZ}" for time in extent.time_utc)
        rights = (_said(card.license_allows_training), _said(card.consent_global_interpolation))
        row = [part.name, card.title, card.version, part.address, part.terms.licence.spdx, *rights, part.images]
        row += [extent.samples, "; ".join(extent.instruments), *times, *extent.latitude, *extent.longitude]
        writer.writerow([*row, card.institution, "; ".join(person.name for person in part.authors)])
    return text.getvalue()


def _said(consent: bool | None) -> str:
    return {True: "yes", False: "no", None: "not asked"}[consent]


def _acknowledgements(parts: Sequence[Facts], card: Card) -> str:
    lines = [card.acknowledgement, *(_thanks(part) for part in parts)]
    others = [person.name for person in card.people if not person.author]
    lines += [f"We thank {'; '.join(others)}."] if others else []
    lines += [f"Funding: {'; '.join(card.funding)}."] if card.funding else []
    return "\n\n".join(line for line in lines if line) + "\n"


def _thanks(part: Facts) -> str:
    place = f" ({part.card.institution})" if part.card.institution else ""
    return f"{part.card.title}{place}: {part.card.acknowledgement or 'we thank the owners of the data.'}"


def _readme(parts: Sequence[Facts], card: Card) -> str:
    head = ["| record | title | licence | images | identifier |", "|---|---|---|---|---|"]
    parted = [
        f"# {card.title}",
        card.abstract,
        "This record holds no images. Each dataset has a record of its own, with its own licence, authors and version:",
        "\n".join([*head, *_readme_rows(parts)]),
        "`datasets.csv` says more of each, `authors.txt` is the author list of the data paper in its order, "
        "`acknowledgements.txt` whom we thank, `fields.json` explains the columns of all metadata tables.",
        "## People\n\n" + people_text(card),
    ]
    return "\n\n".join(parted) + "\n"


def _readme_rows(parts: Sequence[Facts]) -> Iterator[str]:
    for part in parts:
        title = part.card.title.replace("|", "\\|")
        yield f"| `{part.name}` | {title} | {part.terms.licence.spdx} | {part.images:,} | {part.address} |"
