"""The World Register of Marine Species (WoRMS): accepted names, AphiaIDs, ranks, classifications by its REST service.

    worms = Worms()
    records = worms.match(["Calanus finmarchicus", "Neoceratium fusus"])
    worms.accepted(records["Neoceratium fusus"][0]).valid_name      # "Tripos fusus"

Service: https://www.marinespecies.org/rest/ (documentation of the endpoints there). Please cite WoRMS
(doi:10.14284/170, CC BY 4.0), and ask its editors for a copy before looking up more than some thousand names.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests

from aqqua.errors import ConfigError, RemoteError
from aqqua.sources.ecotaxa_api.polite import Manners

__all__ = ["NAMES_PER_CALL", "Worms", "WormsRecord"]

SERVER = "https://www.marinespecies.org/rest"
NAMES_PER_CALL = 50
"""As many names as AphiaRecordsByMatchNames takes at once."""
_TIMEOUT_S = (10.0, 60.0)
_MAX_BYTES = 16 << 20
_BUSY = {429, 500, 502, 503, 504}


@dataclass(frozen=True)
class WormsRecord:
    """An AphiaRecord, as far as we use it.

    Args:
        aphia_id: identifier.
        name: scientific name without author.
        status: "accepted", "unaccepted", "alternate representation" …
        rank: "Species", "Genus" …
        valid_id: identifier of the accepted name; None if there is none.
        valid_name: the accepted name.
        match: how the name was found: "exact", "like", "phonetic", "near_1" …; "" if it was not searched for.
        marine: whether it lives in the sea; None if WoRMS does not say.
    """

    aphia_id: int
    name: str
    status: str
    rank: str
    valid_id: int | None
    valid_name: str | None
    match: str = ""
    marine: bool | None = None

    @classmethod
    def of(cls, raw: dict[str, Any]) -> WormsRecord:
        """A record of the service's JSON."""
        marine = raw.get("isMarine")
        return cls(
            aphia_id=int(raw["AphiaID"]),
            name=str(raw["scientificname"]),
            status=str(raw.get("status") or ""),
            rank=str(raw.get("rank") or ""),
            valid_id=int(raw["valid_AphiaID"]) if raw.get("valid_AphiaID") else None,
            valid_name=raw.get("valid_name"),
            match=str(raw.get("match_type") or ""),
            marine=None if marine is None else bool(marine),
        )


class Worms:
    """A client that asks politely, and again where the service is busy.

    Args:
        server: address of the REST service.
        manners: pace and patience.

    Raises:
        ConfigError: the address is none, or unprotected and not on this machine.
    """

    def __init__(self, server: str | None = None, *, manners: Manners | None = None) -> None:
        self.server = (server or SERVER).rstrip("/")
        parts = urlsplit(self.server)
        local = parts.hostname in {"localhost", "127.0.0.1", "::1"}
        if parts.hostname is None or not (parts.scheme == "https" or (parts.scheme == "http" and local)):
            raise ConfigError("this is not the address of a server", where=server, do="it reads https://…/rest")
        self.manners = manners or Manners(interval_s=0.25)
        self._session = requests.Session()

    def match(self, names: Sequence[str]) -> dict[str, list[WormsRecord]]:
        """Records for names, also for those that are only similar; an empty list where there are none.

        Raises:
            RemoteError: the service cannot be reached, or fails.
        """
        found: dict[str, list[WormsRecord]] = {}
        for start in range(0, len(names), NAMES_PER_CALL):
            some = list(names[start : start + NAMES_PER_CALL])
            params = {"scientificnames[]": some, "marine_only": "false", "extant_only": "false"}
            answer = self._json("AphiaRecordsByMatchNames", params) or [[]] * len(some)
            if not isinstance(answer, list) or len(answer) != len(some):
                raise self._error("the answer has not one part per name")
            parts = [[self._record(raw) for raw in part or []] for part in answer]
            found |= dict(zip(some, parts, strict=True))
        return found

    def record(self, aphia_id: int) -> WormsRecord | None:
        """The record of an AphiaID, or None."""
        raw = self._json(f"AphiaRecordByAphiaID/{int(aphia_id)}")
        return self._record(raw) if raw else None

    def accepted(self, record: WormsRecord) -> WormsRecord | None:
        """The record of the accepted name; None where a name has none."""
        if record.valid_id is None or record.valid_id == record.aphia_id:
            return record if record.valid_id is not None or record.status == "accepted" else None
        return self.record(record.valid_id)

    def classification(self, aphia_id: int) -> list[tuple[int, str, str]]:
        """AphiaID, rank and name from the root to the taxon itself; empty where it is unknown."""
        node, line = self._json(f"AphiaClassificationByAphiaID/{int(aphia_id)}"), []
        while isinstance(node, dict) and node.get("AphiaID"):
            line.append((int(node["AphiaID"]), str(node.get("rank") or ""), str(node.get("scientificname") or "")))
            node = node.get("child")
        return line

    def _record(self, raw: Any) -> WormsRecord:
        try:
            return WormsRecord.of(raw)
        except (KeyError, TypeError, ValueError, AttributeError):
            raise self._error("a record without AphiaID or name") from None

    def _json(self, path: str, params: dict[str, Any] | None = None) -> Any:
        """What the service says; None where it has no content."""
        for attempt in range(self.manners.attempts):
            last = attempt + 1 == self.manners.attempts
            try:
                status, answer, pause = self._once(path, params)
            except requests.RequestException as error:
                if last:
                    raise self._error(f"it cannot be reached ({type(error).__name__})") from None
                self.manners.pause(attempt)
                continue
            if status in {200, 204}:
                return answer
            if status not in _BUSY or last:
                raise self._error(f"it answers {status}", status=status)
            self.manners.pause(attempt, pause)
        raise AssertionError  # the last attempt returns or raises

    def _once(self, path: str, params: dict[str, Any] | None) -> tuple[int, Any, float | None]:
        """One request: status, JSON, and how long the service asks to wait."""
        with self.manners.turn():
            url = f"{self.server}/{path}"
            options = {"timeout": _TIMEOUT_S, "stream": True, "allow_redirects": False}
            with self._session.get(url, params=params, headers={"Accept": "application/json"}, **options) as answer:  # type: ignore[arg-type]
                wait = answer.headers.get("Retry-After", "")
                body = bytearray()
                for piece in answer.iter_content(1 << 16):
                    body += piece
                    if len(body) > _MAX_BYTES:
                        raise self._error("the answer is too large")
                if answer.status_code != 200:
                    return answer.status_code, None, float(wait) if wait.isdigit() else None
                try:
                    return 200, json.loads(body) if body else None, None
                except ValueError:
                    raise self._error("the answer is not JSON") from None

    def _error(self, what: str, status: int | None = None) -> RemoteError:
        do = "check the connection, or look names up later: what was found is kept"
        return RemoteError(f"WoRMS did not answer as it should: {what}", where=self.server, do=do, status=status)
