"""Further estimators of a water volume in Raw Metadata: what else the source says, besides the value that is used.

IFCB bins have two clocks (`.hdr` and `.adc`); tables may have a column of the owner's and the instrument's own product
of columns (imaged volume × sample ÷ concentrate …), or the sample's and the acquisition's columns. Rules that a mapping
only assumes, for want of better, are no estimators.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import polars as pl

from aqqua.metadata.mapping import GENERIC, load_mapping, mapping_names
from aqqua.metadata.resolve import Table

if TYPE_CHECKING:
    from aqqua.store.dataset import Dataset

__all__ = ["other_estimates"]

_ML = {"the IFCB's .hdr file": "ml_analyzed_hdr", "the IFCB's .adc file": "ml_analyzed_adc"}
_ASSUMED = "assumed"
_SAME = 1e-6
_SCHEMA = {
    "unit": pl.UInt32,
    "sample_id": pl.String,
    "name": pl.String,
    "other_l": pl.Float64,
    "volume_l": pl.Float64,
    "used": pl.String,
}


def other_estimates(dataset: Dataset, units: pl.DataFrame) -> pl.DataFrame:
    """All estimators that do not give the very volume that is used.

    Args:
        dataset: the dataset.
        units: `unit`, `uid` of one of its images, `instrument`, `sample_id`, `volume_l`.

    Returns:
        A row for each unit and estimator: `name` of the estimator, `other_l` its value, `used` the name of the one that
        gives the value used, where there is one.
    """
    parts = [pl.DataFrame(schema=_SCHEMA)]
    for (instrument,), some in units.group_by("instrument", maintain_order=True):
        raw = pl.DataFrame(dataset.raw(some["uid"].to_list()), infer_schema_length=None)
        found = list(_estimates(raw.select(pl.all().cast(pl.String)), dataset, str(instrument)))
        parts.append(_long(some, found))
    return pl.concat(parts)


def _estimates(raw: pl.DataFrame, dataset: Dataset, instrument: str) -> Iterator[tuple[str, pl.Series]]:
    """Name and litres of each estimator; where several columns of the owner's name a volume the first counts."""
    for name, column in _ML.items():
        if column in raw.columns:
            yield name, raw[column].cast(pl.Float64, strict=False) / 1000
    mapping = load_mapping(instrument if instrument in mapping_names() else GENERIC)
    for reading in Table(raw, mapping, dataset.card).by_columns("volume_l"):
        if _ASSUMED not in reading.how:
            yield f"column {reading.column}", reading.value.cast(pl.Float64)


def _long(units: pl.DataFrame, found: list[tuple[str, pl.Series]]) -> pl.DataFrame:
    base = units.select("unit", "sample_id", "volume_l")
    rows = [base.with_columns(name=pl.lit(name), other_l=value) for name, value in found]
    if not rows:
        return pl.DataFrame(schema=_SCHEMA)
    told = pl.concat([row.select("unit", "sample_id", "name", "other_l", "volume_l") for row in rows])
    told = told.filter(pl.col("other_l") > 0)
    same = (pl.col("other_l") / pl.col("volume_l") - 1).abs() < _SAME
    used = told.filter(same).unique("unit", keep="first", maintain_order=True).select("unit", used="name")
    return told.join(used, on="unit", how="left", maintain_order="left").select(
        pl.col(name).cast(kind) for name, kind in _SCHEMA.items()
    )
