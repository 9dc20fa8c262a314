"""Real servers on this machine: HTTP with ranges, FTP, WebDAV, S3 – and a slow line in front of any of them."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import socket
import threading
import time
import urllib.request
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import unquote, urlsplit

__all__ = ["Line", "Web", "ftp_server", "s3_server", "slow_line", "web_server", "webdav_server"]


@dataclass
class Web:
    """A web server of one folder, and how it behaves.

    `broken_after`: close the connection after so many bytes of the next answers (one entry each). `refuse`: statuses of
    the next answers. `ranges`: whether it can resume. `stamps`: whether it says ETag and time of change.
    """

    folder: Path
    address: str = ""
    ranges: bool = True
    stamps: bool = True
    lengths: bool = True
    headers: dict[str, str] = field(default_factory=dict)
    broken_after: list[int] = field(default_factory=list)
    refuse: list[int] = field(default_factory=list)
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    sent: int = 0


@contextmanager
def web_server(folder: Path) -> Iterator[Web]:
    """Serve a folder by HTTP."""
    web = Web(folder)
    handler = type("Handler", (_Handler,), {"web": web})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    web.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield web
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    web: ClassVar[Web]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        web = self.web
        asked = self.headers.get("Range")
        web.asked.append((self.path, asked))
        path = web.folder / unquote(urlsplit(self.path).path).lstrip("/")
        if web.refuse:
            self._say(web.refuse.pop(0))
        elif not path.is_file():
            self._say(404)
        else:
            self._send(path.read_bytes(), asked)

    def _send(self, content: bytes, asked: str | None) -> None:
        web = self.web
        etag = f'"{hashlib.md5(content).hexdigest()}"'
        told = re.fullmatch(r"bytes=(\d+)-", asked or "")
        start = int(told[1]) if told and web.ranges and self.headers.get("If-Range") in (None, etag) else 0
        if start and start >= len(content):
            self._say(416)
            return
        self.send_response(206 if start else 200)
        if web.stamps:
            self.send_header("ETag", etag)
            self.send_header("Last-Modified", formatdate(0, usegmt=True))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        for name, value in web.headers.items():
            self.send_header(name, value)
        body = content[start:]
        if web.lengths:
            self.send_header("Content-Length", str(len(body)))
        else:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        limit = web.broken_after.pop(0) if web.broken_after else len(body)
        with suppress(OSError):
            self._write(body[:limit], whole=limit >= len(body))
        web.sent += min(limit, len(body))
        if limit < len(body):
            self.close_connection = True

    def _write(self, body: bytes, *, whole: bool) -> None:
        if self.web.lengths:
            self.wfile.write(body)
            return
        self.wfile.write(f"{len(body):x}\r\n".encode() + body + b"\r\n")
        if whole:
            self.wfile.write(b"0\r\n\r\n")

    def _say(self, status: int) -> None:
        self.send_response(status)
        for name, value in self.web.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def ftp_server(folder: Path, *, bytes_per_s: int = 0, mlsd: bool = True) -> Iterator[str]:
    """Serve a folder by FTP, user "owner", password "söcret"; yield the address without login."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # it stands on asyncore, as long as Python has it
        from pyftpdlib.authorizers import DummyAuthorizer
        from pyftpdlib.handlers import FTPHandler, ThrottledDTPHandler
        from pyftpdlib.servers import FTPServer

    logging.getLogger("pyftpdlib").setLevel(logging.CRITICAL)
    authorizer = DummyAuthorizer()
    authorizer.add_user("owner", "söcret", str(folder), perm="elr")
    dtp = type("Dtp", (ThrottledDTPHandler,), {"write_limit": bytes_per_s, "ac_out_buffer_size": 8192})
    commands = {name: entry for name, entry in FTPHandler.proto_cmds.items() if mlsd or name != "MLSD"}
    handler = type(
        "Handler",
        (FTPHandler,),
        {"authorizer": authorizer, "dtp_handler": dtp, "proto_cmds": commands, "banner": "ready"},
    )
    server = FTPServer(("127.0.0.1", 0), handler)
    ended = threading.Event()

    def serve() -> None:
        while not ended.is_set():
            server.serve_forever(timeout=0.05, blocking=False)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"ftp://127.0.0.1:{server.socket.getsockname()[1]}"
    finally:
        ended.set()
        thread.join(5)
        server.close_all()


@contextmanager
def webdav_server(folder: Path, mount: str, users: dict[str, str] | None = None) -> Iterator[str]:
    """Serve a folder by WebDAV under a path, to everybody or to users with passwords; yield the server's address."""
    from cheroot import wsgi
    from wsgidav.wsgidav_app import WsgiDAVApp

    mapping: Any = {"*": {name: {"password": word} for name, word in users.items()} if users else True}
    config = {
        "provider_mapping": {mount: str(folder)},
        "simple_dc": {"user_mapping": mapping},
        "http_authenticator": {"accept_basic": True, "accept_digest": False, "default_to_digest": False},
        "verbose": 0,
        "logging": {"enable": False},
    }
    server = wsgi.Server(("127.0.0.1", 0), WsgiDAVApp(config), numthreads=4)
    server.prepare()
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.bind_addr[1]}"
    finally:
        server.stop()
        thread.join(5)


@contextmanager
def s3_server(folder: Path, bucket: str) -> Iterator[str]:
    """Serve a folder as a bucket of an S3 store; yield the endpoint."""
    import boto3
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    client = boto3.client(
        "s3", endpoint_url=endpoint, aws_access_key_id="a", aws_secret_access_key="b", region_name="us-east-1"
    )
    urllib.request.urlopen(urllib.request.Request(f"{endpoint}/moto-api/reset", method="POST")).close()
    client.create_bucket(Bucket=bucket)
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            client.put_object(Bucket=bucket, Key=path.relative_to(folder).as_posix(), Body=path.read_bytes())
    try:
        yield endpoint
    finally:
        client.close()
        server.stop()


@dataclass
class Line:
    """A slow line: its address, and how many bytes have come through it towards the client."""

    port: int
    came: int = 0


@contextmanager
def slow_line(address: str, bytes_per_s: int) -> Iterator[Line]:
    """Put a line of limited speed in front of a server."""
    parts = urlsplit(address)
    there = (parts.hostname or "127.0.0.1", parts.port or 80)
    door = socket.create_server(("127.0.0.1", 0))
    line = Line(door.getsockname()[1])
    calls: list[threading.Thread] = []

    def carry(source: socket.socket, target: socket.socket, limit: int) -> None:
        with suppress(OSError):
            while block := source.recv(4096):
                target.sendall(block)
                if limit:
                    line.came += len(block)
                    time.sleep(len(block) / limit)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def connect(near: socket.socket) -> None:
        with near, suppress(OSError), socket.create_connection(there) as far:
            up = threading.Thread(target=carry, args=(near, far, 0), daemon=True)
            up.start()
            carry(far, near, bytes_per_s)
            up.join()

    def answer() -> None:
        with suppress(OSError):
            while True:
                near, _ = door.accept()
                calls.append(threading.Thread(target=connect, args=(near,), daemon=True))
                calls[-1].start()

    threading.Thread(target=answer, daemon=True).start()
    try:
        yield line
    finally:
        with suppress(OSError):
            door.shutdown(socket.SHUT_RDWR)
        door.close()
        for call in calls:
            call.join(5)


def some_bytes(count: int, seed: int = 0) -> bytes:
    """Bytes that cannot be packed, and are the same each time."""
    import random

    return random.Random(seed).randbytes(count) if count else os.urandom(0)
