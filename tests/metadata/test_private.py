"""What may name people is found, and nothing else."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqqua.metadata.fields import FIELDS
from aqqua.metadata.private import REMOVED, has_address, may_name_people, names_in, without, without_addresses


@pytest.mark.parametrize(
    "column",
    [
        "object_annotation_person_name", "object_annotation_person_email", "scan_operator", "acq_operator",
        "annotator", "chief_scientist", "PI", "sample_pi", "identified_by", "recordedBy_orcid", "contact_phone", "who",
    ],
)  # fmt: skip
def test_columns_that_name_people(column: str) -> None:
    assert may_name_people(column)


@pytest.mark.parametrize(
    "column",
    [
        "object_by",
        "by",
        "bx",
        "object_lat",
        "key",
        "source_path",
        "aqqua_origin",
        "raw:key",
        "pixel",
        "spit",
        "sample_id",
    ],
)
def test_columns_that_do_not(column: str) -> None:
    assert not may_name_people(column)


def test_no_field_of_ours_is_taken_for_a_person() -> None:
    assert not [name for name in FIELDS if may_name_people(name)]


@given(st.emails(), st.text(alphabet="abc ,;\n", max_size=20), st.text(alphabet="xyz ,;\n", max_size=20))
def test_no_address_is_left(address: str, before: str, after: str) -> None:
    local, _, domain = address.partition("@")
    plain = "".join(letter for letter in local if letter.isalnum()) or "a"
    text = f"{before} {plain}@{domain} {after}"
    assert not has_address(without_addresses(text))


@given(st.text(max_size=60).filter(lambda text: "@" not in text))
def test_text_without_an_at_sign_stays_as_it_is(text: str) -> None:
    assert without_addresses(text) == text


def test_tables_lose_addresses_and_names_only() -> None:
    frame = pl.DataFrame({"n": [1, 2], "remark": ["Jane Doe saw it", "ask j.doe@example.org"], "x": ["a@b", None]})
    cleaned = without(frame, ["Jane Doe"])
    assert cleaned["remark"].to_list() == [f"{REMOVED} saw it", f"ask {REMOVED}"]
    assert cleaned.drop("remark").equals(frame.drop("remark"))


def test_only_full_names_are_looked_for_elsewhere() -> None:
    frame = pl.DataFrame({"person": ["Jane Doe", "jd", "1234", "Ana María O'Neil-Ruiz", None, "n/a"], "n": [1] * 6})
    assert names_in(frame) == ["Ana María O'Neil-Ruiz", "Jane Doe"]
    assert names_in(pl.DataFrame()) == []
