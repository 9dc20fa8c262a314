"""How our Parquet files are written: zstd 3, page index, checksums, an encoding per kind of column."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from aqqua.errors import FormatError
from aqqua.store.atomic import whole
from aqqua.store.seal import BLANK, seal_file

__all__ = ["FORMAT", "read_notes", "write_blocks", "write_frame"]

FORMAT = (1, 1)
"""Version of the AqQua Data Format that is written here: (major, minor)."""

_NOTE = b"aqqua"
_DELTA = {"key", "uid", "nbytes", "time_utc", "recorded_utc", "source_row", "sample_idx"}
_MANY_ROWS = 1 << 14
_PLAIN = {"xxh3", "object_id", "vector"}


def write_blocks(
    path: Path,
    blocks: Iterable[pl.DataFrame],
    *,
    kind: str,
    notes: Mapping[str, Any] | None = None,
    schema: pa.Schema | None = None,
) -> int:
    """Write blocks of rows as the row groups of one file, which gets its name when it is whole.

    Args:
        path: the file.
        blocks: one or more frames with the same columns; the first column is the one they are sorted by.
        kind: what the file is ("converted", "raw", "labels" …), kept in its metadata.
        notes: more for its metadata, as JSON.
        schema: of the file, where the types of the blocks are not enough.

    Returns:
        Number of rows.

    Raises:
        StorageError: the disk is full or refuses.
    """
    told = {"format": list(FORMAT), "kind": kind, **(notes or {}), **BLANK}
    note = json.dumps(told, ensure_ascii=False, default=str)
    rows, writer = 0, None
    with whole(path) as part:
        try:
            for block in blocks:
                table = _table(block, schema)
                writer = writer or _writer(part, table, note)
                writer.write_table(table, row_group_size=max(len(block), 1))
                rows += len(block)
        finally:
            if writer is not None:
                writer.close()
        seal_file(part)
    return rows


def write_frame(path: Path, frame: pl.DataFrame, *, kind: str, notes: Mapping[str, Any] | None = None) -> int:
    """Write one frame; see `write_blocks`."""
    size = 1 << 17
    blocks = (frame[begin : begin + size] for begin in range(0, max(len(frame), 1), size))
    return write_blocks(path, blocks, kind=kind, notes=notes)


def read_notes(path: Path) -> dict[str, Any]:
    """What our writer noted in the metadata of a file: format, kind and more.

    Raises:
        FormatError: it is no Parquet file, or of a newer format.
    """
    try:
        metadata = pq.read_schema(path).metadata or {}
        notes: dict[str, Any] = json.loads(metadata.get(_NOTE, b"{}"))
    except (pa.ArrowException, OSError, ValueError) as error:
        raise FormatError(f"this is no readable Parquet file ({error})", where=path) from error
    if notes.get("format", FORMAT)[0] > FORMAT[0]:
        raise FormatError(f"a file of format {notes['format']}", where=path, do="update aqqua to read it")
    return {name: told for name, told in notes.items() if name not in BLANK}


def _table(block: pl.DataFrame, schema: pa.Schema | None) -> pa.Table:
    table = block.to_arrow(compat_level=pl.CompatLevel.oldest())
    return table if schema is None else table.cast(schema)


def _writer(path: Path, first: pa.Table, note: str) -> pq.ParquetWriter:
    schema, names = first.schema, set(first.schema.names)
    delta = {name for name in names & _DELTA if _is_whole(schema.field(name).type) and not _repeats(first[name])}
    plain = {name for name in names if name in _PLAIN or pa.types.is_fixed_size_list(schema.field(name).type)}
    return pq.ParquetWriter(
        path,
        schema.with_metadata({_NOTE: note.encode()}),
        compression="zstd",
        compression_level=3,
        use_dictionary=[name for name in schema.names if name not in delta | plain],
        column_encoding=dict.fromkeys(delta, "DELTA_BINARY_PACKED"),
        write_page_index=True,
        write_page_checksum=True,
        sorting_columns=[pq.SortingColumn(0)],
    )


def _is_whole(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_timestamp(kind))


def _repeats(column: pa.ChunkedArray) -> bool:
    """Whether a large column has few different values: in random order a dictionary is then a fourth of differences."""
    return len(column) >= _MANY_ROWS and pc.count_distinct(column).as_py() * 8 < len(column)
