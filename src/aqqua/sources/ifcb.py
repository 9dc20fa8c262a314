"""Raw bins of the Imaging FlowCytobot: `.adc` (one line per trigger), `.hdr` (settings), `.roi` (pixels).

Both generations of file names and columns. Where an instrument of the first generation cut two ROIs that overlap, they
are put together (`--source ifcb:stitch=no` leaves them apart; the second then says so in `overlaps_roi`). Lines without
image are counted, not kept. Blob masks in the same source (`…_blobs_v4.zip`) become masks of the images.
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

from aqqua.errors import ConfigError, SourceError
from aqqua.metadata.check import Finding
from aqqua.sources.archive import MAX_TABLE_BYTES, Tree
from aqqua.sources.ifcb_blobs import BlobFiles
from aqqua.sources.ifcb_files import BinName, parse_adc, parse_header, volume_from_adc, volume_from_header
from aqqua.sources.ifcb_stitch import Roi, pairs, stitch
from aqqua.sources.part import Part, Problem, Rows, rows_frame
from aqqua.sources.pixels import MAX_SIDE, Picture
from aqqua.sources.tables import decode_text

__all__ = ["Ifcb", "IfcbBins"]

_BINS_PER_PART, _LINES_PER_PART = 64, 1 << 13
_BYTES_PER_LINE = 150
_STALE_FIX = timedelta(hours=1)
_OWN_COLUMNS = ("overlaps_roi", "roi_box", "stitched_roi", "stitched_box", "blob")
VOLUME_TOLERANCE = 0.02
"""Volumes by .hdr and by .adc that differ by more than this share are told."""


class Ifcb:
    """Reader of raw IFCB bins.

    Args:
        stitch: "no" to leave overlapping ROIs of old instruments apart.
    """

    name = "ifcb"
    general = False
    looks_for = "bins called D20130526T095207_IFCB013 or IFCB5_2012_028_081515, each .adc, .hdr and .roi"

    def __init__(self, stitch: str = "yes") -> None:
        if stitch not in {"yes", "no"}:
            raise ConfigError(f"stitch={stitch} is not known", do="write stitch=yes or stitch=no")
        self.stitch = stitch == "yes"

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
            IfcbBins(bins[0], tree, bins, self.stitch) for group in groups.values() for bins in _shared_out(tree, group)
        ]


def _shared_out(tree: Tree, bins: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Bins of one folder, in parts of as many as may be read at a time; a part is never cut within a bin."""
    taken: list[str] = []
    lines = 0
    for name in bins:
        more = tree.members.get(f"{name}.adc", 0) // _BYTES_PER_LINE + 1
        if taken and (len(taken) == _BINS_PER_PART or lines + more > _LINES_PER_PART):
            yield tuple(taken)
            taken, lines = [], 0
        taken.append(name)
        lines += more
    yield tuple(taken)


def _bins(tree: Tree) -> list[str]:
    """Paths of bins, without suffix."""
    paths = dict.fromkeys(splitext(name)[0] for name in tree.with_suffix(".adc", ".roi"))
    return [path for path in paths if BinName.parse(basename(path))]


