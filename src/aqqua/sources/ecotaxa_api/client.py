"""The addresses of EcoTaxa's API, one method each: what is asked for, and what comes back.

    from aqqua.sources.ecotaxa_api.login import connect

    client = connect()
    for project in client.projects(managing=True):
        print(project.projid, project.title)

Objects, images, jobs and uploads are in `objects`, `vault`, `jobs` and `upload`: functions that take a client.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any

from aqqua.sources.ecotaxa_api.models import (
    Acquisition,
    EcoObject,
    HistoryEntry,
    Page,
    Process,
    Project,
    Sample,
    Summary,
    Taxon,
    User,
)
from aqqua.sources.ecotaxa_api.polite import Manners
from aqqua.sources.ecotaxa_api.wire import TIMEOUT_S, Wire

__all__ = ["DEFAULT_SERVER", "EcotaxaClient", "server_address"]

DEFAULT_SERVER = "https://ecotaxa.obs-vlfr.fr/api"
_SERVER_ENV = "AQQUA_ECOTAXA_URL"
_PROJECTS_PER_PAGE = 200


def server_address(server: str | None = None) -> str:
    """The server to speak to: the one named, else AQQUA_ECOTAXA_URL, else the production server."""
    return server or os.environ.get(_SERVER_ENV) or DEFAULT_SERVER


class EcotaxaClient:
    """A server and a login. Threads may share it; at most four requests run at once.

    Args:
        server: address of the API; None for AQQUA_ECOTAXA_URL, else production.
        token: of a login; without one only open projects can be seen.
        manners: pace and patience.
        timeout_s: to connect, and between two pieces of an answer.

    Raises:
        ConfigError: the address is none, or the token would travel unprotected.
    """

    def __init__(
        self,
        server: str | None = None,
        token: str | None = None,
        *,
        manners: Manners | None = None,
        timeout_s: tuple[float, float] = TIMEOUT_S,
    ) -> None:
        self.wire = Wire(server_address(server), token, manners, timeout_s)
        self.vault: str | None = None

    def __repr__(self) -> str:
        """Where it speaks to; nothing of the login."""
        return f"EcotaxaClient({self.wire.server!r}, {'logged in' if self.wire.token else 'no login'})"

    def __enter__(self) -> EcotaxaClient:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.wire.close()

    @property
    def server(self) -> str:
        """Address of the API."""
        return self.wire.server

    # ---- people

    def log_in(self, username: str, password: str) -> None:
        """Get a token (valid for 31 days) and use it from now on.

        Raises:
            RefusedError: name or password are wrong.
        """
        body = {"username": username, "password": password}
        self.wire.token = None
        self.wire.token = str(self.wire.json("POST", "login", "log in", json=body, again=True))

    def me(self) -> User:
        """The user who is logged in."""
        return User.model_validate(self.wire.json("GET", "users/me", "see who is logged in"))

    def search_users(self, name: str) -> list[User]:
        """Active users whose name (never the e-mail address) is like this; % stands for anything."""
        found = self.wire.json("GET", "users/search", "look for a user", params={"by_name": name})
        return [User.model_validate(user) for user in found]

    # ---- projects

    def projects(
        self,
        *,
        managing: bool = False,
        title: str | None = None,
        instrument: str | None = None,
        not_granted: bool = False,
        page: int = _PROJECTS_PER_PAGE,
    ) -> Iterator[Project]:
        """Projects the user has a right on, by id.

        Args:
            managing: only those the user manages.
            title: part of the title (or of the id).
            instrument: name as in EcoTaxa.
            not_granted: instead, those without a right that can be seen all the same.
            page: how many to ask for at once.
        """
        params = {
            "for_managing": "true" if managing else None,
            "not_granted": "true" if not_granted else None,
            "title_filter": title,
            "instrument_filter": instrument,
            "order_field": "projid",
            "window_size": page,
        }
        seen: set[int] = set()
        while True:
            window = {**params, "window_start": len(seen)}
            found = self.wire.json("GET", "projects/search", "list projects", params=window)
            new = [Project.model_validate(raw) for raw in found if raw["projid"] not in seen]
            yield from new
            seen |= {project.projid for project in new}
            if len(found) < page or not new:
                return

    def project(self, projid: int) -> Project:
        """A project that may be seen."""
        return Project.model_validate(self.project_json(projid))

    def project_json(self, projid: int, *, for_managing: bool = False) -> dict[str, Any]:
        """A project as the server says it, to be changed and put back.

        Args:
            projid: its id.
            for_managing: fail unless the user manages it.
        """
        params = {"for_managing": "true" if for_managing else None}
        found: dict[str, Any] = self.wire.json("GET", f"projects/{projid}", f"read project {projid}", params=params)
        return found

    def put_project(self, projid: int, raw: Mapping[str, Any]) -> None:
        """Replace what a project says of itself, all rights included; sent once, so read again after a failure."""
        self.wire.ask("PUT", f"projects/{projid}", f"change project {projid}", json=dict(raw), again=False)

    # ---- what a project consists of

    def samples(self, projid: int) -> list[Sample]:
        """Samples of a project, without their free columns."""
        params = {"project_ids": projid, "id_pattern": "%"}
        found = self.wire.json("GET", "samples/search", f"list samples of project {projid}", params=params)
        return [Sample.model_validate(raw) for raw in found]

    def sample(self, sampleid: int) -> Sample:
        """A sample with its free columns."""
        return Sample.model_validate(self.wire.json("GET", f"sample/{sampleid}", f"read sample {sampleid}"))

    def acquisitions(self, projid: int) -> list[Acquisition]:
        """Acquisitions of a project, without their free columns."""
        doing = f"list acquisitions of project {projid}"
        found = self.wire.json("GET", "acquisitions/search", doing, params={"project_id": projid})
        return [Acquisition.model_validate(raw) for raw in found]

    def acquisition(self, acquisid: int) -> Acquisition:
        """An acquisition with its free columns."""
        raw = self.wire.json("GET", f"acquisition/{acquisid}", f"read acquisition {acquisid}")
        return Acquisition.model_validate(raw)

    def process(self, processid: int) -> Process:
        """The processing of an acquisition (same id) with its free columns."""
        return Process.model_validate(self.wire.json("GET", f"process/{processid}", f"read process {processid}"))

    def object(self, objid: int) -> EcoObject:
        """An object with all its images, hidden ones too."""
        return EcoObject.model_validate(self.wire.json("GET", f"object/{objid}", f"read object {objid}"))

    def history(self, objid: int) -> list[HistoryEntry]:
        """Former classifications of an object, newest first."""
        found = self.wire.json("GET", f"object/{objid}/history", f"read the history of object {objid}")
        return [HistoryEntry.model_validate(raw) for raw in found]

    # ---- objects (see `objects` for whole projects)

    def query(
        self,
        projid: int,
        fields: Sequence[str],
        filters: Mapping[str, Any] | None = None,
        *,
        start: int = 0,
        size: int | None = None,
    ) -> Page:
        """One window of objects by id, as the server gives it: `details` silently lack fields it does not know."""
        params = {
            "fields": ",".join(fields) or None,
            "order_field": "obj.objid",
            "window_start": start,
            "window_size": size,
        }
        doing = f"list objects of project {projid}"
        path = f"object_set/{projid}/query"
        found = self.wire.json("POST", path, doing, params=params, json=dict(filters or {}), again=True)
        return Page.model_validate(found)

    def summary(self, projid: int, filters: Mapping[str, Any] | None = None) -> Summary:
        """How many objects a project has in each state."""
        path = f"object_set/{projid}/summary"
        params = {"only_total": "false"}
        doing = f"count objects of project {projid}"
        found = self.wire.json("POST", path, doing, params=params, json=dict(filters or {}), again=True)
        return Summary.model_validate(found)

    def classify_auto(
        self, objids: Sequence[int], taxa: Sequence[Sequence[int]], scores: Sequence[Sequence[float]]
    ) -> int:
        """Set predictions of objects of one project, best first; validated and dubious ones stay as they are.

        The same request twice leads to the same state, so it is sent again after a failure.

        Args:
            objids: the objects.
            taxa: ids of taxa per object.
            scores: 0 to 1, as `taxa`.

        Returns:
            How many objects changed.
        """
        body = {
            "target_ids": [int(objid) for objid in objids],
            "classifications": [[int(taxon) for taxon in row] for row in taxa],
            "scores": [[float(score) for score in row] for row in scores],
            "keep_log": True,
        }
        path = "object_set/classify_auto_multiple"
        return int(self.wire.json("POST", path, f"set predictions of {len(objids)} objects", json=body, again=True))

    def predictions(self, objids: Sequence[int]) -> list[tuple[int, int, float]]:
        """Object, taxon and score of the current predictions of objects."""
        body = [int(objid) for objid in objids]
        found = self.wire.json("POST", "object_set/predictions", "read predictions", json=body, again=True)
        return [(int(objid), int(taxon), float(score)) for objid, taxon, score in found["result"]]

    # ---- taxonomy and the server itself

    def taxa(self, ids: Sequence[int]) -> list[Taxon]:
        """Taxa by id; unknown ids are left out."""
        params = {"ids": ",".join(str(int(taxon)) for taxon in ids)}
        return [
            Taxon.model_validate(raw) for raw in self.wire.json("GET", "taxon_set/query", "read taxa", params=params)
        ]

    def search_taxa(self, text: str) -> list[dict[str, Any]]:
        """Taxa whose name begins like this: id, text, aphia_id, status, renm_id."""
        params = {"query": text}
        found: list[dict[str, Any]] = self.wire.json("GET", "taxon_set/search", "look for a taxon", params=params)
        return found

    def constants(self) -> dict[str, Any]:
        """Limits and texts of the server, `max_upload_size` among them."""
        found: dict[str, Any] = self.wire.json("GET", "constants", "read the server's limits")
        return found
