"""Small raw tables, as readers give them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

GOOD = {
    "object_lat": "18.0",
    "object_lon": "-24.4166666666667",
    "object_date": "20140420",
    "object_time": "420",
    "object_depth_min": "600.0",
    "object_depth_max": "1000.0",
    "sample_id": "s1",
    "process_pixel": "10.6",
    "acq_id": "a1",
    "acq_instrument": "epson",
}


def raw_table(rows: Sequence[Mapping[str, object]]) -> pl.DataFrame:
    """Rows as a reader gives them: text, with path, line, image and object."""
    names = list(dict.fromkeys(name for row in rows for name in row if name != "object_id"))
    texts = {name: [None if row.get(name) is None else str(row[name]) for row in rows] for name in names}
    return pl.DataFrame(texts, schema=dict.fromkeys(names, pl.String)).with_columns(
        pl.lit("pack.zip!ecotaxa_a.tsv").alias("source_path"),
        pl.Series("source_row", range(3, 3 + len(rows)), pl.Int32),
        pl.Series("image_path", [f"images/{index}.png" for index in range(len(rows))], pl.String),
        pl.Series("object_id", [str(row.get("object_id", f"o{index}")) for index, row in enumerate(rows)], pl.String),
    )


def good(**changes: object) -> dict[str, object]:
    """A row of an EcoTaxa table with everything that is required; None takes a column's value away."""
    return {**GOOD, **changes}
