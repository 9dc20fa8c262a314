"""Datasets that may be released, with everything in them that must not be."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import polars as pl

from aqqua.metadata.card import Card, Person
from aqqua.store.dataset import Dataset
from aqqua.store.shard import ShardBuilder
from tests.make.datasets import batch

__all__ = ["SECRETS", "card", "releasable"]

SECRETS = ("jane.doe@institute.example", "Jane Doe", "ada.larsen@institute.example", "s/aBcDeF123456", "Max Private")
"""What no file of a release may hold."""


def card(**other: object) -> Card:
    """A card with all that a release needs; `other` wins."""
    told: dict[str, object] = {
        "title": "IFCB and ZooScan, Example Bay, 2021",
        "abstract": "Sampled from the pier. Ask ada.larsen@institute.example for more.",
        "licence": "CC-BY-4.0",
        "license_allows_training": True,
        "people": (
            Person("Ada Larsen", "0000-0002-1825-0097", "Institute of Marine Research", "https://ror.org/02h2x0161",
                   ("Investigation", "Data curation")),
            Person("Jo Adeyemi", None, "Institute of Marine Research", None, ("Supervision",)),
            Person("Kim Helper", author=False),
        ),
        "institution": "Institute of Marine Research, Exampletown",
        "contact": "ada.larsen@institute.example",
        "source": "https://cloud.example.org/s/aBcDeF123456",
        "acknowledgement": "We thank the crew of RV Example.",
        "funding": ("Example Science Fund, grant 123",),
        "related": ({"doi": "10.1234/paper", "relation": "IsDescribedBy"},),
        "submission": "AQ-7K2M9P",
    }  # fmt: skip
    return Card(**{**told, **other})  # type: ignore[arg-type]


def releasable(path: Path, counts: tuple[int, ...] = (20, 12), **said: object) -> Dataset:
    """A dataset with labels, masks, and people's names and addresses in its raw tables."""
    dataset = Dataset.create(path, card(**said))
    shards = []
    for seed, count in enumerate(counts):
        builder = ShardBuilder(path / "jobs" / str(seed), source=f"source_{seed}.zip", fingerprint=f"print_{seed}",
                               seed=seed)  # fmt: skip
        part = batch(count, seed)
        longitudes = [-30 + number % 500 / 100 for number in range(count)]
        at_sea = [pl.lit(40.5).alias("latitude"), pl.Series("longitude", longitudes)]
        converted = part.converted.with_columns(at_sea)
        raw = part.raw.with_columns(
            pl.lit("Jane Doe").alias("object_annotation_person_name"),
            pl.lit("jane.doe@institute.example").alias("object_annotation_person_email"),
            pl.lit("seen by Jane Doe, ask jane.doe@institute.example").alias(f"remark_{seed}"),
        )
        note = pl.lit("jane.doe@institute.example was sure").alias("note")
        labels = part.labels.with_columns(note, pl.col("label").alias("taxon"))
        labels = labels.with_columns(
            pl.when(pl.col("_row") == 0).then(pl.lit("Max Private")).otherwise("by").alias("by")
        )
        builder.add_batch(part.images, converted, raw, labels)
        shards.append(builder.seal({"latitude": "object_lat × 1"}))
    dataset = dataset.commit(shards)
    for shard in dataset.shards:
        sides = dataset.metadata(["width", "height"]).filter(shard=shard.number).sort("uid")[::3]
        masks = ((uid, np.eye(height, width, dtype=np.uint8)) for uid, _, width, height in sides.iter_rows())
        dataset.write_masks("source", shard.number, masks, {"what": "outlines"})
    shutil.rmtree(path / "jobs", ignore_errors=True)
    return Dataset.open(path)
