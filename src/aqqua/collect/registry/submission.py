"""What the registry keeps of a submission."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from aqqua.collect.form import questions
from aqqua.errors import ConfigError

__all__ = ["MIN_TOKEN", "State", "Submission", "check_step", "hash_of", "new_id", "new_token", "read_id"]

_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no I, L, O, U
MIN_TOKEN = 32
"""Letters of a token: 192 bits."""
_ID = re.compile(rf"AQ-[{_LETTERS}]{{6}}")


class State(StrEnum):
    """How far a submission has come."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    AGREED = "agreed"
    TRANSFERRING = "transferring"
    INGESTED = "ingested"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


_STEPS: Mapping[State, tuple[State, ...]] = {
    State.DRAFT: (State.SUBMITTED,),
    State.SUBMITTED: (State.AGREED, State.WITHDRAWN),
    State.AGREED: (State.TRANSFERRING, State.SUBMITTED, State.WITHDRAWN),
    State.TRANSFERRING: (State.INGESTED, State.AGREED, State.WITHDRAWN),
    State.INGESTED: (State.PUBLISHED, State.TRANSFERRING, State.WITHDRAWN),
    State.PUBLISHED: (State.WITHDRAWN,),
    State.WITHDRAWN: (),
}


@dataclass(frozen=True)
class Submission:
    """One submission.

    Args:
        id: "AQ-" and six letters and digits, to be told by telephone.
        state: how far it has come.
        answers: to the form, as `aqqua.collect.answers` reads them; personal ones are missing after an erasure.
        created_utc: when it was begun.
        changed_utc: when something last happened.
        facts: what is known since: dataset, card, shards, images, checksums …
        erased: whether the personal answers were erased.
        token: of the private link; only known right after it was made, the registry keeps a hash.
    """

    id: str
    state: State
    answers: Mapping[str, Any]
    created_utc: datetime
    changed_utc: datetime
    facts: Mapping[str, Any] = field(default_factory=dict)
    erased: bool = False
    token: str | None = field(default=None, repr=False)

    @property
    def title(self) -> str:
        """The title, or what stands for it."""
        return str(self.answers.get("title") or "(no title yet)")

    def public(self) -> dict[str, Any]:
        """The answers that are about no person."""
        return {name: value for name, value in self.answers.items() if not questions()[name].personal}


def check_step(now: State, to: State) -> None:
    """Refuse a step that cannot follow.

    Raises:
        ConfigError: it cannot; the message says which can.
    """
    if to not in _STEPS[now]:
        can = " or ".join(_STEPS[now]) or "nothing"
        raise ConfigError(f"a submission that is {now} cannot become {to}", do=f"from {now} it can become {can}")


def new_id() -> str:
    """A new id; a billion of them are possible."""
    return "AQ-" + "".join(secrets.choice(_LETTERS) for _ in range(6))


def read_id(text: str) -> str:
    """An id as a person writes it.

    Raises:
        ConfigError: this is none.
    """
    plain = text.strip().upper().replace(" ", "")
    body = plain.removeprefix("AQ").lstrip("-").translate(str.maketrans("OIL", "011"))
    if not _ID.fullmatch(f"AQ-{body}"):
        raise ConfigError(f"{text!r} is no submission id", do="write it as AQ-7K2M9P")
    return f"AQ-{body}"


def new_token() -> str:
    """192 bits nobody guesses, for a private link."""
    return secrets.token_urlsafe(24)


def hash_of(token: str) -> str:
    """What the registry keeps of a token; a plain hash is enough for 192 random bits."""
    return hashlib.sha256(token.encode()).hexdigest()
