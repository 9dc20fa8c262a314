"""What tests of the ingest ask of a dataset."""

from __future__ import annotations

import numpy as np

from aqqua.metadata.card import Card
from aqqua.store.dataset import Dataset

IFCB_CARD = Card(defaults={"latitude": 41.3, "longitude": -70.6, "depth_m": 4})
"""Where a bin was taken, which its files do not say."""


def pixels_of(dataset: Dataset) -> dict[tuple[str, int], np.ndarray]:
    """Pixels by object and rank."""
    told = dataset.metadata(["object_id", "image_rank"])
    images = dataset.images(told["uid"].to_list())
    return dict(zip(told.select("object_id", "image_rank").iter_rows(), images, strict=True))


def identities(dataset: Dataset) -> list[str]:
    """What the shards hold, as hashes."""
    return [shard.identity for shard in dataset.shards]


def only_reject(dataset: Dataset) -> dict[str, object]:
    """The one row that did not get in."""
    rejects = dataset.rejected()
    assert rejects.height == 1
    return rejects.to_dicts()[0]
