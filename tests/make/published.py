"""A small dataset that may be published: net samples in two fractions, a bin, people's names, a model's, and more."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from aqqua.metadata.card import Card, Person
from aqqua.store.dataset import Dataset
from aqqua.store.shard import ShardBuilder

MODEL = "plankton-0a1b2c3d"
CARD = Card(
    title="Nets and bins off Exampletown, 2021",
    abstract="Zooplankton and microplankton.\n\nTwo paragraphs, <of> them & this one.",
    id="exampletown-2021",
    version="1.2",
    licence="CC-BY-4.0",
    license_allows_training=True,
    people=(
        Person("Ada Larsen", orcid="0000-0002-1825-0097", affiliation="Institute of Marine Research"),
        Person("Adeyemi, Jo", roles=("Validation",)),
        Person("Kim Nobody", author=False),
    ),
    contact="data@institute.example.org",
    project="EX-21",
    funding=("Example Research Council 12345",),
    instruments=("ZooScan", "IFCB"),
    habitat="marine",
    coordinates_precision="100 m",
)


def images(**columns: Any) -> pl.DataFrame:
    """Fifteen images: 5 of fraction d1, 4 of fraction d2, 6 of a bin; `columns` win."""
    nets = ["net 1"] * 9 + [None] * 6
    values: dict[str, Any] = {
        "object_id": [f"o{k}" for k in range(15)],
        "sample_id": ["station 1"] * 9 + ["D2021"] * 6,
        "acquisition_id": ["d1"] * 5 + ["d2"] * 4 + [None] * 6,
        "sample_idx": [0] * 9 + [1] * 6,
        "project": ["EX-21"] * 15,
        "image_rank": [0] * 15,
        "instrument": ["ZooScan" if net else "IFCB" for net in nets],
        "time_utc": [datetime(2021, 5, 1 + (k > 8), 9, k, tzinfo=UTC) for k in range(15)],
        "latitude": [43.0] * 9 + [43.1 + k / 1000 for k in range(6)],
        "longitude": [5.2] * 15,
        "depth_min_m": [0.0] * 9 + [5.0] * 6,
        "depth_max_m": [100.0] * 9 + [5.0] * 6,
        "pixel_um": [10.6] * 9 + [0.34] * 6,
        "volume_l": [250_000.0] * 9 + [0.005] * 6,
        "subsample_factor": [4.0] * 5 + [16.0] * 4 + [None] * 6,
        "source_path": ["source.zip!table.tsv"] * 15,
        "source_row": list(range(3, 18)),
    } | columns
    return pl.DataFrame(values, schema_overrides={"sample_id": pl.String, "acquisition_id": pl.String})


LABELS = {
    0: ("Calanoida", "validated"),
    1: ("Calanoida", "validated"),
    2: ("detritus", "validated"),
    3: ("Calanus finmarchicus (CV female)", "validated"),
    4: ("t001", "validated"),
    5: ("Calanoida", "validated"),
    6: ("Calanoida", "predicted"),
    9: ("Acartia", "discarded"),
}
"""Row → label and status; the model names the rest, and row 6 again."""


def published(
    path: Path,
    *,
    card: Card = CARD,
    rows: pl.DataFrame | None = None,
    labels: dict[int, tuple[str, str]] | None = None,
    predicted: bool = True,
    annotator: str | None = None,
    **changes: Any,
) -> Dataset:
    """The dataset; `annotator` stands in its Raw Metadata, `changes` go to its card."""
    rows = images() if rows is None else rows
    count = len(rows)
    rng = np.random.default_rng(1)
    pixels = [rng.integers(0, 255, (10 + k % 3, 20), np.uint8) for k in range(count)]
    raw = rows.select("source_path", "source_row", "object_id")
    if annotator:
        raw = raw.with_columns(object_annotation_person_name=pl.lit(annotator))
    said = LABELS if labels is None else labels
    table = pl.DataFrame(
        {
            "_row": list(said),
            "label": [label for label, _ in said.values()],
            "status": [status for _, status in said.values()],
            "by": ["source"] * len(said),
        },
        schema_overrides={"_row": pl.UInt32, "label": pl.String, "status": pl.String, "by": pl.String},
    )
    dataset = Dataset.create(path, replace(card, **changes))
    builder = ShardBuilder(path / "jobs" / "0", source="source.zip", fingerprint="print", seed=0)
    builder.add_batch(pixels, rows, raw, table)
    dataset = dataset.commit([builder.seal({"latitude": "object_lat × 1"})])
    if predicted:
        predict(dataset)
    return dataset


def predict(dataset: Dataset, taxa: tuple[str, ...] = ("Ciliophora", "Calanoida")) -> None:
    """Predictions of a model for every image; sure of the first taxon for IFCB, of the second for ZooScan."""
    frame = dataset.metadata(["instrument"])
    guess = pl.when(pl.col("instrument") == "IFCB").then(pl.lit(taxa[0])).otherwise(pl.lit(taxa[1]))
    frame = frame.select("uid", taxon_linear=guess, p_linear=pl.lit(0.75), taxon_knn=guess, p_knn=pl.lit(0.5))
    info = {"weights_sha256": "ab" * 32, "created_utc": "2026-01-01T00:00:00Z", "doi": "10.5281/zenodo.1"}
    dataset.write_predictions(MODEL, 0, frame, info)


def uid_of(dataset: Dataset, object_id: str) -> int:
    """The uid of an object's first image."""
    frame = dataset.metadata(["object_id"]).filter(pl.col("object_id") == object_id)
    return int(frame["uid"][0])


def later(days: int) -> str:
    """A day from today on, as cards have it."""
    return (datetime.now(UTC).date() + timedelta(days=days)).isoformat()
