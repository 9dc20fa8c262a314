"""Rows of the tables of a shard: few rows quickly, all rows lazily."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from aqqua.errors import FormatError, NotFoundError

__all__ = ["reading", "rows_at"]


@contextmanager
def reading(where: Path) -> Iterator[None]:
    """Turn what Polars and Arrow say about a damaged or missing table into our own words."""
    try:
        yield
    except FileNotFoundError as error:
        do = "copy the whole dataset again"
        raise NotFoundError(f"a table of the dataset is missing ({error})", where=where, do=do) from error
    except (pl.exceptions.ComputeError, pl.exceptions.SchemaError, pa.ArrowException, OSError) as error:
        do = "see what is wrong: aqqua check --level 2"
        raise FormatError(f"a table of the dataset cannot be read ({error})", where=where, do=do) from error


def rows_at(path: Path, keys: Sequence[int]) -> pl.DataFrame:
    """The rows of a table in key order at these keys, in their order; only row groups that hold one are read.

    Args:
        path: Converted or Raw Metadata of a shard.
        keys: the row numbers; each must exist.
    """
    with reading(path), pq.ParquetFile(path) as file:
        sizes = [file.metadata.row_group(index).num_rows for index in range(file.num_row_groups)]
        ends = list(accumulate(sizes))
        group_of = {key: bisect_right(ends, key) for key in keys}
        groups = sorted(set(group_of.values()))
        first = dict(zip(groups, accumulate([0, *(sizes[group] for group in groups)]), strict=False))
        places = [first[group_of[key]] + key - (ends[group_of[key]] - sizes[group_of[key]]) for key in keys]
        frame = pl.from_arrow(file.read_row_groups(groups).take(places))
    assert isinstance(frame, pl.DataFrame)
    return frame
