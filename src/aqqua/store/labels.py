"""Labels: who said what about which image, when. Files are only ever added; the label recorded last counts."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from aqqua.errors import ConfigError
from aqqua.store.parquet import write_frame

__all__ = ["LABEL_SCHEMA", "STATUSES", "conform_labels", "latest", "read_labels", "write_labels"]

LABEL_SCHEMA: dict[str, Any] = {
    "uid": pl.UInt64,
    "label": pl.String,
    "taxon": pl.String,
    "aphia_id": pl.Int64,
    "ecotaxa_id": pl.Int64,
    "status": pl.String,
    "by": pl.String,
    "time_utc": pl.Datetime("ms", "UTC"),
    "recorded_utc": pl.Datetime("ms", "UTC"),
    "note": pl.String,
    "stage": pl.String,
    "sex": pl.String,
    "part": pl.String,
    "view": pl.String,
    "condition": pl.String,
    "grouping": pl.String,
    "eggs": pl.Boolean,
    "taxon_by": pl.String,
}
"""The columns from `stage` on came with format 1.1; older files do not have them."""
STATUSES = ("validated", "predicted", "dubious", "discarded", "unclassified")


def conform_labels(frame: pl.DataFrame, *, index: str = "uid") -> pl.DataFrame:
    """The labels with all columns in order and of the right type.

    Args:
        frame: at least the index and `label`; other columns are null where they are missing.
        index: the column that says which image: "uid", or another one while there are no uids yet.

    Raises:
        ConfigError: a column is missing, unknown, or of a wrong type; a status is none of `STATUSES`.
    """
    schema = {index: LABEL_SCHEMA["uid"]} | {name: kind for name, kind in LABEL_SCHEMA.items() if name != "uid"}
    extra = [name for name in frame.columns if name not in schema and not name.startswith("_")]
    missing = [name for name in (index, "label") if name not in frame.columns]
    if extra or missing:
        what = f"a table of labels with {f'unknown columns {extra}' if extra else f'no column {missing}'}"
        raise ConfigError(what, do=f"the columns are {', '.join(schema)}")
    try:
        columns = [pl.col(name) if name in frame.columns else pl.lit(None).alias(name) for name in schema]
        labels = frame.select(columns).cast(pl.Schema(schema))
    except pl.exceptions.PolarsError as error:
        raise ConfigError(f"a table of labels with a column of a wrong type ({error})") from error
    _check_values(labels, index)
    return labels


def _check_values(labels: pl.DataFrame, index: str) -> None:
    wrong = labels.filter(~pl.col("status").fill_null("unclassified").is_in(STATUSES))["status"].unique().to_list()
    if wrong:
        raise ConfigError(f"a label with the status {wrong[0]!r}", do=f"a status is one of {', '.join(STATUSES)}")
    if labels[index].null_count():
        raise ConfigError(f"a label without {index}", do="say for each label which image it speaks of")
    if "@" in "".join(labels["by"].drop_nulls().unique()):
        raise ConfigError("a label signed with an e-mail address", do="`by` names a role or a program, never a person")


def write_labels(folder: Path, labels: pl.DataFrame, snapshot: int | None = None) -> Path:
    """Write labels as a new sealed file.

    Args:
        folder: `labels/` of the dataset.
        labels: as `conform_labels` gives them; recorded now where they do not say when.
        snapshot: of the commit they belong to, so that they count from then on; None for labels that count at once.
    """
    now = datetime.now(UTC)
    name = f"{now:%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}" if snapshot is None else f"v{snapshot:06}"
    path = folder / f"{name}.parquet"
    labels = labels.with_columns(pl.col("recorded_utc").fill_null(now))
    write_frame(path, labels.sort("uid", maintain_order=True), kind="labels")
    return path


def read_labels(folder: Path, snapshot: int) -> pl.DataFrame:
    """All labels that count at a snapshot, oldest file first."""
    files = [path for path in _by_age(folder.glob("*.parquet")) if _counts(path, snapshot)]
    parts = [_all_columns(pl.read_parquet(path)) for path in files]
    return pl.concat(parts) if parts else pl.DataFrame(schema=LABEL_SCHEMA)


def _all_columns(labels: pl.DataFrame) -> pl.DataFrame:
    """The columns of today; those that a file of format 1.0 lacks are null."""
    lacking = [pl.lit(None, kind).alias(name) for name, kind in LABEL_SCHEMA.items() if name not in labels.columns]
    return labels.with_columns(lacking).select(LABEL_SCHEMA.keys())


def latest(labels: pl.DataFrame) -> pl.DataFrame:
    """One label per image: the one recorded last; of two recorded in the same millisecond the one written last."""
    return labels.sort("recorded_utc", maintain_order=True).unique("uid", keep="last", maintain_order=True).sort("uid")


def _by_age(paths: Iterable[Path]) -> list[Path]:
    """Labels of commits first, in their order, then those that people added, in theirs."""
    return sorted(paths, key=lambda path: (not path.name.startswith("v"), path.name))


def _counts(path: Path, snapshot: int) -> bool:
    return not path.name.startswith("v") or int(path.stem[1:]) <= snapshot
