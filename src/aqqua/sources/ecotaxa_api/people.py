"""Find an account by name or e-mail address; EcoTaxa looks at names only, so addresses are searched by likely names."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator

from aqqua.errors import ConfigError, UnknownNameError
from aqqua.sources.ecotaxa_api.client import EcotaxaClient
from aqqua.sources.ecotaxa_api.models import Member

__all__ = ["AQQUA", "find_user"]

AQQUA = "aqqua@geomar.de"
"""The account to which owners give the right to view, so that their images can be learned from."""


def find_user(client: EcotaxaClient, who: str, *, name: str | None = None, known: Iterable[Member] = ()) -> Member:
    """The account of a person.

    Args:
        client: where to ask.
        who: e-mail address, or name as EcoTaxa shows it.
        name: the name, or a part of it, if the address does not tell it.
        known: people to look among where the search finds nobody, such as members of one's own projects.

    Raises:
        UnknownNameError: no active account has this name.
        ConfigError: several have it, or none has this address.
    """
    if "@" not in who:
        found = _unique(member for text in (name or who,) for member in client.search_users(f"%{text}%"))
        exact = [member for member in found if member.name.casefold() == who.casefold()]
        return _only(exact or found, who, [member.name for member in found])
    likely = (member for pattern in _patterns(who, name) for member in client.search_users(pattern))
    for member in itertools.chain(likely, known):
        if member.email.casefold() == who.casefold():
            return member
    do = "EcoTaxa finds accounts by name only: say the name with --name; the account must be active"
    raise ConfigError(f"no EcoTaxa account with the address {who} was found", where=client.server, do=do)


def _patterns(address: str, name: str | None) -> Iterator[str]:
    """What the name behind an address may contain."""
    if name:
        yield f"%{name}%"
        return
    local, _, domain = address.partition("@")
    parts = [part for part in re.split(r"[._+\-\d]+", local) if len(part) > 2]
    yield from dict.fromkeys(f"%{part}%" for part in (local, *parts, domain.partition(".")[0]))


def _unique(members: Iterable[Member]) -> list[Member]:
    return list({member.id: member for member in members}.values())


def _only(members: list[Member], who: str, names: list[str]) -> Member:
    if not members:
        raise UnknownNameError("active EcoTaxa account", who, names)
    if len(members) > 1:
        several = ", ".join(f"{member.name} <{member.email}>" for member in members)
        raise ConfigError(f"several accounts are called like {who!r}: {several}", do="say the e-mail address")
    return members[0]
