"""Images of EcoTaxa's vault, by the name the API gives (`img.file_name`).

Their addresses need no login, even in private projects: treat them as secrets.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import requests

from aqqua.errors import RemoteError, UnsafeInputError
from aqqua.sources.ecotaxa_api.client import EcotaxaClient

__all__ = ["fetch_image", "vault_path"]

MAX_IMAGE_BYTES = 256 * 2**20
_NAME = re.compile(r"\d{4,}/\d{4}\.[A-Za-z0-9]{1,8}")
_INTERVAL_S = 0.02
"""Images are files that the server only hands out; the API itself is asked at a slower pace."""


def vault_path(imgid: int, suffix: str) -> str:
    """Name of an image in the vault.

    >>> vault_path(11002, ".png")
    '0001/1002.png'
    """
    return f"{imgid // 10000:04d}/{imgid % 10000:04d}{suffix}"


def fetch_image(client: EcotaxaClient, file_name: str) -> bytes:
    """The bytes of an image file, as they were imported.

    Args:
        client: where to ask.
        file_name: as the API says it: "0000/1000.png".

    Raises:
        UnsafeInputError: the name leads elsewhere, or the file is larger than an image can be.
        RemoteError: it is not there, or did not come whole.
    """
    if not _NAME.fullmatch(file_name):
        raise UnsafeInputError("this is not the name of an image in the vault", where=repr(file_name))
    *others, last = _vaults(client)
    for vault in others:
        try:
            return _fetch(client, vault, file_name)
        except RemoteError as error:
            if error.status != 404:
                raise
    found = _fetch(client, last, file_name)
    client.vault = last
    return found


def _fetch(client: EcotaxaClient, vault: str, file_name: str) -> bytes:
    taken = bytearray()

    def keep(answer: requests.Response) -> None:
        taken.clear()
        for piece in answer.iter_content(2**16):
            taken.extend(piece)
            if len(taken) > MAX_IMAGE_BYTES:
                raise UnsafeInputError("this image file is larger than an image can be", where=file_name)

    client.wire.ask("GET", f"{vault}/{file_name}", f"fetch image {file_name}", interval_s=_INTERVAL_S, keep=keep)
    return bytes(taken)


def _vaults(client: EcotaxaClient) -> list[str]:
    """Where images may be: production has them beside the API, a bare back-end below it."""
    if client.vault:
        return [client.vault]
    parts = urlsplit(client.server)
    return [f"{parts.scheme}://{parts.netloc}/vault", f"{client.server}/vault"]
