"""Frames of images as an export gets them: metadata, labels and predictions, with any column changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from aqqua.export.ecotaxa import PREDICTIONS
from aqqua.metadata.fields import polars_schema

LABELS = {
    "label": pl.String,
    "label_status": pl.String,
    "label_ecotaxa_id": pl.Int64,
    "label_time": pl.Datetime("ms", "UTC"),
}
IDS = {"Calanoida": 45074, "detritus": 84963}


def images(count: int = 4, **columns: Any) -> pl.DataFrame:
    """`count` gray 8-bit images with complete metadata, all predicted as Calanoida.

    Args:
        columns: a value for all, or a list of one value per image.
    """
    values: dict[str, Any] = {
        "width": 8,
        "height": 6,
        "channels": 1,
        "dtype": "uint8",
        "nbytes": 48,
        "object_id": [f"object_{k}" for k in range(count)],
        "sample_id": "station 1",
        "acquisition_id": "net 1",
        "project": "cruise",
        "image_rank": 0,
        "instrument": "ZooScan",
        "modality": "scanner",
        "time_utc": [datetime(2021, 5, 1, 9, 30, 15, tzinfo=UTC) + timedelta(hours=k) for k in range(count)],
        "latitude": [-24.41666666666667 + k for k in range(count)],
        "longitude": 145.5351,
        "depth_min_m": 0.1,
        "depth_max_m": 100.0,
        "pixel_um": 10.6,
        "volume_l": 250.0,
        "taxon_linear": "Calanoida",
        "p_linear": 0.75,
        "taxon_knn": "detritus",
        "p_knn": 0.6,
        "outlier": 0.25,
    } | columns
    schema: dict[str, Any] = {"uid": pl.UInt64, "shard": pl.UInt32} | polars_schema() | LABELS | PREDICTIONS
    values |= {"uid": columns.get("uid", list(range(count))), "shard": 0}
    filled = {name: _column(values.get(name), count) for name in schema}
    return pl.DataFrame(filled, schema=schema)


def _column(value: Any, count: int) -> list[Any]:
    return list(value) if isinstance(value, list) else [value] * count


class Camera:
    """Pixels by uid, as a dataset would give them, from the sizes in the frame."""

    def __init__(self, frame: pl.DataFrame, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.pixels: dict[int, np.ndarray] = {}
        self.asked: list[list[int]] = []
        for uid, height, width, channels, dtype in frame.select(
            "uid", "height", "width", "channels", "dtype"
        ).iter_rows():
            shape = (height, width) if channels == 1 else (height, width, channels)
            self.pixels[uid] = rng.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)

    def __call__(self, uids: Sequence[int]) -> list[np.ndarray]:
        self.asked.append(list(uids))
        return [self.pixels[uid] for uid in uids]
