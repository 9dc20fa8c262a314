"""FlowCam runs as VisualSpreadsheet leaves them: a list of particles (`.lst`) and collages that they are cut out of.

    run/run.lst  run/run_000001.tif  run/run_000001_bin.tif  run/run.ctx  run/run_run_summary.txt  run/run.cla

Each particle is cut, pixel by pixel, where its line says; where there are no collages, single images that bear the
particle's number or id are taken. Without list an exported table of particles (`.csv`) will do. The mask of a collage
(`_bin.tif`) is the mask of its particles. What the run says about volume, optics and classes is in `flowcam_run`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from posixpath import dirname
from typing import Any, ClassVar

import numpy as np
import polars as pl

from aqqua.errors import SourceError
from aqqua.metadata.check import Finding
from aqqua.sources.archive import MAX_TABLE_BYTES, Tree
from aqqua.sources.cutting import BOX, Sheets, cut, parse_box, read_sheet
from aqqua.sources.flowcam_files import ListFile, is_list, is_particle_export, parse_export, parse_list
from aqqua.sources.flowcam_images import PLACE_COLUMNS, Place, RunImages, left_out
from aqqua.sources.flowcam_run import Run
from aqqua.sources.part import Part, Problem, Rows, rows_frame
from aqqua.sources.pixels import Picture, decode_picture
from aqqua.sources.tables import decode_text, head_of

__all__ = ["Flowcam", "FlowcamRun"]

_HEAD_BYTES = 1 << 14
_BYTES_PER_LINE = 450


class Flowcam:
    """Reader of FlowCam runs."""

    name = "flowcam"
    general = False
    looks_for = "a list of VisualSpreadsheet (.lst whose second line is num-fields|…), or its export or context"

    def recognise(self, path: Path | Tree) -> str | None:
        """Say which list, export or context makes it a FlowCam run."""
        tree = Tree.of(path)
        runs = _tables(tree)
        if runs:
            return f"{len(runs)} FlowCam list{'s' * (len(runs) > 1)}, the first {runs[0]}"
        contexts = _contexts(tree)
        return f"the context of a FlowCam run, {contexts[0]}" if contexts else None

    def parts(self, path: Path | Tree) -> list[Part]:
        """One part per run.

        Raises:
            SourceError: no run has a list of its particles.
        """
        tree = Tree.of(path)
        tables, contexts = _tables(tree), _contexts(tree)
        folders = {dirname(name) for name in tables}
        bare = [name for name in contexts if dirname(name) not in folders]
        if not tables:
            what = f"the FlowCam run {contexts[0]} has no list of its particles" if contexts else "no FlowCam run"
            raise SourceError(what, where=tree.path, do=_WITHOUT_LIST)
        rest = [FlowcamRun(name, tree) for name in tables[1:]]
        return [FlowcamRun(tables[0], tree, tuple(bare), tables=tuple(tables)), *rest]


_WITHOUT_LIST = (
    "copy the .lst file beside the collages; or export the particles in VisualSpreadsheet as .csv; single images "
    "without list can be read with --source folder and a card"
)


def _tables(tree: Tree) -> list[str]:
    """Lists; and exports of runs that have no list."""
    lists = [name for name in tree.with_suffix(".lst") if is_list(head_of(tree, name, _HEAD_BYTES))]
    folders = {dirname(name) for name in lists}
    exports = [name for name in tree.with_suffix(".csv") if dirname(name) not in folders]
    return sorted(lists + [name for name in exports if is_particle_export(head_of(tree, name, _HEAD_BYTES))])


def _contexts(tree: Tree) -> list[str]:
    return [name for name in tree.with_suffix(".ctx") if "VisualSpreadsheet" in head_of(tree, name, _HEAD_BYTES)]


@dataclass(frozen=True)
class FlowcamRun(Part):
    """One run.

    Args:
        bare: contexts of runs without list, told with the first run.
        tables: all lists of the source; with the first run only, which tells what was left out.
    """

    bare: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    needs: ClassVar[tuple[str, ...]] = ("image_path", *BOX, "roi_from")

    def estimate(self) -> int:
        """About one particle per 450 bytes."""
        return self.tree.members[self.name] // _BYTES_PER_LINE + 1

    def read(self, start: int = 0, stop: int | None = None) -> Rows:
        """Read the list, with what the run's other files say."""
        text = decode_text(self.tree.read(self.name, MAX_TABLE_BYTES))
        where = self.tree.where(self.name)
        parse = parse_list if self.name.lower().endswith(".lst") else parse_export
        listed = parse(text, where, start, stop)
        run = Run.read(self.tree, self.name)
        frame, findings = self._frame(listed, run)
        whole = [*_list_findings(listed, where), *run.findings(listed), *self._rest()]
        return Rows(frame, findings if start else [*whole, *findings])

    def picture(self, row: Mapping[str, Any]) -> Picture:
        """Cut the particle of a row out of its collage, or read its own image."""
        name, box = row["image_path"], parse_box(row)
        where = self.tree.where(name)
        if row["roi_from"] == "collage":
            sheet = self._sheets.get(name)
            return Picture(cut(sheet.pixels, box, where), sheet.channel_names)
        picture = decode_picture(self.tree.read(name), where)
        height, width = picture.pixels.shape[:2]
        if (width, height) != box[2:]:
            told = f"the image has {width} × {height} pixels, its line in the list {box[2]} × {box[3]}"
            raise SourceError(told, where=where, do="check that list and images are of the same run")
        return picture

    def mask(self, row: Mapping[str, Any]) -> np.ndarray | None:
        """The particle in the mask of its collage: 1, on 0."""
        name = self._images.mask_of(row["image_path"]) if row["roi_from"] == "collage" else None
        if name is None:
            return None
        pixels = cut(self._masks.get(name).pixels, parse_box(row), self.tree.where(name))
        inside: np.ndarray = pixels.reshape(*pixels.shape[:2], -1) > 0
        return np.asarray(inside.any(axis=-1), np.uint8)

    @cached_property
    def _images(self) -> RunImages:
        return RunImages(self.tree, self.name)

    @cached_property
    def _sheets(self) -> Sheets:
        return Sheets(lambda name: read_sheet(self.tree.read(name), self.tree.where(name)))

    @cached_property
    def _masks(self) -> Sheets:
        return Sheets(lambda name: read_sheet(self.tree.read(name), self.tree.where(name)))

    def _frame(self, listed: ListFile, run: Run) -> tuple[pl.DataFrame, list[Finding]]:
        where = self.tree.where(self.name)
        places = [self._images.place(row) for row in listed.cells(*PLACE_COLUMNS)]
        names = [row["id"] or f"line{line}" for row, line in zip(listed.cells("id"), listed.table.lines, strict=True)]
        prefix = "lst" if self.name.lower().endswith(".lst") else "csv"
        boxes = [pl.Series(name, _texts(places, number), pl.String) for number, name in enumerate(BOX)]
        kinds = [place.kind if isinstance(place, Place) else None for place in places]
        frame = rows_frame(
            listed.frame.rename({name: f"{prefix}_{name}" for name in listed.frame.columns}).with_columns(
                *boxes, pl.Series("roi_from", kinds, pl.String), *run.columns(listed)
            ),
            source_path=where,
            source_row=listed.table.lines,
            image_path=[place.image if isinstance(place, Place) else None for place in places],
            object_id=[f"{run.name}_{name}" for name in names],
            problems=_problems(listed, places),
        )
        findings = [*listed.table.findings, *self._images.findings(places)]
        return frame, [finding for finding in findings if finding.code != "short_rows"]  # they are rejects here

    def _rest(self) -> list[Finding]:
        """What is there besides runs with a list; told once."""
        told = "a FlowCam run has no list of its particles"
        findings = [
            Finding("warning", "run_without_list", told, self.tree.where(name), do=_WITHOUT_LIST) for name in self.bare
        ]
        return [*findings, *left_out(self.tree, self.tables)] if self.tables else findings


