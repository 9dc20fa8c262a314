"""Answers of the sharing form: read with patience, refused in plain words."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqqua.collect.answers import MAX_PEOPLE, read_answers
from aqqua.collect.form import form, questions
from tests.make.submissions import whole_answers

TODAY = date(2026, 11, 23)


def grave(written: dict[str, Any]) -> dict[str, str]:
    return {one.name: one.message for one in read_answers(written, today=TODAY).problems if one.grave}


def test_a_whole_form_has_no_problem() -> None:
    read = read_answers(whole_answers(), today=TODAY)
    assert read.problems == []
    assert read.whole
    assert read.answers["images"] == 1_200_000
    assert read.answers["people"][0]["roles"] == ["Investigation", "Data curation"]


def test_an_empty_form_names_every_question_that_needs_an_answer() -> None:
    named = grave({})
    assert set(named) == {name for name, one in questions().items() if one.need == "always"}
    assert named["licence"] == "Licence: please answer this"


def test_what_one_answer_asks_for_is_needed_only_with_it() -> None:
    written = whole_answers() | {"habitat": "culture"}
    assert set(grave(written)) == {"culture_place", "culture_time"}
    written |= {"culture_place": "54.3 N 10.1 E", "culture_time": "2019-05-14"}
    assert grave(written) == {}
    assert "culture_place" not in read_answers(written | {"habitat": "marine"}, today=TODAY).answers


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("contact_email", "ada at institute", "is no e-mail address"),
        ("contact_email", "ada@institute.example\nBcc: all@institute.example", "one line only"),
        ("images", "many", "is no number"),
        ("size_gb", "-4", "more than nothing"),
        ("instrument", "Camera", "is none of"),
        ("publish_on", "2020-01-01", "is past"),
        ("publish_on", "soon", "is no date"),
        ("licence_rights", "no", "whoever holds the rights"),
        ("privacy", False, "nothing was stored"),
        ("training", "perhaps", "yes or no"),
        ("address", "https://me:word@cloud.example.org/s/1", "holds a login"),
        ("people", [{"orcid": "0000-0002-1825-0097"}], "person 1 has no name"),
        ("people", [{"name": "A", "orcid": "0000-0002-1825-0098"}], "person 1: the ORCID"),
        ("people", [{"name": "A", "roles": ["Captain"]}], "Conceptualization"),
        ("people", [{"name": "A"}] * (MAX_PEOPLE + 1), "at most"),
        ("title", "x" * 500, "at most 400 letters"),
        ("institution_ror", "javascript:alert(1)", "is no address"),
        ("area", "Baltic", "four numbers"),
        ("area", "55, 9, 53, 15", "north of north"),
        ("area", [1, 2, 3, "x"], "four numbers"),
    ],
)
def test_what_is_wrong_is_told_in_plain_words(name: str, value: Any, told: str) -> None:
    assert told in grave(whole_answers() | {name: value})[name]


@pytest.mark.parametrize(
    ("name", "written", "read"),
    [
        ("images", "1,200,000", 1_200_000),
        ("images", "1 200 000 images", 1_200_000),
        ("size_gb", "0,5 GB", 0.5),
        ("institution_ror", "02h2x0161", "https://ror.org/02h2x0161"),
        ("training", "Yes", True),
        ("publish", True, "on"),  # what YAML makes of a bare `on`
        ("formats", "ifcb, png", ["ifcb", "png"]),
        ("habitat", "sea", "marine"),
        ("area", "53.5, 9, 55, -15", [53.5, 9.0, 55.0, -15.0]),
    ],
)
def test_answers_are_read_as_people_write_them(name: str, written: Any, read: Any) -> None:
    assert read_answers(whole_answers() | {name: written}, today=TODAY).answers[name] == read


def test_blanks_are_no_answer() -> None:
    assert grave(whole_answers(contact_name="  ", formats=[" "])).keys() == {"contact_name", "formats"}


def test_missing_metadata_is_advice_not_refusal() -> None:
    read = read_answers(whole_answers() | {"has_depth": "none"}, today=TODAY)
    assert read.whole
    assert "depth or altitude" in read.problems[0].message


def test_no_consent_is_ticked_beforehand() -> None:
    assert [one.name for one in questions().values() if one.kind == "agree" and one.default] == []
    assert "global_interpolation" in questions()
    assert all(one.help for one in questions().values())
    assert all(section.doc for section in form())


@given(
    st.dictionaries(
        st.sampled_from([*questions(), "other"]),
        st.none()
        | st.booleans()
        | st.text()
        | st.floats()
        | st.lists(st.text() | st.dictionaries(st.sampled_from(["name", "orcid", "roles", "x"]), st.text())),
    )
)
def test_whatever_comes_is_read_or_told(written: dict[str, Any]) -> None:
    read = read_answers(written, today=TODAY)
    json.dumps(read.answers, allow_nan=False)
    assert read_answers(read.answers, today=TODAY).answers == read.answers
