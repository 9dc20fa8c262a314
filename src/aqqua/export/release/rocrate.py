"""`ro-crate-metadata.json`: files, people and what made them, as RO-Crate 1.1 has it.

https://www.researchobject.org/ro-crate/specification/1.1/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aqqua.export.release.facts import Extent, Facts, Payload, aqqua_version
from aqqua.metadata.card import Person

__all__ = ["rocrate"]


def rocrate(facts: Facts) -> dict[str, Any]:
    """The crate of a release: the bundle's folder."""
    return {
        "@context": "https://w3id.org/ro/crate/1.1/context",
        "@graph": [
            {
                "@id": "ro-crate-metadata.json",
                "@type": "CreativeWork",
                "about": {"@id": "./"},
                "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
            },
            _root(facts),
            *(_file(file) for file in facts.files),
            *people(facts.card.people),
            _licence(facts),
            *_place(facts.extent),
            *_made_by(facts),
        ],
    }


def _root(facts: Facts) -> dict[str, Any]:
    first, last = (f"{time:%Y-%m-%d}" for time in facts.extent.time_utc)
    card = facts.card
    told = {
        "@id": "./",
        "@type": "Dataset",
        "name": card.title,
        "description": card.abstract or card.title,
        "identifier": facts.address,
        "version": card.version,
        "datePublished": facts.terms.on.isoformat(),
        "license": {"@id": facts.terms.licence.url},
        "author": [{"@id": _id(person)} for person in facts.authors],
        "contributor": [{"@id": _id(person)} for person in facts.others],
        "funder": list(card.funding),
        "creditText": card.acknowledgement,
        "temporalCoverage": f"{first}/{last}",
        "spatialCoverage": {"@id": "#place"},
        "keywords": ", ".join(["plankton", *facts.extent.instruments]),
        "hasPart": [{"@id": file.path} for file in facts.files],
        "mentions": {"@id": "#release"},
    }
    return {name: value for name, value in told.items() if value}


def _file(file: Payload) -> dict[str, Any]:
    return {
        "@id": file.path,
        "@type": "File",
        "name": file.doc or file.path,
        "contentSize": str(file.nbytes),
        "encodingFormat": file.media_type,
        "sha256": file.sha256,
    }


def people(card_people: tuple[Person, ...]) -> Iterator[dict[str, Any]]:
    """Persons and their institutes, each once."""
    places: dict[str, str] = {}
    for person in dict.fromkeys(card_people):
        made: dict[str, Any] = {"@id": _id(person), "@type": "Person", "name": person.name}
        if person.affiliation:
            place = person.ror or f"#{_anchor(person.affiliation)}"
            places[place] = person.affiliation
            made["affiliation"] = {"@id": place}
        yield made
    for place, name in places.items():
        yield {"@id": place, "@type": "Organization", "name": name}


def _id(person: Person) -> str:
    return f"https://orcid.org/{person.orcid}" if person.orcid else f"#{_anchor(person.name)}"


def _anchor(name: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in name)


def _licence(facts: Facts) -> dict[str, Any]:
    licence = facts.terms.licence
    return {"@id": licence.url, "@type": "CreativeWork", "name": licence.name, "identifier": licence.spdx}


def _place(extent: Extent) -> Iterator[dict[str, Any]]:
    (south, north), (west, east) = extent.latitude, extent.longitude
    yield {"@id": "#place", "@type": "Place", "geo": {"@id": "#box"}}
    yield {"@id": "#box", "@type": "GeoShape", "box": f"{south} {west} {north} {east}"}


def _made_by(facts: Facts) -> Iterator[dict[str, Any]]:
    """The action that made the release, of which software from which sources; `aqqua dataset lineage` looks here."""
    yield {
        "@id": "#release",
        "@type": "CreateAction",
        "name": "aqqua export --to release",
        "endTime": facts.terms.on.isoformat(),
        "instrument": {"@id": "#aqqua"},
        "object": [{"@id": f"#source-{number}"} for number in range(len(facts.sources))],
        "result": {"@id": "./"},
        "description": f"from snapshot {facts.dataset[1]} of the dataset {facts.dataset[0]}",
    }
    yield {"@id": "#aqqua", "@type": "SoftwareApplication", "name": "aqqua", "softwareVersion": aqqua_version()}
    for number, (name, fingerprint, images) in enumerate(facts.sources):
        told = {"@id": f"#source-{number}", "@type": "Dataset", "name": name, "identifier": fingerprint}
        yield {**told, "description": f"raw source of {images} images"}