def _texts(places: Sequence[Place | Problem], number: int) -> list[str | None]:
    return [str(place.box[number]) if isinstance(place, Place) else None for place in places]


def _problems(listed: ListFile, places: Sequence[Place | Problem]) -> dict[int, Problem]:
    problems: dict[int, Problem] = {}
    seen: dict[str, int] = {}
    width = listed.frame.width
    for row, (cells, place) in enumerate(zip(listed.cells("id"), places, strict=True)):
        name = cells["id"]
        if row in listed.ragged:
            told = f"the line has {listed.ragged[row]} cells, the list {width} columns"
            problems[row] = Problem("line", told, "copy the list again: it is cut off or damaged here")
        elif isinstance(place, Problem):
            problems[row] = place
        elif name and name in seen:
            told = f"particle {name!r} is in the list twice, first in line {seen[name]}"
            problems[row] = Problem("id", told, "remove one of the two lines")
        seen.setdefault(name, listed.table.lines[row])
    return problems


def _list_findings(listed: ListFile, where: str) -> list[Finding]:
    if listed.cut_off:
        told = "the list ends within the names of its columns"
        return [Finding("warning", "list_cut_off", told, where, do="copy the list again")]
    if not len(listed):
        return [Finding("warning", "empty_table", "the list has no particle", where, do="export it again")]
    return []
