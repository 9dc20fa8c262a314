"""Exact duplicates: equal hashes of pixels, confirmed by the pixels themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from aqqua.store.dataset import Dataset

__all__ = ["ROWS_AT_ONCE", "confirmed", "equal_hashes"]

ROWS_AT_ONCE = 20_000_000
"""Hashes in memory at a time: about 1 GB with what grouping needs."""


def equal_hashes(datasets: Sequence[Dataset], *, rows_at_once: int = ROWS_AT_ONCE) -> Iterator[pl.DataFrame]:
    """Find images whose hash another image has, within and across datasets.

    Only the column of hashes is read. It is passed over once for each part of the range of hashes that fits into
    memory: 10⁸ images are five passes over 0.8 GB.

    Args:
        datasets: the datasets.
        rows_at_once: memory, in rows.

    Yields:
        frames with `dataset` (place in the list), `uid` and `xxh3`, sorted by hash, then dataset, then uid.
    """
    parts = max(-(-sum(map(len, datasets)) // rows_at_once), 1)
    for part in range(parts):
        rows = [
            dataset.lazy()
            .select(pl.lit(number, pl.UInt16).alias("dataset"), "uid", "xxh3")
            .filter(pl.col("xxh3") % parts == part)
            for number, dataset in enumerate(datasets)
        ]
        everything = pl.concat(rows)
        twice = everything.group_by("xxh3").len().filter(pl.col("len") > 1).select("xxh3").collect(engine="streaming")
        if twice.height:
            found = everything.join(twice.lazy(), on="xxh3", how="semi").collect(engine="streaming")
            yield found.sort("xxh3", "dataset", "uid")


def confirmed(datasets: Sequence[Dataset], found: pl.DataFrame) -> Iterator[list[tuple[int, int]]]:
    """Compare the pixels of images with equal hashes.

    Args:
        datasets: the datasets.
        found: as `equal_hashes` gives it.

    Yields:
        groups of equal images, as (dataset, uid); the first of each is the one to keep.
    """
    for _, rows in found.group_by("xxh3", maintain_order=True):
        kinds: list[tuple[np.ndarray, list[tuple[int, int]]]] = []
        for number, uid in rows.select("dataset", "uid").iter_rows():
            pixels = datasets[number].image(uid)
            for other, members in kinds:
                if other.shape == pixels.shape and other.dtype == pixels.dtype and np.array_equal(other, pixels):
                    members.append((number, uid))
                    break
            else:
                kinds.append((pixels, [(number, uid)]))
        yield from (members for _, members in kinds if len(members) > 1)
