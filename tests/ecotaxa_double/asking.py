"""One request, as the handlers see it: who asks, and what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response

from tests.ecotaxa_double.replies import Crash, Refusal, forbidden
from tests.ecotaxa_double.state import World
from tests.ecotaxa_double.tables import Person, Project

__all__ = ["Ask", "Handler"]

_RANK = {"": 0, "View": 1, "Annotate": 2, "Manage": 3}


@dataclass
class Ask:
    """A request.

    Args:
        user: who asks, None for somebody without a login.
        path: parameters in the path.
        query: parameters of the query.
        json: the body as JSON.
        body: the body as bytes.
        files: uploaded files by field: name and content.
        headers: in lower case.
    """

    world: World
    user: Person | None
    path: Mapping[str, Any] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    body: bytes = b""
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    base: str = ""

    def who(self) -> Person:
        """The user; refuses somebody without a login."""
        if self.user is None:
            raise Refusal(403, "Not authenticated")
        return self.user

    def project(self, projid: int | None = None) -> Project:
        """The project in the path."""
        number = int(self.path["project_id"]) if projid is None else projid
        if number not in self.world.projects:
            raise Refusal(404, "Project not found")
        return self.world.projects[number]

    def need(self, project: Project, right: str) -> Person:
        """Refuse who has not at least this right."""
        user = self.who()
        if 2 in user.can_do or _RANK[project.rights.get(user.id, "")] >= _RANK[right]:
            return user
        raise forbidden()

    def need_to_see(self, project: Project) -> None:
        """Refuse who may not look: public projects are for everybody who is logged in, open ones for all."""
        if project.access == "2" or (project.access == "1" and self.user is not None):
            return
        if self.user is None:
            raise forbidden()
        self.need(project, "View")

    def row(self, table: Mapping[int, Any], name: str, what: str) -> Any:
        """A row by the id in the path, of a project that may be seen."""
        found = table.get(int(self.path[name]))
        if found is None:
            raise Refusal(404, f"{what} not found")
        return found

    def flag(self, name: str) -> bool:
        """A yes or no of the query."""
        return self.query.get(name, "").lower() in {"true", "1", "yes"}

    def ints(self, name: str) -> list[int]:
        """Numbers with commas of the query."""
        try:
            return [int(part) for part in self.query.get(name, "").split(",") if part]
        except ValueError as error:
            raise Crash(f"ValueError: {error}") from error


Handler = Callable[[Ask], Any | Response]
