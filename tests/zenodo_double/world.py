"""What the double knows: depositions, their files, and what shall go wrong next."""

from __future__ import annotations

import hashlib
import re
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Deposition", "Fault", "Refusal", "World"]

TOKEN = "t0ken-of-a-test"
LICENCES = {"cc-by-4.0", "cc-by-nc-4.0", "cc-by-sa-4.0", "cc0-1.0", "odbl-1.0"}
_REQUIRED = ("upload_type", "title", "creators", "description")


class Refusal(Exception):
    """An answer of the 400 series, as "Errors" of the documentation has it."""

    def __init__(self, status: int, message: str, errors: list[dict[str, Any]] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {"status": status, "message": message} | ({"errors": errors} if errors else {})


@dataclass
class Fault:
    """What goes wrong with the next requests that match.

    Args:
        on: regular expression for "METHOD /path".
        kind: "status", "cut" (the line breaks in the middle of the body), "lost" (done, but the answer is lost),
            "corrupt" (a byte changes on the way).
        status: for "status".
        headers: of that answer.
        times: how often.
    """

    on: str
    kind: str = "status"
    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    times: int = 1


@dataclass
class Deposition:
    """A draft, or a published record."""

    number: int
    concept: int
    files: dict[str, bytes] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    submitted: bool = False
    draft_of_next: int | None = None


class World:
    """Everything on the server.

    Args:
        token: that is valid; None once it has expired.
        room: bytes that a record may hold.
    """

    def __init__(self, token: str | None = TOKEN, room: int = 50_000_000_000) -> None:
        self.token, self.room = token, room
        self.depositions: dict[int, Deposition] = {}
        self.faults: list[Fault] = []
        self.asked: list[str] = []
        self.uploads: list[str] = []
        self.published_by_api = 0
        self._next = 1000

    def fault(self, method: str, path: str) -> Fault | None:
        """The fault that strikes this request, used up by it."""
        for fault in self.faults:
            if fault.times > 0 and re.search(fault.on, f"{method} {path}"):
                fault.times -= 1
                return fault
        return None

    def create(self) -> Deposition:
        """A new, empty draft."""
        self._next += 2
        made = Deposition(self._next + 1, self._next)
        self.depositions[made.number] = made
        return made

    def get(self, number: int) -> Deposition:
        """A deposition by its number."""
        if number not in self.depositions:
            raise Refusal(404, "Deposition not found")
        return self.depositions[number]

    def describe(self, one: Deposition, metadata: dict[str, Any]) -> None:
        """Write metadata, and say what is wrong with them."""
        if one.submitted:
            raise Refusal(403, "Deposition is published")
        errors: list[dict[str, Any]] = [
            {"field": name, "message": "Missing data for required field."}
            for name in _REQUIRED
            if not metadata.get(name)
        ]
        if metadata.get("license", "cc0-1.0") not in LICENCES:
            errors.append({"field": "license", "code": 10, "message": "Not a valid choice"})
        if errors:
            raise Refusal(400, "Validation error", errors)
        one.metadata = metadata

    def store(self, bucket: str, key: str, content: bytes) -> None:
        """A file into its bucket; one of the same name is replaced."""
        one = self.get(int(bucket.removeprefix("b-")))
        if one.submitted:
            raise Refusal(403, "Bucket is locked for modifications.")
        if "/" in key or len(one.files.keys() | {key}) > 100:  # the documentation names the limit of 100 files only
            raise Refusal(400, "Not a valid key, or too many files")
        others = sum(len(data) for name, data in one.files.items() if name != key)
        if others + len(content) > self.room:
            raise Refusal(413, "The data value transmitted exceeds the capacity limit.")
        one.files[key] = content
        self.uploads.append(key)

    def new_version(self, one: Deposition) -> Deposition:
        """The draft of the next version; asking again gives the same one."""
        if not one.submitted:
            raise Refusal(403, "Only published depositions have new versions")
        if one.number != max(d.number for d in self.depositions.values() if d.concept == one.concept and d.submitted):
            raise Refusal(400, "The id must be the one of the latest version")
        if one.draft_of_next is None:
            draft = self.create()
            draft.concept, draft.files, draft.metadata = one.concept, dict(one.files), deepcopy(one.metadata)
            one.draft_of_next = draft.number
        return self.depositions[one.draft_of_next]

    def publish(self, number: int) -> None:
        """What a person does in the browser."""
        one = self.get(number)
        assert one.metadata
        assert one.files
        one.submitted = True

    def as_json(self, one: Deposition, server: str) -> dict[str, Any]:
        """A deposition resource."""
        here = f"{server}/api/deposit/depositions/{one.number}"
        draft = one.draft_of_next or one.number
        links = {
            "self": here,
            "files": f"{here}/files",
            "publish": f"{here}/actions/publish",
            "html": f"{server}/deposit/{one.number}",
            "latest_draft": f"{server}/api/deposit/depositions/{draft}",
            "bucket": f"{server}/api/files/b-{one.number}",
        }
        reserved = {"prereserve_doi": {"doi": f"10.5072/zenodo.{one.number}", "recid": one.number}}
        state = {"state": "done" if one.submitted else "unsubmitted", "submitted": one.submitted}
        files = self.files_json(one)
        return {"id": one.number, "links": links, "metadata": {**one.metadata, **reserved}, "files": files, **state}

    def files_json(self, one: Deposition) -> list[dict[str, Any]]:
        """Deposition file resources."""
        return [
            {"id": f"f-{name}", "filename": name, "filesize": len(data), "checksum": md5(data)}
            for name, data in one.files.items()
        ]


def md5(data: bytes) -> str:
    """As the server computes it."""
    return hashlib.md5(data).hexdigest()
