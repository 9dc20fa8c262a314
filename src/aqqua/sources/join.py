"""Join an owner's table to the rows of a source: by file, object or sample – whatever its columns are about.

A key is taken only from a column whose name says that it is one (file, object, sample …) and whose values are found
among the images. What the table says wins over the source; what does not fit together is told, row by row.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from posixpath import basename, splitext

import polars as pl

from aqqua.metadata.check import Finding
from aqqua.sources.tables import TextTable

__all__ = ["Joined", "join_table", "unmatched_rows"]

KEY_NAME = re.compile(
    r"file|image|img|name|path|object|roi|(^|_)id$|sample|bin|station|label|class|taxon|folder|key|pid", re.I
)
_OWN = ("object_id", "img_file_name", "sample_id", "acquisition_id", "acq_id", "label", "folder")
_RESERVED = ("source_path", "source_row", "image_path", "_field", "_reason", "_do")
_BY_NAME = ("file name", "file name without suffix")


@dataclass(frozen=True)
class Joined:
    """Rows with the table's columns.

    Args:
        frame: the rows; where a table row fits several images that it cannot mean, `_reason` says so.
        key: the table's column the rows were found by; "" for a constant; None: nothing fits.
        used: rows of the table that were used.
        findings: what to tell.
    """

    frame: pl.DataFrame
    key: str | None
    used: list[int]
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True)
class _Key:
    column: str
    by: str
    values: pl.Series
    covered: int


def join_table(frame: pl.DataFrame, table: TextTable, name: str) -> Joined:
    """Join a table to the rows of a part.

    Args:
        frame: rows as a part gives them.
        table: one row per image, object or sample – or a single row without key, for all.
        name: what to call the table in messages.
    """
    if not any(KEY_NAME.search(column) for column in table.frame.columns) and table.frame.height == 1:
        return Joined(_merge(frame, table, pl.Series([0] * frame.height, dtype=pl.UInt32), name), "", [0])
    best = max(_keys(frame, table.frame), key=lambda key: key.covered, default=None)
    if best is None or best.covered == 0:
        return Joined(frame, None, [])
    line = _lines_of(best, table.frame[best.column])
    joined = _merge(_ambiguous(frame, best, line, name), table, line, name)
    findings = []
    missing = int(line.is_null().sum())
    if missing:
        do = f"add them to the table (its column {best.column!r} holds the {best.by})"
        findings.append(Finding("warning", "not_in_table", "images have no row in the table", name, missing, do))
    return Joined(joined, best.column, line.drop_nulls().unique().sort().to_list(), findings)


def unmatched_rows(table: TextTable, used: set[int], name: str, key: str) -> pl.DataFrame:
    """Rows of a table that belong to no image, as rows of a part that cannot be used."""
    rows = [row for row in range(table.frame.height) if row not in used]
    told = [f"there is no image for {table.frame[key][row]!r}" if key else "there is no image for it" for row in rows]
    do = "add the image, or remove the line from the table"
    return (
        table.frame[rows]
        .rename(_renamed(table.frame))
        .with_columns(
            pl.lit(name).alias("source_path"),
            pl.Series("source_row", [table.lines[row] for row in rows], pl.Int32),
            pl.lit(None, pl.String).alias("image_path"),
            (pl.col(key) if key else pl.lit(None, pl.String)).alias("object_id"),
            pl.lit(key or "image").alias("_field"),
            pl.Series("_reason", told, pl.String),
            pl.lit(do).alias("_do"),
        )
    )


def _keys(frame: pl.DataFrame, table: pl.DataFrame) -> Iterator[_Key]:
    """Every pair of a table's column and something the rows are known by, the most specific first."""
    columns = [column for column in table.columns if KEY_NAME.search(column)]
    once = {column: _folded(table[column]).drop_nulls() for column in columns}
    once = {column: values.filter(values.is_unique()) for column, values in once.items()}
    for by, values in _known_by(frame):
        for column in columns:
            yield _Key(column, by, values, int(values.is_in(once[column].implode()).sum()))


def _known_by(frame: pl.DataFrame) -> Iterator[tuple[str, pl.Series]]:
    paths = frame["image_path"]
    yield "path", _folded(paths)
    names = [path and basename(path) for path in paths]
    for by, short in zip(_BY_NAME, (names, [name and splitext(name)[0] for name in names]), strict=True):
        yield by, _folded(pl.Series(short, dtype=pl.String))
    yield from ((column, _folded(frame[column])) for column in _OWN if column in frame.columns)


def _folded(values: pl.Series) -> pl.Series:
    plain = values.cast(pl.String).str.strip_chars().str.replace_all("\\", "/", literal=True)
    plain = plain.str.replace(r"^(\d+)\.0$", "$1")  # 123 comes back as 123.0 from R and pandas
    return plain.str.strip_prefix("./").str.to_lowercase().replace("", None)


def _lines_of(key: _Key, column: pl.Series) -> pl.Series:
    """For each image the row of the table, or null; a value that stands twice in the table is no key."""
    values = _folded(column)
    lookup = pl.DataFrame({"key": values, "line": pl.Series(range(len(values)), dtype=pl.UInt32)})
    lookup = lookup.filter(values.is_unique() & values.is_not_null())
    return key.values.alias("key").to_frame().join(lookup, on="key", how="left", maintain_order="left")["line"]


def _ambiguous(frame: pl.DataFrame, key: _Key, line: pl.Series, name: str) -> pl.DataFrame:
    """Refuse images that share a name, where the table only knows names."""
    if key.by not in _BY_NAME:
        return frame
    shared = pl.col("image_path").n_unique().over(key.values) > 1
    told = pl.format(f"several images have the name {{}}: the row of {name} may mean any of them", key.values)
    wrong = shared & pl.Series(line).is_not_null() & pl.col("_reason").is_null()
    return frame.with_columns(
        pl.when(wrong).then(pl.lit(key.column)).otherwise("_field").alias("_field"),
        pl.when(wrong).then(told).otherwise("_reason").alias("_reason"),
        pl.when(wrong).then(pl.lit("write the path, not only the name, into the table")).otherwise("_do").alias("_do"),
    )


def _merge(frame: pl.DataFrame, table: TextTable, line: pl.Series, name: str) -> pl.DataFrame:
    """Put the table's values beside the rows; where both have a column, the table's value wins if there is one."""
    where = pl.Series("table_line", [f"{name}:{number}" for number in table.lines], pl.String)
    theirs = table.frame.rename(_renamed(table.frame)).with_columns(where)
    picked = pl.DataFrame({column: theirs[column].gather(line) for column in theirs.columns})
    both = [
        pl.coalesce(picked[column], pl.col(column)).alias(column) if column in frame.columns else picked[column]
        for column in picked.columns
    ]
    return frame.with_columns(both)


def _renamed(table: pl.DataFrame) -> dict[str, str]:
    """Columns that would take the place of aqqua's own are called table_…."""
    return {column: f"table_{column}" for column in table.columns if column in _RESERVED or column == "table_line"}
