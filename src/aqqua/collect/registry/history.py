"""The audit trail: what happened, when, by whom; each entry is chained to the one before, so that a change shows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from aqqua.collect.registry.tables import EVENTS

__all__ = ["Event", "add_event", "events_of", "first_break", "utc_now"]


@dataclass(frozen=True)
class Event:
    """One entry.

    Args:
        time_utc: when.
        by: role or login of who did it; never a contributor's name.
        what: "submitted", "state", "answers", "erased" …
        note: why, in their words.
        details: of the step; never an answer about a person.
        hash: SHA-256 over the entry and the hash of the one before.
    """

    time_utc: str
    by: str
    what: str
    note: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    hash: str = ""


def utc_now() -> str:
    """Now, as it is written down."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def add_event(
    connection: sa.Connection, submission: str, by: str, what: str, *, note: str = "", details: Mapping[str, Any]
) -> None:
    """Write an entry at the end of a submission's history."""
    newest = sa.select(EVENTS.c.hash).where(EVENTS.c.submission == submission).order_by(EVENTS.c.number.desc()).limit(1)
    before = connection.execute(newest).scalar() or submission
    event = Event(utc_now(), by[:100], what, note, json.loads(json.dumps(dict(details), default=str)))
    values = {name: getattr(event, name) for name in ("time_utc", "by", "what", "note", "details")}
    connection.execute(EVENTS.insert().values(submission=submission, **values, hash=_hash(before, event)))


def events_of(connection: sa.Connection, submission: str) -> list[Event]:
    """The history of a submission, from its beginning."""
    rows = connection.execute(sa.select(EVENTS).where(EVENTS.c.submission == submission).order_by(EVENTS.c.number))
    return [Event(row.time_utc, row.by, row.what, row.note, row.details, row.hash) for row in rows]


def first_break(submission: str, events: Sequence[Event]) -> int | None:
    """Position of the first entry that was changed, or after which one is missing; None if the history is whole."""
    before = submission
    for number, event in enumerate(events):
        if event.hash != _hash(before, event):
            return number
        before = event.hash
    return None


def _hash(before: str, event: Event) -> str:
    entry = [before, event.time_utc, event.by, event.what, event.note, event.details]
    return hashlib.sha256(json.dumps(entry, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
