"""Each document of a release against the official validator or schema, and against what the card says."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import warnings
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from aqqua.export.release import ReleaseReport, release
from aqqua.export.release.datacite import contributor_type
from aqqua.export.release.facts import Facts, extent_of, public_card
from aqqua.export.release.ifdo import ifdo
from aqqua.export.release.terms import terms_of
from aqqua.metadata.card import CREDIT_ROLES, Card
from aqqua.metadata.fields import FIELDS
from aqqua.store.dataset import Dataset
from aqqua.store.images import ShardReader
from tests.export.release.conftest import Released
from tests.make.releases import releasable

UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")

# The parts of https://github.com/citation-file-format/citation-file-format/blob/1.2.0/schema.json that we write.
_PERSON = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "family-names": {"type": "string", "minLength": 1},
        "given-names": {"type": "string", "minLength": 1},
        "affiliation": {"type": "string", "minLength": 1},
        "orcid": {"type": "string", "pattern": r"https://orcid\.org/[0-9]{4}-[0-9]{4}-[0-9]{4}-[0-9]{3}[0-9X]{1}"},
    },
}
_ENTITY = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name"],
    "properties": {**_PERSON["properties"], "name": {"type": "string", "minLength": 1}},  # type: ignore[dict-item]
}
CFF: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["authors", "cff-version", "message", "title"],
    "properties": {
        "abstract": {"type": "string", "minLength": 1},
        "authors": {"type": "array", "minItems": 1, "uniqueItems": True, "items": {"anyOf": [_PERSON, _ENTITY]}},
        "cff-version": {"const": "1.2.0"},
        "date-released": {"type": "string", "pattern": r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"},
        "doi": {"type": "string", "pattern": r"^10\.\d{4,9}(\.\d+)?/[A-Za-z0-9:/_;\-\.\(\)\[\]\\]+$"},
        "identifiers": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["type", "value"],
                "properties": {
                    "type": {"enum": ["doi", "url", "swh", "other"]},
                    "value": {"type": "string", "minLength": 1},
                    "description": {"type": "string", "minLength": 1},
                },
            },
        },
        "keywords": {"type": "array", "uniqueItems": True, "items": {"type": "string", "minLength": 1}},
        "license": {"type": "string", "pattern": r"^[A-Za-z0-9.\-]+$"},
        "message": {"type": "string", "minLength": 1},
        "title": {"type": "string", "minLength": 1},
        "type": {"enum": ["dataset", "software"]},
        "version": {"type": "string", "minLength": 1},
    },
}


def records(released: Released, several: tuple[ReleaseReport, list[Dataset]]) -> list[Path]:
    report = several[0]
    assert report.umbrella is not None
    return [released.bag, *report.records, report.umbrella]


def load(path: Path) -> Any:
    return json.loads(path.read_text("utf-8")) if path.suffix == ".json" else yaml.safe_load(path.read_text("utf-8"))


@pytest.fixture(scope="session")
def all_records(released: Released, several: tuple[ReleaseReport, list[Dataset]]) -> list[Path]:
    return records(released, several)


def test_every_record_is_a_valid_bag(all_records: list[Path]) -> None:
    import bagit

    for place in all_records:
        bag = bagit.Bag(str(place))
        assert bag.validate()
        assert bag.info["Bagging-Date"] == "2027-07-15"
        assert bag.info["Source-Organization"]
    names = set(bagit.Bag(str(all_records[0])).entries)
    assert {"data/images/000.lmdb", "data/metadata.parquet", "data/raw.parquet", "datacite.json"} <= names


def test_a_flipped_bit_is_noticed(released: Released, tmp_path: Path) -> None:
    import bagit

    copy = tmp_path / "copy"
    shutil.copytree(released.bag, copy)
    path = copy / "data" / "LICENSE"
    path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:])
    with pytest.raises(bagit.BagError):
        bagit.Bag(str(copy)).validate()


def test_datacite_is_valid_and_says_who(all_records: list[Path]) -> None:
    from datacite import schema45

    for place in all_records:
        schema45.validator.validate(load(place / "datacite.json"))
    record = load(all_records[0] / "datacite.json")
    assert [one["name"] for one in record["creators"]] == ["Larsen, Ada", "Adeyemi, Jo"]
    assert record["creators"][0]["nameIdentifiers"][0]["nameIdentifier"] == "https://orcid.org/0000-0002-1825-0097"
    assert record["creators"][0]["affiliation"][0]["affiliationIdentifier"] == "https://ror.org/02h2x0161"
    told = {(one["name"], one["contributorType"]) for one in record["contributors"]}
    assert {("Larsen, Ada", "DataCollector"), ("Larsen, Ada", "DataCurator"), ("Adeyemi, Jo", "Supervisor")} <= told
    assert record["rightsList"][0]["rightsIdentifier"] == "CC-BY-4.0"
    assert {"relatedIdentifier": "10.1234/paper", "relatedIdentifierType": "DOI", "relationType": "IsDescribedBy"} in (
        record["relatedIdentifiers"]
    )
    assert record["dates"][0] == {"date": "2021-05-01", "dateType": "Collected"}


@pytest.mark.parametrize("role", CREDIT_ROLES)
def test_every_credit_role_has_a_datacite_type(role: str) -> None:
    expected = {"Data curation": "DataCurator", "Investigation": "DataCollector", "Supervision": "Supervisor"}
    assert contributor_type(role) in {
        *expected.values(),
        "ProjectManager",
        "ProjectLeader",
        "Researcher",
    }
    assert role not in expected or contributor_type(role) == expected[role]


@pytest.mark.slow
def test_croissant_is_valid_and_gives_records(all_records: list[Path]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what the validator's own dependencies deprecate
        import mlcroissant

        for place in all_records[:3]:
            data = Dataset.open(place / "data")
            dataset = mlcroissant.Dataset(jsonld=str(place / "croissant.json"))
            assert not dataset.metadata.ctx.issues.errors
            assert not dataset.metadata.ctx.issues.warnings
            names = [one.id for one in dataset.metadata.record_sets]
            rows = [row for name in names for row in dataset.records(name)]
            assert len(rows) == len(data)
            told = [row[f"{name}/object_id"] for name in names for row in dataset.records(name)]
            assert [text.decode() for text in told] == data.metadata(["object_id"])["object_id"].to_list()


def test_ro_crate_is_read(all_records: list[Path]) -> None:
    from rocrate.rocrate import ROCrate

    for place in all_records:
        crate = ROCrate(str(place))
        assert crate.license["@id"].startswith("https://creativecommons.org/licenses/")
        files = {entity.id for entity in crate.get_by_type("File")}
        assert files == {str(path.relative_to(place)) for path in (place / "data").rglob("*") if path.is_file()}
    crate = ROCrate(str(all_records[0]))
    assert [person["name"] for person in crate.root_dataset["author"]] == ["Ada Larsen", "Jo Adeyemi"]
    action = crate.dereference("#release")
    assert action["instrument"]["name"] == "aqqua"
    assert {source["name"] for source in action["object"]} == {"source_0.zip", "source_1.zip"}


def test_ifdo_is_valid(all_records: list[Path]) -> None:
    from ifdo import iFDO

    for place in all_records[:3]:
        told = load(place / "ifdo.yaml")
        data = Dataset.open(place / "data")
        ids = [item["image-uuid"] for item in told["image-set-items"].values()]
        assert len(set(ids)) == len(ids) == len(data)
        assert all(UUID4.fullmatch(one) for one in [*ids, told["image-set-header"]["image-set-uuid"]])
        read = iFDO.load(place / "ifdo.yaml")
        assert read.image_set_header.image_license.name == data.card.licence
        assert read.image_set_header.image_altitude_meters < 0


def test_ifdo_of_many_images_is_its_header(released: Released) -> None:
    data = released.bag / "data"
    dataset = Dataset.open(data)
    terms = terms_of(dataset.card, None, date(2027, 7, 15))
    card = replace(public_card(dataset.card, terms, "1"), coordinates_precision="100 m")
    facts = Facts("x", "y", card, terms, extent_of(dataset.metadata()), len(dataset), ("z", 1))
    assert len(ifdo(facts, data, max_items=26)["image-set-items"]) == 26
    told = ifdo(facts, data, max_items=25)
    assert told["image-set-items"] == {}
    assert told["image-set-header"]["image-coordinate-uncertainty-meters"] == 100


def test_the_hash_of_an_ifdo_item_is_that_of_the_stored_record(released: Released) -> None:
    items = load(released.bag / "ifdo.yaml")["image-set-items"]
    for number, value in ShardReader(released.bag / "data" / "images" / "000.lmdb").visit():
        assert items[f"000.lmdb/{number}"]["image-hash-sha256"] == hashlib.sha256(value).hexdigest()


def test_citation_cff_is_valid(all_records: list[Path]) -> None:
    from jsonschema import Draft7Validator

    for place in all_records:
        Draft7Validator(CFF).validate(load(place / "CITATION.cff"))
    told = load(all_records[0] / "CITATION.cff")
    assert told["license"] == "CC-BY-4.0"
    assert told["authors"][0] == {
        "family-names": "Larsen",
        "given-names": "Ada",
        "affiliation": "Institute of Marine Research",
        "orcid": "https://orcid.org/0000-0002-1825-0097",
    }


def test_the_data_dictionary_explains_every_column(released: Released) -> None:
    schema = load(released.bag / "data" / "fields.json")
    columns = pl.read_parquet_schema(released.bag / "data" / "metadata.parquet")
    assert [field["name"] for field in schema["fields"]] == list(columns)
    kinds = {"string", "integer", "number", "datetime"}
    for field in schema["fields"]:
        assert field["type"] in kinds
        assert field["description"] == FIELDS[field["name"]].doc
    latitude = next(field for field in schema["fields"] if field["name"] == "latitude")
    assert latitude["constraints"] == {"minimum": -90, "maximum": 90, "required": True}
    assert latitude["unit"] == "deg"


def test_readme_and_license(released: Released) -> None:
    readme = (released.bag / "data" / "README.md").read_text("utf-8")
    licence = (released.bag / "data" / "LICENSE").read_text("utf-8")
    assert "Ada Larsen; Jo Adeyemi (2027): IFCB and ZooScan, Example Bay, 2021, version 1." in readme
    assert "`data/images/000.lmdb`" in readme
    assert "We thank Kim Helper." in readme
    assert "`object_annotation_person_email`" in readme
    assert "https://creativecommons.org/licenses/by/4.0/" in licence
    assert "Give credit" in licence


def test_the_card_is_a_card_with_the_release_s_licence(released: Released) -> None:
    card = Card.load(released.bag / "data" / "card.yaml")
    assert card.licence == "CC-BY-4.0"
    assert card.contact == ""
    assert card.source == ""
    assert card.submission == "AQ-7K2M9P"
    assert card.license_allows_training is True


def test_a_reserved_doi_is_told_everywhere(tmp_path: Path) -> None:
    from datacite import schema45
    from jsonschema import Draft7Validator

    dataset = releasable(tmp_path / "bay", (4,))
    place = release([dataset], tmp_path / "out", on="2027-07-15", doi="10.5281/zenodo.123").records[0]
    record = load(place / "datacite.json")
    schema45.validator.validate(record)
    assert record["doi"] == "10.5281/zenodo.123"
    citation = load(place / "CITATION.cff")
    Draft7Validator(CFF).validate(citation)
    assert citation["doi"] == "10.5281/zenodo.123"
    told = "https://doi.org/10.5281/zenodo.123"
    assert load(place / "ifdo.yaml")["image-set-header"]["image-set-handle"] == told
    for name in ("croissant.json", "ro-crate-metadata.json", "data/README.md", "bag-info.txt"):
        assert told in (place / name).read_text("utf-8")


def test_a_title_of_any_kind_breaks_no_document(tmp_path: Path) -> None:
    import bagit
    from datacite import schema45
    from rocrate.rocrate import ROCrate

    title = 'Nasty: "quotes", {braces} | pipes\nInternal-Sender-Identifier: x — <b>émile</b> # \\ %0A'
    dataset = releasable(tmp_path / "b a,y%", (4,), title=title)
    place = release([dataset], tmp_path / "out", on="2027-07-15", version="../1 é").records[0]
    assert place.parent == tmp_path / "out"
    assert bagit.Bag(str(place)).validate()
    schema45.validator.validate(load(place / "datacite.json"))
    assert load(place / "CITATION.cff")["title"] == title
    assert ROCrate(str(place)).name == title
    assert release([dataset], tmp_path / "out", on="2027-07-15", version="../1 é").records == [place]
