"""Whether a card says enough for its dataset to be published: the same rule for every public export."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

from aqqua.errors import ConfigError
from aqqua.metadata.card import Card, Person
from aqqua.metadata.licences import UNKNOWN, may_enter

__all__ = ["authors_of", "licence_of", "reasons_against", "require_publishable"]


def licence_of(card: Card) -> str:
    """SPDX identifier of the licence a publication is under."""
    return card.publish_licence or card.licence


def authors_of(card: Card) -> list[Person]:
    """The people who agreed to be named as authors, in the order of the card."""
    return [person for person in card.people if person.author]


def reasons_against(card: Card, on: date) -> list[str]:
    """Why a dataset with this card cannot be published on a day, in plain words; empty if it can."""
    reasons = []
    if not card.title.strip():
        reasons.append("it has no title")
    if licence_of(card) == UNKNOWN:
        reasons.append("it has no licence")
    if not authors_of(card):
        reasons.append("it has no author")
    if not card.contact.strip() and not card.submission:  # a submission leads to whom to ask, without an address
        reasons.append("it has no contact")
    if licence_of(card) == UNKNOWN:
        return reasons
    verdict = may_enter(
        card.licence,
        licence_of(card),
        on=on,
        publish=card.publish,
        publish_on=card.publish_on,
        publish_licence=card.publish_licence,
    )
    return reasons if verdict else [*reasons, *verdict.why]


def require_publishable(card: Card, where: Path, on: date | None = None) -> None:
    """Refuse what may not be published.

    Args:
        card: of the dataset.
        where: the dataset, for the message.
        on: the day of the publication; today, if not said.

    Raises:
        ConfigError: with all reasons.
    """
    reasons = reasons_against(card, on or datetime.now(UTC).date())
    if reasons:
        do = "complete title, licence, people (one author) and contact in its card.yaml, and ask the owners"
        raise ConfigError(f"this dataset cannot be published: {'; '.join(reasons)}", where=where, do=do)
