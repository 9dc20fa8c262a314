"""Land or sea: the 1-km mask of the package global-land-mask, read row by row.

The mask has 21,600 × 43,200 cells. Importing the package holds all of them in memory (0.9 GB); here the rows go by from
north to south, and only a window as high as the tolerance is kept.

Source: K. Karin, global-land-mask, doi:10.5281/zenodo.4066722, from the GLOBE elevation model (NOAA, 1 km). Lakes and
rivers count as land.
"""

from __future__ import annotations

import importlib.util
import math
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np

from aqqua.errors import NotFoundError

__all__ = ["sea_within"]

_ROWS, _COLUMNS = 21_600, 43_200
_CELLS_PER_DEGREE = 120
_KM_PER_DEGREE = 111.19  # mean radius 6371.0 km


def sea_within(latitude: np.ndarray, longitude: np.ndarray, km: float = 0.0) -> np.ndarray:
    """Whether there is sea at positions, or not farther from them than a distance.

    Args:
        latitude: (n,) degrees north, within ±90.
        longitude: (n,) degrees east, within ±180.
        km: how far a position may be from the sea.

    Returns:
        (n,) bool.
    """
    row = np.clip(((90 - latitude) * _CELLS_PER_DEGREE).astype(np.int64), 0, _ROWS - 1)
    column = ((longitude + 180) * _CELLS_PER_DEGREE).astype(np.int64) % _COLUMNS
    reach = math.ceil(km / _KM_PER_DEGREE * _CELLS_PER_DEGREE) if km > 0 else 0
    found = np.zeros(len(row), dtype=bool)
    order = np.argsort(row, kind="stable")
    place = 0
    window: dict[int, np.ndarray] = {}
    for number, cells in _rows(int(row.max(initial=-1)) + reach):
        window[number] = cells
        window.pop(number - 2 * reach - 1, None)
        while place < len(order) and (row[order[place]] + reach == number or number == _ROWS - 1):
            point = order[place]
            found[point] = _any_sea(window, int(row[point]), int(column[point]), reach)
            place += 1
    return found


def _any_sea(window: dict[int, np.ndarray], row: int, column: int, reach: int) -> bool:
    """Whether a cell of sea lies within the reach (in cells of latitude) of a cell."""
    narrow = max(math.cos(math.radians(90 - (row + 0.5) / _CELLS_PER_DEGREE)), 0.02)
    for other in range(row - reach, row + reach + 1):
        if other in window:
            aside = int(math.sqrt(reach**2 - (other - row) ** 2) / narrow)
            columns = np.arange(column - aside, column + aside + 1) % _COLUMNS
            if window[other][columns].any():
                return True
    return False


def _rows(last: int) -> Iterator[tuple[int, np.ndarray]]:
    """Number and cells (true: sea) of each row, from the north down to the last that is needed."""
    if last < 0:
        return
    with zipfile.ZipFile(_file()) as archive, archive.open("mask.npy") as stream:
        _skip_header(stream)
        for number in range(min(last, _ROWS - 1) + 1):
            yield number, np.frombuffer(stream.read(_COLUMNS), dtype=np.bool_)


def _skip_header(stream: IO[bytes]) -> None:
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read(stream)
    if (shape, fortran, dtype) != ((_ROWS, _COLUMNS), False, np.dtype(bool)):
        raise NotFoundError("the land mask has another form than expected", do="pip install -U global-land-mask")


def _file() -> Path:
    found = importlib.util.find_spec("global_land_mask")
    if found is None or found.origin is None:
        raise NotFoundError("the land mask is missing", do="pip install global-land-mask")
    return Path(found.origin).with_name("globe_combined_mask_compressed.npz")
