"""A folder or zip of images: class folders are labels, a table beside them says the rest.

    copepod/1.png  copepod/2.png  diatom/3.png  table.csv

The name of the folder an image lies in becomes `label` (unless all lie in one, or the table has labels of its own);
the whole path stays in `folder`. A table is joined by path, file name, object or sample: see `aqqua.sources.join`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from posixpath import basename, commonprefix, dirname, splitext
from typing import Any

import polars as pl

from aqqua.errors import SourceError
from aqqua.metadata.check import Finding
from aqqua.sources.archive import MAX_TABLE_BYTES, Tree
from aqqua.sources.join import join_table, unmatched_rows
from aqqua.sources.part import Part, Rows, rows_frame
from aqqua.sources.pixels import IMAGE_SUFFIXES, Picture, decode_picture
from aqqua.sources.tables import TABLE_SUFFIXES, read_table

__all__ = ["Folder", "FolderImages"]

_USUAL_TABLES = ("table", "metadata")
_LABEL_COLUMNS = frozenset({"label", "taxon", "class", "category", "object_annotation_category"})
_CARD = "card.yaml"


class Folder:
    """Reader of folders and zips of images."""

    name = "folder"
    general = True
    looks_for = f"image files ({', '.join(sorted(IMAGE_SUFFIXES))}), in class folders or not"

    def recognise(self, path: Path | Tree) -> str | None:
        """Say how many images there are, if any."""
        images = _images(Tree.of(path))
        return f"{len(images):,} image files" if images else None

    def parts(self, path: Path | Tree) -> list[Part]:
        """The whole folder is one part.

        Raises:
            SourceError: there is no image.
        """
        tree = Tree.of(path)
        if not _images(tree):
            raise SourceError("there is no image file", where=tree.path, do=f"this reader looks for {self.looks_for}")
        return [FolderImages(tree.path.name, tree)]


def _images(tree: Tree) -> list[str]:
    return tree.with_suffix(*IMAGE_SUFFIXES)


@dataclass(frozen=True)
class FolderImages(Part):
    """All images of a folder or zip."""

    def estimate(self) -> int:
        """Number of image files."""
        return len(_images(self.tree))

    def read(self, start: int = 0, stop: int | None = None) -> Rows:
        """List the images, with label, and the table's columns where there is one."""
        rows = self._everything
        return Rows(rows.frame[start:stop], [] if start else rows.findings)

    @cached_property
    def _everything(self) -> Rows:
        """The whole list, made once in this process: a large folder is read in several jobs."""
        images = _images(self.tree)
        folders = [dirname(name) for name in images]
        labels = _labels(folders)
        columns = {"file": images, "folder": folders, "label": labels}
        frame = rows_frame(
            pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String)),
            source_path=[self.tree.where(name) for name in images],
            source_row=[None] * len(images),
            image_path=images,
            object_id=_object_ids(images),
            problems={},
        )
        findings = self._left_out()
        if folders and not any(labels) and folders[0]:
            told = "all images lie in one folder: its name is not taken as a label"
            findings.append(Finding("info", "one_folder", told, self.tree.where(folders[0]), len(images)))
        return self._with_table(frame, findings)

    def picture(self, row: Mapping[str, Any]) -> Picture:
        """Read the image of a row."""
        name = row["image_path"]
        return decode_picture(self.tree.read(name), self.tree.where(name))

    def _with_table(self, frame: pl.DataFrame, findings: list[Finding]) -> Rows:
        name = self._table(findings)
        if name is None:
            return Rows(frame, findings)
        where = self.tree.where(name)
        table = read_table(self.tree.read(name, MAX_TABLE_BYTES), where)
        if _LABEL_COLUMNS & {column.lower() for column in table.frame.columns}:
            frame = frame.with_columns(pl.lit(None, pl.String).alias("label"))
        joined = join_table(frame, table, where)
        findings += [*table.findings, *joined.findings]
        if joined.key is None:
            do = "give it a column with the file names"
            findings.append(
                Finding("warning", "table_not_joined", "no column of the table names the images", where, do=do)
            )
            return Rows(frame, findings)
        rest = unmatched_rows(table, set(joined.used), where, joined.key)
        return Rows(pl.concat([joined.frame, rest], how="diagonal"), findings)

    def _table(self, findings: list[Finding]) -> str | None:
        """The table of the folder: the only one at its top, or the one with the usual name."""
        top = _top([dirname(name) for name in _images(self.tree)])
        found = self.tree.with_suffix(*TABLE_SUFFIXES)
        near = [name for name in found if dirname(name) in {"", top}]
        usual = [name for name in near if splitext(basename(name))[0].lower() in _USUAL_TABLES]
        chosen = usual if len(usual) == 1 else near
        if len(chosen) == 1:
            return chosen[0]
        if chosen:
            told = f"several tables, none used: {', '.join(chosen[:5])}"
            findings.append(Finding("warning", "several_tables", told, self.tree.path.name, do="name one with --table"))
        return None

    def _left_out(self) -> list[Finding]:
        known = {*self.tree.with_suffix(*IMAGE_SUFFIXES, *TABLE_SUFFIXES), _CARD}
        rest = [name for name in self.tree.members if name not in known and self.tree.chosen(name)]
        if not rest:
            return []
        told = f"files are neither image nor table and were left out: {', '.join(rest[:5])}"
        return [Finding("info", "other_files", told, self.tree.path.name, len(rest))]


def _top(folders: Sequence[str]) -> str:
    """The folder that all folders lie in."""
    parts = [folder.split("/") for folder in set(folders)]
    return "/".join(commonprefix(parts)) if parts else ""


def _labels(folders: Sequence[str]) -> list[str | None]:
    """The name of each image's own folder, below the one that all lie in."""
    top = _top(folders)
    return [None if folder == top else basename(folder) for folder in folders]


def _object_ids(images: Sequence[str]) -> list[str]:
    """The file's name without suffix; with its folders, and with suffix, as far as it takes to be the only one."""
    paths = [splitext(image)[0] for image in images]
    for names in ([basename(path) for path in paths], paths):
        if len(set(names)) == len(images):
            return names
    return list(images)
