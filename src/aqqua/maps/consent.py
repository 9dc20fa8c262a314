"""The owner's consent to global interpolation: without it nothing of a dataset goes into maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from aqqua.errors import ConfigError

if TYPE_CHECKING:
    from aqqua.metadata.card import Card
    from aqqua.store.dataset import Dataset

__all__ = ["owners_of", "require_consent", "require_consent_of"]


def require_consent(datasets: Sequence[Dataset]) -> None:
    """Refuse datasets whose card does not say `consent_global_interpolation: true`; all of them are named at once.

    Args:
        datasets: what shall go into a map.

    Raises:
        ConfigError: there is no consent for at least one.
    """
    require_consent_of([(str(dataset.path), dataset.card) for dataset in datasets])


def require_consent_of(cards: Sequence[tuple[str, Card]]) -> None:
    """The same for cards and where they are.

    Raises:
        ConfigError: there is no consent for at least one.
    """
    refused = [_refusal(where, card) for where, card in cards if card.consent_global_interpolation is not True]
    if not refused:
        return
    what = "no consent to global interpolation:\n  " + "\n  ".join(refused)
    do = (
        "ask the owners; with their consent write  consent_global_interpolation: true  into card.yaml of the dataset, "
        "else leave the dataset out"
    )
    raise ConfigError(
        what, where=", ".join(where for where, card in cards if not card.consent_global_interpolation), do=do
    )


def owners_of(card: Card) -> str:
    """Who to ask: the people of the card, else its institution; never an address."""
    names = [person.name for person in card.people]
    return ", ".join(names[:5]) + (" and others" if len(names) > 5 else "") if names else card.institution


def _refusal(where: str, card: Card) -> str:
    said = "said no" if card.consent_global_interpolation is False else "not asked yet, or no answer"
    title = f"{card.title!r}" if card.title else where
    return f"{title}, owner {owners_of(card) or 'not named on the card'}: {said}"
