"""Raw bins of the Imaging FlowCytobot: `.adc` (one line per trigger), `.hdr` (settings), `.roi` (pixels).

Both generations of file names and columns. ROIs are kept as they were cut; where an old instrument cut two that
overlap, the second says so in `overlaps_roi` (it shows the same organism). Lines without image are counted, not kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from posixpath import basename, dirname, splitext
from typing import Any, ClassVar

import numpy as np
import polars as pl

from aqqua.errors import SourceError
from aqqua.metadata.check import Finding
from aqqua.sources.archive import MAX_TABLE_BYTES, Tree
from aqqua.sources.ifcb_files import BinName, parse_adc, parse_header, volume_from_adc, volume_from_header
from aqqua.sources.part import Part, Problem, Rows, rows_frame
from aqqua.sources.pixels import MAX_SIDE, Picture
from aqqua.sources.tables import decode_text

__all__ = ["Ifcb", "IfcbBins"]

_BINS_PER_PART = 64
_BYTES_PER_LINE = 150
_STALE_FIX = timedelta(hours=1)
_OVERLAP_PX = 2  # pyifcb `stitching`: two ROIs of one trigger that share more than this show one organism


class Ifcb:
    """Reader of raw IFCB bins."""

    name = "ifcb"
    general = False
    looks_for = "bins called D20130526T095207_IFCB013 or IFCB5_2012_028_081515, each .adc, .hdr and .roi"

    def recognise(self, path: Path | Tree) -> str | None:
        """Say how many bins there are."""
        bins = _bins(Tree.of(path))
        return f"{len(bins)} IFCB bin{'s' * (len(bins) > 1)}, the first {bins[0]}" if bins else None

    def parts(self, path: Path | Tree) -> list[Part]:
        """Some dozens of bins of one folder and one generation per part.

        Raises:
            SourceError: there is no bin.
        """
        tree = Tree.of(path)
        groups: dict[tuple[str, bool], list[str]] = {}
        for name in _bins(tree):
            groups.setdefault((dirname(name), basename(name).startswith("I")), []).append(name)
        if not groups:
            raise SourceError("there is no IFCB bin", where=tree.path, do=f"this reader looks for {self.looks_for}")
        return [
            IfcbBins(bins[first], tree, tuple(bins[first : first + _BINS_PER_PART]))
            for bins in groups.values()
            for first in range(0, len(bins), _BINS_PER_PART)
        ]


def _bins(tree: Tree) -> list[str]:
    """Paths of bins, without suffix."""
    paths = dict.fromkeys(splitext(name)[0] for name in tree.with_suffix(".adc", ".roi"))
    return [path for path in paths if BinName.parse(basename(path))]


@dataclass(frozen=True)
class IfcbBins(Part):
    """Some bins of one folder.

    Args:
        bins: their paths within the source, without suffix.
    """

    bins: tuple[str, ...] = ()
    needs: ClassVar[tuple[str, ...]] = ("image_path", "adc_start_byte", "adc_roi_width", "adc_roi_height")

    def estimate(self) -> int:
        """About one line per 150 bytes of .adc."""
        return sum(self.tree.members.get(f"{name}.adc", 0) // _BYTES_PER_LINE + 1 for name in self.bins)

    def read(self, start: int = 0, stop: int | None = None) -> Rows:
        """Read the lines of all bins that have an image."""
        findings: list[Finding] = []
        frames = [self._bin(name, findings) for name in self.bins]
        return Rows(pl.concat(frames, how="diagonal")[start:stop], [] if start else findings)

    def picture(self, row: Mapping[str, Any]) -> Picture:
        """Cut the ROI of a row out of its .roi file."""
        start, width, height = (int(row[name]) for name in self.needs[1:])
        data = self._roi_file(row["image_path"])
        return Picture(np.frombuffer(data, np.uint8, width * height, start).reshape(height, width).copy())

    @cached_property
    def _last_roi_file(self) -> list[tuple[str, bytes]]:
        return []

    def _roi_file(self, name: str) -> bytes:
        """The content of a .roi file; the last one is kept, for rows come bin by bin."""
        last = self._last_roi_file
        if not last or last[0][0] != name:
            last[:] = [(name, self.tree.read(name, MAX_TABLE_BYTES))]
        return last[0][1]

    def _bin(self, name: str, findings: list[Finding]) -> pl.DataFrame:
        said = BinName.parse(basename(name))
        assert said is not None
        header = parse_header(self._text(f"{name}.hdr"))
        columns, lines = parse_adc(self._text(f"{name}.adc"), header, old=said.old)
        where = self.tree.where(f"{name}.adc")
        rows = [
            (number, dict(zip(columns, cells, strict=False))) for number, cells in enumerate(lines, 1) if any(cells)
        ]
        kept = [(number, row) for number, row in rows if not _is_blank(row)]
        constants = _constants(said, header, columns, lines)
        findings += _notes(self.tree, name, len(rows) - len(kept), said, header)
        if self.tree.find(f"{name}.adc") is None:
            kept = [(1, {})]
        return self._frame(name, where, columns, kept, constants, findings)

    def _frame(
        self,
        name: str,
        where: str,
        columns: Sequence[str],
        rows: list[tuple[int, dict[str, str]]],
        constants: dict[str, str],
        findings: list[Finding],
    ) -> pl.DataFrame:
        roi = self.tree.find(f"{name}.roi")
        checked = [_problem(row, self.tree.members.get(roi or "")) for _, row in rows]
        overlaps = _overlaps(rows)
        if any(overlaps):
            told = "ROIs overlap the one before: two cuts of one organism, marked in overlaps_roi"
            findings.append(Finding("info", "overlapping_rois", told, where, sum(map(bool, overlaps))))
        values = {f"adc_{column}": [row.get(column) or None for _, row in rows] for column in columns}
        if not any(values[f"adc_{columns[-1]}"]):  # old lines end with a comma
            values.pop(f"adc_{columns[-1]}")
        values |= {key: [value or None] * len(rows) for key, value in constants.items()}
        values["overlaps_roi"] = overlaps
        return rows_frame(
            pl.DataFrame(values, schema=dict.fromkeys(values, pl.String)),
            source_path=where,
            source_row=[number for number, _ in rows],
            image_path=[roi] * len(rows),
            object_id=[f"{basename(name)}_{number:05d}" for number, _ in rows],
            problems={row: problem for row, problem in enumerate(checked) if problem},
        )

    def _text(self, name: str) -> str:
        found = self.tree.find(name)
        return decode_text(self.tree.read(found, MAX_TABLE_BYTES)) if found else ""


def _is_blank(row: Mapping[str, str]) -> bool:
    """Whether a trigger has no image (its ROI is 0 × 0)."""
    return row.get("roi_width") == "0" or row.get("roi_height") == "0"


def _problem(row: Mapping[str, str], roi_bytes: int | None) -> Problem | None:
    if not row:
        return Problem(".adc", "the bin has no .adc file", "copy the .adc file beside the .roi file")
    try:
        start, width, height = (int(row[name]) for name in ("start_byte", "roi_width", "roi_height"))
    except (KeyError, ValueError):
        return Problem("roi_width", "the line is cut off or not a number", "copy the .adc file again")
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE and start >= 0):
        return Problem("roi_width", f"an image of {width} × {height} pixels cannot be", "copy the .adc file again")
    if roi_bytes is None:
        return Problem(".roi", "the bin has no .roi file", "copy the .roi file beside the .adc file")
    if start + width * height > roi_bytes:
        told = f"the .roi file ends at byte {roi_bytes:,}, the image at byte {start + width * height:,}"
        return Problem("start_byte", told, "copy the .roi file again: it is cut off")
    return None


def _overlaps(rows: Sequence[tuple[int, Mapping[str, str]]]) -> list[str | None]:
    """For each row the number of the ROI before it, if both are of one trigger and overlap."""
    found: list[str | None] = []
    before: tuple[int, Mapping[str, str]] | None = None
    for number, row in rows:
        shared = before is not None and row.get("trigger") == before[1].get("trigger") and _share(before[1], row)
        found.append(str(before[0]) if shared and before else None)
        before = (number, row)
    return found


def _share(one: Mapping[str, str], two: Mapping[str, str]) -> bool:
    try:
        for corner, side in (("roi_x", "roi_width"), ("roi_y", "roi_height")):
            first, second = float(one[corner]), float(two[corner])
            if min(first + float(one[side]), second + float(two[side])) - max(first, second) <= _OVERLAP_PX:
                return False
    except (KeyError, ValueError):
        return False
    return True


def _constants(
    said: BinName, header: Mapping[str, str], columns: Sequence[str], lines: Sequence[Sequence[str]]
) -> dict[str, str]:
    """What holds for the whole bin: name, time, volume, position, and every line of the header."""
    by_header, by_lines = volume_from_header(dict(header)), volume_from_adc(said, columns, lines)
    volume = by_header or by_lines
    told = {
        "sample_id": said.text,
        "acquisition_id": said.text,
        "instrument": "IFCB",
        "instrument_id": said.instrument,
        "time_utc": said.time.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "volume_l": repr(volume.ml / 1000) if volume else "",
        "ml_analyzed_hdr": repr(by_header.ml) if by_header else "",
        "ml_analyzed_adc": repr(by_lines.ml) if by_lines else "",
    }
    if _fix_age(said, header) is not None and abs(_fix_age(said, header) or timedelta()) <= _STALE_FIX:
        told |= {"latitude": header["gpsLatitude"], "longitude": header["gpsLongitude"]}
    return told | {f"hdr_{key}": value for key, value in header.items()}


def _fix_age(said: BinName, header: Mapping[str, str]) -> timedelta | None:
    """How old the position in the header was when the sample began, or None if there is none."""
    if not header.get("gpsLatitude") or not header.get("gpsLongitude"):
        return None
    when = re.sub(r"\.\d+| UTC", "", header.get("gpsTimeFromFix", ""))
    try:
        return said.time - datetime.strptime(when, "%b/%d/%Y %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return timedelta.max


def _notes(tree: Tree, name: str, blank: int, said: BinName, header: Mapping[str, str]) -> Iterator[Finding]:
    where = tree.where(name)
    if blank:
        yield Finding("info", "triggers_without_image", "triggers have no image and were left out", where, blank)
    if tree.find(f"{name}.hdr") is None:
        do = "copy the .hdr file beside the .adc file"
        yield Finding("warning", "no_header", "the bin has no .hdr file: columns are taken as usual", where, do=do)
    age = _fix_age(said, header)
    if age is not None and abs(age) > _STALE_FIX:
        told = "the GPS position in the .hdr file is not of the time of the sample, and was not used"
        yield Finding("warning", "stale_position", told, where, do="give positions in a table with --table")
