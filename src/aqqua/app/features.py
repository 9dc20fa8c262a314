"""What can be seen without a model: size and brightness, so that the explorer opens before anything is trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from aqqua.progress import job

if TYPE_CHECKING:
    from aqqua.store.dataset import Dataset

__all__ = ["simple_features"]

READ_MAX = 200_000
"""With more images than this only their sizes are used: reading all of them would take minutes."""


def simple_features(dataset: Dataset, frame: pl.DataFrame) -> np.ndarray:
    """Size, shape and brightness of each image, standardised.

    Args:
        dataset: where the images are.
        frame: `uid`, `width`, `height` and `pixel_um` of each image.

    Returns:
        (n, features) f32; a constant is appended so that directions differ as distances do.
    """
    width, height, pixel = (
        frame[name].cast(pl.Float64).fill_null(1.0).to_numpy() for name in ("width", "height", "pixel_um")
    )
    columns = [np.log(width * height), np.log(width / height), np.log(np.maximum(width * height, 1) * pixel**2)]
    if len(frame) <= READ_MAX:
        columns.extend(_brightness(dataset, frame["uid"].to_numpy()).T)
    table = np.stack(columns, axis=1)
    table = (table - table.mean(axis=0)) / np.maximum(table.std(axis=0), 1e-9) if len(table) else table
    lift = np.full((len(table), 1), 3 * table.shape[1] ** 0.5)
    return np.hstack([table, lift]).astype(np.float32)


def _brightness(dataset: Dataset, uids: np.ndarray) -> np.ndarray:
    """Background, contrast, and the share of dark and bright pixels."""
    at = {int(uid): row for row, uid in enumerate(uids)}
    out = np.zeros((len(uids), 4))
    with job("Looking at brightness (no predictions yet)", len(uids), unit="images") as advance:
        for shard in dataset.shards:
            for uid, pixels in dataset.iter_images(shard):
                if uid in at:
                    out[at[uid]] = _statistics(pixels)
                advance()
    return out


def _statistics(pixels: np.ndarray) -> tuple[float, float, float, float]:
    grey = pixels.astype(np.float32) / np.iinfo(pixels.dtype).max
    if grey.ndim == 3:
        grey = grey.mean(axis=2)
    middle = float(np.median(grey))
    spread = float(grey.std())
    return middle, spread, float((grey < middle - 0.1).mean()), float((grey > middle + 0.1).mean())
