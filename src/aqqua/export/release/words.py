"""What people read and cite: README, LICENSE, CITATION.cff, and the data dictionary."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from aqqua.export.release.facts import Facts, given_family
from aqqua.metadata.card import Card, Person
from aqqua.metadata.fields import FIELDS, Field
from aqqua.metadata.licences import Licence, may_learn

__all__ = ["citation_cff", "license_text", "readme", "table_schema"]

_TYPES = {"str": "string", "datetime": "datetime", "f32": "number", "f64": "number"}


def table_schema() -> dict[str, Any]:
    """The columns of `metadata.parquet` as a Table Schema, from the one file that defines them."""
    return {
        "$schema": "https://datapackage.org/profiles/2.0/tableschema.json",
        "name": "metadata",
        "title": "Converted Metadata: one row per image",
        "fields": [_column(field) for field in FIELDS.values()],
        "primaryKey": ["key"],
        "missingValues": [""],
    }


def _column(field: Field) -> dict[str, Any]:
    limits = {"minimum": _limit(field.minimum), "maximum": _limit(field.maximum)}
    constraints = {name: value for name, value in limits.items() if value is not None}
    constraints |= {"required": True} if field.required else {}
    constraints |= {"enum": list(field.values)} if field.values else {}
    told = {
        "name": field.name,
        "type": _TYPES.get(field.dtype, "integer"),
        "title": field.title,
        "description": field.doc,
        "unit": field.unit,
        "storage": field.dtype,
        "constraints": constraints,
        "rdfType": f"http://rs.tdwg.org/dwc/terms/{field.darwincore}" if field.darwincore else None,
        "ifdo": field.ifdo,
    }
    return {name: value for name, value in told.items() if value}


def _limit(limit: Any) -> Any:
    if limit == "now":
        return None
    return limit.isoformat() if isinstance(limit, datetime) else limit


def license_text(licence: Licence, came_under: str) -> str:
    """Name, link and plain summary of a licence; its own text is at the link."""
    lines = [licence.name, f"SPDX: {licence.spdx}", licence.url, "", "In short (the text at the link is what counts):"]
    lines += [f"- {sentence}" for sentence in licence.summary()]
    if came_under not in {licence.spdx, "unknown"}:
        lines += ["", f"The owners also offer these data under {came_under}; this record is under {licence.spdx}."]
    return "\n".join(lines) + "\n"


def citation_cff(card: Card, licence: Licence, date_released: str, identifier: str) -> dict[str, Any]:
    """How to cite a release, as the Citation File Format 1.2.0 has it (one licence: archives take no list)."""
    authors = [_cff_person(person) for person in card.people if person.author]
    told: dict[str, Any] = {
        "cff-version": "1.2.0",
        "message": "Please cite this dataset as follows.",
        "type": "dataset",
        "title": card.title,
        "version": card.version,
        "date-released": date_released,
        "license": licence.spdx,
        "abstract": card.abstract,
        "authors": authors,
        "keywords": ["plankton", "marine imaging"],
    }
    if identifier.startswith("https://doi.org/"):
        told["doi"] = identifier.removeprefix("https://doi.org/")
    else:
        told["identifiers"] = [{"type": "other", "value": identifier, "description": "This release."}]
    return {name: value for name, value in told.items() if value}


def _cff_person(person: Person) -> dict[str, str]:
    """A person with given and family name; who has one name only, is named by it."""
    given, family = given_family(person.name)
    told = {"family-names": family, "given-names": given} if given else {"name": person.name}
    told |= {"affiliation": person.affiliation or ""}
    told |= {"orcid": f"https://orcid.org/{person.orcid}"} if person.orcid else {}
    return {name: value for name, value in told.items() if value}


def readme(facts: Facts) -> str:
    """What is in the bundle, and how to read it."""
    card, extent = facts.card, facts.extent
    first, last = (f"{time:%Y-%m-%d}" for time in extent.time_utc)
    parts = [
        f"# {card.title}",
        card.abstract,
        f"Version {card.version}, {facts.terms.on.isoformat()}, {facts.images:,} images of {extent.samples:,} samples, "
        f"{', '.join(extent.instruments) or 'instrument not stated'}, {first} to {last}, "
        f"latitude {_range(extent.latitude)}, longitude {_range(extent.longitude)}"
        + (f", depth {_range(extent.depth_m)} m." if extent.depth_m else "."),
        "## Cite\n\n" + facts.citation(),
        "## Licence\n\n" + _terms(facts),
        "## People\n\n" + people_text(card),
        _list("Acknowledgement", [card.acknowledgement] if card.acknowledgement else []),
        _list("Funding", card.funding),
        f"## Questions\n\nPlease ask {card.contact or card.institution or 'the authors'}.",
        "## Files\n\n" + _files(facts),
        _HOW,
        _list("Taxa named most often", [f"{name}: {count:,} images" for name, count in facts.taxa[:20]]),
        _left_out(facts),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def people_text(card: Card) -> str:
    """Authors in order, with ORCID, institute and roles; then who is acknowledged."""
    lines = [f"{n}. {_person_line(one)}" for n, one in enumerate([p for p in card.people if p.author], 1)]
    others = [_person_line(one) for one in card.people if not one.author]
    return "\n".join(lines + (["", "We thank " + "; ".join(others) + "."] if others else []))


def _person_line(person: Person) -> str:
    orcid = f"https://orcid.org/{person.orcid}" if person.orcid else ""
    said = ", ".join(part for part in (person.name, orcid, person.affiliation or "", person.ror or "") if part)
    return said + (f" ({', '.join(person.roles)})" if person.roles else "")


def _terms(facts: Facts) -> str:
    licence = facts.terms.licence
    learn = f"Models: {may_learn(facts.card)}."
    return f"{licence.name} ({licence.spdx}), {licence.url}\n\n{' '.join(licence.summary())}\n\n{learn}"


def _files(facts: Facts) -> str:
    rows = [f"| `{file.path}` | {file.nbytes:,} | {file.doc} |" for file in facts.files]
    return "\n".join(["| file | bytes | what it is |", "|---|---|---|", *rows])


def _left_out(facts: Facts) -> str:
    if not facts.dropped:
        return ""
    names = ", ".join(f"`{name}`" for name in facts.dropped)
    return f"## Left out\n\nColumns of the raw tables that may name people: {names}. E-mail addresses are removed."


def _list(title: str, entries: Sequence[str]) -> str:
    return f"## {title}\n\n" + "\n".join(f"- {entry}" for entry in entries) if entries else ""


def _range(pair: tuple[float, float]) -> str:
    return f"{pair[0]:g} to {pair[1]:g}"


_HOW = """## How to read it

Images are blosc2 chunks in LMDB files (key: number of the image, 8 bytes, big endian), tables are Parquet; row *k* of
`metadata` and `raw` belongs to key *k*. `fields.json` explains every column. The folder `data` is an AqQua dataset:

    import aqqua
    dataset = aqqua.Dataset.open("data")
    table = dataset.metadata()
    pixels = dataset.image(table["uid"][0])

The format, with a reader of thirty lines that needs nothing of aqqua, is described in the documentation of aqqua
("The AqQua Data Format"). The bundle is a BagIt bag: `bagit.py --validate .` compares every file with its SHA-256."""
