from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest

from aqqua.errors import FormatError, StorageError
from aqqua.store import parquet
from aqqua.store.parquet import read_notes, write_blocks, write_frame

FRAME = pl.DataFrame(
    {
        "key": pl.Series(range(1000), dtype=pl.UInt32),
        "nbytes": pl.Series([i * 7 % 100 for i in range(1000)], dtype=pl.UInt32),
        "xxh3": pl.Series([i * 2654435761 for i in range(1000)], dtype=pl.UInt64),
        "time_utc": pl.Series([datetime(2020, 1, 1, tzinfo=UTC)] * 1000, dtype=pl.Datetime("ms", "UTC")),
        "instrument": ["IFCB"] * 1000,
    }
)


def test_columns_are_encoded_by_kind(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    assert write_frame(path, FRAME, kind="converted") == 1000
    assert pl.read_parquet(path).equals(FRAME)
    group = pq.read_metadata(path).row_group(0)
    encodings = {group.column(i).path_in_schema: group.column(i).encodings for i in range(group.num_columns)}
    for name in ("key", "nbytes", "time_utc"):
        assert "DELTA_BINARY_PACKED" in encodings[name]
    assert "RLE_DICTIONARY" in encodings["instrument"]
    assert "RLE_DICTIONARY" not in encodings["xxh3"]
    assert "PLAIN" in encodings["xxh3"]
    column = group.column(0)
    assert column.compression == "ZSTD"
    assert column.has_column_index
    assert column.has_offset_index
    assert [one.column_index for one in group.sorting_columns] == [0]


def test_few_different_times_or_sizes_of_many_rows_are_a_dictionary(tmp_path: Path) -> None:
    rows = 1 << 14
    frame = pl.concat([FRAME] * 17)[:rows].with_columns(
        key=pl.Series(range(rows), dtype=pl.UInt32), source_row=pl.Series(range(rows), dtype=pl.Int32)
    )
    write_frame(tmp_path / "x.parquet", frame, kind="converted")
    group = pq.read_metadata(tmp_path / "x.parquet").row_group(0)
    encodings = {group.column(i).path_in_schema: group.column(i).encodings for i in range(group.num_columns)}
    for name in ("nbytes", "time_utc"):
        assert "RLE_DICTIONARY" in encodings[name]
    for name in ("key", "source_row"):
        assert "DELTA_BINARY_PACKED" in encodings[name]
    assert pl.read_parquet(tmp_path / "x.parquet").equals(frame)


def test_blocks_become_row_groups(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    assert write_blocks(path, [FRAME[:300], FRAME[300:]], kind="converted") == 1000
    metadata = pq.read_metadata(path)
    assert [metadata.row_group(i).num_rows for i in range(2)] == [300, 700]
    assert pl.read_parquet(path).equals(FRAME)


def test_an_empty_table_keeps_its_columns(tmp_path: Path) -> None:
    write_frame(tmp_path / "x.parquet", FRAME[:0], kind="labels")
    assert pl.read_parquet(tmp_path / "x.parquet").schema == FRAME.schema


def test_a_file_knows_its_format_and_kind(tmp_path: Path) -> None:
    write_frame(tmp_path / "x.parquet", FRAME, kind="converted", notes={"provenance": {"latitude": "object_lat"}})
    assert read_notes(tmp_path / "x.parquet") == {
        "format": list(parquet.FORMAT),
        "kind": "converted",
        "provenance": {"latitude": "object_lat"},
    }


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    for name in "ab":
        write_frame(tmp_path / name, FRAME, kind="converted")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_newer_or_damaged_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "no").write_bytes(b"PAR1 is not all")
    with pytest.raises(FormatError, match="no readable Parquet"):
        read_notes(tmp_path / "no")
    monkeypatch.setattr(parquet, "FORMAT", (2, 0))
    write_frame(tmp_path / "newer", FRAME, kind="converted")
    monkeypatch.undo()
    with pytest.raises(FormatError, match="update aqqua"):
        read_notes(tmp_path / "newer")


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError("[Errno 28] Error writing bytes to file. Detail: [errno 28] No space left on device")

    monkeypatch.setattr(pq.ParquetWriter, "write_table", full)
    with pytest.raises(StorageError, match="disk is full"):
        write_frame(tmp_path / "x.parquet", FRAME, kind="converted")
    assert list(tmp_path.iterdir()) == []
