"""Miniature captures: an object with sharp edges on noisy water, saved once or more often, in datasets."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from PIL import Image

from aqqua.store.dataset import Dataset
from aqqua.store.shard import ShardBuilder


def capture(seed: int, side: int = 64, *, sigma: float = 3.0, blur: int = 0) -> np.ndarray:
    """A dark, irregular object on bright water, (side, 1.2 side), uint8."""
    rng = np.random.default_rng(seed)
    height, width = side, side * 6 // 5
    y, x = np.mgrid[:height, :width]
    image = np.full((height, width), 215.0)
    for _ in range(6):
        cy, cx = height / 2 + rng.normal(0, side / 9), width / 2 + rng.normal(0, side / 9)
        ry, rx = rng.uniform(side / 16, side / 5, 2)
        image[((y - cy) / ry) ** 2 + ((x - cx) / rx) ** 2 < 1] -= rng.uniform(15, 40)
    for _ in range(blur):
        padded = np.pad(image, 1, mode="edge")
        image = np.mean([padded[i : i + height, j : j + width] for i in range(3) for j in range(3)], axis=0)
    noisy: np.ndarray = np.clip(np.rint(image + rng.normal(0, sigma, image.shape)), 0, 255).astype(np.uint8)
    return noisy


def compressed(pixels: np.ndarray, quality: int = 80) -> np.ndarray:
    """The image after JPEG."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return np.array(Image.open(io.BytesIO(file.getvalue())))


def dataset_of(
    path: Path,
    images: Sequence[np.ndarray],
    *,
    converted: Mapping[str, Sequence[Any]] | None = None,
    raw: Mapping[str, Sequence[str | None]] | None = None,
    labels: Sequence[str] | None = None,
    shards: int = 1,
) -> Dataset:
    """A dataset of these images; columns of the tables may be given."""
    count = len(images)
    names = [f"object_{number}" for number in range(count)]
    rows = pl.DataFrame(
        {
            "object_id": names,
            "sample_id": [f"sample_{number // 4}" for number in range(count)],
            "sample_idx": [number // 4 for number in range(count)],
            "image_rank": [0] * count,
            "instrument": ["FlowCam"] * count,
            "time_utc": [datetime(2021, 5, 1, tzinfo=UTC) + timedelta(hours=number) for number in range(count)],
            "latitude": [54.0] * count,
            "longitude": [8.0] * count,
            "depth_min_m": [1.0] * count,
            "depth_max_m": [2.0] * count,
            "pixel_um": [2.0] * count,
            "source_path": ["source.zip"] * count,
            "source_row": range(2, 2 + count),
        }
    ).with_columns(pl.Series(name, values) for name, values in (converted or {}).items())
    verbatim = pl.DataFrame({"object_id": names, "image_path": [f"{name}.png" for name in names]})
    verbatim = verbatim.with_columns(rows["source_path"], rows["source_row"])
    verbatim = verbatim.with_columns(pl.Series(name, values, pl.String) for name, values in (raw or {}).items())
    told = pl.DataFrame({"_row": range(count), "label": list(labels or [])[:count] or ["thing"] * count})
    told = told.with_columns(status=pl.lit("validated"), by=pl.lit("source"))
    dataset = Dataset.create(path)
    cuts = [count * number // shards for number in range(shards + 1)]
    sealed = []
    for number, (first, stop) in enumerate(pairwise(cuts)):
        if first == stop:
            continue
        builder = ShardBuilder(path / "jobs" / str(number), source="source.zip", fingerprint=f"f{number}", seed=number)
        part = slice(first, stop)
        inside = told[part].with_columns(pl.col("_row") - first)
        builder.add_batch(list(images[part]), rows[part], verbatim[part], inside)
        sealed.append(builder.seal({}))
    return dataset.commit(sealed)


def uids_by_name(dataset: Dataset) -> dict[str, int]:
    """The uid of each object."""
    return dict(dataset.metadata(["object_id"]).select("object_id", "uid").iter_rows())
