"""`datacite.json`: who, what, when, where and under which licence, as DataCite 4.5 has it.

https://datacite-metadata-schema.readthedocs.io/en/4.5/
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aqqua.export.release.facts import PUBLISHER, Facts, given_family
from aqqua.metadata.card import Card, Person
from aqqua.metadata.licences import Licence

__all__ = ["CONTRIBUTOR_TYPES", "contributor_type", "datacite", "people_of", "rights", "titled"]

CONTRIBUTOR_TYPES: Mapping[str, str] = {
    "Data curation": "DataCurator",
    "Investigation": "DataCollector",
    "Supervision": "Supervisor",
    "Project administration": "ProjectManager",
    "Funding acquisition": "ProjectLeader",
    "Conceptualization": "ProjectLeader",
}
"""CRediT role → DataCite contributor type; everything else is a Researcher."""
_RELATIONS = {
    "ispartof": "IsPartOf", "haspart": "HasPart", "isderivedfrom": "IsDerivedFrom", "isdescribedby": "IsDescribedBy",
    "isdocumentedby": "IsDocumentedBy", "iscitedby": "IsCitedBy", "cites": "Cites", "references": "References",
    "issupplementto": "IsSupplementTo", "isidenticalto": "IsIdenticalTo", "isnewversionof": "IsNewVersionOf",
    "isversionof": "IsVersionOf", "issourceof": "IsSourceOf", "ispreviousversionof": "IsPreviousVersionOf",
}  # fmt: skip


def datacite(facts: Facts) -> dict[str, Any]:
    """The DataCite record of a release of one dataset."""
    record: dict[str, Any] = {
        **titled(facts.card, facts.terms.licence, facts.year),
        "types": {"resourceType": "Plankton images with metadata", "resourceTypeGeneral": "Dataset"},
        **people_of(facts.card),
        "subjects": [{"subject": word} for word in ("plankton", "marine imaging", *facts.extent.instruments)],
        "dates": _dates(facts),
        "geoLocations": [_box(facts)],
        "relatedIdentifiers": related_identifiers(facts.card),
        "sizes": [f"{facts.images} images"],
        "formats": ["LMDB", "application/x-parquet"],
    }
    if facts.doi:
        record |= {"doi": facts.doi}
    record["alternateIdentifiers"] = [
        {"alternateIdentifier": f"urn:uuid:{facts.uuid}", "alternateIdentifierType": "uuid"}
    ]
    return {name: value for name, value in record.items() if value}


def titled(card: Card, licence: Licence, year: int) -> dict[str, Any]:
    """What a record says of any release."""
    said: dict[str, Any] = {
        "titles": [{"title": card.title, "lang": "en"}],
        "publisher": {"name": PUBLISHER},
        "publicationYear": str(year),
        "language": "en",
        "version": card.version,
        "rightsList": rights(licence),
        "descriptions": _descriptions(card),
        "fundingReferences": [{"funderName": name} for name in card.funding],
        "schemaVersion": "http://datacite.org/schema/kernel-4",
    }
    return {name: value for name, value in said.items() if value}


def rights(licence: Licence) -> list[dict[str, str]]:
    """The licence, by its SPDX identifier."""
    return [
        {
            "rights": licence.name,
            "rightsUri": licence.url,
            "rightsIdentifier": licence.spdx,
            "rightsIdentifierScheme": "SPDX",
            "schemeUri": "https://spdx.org/licenses/",
        }
    ]


def people_of(card: Card) -> dict[str, Any]:
    """Creators are the authors in their order; all people with roles are contributors, too."""
    contributors = [
        {**_person(person), "contributorType": kind}
        for person in card.people
        for kind in dict.fromkeys(contributor_type(role) for role in person.roles or _role_of_nobody(person))
    ]
    if card.institution:
        place = {"name": card.institution, "nameType": "Organizational"}
        contributors.append({**place, "contributorType": "RightsHolder"})
    return {"creators": [_person(person) for person in card.people if person.author], "contributors": contributors}


def _role_of_nobody(person: Person) -> Sequence[str]:
    """Who is acknowledged without a role is a contributor all the same."""
    return () if person.author else ("Resources",)


def contributor_type(role: str) -> str:
    """The DataCite contributor type of a CRediT role."""
    return CONTRIBUTOR_TYPES.get(role, "Researcher")


def _person(person: Person) -> dict[str, Any]:
    given, family = given_family(person.name)
    made: dict[str, Any] = {"name": f"{family}, {given}" if given else person.name, "nameType": "Personal"}
    made |= {"givenName": given, "familyName": family} if given else {}
    if person.orcid:
        made["nameIdentifiers"] = [
            {
                "nameIdentifier": f"https://orcid.org/{person.orcid}",
                "nameIdentifierScheme": "ORCID",
                "schemeUri": "https://orcid.org",
            }
        ]
    if person.affiliation:
        place = {"name": person.affiliation}
        if person.ror:
            place |= {"affiliationIdentifier": person.ror, "affiliationIdentifierScheme": "ROR"}
            place |= {"schemeUri": "https://ror.org"}
        made["affiliation"] = [place]
    return made


def _dates(facts: Facts) -> list[dict[str, str]]:
    first, last = (f"{time:%Y-%m-%d}" for time in facts.extent.time_utc)
    return [
        {"date": f"{first}/{last}" if first != last else first, "dateType": "Collected"},
        {"date": facts.terms.on.isoformat(), "dateType": "Issued"},
    ]


def _box(facts: Facts) -> dict[str, Any]:
    (south, north), (west, east) = facts.extent.latitude, facts.extent.longitude
    sides = {"northBoundLatitude": north, "southBoundLatitude": south}
    return {"geoLocationBox": {"westBoundLongitude": west, "eastBoundLongitude": east, **sides}}


def related_identifiers(card: Card) -> list[dict[str, str]]:
    """What the card names as related, and what the data came from."""
    told = [(entry.get("doi") or entry.get("url") or "", entry.get("relation", "")) for entry in card.related]
    told += [(card.doi, "IsDerivedFrom")] if card.doi else []
    told += [(card.source, "IsDerivedFrom")] if card.source.startswith("http") else []
    return list(_related(told))


def _related(told: Iterable[tuple[str, str]]) -> Iterable[dict[str, str]]:
    for name, relation in dict.fromkeys(told):
        bare = name.removeprefix("https://doi.org/").removeprefix("doi:").strip()
        kind = "DOI" if bare.startswith("10.") else "URL" if bare.startswith("http") else ""
        if kind:
            wanted = _RELATIONS.get(relation.lower().replace("_", "").replace(" ", ""), "References")
            yield {"relatedIdentifier": bare, "relatedIdentifierType": kind, "relationType": wanted}


def _descriptions(card: Card) -> list[dict[str, str]]:
    told = {"Abstract": card.abstract or card.title, "Other": card.acknowledgement}
    return [{"description": text, "descriptionType": kind, "lang": "en"} for kind, text in told.items() if text]
