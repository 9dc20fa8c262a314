"""`aqqua ecotaxa grant` and `revoke`: give one user a right on many projects, or take it, and undo that.

Nothing is changed unless `apply` is said. Each project is read again just before it is written, everything but the one
right goes back as it was read, and the project is read once more to see that nothing else changed. A project that fails
does not stop the others. What EcoTaxa hides cannot be kept: members whose account is inactive lose their right whenever
a project is written, by whatever program.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from aqqua.errors import ConfigError
from aqqua.sources.ecotaxa_api import acl
from aqqua.sources.ecotaxa_api.client import EcotaxaClient
from aqqua.sources.ecotaxa_api.journal import read_journal
from aqqua.sources.ecotaxa_api.models import Member, Right
from aqqua.sources.ecotaxa_api.people import AQQUA, find_user
from aqqua.sources.ecotaxa_api.rights_work import ChooseContact, Raw, RightsReport, StaysError, Work

__all__ = ["INACTIVE", "contact_chooser", "grant", "revoke", "undo"]

INACTIVE = (
    "EcoTaxa hides members whose account is inactive, and drops them from a project whenever its rights are written: "
    "they would have to be added again should their account come back."
)


def grant(
    client: EcotaxaClient,
    projects: Sequence[int] | None,
    *,
    user: str = AQQUA,
    name: str | None = None,
    right: Right = Right.VIEW,
    apply: bool = False,
    journal: Path | None = None,
    choose_contact: ChooseContact | None = None,
) -> RightsReport:
    """Give a user a right on projects; a higher one stays, and no one is listed twice.

    Args:
        client: where, with the login of a manager.
        projects: ids; None for all that are managed.
        user: e-mail address or name of the account.
        name: name of the account, if the address does not tell it.
        right: view, annotate or manage.
        apply: change; else only look.
        journal: file for what was before; None for a new one in the working folder.
        choose_contact: names a manager for projects that have no usable contact, which EcoTaxa would not take.

    Raises:
        ConfigError: there is no such account, or several.
        RefusedError: the login is missing or has expired.
    """
    member = find_user(client, user, name=name, known=_members(client))

    def aim(raw: Raw) -> Right:
        was = acl.right_in(raw, member.id)
        if was is not None and was.rank >= right.rank:
            raise StaysError("as is", f"has the right to {was.value} already")
        return right

    work = Work(client, member, aim, apply, f"grant {right.value}", choose_contact)
    return work.over(_ids(client, projects), journal)


def revoke(
    client: EcotaxaClient,
    projects: Sequence[int] | None,
    *,
    user: str = AQQUA,
    name: str | None = None,
    right: Right = Right.VIEW,
    apply: bool = False,
    journal: Path | None = None,
    choose_contact: ChooseContact | None = None,
) -> RightsReport:
    """Take a right from a user; another right than the one named stays.

    Args and errors: as of `grant`. Contacts, and the user who asks, keep the right to manage.
    """
    member, me = find_user(client, user, name=name, known=_members(client)), client.me().id

    def aim(raw: Raw) -> None:
        was = acl.right_in(raw, member.id)
        if was is None:
            raise StaysError("as is", "has no right")
        if was is not right:
            raise StaysError("left", f"has the right to {was.value}, not to {right.value}: say --right {was.value}")
        if right is Right.MANAGE and member.id in {me, (raw.get("contact") or {}).get("id")}:
            raise StaysError("left", "contacts, and you yourself, keep the right to manage")

    work = Work(client, member, aim, apply, f"revoke {right.value}", choose_contact)
    return work.over(_ids(client, projects), journal)


def undo(
    client: EcotaxaClient, journal: Path, *, apply: bool = False, choose_contact: ChooseContact | None = None
) -> RightsReport:
    """Give the user of a journal back the right they had before it, project by project.

    Only this one right is restored: what others changed meanwhile stays. A project in which somebody has changed the
    right of this user since is left as it is. A contact that was named stays too: EcoTaxa takes no project without one.

    Args:
        client: where, with the login of a manager.
        journal: written by `grant`, `revoke` or `undo`.
        apply: change; else only look.
        choose_contact: as of `grant`.

    Raises:
        ConfigError: the journal is about another server.
    """
    past = read_journal(journal)
    if past.server != client.server:
        what = f"this journal is about {past.server}"
        raise ConfigError(what, where=journal, do=f"say --server {past.server}")
    member = Member.model_validate(past.member)
    before = {entry.projid: acl.right_in(entry.before, member.id) for entry in past.entries}
    after = {entry.projid: acl.right_in(entry.after, member.id) for entry in past.entries if entry.after}

    def aim(raw: Raw) -> Right | None:
        projid, now = raw["projid"], acl.right_in(raw, member.id)
        if now is before[projid]:
            raise StaysError("as is", "is as before")
        if projid in after and now is not after[projid]:
            raise StaysError("left", "somebody has changed this right since")
        return before[projid]

    work = Work(client, member, aim, apply, f"undo {journal.name}", choose_contact)
    return work.over(list(before), None)


def contact_chooser(client: EcotaxaClient, contact: str) -> ChooseContact:
    """Names the manager with this e-mail address as contact, or the user who is logged in ("me")."""
    me = client.me().id if contact == "me" else None

    def choose(raw: Raw) -> Mapping[str, Any] | None:
        hits = (
            manager
            for manager in raw.get("managers") or ()
            if manager["id"] == me or str(manager.get("email", "")).casefold() == contact.casefold()
        )
        return next(hits, None)

    return choose


def _members(client: EcotaxaClient) -> Iterator[Member]:
    """Everybody on the projects the user manages."""
    for project in client.projects(managing=True):
        for right in Right:
            yield from project.members(right)


def _ids(client: EcotaxaClient, projects: Sequence[int] | None) -> list[int]:
    if projects is not None:
        return list(projects)
    return [project.projid for project in client.projects(managing=True)]
