"""Rows that cannot be used: which field is missing, why, and what the owner can do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from aqqua.metadata.fields import FIELDS, Field
from aqqua.metadata.inname import IMAGE_NAME
from aqqua.metadata.mapping import InstrumentMapping
from aqqua.metadata.reading import Reading

__all__ = ["FILLABLE", "REJECT_SCHEMA", "RejectGroup", "group_rejects", "missing_table", "rejects_of"]

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
FILLABLE = tuple(name for name, field in FIELDS.items() if field.required and name != "depth_max_m")
"""Fields without which a row is rejected, and which an owner can supply in a table."""


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
    for name in FILLABLE:
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
        .then(pl.format("the {} {} in {} cannot be read", pl.lit(title), _quoted(), _place()))
        .when(pl.col("kind") == "impossible")
        .then(pl.format("the {} {} in {} is not {}", pl.lit(title), _quoted(), _place(), pl.lit(_range(entry))))
        .when(pl.col("kind") == "sentinel")
        .then(pl.format("the {} is missing: {} in {} stands for no value", pl.lit(title), _quoted(), _place()))
        .when(pl.col("kind") == "no unit")
        .then(pl.format("the {} {} in {} has no known unit", pl.lit(title), _quoted(), _place()))
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


def _place() -> pl.Expr:
    """Where a text stood: a column, or the image's name, which is none."""
    column = pl.col("column")
    return pl.when(column == IMAGE_NAME).then(column).otherwise(pl.format("column {}", column))


def _range(entry: Field) -> str:
    low, high = entry.limits()
    if entry.dtype == "datetime":
        return f"between {low:%Y} and now"
    return f"between {low:g} and {high:,g} {entry.unit}".replace(" deg", " degrees").replace(" um/px", " µm")


@dataclass(frozen=True)
class RejectGroup:
    """Rejected rows that have the same field, reason and remedy.

    Args:
        field: which one is missing or wrong.
        reason: of the first row; the others differ only in names and numbers.
        do: what the owner can do.
        count: number of rows.
        examples: path and row of the first ones.
    """

    field: str
    reason: str
    do: str
    count: int
    examples: tuple[str, ...]


def group_rejects(rejects: pl.DataFrame, examples: int = 3) -> list[RejectGroup]:
    """Group rejected rows by what is wrong with them, the largest group first.

    Args:
        rejects: with the columns of `REJECT_SCHEMA`.
        examples: how many rows of each group to name.
    """
    alike = pl.col("reason").str.replace_all(r"'[^']*'|\"[^\"]*\"", "…").str.replace_all(r"\b\d[\d,.×]*", "…")
    row = pl.when(pl.col("source_row").is_null()).then(pl.lit("")).otherwise(pl.format(", row {}", "source_row"))
    name = pl.when(pl.col("object_id").is_null()).then(pl.lit("")).otherwise(pl.format(", object {}", "object_id"))
    place = pl.format("{}{}{}", pl.col("source_path").fill_null("?"), row, name)
    groups = (
        rejects.with_columns(alike.alias("_alike"), place.alias("_place"))
        .group_by("field", "_alike", "do", maintain_order=True)
        .agg(pl.col("reason").first(), pl.len(), pl.col("_place").head(examples))
        .sort("len", descending=True, maintain_order=True)
    )
    return [
        RejectGroup(field or "", reason or "", do or "", count, tuple(places))
        for field, do, reason, count, places in groups.select("field", "do", "reason", "len", "_place").iter_rows()
    ]


def missing_table(rejects: pl.DataFrame) -> pl.DataFrame:
    """A table to fill in, ready for `aqqua ingest --fix`: what to name rows by, and an empty column per missing field.

    One row per sample where whole samples lack something, else one per image. Cells that are filled already stay as
    they are in the source; `missing` says per row which ones are needed.

    Args:
        rejects: with the columns of `REJECT_SCHEMA`; rows that lack no field (an image that cannot be read) are left
            out.

    Returns:
        All text; no rows where nothing is missing.
    """
    lacking = rejects.filter(pl.col("field").is_in(FILLABLE))
    keys = pl.DataFrame(
        [_keys_of(text) for text in lacking["raw"].to_list()],
        schema={"filename": pl.String, "sample_id": pl.String},
        orient="row",
    )
    rows = lacking.select("source_path", "object_id", "field").hstack(keys)
    wanted = rows["field"].unique(maintain_order=True).to_list()
    columns = [column for name in wanted for column in _DEPTHS.get(name, (name,))]
    by_sample = rows["sample_id"].null_count() == 0 and _whole_samples(rows)
    by = ["sample_id"] if by_sample else ["filename", "object_id"]
    images = rows.group_by("source_path", *by, maintain_order=True).agg(
        pl.col("field").unique(maintain_order=True).str.join(", ").alias("missing"), pl.len()
    )
    known = [name for name in by if images[name].count()]
    return images.select(*known, *(pl.lit("").alias(name) for name in columns), "missing")


_DEPTHS = {"depth_min_m": ("depth_min_m", "depth_max_m")}


def _keys_of(text: str | None) -> tuple[str | None, str | None]:
    """File and sample of a rejected row, as its source names them."""
    try:
        row = json.loads(text or "{}")
    except ValueError:
        return None, None
    if not isinstance(row, dict):
        return None, None
    return row.get("image_path"), row.get("sample_id")


def _whole_samples(rows: pl.DataFrame) -> bool:
    """Whether all rejected images of each sample lack the same fields, and there are fewer samples than images."""
    lacks = rows.group_by("sample_id", "filename", "object_id").agg(pl.col("field").unique().sort().str.join(","))
    same = lacks.group_by("sample_id").agg(pl.col("field").n_unique())
    return bool(lacks.height and (same["field"] == 1).all() and same.height < lacks.height)
