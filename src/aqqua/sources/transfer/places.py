"""What a place is from which files can be fetched, and which address means which."""

from __future__ import annotations

import importlib
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from aqqua.errors import ConfigError, UnknownNameError, UnsafeInputError
from aqqua.sources.archive import safe_name

__all__ = [
    "BLOCK_BYTES",
    "PLACES",
    "Login",
    "Place",
    "RemoteFile",
    "Stream",
    "inside",
    "login_for",
    "place_of",
    "without_login",
]

BLOCK_BYTES = 1 << 16
"""Read and written at a time; what is lost when a line breaks in the middle of one."""
USER_ENV, PASSWORD_ENV = "AQQUA_FETCH_USER", "AQQUA_FETCH_PASSWORD"

PLACES = {
    "http": "aqqua.sources.transfer.web:Web",
    "https": "aqqua.sources.transfer.web:Web",
    "nextcloud": "aqqua.sources.transfer.webdav:NextcloudShare",
    "dav": "aqqua.sources.transfer.webdav:WebDav",
    "davs": "aqqua.sources.transfer.webdav:WebDav",
    "zenodo": "aqqua.sources.transfer.zenodo:Zenodo",
    "doi": "aqqua.sources.transfer.doi:Doi",
    "ftp": "aqqua.sources.transfer.ftp:Ftp",
    "ftps": "aqqua.sources.transfer.ftp:Ftp",
    "s3": "aqqua.sources.transfer.s3:S3",
    "file": "aqqua.sources.transfer.local:Local",
}
"""Kind of place (mostly the scheme of the address) → its class."""


@dataclass(frozen=True)
class Login:
    """Who asks; never printed, never written down.

    Args:
        user: name of the account.
        password: its password.
    """

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class RemoteFile:
    """A file at a place.

    Args:
        name: path it shall have in the target folder, with `/`.
        address: where it is, without login.
        size: in bytes, None if the place does not say.
        stamp: changes when the content does (ETag, or time of change); None if the place does not say.
        checksum: as `sha256:…`, `md5:…`, `sha1:…`, if the place knows it.
    """

    name: str
    address: str
    size: int | None = None
    stamp: str | None = None
    checksum: str | None = None


@dataclass(frozen=True)
class Stream:
    """An opened file.

    Args:
        start: byte at which `blocks` begin: as asked, or 0 if the place cannot resume or the file has changed.
        size: of the whole file in bytes, None if the place does not say.
        stamp: of what is being read.
        blocks: the bytes.
    """

    start: int
    size: int | None
    stamp: str | None
    blocks: Iterator[bytes]


class Place(ABC):
    """Where files come from: lists them, and opens each from any byte on.

    Args:
        address: as the user gave it, without login.
        login: of the user, if they gave one.
        timeout_s: how long to wait for an answer.
    """

    def __init__(self, address: str, login: Login | None = None, *, timeout_s: float = 60.0) -> None:
        self.address, self.login, self.timeout_s = address, login, timeout_s

    @abstractmethod
    def files(self) -> list[RemoteFile]:
        """All files, in the order of their names.

        Raises:
            RemoteError: it cannot be reached, or has no such folder.
        """

    @abstractmethod
    def open(self, file: RemoteFile, start: int = 0, stamp: str | None = None) -> AbstractContextManager[Stream]:
        """Open a file from a byte on, if it is still the one with this stamp, else from its beginning.

        Raises:
            RemoteError: it cannot be reached; `status` 404, 410: the file is gone.
            RefusedError: the login or a right is missing.
        """

    def close(self) -> None:  # noqa: B027  most places keep nothing open
        """Let go of connections."""


def place_of(address: str, *, timeout_s: float = 60.0) -> Place:
    """The place an address means.

    Args:
        address: `https://…`, a Nextcloud share, a Zenodo record, `davs://…`, `ftp://…`, `s3://bucket/…`, or a path.
        timeout_s: how long to wait for an answer.

    Raises:
        UnknownNameError: nobody knows this kind of address.
        ConfigError: it is no address at all.
    """
    kind = kind_of(address)
    if kind not in PLACES:
        raise UnknownNameError("kind of address", kind, PLACES, where=without_login(address))
    module, _, name = PLACES[kind].partition(":")
    made: Place = getattr(importlib.import_module(module), name)(
        without_login(address), login_for(address), timeout_s=timeout_s
    )
    return made


def kind_of(address: str) -> str:
    """Which of `PLACES` an address means."""
    parts = urlsplit(address)
    if len(parts.scheme) < 2:  # a path, perhaps with a drive letter
        return "file"
    if parts.scheme not in {"http", "https"}:
        return parts.scheme
    if not parts.hostname:
        raise ConfigError("the address names no server", where=without_login(address), do="write https://server/path")
    steps = [step for step in parts.path.split("/") if step]
    if (
        parts.hostname in {"zenodo.org", "sandbox.zenodo.org"}
        and steps[:1] in (["record"], ["records"])
        and len(steps) == 2
    ):
        return "zenodo"
    if "s" in steps[:-1] and len(steps) - steps.index("s") == 2 and "." not in steps[-1]:
        return "nextcloud"
    return parts.scheme


def login_for(address: str) -> Login | None:
    """The login in the address, else that of the environment (AQQUA_FETCH_USER, AQQUA_FETCH_PASSWORD)."""
    parts = urlsplit(address)
    if parts.username is not None and len(parts.scheme) > 1:
        return Login(unquote(parts.username), unquote(parts.password or ""))
    password = os.environ.get(PASSWORD_ENV)
    return None if password is None else Login(os.environ.get(USER_ENV, ""), password)


def without_login(address: str) -> str:
    """An address that may be printed and written down."""
    parts = urlsplit(address)
    if "@" not in parts.netloc:
        return address
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def inside(folder: Path, name: str) -> Path:
    """Where a file of a place goes.

    Raises:
        UnsafeInputError: the name would lead out of the folder.
    """
    clean = safe_name(name, str(folder))
    steps = clean.split("/")
    if "" in steps or any(ord(letter) < 32 for letter in clean) or clean.endswith((".part", ".part.json")):
        do = "ask the owner to rename it"
        raise UnsafeInputError(f"a file at this place is called {name!r}: no name a file can have here", do=do)
    return folder / clean
