"""A small labelled dataset of discs, rods and rings, for everything that learns."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

from aqqua.metadata.card import Card
from aqqua.store.dataset import Dataset
from aqqua.store.shard import ShardBuilder

SHAPES = ("disc", "ring", "rod")


def draw(shape: str, side: int, rng: np.random.Generator) -> np.ndarray:
    """A dark object on bright ground, at any angle, uint8 (height, width)."""
    height, width = side, int(side * rng.uniform(0.8, 1.3))
    y, x = np.mgrid[:height, :width].astype(float)
    y, x = y - height / 2, x - width / 2
    radius = 0.35 * min(height, width)
    if shape == "rod":
        angle = rng.uniform(0, np.pi)
        along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
        mask = (abs(along) < radius) & (abs(across) < radius / 5)
    else:
        away = np.hypot(x, y)
        mask = (away < radius) & ((shape == "disc") | (away > 0.7 * radius))
    image = 220 - 120 * mask + rng.normal(0, 3, mask.shape)
    pixels: np.ndarray = np.clip(np.rint(image), 0, 255).astype(np.uint8)
    return pixels


def kinds(image: np.ndarray, number: int) -> np.ndarray:
    """Every fourth image in colour, every seventh of 16 bits."""
    if number % 4 == 3:
        return np.stack([image, image // 2 + 60, image], axis=-1)
    if number % 7 == 6:
        return image.astype(np.uint16) * 200
    return image


def make_dataset(
    folder: Path, n: int = 48, *, seed: int = 0, labelled: bool = True, shards: int = 1, training: bool | None = None
) -> Dataset:
    """Write a dataset of n images with three taxa; every second shard is of another instrument."""
    rng = np.random.default_rng(seed)
    dataset = Dataset.create(folder, Card(title="Shapes", license_allows_training=training))
    sealed = []
    for shard, numbers in enumerate(np.array_split(np.arange(n), shards)):
        names = [SHAPES[i % 3] for i in numbers]
        images = [kinds(draw(s, int(rng.integers(14, 90)), rng), i) for i, s in zip(numbers, names, strict=True)]
        builder = ShardBuilder(
            folder.parent / f"build-{folder.name}-{shard}", source="shapes", fingerprint=f"{seed}{shard}"
        )
        builder.add_batch(images, _converted(numbers.tolist(), shard), _raw(numbers.tolist()), _labels(names, labelled))
        sealed.append(builder.seal())
    return dataset.commit(sealed)


def _converted(numbers: list[int], shard: int) -> pl.DataFrame:
    n = len(numbers)
    columns = {
        "object_id": [f"shape_{i}" for i in numbers],
        "sample_idx": [0] * n,
        "image_rank": [0] * n,
        "instrument": [("ISIIS", "ZooScan")[shard % 2]] * n,
        "time_utc": [datetime(2026, 5, 1, tzinfo=UTC)] * n,
        "latitude": [54.3] * n,
        "longitude": [10.1] * n,
        "depth_min_m": [0.0] * n,
        "depth_max_m": [10.0] * n,
        "pixel_um": [20.0] * n,
        "source_path": ["shapes"] * n,
        "source_row": numbers,
    }
    return pl.DataFrame(columns)


def _raw(numbers: list[int]) -> pl.DataFrame:
    columns = {"source_path": ["shapes"] * len(numbers), "source_row": numbers, "id": [str(i) for i in numbers]}
    return pl.DataFrame(columns, schema_overrides={"source_row": pl.Int32})


def _labels(names: list[str], labelled: bool) -> pl.DataFrame | None:
    if not labelled:
        return None
    n = len(names)
    return pl.DataFrame({"_row": range(n), "label": names, "status": ["validated"] * n, "by": ["source"] * n})
