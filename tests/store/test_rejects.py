from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from aqqua.errors import ConfigError, FormatError
from aqqua.metadata.check import Finding
from aqqua.store.rejects import REJECT_SCHEMA, add_findings, add_rejects, read_findings, read_rejects

ROWS = pl.DataFrame({"source_path": ["a.tsv", "a.tsv"], "source_row": [4, 9], "reason": ["no position", "no time"]})
FINDINGS = [Finding("warning", "position_zero", "3 images at 0°, 0°", "a.tsv", 3, "ask the owner")]


def test_rejects_count_from_their_snapshot_on(tmp_path: Path) -> None:
    assert add_rejects(tmp_path, 1, ROWS[:1]) == 1
    assert add_rejects(tmp_path, 2, ROWS) == 1
    assert read_rejects(tmp_path, 1)["source_row"].to_list() == [4]
    rows = read_rejects(tmp_path, 2)
    assert list(rows.schema) == list(REJECT_SCHEMA)
    assert rows["reason"].to_list() == ["no position", "no time"]
    assert len(read_rejects(tmp_path, 0)) == 0


def test_rejects_of_a_commit_that_never_came_are_replaced(tmp_path: Path) -> None:
    add_rejects(tmp_path, 1, ROWS[:1])
    add_rejects(tmp_path, 1, ROWS[1:])
    assert read_rejects(tmp_path, 1)["source_row"].to_list() == [9]


def test_findings_likewise(tmp_path: Path) -> None:
    assert read_findings(tmp_path, 5) == []
    add_findings(tmp_path, 1, FINDINGS)
    assert read_findings(tmp_path, 0) == []
    more = [*FINDINGS, Finding("info", "told", "something")]
    add_findings(tmp_path, 2, more)
    assert read_findings(tmp_path, 2) == more
    assert read_findings(tmp_path, 1) == FINDINGS
    add_findings(tmp_path, 2, FINDINGS)
    assert read_findings(tmp_path, 2) == FINDINGS


def test_unknown_columns_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="colour"):
        add_rejects(tmp_path, 1, ROWS.with_columns(colour=pl.lit("red")))


def test_damage_is_named(tmp_path: Path) -> None:
    (tmp_path / "rejected.parquet").write_text("no")
    with pytest.raises(FormatError, match="rejected"):
        read_rejects(tmp_path, 1)
    for text in ("{", "[]", '{"findings": [1]}'):
        (tmp_path / "checks.json").write_text(text)
        with pytest.raises(FormatError, match="findings"):
            read_findings(tmp_path, 1)
