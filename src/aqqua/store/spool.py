"""Where a shard lies while it is collected: values in one file, rows in Arrow files that are mapped, not read."""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa

from aqqua.store.atomic import storage

__all__ = ["LARGE", "RUN", "TableSpool", "ValueSpool", "order_of", "pseudo_random_order"]

_ROWS_PER_FILE = 1 << 15


RUN = 16
"""So many neighbours of the source stay together in a large shard: their metadata are alike, and take less room."""
LARGE = 1 << 14
"""From so many images on a shard is large."""


def order_of(count: int, seed: int) -> tuple[np.ndarray, str]:
    """The order of a shard, and what the manifest says of it.

    Args:
        count: number of images.
        seed: any whole number.

    Returns:
        For each key the position of its image, int64 [count]; `splitmix64:SEED`, or `splitmix64/16:SEED` where runs of
        16 neighbours are in random order.
    """
    if count < LARGE:
        return pseudo_random_order(count, seed), f"splitmix64:{seed}"
    runs = pseudo_random_order(-(-count // RUN), seed)
    order = (runs[:, None] * RUN + np.arange(RUN)).reshape(-1)
    return order[order < count], f"splitmix64/{RUN}:{seed}"


def pseudo_random_order(count: int, seed: int) -> np.ndarray:
    """Whole numbers i sorted by the hash of (seed, i).

    The hash is splitmix64 (Steele, Lea, Flood 2014, doi:10.1145/2660193.2660195) of
    seed + (i + 1) · 0x9E3779B97F4A7C15.

    Args:
        count: how many.
        seed: any whole number; taken modulo 2^64.

    Returns:
        The numbers below `count`, int64 [count].
    """
    z = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(seed % (1 << 64))
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.argsort(z ^ (z >> np.uint64(31)), kind="stable")


class ValueSpool:
    """Encoded images one behind the other in a file; memory holds 8 bytes for each."""

    def __init__(self, path: Path) -> None:
        self.path, self.ends = path, array("Q", [0])
        with storage(path):
            path.write_bytes(b"")

    def __len__(self) -> int:
        """Number of values."""
        return len(self.ends) - 1

    @property
    def nbytes(self) -> int:
        """Their size together."""
        return self.ends[-1]

    def extend(self, values: Sequence[bytes]) -> None:
        """Append values, all or none."""
        with storage(self.path), self.path.open("r+b") as file:
            file.seek(self.nbytes)
            file.write(b"".join(values))
        for value in values:
            self.ends.append(self.nbytes + len(value))

    def read(self, order: np.ndarray) -> Iterator[bytes]:
        """The values at these positions, one by one."""
        with storage(self.path), self.path.open("rb", buffering=0) as file:
            for position in order.tolist():
                begin, end = self.ends[position], self.ends[position + 1]
                yield os.pread(file.fileno(), end - begin, begin)

    def remove(self) -> None:
        """Delete the file."""
        self.path.unlink(missing_ok=True)


class TableSpool:
    """Rows collected batch by batch; batches may have different columns."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        self._files: list[Path] = []
        self._waiting: list[pl.DataFrame] = []
        self._rows = 0

    def append(self, frame: pl.DataFrame) -> None:
        """Add rows; beyond 32,768 waiting ones they go to the disk."""
        if len(frame):
            self._waiting.append(frame)
            self._rows += len(frame)
        if self._rows >= _ROWS_PER_FILE:
            self._flush()

    def frame(self) -> pl.DataFrame:
        """All rows in the order they came, as one frame over the mapped files."""
        self._flush()
        parts = [_mapped(path) for path in self._files]
        return pl.concat(parts, how="diagonal", rechunk=False) if parts else pl.DataFrame()

    def blocks(self, order: np.ndarray, rows: int) -> Iterator[pl.DataFrame]:
        """The rows at these positions, some at a time."""
        frame = self.frame()
        for begin in range(0, len(order), rows):
            yield frame[order[begin : begin + rows]]

    def remove(self) -> None:
        """Delete the files."""
        for path in self._files:
            path.unlink(missing_ok=True)
        self._files, self._waiting, self._rows = [], [], 0

    def _flush(self) -> None:
        if not self._waiting:
            return
        path = self.folder / f"{self.name}-{len(self._files):05}.arrow"
        with storage(path):
            pl.concat(self._waiting, how="diagonal").write_ipc(path, compression="uncompressed")
        self._files.append(path)
        self._waiting, self._rows = [], 0


def _mapped(path: Path) -> pl.DataFrame:
    """A table whose columns stay in the file (Polars itself would read it into memory)."""
    with storage(path), pa.memory_map(str(path)) as mapped:
        frame = pl.from_arrow(pa.ipc.open_file(mapped).read_all(), rechunk=False)
    assert isinstance(frame, pl.DataFrame)
    return frame
