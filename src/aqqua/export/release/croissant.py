"""`croissant.json`: the files with their hashes and the columns of the tables, as Croissant 1.0 has it.

https://docs.mlcommons.org/croissant/docs/croissant-spec.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aqqua.export.release.facts import Facts, Payload
from aqqua.metadata.fields import FIELDS
from aqqua.metadata.licences import may_learn

__all__ = ["croissant"]

_TYPES = {"str": "sc:Text", "datetime": "sc:DateTime", "f32": "sc:Float", "f64": "sc:Float"}

_CONTEXT: Mapping[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}


def croissant(facts: Facts) -> dict[str, Any]:
    """The Croissant description of a release; a record set for each file of Converted Metadata."""
    tables = [file for file in facts.named("data/metadata") if file.path.endswith(".parquet")]
    return {
        "@context": dict(_CONTEXT),
        "@type": "sc:Dataset",
        "name": facts.name,
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "description": facts.card.abstract or facts.card.title,
        "alternateName": facts.card.title,
        "license": facts.terms.licence.url,
        "url": facts.address,
        "version": _semantic(facts.card.version),
        "datePublished": facts.terms.on.isoformat(),
        "citeAs": facts.citation(),
        "creator": [_person(person.name, person.orcid) for person in facts.authors],
        "keywords": ["plankton", "marine imaging", *facts.extent.instruments],
        "isLiveDataset": False,
        "rai:dataCollection": _collection(facts),
        "rai:personalSensitiveInformation": "None: columns that name people and e-mail addresses were left out.",
        "rai:dataUseCases": str(may_learn(facts.card)),
        "distribution": [_file(file) for file in facts.named("data/")],
        "recordSet": [_records(file, len(tables) > 1) for file in tables],
    }


def _collection(facts: Facts) -> str:
    first, last = (f"{time:%Y-%m-%d}" for time in facts.extent.time_utc)
    cameras = ", ".join(facts.extent.instruments) or "cameras"
    return f"{facts.images} images of single organisms and particles, taken with {cameras} from {first} to {last}."


def _file(file: Payload) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": file.path,
        "name": file.path,
        "description": file.doc,
        "contentUrl": file.path,
        "contentSize": f"{file.nbytes} B",
        "encodingFormat": file.media_type,
        "sha256": file.sha256,
    }


def _records(file: Payload, several: bool) -> dict[str, Any]:
    name = f"images-{file.path.removesuffix('.parquet')[-3:]}" if several else "images"
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": "One row per image; row k belongs to key k of the images file of the same number.",
        "key": {"@id": f"{name}/key"},
        "field": [_field(name, file, column) for column in FIELDS],
    }


def _field(records: str, file: Payload, column: str) -> dict[str, Any]:
    field = FIELDS[column]
    unit = f" [{field.unit}]" if field.unit else ""
    return {
        "@type": "cr:Field",
        "@id": f"{records}/{column}",
        "name": f"{records}/{column}",
        "description": field.doc + unit,
        "dataType": _TYPES.get(field.dtype, "sc:Integer"),
        "source": {"fileObject": {"@id": file.path}, "extract": {"column": column}},
    }


def _person(name: str, orcid: str | None) -> dict[str, str]:
    made = {"@type": "sc:Person", "name": name}
    return {**made, "url": f"https://orcid.org/{orcid}"} if orcid else made


def _semantic(version: str) -> str:
    """Croissant asks for versions as 1.0.0; others are filled up where that can be done."""
    parts = version.split(".")
    return ".".join([*parts, "0", "0"][:3]) if all(part.isdigit() for part in parts) and len(parts) < 3 else version
