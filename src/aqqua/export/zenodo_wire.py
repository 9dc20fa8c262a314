"""Requests to a Zenodo server: its pace, its patience, one token that nobody ever sees, and errors a person can act on.

After https://developers.zenodo.org (100 requests a minute; 429 with X-RateLimit-Reset, in practice with Retry-After).
"""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests

from aqqua.errors import ConfigError, RefusedError, RemoteError

__all__ = ["REAL", "SANDBOX", "TOKEN_ENV", "Patience", "Wire", "token_from_environment"]

SANDBOX, REAL = "https://sandbox.zenodo.org", "https://zenodo.org"
TOKEN_ENV = "AQQUA_ZENODO_TOKEN"  # noqa: S105 (the name of the variable, not a token)
_BUSY = {429, 502, 503, 504}
_MAX_TOLD = 500


@dataclass
class Patience:
    """Pace of requests, and what is done after a failure.

    Args:
        attempts: how often a request is tried in all.
        pause_s: after the first failure; it doubles with each further one.
        longest_s: no pause is longer, whatever the server asks for.
        interval_s: between two requests; Zenodo takes 100 a minute.
        timeout_s: to connect, and between two pieces of an answer.
        sleep: how to wait (tests do not).
        now: seconds since 1970.
    """

    attempts: int = 6
    pause_s: float = 2.0
    longest_s: float = 900.0
    interval_s: float = 0.65
    timeout_s: tuple[float, float] = (15.0, 600.0)
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.time

    def pause(self, attempt: int, answer: requests.Response | None = None) -> None:
        """Wait after a failed attempt (0 is the first): doubling, or as long as the server asks for."""
        asked = 0.0 if answer is None else self._asked_s(answer)
        self.sleep(min(max(self.pause_s * 2**attempt, asked), self.longest_s))

    def _asked_s(self, answer: requests.Response) -> float:
        after, reset = answer.headers.get("Retry-After", ""), answer.headers.get("X-RateLimit-Reset", "")
        if after.isdigit():
            return float(after)
        return max(float(reset) - self.now(), 0.0) if answer.status_code == 429 and reset.isdigit() else 0.0


def token_from_environment() -> str:
    """The token; only the environment is asked.

    Raises:
        RefusedError: there is none, or one that cannot be sent.
    """
    token = os.environ.get(TOKEN_ENV, "").strip()
    if not token:
        do = f"make one (account → Applications; scopes deposit:write, deposit:actions), then: export {TOKEN_ENV}=…"
        raise RefusedError("there is no token for Zenodo", where=TOKEN_ENV, do=do)
    if not token.isascii() or not token.isprintable() or " " in token:
        raise RefusedError("the token holds what no token holds", where=TOKEN_ENV, do="copy it again, in one line")
    return token


