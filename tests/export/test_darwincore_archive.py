"""Cells, numbers and the description of the archive: any text stays one cell, and meta.xml says what the tables are."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import polars as pl
import pytest
import requests
from dwca.read import DwCAReader
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from aqqua.export.darwincore_archive import TABLES, cell, meta_xml, table_text, write_archive, xml_text
from aqqua.export.darwincore_eml import box_of, split_name
from aqqua.export.darwincore_events import cell_id
from aqqua.export.darwincore_occurrences import number_text
from aqqua.export.darwincore_rules import check_tables
from aqqua.export.darwincore_terms import INSTRUMENTS, MEASURES

ANY = st.text(max_size=40)  # lone surrogates too


@given(ANY)
@example("a\tb\r\nc\u2028d\x00e\x85f\x1c")
@example('"quoted", ""twice""')
@example("=1+1")
def test_any_text_is_one_cell(text: str) -> None:
    told = cell(text)
    assert told.splitlines() in ([told], [])
    assert "\t" not in told
    assert told == cell(told)
    told.encode()
    ET.fromstring(f"<a>{xml_text(told).replace('&', '').replace('<', '')}</a>")


@given(st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1))
def test_words_stay_as_they_are(text: str) -> None:
    assert cell(text) == text


def test_an_address_stays_nobodys() -> None:
    assert cell("sorted by ada@institute.example.org, twice") == "sorted by [removed], twice"


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, ""),
        (2.0, "2"),
        (-24.41666666666667, "-24.4166667"),
        (float("nan"), ""),
        (1e-9, "1e-09"),
        (3, "3"),
        (0.0, "0"),
    ],
)
def test_numbers_are_short_and_whole(value: float | None, told: str) -> None:
    assert cell(value) == told


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_what_it_was_to_seven_digits(value: float) -> None:
    assert float(number_text(value)) == pytest.approx(value, rel=1e-6)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(ANY, min_size=1, max_size=6))
def test_rows_come_back_as_many_as_they_were(texts: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    ids = [f"e{number}" for number in range(len(texts))]
    valid = [text.encode("utf-8", "replace").decode() for text in texts]
    events = pl.DataFrame({"eventID": ids, "eventRemarks": valid, "habitat": valid[::-1]})
    empty = {name: pl.DataFrame(schema=dict.fromkeys(TABLES[name], pl.String)) for name in ("occurrence", "emof")}
    path = tmp_path_factory.mktemp("any") / "a.zip"
    write_archive(path, {"event": events, **empty}, b"<eml/>")
    with DwCAReader(str(path)) as archive:
        rows = [row.data for row in archive]
    assert [row["http://rs.tdwg.org/dwc/terms/eventID"] for row in rows] == ids
    assert [row["http://rs.tdwg.org/dwc/terms/eventRemarks"] for row in rows] == list(map(cell, valid))


def test_meta_describes_every_column_of_every_table() -> None:
    root = ET.fromstring(meta_xml())
    space = {"d": "http://rs.tdwg.org/dwc/text/"}
    tables = [root.find("d:core", space), *root.findall("d:extension", space)]
    for entry, (name, columns) in zip(tables, TABLES.items(), strict=True):
        assert entry is not None
        assert entry.findtext("d:files/d:location", None, space) == f"{name}.txt"
        assert [one.get("term") for one in entry.findall("d:field", space)] == list(columns.values())
        header = next(iter(table_text(pl.DataFrame({"eventID": ["a"]}), columns)))
        assert header.rstrip("\n").split("\t") == list(columns)
        assert next(iter(columns)) == "eventID"  # what id and coreid point to


def test_all_terms_have_an_address_of_their_own() -> None:
    for columns in TABLES.values():
        assert len(set(columns.values())) == len(columns)
        assert all(term.startswith("http://") for term in columns.values())


@pytest.mark.network
def test_nerc_knows_every_address() -> None:
    addresses = {one.type_id: one.name for one in MEASURES.values()}
    addresses |= {one.unit_id: one.unit for one in MEASURES.values()}
    addresses |= dict.fromkeys(INSTRUMENTS.values(), "")
    for address, words in addresses.items():
        if address:
            try:
                answer = requests.get(address, timeout=30)
            except requests.RequestException as error:
                pytest.skip(f"NERC cannot be reached: {type(error).__name__}")
            assert answer.status_code == 200, address
            assert not words or "instrument" in words or words in answer.text, (address, words)


@given(st.lists(st.text(max_size=8), min_size=2, max_size=2), st.lists(st.text(max_size=8), min_size=2, max_size=2))
def test_other_names_give_other_identifiers(first: list[str], second: list[str]) -> None:
    try:
        same = cell_id(*first) == cell_id(*second)
    except UnicodeEncodeError:  # lone surrogates cannot be in a dataset
        return
    assert same == (first == second)


def test_names_of_people_are_split() -> None:
    assert split_name("Ada van Larsen") == ("Larsen", "Ada van")
    assert split_name("Larsen, Ada") == ("Larsen", "Ada")
    assert split_name("Plato") == ("Plato", "")


@pytest.mark.parametrize(
    ("longitudes", "box"),
    [
        ([5.0, 7.0], (5.0, 7.0)),
        ([179.0, -179.0], (179.0, -179.0)),
        ([1.0], (1.0, 1.0)),
        ([-10.0, 0.0, 20.0], (-10.0, 20.0)),
    ],
)
def test_the_box_is_the_narrowest(longitudes: list[float], box: tuple[float, float]) -> None:
    assert box_of(pl.Series(longitudes)) == box


def _tables() -> dict[str, pl.DataFrame]:
    place = {"decimalLatitude": [None, 43.0], "decimalLongitude": [None, 5.0]}
    events = {"eventID": ["c", "s"], "parentEventID": [None, "c"], "eventDate": ["2021", "2021"], **place}
    occurrence = {
        "occurrenceID": ["o"], "eventID": ["s"], "scientificName": ["Acartia"], "scientificNameID": ["urn:1"],
        "occurrenceStatus": ["present"], "basisOfRecord": ["MachineObservation"], "individualCount": [1],
    }  # fmt: skip
    emof = {
        "measurementID": ["m"], "eventID": ["s"], "occurrenceID": ["o"],
        "measurementType": ["count"], "measurementValue": ["1"],
    }  # fmt: skip
    return {"event": pl.DataFrame(events), "occurrence": pl.DataFrame(occurrence), "emof": pl.DataFrame(emof)}


def test_a_sound_archive_breaks_no_rule() -> None:
    assert check_tables(_tables()) == []


@pytest.mark.parametrize(
    ("table", "column", "values", "code"),
    [
        ("event", "eventDate", ["2021", ""], "missing_term"),
        ("event", "eventID", ["s", "s"], "same_id"),
        ("event", "parentEventID", ["s", "c"], "no_parent"),
        ("event", "parentEventID", [None, "x"], "no_parent"),
        ("event", "decimalLatitude", [None, 91.0], "no_place"),
        ("occurrence", "eventID", ["x"], "no_event"),
        ("occurrence", "individualCount", [0], "count"),
        ("occurrence", "scientificName", [None], "missing_term"),
        ("emof", "eventID", ["x"], "no_event"),
        ("emof", "eventID", ["c"], "no_occurrence"),
        ("emof", "occurrenceID", ["x"], "no_occurrence"),
        ("occurrence", "scientificNameID", [None], "no_aphia_id"),
    ],
)
def test_every_rule_speaks_when_it_is_broken(table: str, column: str, values: list[object], code: str) -> None:
    tables = _tables()
    tables[table] = tables[table].with_columns(pl.Series(column, values, strict=False))
    assert code in {finding.code for finding in check_tables(tables)}
