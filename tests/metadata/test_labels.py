"""Labels of tables and class folders."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from aqqua.metadata.labels import LABEL_SCHEMA, read_labels
from aqqua.metadata.qualifiers import QUALIFIERS
from tests.metadata.rows import good, raw_table


def test_ecotaxa_labels_without_persons() -> None:
    row = good(
        object_annotation_category="Oncaeidae",
        object_annotation_category_id="78418",
        object_annotation_status="validated",
        object_annotation_person_name="Somebody",
        object_annotation_person_email="somebody@example.org",
        object_annotation_date="20151111",
        object_annotation_time="153100",
        object_annotation_hierarchy="Biota>Animalia>Oncaeidae",
    )
    labels, findings = read_labels(raw_table([good(), row]), source="ecotaxa_export")
    assert dict(labels.schema) == LABEL_SCHEMA
    assert labels.to_dicts() == [
        {
            "_row": 1,
            "label": "Oncaeidae",
            "taxon": "Oncaeidae",
            "aphia_id": 128586,
            "ecotaxa_id": 78418,
            "status": "validated",
            "by": "ecotaxa",
            "time_utc": datetime(2015, 11, 11, 15, 31, tzinfo=UTC),
            "note": "Biota>Animalia>Oncaeidae",
            **dict.fromkeys(QUALIFIERS),
            "taxon_by": "name",
        }
    ]
    assert findings == []
    assert "omebody" not in str(labels.to_dicts())


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("V", "validated"),
        ("predicted", "predicted"),
        ("Dubious", "dubious"),
        ("discarded", "discarded"),
        ("x", "discarded"),
    ],
)
def test_statuses(status: str, expected: str) -> None:
    row = good(object_annotation_category="Copepoda", object_annotation_status=status)
    labels, _ = read_labels(raw_table([row]), source="ecotaxa_export")
    assert labels["status"].to_list() == [expected]


def test_without_status_ecotaxa_s_objects_are_unclassified() -> None:
    rows = [
        good(object_annotation_category="Copepoda", object_annotation_status=status) for status in ("", "noid", "V")
    ]
    labels, findings = read_labels(raw_table(rows), source="ecotaxa_export")
    assert labels["_row"].to_list() == [2]
    assert [(finding.code, finding.count) for finding in findings] == [("category_without_status", 2)]


def test_a_table_without_status_column_is_no_word_of_an_expert() -> None:
    labels, _ = read_labels(raw_table([good(object_annotation_category="Copepoda")]), source="ecotaxa_export")
    assert labels["status"].to_list() == ["predicted"]


def test_class_folders_are_the_owner_s_word() -> None:
    labels, findings = read_labels(
        raw_table([{"label": "copepod_calanoid_eggs"}, {"label": "unknown_sticks"}]), source="folder"
    )
    assert labels["status"].to_list() == ["validated", "validated"]
    assert labels["by"].to_list() == ["source", "source"]
    assert labels["taxon"].to_list() == ["Calanoida", None]
    assert labels["label"].to_list() == ["copepod_calanoid_eggs", "unknown_sticks"]
    assert [(finding.code, finding.count) for finding in findings] == [("label_without_taxon", 1)]


def test_categories_by_id_only() -> None:
    rows = [
        good(object_annotation_category_id=number, object_annotation_status="P") for number in ("45072", "4711", "")
    ]
    labels, _ = read_labels(raw_table(rows), source="ecotaxa_export")
    assert labels["label"].to_list() == ["Cyclopoida", "EcoTaxa taxon 4711"]
    assert labels["aphia_id"].to_list() == [1101, None]
    assert labels["ecotaxa_id"].to_list() == [45072, 4711]


def test_ids_of_the_table_win_over_ours() -> None:
    row = good(
        object_annotation_category="Copepoda",
        object_annotation_category_id="7",
        object_aphiaid="8",
        object_annotation_status="V",
    )
    labels, _ = read_labels(raw_table([row]), source="ecotaxa_export")
    assert (labels["ecotaxa_id"][0], labels["aphia_id"][0], labels["taxon"][0]) == (7, 8, "Copepoda")


def test_no_labels() -> None:
    labels, findings = read_labels(raw_table([good()]), source="ecotaxa_export")
    assert labels.is_empty()
    assert findings == []
    assert dict(labels.schema) == LABEL_SCHEMA


def of_ecotaxa(**cells: str) -> list[tuple[str, str, int]]:
    """Code, place and number of what is found in a table with these cells."""
    _, findings = read_labels(raw_table([good(**cells), good(**cells)]), source="ecotaxa_export")
    return [(finding.code, finding.where, finding.count) for finding in findings]


def test_a_status_without_category_is_told() -> None:
    found = of_ecotaxa(object_annotation_status="predicted", object_annotation_category="")
    assert [(code, count) for code, _, count in found] == [("status_without_category", 2)]
    assert ", line " in found[0][1]
    assert of_ecotaxa(object_annotation_status="noid", object_annotation_category="") == []
    assert of_ecotaxa(object_annotation_status="", object_annotation_category="") == []


def test_categories_of_a_table_that_has_no_status_at_all_are_told() -> None:
    found = of_ecotaxa(object_annotation_category="Oncaeidae")
    assert [(code, count) for code, _, count in found] == [("no_status_column", 2)]


def test_an_id_that_is_another_taxons_is_told() -> None:
    cells = {"object_annotation_status": "validated", "object_annotation_category": "Oncaeidae"}
    found = of_ecotaxa(**cells, object_annotation_category_id="99999999")
    assert [(code, count) for code, _, count in found] == [("taxon_id_differs", 2)]
    assert of_ecotaxa(**cells, object_annotation_category_id="78418") == []
    assert of_ecotaxa(**cells, object_annotation_category_id="") == []
