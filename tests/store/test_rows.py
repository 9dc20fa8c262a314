from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from aqqua.errors import FormatError, NotFoundError
from aqqua.store.parquet import write_blocks
from aqqua.store.rows import rows_at


@pytest.fixture
def table(tmp_path: Path) -> Path:
    frame = pl.DataFrame({"key": pl.Series(range(100), dtype=pl.UInt32), "text": [f"row {i}" for i in range(100)]})
    path = tmp_path / "x.parquet"
    write_blocks(path, [frame[:30], frame[30:31], frame[31:80], frame[80:]], kind="raw")
    return path


@pytest.mark.parametrize("keys", [[0], [99], [30], [29, 30, 31], [80, 5, 5, 79], list(range(99, -1, -1))])
def test_rows_come_in_the_order_asked_for(table: Path, keys: list[int]) -> None:
    assert rows_at(table, keys).to_dict(as_series=False) == {"key": keys, "text": [f"row {key}" for key in keys]}


def test_a_row_that_is_not_there_is_an_error(table: Path) -> None:
    with pytest.raises(FormatError, match="1 of 2 images"):
        rows_at(table, [100, 3])


def test_a_missing_or_damaged_table_is_named(table: Path) -> None:
    with pytest.raises(NotFoundError, match="missing"):
        rows_at(table.with_name("no.parquet"), [1])
    content = bytearray(table.read_bytes())
    content[50:90] = bytes(40)
    table.write_bytes(content)
    with pytest.raises(FormatError, match="aqqua check"):
        rows_at(table, [1])
