"""Images of one organism by several cameras: what no augmentation can draw, and the virtual ocean knows.

A table with the columns `object_id` and `organism_id` (CSV, TSV or Parquet) says which objects are the same organism;
`truth/sightings.parquet` of a virtual ocean is one. Cameras side by side on one frame can give such a table, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aqqua.errors import ConfigError, NotFoundError
from aqqua.store.dataset import Dataset

__all__ = ["find_twins", "pairs", "read_organisms"]

_COLUMNS = ("object_id", "organism_id")


def read_organisms(path: Path | str) -> dict[str, str]:
    """Which organism each object is.

    Raises:
        NotFoundError: there is no such table.
        ConfigError: it lacks a column.
    """
    path = Path(path)
    if not path.is_file():
        raise NotFoundError("there is no table of organisms", where=path, do="leave same_organism empty to do without")
    if path.suffix == ".parquet":
        table = pl.read_parquet(path)
    else:
        separator = "\t" if path.suffix == ".tsv" else ","
        table = pl.read_csv(path, separator=separator, infer_schema=False)
    missing = [name for name in _COLUMNS if name not in table.columns]
    if missing:
        raise ConfigError(f"the table of organisms lacks {' and '.join(missing)}", where=path, do="name the columns so")
    known = table.select(pl.col(_COLUMNS).cast(pl.String)).drop_nulls()
    return dict(known.iter_rows())


def find_twins(
    datasets: Sequence[Dataset], organisms: Mapping[str, str], instrument: NDArray[np.int64]
) -> dict[int, NDArray[np.int64]]:
    """Rows of the same organism by another instrument, for each row that has any.

    Args:
        datasets: in the order of the rows.
        organisms: organism of each object_id.
        instrument: of each row.
    """
    names = [name for ds in datasets for name in ds.metadata(["object_id"])["object_id"].to_list()]
    seen: dict[str, list[int]] = {}
    for row, name in enumerate(names):
        if name in organisms:
            seen.setdefault(organisms[name], []).append(row)
    twins = {}
    for rows in seen.values():
        for row in rows:
            others = [other for other in rows if instrument[other] != instrument[row]]
            if others:
                twins[row] = np.array(others, dtype=np.int64)
    return twins


def pairs(twins: Mapping[int, NDArray[np.int64]]) -> NDArray[np.int64]:
    """All pairs of twins, each once (n, 2)."""
    found = sorted({(min(row, int(other)), max(row, int(other))) for row, others in twins.items() for other in others})
    return np.array(found, dtype=np.int64).reshape(-1, 2)
