"""Tables with their provenance: whole, or not there."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from aqqua import __version__
from aqqua.errors import ConfigError, FormatError, NotFoundError
from aqqua.maps.tables import read_table, write_table

FRAME = pl.DataFrame(
    {"n": [1, None], "time_utc": [datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)] * 2, "taxon": ["a", "b,c"]}
)


@pytest.mark.parametrize("ending", [".parquet", ".csv", ".CSV"])
def test_round_trip(tmp_path: Path, ending: str) -> None:
    path = write_table(FRAME, tmp_path / f"t{ending}", {"kind": "x", "path": tmp_path})
    frame, about = read_table(path, needs=("n", "taxon"))
    assert frame["n"].to_list() == [1, None]
    assert frame["time_utc"].to_list() == FRAME["time_utc"].to_list()
    assert frame["taxon"].to_list() == ["a", "b,c"]
    assert about == {"aqqua_version": __version__, "kind": "x", "path": str(tmp_path)}


def test_tables_of_others_have_no_provenance(tmp_path: Path) -> None:
    FRAME.write_parquet(tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet")[1] == {}


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no such table"):
        read_table(tmp_path / "t.parquet")
    with pytest.raises(ConfigError, match=r"\.parquet or \.csv"):
        write_table(FRAME, tmp_path / "t.xlsx", {})
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(FormatError, match="no readable parquet"):
        read_table(tmp_path / "bad.parquet")
    write_table(FRAME, tmp_path / "t.parquet", {})
    with pytest.raises(ConfigError, match="no column volume_l"):
        read_table(tmp_path / "t.parquet", needs=("n", "volume_l"))


def test_nothing_is_left_of_a_table_that_failed(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        write_table(FRAME, tmp_path / "t.parquet", {("no", "key"): 1})  # type: ignore[dict-item]
    assert list(tmp_path.iterdir()) == []
