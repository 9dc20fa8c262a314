"""Put a zip into the user's folder on the server: in one request, or piece by piece where it is large.

EcoTaxa unpacks a zip at once and keeps the folder of a failed import; a second one of the same name would mix with it.
So every upload gets a name of its own.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

from aqqua.errors import ConfigError, NotFoundError, RemoteError
from aqqua.sources.ecotaxa_api.client import EcotaxaClient

__all__ = ["MAX_UPLOAD_BYTES", "upload"]

MAX_UPLOAD_BYTES = 681_574_400
"""`max_upload_size` of /constants; larger files go by the resumable way (tus)."""
_PIECE = 2**20
_TUS_PIECE = 32 * 2**20
_TUS = {"Tus-Resumable": "1.0.0"}


def upload(client: EcotaxaClient, path: Path, *, resumable_above: int = 64 * 2**20) -> str:
    """Upload a zip, and return the source path for `start_import`.

    Args:
        client: where to.
        path: a zip.
        resumable_above: larger files (bytes) are sent in pieces, so that a cut connection costs only one.

    Raises:
        NotFoundError: there is no such file.
        ConfigError: it is not a zip.
        RemoteError: it did not get through.
    """
    if not path.is_file():
        raise NotFoundError("there is no file to upload", where=path)
    if path.suffix.lower() != ".zip":
        raise ConfigError("EcoTaxa takes zips", where=path, do="pack the tables and images into a zip")
    stem = f"{path.stem[:80]}_{secrets.token_hex(4)}"
    if path.stat().st_size > min(resumable_above, MAX_UPLOAD_BYTES):
        _upload_in_pieces(client, path, f"{stem}.zip")
    else:
        _upload_at_once(client, path, f"{stem}.zip")
    return f"/{stem}"


def _upload_at_once(client: EcotaxaClient, path: Path, name: str) -> None:
    """One multipart request; the file is read as it is sent."""
    edge = f"aqqua{secrets.token_hex(12)}"
    safe = name.encode("ascii", "replace").decode().replace('"', "_")
    head = (
        f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="{safe}"\r\n'
        "Content-Type: application/zip\r\n\r\n"
    ).encode()
    tail = f"\r\n--{edge}--\r\n".encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={edge}"}
    body = _Parts(head, path, tail)
    client.wire.ask("POST", "user_files/", f"upload {path.name}", data=lambda: body, headers=lambda: headers)


@dataclass(frozen=True)
class _Parts:
    """A body whose length is known, so that it is not sent in chunks."""

    head: bytes
    path: Path
    tail: bytes

    def __len__(self) -> int:
        return len(self.head) + self.path.stat().st_size + len(self.tail)

    def __iter__(self) -> Iterator[bytes]:
        yield self.head
        with self.path.open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece
        yield self.tail


def _upload_in_pieces(client: EcotaxaClient, path: Path, name: str) -> None:
    """The tus protocol: make an empty file, then append pieces from where the server says it is."""
    doing = f"upload {path.name}"
    size = path.stat().st_size
    words = base64.b64encode(name.encode()).decode()
    made = client.wire.ask(
        "POST",
        "user_files/upload/",
        doing,
        again=True,
        headers=lambda: {**_TUS, "Upload-Length": str(size), "Upload-Metadata": f"filename {words}"},
    )
    if "Location" not in made.headers:
        raise RemoteError(f"could not {doing}: the server names no place", where=client.server)
    place = urljoin(f"{client.server}/user_files/upload/", made.headers["Location"])
    if not place.startswith(client.server):
        raise RemoteError(f"could not {doing}: the server names a place elsewhere", where=place)
    offset = failures = 0
    with path.open("rb") as file:
        while offset < size:
            file.seek(offset)
            before, offset = offset, _send_piece(client, place, file.read(_TUS_PIECE), offset, doing)
            failures = 0 if offset > before else failures + 1
            if failures == client.wire.manners.attempts:
                raise RemoteError(f"could not {doing}: it stays at byte {offset:,} of {size:,}", where=client.server)


def _send_piece(client: EcotaxaClient, place: str, piece: bytes, offset: int, doing: str) -> int:
    """Append a piece, and return where the server is now, which it is asked if the answer did not come."""
    headers = {**_TUS, "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
    try:
        answer = client.wire.ask("PATCH", place, doing, data=lambda: piece, headers=lambda: headers)
        return int(answer.headers["Upload-Offset"])
    except RemoteError as error:
        if error.status not in {None, 409, 502, 503, 504}:
            raise
    state = client.wire.ask("HEAD", place, doing, headers=lambda: _TUS)
    return int(state.headers["Upload-Offset"])
