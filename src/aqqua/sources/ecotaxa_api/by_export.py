"""All images of a project at once, by an export job of the server, where the account may export with images.

Only the images are taken from it; what is said about them comes from queries in any case, so that there is one way for
metadata. An image that the export lacks is fetched from the vault.
"""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl

from aqqua.errors import AqquaError, RemoteError
from aqqua.progress import say
from aqqua.sources.archive import MAX_IMAGE_BYTES, Tree
from aqqua.sources.ecotaxa_api.client import EcotaxaClient
from aqqua.sources.ecotaxa_api.jobs import delete_job, download, start_export, wait_for
from aqqua.sources.ecotaxa_api.models import Project, Right, User
from aqqua.sources.ecotaxa_export import EcotaxaExport
from aqqua.store.atomic import write_json

__all__ = ["ExportedImages", "may_export"]

_REQUEST = {"with_images": "all", "with_internal_ids": True, "with_types_row": True}
_LONGEST_S = 4 * 3600.0


def may_export(project: Project, me: User) -> bool:
    """Whether an account may export a project with images: managers may, and everybody if the project is open."""
    return project.access == "2" or project.right_of(me.id) is Right.MANAGE


class ExportedImages:
    """The images in an export of a project.

    Args:
        path: the zip.
    """

    def __init__(self, path: Path) -> None:
        self._tree = Tree(path)
        self._members: dict[tuple[str, int], str] = {}
        for part in EcotaxaExport().parts(self._tree):
            rows = part.table()
            if not {"objid", "img_rank"} <= set(rows.columns):
                continue
            usable = rows.filter(pl.col("image_path").is_not_null())
            ranks = usable["img_rank"].cast(pl.Float64, strict=False).fill_null(0).cast(pl.Int64).to_list()
            keys = zip(usable["objid"].to_list(), ranks, strict=True)
            self._members |= dict(zip(keys, usable["image_path"].to_list(), strict=True))

    def __len__(self) -> int:
        return len(self._members)

    def read(self, objid: str, rank: int) -> bytes | None:
        """The bytes of an image; None if the export does not have it, or not whole."""
        member = self._members.get((objid, rank))
        try:
            return None if member is None else self._tree.read(member, MAX_IMAGE_BYTES)
        except AqquaError:
            return None

    @classmethod
    def fetch(cls, client: EcotaxaClient, projid: int, folder: Path) -> ExportedImages | None:
        """Let the server export a project, and fetch the file; one that is there, or begun, is used.

        Args:
            client: where to ask.
            projid: the project.
            folder: for the zip and a note of the job.

        Returns:
            The images, or None if it did not work out; then the vault has them all the same.
        """
        path, note = folder / "export.zip", folder / "export.json"
        try:
            if not path.is_file():
                number = _begun(note) or start_export(client, projid, "general", _REQUEST)
                write_json(note, {"job": number})
                say(f"project {projid}: the server is exporting (job {number})")
                wait_for(client, number, limit_s=_LONGEST_S)
                download(client, number, path)
                delete_job(client, number)
            return cls(path)
        except AqquaError as error:
            note.unlink(missing_ok=True)
            path.unlink(missing_ok=True)
            reason = error.what if isinstance(error, RemoteError) else "its file cannot be read"
            say(f"project {projid}: no export ({reason}); images come one by one")
            return None


def _begun(note: Path) -> int | None:
    """The job that an interrupted pull had begun."""
    if not note.is_file():
        return None
    number: int = json.loads(note.read_text(encoding="utf-8"))["job"]
    return number
