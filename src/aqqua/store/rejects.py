"""What did not get in and why (`rejected.parquet`), and what looked odd (`checks.json`).

Both are rewritten as a whole at each commit, before the commit counts. So that an interrupted commit leaves no trace,
each row and finding knows the snapshot it belongs to, and readers pass over those of snapshots that never came.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from aqqua.errors import ConfigError, FormatError
from aqqua.metadata.check import Finding
from aqqua.store.parquet import write_frame
from aqqua.store.rows import TROUBLE
from aqqua.store.seal import write_sealed_json

__all__ = ["REJECT_SCHEMA", "add_findings", "add_rejects", "read_findings", "read_rejects"]

REJECT_SCHEMA: dict[str, Any] = {
    "source_path": pl.String,
    "source_row": pl.Int32,
    "object_id": pl.String,
    "field": pl.String,
    "reason": pl.String,
    "do": pl.String,
    "raw": pl.String,
}
_SNAPSHOT = {"snapshot": pl.UInt32}


def read_rejects(root: Path, snapshot: int) -> pl.DataFrame:
    """The rejected rows at a snapshot."""
    return _read_rejects(root, snapshot).drop("snapshot")


def add_rejects(root: Path, snapshot: int, rejects: pl.DataFrame) -> int:
    """Add rejected rows that count from a snapshot on; one that is there already is not added again.

    Returns:
        Number of rows that are new.

    Raises:
        ConfigError: a column is unknown or of a wrong type.
    """
    if extra := sorted(set(rejects.columns) - set(REJECT_SCHEMA)):
        raise ConfigError(f"a table of rejects with the column {extra[0]!r}", do=f"it has {', '.join(REJECT_SCHEMA)}")
    columns = [pl.col(name) if name in rejects.columns else pl.lit(None).alias(name) for name in REJECT_SCHEMA]
    new = (
        rejects.select(columns)
        .cast(pl.Schema(REJECT_SCHEMA))
        .with_columns(pl.lit(snapshot).cast(pl.UInt32).alias("snapshot"))
    )
    old = _read_rejects(root, snapshot - 1)
    rows = pl.concat([old, new]).unique(list(REJECT_SCHEMA), keep="first", maintain_order=True)
    write_frame(root / "rejected.parquet", rows, kind="rejected")
    return len(rows) - len(old)


def read_findings(root: Path, snapshot: int) -> list[Finding]:
    """What looked odd, as known at a snapshot."""
    entries = _read_findings(root, snapshot)
    return [Finding(**{name: value for name, value in entry.items() if name != "snapshot"}) for entry in entries]


def add_findings(root: Path, snapshot: int, findings: Sequence[Finding]) -> None:
    """Add findings that count from a snapshot on; one that is there already is not added again."""
    old = _read_findings(root, snapshot - 1)
    known = {json.dumps({**entry, "snapshot": 0}, sort_keys=True) for entry in old}
    entries = [{**finding.to_dict(), "snapshot": snapshot} for finding in findings]
    new = [entry for entry in entries if json.dumps({**entry, "snapshot": 0}, sort_keys=True) not in known]
    write_sealed_json(root / "checks.json", {"findings": [*old, *new]})


def _read_rejects(root: Path, snapshot: int) -> pl.DataFrame:
    path = root / "rejected.parquet"
    if not path.is_file():
        return pl.DataFrame(schema=REJECT_SCHEMA | _SNAPSHOT)
    try:
        rows = pl.read_parquet(path).select(*REJECT_SCHEMA, *_SNAPSHOT)
    except TROUBLE as error:
        raise FormatError(f"the table of rejected rows cannot be read ({error})", where=path) from error
    return rows.filter(pl.col("snapshot") <= snapshot)


def _read_findings(root: Path, snapshot: int) -> list[dict[str, Any]]:
    path = root / "checks.json"
    if not path.is_file():
        return []
    try:
        entries: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["findings"]
        return [entry for entry in entries if entry["snapshot"] <= snapshot]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FormatError(f"the findings of the ingests cannot be read ({error!r})", where=path) from error
