"""Things that go wrong on the way: what the tests inject between client and server."""

from __future__ import annotations

import asyncio
import contextlib
import re
from dataclasses import dataclass, field
from typing import Any, Literal

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["CuttableProtocol", "Fault", "Faults"]

Kind = Literal["502", "500", "429", "html", "401", "timeout", "cut", "cut_before", "lost", "redirect"]
_PAGE = b"<html><head><title>502 Bad Gateway</title></head><body><center>nginx/1.18.0</center></body></html>"
_OPEN: dict[tuple[str, int], asyncio.Transport] = {}


class CuttableProtocol(H11Protocol):
    """uvicorn's HTTP protocol, with the connection at hand so that it can be cut."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self.client is not None:
            _OPEN[self.client] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self.client is not None:
            _OPEN.pop(self.client, None)


@dataclass
class Fault:
    """One thing that goes wrong for requests of some kind.

    Args:
        kind: 502, 500, 429, html (a page with status 200), 401 (login expired), timeout (no answer), cut (the answer
            breaks off), cut_before (the connection breaks before anything is done), lost (all is done, then the
            connection breaks), redirect.
        path: regular expression that the path must contain.
        method: only requests of this method.
        skip: let so many pass first.
        times: how often.
    """

    kind: Kind
    path: str = ""
    method: str | None = None
    skip: int = 0
    times: int = 1

    def hits(self, method: str, path: str) -> bool:
        """Whether it happens to this request; counts down."""
        if self.times < 1 or (self.method and self.method != method) or not re.search(self.path, path):
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.times -= 1
        return True


@dataclass
class Faults:
    """Middleware: notes every request, and lets some go wrong."""

    app: ASGIApp
    planned: list[Fault] = field(default_factory=list)
    seen: list[tuple[str, str]] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    stopping: bool = False

    def plan(self, kind: Kind, path: str = "", **more: Any) -> None:
        """Let something go wrong from now on."""
        self.planned.append(Fault(kind, path, **more))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        method, path = scope["method"], scope["path"]
        self.seen.append((method, path))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            fault = next((fault for fault in self.planned if fault.hits(method, path)), None)
            if fault is None:
                await self.app(scope, receive, send)
            else:
                await self._go_wrong(fault, scope, receive, send)
        finally:
            self.at_once -= 1

    async def _go_wrong(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        if fault.kind == "cut_before":
            await _cut(scope)
        elif fault.kind == "lost":
            await self.app(scope, receive, _swallow)
            await _cut(scope)
        elif fault.kind == "timeout":
            for _ in range(500):
                if self.stopping:
                    break
                await asyncio.sleep(0.02)
            await _cut(scope)
        elif fault.kind == "cut":
            await self._break_off(scope, receive, send)
        else:
            status, headers, body = _ANSWERS[fault.kind]
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": body})

    async def _break_off(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the head and half of the body, then cut."""
        kept: list[Message] = []

        async def keep(message: Message) -> None:
            kept.append(message)

        await self.app(scope, receive, keep)
        body = b"".join(message.get("body", b"") for message in kept[1:])
        await send(kept[0])
        await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
        await _cut(scope)


_ANSWERS: dict[str, tuple[int, list[tuple[bytes, bytes]], bytes]] = {
    "502": (502, [(b"content-type", b"text/html")], _PAGE),
    "500": (500, [(b"content-type", b"text/plain")], b"\nTraceback\nsqlalchemy.exc.OperationalError: no connection\n"),
    "429": (429, [(b"content-type", b"text/html"), (b"retry-after", b"7")], _PAGE),
    "html": (200, [(b"content-type", b"text/html")], b"<html>Welcome</html>"),
    "401": (401, [(b"content-type", b"application/json")], b'{"detail":"Could not validate credentials"}'),
    "redirect": (301, [(b"location", b"https://elsewhere.example.org/api")], b""),
}


async def _swallow(message: Message) -> None:
    """Send nothing."""


async def _cut(scope: Scope) -> None:
    """Break the connection off at once, and wait until that is noticed."""
    with contextlib.suppress(KeyError):
        _OPEN[tuple(scope["client"])].abort()
    await asyncio.sleep(0.01)
