"""A published Zenodo record and the resolver of its DOI, on this machine."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import unquote

__all__ = ["Record", "record_server"]


@dataclass
class Record:
    """A record with the files of a folder; `exchanged` files are sent in place of those the record lists."""

    folder: Path
    number: int = 77
    address: str = ""
    leads_to: str = ""
    exchanged: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    @property
    def doi(self) -> str:
        return f"doi:10.5281/zenodo.{self.number}"


@contextmanager
def record_server(folder: Path) -> Iterator[Record]:
    """Serve a folder as a record: resolver, page, list of files with their MD5, and content."""
    record = Record(folder)
    handler = type("Handler", (_Handler,), {"record": record})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    record.address = f"http://127.0.0.1:{server.server_port}"
    record.leads_to = f"{record.address}/records/{record.number}"
    try:
        yield record
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    record: ClassVar[Record]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        record, path = self.record, unquote(self.path)
        record.asked.append(path)
        api = f"/api/records/{record.number}"
        if path == f"/10.5281/zenodo.{record.number}":
            self._say(302, b"", {"Location": record.leads_to})
        elif path in {f"/records/{record.number}", "/somewhere/else"}:
            self._say(200, b"<html>a page for people</html>")
        elif path == api:
            self._say(200, json.dumps({"files": [_listed(one) for one in sorted(record.folder.iterdir())]}).encode())
        elif path.startswith(f"{api}/files/") and (record.folder / path.split("/")[5]).is_file():
            name = path.split("/")[5]
            self._say(200, record.exchanged.get(name) or (record.folder / name).read_bytes())
        else:
            self._say(404, b"")

    def _say(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        with suppress(OSError):  # whoever asked may have heard enough
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def _listed(path: Path) -> dict[str, Any]:
    content = path.read_bytes()
    return {"key": path.name, "size": len(content), "checksum": f"md5:{hashlib.md5(content).hexdigest()}"}
