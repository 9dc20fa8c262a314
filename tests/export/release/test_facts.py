"""What of a card may be published, and names derived from content."""

from __future__ import annotations

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqqua.export.release.facts import given_family, lower_name, public_card, uuid4_of
from aqqua.export.release.terms import terms_of
from aqqua.metadata.card import Card, Person
from tests.make.releases import card

DAY = date(2027, 7, 15)


def published(**said: object) -> Card:
    one = card(**said)
    return public_card(one, terms_of(one, None, DAY), "2")


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("https://ecotaxa.obs-vlfr.fr/prj/1234", True),
        ("https://doi.org/10.5281/zenodo.1", True),
        ("https://www.seanoe.org/data/00446/55741/", True),
        ("EcoTaxa project 1234", True),
        ("https://cloud.example.org/s/aBcDeF123456", False),
        ("https://zenodo.org/records/1?token=secret", False),
        ("https://jane:secret@zenodo.org/records/1", False),
        ("https://notzenodo.org/s/aBcDeF123456", False),
        ("ftp://ftp.institute.example/private/", False),
        ("/home/jane/data", False),
        ("C:\\Users\\jane\\data", False),
    ],
)
def test_only_public_places_are_told(source: str, told: bool) -> None:
    assert published(source=source).source == (source if told else "")


def test_what_is_not_for_the_public_is_not_on_the_card() -> None:
    given_card = card(
        publish="on", publish_on="2027-07-15", defaults={"pixel_um": 68}, units={"esd": "mm"}, checks={"few_images": 3}
    )
    made = public_card(given_card, terms_of(given_card, None, DAY), "2")
    assert "@" not in made.dump()
    assert made.version == "2"
    for name in ("contact", "source", "publish", "publish_on", "publish_licence", "defaults", "units", "checks"):
        assert not getattr(made, name), name
    assert made.people == given_card.people


def test_a_contact_is_named_only_if_an_author() -> None:
    assert published(institution="", contact="Ada Larsen").contact == "Ada Larsen"
    assert published(institution="", contact="Kim Helper").contact == ""
    assert published(institution="", contact="Somebody Else").contact == ""
    assert published(contact="Ada Larsen").contact == ""  # the institution is asked


def test_the_affiliation_of_a_person_holds_no_address() -> None:
    people = (Person("Ada Larsen", affiliation="Institute, ada@institute.example"),)
    assert published(people=people).people[0].affiliation == "Institute, [removed]"


@given(st.text(max_size=40))
def test_names_of_folders_are_safe(text: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*", lower_name(text)) or lower_name(text) == "dataset"
    assert ".." not in (lower_name(text).strip("."), lower_name(text)[:2])


@given(st.text(), st.text())
def test_uuids_are_of_version_4_and_tell_contents_apart(one: str, other: str) -> None:
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", uuid4_of(one))
    assert (uuid4_of(one) == uuid4_of(other)) is (one == other)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("Ada Larsen", ("Ada", "Larsen")),
        ("van Dyk, Jan", ("Jan", "van Dyk")),
        ("Plato", ("", "Plato")),
        ("A. B. Carter", ("A. B.", "Carter")),
    ],
)
def test_given_and_family_names(name: str, parts: tuple[str, str]) -> None:
    assert given_family(name) == parts
