"""Files on a web server: resumed by `Range` if the server's ETag or time of change says it is still the same file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.message import Message
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from aqqua.errors import RefusedError, RemoteError
from aqqua.sources.transfer.places import BLOCK_BYTES, PASSWORD_ENV, USER_ENV, Login, Place, RemoteFile, Stream

if TYPE_CHECKING:
    import requests

__all__ = ["BusyError", "Web", "answer_error", "stamp_of"]

_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")
_PLAIN = {"Accept-Encoding": "identity"}  # a packed answer could not be resumed by its byte count


class Web(Place):
    """One file at an http or https address."""

    def files(self) -> list[RemoteFile]:
        """The file behind the address, named as the server or else the address says."""
        with self.ask("GET", self.address, stream=True) as answer:
            name = _given_name(answer.headers) or unquote(urlsplit(answer.url).path.rstrip("/").rpartition("/")[2])
            checksum = _checksum(answer.headers)
            return [RemoteFile(name or "download", self.address, _length(answer), stamp_of(answer.headers), checksum)]

    @contextmanager
    def open(self, file: RemoteFile, start: int = 0, stamp: str | None = None) -> Iterator[Stream]:
        """Ask for the rest of a file, or the whole of it if it has changed or the server cannot do ranges."""
        headers = dict(_PLAIN)
        if start and stamp:
            headers["Range"] = f"bytes={start}-"
            if not stamp.startswith("W/"):  # a weak ETag may not be sent with If-Range (RFC 9110, 13.1.5)
                headers["If-Range"] = stamp
        with self.ask("GET", file.address, headers=headers, stream=True, fine=(416,)) as answer:
            now = stamp_of(answer.headers)
            told = _RANGE.match(answer.headers.get("Content-Range", ""))
            same = answer.status_code == 206 and told is not None and int(told[1]) == start and now in (stamp, None)
            if same and told is not None:
                size = None if told[2] == "*" else int(told[2])
                yield Stream(start, size, stamp, self._blocks(answer, file))
            elif answer.status_code == 200:
                yield Stream(0, _length(answer), now, self._blocks(answer, file))
            else:  # 416, or a part of something else: begin anew
                with self.ask("GET", file.address, headers=_PLAIN, stream=True) as whole:
                    yield Stream(0, _length(whole), stamp_of(whole.headers), self._blocks(whole, file))

    @contextmanager
    def ask(
        self,
        method: str,
        address: str,
        *,
        headers: Mapping[str, str] | None = None,
        fine: tuple[int, ...] = (),
        **options: Any,
    ) -> Iterator[requests.Response]:
        """Send a request; its connection is free again when the block ends.

        Raises:
            RemoteError: no answer, or one that says no.
            RefusedError: the login or a right is missing.
        """
        import requests

        try:
            with self._session.request(
                method, address, headers=headers, timeout=(15.0, self.timeout_s), **options
            ) as answer:
                if answer.status_code >= 300 and answer.status_code not in fine:
                    raise answer_error(answer.status_code, address, _asked_wait(answer.headers))
                yield answer
        except requests.RequestException as error:
            raise _no_answer(error, address) from error

    def close(self) -> None:
        """Close the connections."""
        if "_session" in self.__dict__:
            self._session.close()

    def sign(self, session: requests.Session, login: Login | None) -> None:
        """Put the login into the requests; without one, `~/.netrc` is asked."""
        if login is not None:
            session.auth = (login.user, login.password)

    @cached_property
    def _session(self) -> requests.Session:
        import requests

        session = requests.Session()
        session.headers["User-Agent"] = "aqqua (plankton images; https://aqqua.readthedocs.io)"
        session.max_redirects = 8
        session.hooks["response"] = [_refuse_downgrade]
        self.sign(session, self.login)
        return session

    def _blocks(self, answer: requests.Response, file: RemoteFile) -> Iterator[bytes]:
        import requests

        try:
            yield from answer.iter_content(BLOCK_BYTES)
        except (requests.RequestException, OSError) as error:
            raise _no_answer(error, file.address) from error


def stamp_of(headers: Mapping[str, str]) -> str | None:
    """What changes with the content: the ETag, else the time of change."""
    return headers.get("ETag") or headers.get("Last-Modified")


def answer_error(status: int, address: str, wait_s: float | None = None) -> RemoteError | RefusedError:
    """The error an HTTP status stands for, in words of the person who fetches."""
    told = f"{address} (HTTP {status})"
    if status in {401, 407}:
        do = f"put the login into {USER_ENV} and {PASSWORD_ENV}, or into ~/.netrc"
        return RefusedError("the server wants a login, or does not accept this one", where=told, do=do, status=status)
    if status == 403:
        do = "ask the owner for access; a share may also have ended"
        return RefusedError("the server refuses the file", where=told, do=do, status=status)
    if status in {404, 410}:
        do = "check the address; a share may have ended"
        return RemoteError("there is no such file or folder", where=told, do=do, status=status)
    if status in {429, 503}:
        later = f" for {wait_s:.0f} s" if wait_s else ""
        return BusyError(
            f"the server asks to wait{later}", where=told, do="try again later", status=status, wait_s=wait_s
        )
    do = "try again later; what came stays, and is not fetched twice" if status >= 500 else "check the address"
    return RemoteError(
        "the server failed" if status >= 500 else "the server does not give it", where=told, do=do, status=status
    )


class BusyError(RemoteError):
    """A server that asks to wait."""

    def __init__(self, what: str, *, wait_s: float | None = None, **rest: Any) -> None:
        super().__init__(what, **rest)
        self.wait_s = wait_s


def _no_answer(error: Exception, address: str) -> RemoteError:
    import requests

    if isinstance(error, requests.exceptions.SSLError):
        reason, do = "the certificate of the server is not valid", "check the address, and the date of this machine"
    elif isinstance(error, requests.exceptions.Timeout):
        reason, do = "the server did not answer in time", "try again later; what came stays, and is not fetched twice"
    elif isinstance(error, requests.exceptions.TooManyRedirects):
        reason, do = "the server sends us on and on", "check the address in a browser"
    elif isinstance(error, (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema)):
        reason, do = "this is no address of a file", "write https://server/path"
    else:
        reason, do = "the connection failed or broke off", "check the network and the address, then run it again"
    return RemoteError(reason, where=address, do=do)


def _refuse_downgrade(answer: requests.Response, *args: Any, **kwargs: Any) -> None:
    to = answer.headers.get("Location", "")
    if answer.is_redirect and answer.url.startswith("https:") and to.startswith("http:"):
        raise RemoteError(
            "the server sends us on to an address without encryption",
            where=answer.url,
            do="ask the owner for another link",
        )


def _length(answer: requests.Response) -> int | None:
    told = answer.headers.get("Content-Length", "")
    return int(told) if told.isdigit() and "Content-Encoding" not in answer.headers else None


def _given_name(headers: Mapping[str, str]) -> str | None:
    """The file name of `Content-Disposition`, without any folder."""
    message = Message()
    message["Content-Disposition"] = headers.get("Content-Disposition", "")
    name = message.get_filename()
    return name.replace("\\", "/").rpartition("/")[2] if name else None


def _checksum(headers: Mapping[str, str]) -> str | None:
    """SHA-256 by `Repr-Digest` (RFC 9530), if the server says it."""
    import base64
    import binascii

    told = re.search(r"sha-256=:([A-Za-z0-9+/=]+):", headers.get("Repr-Digest", ""))
    try:
        return f"sha256:{base64.b64decode(told[1], validate=True).hex()}" if told else None
    except binascii.Error:
        return None


def _asked_wait(headers: Mapping[str, str]) -> float | None:
    told = headers.get("Retry-After", "")
    return float(told) if told.isdigit() else None
