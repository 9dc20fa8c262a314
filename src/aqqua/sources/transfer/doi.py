"""A record by its DOI: `doi:10.5281/zenodo.1234567`."""

from __future__ import annotations

import os
import re
from urllib.parse import quote, urlsplit

from aqqua.errors import ConfigError, RemoteError
from aqqua.sources.transfer.places import Login, RemoteFile
from aqqua.sources.transfer.zenodo import Zenodo

__all__ = ["RESOLVER_ENV", "Doi", "bare_doi"]

RESOLVER, RESOLVER_ENV = "https://doi.org", "AQQUA_DOI_RESOLVER"
"""Who knows where a DOI leads, and the variable that names another: a mirror, or a server of tests."""

_DOI = re.compile(r"(?:doi:|(?:https?://)?(?:dx\.)?doi\.org/)(10\.\d{4,9}/[^\s?#]+)", re.IGNORECASE)
_RECORD = re.compile(r"/records?/\d+/?$")


def bare_doi(text: str) -> str | None:
    """`10.5281/zenodo.1` of `doi:10.5281/zenodo.1` or `https://doi.org/10.5281/zenodo.1`; None if it is no DOI."""
    found = _DOI.fullmatch(text.strip())
    return found[1].lower() if found else None


class Doi(Zenodo):
    """The Zenodo record that a DOI leads to; the resolver is asked where that is.

    Args:
        address: the DOI, with `doi:` before it.
        login: not used: published records are open.
        timeout_s: how long to wait for an answer.
    """

    def __init__(self, address: str, login: Login | None = None, *, timeout_s: float = 60.0) -> None:
        doi = bare_doi(address)
        if doi is None:
            raise ConfigError(f"{address!r} is no DOI", do="write it as doi:10.5281/zenodo.1234567")
        super().__init__(address, None, timeout_s=timeout_s)
        self.doi = doi

    def files(self) -> list[RemoteFile]:
        """The files of the record."""
        resolver = (os.environ.get(RESOLVER_ENV) or RESOLVER).rstrip("/")
        with self.ask("GET", f"{resolver}/{quote(self.doi, safe='/')}", stream=True) as answer:
            there = answer.url
        if not _RECORD.search(urlsplit(there).path):
            do = "open the address in a browser, and fetch the files by their own addresses"
            raise RemoteError(f"doi:{self.doi} leads to no Zenodo record", where=there, do=do)
        self.address = there
        return super().files()
