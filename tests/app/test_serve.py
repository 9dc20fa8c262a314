"""The verb: it says where the explorer is, and ends quietly."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from aqqua.app import serve
from aqqua.errors import ConfigError, NotFoundError
from aqqua.store.dataset import Dataset


def start(*arguments: str) -> subprocess.Popen[str]:
    code = "import sys; from aqqua.app.serve import explore; explore(sys.argv[1:], open_browser=True)"
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "CI": "true", "AQQUA_QUIET": "1", "OMP_NUM_THREADS": "1"},
    )


@pytest.fixture
def running(sample: Dataset) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """An explorer in a process of its own, and its address."""
    process = start(str(sample.path))
    assert process.stdout is not None
    text = ""
    while "Ctrl-C" not in text:
        line = process.stdout.readline()
        assert line or process.poll() is None, process.communicate()
        text += line
    found = re.search(r"http://127\.0\.0\.1:\d+/", text)
    assert found, text
    yield process, found[0]
    process.kill()
    process.communicate()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_the_explorer_says_where_it_is_and_ends_quietly(
    running: tuple[subprocess.Popen[str], str], how: signal.Signals
) -> None:
    process, address = running
    answer = httpx.get(f"{address}api/v1/stores", timeout=30)
    assert answer.json()[0]["n"] == 300
    assert "server" not in answer.headers
    process.send_signal(how)
    _, errors = process.communicate(timeout=30)
    assert "Traceback" not in errors
    assert errors == ""
    assert process.returncode == (0 if how == signal.SIGINT else -signal.SIGTERM)


def test_a_port_that_is_taken_is_said(plain: Dataset) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(ConfigError, match=r"cannot listen on 127\.0\.0\.1") as caught:
            serve.explore([plain.path], port=other.getsockname()[1])
    assert "free one" in str(caught.value)


def test_a_path_without_dataset_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        serve.explore([tmp_path / "nothing"])


@pytest.mark.parametrize(
    ("platform", "environment", "expected"),
    [
        ("linux", {}, False),
        ("linux", {"DISPLAY": ":0"}, True),
        ("linux", {"WAYLAND_DISPLAY": "wayland-0"}, True),
        ("linux", {"DISPLAY": ":0", "CI": "true"}, False),
        ("darwin", {}, True),
    ],
)
def test_a_browser_opens_only_where_there_is_a_display(
    platform: str, environment: dict[str, str], expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "CI"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", platform)
    assert serve._has_display() is expected


@pytest.mark.parametrize(
    ("host", "address"),
    [("127.0.0.1", "http://127.0.0.1:5/"), ("0.0.0.0", "http://127.0.0.1:5/"), ("::1", "http://[::1]:5/")],
)
def test_the_address_can_be_opened(host: str, address: str) -> None:
    assert serve._address(host, 5) == address


def test_small_answers_do_not_wait_for_an_acknowledgement() -> None:
    """Asyncio turns Nagle's algorithm off only for sockets that are named TCP."""
    with serve._listen("127.0.0.1", 0) as listening:
        assert listening.proto == socket.IPPROTO_TCP
