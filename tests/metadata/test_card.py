"""Cards: read, written, and answered with the nearest key where there is a slip."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqqua.errors import ConfigError, NotFoundError, UnknownNameError
from aqqua.metadata.card import CREDIT_ROLES, LICENCES, Card, Person

FULL = """
title: Plankton of the Straits of Florida
abstract: Shadowgraph images
version: "1.2"
instrument: ISIIS
license: CC-BY-4.0
licence_allows_training: true
people:
  - name: Jane Doe
    orcid: https://orcid.org/0000-0002-1825-0097
    affiliation: Institute
    roles: [data curation, Writing - original draft]
  - John Doe
consent_global_interpolation: false
related: [{doi: 10.7289/V5D21VJD, relation: IsDerivedFrom}]
defaults:
  pixel_um: 68
  time_utc: 2014-05-28
overrides: {latitude: 25.5}
table: tables/stations.csv
"""


def test_a_full_card(tmp_path: Path) -> None:
    path = tmp_path / "card.yaml"
    path.write_text(FULL, encoding="utf-8")
    card = Card.load(path)
    assert card.instruments == ("ISIIS",)
    assert card.licence == "CC-BY-4.0"
    assert card.license_allows_training is True
    assert card.consent_global_interpolation is False
    assert [person.name for person in card.people] == ["Jane Doe", "John Doe"]
    assert card.people[0].orcid == "0000-0002-1825-0097"
    assert card.people[0].roles == ("Data curation", "Writing – original draft")
    assert card.defaults == {"pixel_um": 68, "time_utc": date(2014, 5, 28)}
    assert card.overrides == {"latitude": 25.5}
    assert card.table == tmp_path / "tables" / "stations.csv"


def test_save_and_load_give_the_same(tmp_path: Path) -> None:
    path = tmp_path / "card.yaml"
    card = Card.parse(FULL, where=path)
    card.save(path)
    assert Card.load(path) == card
    Card().save(path)
    assert Card.load(path) == Card()


TEXT = (
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=20)
    .map(str.strip)
    .filter(bool)
)


@given(
    title=TEXT,
    abstract=TEXT,
    licence=st.sampled_from(LICENCES),
    consent=st.sampled_from([True, False, None]),
    people=st.lists(
        st.builds(Person, name=TEXT, roles=st.lists(st.sampled_from(CREDIT_ROLES), max_size=2).map(tuple)), max_size=3
    ),
    defaults=st.dictionaries(st.sampled_from(["latitude", "pixel_um"]), st.floats(0.1, 80)),
)
def test_any_card_survives_its_text(
    title: str, abstract: str, licence: str, consent: bool | None, people: list[Person], defaults: dict[str, float]
) -> None:
    card = Card(
        title=title,
        abstract=abstract,
        licence=licence,
        consent_global_interpolation=consent,
        people=tuple(people),
        defaults=defaults,
    )
    assert Card.parse(card.dump()) == card


def test_an_empty_file_is_an_empty_card() -> None:
    assert Card.parse("") == Card()
    assert Card().licence == "unknown"
    assert Card().consent_global_interpolation is None


def test_numbers_in_texts_stay_texts() -> None:
    assert Card.parse("version: 2\ntitle: 2014").version == "2"


@pytest.mark.parametrize(
    ("text", "error", "told"),
    [
        ("titel: x", UnknownNameError, "title"),
        ("licence: CC-BY-4", UnknownNameError, "CC-BY-4.0"),
        ("licence: MITT", UnknownNameError, "MIT"),
        ("people: [{name: A, rolls: [x]}]", UnknownNameError, "roles"),
        ("people: [{name: A, roles: [Curation]}]", UnknownNameError, "Data curation"),
        ("people: [{orcid: 0000-0002-1825-0097}]", ConfigError, "no name"),
        ("people: [{name: A, orcid: 0000-0002-1825-0098}]", ConfigError, "check digit"),
        ("people: [{name: A, orcid: 1234}]", ConfigError, "not an ORCID"),
        ("people: Jane", ConfigError, "list"),
        ("related: [x]", ConfigError, "related"),
        ("title: [a, b]", ConfigError, "one line"),
        ("defaults: 5", ConfigError, "field: value"),
        ("defaults: {latitude: [1, 2]}", ConfigError, "defaults.latitude"),
        ("consent_global_interpolation: maybe", ConfigError, "true, false"),
        ("- a\n- b", ConfigError, "name: value"),
        ("title: 'x", ConfigError, "YAML"),
        ("title: !!python/object/apply:os.system [ls]", ConfigError, "YAML"),
    ],
)
def test_bad_cards_say_where_and_what_to_do(text: str, error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told) as caught:
        Card.parse(text, where="folder/card.yaml")
    assert "folder/card.yaml" in str(caught.value)


def test_orcid_with_x() -> None:
    assert Person("A", orcid="0000-0002-1694-233X").orcid == "0000-0002-1694-233X"


def test_no_card(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no such card"):
        Card.load(tmp_path / "card.yaml")
    with pytest.raises(NotFoundError):
        Card.load(tmp_path)
