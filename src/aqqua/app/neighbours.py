"""Which images are most like given ones: exact cosine search, with cells once there are many vectors.

Vectors lie on disk in the order of their cells (k-means), so that a search reads a few stretches of one file. Among few
candidates (a small dataset, or a narrow filter) every vector is compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from aqqua.app.arrays import load_array, save_array
from aqqua.errors import ConfigError

__all__ = ["Neighbours"]

EXACT_MAX = 50_000
"""Up to so many vectors there are no cells."""
NARROW = 20_000
"""If a filter leaves fewer rows than this, all of them are compared (in cells, recall falls: measured in the spec)."""
PROBES = 24
CHUNK = 65_536


@dataclass(frozen=True)
class Neighbours:
    """Vectors of length one, sorted by cell.

    Args:
        vectors: (n, dimensions) f16.
        row: the row in the dataset of each vector.
        place: for each row of the dataset, where its vector is.
        cell_start: where each cell begins, and the end.
        centre: (cells, dimensions) f32.
    """

    vectors: np.ndarray
    row: np.ndarray
    place: np.ndarray
    cell_start: np.ndarray
    centre: np.ndarray

    @classmethod
    def build(cls, vectors: np.ndarray, seed: int = 0) -> Neighbours:
        """Sort vectors into cells; the square root of their number, or one if they are few."""
        unit = np.nan_to_num(np.asarray(vectors, np.float32), posinf=0, neginf=0)
        unit = unit / np.maximum(np.linalg.norm(unit, axis=1, keepdims=True), 1e-12)
        n = len(unit)
        centre, cell = unit.mean(axis=0, keepdims=True) if n else unit[:0], np.zeros(n, np.int64)
        if n > EXACT_MAX:
            centre, cell = _cells(unit, round(n**0.5), seed)
        row = np.argsort(cell, kind="stable")
        place = np.empty(n, np.uint32)
        place[row] = np.arange(n)
        start = np.concatenate([[0], np.cumsum(np.bincount(cell, minlength=len(centre)))])
        return cls(unit[row].astype(np.float16), row.astype(np.uint32), place, start, centre.astype(np.float32))

    def save(self, folder: Path) -> None:
        """Write the arrays into a folder."""
        for name in self.__dataclass_fields__:
            save_array(folder, f"neighbours_{name}", getattr(self, name))

    @classmethod
    def load(cls, folder: Path) -> Neighbours:
        """Map the arrays of a folder into memory."""
        return cls(*(load_array(folder, f"neighbours_{name}") for name in cls.__dataclass_fields__))

    def __len__(self) -> int:
        return len(self.vectors)

    def similar(self, rows: np.ndarray, k: int, mask: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """The k rows most like the mean of some rows, without these, and their cosine similarities.

        Args:
            rows: rows of the dataset to compare with.
            k: how many to find.
            mask: rows that may be found (bool); None: all.

        Raises:
            ConfigError: the rows have no vectors.
        """
        query = np.asarray(self.vectors[self.place[rows]], np.float32).mean(axis=0)
        length = float(np.linalg.norm(query))
        if length < 1e-6:
            raise ConfigError("there is no vector of this image to compare with", do="aqqua predict MODEL DATASET")
        query /= length
        allowed = np.ones(len(self), bool) if mask is None else mask.copy()
        allowed[rows] = False
        places = self._candidates(query, allowed)
        score = np.concatenate([self._scores(query, part) for part in _chunks(places)] or [np.zeros(0, np.float32)])
        best = np.argsort(-score, kind="stable")[:k]
        return self.row[places[best]], score[best]

    def _scores(self, query: np.ndarray, places: np.ndarray) -> np.ndarray:
        return np.asarray(self.vectors[places].astype(np.float32) @ query)

    def _candidates(self, query: np.ndarray, allowed: np.ndarray) -> np.ndarray:
        if len(self.centre) <= 1 or np.count_nonzero(allowed) < NARROW:
            return np.sort(self.place[np.flatnonzero(allowed)])
        cells = np.sort(np.argsort(-(self.centre @ query))[:PROBES])
        places = np.concatenate([np.arange(self.cell_start[c], self.cell_start[c + 1]) for c in cells])
        return np.asarray(places[allowed[self.row[places]]])


def _chunks(places: np.ndarray) -> list[np.ndarray]:
    return [places[i : i + CHUNK] for i in range(0, len(places), CHUNK)]


def _cells(unit: np.ndarray, number: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    import faiss

    means = faiss.Kmeans(unit.shape[1], number, niter=10, seed=seed, max_points_per_centroid=64, verbose=False)
    means.train(unit)
    _, cell = means.index.search(unit, 1)
    return np.asarray(means.centroids), cell[:, 0]
