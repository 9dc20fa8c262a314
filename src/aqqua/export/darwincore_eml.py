"""The dataset as a whole, in EML 2.2 as GBIF's profile 1.3 takes it: all from the card and the tables."""

from __future__ import annotations

import re
from datetime import date
from itertools import pairwise
from xml.etree import ElementTree as ET

import polars as pl

from aqqua.export.darwincore_archive import xml_text
from aqqua.metadata.card import Card, Person
from aqqua.metadata.licences import LICENCES

__all__ = ["eml_xml"]

_EML = "https://eml.ecoinformatics.org/eml-2.2.0"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_SCHEMA = f"{_EML} https://rs.gbif.org/schema/eml-gbif-profile/1.3/eml.xsd"
_MAX_TAXA = 500


def eml_xml(card: Card, images: pl.DataFrame, taxa: pl.DataFrame, *, package: str, on: date) -> bytes:
    """The file eml.xml.

    Args:
        card: of the dataset, as a release has it.
        images: latitude, longitude, depths and times of all images in the archive.
        taxa: scientificName and taxonRank of all occurrences.
        package: identifier of the dataset and its version.
        on: the day.
    """
    ET.register_namespace("eml", _EML)
    ET.register_namespace("xsi", _XSI)
    about = {
        f"{{{_XSI}}}schemaLocation": _SCHEMA,
        "packageId": xml_text(package),
        "system": "https://aqqua.readthedocs.io",
        "scope": "system",
        "{http://www.w3.org/XML/1998/namespace}lang": "en",
    }
    root = ET.Element(f"{{{_EML}}}eml", about)
    dataset = ET.SubElement(root, "dataset")
    if card.doi:
        _put(dataset, "alternateIdentifier", card.doi)
    _put(dataset, "title", card.title)
    _people(dataset, card)
    _put(dataset, "pubDate", on.isoformat())
    _put(dataset, "language", "en")
    _paragraphs(dataset, "abstract", card.abstract or card.title)
    _keywords(dataset, card)
    _rights(dataset, card)
    _coverage(dataset, images, taxa)
    if card.acknowledgement:
        _paragraphs(dataset, "acknowledgements", card.acknowledgement)
    _contact(ET.SubElement(dataset, "contact"), card)
    _methods(dataset)
    _project(dataset, card)
    if card.citation:
        gbif = ET.SubElement(ET.SubElement(ET.SubElement(root, "additionalMetadata"), "metadata"), "gbif")
        _put(gbif, "citation", card.citation)
    ET.indent(root)
    text: bytes = ET.tostring(root, "utf-8", xml_declaration=True)
    return text + b"\n"


def _put(parent: ET.Element, name: str, text: str, **attributes: str) -> ET.Element:
    entry = ET.SubElement(parent, name, attributes)
    entry.text = xml_text(text)
    return entry


def _paragraphs(parent: ET.Element, name: str, text: str) -> None:
    entry = ET.SubElement(parent, name)
    for paragraph in filter(None, (part.strip() for part in re.split(r"\n\s*\n", text))):
        _put(entry, "para", paragraph)


def _people(dataset: ET.Element, card: Card) -> None:
    """Authors, in the order of the card; nobody else is named."""
    for person in _authors(card):
        _person(ET.SubElement(dataset, "creator"), person)
    _contact(ET.SubElement(dataset, "metadataProvider"), card)


def _person(entry: ET.Element, person: Person) -> None:
    family, given = split_name(person.name)
    name = ET.SubElement(entry, "individualName")
    if given:
        _put(name, "givenName", given)
    _put(name, "surName", family)
    if person.affiliation:
        _put(entry, "organizationName", person.affiliation)
    if person.orcid:
        _put(entry, "userId", person.orcid, directory="https://orcid.org/")


def split_name(name: str) -> tuple[str, str]:
    """Family name and given names, of "Larsen, Ada" or "Ada Larsen".

    >>> split_name("Ada van Larsen"), split_name("Larsen, Ada"), split_name("Exampletown Institute")
    (('Larsen', 'Ada van'), ('Larsen', 'Ada'), ('Institute', 'Exampletown'))
    """
    if "," in name:
        family, _, given = name.partition(",")
        return family.strip(), given.strip()
    given, _, family = name.strip().rpartition(" ")
    return family, given.strip()


def _authors(card: Card) -> list[Person]:
    return [person for person in card.people if person.author]


def _contact(entry: ET.Element, card: Card) -> None:
    """Whom to ask: the institution, or an author; nobody's address."""
    if card.institution or card.contact:
        _put(entry, "organizationName", card.institution or card.contact)
    else:
        _person(entry, _authors(card)[0])


