"""Maps that the explorer shows: reports as they are, and NetCDF or Zarr files as pictures."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from aqqua.errors import AqquaError, NotFoundError

if TYPE_CHECKING:
    from aqqua.store.dataset import Dataset

__all__ = ["Atlas", "Sheet", "beside", "draw_sheet", "find_maps"]

REPORT = "report.html"
MOST_REPORT_BYTES = 256 << 20
MOST_SHEETS = 500
_drawing = threading.Lock()


@dataclass(frozen=True)
class Sheet:
    """One map: a taxon in a layer.

    Args:
        title: taxon and layer.
        path: file with the maps.
        taxon: number of the taxon in the file.
        layer: number of the layer in the file.
    """

    title: str
    path: Path
    taxon: int
    layer: int


@dataclass(frozen=True)
class Atlas:
    """What lies at one path.

    Args:
        name: in addresses.
        report: the page, if there is one.
        sheets: maps in files.
    """

    name: str
    report: Path | None = None
    sheets: tuple[Sheet, ...] = field(default_factory=tuple)


def beside(datasets: Sequence[Dataset]) -> list[Path]:
    """Folders `maps` beside datasets."""
    return list(dict.fromkeys(dataset.path.resolve().parent / "maps" for dataset in datasets))


def find_maps(paths: Sequence[Path | str], *, asked: bool = True) -> list[Atlas]:
    """Reports and maps at paths.

    Args:
        paths: a report, a file with maps, or the folder of a recipe with either.
        asked: whether somebody named these paths; if not, what holds no maps is passed over.

    Raises:
        NotFoundError: a named path holds neither report nor maps.
        FormatError: a named file holds no maps.
    """
    found: list[Atlas] = []
    for text in paths:
        path = Path(text)
        try:
            one = _atlas(path, [atlas.name for atlas in found])
        except AqquaError:
            if asked:
                raise
            continue
        if one.report is None and not one.sheets:
            if asked:
                do = "give a report.html, a map.nc, or the folder `out` of a recipe"
                raise NotFoundError("there are no maps here", where=path, do=do)
            continue
        found.append(one)
    return found


def _atlas(path: Path, taken: Sequence[str]) -> Atlas:
    if path.is_dir() and path.suffix != ".zarr":
        report = path / REPORT
        files = sorted([*path.glob("*.nc"), *path.glob("maps/*/map.nc")])
    else:
        report = path if path.suffix == ".html" else path.parent / "nothing"
        files = [] if path.suffix == ".html" else [path]
    stem = re.sub(r"[^a-z0-9]+", "-", path.resolve().stem.lower()).strip("-") or "maps"
    name, number = stem, 1
    while name in taken:
        number += 1
        name = f"{stem}-{number}"
    sheets = [sheet for file in files for sheet in _sheets(file)]
    there = report.is_file() and report.stat().st_size <= MOST_REPORT_BYTES
    return Atlas(name, report if there else None, tuple(sheets[:MOST_SHEETS]))


def _sheets(path: Path) -> list[Sheet]:
    from aqqua.maps.output import titles_of

    return [Sheet(title, path, taxon, layer) for title, taxon, layer in titles_of(path)]


@lru_cache(maxsize=64)
def draw_sheet(sheet: Sheet, dark: bool) -> bytes:
    """A map as PNG; drawn once, one at a time."""
    import io

    from aqqua.maps.figures_style import DARK, LIGHT, drawing
    from aqqua.maps.output import read_maps
    from aqqua.maps.report_chapter import map_figure

    style = DARK if dark else LIGHT
    with _drawing, drawing(style):
        figure = map_figure(read_maps(sheet.path), sheet.taxon, sheet.layer, style)
        packed = io.BytesIO()
        figure.savefig(packed, format="png", dpi=150, metadata={"Software": None})
    return packed.getvalue()
