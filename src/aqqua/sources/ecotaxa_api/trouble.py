"""What a failed request says, in words a person can act on; EcoTaxa answers in JSON, tracebacks, or a proxy's HTML."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import requests

from aqqua.errors import RefusedError, RemoteError

__all__ = ["detail_of", "error_of", "last_line_of_traceback", "unreachable"]

_LONGEST = 500
_EXCEPTION = re.compile(r"^[A-Za-z_][\w.]*(?:Error|Exception|Timeout|Exit|Violation)\b.*$", re.MULTILINE)
_DETAIL = re.compile(r"^DETAIL:\s*(.+)$", re.MULTILINE)


def error_of(status: int, headers: Mapping[str, str], body: str, doing: str, server: str) -> RemoteError | RefusedError:
    """The error an answer stands for.

    Args:
        status: HTTP status.
        headers: of the answer; names in any case.
        body: of the answer.
        doing: what the request was for.
        server: whom it was sent to.
    """
    said = detail_of(headers.get("Content-Type", ""), body)
    what = f"could not {doing}: "
    if status in {301, 302, 303, 307, 308}:
        to = headers.get("Location", "another address")
        return RemoteError(f"{what}the server sends us on to {to}", where=server, do="use that address", status=status)
    if status == 401:
        do = "log in again: without AQQUA_ECOTAXA_TOKEN the password is asked for"
        return RefusedError(f"{what}the login has expired or is not valid", where=server, do=do, status=status)
    if status == 403:
        no_login = said == "Not authenticated"
        reason = "there is no login" if no_login else "this account has not the right for it"
        do = "set AQQUA_ECOTAXA_TOKEN, or log in" if no_login else "ask a manager of the project for the right"
        return RefusedError(what + reason, where=server, do=do, status=status)
    reasons = {
        404: "the server knows nothing of it",
        413: "it is larger than the server takes",
        422: f"the server did not accept it: {said}",
        429: "the server asks for fewer requests",
    }
    do_now = {404: "check the number", 422: None, 429: "come back later"}.get(
        status, "try again later; if it stays, tell the server's people" if status >= 500 else None
    )
    reason = reasons.get(status, f"the server failed ({status}): {said or 'it does not say why'}")
    return RemoteError(what + reason, where=server, do=do_now, status=status)


def unreachable(error: requests.RequestException, doing: str, server: str, *, unsure: bool) -> RemoteError:
    """The error for a request without an answer.

    Args:
        error: what went wrong.
        doing: what the request was for.
        server: whom it was sent to.
        unsure: the server may have done what it was asked for.
    """
    if isinstance(error, requests.exceptions.SSLError):
        reason, do = "its certificate is not valid", "check the address, and the date of this machine"
    elif isinstance(error, requests.exceptions.Timeout):
        reason, do = "it did not answer in time", "try again later"
    else:
        reason, do = "the connection failed", "check the network and the address, then try again"
    doubt = "; it may have been done all the same" if unsure else ""
    return RemoteError(f"could not {doing}: {reason}{doubt}", where=server, do=do)


def detail_of(kind: str, body: str) -> str:
    """What the body of a failure says, in one line.

    Args:
        kind: its content type.
        body: JSON with a detail, a traceback, or a page of HTML (of which nothing is worth telling).
    """
    if "json" in kind:
        try:
            said = json.loads(body)
        except ValueError:
            return ""
        return _detail(said.get("detail", said) if isinstance(said, dict) else said)
    return "" if "html" in kind or body.lstrip().startswith("<") else last_line_of_traceback(body)


def last_line_of_traceback(text: str) -> str:
    """The exception a traceback ends with, and PostgreSQL's detail, without the statement that failed."""
    exceptions = _EXCEPTION.findall(text)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    line = exceptions[-1] if exceptions else (lines[-1] if lines else "")
    detail = _DETAIL.findall(text)
    return f"{line} {detail[-1]}"[:_LONGEST].strip() if detail else line[:_LONGEST]


def _detail(said: Any) -> str:
    if isinstance(said, list):
        return "; ".join(_detail(part) for part in said)[:_LONGEST]
    if isinstance(said, dict) and "loc" in said:
        return f"{'.'.join(map(str, said['loc']))}: {said.get('msg', 'wrong')}"
    return str(said)[:_LONGEST]