def _keywords(dataset: ET.Element, card: Card) -> None:
    words = ["plankton", "imaging", *card.instruments, *filter(None, [card.habitat])]
    entry = ET.SubElement(dataset, "keywordSet")
    for word in dict.fromkeys(words):
        _put(entry, "keyword", word)
    _put(entry, "keywordThesaurus", "n/a")
    kind = ET.SubElement(dataset, "keywordSet")
    _put(kind, "keyword", "Samplingevent")
    _put(kind, "keywordThesaurus", "GBIF Dataset Type Vocabulary: http://rs.gbif.org/vocabulary/gbif/dataset_type.xml")


def _rights(dataset: ET.Element, card: Card) -> None:
    licence = LICENCES[card.licence]
    para = ET.SubElement(ET.SubElement(dataset, "intellectualRights"), "para")
    para.text = "This work is licensed under "
    link = ET.SubElement(para, "ulink", {"url": licence.url})
    _put(link, "citetitle", f"{licence.name} ({licence.spdx})")
    link.tail = "."
    entry = ET.SubElement(dataset, "licensed")
    _put(entry, "licenseName", licence.name)
    _put(entry, "url", f"https://spdx.org/licenses/{licence.spdx}.html")
    _put(entry, "identifier", licence.spdx)


def _coverage(dataset: ET.Element, images: pl.DataFrame, taxa: pl.DataFrame) -> None:
    entry = ET.SubElement(dataset, "coverage")
    place = ET.SubElement(entry, "geographicCoverage")
    _put(place, "geographicDescription", _depths(images))
    box = ET.SubElement(place, "boundingCoordinates")
    west, east = box_of(images["longitude"])
    latitudes = images["latitude"].to_list()
    for name, value in (("west", west), ("east", east), ("north", max(latitudes)), ("south", min(latitudes))):
        _put(box, f"{name}BoundingCoordinate", f"{value:.6g}")
    times = images["time_utc"].to_list()
    dates = ET.SubElement(ET.SubElement(entry, "temporalCoverage"), "rangeOfDates")
    for name, value in (("beginDate", min(times)), ("endDate", max(times))):
        _put(ET.SubElement(dates, name), "calendarDate", f"{value:%Y-%m-%d}")
    names = taxa.select("scientificName", "taxonRank").unique().sort("scientificName").head(_MAX_TAXA)
    if names.is_empty():
        return
    kinds = ET.SubElement(entry, "taxonomicCoverage")
    for scientific, rank in names.iter_rows():
        one = ET.SubElement(kinds, "taxonomicClassification")
        if rank:
            _put(one, "taxonRankName", rank)
        _put(one, "taxonRankValue", scientific)


def box_of(longitude: pl.Series) -> tuple[float, float]:
    """Western and eastern end of the narrowest box; the western number is larger where it crosses the date line."""
    ordered = longitude.drop_nulls().unique().sort().to_list()
    gaps = [(b - a, a, b) for a, b in pairwise(ordered)]
    gaps.append((ordered[0] + 360 - ordered[-1], ordered[-1], ordered[0]))
    _, east, west = max(gaps, key=lambda gap: gap[0])
    return west, east


def _depths(images: pl.DataFrame) -> str:
    lows, highs = (images[name].drop_nulls().to_list() for name in ("depth_min_m", "depth_max_m"))
    return f"Depths from {min(lows):g} to {max(highs):g} m" if lows and highs else "Images taken above the water"


def _methods(dataset: ET.Element) -> None:
    steps = (
        "Plankton was imaged; the instrument of each event is its samplingProtocol. One occurrence is one taxon of one "
        "sampling event: several images of one individual count once, and individualCount is what was imaged.",
        "organismQuantity is the count times the subsample factor; abundance is that divided by the sampled volume, "
        "and is given only where the event has one volume. identificationVerificationStatus tells what people have "
        "validated (ValidatedByHuman) from what a model predicted (PredictedByMachine); the model is named in "
        "identificationReferences.",
    )
    methods = ET.SubElement(dataset, "methods")
    for text in steps:
        _put(ET.SubElement(ET.SubElement(methods, "methodStep"), "description"), "para", text)


def _project(dataset: ET.Element, card: Card) -> None:
    if not card.project and not card.funding:
        return
    project = ET.SubElement(dataset, "project")
    _put(project, "title", card.project or card.title)
    person = _authors(card)[0]
    personnel = ET.SubElement(project, "personnel")
    family, given = split_name(person.name)
    name = ET.SubElement(personnel, "individualName")
    if given:
        _put(name, "givenName", given)
    _put(name, "surName", family)
    _put(personnel, "role", "author")
    if card.funding:
        _put(ET.SubElement(project, "funding"), "para", "; ".join(card.funding))
