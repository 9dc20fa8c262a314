"""A small WoRMS: a local server that answers as the REST service does."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

# Name, AphiaID, rank, parent's AphiaID, accepted AphiaID.
_TREE: tuple[tuple[str, int, str, int | None, int], ...] = (
    ("Biota", 1, "Superdomain", None, 1),
    ("Animalia", 2, "Kingdom", 1, 2),
    ("Arthropoda", 1065, "Phylum", 2, 1065),
    ("Copepoda", 1080, "Class", 1065, 1080),
    ("Calanoida", 1100, "Order", 1080, 1100),
    ("Acartiidae", 104074, "Family", 1100, 104074),
    ("Acartia", 900001, "Genus", 104074, 900001),
    ("Acartia clausi", 900002, "Species", 900001, 900002),
    ("Chromista", 7, "Kingdom", 1, 7),
    ("Tripos", 494057, "Genus", 7, 494057),
    ("Tripos fusus", 840626, "Species", 494057, 840626),
    ("Ceratium fusus var. seta", 900003, "Variety", 494057, 840626),
    ("Doublenameus", 900004, "Genus", 2, 900004),
    ("Doublenameus", 900005, "Genus", 7, 900005),
)


@dataclass
class WormsDouble:
    """What the server was asked, and how it shall fail.

    Args:
        url: its address.
        faults: status codes of the next answers, before it answers well again.
        asked: paths, in order; one entry per request.
        names: how many names each match asked for.
    """

    url: str = ""
    faults: list[int] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    names: list[int] = field(default_factory=list)


def record(name: str, match: str | None = None) -> list[dict[str, Any]]:
    """AphiaRecords of a name."""
    by_id = {row[1]: row for row in _TREE}
    return [
        {
            "AphiaID": aphia_id,
            "url": f"https://www.marinespecies.org/aphia.php?p=taxdetails&id={aphia_id}",
            "scientificname": own,
            "authority": None,
            "status": "accepted" if valid == aphia_id else "unaccepted",
            "unacceptreason": None,
            "taxonRankID": 220,
            "rank": rank,
            "valid_AphiaID": valid,
            "valid_name": by_id[valid][0],
            "valid_authority": None,
            "parentNameUsageID": parent,
            "isMarine": 1,
            "isExtinct": None,
            "match_type": match,
        }
        for own, aphia_id, rank, parent, valid in _TREE
        if own == name
    ]


def classification(aphia_id: int) -> dict[str, Any] | None:
    """Nested from the root, as AphiaClassificationByAphiaID answers."""
    by_id = {row[1]: row for row in _TREE}
    node: dict[str, Any] | None = None
    at: int | None = aphia_id
    while at is not None and at in by_id:
        name, number, rank, parent, _ = by_id[at]
        node = {"AphiaID": number, "rank": rank, "scientificname": name, "child": node}
        at = parent
    return node


def _answer(path: str, query: dict[str, list[str]]) -> Any:
    if path.endswith("/AphiaRecordsByMatchNames"):
        names = query.get("scientificnames[]", [])
        if len(names) > 50:
            return None
        exact = [record(name, "exact") for name in names]
        near = [record("Acartia", "near_1") if name == "Acartai" else [] for name in names]
        return [one or other for one, other in zip(exact, near, strict=True)] if any(exact + near) else None
    number = int(path.rpartition("/")[2])
    if "/AphiaClassificationByAphiaID/" in path:
        return classification(number)
    found = [one for row in _TREE if row[1] == number for one in record(row[0]) if one["AphiaID"] == number]
    return found[0] if found else None


@contextmanager
def worms_double() -> Iterator[WormsDouble]:
    """Run the server while the block runs."""
    double = WormsDouble()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = parse_qs(parts.query)
            double.asked.append(parts.path)
            if names := query.get("scientificnames[]"):
                double.names.append(len(names))
            if double.faults:
                self.send_response(double.faults.pop(0))
                self.send_header("Retry-After", "0")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            found = _answer(parts.path, query)
            body = b"" if found is None else json.dumps(found).encode()
            self.send_response(200 if body else 204)
            self.send_header("Content-Type", "application/json")
            if body:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    double.url = f"http://127.0.0.1:{server.server_port}/rest"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield double
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
