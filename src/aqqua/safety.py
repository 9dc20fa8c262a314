"""What every web server of aqqua needs before its routes: who may ask, how often, how much, what browsers may do."""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Send

__all__ = ["LOOPBACK", "WILDCARDS", "RateLimit", "allowed_hosts", "bounded", "host_is_ours", "with_headers"]

LOOPBACK = ("localhost", "127.0.0.1", "::1")
WILDCARDS = ("0.0.0.0", "::")  # noqa: S104 (compared with, not bound to)


def allowed_hosts(host: str) -> frozenset[str]:
    """Names under which a server may be asked, if it listens on `host`; with a wildcard, any number ("*")."""
    return frozenset([*LOOPBACK, "*" if host in WILDCARDS else host.lower()])


def host_is_ours(host: str, hosts: frozenset[str]) -> bool:
    """Whether a request is meant for us (against DNS rebinding).

    Args:
        host: header of the request.
        hosts: names under which we may be asked; "*" for any IP address.
    """
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    return name in hosts or ("*" in hosts and _is_number(name))


@dataclass
class RateLimit:
    """A token bucket per client.

    Args:
        per_second: how many requests a client may make in the long run.
        burst: how many at once.
    """

    per_second: float
    burst: float = 200
    clients: int = 10_000

    def __post_init__(self) -> None:
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str, now: float | None = None) -> bool:
        """Whether the client may make one more request now."""
        now = time.monotonic() if now is None else now
        tokens, then = self._buckets.pop(client, (self.burst, now))
        tokens = min(self.burst, tokens + (now - then) * self.per_second)
        self._buckets[client] = (max(tokens - 1, 0.0) if tokens >= 1 else tokens, now)
        while len(self._buckets) > self.clients:
            self._buckets.popitem(last=False)
        return tokens >= 1


def bounded(receive: Receive, limit: int) -> Receive:
    """A body that comes in pieces, cut off at a limit (its end is then missing).

    Args:
        receive: of the request.
        limit: in bytes.
    """
    left = limit

    async def read() -> Message:
        nonlocal left
        message = await receive()
        if message["type"] == "http.request":
            left -= len(message.get("body", b""))
            if left < 0:
                return {"type": "http.request", "body": b"", "more_body": False}
        return message

    return read


def with_headers(send: Send, headers: Mapping[str, str], *, unless: Mapping[str, str] | None = None) -> Send:
    """Add headers to an answer.

    Args:
        send: of the request.
        headers: that every answer has.
        unless: headers that a route may have set itself.
    """
    from starlette.datastructures import MutableHeaders

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            present = MutableHeaders(scope=message)
            for name, value in headers.items():
                present[name] = value
            for name, value in (unless or {}).items():
                present.setdefault(name, value)
        await send(message)

    return sending


def _is_number(name: str) -> bool:
    """Whether a host is an IP address: no one else can make such a name point at us."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
