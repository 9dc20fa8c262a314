"""One request to EcoTaxa, and its answer or a clear error: patience, redaction, and no surprise redirects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from aqqua.errors import ConfigError, RemoteError
from aqqua.sources.ecotaxa_api.polite import Manners
from aqqua.sources.ecotaxa_api.trouble import error_of, unreachable

__all__ = ["Request", "Wire"]

TIMEOUT_S = (10.0, 120.0)
"""To connect, and between two pieces of an answer; large projects take the server a minute to list."""
_BUSY = {429, 502, 503, 504}
"""Nothing was done: the server, or the proxy before it, asks to come back."""


@dataclass(frozen=True)
class Request:
    """What is asked of the server.

    Args:
        method: GET, POST, PUT …
        path: below the address of the API, or a whole address on the same server.
        doing: what it is for, in words of the user: "read project 12".
        again: whether it may be sent twice; None: only what reads (GET, HEAD).
        params: the query; those that are None are left out.
        json: the body as JSON.
        data: makes the body anew for each attempt.
        headers: makes further headers for each attempt.
        keep: reads the body of a success piece by piece; without it the body is read into memory.
        interval_s: another pace than that of the manners.
    """

    method: str
    path: str
    doing: str
    again: bool | None = None
    params: Mapping[str, Any] | None = None
    json: Any = None
    data: Callable[[], bytes | Iterable[bytes]] | None = None
    headers: Callable[[], Mapping[str, str]] | None = None
    keep: Callable[[requests.Response], None] | None = None
    interval_s: float | None = None

    @property
    def repeatable(self) -> bool:
        """Whether it does no harm to send it twice."""
        return self.method in {"GET", "HEAD"} if self.again is None else self.again


class Wire:
    """Send requests to one server, at its pace, with one login.

    Args:
        server: address of the API, ends in /api.
        token: of a login; never shown again.
        manners: pace and patience.
        timeout_s: to connect, and between two pieces of an answer.

    Raises:
        ConfigError: the address is none, or a token would travel unprotected.
    """

    def __init__(
        self,
        server: str,
        token: str | None = None,
        manners: Manners | None = None,
        timeout_s: tuple[float, float] = TIMEOUT_S,
    ) -> None:
        self.server = checked_address(server)
        self.manners = manners or Manners()
        self.timeout_s = timeout_s
        self.token = token
        self._session = requests.Session()
        adapter = HTTPAdapter(pool_maxsize=self.manners.connections, pool_block=True)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)

    def __repr__(self) -> str:
        """Where it speaks to; nothing of the login."""
        return f"Wire({self.server!r}, {'logged in' if self.token else 'no login'})"

    def ask(self, method: str, path: str, doing: str, **options: Any) -> requests.Response:
        """Send a request (see `Request`) until it is answered, and return the answer of a success.

        Raises:
            RefusedError: no login, an expired one, or no right.
            RemoteError: no answer, or a failure of the server.
        """
        request = Request(method, path, doing, **options)
        for attempt in range(self.manners.attempts):
            last = attempt + 1 == self.manners.attempts
            try:
                answer = self._once(request)
            except requests.RequestException as error:
                safe = request.repeatable or never_sent(error)
                if last or not safe:
                    raise unreachable(error, doing, self.server, unsure=not safe) from None
                self.manners.pause(attempt)
                continue
            if answer.status_code < 300:
                return answer
            if last or not may_ask_again(answer.status_code, attempt, request.repeatable):
                raise error_of(answer.status_code, answer.headers, answer.text, doing, self.server)
            self.manners.pause(attempt, asked_pause_s(answer))
        raise AssertionError  # the last attempt returns or raises

    def json(self, method: str, path: str, doing: str, **options: Any) -> Any:
        """Like `ask`; returns what the answer says as JSON."""
        answer = self.ask(method, path, doing, **options)
        try:
            return answer.json()
        except ValueError:
            do = "check the address: that of an API ends in /api"
            raise RemoteError(f"could not {doing}: the answer is not JSON", where=self.server, do=do) from None

    def address(self, path: str) -> str:
        """Whole address of a path of the API."""
        return path if path.startswith(("http://", "https://")) else f"{self.server}/{path.lstrip('/')}"

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _once(self, request: Request) -> requests.Response:
        """One attempt, its whole body included."""
        with self.manners.turn(request.interval_s):
            answer = self._session.request(
                request.method,
                self.address(request.path),
                params={name: value for name, value in (request.params or {}).items() if value is not None},
                json=request.json,
                data=request.data() if request.data else None,
                headers=dict(request.headers()) if request.headers else None,
                auth=self._login,
                timeout=self.timeout_s,
                allow_redirects=False,
                stream=request.keep is not None,
            )
            if request.keep is not None:
                with answer:
                    if answer.status_code < 300:
                        request.keep(answer)
                    else:
                        _ = answer.content
            return answer

    def _login(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Put the token into a request; a login in ~/.netrc is not looked for."""
        if self.token:
            request.headers["Authorization"] = f"Bearer {self.token}"
        return request


def checked_address(server: str) -> str:
    """The address of an API without a slash at its end.

    Raises:
        ConfigError: it is no address, has a password in it, or is unprotected and not on this machine.
    """
    parts = urlsplit(server.strip())
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ConfigError("this is not the address of a server", where=server, do="it reads https://…/api")
    if parts.username or parts.password:
        raise ConfigError("a password does not belong in the address", do="log in with a token instead")
    local = parts.hostname in {"localhost", "127.0.0.1", "::1"}
    if parts.scheme == "http" and not local:
        raise ConfigError("the login would travel unprotected", where=server, do="write https:// instead of http://")
    return server.strip().rstrip("/")


def never_sent(error: requests.RequestException) -> bool:
    """Whether the request cannot have reached the server."""
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return True
    return isinstance(error, requests.exceptions.ConnectionError) and "NewConnectionError" in repr(error)


def may_ask_again(status: int, attempt: int, repeatable: bool) -> bool:
    """Whether another try may help: the server is busy, or failed for the first time at something repeatable."""
    if status == 429:
        return True
    return repeatable and (status in _BUSY or (status >= 500 and attempt == 0))


def asked_pause_s(answer: requests.Response) -> float | None:
    """Seconds the server asks to wait."""
    text = answer.headers.get("Retry-After", "")
    return float(text) if text.isdigit() else None
