"""The double over real HTTP: a server in a thread while the `with` block runs."""

from __future__ import annotations

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, ClassVar
from urllib.parse import unquote, urlsplit

from tests.zenodo_double.world import Fault, Refusal, World, md5

__all__ = ["ZenodoDouble"]

_ONE = r"/api/deposit/depositions/(\d+)"


class ZenodoDouble:
    """A Zenodo server on this machine.

    Args:
        world: what it knows.
    """

    def __init__(self, world: World | None = None) -> None:
        self.world = world or World()
        handler = type("Handler", (_Handler,), {"world": self.world})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> ZenodoDouble:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


class _Cut(Exception):
    """The line is cut: no answer."""


class _Handler(BaseHTTPRequestHandler):
    world: ClassVar[World]
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # head and body in one packet, or each answer takes 40 ms (Nagle)

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def _answer(self) -> None:
        path = urlsplit(self.path).path
        self.world.asked.append(f"{self.command} {self.path}")
        fault = self.world.fault(self.command, path)
        try:
            body = self._body(fault)
            if fault is not None and fault.kind == "status":
                said = {"status": fault.status, "message": f"fault {fault.status}"}
                self._say(fault.status, said if fault.status < 500 else None, fault.headers)
                return
            status, told = self._done(path, body)
            if fault is not None and fault.kind == "lost":
                raise _Cut
            self._say(status, told)
        except Refusal as refusal:
            self._say(refusal.status, refusal.body)
        except _Cut:
            self.close_connection = True

    def _body(self, fault: Fault | None) -> bytes:
        length = int(self.headers.get("Content-Length", 0))
        if fault is not None and fault.kind == "cut":
            self.rfile.read(length // 2)
            raise _Cut
        body = self.rfile.read(length)
        if fault is not None and fault.kind == "corrupt":
            body = bytes([body[0] ^ 1]) + body[1:]
        return body

    def _done(self, path: str, body: bytes) -> tuple[int, Any]:
        """Do what is asked; (status, body)."""
        if self.world.token is None or self.headers.get("Authorization") != f"Bearer {self.world.token}":
            raise Refusal(401, "The server could not verify that you are authorized to access the URL requested.")
        if found := re.fullmatch(r"/api/files/([^/]+)/([^/]+)", path):
            return self._put_file(found[1], unquote(found[2]), body)
        if path == "/api/deposit/depositions" and self.command == "POST":
            self._require_json()
            return 201, self._json(self.world.create().number)
        if found := re.fullmatch(_ONE, path):
            return self._deposition(int(found[1]), body)
        if found := re.fullmatch(_ONE + "/files", path):
            return 200, self.world.files_json(self.world.get(int(found[1])))
        if found := re.fullmatch(_ONE + "/files/(.+)", path):
            return self._delete_file(int(found[1]), unquote(found[2]))
        if found := re.fullmatch(_ONE + "/actions/(newversion|publish)", path):
            return self._act(int(found[1]), found[2])
        raise Refusal(404, "Not found")

    def _put_file(self, bucket: str, key: str, body: bytes) -> tuple[int, Any]:
        if self.command != "PUT":
            raise Refusal(405, "Method not allowed")
        self.world.store(bucket, key, body)
        return 201, {"key": key, "size": len(body), "checksum": f"md5:{md5(body)}"}

    def _deposition(self, number: int, body: bytes) -> tuple[int, Any]:
        one = self.world.get(number)
        if self.command == "PUT":
            self._require_json()
            self.world.describe(one, json.loads(body)["metadata"])
        elif self.command != "GET":
            raise Refusal(405, "Method not allowed")
        return 200, self._json(number)

    def _delete_file(self, number: int, file: str) -> tuple[int, Any]:
        one = self.world.get(number)
        if self.command != "DELETE" or one.submitted:
            raise Refusal(403, "Deleting an already published deposition.")
        if one.files.pop(file.removeprefix("f-"), None) is None:
            raise Refusal(404, "Deposition file does not exist.")
        return 204, None

    def _act(self, number: int, action: str) -> tuple[int, Any]:
        one = self.world.get(number)
        if action == "publish":
            self.world.published_by_api += 1
            one.submitted = True
            return 202, self._json(number)
        self.world.new_version(one)
        return 201, self._json(number)

    def _json(self, number: int) -> dict[str, Any]:
        return self.world.as_json(self.world.get(number), f"http://{self.headers['Host']}")

    def _require_json(self) -> None:
        if self.headers.get("Content-Type") != "application/json":
            raise Refusal(415, "Unsupported media type")

    def _say(self, status: int, said: Any, headers: dict[str, str] | None = None) -> None:
        body = b"" if said is None else json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
