"""Folders on a WebDAV server, and Nextcloud or ownCloud shares by their link; everything below is fetched.

Addresses of public shares: `public.php/dav/files/TOKEN`, password by the user `anonymous` (Nextcloud 29 and later);
before that, and in ownCloud, `public.php/webdav` with the token as user (Nextcloud developer manual, "WebDAV basics").
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urljoin, urlsplit, urlunsplit
from xml.etree import ElementTree

from aqqua.errors import RemoteError
from aqqua.sources.transfer.places import Login, Place, RemoteFile, Stream
from aqqua.sources.transfer.web import Web

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    import requests

__all__ = ["NextcloudShare", "WebDav"]

_DAV = "{DAV:}"
_CHECKSUMS = "{http://owncloud.org/ns}checksums/{http://owncloud.org/ns}checksum"
_ASK = (
    b'<?xml version="1.0"?><d:propfind xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns"><d:prop><d:resourcetype/>'
    b"<d:getcontentlength/><d:getetag/><d:getlastmodified/><oc:checksums/></d:prop></d:propfind>"
)
_MAX_ANSWER_BYTES = 64 << 20
_MAX_FOLDERS = 100_000


class WebDav(Web):
    """A file, or a folder with all below it, at a `davs://server/path` (or `dav://`, without encryption) address."""

    def __init__(self, address: str, login: Login | None = None, *, timeout_s: float = 60.0) -> None:
        parts = urlsplit(address)
        scheme = {"davs": "https", "dav": "http"}.get(parts.scheme, parts.scheme)
        super().__init__(urlunsplit(parts._replace(scheme=scheme)), login, timeout_s=timeout_s)

    def files(self) -> list[RemoteFile]:
        """All files below the address."""
        found: dict[str, RemoteFile] = {}
        waiting, seen = [self.address], set[str]()
        while waiting:
            folder = waiting.pop()
            if folder in seen or len(seen) > _MAX_FOLDERS:
                continue
            seen.add(folder)
            for address, file in self._entries(folder):
                if file is None:
                    waiting.append(address)
                else:
                    found[file.name] = file
        return [found[name] for name in sorted(found)]

    def sign(self, session: requests.Session, login: Login | None) -> None:
        """With the login, and the header without which Nextcloud answers no listing of a public share."""
        super().sign(session, login)
        session.headers["X-Requested-With"] = "XMLHttpRequest"

    def _entries(self, folder: str) -> Iterator[tuple[str, RemoteFile | None]]:
        """What one folder holds: files, and None for each folder in it."""
        headers = {"Depth": "1", "Content-Type": "application/xml"}
        with self.ask("PROPFIND", folder, headers=headers, data=_ASK, stream=True) as answer:
            body = answer.raw.read(_MAX_ANSWER_BYTES + 1, decode_content=True)
            here = answer.url
        root = _parsed(body, folder)
        for entry in root.iter(f"{_DAV}response"):
            address = urljoin(here, entry.findtext(f"{_DAV}href") or "")
            inner = self._below(address)
            if inner is None:
                continue
            if entry.find(f".//{_DAV}resourcetype/{_DAV}collection") is None:
                yield address, _file(entry, address, inner or unquote(urlsplit(address).path.rpartition("/")[2]))
            elif _path(address) != _path(folder):
                yield address, None

    def _below(self, address: str) -> str | None:
        """The name of something below our address; None for what is not (a server must not send us elsewhere)."""
        mine, other = urlsplit(self.address), urlsplit(address)
        root, path = _path(self.address), _path(address)
        if (mine.hostname, mine.port) != (other.hostname, other.port):
            return None
        return "" if path == root else path.removeprefix(f"{root}/") if path.startswith(f"{root}/") else None


class NextcloudShare(Place):
    """A link to a share: `https://cloud.example.org/s/TOKEN`; a password comes as login (the user does not matter)."""

    def files(self) -> list[RemoteFile]:
        """All files of the share."""
        new = self._dav(f"dav/files/{self._token}", "anonymous")
        try:
            files = new.files()
        except RemoteError as error:
            if error.status not in {401, 403, 404, 405, 501}:
                raise
            new.close()
            new = self._dav("webdav", self._token, always=True)
            files = new.files()
        self._inner = new
        return [file if file.name else replace(file, name=self._token) for file in files]

    @contextmanager
    def open(self, file: RemoteFile, start: int = 0, stamp: str | None = None) -> Iterator[Stream]:
        """Open a file of the share."""
        if not hasattr(self, "_inner"):
            self.files()
        opened: AbstractContextManager[Stream] = self._inner.open(file, start, stamp)
        with opened as stream:
            yield stream

    def close(self) -> None:
        """Close the connections."""
        if hasattr(self, "_inner"):
            self._inner.close()

    @property
    def _token(self) -> str:
        return urlsplit(self.address).path.rstrip("/").rpartition("/")[2]

    def _dav(self, way: str, user: str, *, always: bool = False) -> WebDav:
        parts = urlsplit(self.address)
        before = parts.path.partition("/s/")[0].removesuffix("/index.php")
        address = urlunsplit((parts.scheme, parts.netloc, f"{before}/public.php/{quote(way)}", "", ""))
        login = Login(user, self.login.password if self.login else "") if self.login or always else None
        return WebDav(address, login, timeout_s=self.timeout_s)


def _parsed(body: bytes, where: str) -> ElementTree.Element:
    """The answer as XML; entities, which can be made to fill the memory, are refused."""
    if len(body) > _MAX_ANSWER_BYTES or b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise RemoteError("the server's listing is none that can be trusted", where=where, do="fetch the files by hand")
    try:
        return ElementTree.fromstring(body)  # noqa: S314  no document type, bounded size
    except ElementTree.ParseError as error:
        do = "check the address in a browser; is it a WebDAV folder?"
        raise RemoteError("the server's listing cannot be read", where=where, do=do) from error


def _file(entry: ElementTree.Element, address: str, name: str) -> RemoteFile:
    size = (entry.findtext(f".//{_DAV}getcontentlength") or "").strip()
    stamp = entry.findtext(f".//{_DAV}getetag") or entry.findtext(f".//{_DAV}getlastmodified")
    told = (entry.findtext(f".//{_CHECKSUMS}") or "").split()
    known = {kind.lower(): digest.lower() for kind, _, digest in (word.partition(":") for word in told)}
    checksum = next((f"{kind}:{known[kind]}" for kind in ("sha256", "md5", "sha1") if kind in known), None)
    return RemoteFile(name, address, int(size) if size.isdigit() else None, stamp, checksum)


def _path(address: str) -> str:
    return unquote(urlsplit(address).path).rstrip("/")
