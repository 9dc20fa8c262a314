"""The card of a submission: its terms word for word, and nobody who did not agree to be named."""

from __future__ import annotations

from pathlib import Path

from aqqua.collect.card_of import card_of
from aqqua.collect.registry import Registry
from aqqua.metadata.card import Card
from tests.make.submissions import whole_answers


def test_terms_and_people(tmp_path: Path) -> None:
    registry = Registry.open(tmp_path / "r.sqlite")
    made = registry.submit(whole_answers(global_interpolation="no", funding="ESF 123"))
    card = card_of(made)
    assert (card.licence, card.license_allows_training, card.consent_global_interpolation) == ("CC-BY-4.0", True, False)
    assert (card.publish, card.publish_on, card.publish_licence) == ("on", "2097-07-15", "CC-BY-NC-4.0")
    assert [(one.name, one.author) for one in card.people] == [("Ada Larsen", True), ("Jo Adeyemi", False)]
    assert card.submission == made.id
    assert "@" not in card.dump()
    card.save(tmp_path / "card.yaml")
    assert Card.load(tmp_path / "card.yaml") == card
    assert card_of(registry.erase(made.id, by="curator")).people == ()
    registry.close()


def test_another_instrument_and_a_culture(tmp_path: Path) -> None:
    registry = Registry.open(tmp_path / "r.sqlite")
    written = whole_answers(
        instrument="other",
        instrument_other="In-house shadowgraph",
        habitat="culture",
        culture_place="54.3 N 10.1 E",
        culture_time="2019-05-14",
    )
    card = card_of(registry.submit(written))
    assert card.instruments == ("In-house shadowgraph",)
    assert card.habitat == ""
    registry.close()
