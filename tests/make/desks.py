"""The desk in tests: a client that behaves like a browser, and the real server in a process of its own."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from typing import Any

import httpx
from starlette.testclient import TestClient

from aqqua.collect.mail import Mail
from aqqua.collect.registry import Registry
from aqqua.collect.web import Settings, create_desk

__all__ = ["ADDRESS", "client_of", "form_data", "free_port", "hidden", "running_desk"]

ADDRESS = "http://localhost:8461"


def client_of(registry: Registry, outbox: Path, **settings: Any) -> TestClient:
    """A browser without scripts at the desk."""
    options: dict[str, Any] = {"mail": Mail(outbox=outbox), "per_minute": 10_000} | settings
    app = create_desk(registry, Settings(ADDRESS, b"s" * 32, **options))
    return TestClient(app, base_url=ADDRESS, follow_redirects=False, raise_server_exceptions=False)


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of the (last) form of a page."""
    return {name: unescape(value) for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page)}


def form_data(answers: Mapping[str, Any]) -> dict[str, Any]:
    """Answers as a browser sends them."""
    data: dict[str, Any] = {}
    for name, value in answers.items():
        if name == "people":
            for number, person in enumerate(value):
                data |= {f"people[{number}][{key}]": text for key, text in person.items() if text != "no"}
        else:
            data[name] = value
    return data


def free_port() -> int:
    """A port nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextmanager
def running_desk(folder: Path, port: int, *flags: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """The real server, `aqqua collect serve`, with its registry in a folder."""
    import os

    command = [sys.executable, "-m", "aqqua", "collect", "serve", "--port", str(port), "--state", str(folder / "desk")]
    command += flags
    known = {**os.environ, "AQQUA_REGISTRY": str(folder / "registry.sqlite"), "AQQUA_QUIET": "1", **environment}
    process = subprocess.Popen(command, env=known, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        for _ in range(600):
            assert process.poll() is None, process.stderr.read().decode() if process.stderr else ""
            try:
                with urllib.request.urlopen(f"http://localhost:{port}/health", timeout=5):
                    break
            except OSError:
                time.sleep(0.1)
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=20)


def as_browser(port: int) -> httpx.Client:
    """A browser without scripts at the real server."""
    return httpx.Client(base_url=f"http://localhost:{port}", timeout=60)
