"""Particles stuck to the window: the same look at the same place of the frame, again and again within one acquisition.

Where the source says where in the frame an image was cut out, place and look must agree. Where it does not, only
captures that look the same to the last detail count, at least three of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aqqua.curate.compare import Likeness, compare
from aqqua.curate.groups import Groups
from aqqua.curate.hashing import MAX_BITS, hamming
from aqqua.store.dataset import Dataset
from aqqua.store.rows import reading

__all__ = ["POSITION_COLUMNS", "STUCK_SCHEMA", "STUCK_VERSION", "find_stuck"]

STUCK_VERSION = 1
STUCK_SCHEMA: dict[str, Any] = {"uid": pl.UInt64, "stuck_group": pl.UInt64, "stuck_count": pl.UInt32}

POSITION_COLUMNS = (
    ("object_bx", "object_by"),
    ("roi_x", "roi_y"),
    ("roix", "roiy"),
    ("x_position", "y_position"),
    ("object_x_position", "object_y_position"),
    ("frame_x", "frame_y"),
    ("bbox_x", "bbox_y"),
    ("src_x", "src_y"),
    ("capture_x", "capture_y"),
)
"""Columns of Raw Metadata that say where in the frame an image was cut out, in pixels: ZooProcess, IFCB, FlowCam …"""

_NEAR_PX = 4
_LEAST = 3
_LOOK, _LOOK_PLACED = 0.97, 0.9
_NEXT = 48
"""An image is compared with so many that came after it at its place."""


def find_stuck(dataset: Dataset, looks: pl.DataFrame) -> pl.DataFrame:
    """Find stuck particles.

    Args:
        dataset: the dataset.
        looks: `uid`, `phash`, `width`, `height` (see `aqqua.curate.signatures`).

    Returns:
        `uid`, `stuck_group` (the uid of the first) and `stuck_count` of each image of a stuck particle, sorted by uid.
    """
    names = ["sample_id", "acquisition_id", "instrument", "time_utc", "object_id"]
    table = (
        dataset.metadata(names)
        .join(looks, on="uid", maintain_order="left")
        .join(_places(dataset), on="uid", how="left")
    )
    rows: list[tuple[int, int, int]] = []
    by = ["instrument", "sample_id", "acquisition_id"]
    for _, one in table.group_by(by, maintain_order=True):
        if one.height >= _LEAST:
            rows += _in_acquisition(dataset, one.sort("time_utc", "object_id", nulls_last=True))
    return pl.DataFrame(sorted(rows), schema=STUCK_SCHEMA, orient="row")


def _places(dataset: Dataset) -> pl.DataFrame:
    """`uid`, `x` and `y` in the frame, of images whose source says it."""
    parts = [pl.DataFrame(schema={"uid": pl.UInt64, "x": pl.Float64, "y": pl.Float64})]
    for shard in dataset.shards:
        with reading(shard.raw):
            raw = pl.scan_parquet(shard.raw)
            lower = {name.lower(): name for name in raw.collect_schema().names()}
            pair = next((pair for pair in POSITION_COLUMNS if set(pair) <= lower.keys()), None)
            if pair is None:
                continue
            x, y = (pl.col(lower[name]).cast(pl.Float64, strict=False) for name in pair)
            uid = pl.col("key").cast(pl.UInt64) + (shard.number << 32)
            parts.append(raw.select(uid.cast(pl.UInt64).alias("uid"), x.alias("x"), y.alias("y")).collect())
    return pl.concat(parts).drop_nulls()


def _in_acquisition(dataset: Dataset, rows: pl.DataFrame) -> Iterator[tuple[int, int, int]]:
    """Stuck particles among the images of one acquisition, which are in the order of time."""
    phash, uids = rows["phash"].to_numpy(), rows["uid"].to_list()
    place = rows.select("x", "y").to_numpy()
    size = rows.select("width", "height").to_numpy()
    groups = Groups()
    held: dict[int, NDArray[np.generic]] = {}
    for a, b in _candidates(place, size, phash):
        if groups.of(a) == groups.of(b):
            continue
        for row in (a, b):
            held.setdefault(row, dataset.image(uids[row]))
        placed = bool(np.isfinite(place[[a, b]]).all())
        if _same(compare(held[a], held[b]), placed=placed):
            groups.join(a, b)
        for row in [row for row in held if row < a - _NEXT]:
            del held[row]
    for first, members in groups.all().items():
        if len(members) >= _LEAST:
            yield from ((uids[row], uids[first], len(members)) for row in members)


def _same(likeness: Likeness | None, *, placed: bool) -> bool:
    """Whether two captures show one stuck particle: noise differs from frame to frame, so detail says little."""
    return likeness is not None and likeness.look >= (_LOOK_PLACED if placed else _LOOK)


def _candidates(
    place: NDArray[np.float64], size: NDArray[np.int64], phash: NDArray[np.uint64]
) -> Iterator[tuple[int, int]]:
    """Pairs of rows at one place of the frame – or, without places, of one look and size."""
    known = np.asarray(np.isfinite(place).all(axis=1))
    yield from _pairs(_cells(place, known), lambda a, b: bool((np.abs(place[a] - place[b]) <= _NEAR_PX).all()))
    alike = np.stack([size[:, 0], size[:, 1]], axis=1).astype(np.float64)

    def same_look(a: int, b: int) -> bool:
        return int(hamming(phash[a : a + 1], phash[b : b + 1])[0]) <= MAX_BITS

    yield from _pairs(_cells(alike, ~known), same_look)


def _cells(values: NDArray[np.float64], chosen: NDArray[np.bool_]) -> list[list[int]]:
    """Rows whose two numbers lie in one cell of 16 × 16, in four grids half a cell apart."""
    cells: dict[tuple[int, int, int, int], list[int]] = defaultdict(list)
    for row in np.flatnonzero(chosen):
        for down in (0, 8):
            for right in (0, 8):
                x, y = values[row]
                cells[down, right, int((x + right) // 16), int((y + down) // 16)].append(int(row))
    return [rows for rows in cells.values() if len(rows) > 1]


def _pairs(cells: Sequence[list[int]], near: Any) -> Iterator[tuple[int, int]]:
    """Pairs of each cell that are near, each with the next few only: what is stuck stays."""
    for rows in cells:
        for index, a in enumerate(rows):
            yield from ((a, b) for b in rows[index + 1 : index + 1 + _NEXT] if near(a, b))
