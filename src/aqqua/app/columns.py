"""The columns of the explorer: metadata, labels, predictions and clusters in one table, each described once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import polars as pl

from aqqua.metadata.fields import FIELDS

if TYPE_CHECKING:
    from aqqua.store.dataset import Dataset

__all__ = ["MAX_LISTED", "Codes", "Column", "Table", "read_frame"]

MAX_LISTED = 200
"""So many values of a category are listed and have a colour of their own."""
OTHER = 255

_LEFT_OUT = {"key", "nbytes", "xxh3", "source_row", "sample_idx", "shard"}
_PREDICTED = ("taxon_knn", "p_knn", "taxon_linear", "p_linear", "outlier")
_DERIVED: dict[str, tuple[str, str | None]] = {
    "label": ("What people call it, verbatim.", None),
    "taxon": ("Accepted name of the label's taxon.", None),
    "label_status": ("How sure the label is: validated, predicted, dubious …", None),
    "taxon_knn": ("Taxon of the most similar labelled images.", None),
    "p_knn": ("Share of the most similar labelled images that bear this taxon.", None),
    "taxon_linear": ("Taxon by the linear classifier.", None),
    "p_linear": ("Probability of this taxon by the linear classifier.", None),
    "outlier": ("Distance to the nearest images the model was trained on.", None),
    "cluster": ("Dense part of the map, named by what most of its images are called.", None),
    "longest_side_um": ("Longest side of the image; the object is not longer.", "µm"),
}
_GROUPS = {
    "names": {"label", "taxon", "label_status", "cluster", *_PREDICTED},
    "place and time": {
        "time_utc", "latitude", "longitude", "depth_min_m", "depth_max_m", "altitude_m", "volume_l", "subsample_factor",
    },
    "image": {"width", "height", "channels", "dtype", "channel_names", "pixel_um", "longest_side_um", "image_rank"},
}  # fmt: skip
_ORDER = ("names", "place and time", "image", "sample")


@dataclass(frozen=True)
class Column:
    """One column: what it holds, and what values there are.

    Args:
        values: value and count, most frequent first; only of categories, the first 200.
        distinct: number of different values.
        minimum: smallest value; times in milliseconds since 1970.
        maximum: largest value.
        missing: number of rows without a value.
    """

    name: str
    kind: Literal["category", "number", "time"]
    doc: str
    unit: str | None
    group: str
    values: tuple[tuple[str, int], ...]
    distinct: int
    minimum: float | None
    maximum: float | None
    missing: int

    def describe(self) -> dict[str, Any]:
        """The column as JSON for the front end."""
        return {
            "name": self.name,
            "kind": self.kind,
            "doc": self.doc,
            "unit": self.unit,
            "group": self.group,
            "values": [list(pair) for pair in self.values] if self.kind == "category" else None,
            "distinct": self.distinct,
            "min": self.minimum,
            "max": self.maximum,
            "missing": self.missing,
        }


@dataclass(frozen=True)
class Codes:
    """One byte per row to colour it by: 0 missing; the k-th value or 255 for others; or 1…255 from low to high."""

    kind: int
    low: float
    high: float
    code: np.ndarray


def read_frame(dataset: Dataset, model: str | None) -> pl.DataFrame:
    """Metadata, labels and predictions of a dataset, one row per image in storage order.

    Args:
        dataset: the dataset.
        model: whose predictions; None: none.
    """
    wanted = [name for name in FIELDS if name not in _LEFT_OUT]
    frame = dataset.metadata(wanted).select("uid", *wanted)
    frame = _join(frame, dataset.labels().select("uid", "label", "taxon", label_status="status"))
    if model is not None:
        frame = _join(frame, dataset.predictions(model, columns=["uid", *_PREDICTED]))
    longest = pl.max_horizontal("width", "height") * pl.col("pixel_um")
    floats = pl.col(pl.Float32, pl.Float64)
    frame = frame.with_columns(longest.cast(pl.Float32).alias("longest_side_um"))
    return frame.with_columns(pl.when(floats.is_finite()).then(floats))


def _join(frame: pl.DataFrame, more: pl.DataFrame) -> pl.DataFrame:
    return frame.join(more.unique("uid", keep="last"), on="uid", how="left", maintain_order="left")


class Table:
    """All rows in memory, with their columns described and, on demand, coded for colour.

    Args:
        frame: `uid` and the columns, in storage order.
    """

    def __init__(self, frame: pl.DataFrame) -> None:
        self.uid = frame["uid"].to_numpy()
        self.frame = frame.drop("uid").select(pl.exclude(pl.String), pl.col(pl.String).cast(pl.Categorical))
        columns = [_describe(self.frame[name]) for name in self.frame.columns]
        columns.sort(key=lambda column: (_ORDER.index(column.group), _rank(column.name)))
        self.columns: Mapping[str, Column] = {column.name: column for column in columns}
        self.codes = lru_cache(maxsize=32)(self._codes)

    def __len__(self) -> int:
        return len(self.uid)

    def _codes(self, name: str) -> Codes:
        column, series = self.columns[name], self.frame[name]
        if column.kind == "category":
            return Codes(0, 0.0, 0.0, _category_codes(series, [value for value, _ in column.values]))
        number = numbers(series)
        low, high = _limits(number)
        scaled = 1 + np.rint(np.clip((number - low) / (high - low), 0, 1) * 254) if high > low else number * 0 + 128
        return Codes(1, low, high, np.where(np.isnan(scaled), 0, np.nan_to_num(scaled)).astype(np.uint8))


def numbers(series: pl.Series) -> np.ndarray:
    """A column as f64, times in milliseconds since 1970, missing as NaN."""
    if isinstance(series.dtype, pl.Datetime):
        series = series.dt.timestamp("ms")
    return series.cast(pl.Float64).fill_null(float("nan")).to_numpy()


def _limits(number: np.ndarray) -> tuple[float, float]:
    """Where a colour scale begins and ends: so that a few extreme values do not make all others look alike."""
    there = number[~np.isnan(number)]
    if not len(there):
        return 0.0, 0.0
    low, high = np.percentile(there, [1, 99])
    if low == high:
        low, high = there.min(), there.max()
    return float(low), float(high)


def _category_codes(series: pl.Series, listed: list[str]) -> np.ndarray:
    numbered = {"value": listed, "code": np.arange(1, len(listed) + 1, dtype=np.uint8)}
    codes = pl.DataFrame(numbered, schema_overrides={"value": pl.String})
    words = pl.DataFrame({"value": series.cast(pl.String)})
    joined = words.join(codes, on="value", how="left", maintain_order="left")
    code = pl.when(pl.col("value").is_null()).then(0).otherwise(pl.col("code").fill_null(OTHER))
    return joined.select(code.cast(pl.UInt8).alias("code"))["code"].to_numpy()


def _describe(series: pl.Series) -> Column:
    name, missing = series.name, series.null_count()
    doc, unit = _DERIVED.get(name) or (FIELDS[name].doc, FIELDS[name].unit) if name in _known() else ("", None)
    group = next((group for group, names in _GROUPS.items() if name in names), "sample")
    distinct = series.n_unique() - (missing > 0)
    if series.dtype in (pl.Categorical, pl.Boolean):
        return Column(name, "category", doc, unit, group, _counts(series), distinct, None, None, missing)
    kind: Literal["number", "time"] = "time" if isinstance(series.dtype, pl.Datetime) else "number"
    number = numbers(series)
    there = number[~np.isnan(number)]
    low, high = (float(there.min()), float(there.max())) if len(there) else (None, None)
    return Column(name, kind, doc, unit, group, (), distinct, low, high, missing)


def _counts(series: pl.Series) -> tuple[tuple[str, int], ...]:
    counts = series.drop_nulls().cast(pl.String).alias("value").value_counts()
    top = counts.sort(["count", "value"], descending=[True, False]).head(MAX_LISTED)
    return tuple(zip(top["value"].to_list(), top["count"].to_list(), strict=True))


def _known() -> set[str]:
    return {*_DERIVED, *FIELDS}


def _rank(name: str) -> int:
    return [*_DERIVED, *FIELDS].index(name) if name in _known() else len(_known())
