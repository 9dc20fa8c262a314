"""Rows that cannot be used: which field is missing, why, and what the owner can do."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from aqqua.metadata.fields import FIELDS, Field
from aqqua.metadata.mapping import InstrumentMapping
from aqqua.metadata.reading import Reading

__all__ = ["REJECT_SCHEMA", "rejects_of"]

REJECT_SCHEMA: dict[str, pl.DataType] = {
    "source_path": pl.String(),
    "source_row": pl.Int32(),
    "object_id": pl.String(),
    "field": pl.String(),
    "reason": pl.String(),
    "do": pl.String(),
    "raw": pl.String(),
}

# The two depths are always there or missing together; the upper one speaks for both.
_REQUIRED = tuple(name for name, field in FIELDS.items() if field.required and name != "depth_max_m")


def rejects_of(
    raw: pl.DataFrame, frame: pl.DataFrame, readings: Mapping[str, Reading], mapping: InstrumentMapping
) -> pl.DataFrame:
    """The rejects of some rows.

    Args:
        raw: the rows as they were delivered.
        frame: what was made of them, with `_row`.
        readings: how each field was read, for the reasons.
        mapping: the instrument's, for what to ask.

    Returns:
        `_row` and the columns of `REJECT_SCHEMA`, one row per image and missing field.
    """
    parts = [pl.DataFrame(schema={"_row": pl.UInt32(), **REJECT_SCHEMA})]
    for name in _REQUIRED:
        missing = frame[name].is_null()
        if name == "depth_min_m":
            missing = missing & frame["altitude_m"].is_null()
        if missing.any():
            parts.append(_rejects(raw, frame, name, missing, readings[name], mapping))
    return pl.concat(parts)


def _rejects(
    raw: pl.DataFrame, frame: pl.DataFrame, name: str, missing: pl.Series, reading: Reading, mapping: InstrumentMapping
) -> pl.DataFrame:
    entry = FIELDS[name]
    title = "depth" if name == "depth_min_m" else entry.title
    problem = reading.problem.struct.unnest().filter(missing)
    reason = problem.select(
        pl.when(pl.col("kind") == "unreadable")
        .then(pl.format("the {} {} in column {} cannot be read", pl.lit(title), _quoted(), "column"))
        .when(pl.col("kind") == "impossible")
        .then(pl.format("the {} {} in column {} is not {}", pl.lit(title), _quoted(), "column", pl.lit(_range(entry))))
        .when(pl.col("kind") == "sentinel")
        .then(pl.format("the {} is missing: {} in column {} stands for no value", pl.lit(title), _quoted(), "column"))
        .when(pl.col("kind") == "no unit")
        .then(pl.format("the {} {} in column {} has no known unit", pl.lit(title), _quoted(), "column"))
        .when(pl.col("kind") == "no date")
        .then(pl.format("the date is missing, there is only {} in columns {}", _quoted(), "column"))
        .otherwise(pl.lit(f"the {title} is missing"))
        .alias("reason"),
        pl.when(pl.col("kind").is_in(["unreadable", "impossible", "no unit", "no date"]))
        .then(pl.lit(entry.form))
        .otherwise(pl.lit(mapping.ask.get(name) or entry.ask))
        .alias("do"),
    )
    own = [column for column in raw.columns if not column.startswith("_")]
    return pl.DataFrame(
        {
            "_row": frame["_row"].filter(missing),
            "source_path": raw["source_path"].filter(missing),
            "source_row": raw["source_row"].filter(missing).cast(pl.Int32),
            "object_id": raw["object_id"].filter(missing),
            "field": pl.Series([name]).new_from_index(0, int(missing.sum())),
            "reason": reason["reason"],
            "do": reason["do"],
            "raw": raw.filter(missing).select(pl.struct(own).struct.json_encode()).to_series(),
        }
    )


def _quoted() -> pl.Expr:
    return pl.format("'{}'", pl.col("text").fill_null("").str.slice(0, 60))


def _range(entry: Field) -> str:
    low, high = entry.limits()
    if entry.dtype == "datetime":
        return f"between {low:%Y} and now"
    return f"between {low:g} and {high:,g} {entry.unit}".replace(" deg", " degrees").replace(" um/px", " µm")