class Wire:
    """Speak with one server, with one token.

    Args:
        server: https://zenodo.org, its sandbox, or another server of that kind.
        token: never shown again.
        patience: pace and pauses.

    Raises:
        ConfigError: the token would travel unprotected.
    """

    def __init__(self, server: str, token: str, patience: Patience | None = None) -> None:
        self.server = _checked(server)
        self.patience = patience or Patience()
        self._token = token
        self._session = requests.Session()
        self._next = 0.0

    def __repr__(self) -> str:
        """Where it speaks to; nothing of the token."""
        return f"Wire({self.server!r})"

    def ask(
        self,
        method: str,
        path: str,
        doing: str,
        *,
        again: bool = True,
        json: Any = None,
        body: Callable[[], Any] | None = None,
    ) -> requests.Response:
        """Send a request until it is answered, and return the answer of a success.

        Args:
            method: GET, POST, PUT, DELETE.
            path: below the server, or a whole address there.
            doing: what it is for: "send data.parquet".
            again: whether it does no harm to be done twice.
            json: the body as JSON.
            body: makes the body anew for each attempt.

        Raises:
            RefusedError: the token is not valid, or has not the right.
            RemoteError: no answer, or a failure of the server.
        """
        address = self.address(path)
        for attempt in range(self.patience.attempts):
            last = attempt + 1 == self.patience.attempts
            try:
                answer = self._once(method, address, json, body)
            except requests.RequestException as error:
                if last or not (again or _never_sent(error)):
                    raise self._unreachable(error, doing, unsure=not again) from None
                self.patience.pause(attempt)
                continue
            if answer.status_code < 300:
                return answer
            if last or not _may_ask_again(answer.status_code, again):
                raise self._error(answer, doing)
            self.patience.pause(attempt, answer)
        raise AssertionError  # the last attempt returns or raises

    def json(self, method: str, path: str, doing: str, **options: Any) -> Any:
        """Like `ask`; returns what the answer says as JSON."""
        answer = self.ask(method, path, doing, **options)
        try:
            return answer.json()
        except ValueError:
            raise RemoteError(f"could not {doing}: the answer is not JSON", where=self.server) from None

    def address(self, path: str) -> str:
        """Whole address; one that a server gave must be of that server, or the token would go elsewhere.

        Raises:
            RemoteError: it is of another server.
        """
        if not path.startswith(("http://", "https://")):
            return f"{self.server}/{path.lstrip('/')}"
        if _origin(path) != _origin(self.server):
            raise RemoteError("the server sends us to another server", where=path, do="tell the server's people")
        return path

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _once(self, method: str, address: str, json: Any, body: Callable[[], Any] | None) -> requests.Response:
        wait_s = self._next - time.monotonic()
        if wait_s > 0:
            self.patience.sleep(wait_s)
        self._next = time.monotonic() + self.patience.interval_s
        data = body() if body else None
        headers = {"Content-Type": "application/octet-stream"} if body else None
        try:
            return self._session.request(
                method,
                address,
                json=json,
                data=data,
                headers=headers,
                auth=self._login,
                timeout=self.patience.timeout_s,
                allow_redirects=False,
            )
        finally:
            if isinstance(data, io.IOBase):
                data.close()

    def _login(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Put the token into a header, where no log of addresses sees it."""
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request

    def _error(self, answer: requests.Response, doing: str) -> RemoteError:
        status, said = answer.status_code, _said(answer).replace(self._token, "…")
        what = f"could not {doing}: "
        if status == 401:
            do = f"make a new token and put it into {TOKEN_ENV}; sandbox and zenodo.org have tokens of their own"
            return RefusedError(
                f"{what}the token is not valid, or has expired", where=self.server, do=do, status=status
            )
        if status == 403:
            do = "the token needs deposit:write and deposit:actions, and the record must be yours"
            return RefusedError(f"{what}the token has not the right for it", where=self.server, do=do, status=status)
        reasons = {
            404: ("the server knows nothing of it", "check the number of the record; a draft may have been discarded"),
            413: (f"there is no room for it ({said})", "ask Zenodo for more room (50 GB are usual), or send less"),
            429: ("the server asks for fewer requests", "come back later: what was sent stays there"),
        }
        usual = (
            ("the server failed", "run it again later: what was sent stays there") if status >= 500 else (said, None)
        )
        reason, advice = reasons.get(status, usual)
        return RemoteError(f"{what}{reason} (HTTP {status})", where=self.server, do=advice, status=status)

    def _unreachable(self, error: requests.RequestException, doing: str, *, unsure: bool) -> RemoteError:
        if isinstance(error, requests.exceptions.SSLError):
            reason = "its certificate is not valid"
        elif isinstance(error, requests.exceptions.Timeout):
            reason = "it did not answer in time"
        else:
            reason = "the connection failed or broke off"
        doubt = (
            "; it may have been done all the same: look at your uploads, and discard what is double" if unsure else ""
        )
        do = "check the network, then run it again: what was sent stays there"
        return RemoteError(f"could not {doing}: {reason}{doubt}", where=self.server, do=do)


def _checked(server: str) -> str:
    parts = urlsplit(server.strip())
    local = parts.hostname in {"localhost", "127.0.0.1", "::1"}
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.query:
        raise ConfigError("this is not the address of a server", where=server, do=f"it reads {REAL}")
    if parts.scheme == "http" and not local:
        raise ConfigError("the token would travel unprotected", where=server, do="write https://")
    return server.strip().rstrip("/")


def _origin(address: str) -> tuple[str, str, int | None]:
    parts = urlsplit(address)
    return parts.scheme, parts.hostname or "", parts.port


def _never_sent(error: requests.RequestException) -> bool:
    """Whether the request cannot have reached the server."""
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return True
    return isinstance(error, requests.exceptions.ConnectionError) and "NewConnectionError" in repr(error)


def _may_ask_again(status: int, again: bool) -> bool:
    """Whether another try may help: nothing was done (429), or it may be done twice and the server failed."""
    return status == 429 or (again and (status in _BUSY or status >= 500))


def _said(answer: requests.Response) -> str:
    """What an error says, with the fields it complains about."""
    try:
        said = answer.json()
        errors = [
            f"{one.get('field', '')}: {one.get('message') or one.get('messages')}" for one in said.get("errors", [])
        ]
        return "; ".join([str(said.get("message", "")), *errors])[:_MAX_TOLD]
    except (ValueError, AttributeError, TypeError):
        return "it does not say why"
