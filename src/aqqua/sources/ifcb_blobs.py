"""Blob masks of IFCB bins (`…_blob.zip`, `…_blobs_v4.zip`): one PNG per ROI, as ifcb-analysis writes them."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from functools import cached_property
from posixpath import basename

import numpy as np

from aqqua.errors import SourceError
from aqqua.sources.archive import Tree
from aqqua.sources.pixels import decode_image

__all__ = ["BlobFiles"]

_NAME = re.compile(r"^(.+)_blobs?(?:_v(\d+))?\.zip$", re.IGNORECASE)
_MAX_ZIP, _MAX_PNG = 1 << 30, 1 << 26


class BlobFiles:
    """The blob masks of a source.

    Args:
        tree: the source.
    """

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self._open: tuple[str, zipfile.ZipFile] | None = None

    @cached_property
    def archives(self) -> dict[str, str]:
        """Name of a bin → its zip of blobs, of several versions the newest."""
        found: dict[str, tuple[int, str]] = {}
        for name in self.tree.members:
            if told := _NAME.match(basename(name)):
                found[told[1]] = max(found.get(told[1], (-1, "")), (int(told[2] or 0), name))
        return {of: name for of, (_, name) in found.items()}

    def names(self, of: str) -> frozenset[str]:
        """Names of the ROIs of a bin that have a mask.

        Raises:
            SourceError: the zip is damaged.
        """
        archive = self._archive(of)
        told = archive.namelist() if archive else []
        return frozenset(basename(name)[:-4] for name in told if name.lower().endswith(".png"))

    def read(self, of: str, roi: str) -> np.ndarray:
        """The mask of a ROI: uint8 (height, width), 0 or 1.

        Raises:
            SourceError: it is damaged, or not there.
        """
        archive = self._archive(of)
        where = f"{self.tree.where(self.archives.get(of, of))}!{roi}.png"
        try:
            found = (
                next((i for i in archive.infolist() if basename(i.filename) == f"{roi}.png"), None) if archive else None
            )
            if archive is None or found is None or found.file_size > _MAX_PNG:
                raise SourceError("there is no mask of this ROI", where=where)
            pixels = decode_image(archive.read(found), where)
        except (OSError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError) as error:
            raise SourceError(f"the mask cannot be read: {error}", where=where, do="copy the blobs again") from error
        return (pixels.reshape(*pixels.shape[:2], -1)[..., 0] > 0).astype(np.uint8)

    def _archive(self, of: str) -> zipfile.ZipFile | None:
        """The zip of a bin; the last one is kept, for rows come bin by bin."""
        name = self.archives.get(of)
        if name is None:
            return None
        if self._open is None or self._open[0] != name:
            try:
                self._open = (name, zipfile.ZipFile(io.BytesIO(self.tree.read(name, _MAX_ZIP))))
            except (zipfile.BadZipFile, ValueError) as error:
                do = "copy the blobs again"
                raise SourceError(f"the blobs are no whole zip: {error}", where=self.tree.where(name), do=do) from error
        return self._open[1]
