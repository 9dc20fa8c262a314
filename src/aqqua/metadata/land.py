"""Land or sea: the 1-km mask of the package global-land-mask, without its 0.9 GB.

The mask has 21,600 × 43,200 cells, and in all its rows only some 770,000 places where land and sea meet. They are read
once, row by row, kept in the user's cache folder (2 MB), and looked up from then on.

Source: K. Karin, global-land-mask, doi:10.5281/zenodo.4066722, from the GLOBE elevation model (NOAA, 1 km). Lakes and
rivers count as land.
"""

from __future__ import annotations

import contextlib
import importlib.util
import math
import os
import secrets
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO

import numpy as np

from aqqua.errors import NotFoundError

__all__ = ["sea_within"]

_ROWS, _COLUMNS = 21_600, 43_200
_CELLS_PER_DEGREE = 120
_KM_PER_DEGREE = 111.19  # mean radius 6371.0 km


@dataclass(frozen=True)
class _Coasts:
    """Where land and sea meet, row by row from the north.

    Args:
        first: (rows,) whether the first cell of a row is sea.
        start: (rows + 1,) where the edges of a row begin.
        edges: (n,) columns whose cell differs from the one before.
    """

    first: np.ndarray
    start: np.ndarray
    edges: np.ndarray

    def any_sea(self, row: int, left: int, right: int) -> bool:
        """Whether a cell from one column to another (inclusive) is sea."""
        edges = self.edges[self.start[row] : self.start[row + 1]]
        before, until = np.searchsorted(edges, (left, right), side="right")
        return bool(until > before or self.first[row] ^ (before % 2 == 1))


def sea_within(latitude: np.ndarray, longitude: np.ndarray, km: float = 0.0) -> np.ndarray:
    """Whether there is sea at positions, or not farther from them than a distance.

    Args:
        latitude: (n,) degrees north, within ±90.
        longitude: (n,) degrees east, within ±180.
        km: how far a position may be from the sea.

    Returns:
        (n,) bool.

    Raises:
        NotFoundError: the package with the mask is not installed.
    """
    row = np.clip(((90 - latitude) * _CELLS_PER_DEGREE).astype(np.int64), 0, _ROWS - 1)
    column = ((longitude + 180) * _CELLS_PER_DEGREE).astype(np.int64) % _COLUMNS
    reach = math.ceil(km / _KM_PER_DEGREE * _CELLS_PER_DEGREE) if km > 0 else 0
    coasts = _coasts() if len(row) else None
    places = zip(row.tolist(), column.tolist(), strict=True)
    return np.array([coasts is not None and _near_sea(coasts, *place, reach) for place in places], dtype=bool)


def _near_sea(coasts: _Coasts, row: int, column: int, reach: int) -> bool:
    """Whether a cell of sea lies within the reach (in cells of latitude) of a cell."""
    narrow = max(math.cos(math.radians(90 - (row + 0.5) / _CELLS_PER_DEGREE)), 0.02)
    for other in range(max(row - reach, 0), min(row + reach, _ROWS - 1) + 1):
        aside = int(math.sqrt(reach**2 - (other - row) ** 2) / narrow)
        left, right = column - aside, column + aside
        if coasts.any_sea(other, max(left, 0), min(right, _COLUMNS - 1)):
            return True
        if left < 0 and coasts.any_sea(other, left % _COLUMNS, _COLUMNS - 1):
            return True
        if right >= _COLUMNS and coasts.any_sea(other, 0, right % _COLUMNS):
            return True
    return False


@cache
def _coasts() -> _Coasts:
    """The coasts from the cache folder; made anew where they are not there, or those of another version."""
    mask = _mask_file()
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "aqqua"
    path = folder / f"coasts-{mask.stat().st_size}-{mask.stat().st_mtime_ns}.npz"
    with contextlib.suppress(OSError, ValueError, KeyError, zipfile.BadZipFile):
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            kept = _Coasts(file["first"], file["start"], file["edges"])
        if (len(kept.first), len(kept.start), int(kept.start[-1])) == (_ROWS, _ROWS + 1, len(kept.edges)):
            return kept
    made = _made(mask)
    with contextlib.suppress(OSError):  # a folder that cannot be written costs two seconds next time
        folder.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.{os.getpid()}-{secrets.token_hex(3)}.part")
        with part.open("wb") as written:
            np.savez(written, first=made.first, start=made.start, edges=made.edges)
        part.replace(path)
    return made


def _made(mask: Path) -> _Coasts:
    first, start, edges = np.zeros(_ROWS, dtype=bool), np.zeros(_ROWS + 1, dtype=np.int64), []
    for number, cells in enumerate(_rows(mask)):
        own = np.flatnonzero(cells[1:] != cells[:-1]) + 1
        first[number], start[number + 1] = cells[0], start[number] + len(own)
        edges.append(own.astype(np.uint16))
    return _Coasts(first, start, np.concatenate(edges))


def _rows(mask: Path) -> Iterator[np.ndarray]:
    """The cells (true: sea) of each row, from the north."""
    with zipfile.ZipFile(mask) as archive, archive.open("mask.npy") as stream:
        _skip_header(stream)
        for _ in range(_ROWS):
            yield np.frombuffer(stream.read(_COLUMNS), dtype=np.bool_)


def _skip_header(stream: IO[bytes]) -> None:
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read(stream)
    if (shape, fortran, dtype) != ((_ROWS, _COLUMNS), False, np.dtype(bool)):
        raise NotFoundError("the land mask has another form than expected", do="pip install -U global-land-mask")


def _mask_file() -> Path:
    found = importlib.util.find_spec("global_land_mask")
    if found is None or found.origin is None:
        raise NotFoundError("the land mask is missing", do="pip install global-land-mask")
    return Path(found.origin).with_name("globe_combined_mask_compressed.npz")
