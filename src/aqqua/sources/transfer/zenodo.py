"""The files of a published Zenodo record, with the MD5 sums Zenodo keeps of them (REST API, `GET /api/records/ID`)."""

from __future__ import annotations

import json
from urllib.parse import quote, urlsplit

from aqqua.errors import RemoteError
from aqqua.sources.transfer.places import RemoteFile
from aqqua.sources.transfer.web import Web

__all__ = ["Zenodo"]

_MAX_ANSWER_BYTES = 32 << 20


class Zenodo(Web):
    """A record: `https://zenodo.org/records/1234567`."""

    def files(self) -> list[RemoteFile]:
        """The files of the record."""
        parts = urlsplit(self.address)
        server, record = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/").rpartition("/")[2]
        with self.ask("GET", f"{server}/api/records/{quote(record)}", stream=True) as answer:
            body = answer.raw.read(_MAX_ANSWER_BYTES + 1, decode_content=True)
        try:
            told = json.loads(body)["files"]
            files = [_file(server, record, entry) for entry in told]
        except (ValueError, KeyError, TypeError) as error:
            do = "look at the record in a browser; its files may be restricted"
            raise RemoteError("the record does not list its files", where=self.address, do=do) from error
        return sorted(files, key=lambda file: file.name)


def _file(server: str, record: str, entry: dict[str, object]) -> RemoteFile:
    """A file; its content is asked of the same server, whatever the record says."""
    name = str(entry["key"])
    address = f"{server}/api/records/{quote(record)}/files/{quote(name, safe='')}/content"
    checksum = entry.get("checksum")
    return RemoteFile(name, address, int(str(entry["size"])), None, str(checksum) if checksum else None)
