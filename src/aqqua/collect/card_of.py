"""The card of a dataset, from the submission it came by: terms, consents, and only people who agreed to be named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aqqua.collect.registry import Submission
from aqqua.metadata.card import Card, Person

__all__ = ["card_of"]


def card_of(submission: Submission) -> Card:
    """The card a submission stands for.

    The contact's address is not on it: it stays in the registry, to which the submission's id leads.

    Args:
        submission: at any state; after an erasure it names nobody.
    """
    said = submission.answers
    instrument = said.get("instrument_other") if said.get("instrument") == "other" else said.get("instrument")
    return Card(
        title=str(said.get("title", "")),
        abstract=str(said.get("abstract", "")),
        instruments=(str(instrument),) if instrument else (),
        habitat=_habitat(said),
        licence=str(said.get("licence", "unknown")),
        license_allows_training=said.get("training"),
        consent_global_interpolation=said.get("global_interpolation"),
        people=tuple(_person(entry) for entry in said.get("people", ())),
        institution=str(said.get("institution", "")),
        funding=(str(said["funding"]),) if said.get("funding") else (),
        acknowledgement=str(said.get("acknowledgement", "")),
        publish=str(said.get("publish", "")),
        publish_on=str(said.get("publish_on", "")),
        publish_licence=str(said.get("publish_licence", "")),
        submission=submission.id,
        source=str(said.get("address", "")),
    )


def _person(entry: Mapping[str, Any]) -> Person:
    return Person(**{**entry, "roles": tuple(entry.get("roles", ()))})


def _habitat(said: Mapping[str, Any]) -> str:
    """Water the positions lie in; of a culture that is not known, so nothing is claimed."""
    habitat = str(said.get("habitat", ""))
    return "" if habitat == "culture" else habitat
