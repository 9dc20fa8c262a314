"""Rows of the tables of a shard: few rows quickly, all rows lazily."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pyarrow as pa

from aqqua.errors import AqquaError, FormatError, NotFoundError

__all__ = ["TROUBLE", "reading", "rows_at"]

TROUBLE = (pl.exceptions.PolarsError, pl.exceptions.PanicException, pa.ArrowException, OSError, ValueError)
"""What Polars and Arrow raise for a damaged table; Polars panics at some (it is no `Exception` then)."""


@contextmanager
def reading(where: Path) -> Iterator[None]:
    """Turn what Polars and Arrow say about a damaged or missing table into our own words."""
    try:
        yield
    except AqquaError:
        raise
    except FileNotFoundError as error:
        do = "copy the whole dataset again"
        raise NotFoundError(f"a table of the dataset is missing ({error})", where=where, do=do) from error
    except TROUBLE as error:
        do = "see what is wrong: aqqua check --level 2"
        raise FormatError(f"a table of the dataset cannot be read ({error})", where=where, do=do) from error


def rows_at(path: Path, keys: Sequence[int]) -> pl.DataFrame:
    """The rows of a shard's table at these keys, in their order.

    Polars reads the key column and then of the others only the pages that it needs.

    Args:
        path: Converted or Raw Metadata of a shard.
        keys: which rows; each must exist.

    Raises:
        NotFoundError: the table is missing.
        FormatError: it is damaged, or has no such row.
    """
    wanted = pl.Series("key", sorted(set(keys)), dtype=pl.UInt32)
    with reading(path):
        frame = pl.scan_parquet(path).filter(pl.col("key").is_in(wanted.implode())).collect()
    place = {key: index for index, key in enumerate(frame["key"])}
    if len(place) != len(wanted):
        what = f"a table has rows for {len(place)} of {len(wanted)} images"
        raise FormatError(what, where=path, do="see what is wrong: aqqua check --level 3")
    return frame[[place[int(key)] for key in keys]]
