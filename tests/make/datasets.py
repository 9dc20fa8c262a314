"""Miniature datasets, and the batches they are made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from aqqua.store.dataset import Dataset
from aqqua.store.shard import SealedShard, ShardBuilder
from tests.make.images import random_image

TAXA = ("Acartia", "Calanus", "Chaetognatha", "detritus")


@dataclass(frozen=True)
class Batch:
    """Images with their rows, all in the same order."""

    images: list[np.ndarray]
    converted: pl.DataFrame
    raw: pl.DataFrame
    labels: pl.DataFrame

    def __getitem__(self, part: slice) -> Batch:
        first, stop, _ = part.indices(len(self.images))
        inside = self.labels.filter(pl.col("_row").is_between(first, stop, closed="left"))
        labels = inside.with_columns(pl.col("_row") - first)
        return Batch(self.images[part], self.converted[part], self.raw[part], labels)


def batch(count: int, seed: int = 0) -> Batch:
    """Images of all kinds the format holds; every second one has a label."""
    rng = np.random.default_rng(seed)
    kinds = [("uint8", 1), ("uint8", 3), ("uint16", 1), ("uint8", 1)]
    images = [random_image(rng, dtype=kinds[i % 4][0], channels=kinds[i % 4][1], side=20) for i in range(count)]
    names = [f"object_{seed}_{i}" for i in range(count)]
    latitudes = rng.uniform(-60, 60, count).round(4)
    converted = pl.DataFrame(
        {
            "object_id": names,
            "sample_id": [f"sample_{i // 10}" for i in range(count)],
            "sample_idx": [i // 10 for i in range(count)],
            "image_rank": [0] * count,
            "instrument": ["IFCB" if i % 2 else "ZooScan" for i in range(count)],
            "time_utc": [datetime(2021, 5, 1, tzinfo=UTC) + timedelta(minutes=i) for i in range(count)],
            "latitude": latitudes,
            "longitude": rng.uniform(-170, 170, count).round(4),
            "depth_min_m": rng.uniform(0, 10, count),
            "depth_max_m": rng.uniform(10, 20, count),
            "pixel_um": [3.4] * count,
            "source_path": [f"source_{seed}.zip"] * count,
            "source_row": range(3, 3 + count),
        }
    )
    raw = pl.DataFrame(
        {
            "source_path": [f"source_{seed}.zip"] * count,
            "source_row": range(3, 3 + count),
            "object_id": names,
            "object_lat": [f"{value:.4f}" for value in latitudes],
        }
    )
    labelled = range(0, count, 2)
    labels = pl.DataFrame(
        {
            "_row": labelled,
            "label": [TAXA[i // 2 % len(TAXA)] for i in labelled],
            "status": ["validated"] * len(labelled),
            "by": ["source"] * len(labelled),
        },
        schema_overrides={"label": pl.String, "status": pl.String, "by": pl.String},
    )
    return Batch(images, converted, raw, labels)


def sealed_shard(folder: Path, count: int = 20, seed: int = 0, batch_size: int = 7) -> SealedShard:
    """A sealed shard in a folder of its own."""
    builder = ShardBuilder(folder, source=f"source_{seed}.zip", fingerprint=f"print_{seed}", seed=seed)
    everything = batch(count, seed)
    for begin in range(0, count, batch_size):
        part = everything[begin : begin + batch_size]
        builder.add_batch(part.images, part.converted, part.raw, part.labels)
    return builder.seal({"latitude": "object_lat × 1"})


def miniature(path: Path, counts: tuple[int, ...] = (20, 12)) -> Dataset:
    """A dataset with a shard for each count; shard number = seed of its batch."""
    dataset = Dataset.create(path)
    shards = [sealed_shard(path / "jobs" / str(seed), count, seed) for seed, count in enumerate(counts)]
    return dataset.commit(shards)