@dataclass(frozen=True)
class IfcbBins(Part):
    """Some bins of one folder.

    Args:
        bins: their paths within the source, without suffix.
        stitch: put overlapping ROIs of old instruments together.
    """

    bins: tuple[str, ...] = ()
    stitch: bool = True
    needs: ClassVar[tuple[str, ...]] = (
        "image_path", "adc_start_byte", "adc_roi_width", "adc_roi_height", "roi_box", "stitched_box", "blob",
    )  # fmt: skip

    def estimate(self) -> int:
        """About one line per 150 bytes of .adc."""
        return sum(self.tree.members.get(f"{name}.adc", 0) // _BYTES_PER_LINE + 1 for name in self.bins)

    def read(self, start: int = 0, stop: int | None = None) -> Rows:
        """Read the lines of all bins that have an image."""
        findings: list[Finding] = []
        frames = [self._bin(name, findings) for name in self.bins]
        return Rows(pl.concat(frames, how="diagonal")[start:stop], [] if start else findings)

    def picture(self, row: Mapping[str, Any]) -> Picture:
        """Cut the ROI of a row out of its .roi file, or put it together with the one that continues it."""
        data = self._roi_file(row["image_path"])
        if row["stitched_box"]:
            return Picture(stitch(Roi.parse(row["roi_box"]), Roi.parse(row["stitched_box"]), data))
        start, width, height = (int(row[name]) for name in self.needs[1:4])
        return Picture(np.frombuffer(data, np.uint8, width * height, start).reshape(height, width).copy())

    def mask(self, row: Mapping[str, Any]) -> np.ndarray | None:
        """The blob mask of a row (1 = organism), where there is one.

        Raises:
            SourceError: it is damaged, or of another size than the image.
        """
        if not row["blob"]:
            return None
        mask = self.blobs.read(row["blob"].rpartition("_")[0], row["blob"])
        image = self.picture(row).pixels
        if mask.shape != image.shape:
            told = (
                f"the blob has {mask.shape[1]} × {mask.shape[0]} pixels, its image {image.shape[1]} × {image.shape[0]}"
            )
            raise SourceError(told, where=row["blob"], do="make the blobs again, or stitch as they were made")
        return mask

    @cached_property
    def blobs(self) -> BlobFiles:
        """Blob masks in the same source."""
        return BlobFiles(self.tree)

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
        findings += _volumes(constants, where)
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
        rois = [None if problem else Roi.of(row) for (_, row), problem in zip(rows, checked, strict=True)]
        follows = pairs([row.get("trigger") for _, row in rows], rois)
        own: dict[str, list[str | None]] = {key: [None] * len(rows) for key in _OWN_COLUMNS}
        together = self.stitch and basename(name).startswith("I")
        for second, first in follows.items():
            if together:
                own["roi_box"][first], own["stitched_box"][first] = str(rois[first]), str(rois[second])
                own["stitched_roi"][first] = str(rows[second][0])
            else:
                own["overlaps_roi"][second] = str(rows[first][0])
        names: list[str | None] = [f"{basename(name)}_{number:05d}" for number, _ in rows]
        own["blob"] = self._blobs_of(basename(name), names, findings)
        values = {f"adc_{column}": [row.get(column) or None for _, row in rows] for column in columns}
        if not any(values[f"adc_{columns[-1]}"]):  # old lines end with a comma
            values.pop(f"adc_{columns[-1]}")
        values |= {key: [value or None] * len(rows) for key, value in constants.items()} | own
        frame = rows_frame(
            pl.DataFrame(values, schema=dict.fromkeys(values, pl.String)),
            source_path=where,
            source_row=[number for number, _ in rows],
            image_path=[roi] * len(rows),
            object_id=names,
            problems={row: problem for row, problem in enumerate(checked) if problem},
        )
        findings += _overlap_notes(len(follows), where, together=together)
        return frame[[row for row in range(len(rows)) if row not in follows]] if together else frame

    def _blobs_of(self, name: str, rois: Sequence[str | None], findings: list[Finding]) -> list[str | None]:
        """Names of the ROIs that have a blob mask."""
        try:
            known = self.blobs.names(name)
        except SourceError as error:
            findings.append(Finding("warning", "blobs_unreadable", error.what, error.where or "", do=error.do or ""))
            known = frozenset()
        return [roi if roi in known else None for roi in rois]

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


def _overlap_notes(count: int, where: str, *, together: bool) -> Iterator[Finding]:
    if count and together:
        told = "ROIs that overlap were put together with the one before: two cuts of one organism (stitched_roi)"
        do = "to leave them apart:  --source ifcb:stitch=no"
        yield Finding("info", "stitched_rois", told, where, count, do)
    elif count:
        told = "ROIs overlap the one before: two cuts of one organism, marked in overlaps_roi"
        yield Finding("info", "overlapping_rois", told, where, count)


def _volumes(constants: Mapping[str, str], where: str) -> Iterator[Finding]:
    """A finding, if the volumes by .hdr and by .adc differ."""
    one, two = (float(constants[f"ml_analyzed_{kind}"] or "nan") for kind in ("hdr", "adc"))
    if abs(one - two) > VOLUME_TOLERANCE * max(one, two):
        told = f"the volume is {one:.4g} mL by the .hdr file and {two:.4g} mL by the .adc file; the first was taken"
        do = "look whether the .adc file is whole; both volumes are kept (ml_analyzed_hdr, ml_analyzed_adc)"
        yield Finding("warning", "volumes_differ", told, where, 1, do)


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
        "volume_from": ".hdr" if by_header else ".adc" if by_lines else "",
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
