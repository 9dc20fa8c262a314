"""Rows of the tables of a shard: few rows quickly, all rows lazily."""

from __future__ import annotations

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
        begins = [0, *accumulate(sizes)]
        wanted = set(keys)
        groups = [
            index for index, begin in enumerate(begins[:-1]) if any(begin <= key < begins[index + 1] for key in wanted)
        ]
        table = file.read_row_groups(groups)
        places: dict[int, int] = {}
        first = 0
        for index in groups:
            places |= {key: first + key - begins[index] for key in wanted if begins[index] <= key < begins[index + 1]}
            first += sizes[index]
        frame = pl.from_arrow(table.take([places[key] for key in keys]))
    assert isinstance(frame, pl.DataFrame)
    return frame
