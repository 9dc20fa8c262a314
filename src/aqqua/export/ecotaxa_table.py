"""Rows → the text of EcoTaxa tables: which columns there are, of which type, in which unit, written how."""

from __future__ import annotations

import io
from dataclasses import dataclass

import polars as pl

import aqqua
from aqqua.export.ecotaxa_cells import MAX_ID, MAX_TEXT
from aqqua.export.ecotaxa_package import Table, is_free

__all__ = ["Column", "columns_for", "table_of", "to_bytes"]


@dataclass(frozen=True)
class Column:
    """One column: its name and type in EcoTaxa, and the text of its cells."""

    name: str
    type: str
    text: pl.Expr


def columns_for(rows: pl.DataFrame, model: str | None, *, labels_too: bool = False) -> list[Column]:
    """The columns that an export needs: those that EcoTaxa knows, and free ones that have any value.

    Args:
        rows: all rows of the export.
        model: id of the model whose predictions these are.
        labels_too: write labels beside the predictions (where the predictions replace them).
    """
    annotated_at = pl.when(pl.col("status") != "predicted").then("label_time")
    wanted = [
        _text("img_file_name", "file"),
        _number("img_rank", "rank"),
        _text("object_id", "object"),
        _number("object_lat", "latitude"),
        _number("object_lon", "longitude"),
        _time("object_date", pl.col("time_utc"), "%Y%m%d"),
        _time("object_time", pl.col("time_utc"), "%H%M%S"),
        _number("object_depth_min", "depth_min_m"),
        _number("object_depth_max", "depth_max_m"),
        Column("object_annotation_status", "[t]", pl.when(pl.col("route") != "none").then("status")),
        Column(
            "object_annotation_category_id", "[f]", pl.when(pl.col("route") == "id").then("category_id").cast(pl.String)
        ),
        Column("object_annotation_category", "[t]", pl.when(pl.col("route") == "name").then("category")),
        _time("object_annotation_date", annotated_at, "%Y%m%d"),
        _time("object_annotation_time", annotated_at, "%H%M%S"),
        *_of_object(rows, model, labels_too=labels_too),
        _text("sample_id", "sample"),
        _text("sample_project", "project"),
        _text("acq_id", "acq"),
        _text("acq_instrument", "instrument"),
        _text("acq_instrument_id", "instrument_id"),
        _text("acq_modality", "modality"),
        _text("process_id", "process"),
        _number("process_pixel_um", "pixel_um"),
        Column("process_software", "[t]", pl.lit(f"aqqua {aqqua.__version__}")),
    ]
    filled = rows.select(column.text.cast(pl.String).is_not_null().any().alias(column.name) for column in wanted).row(0)
    return [column for column, any_value in zip(wanted, filled, strict=True) if any_value]


def _of_object(rows: pl.DataFrame, model: str | None, *, labels_too: bool) -> list[Column]:
    """Free columns of objects: what EcoTaxa has no place for, with the unit in the name."""
    exact_time = (pl.col("time_utc").dt.millisecond() != 0).any()
    predicted = pl.any_horizontal(pl.col("taxon_knn", "taxon_linear").is_not_null())
    renamed = pl.when(pl.col("object") != pl.col("object_id")).then("object_id")
    return [
        _number("object_pixel_um", "pixel_um"),
        _number("object_altitude_m", "altitude_m"),
        _number("object_volume_l", "volume_l"),
        _number("object_subsample_factor", "subsample_factor"),
        _time("object_time_utc", pl.when(exact_time).then("time_utc"), "%Y-%m-%dT%H:%M:%S%.3fZ"),
        Column("object_channel", "[t]", pl.when(pl.col("plane") != "").then("plane")),
        _number("object_aqqua_score", "score"),
        Column("object_aqqua_model", "[t]", pl.when(predicted).then(pl.lit(model, pl.String))),
        _text("object_aqqua_taxon_linear", "taxon_linear"),
        _number("object_aqqua_p_linear", "p_linear"),
        _text("object_aqqua_taxon_knn", "taxon_knn"),
        _number("object_aqqua_p_knn", "p_knn"),
        _number("object_aqqua_outlier", "outlier"),
        Column("object_aqqua_label", "[t]", pl.when(labels_too).then("label")),
        Column("object_aqqua_label_status", "[t]", pl.when(labels_too).then("label_status")),
        Column("object_aqqua_source_id", "[t]", renamed),
        Column("object_aqqua_uid", "[t]", pl.col("uid").first().over("object").cast(pl.String)),
    ]


def table_of(path: str, rows: pl.DataFrame, columns: list[Column]) -> Table:
    """Make one table; category columns that this table does not use are left out, never left blank."""
    unused = {"id": {"object_annotation_category"}, "name": {"object_annotation_category_id"}}.get(
        rows["route"][0],
        {column.name for column in columns if column.name.startswith("object_annotation_")},
    )
    used = [column for column in columns if column.name not in unused]
    frame = rows.select(_one_line(column).fill_null("").alias(column.name) for column in used)
    return Table(path, tuple(c.name for c in used), tuple(c.type for c in used), frame)


def to_bytes(table: Table) -> bytes:
    """The file of a table: UTF-8 with byte order mark, names, types, data."""
    out = io.BytesIO()
    out.write("\ufeff".encode())
    out.write(("\t".join(table.header) + "\n" + "\t".join(table.types) + "\n").encode())
    data = table.frame.with_columns(pl.all().replace("", None))
    data.write_csv(out, separator="\t", include_header=False, quote_style="necessary")
    return out.getvalue()


def _text(name: str, column: str) -> Column:
    return Column(name, "[t]", pl.col(column))


def _number(name: str, column: str) -> Column:
    """A number with as many digits as its type holds; what is not finite is left empty."""
    value = pl.col(column).cast(pl.Float64, strict=False)
    return Column(name, "[f]", pl.when(value.is_finite()).then(pl.col(column)).cast(pl.String))


def _time(name: str, time: pl.Expr, form: str) -> Column:
    return Column(name, "[t]", time.dt.strftime(form))


def _one_line(column: Column) -> pl.Expr:
    """Text on one line, cut to what the database holds."""
    most = MAX_TEXT if is_free(column.name) else MAX_ID
    return column.text.cast(pl.String).str.replace_all(r"[\x00-\x1f\x7f\s]+", " ").str.strip_chars().str.slice(0, most)
