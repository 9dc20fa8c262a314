"""One change of rights over many projects: read, write, read again; note before and after; go on after a failure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aqqua.errors import AqquaError, RemoteError
from aqqua.progress import track
from aqqua.sources.ecotaxa_api import acl
from aqqua.sources.ecotaxa_api.client import EcotaxaClient
from aqqua.sources.ecotaxa_api.journal import Writer, new_path
from aqqua.sources.ecotaxa_api.models import Member, Right

__all__ = ["Aim", "ChooseContact", "Outcome", "Raw", "RightsReport", "StaysError", "Work"]

Raw = dict[str, Any]
TRIES = 3
ChooseContact = Callable[[Raw], Mapping[str, Any] | None]
"""Gets a project without a usable contact, returns one of its managers, or None to leave the project as it is."""


@dataclass(frozen=True)
class Outcome:
    """What happened to one project, or would.

    Args:
        state: "change" (would), "changed", "as is" (nothing to do), "left" (must not), "failed".
        was: the user's right before; None for none.
        becomes: the right after.
        note: why, in words.
        members: how many managers, annotators and viewers there were.
    """

    projid: int
    title: str
    state: str
    was: Right | None = None
    becomes: Right | None = None
    note: str = ""
    members: tuple[int, int, int] = (0, 0, 0)


@dataclass
class RightsReport:
    """What happened to all projects.

    Args:
        member: whose right it is about.
        applied: False for a look only.
        journal: what `undo` needs; None if nothing was changed.
    """

    member: Member
    applied: bool
    outcomes: list[Outcome] = field(default_factory=list)
    journal: Path | None = None

    def of(self, *states: str) -> list[Outcome]:
        """The projects in one of these states."""
        return [outcome for outcome in self.outcomes if outcome.state in states]

    @property
    def failed(self) -> list[Outcome]:
        """Projects that could not be changed, or read."""
        return self.of("failed")


class StaysError(Exception):
    """A project that must stay as it is."""

    def __init__(self, state: str, note: str) -> None:
        super().__init__(note)
        self.state, self.note = state, note


Aim = Callable[[Raw], Right | None]
"""Says from a project as it is now which right the user shall have; raises StaysError where it must stay."""


@dataclass
class Work:
    """One change of rights, at work."""

    client: EcotaxaClient
    member: Member
    aim: Aim
    apply: bool
    what: str
    choose_contact: ChooseContact | None
    writer: Writer | None = None

    def over(self, projids: Sequence[int], journal: Path | None) -> RightsReport:
        """Go through the projects, with a journal if anything may change."""
        if not self.apply:
            return RightsReport(self.member, applied=False, outcomes=self.all(projids, "Reading rights"))
        person = self.member.model_dump(include={"id", "name", "email", "organisation"})
        with Writer(journal or new_path(), self.client.server, person, self.what) as self.writer:
            outcomes = self.all(projids, "Changing rights")
        path = self.writer.path if self.writer.projects else None
        return RightsReport(self.member, applied=True, outcomes=outcomes, journal=path)

    def all(self, projids: Sequence[int], what: str) -> list[Outcome]:
        """One after the other; only a login that ends stops it."""
        outcomes: list[Outcome] = []
        ended: AqquaError | None = None
        for projid in track(projids, what, unit="projects"):
            if ended is None:
                outcome, ended = self.one(projid)
            else:
                outcome = Outcome(projid, "", "failed", note="not tried: the login has expired")
            outcomes.append(outcome)
        return outcomes

    def one(self, projid: int) -> tuple[Outcome, AqquaError | None]:
        """One project; the second is the error after which no other can succeed."""
        raw: Raw = {}
        try:
            raw = self.client.project_json(projid, for_managing=True)
            return self.changed(projid, raw) if self.apply else self.planned(projid, raw), None
        except StaysError as refused:
            was = acl.right_in(raw, self.member.id)
            return _outcome(raw, projid, refused.state, was, was, refused.note), None
        except AqquaError as error:
            was = acl.right_in(raw, self.member.id)
            note = f"{error.what}{f' → {error.do}' if error.do else ''}"
            expired = isinstance(error, RemoteError) and error.status == 401
            return _outcome(raw, projid, "failed", was, was, note), error if expired else None

    def planned(self, projid: int, raw: Raw) -> Outcome:
        """What would happen."""
        becomes = self.aim(raw)
        problem = acl.contact_problem(raw)
        if problem and self.choose_contact is None:
            raise StaysError("failed", f"{problem}: name one of its managers with --contact")
        was = acl.right_in(raw, self.member.id)
        return _outcome(raw, projid, "change", was, becomes, f"{problem}: it will get one" if problem else "")

    def changed(self, projid: int, raw: Raw) -> Outcome:
        """Write, and see what became of it; if no answer came, look whether it was done before trying again."""
        assert self.writer is not None
        for attempt in range(TRIES):
            self.aim(raw)
            raw, contact = self._with_usable_contact(projid, raw)
            becomes = self.aim(raw)
            wanted = acl.with_right(contact or raw, self.member.model_dump(), becomes)
            self.writer.before(projid, raw)
            doubt = self._put(projid, wanted)
            found = self._again(projid)
            if doubt is None or acl.right_in(found, self.member.id) is becomes:
                self.writer.after(projid, found)
                return self._verified(projid, raw, wanted, found, becomes)
            if attempt + 1 == TRIES:
                raise doubt
            self.client.wire.manners.pause(attempt)
            raw = found
        raise AssertionError  # the last try returns or raises

    def _put(self, projid: int, wanted: Raw) -> RemoteError | None:
        """Write; returns the error if it is not sure whether it was done."""
        try:
            self.client.put_project(projid, wanted)
        except RemoteError as error:
            if error.status in {None, 502, 503, 504}:
                return error
            raise
        return None

    def _again(self, projid: int) -> Raw:
        try:
            return self.client.project_json(projid, for_managing=True)
        except RemoteError as error:
            what = f"it was written, but could not be read again: {error.what}"
            raise RemoteError(what, where=error.where, do="look at it in EcoTaxa", status=error.status) from error

    def _with_usable_contact(self, projid: int, raw: Raw) -> tuple[Raw, Raw | None]:
        """The project as it is, and with another contact if it needs one; read again, as a choice may take a while."""
        problem = acl.contact_problem(raw)
        if problem is None:
            return raw, None
        contact = self.choose_contact(raw) if self.choose_contact else None
        if contact is None:
            raise StaysError("failed", f"{problem}: name one of its managers with --contact")
        now = self.client.project_json(projid, for_managing=True)
        return now, acl.with_contact(now, contact)

    def _verified(self, projid: int, raw: Raw, wanted: Raw, found: Raw, becomes: Right | None) -> Outcome:
        was = acl.right_in(raw, self.member.id)
        if other := acl.differences(wanted, found):
            note = f"written, but differs from what was sent in: {', '.join(other)}"
            return _outcome(raw, projid, "failed", was, acl.right_in(found, self.member.id), note)
        return _outcome(raw, projid, "changed", was, becomes, "")


def _outcome(raw: Raw, projid: int, state: str, was: Right | None, becomes: Right | None, note: str) -> Outcome:
    members = (len(raw.get("managers") or ()), len(raw.get("annotators") or ()), len(raw.get("viewers") or ()))
    return Outcome(projid, raw.get("title", ""), state, was, becomes, note, members)
