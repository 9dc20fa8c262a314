"""A small synthetic dataset in the explorer, to work on its front end: `python -m aqqua.app.sample --port 8123`."""

from __future__ import annotations

import argparse
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from aqqua.app.sample_shapes import SHAPES, draw
from aqqua.metadata.card import Card
from aqqua.metadata.fields import polars_schema
from aqqua.store.dataset import Dataset
from aqqua.store.shard import ShardBuilder

__all__ = ["MODEL", "build_sample", "true_names"]

MODEL = "sample-0badcafe"
TOOLS = {
    "ZooScan": ("grey", 10.6, "scanner", None),
    "PlanktoScope": ("bright", 1.5, "bright-field", "r,g,b"),
    "ISIIS": ("deep", 68.0, "shadowgraph", None),
    "Cytosense": ("channels", 3.6, "fluorescence", "scatter,chlorophyll"),
}
"""Instrument: how its images are drawn, µm per pixel, modality, channel names."""
START = datetime(2024, 5, 17, 6, tzinfo=UTC)


def build_sample(folder: Path, n: int = 3000, *, seed: int = 0, predicted: bool = True, shards: int = 2) -> Dataset:
    """Make a dataset of drawn shapes, with labels for some and predictions for all.

    Args:
        folder: the new dataset.
        n: number of images.
        seed: same seed, same dataset.
        predicted: whether there are predictions (of the model `MODEL`).
        shards: number of shards.
    """
    folder = Path(folder)
    card = Card(title="Sample cruise", licence="CC-BY-4.0", abstract="Drawn shapes, to try the explorer.")
    dataset = Dataset.create(folder, card)
    sealed = []
    for part, rows in enumerate(np.array_split(np.arange(n), shards)):
        builder = ShardBuilder(
            folder / "jobs" / str(part), source="sample.zip", fingerprint=f"{seed}-{part}", seed=seed
        )
        rng = np.random.default_rng([seed, part])
        names = rng.choice(list(SHAPES), len(rows), p=_shares())
        tools = rng.choice(list(TOOLS), len(rows), p=(0.5, 0.25, 0.15, 0.1))
        images = [draw(name, rng, TOOLS[tool][0]) for name, tool in zip(names, tools, strict=True)]
        converted = _converted(rows, names, tools, rng)
        builder.add_batch(images, converted, _raw(converted, rng), _labels(names, rng))
        sealed.append(builder.seal())
    dataset = dataset.commit(sealed)
    if predicted:
        write_sample_predictions(dataset, seed)
    return dataset


def true_names(dataset: Dataset) -> pl.DataFrame:
    """`uid` and the `name` of the shape that was drawn."""
    return dataset.metadata(["object_id"]).select("uid", name=pl.col("object_id").str.extract(r"^([^#]+)#"))


def write_sample_predictions(dataset: Dataset, seed: int = 0, model: str = MODEL, dimensions: int = 64) -> None:
    """Predictions as a model would make them: a cloud of vectors per name, and mostly right taxa."""
    names = true_names(dataset)
    for shard in dataset.shards:
        rng = np.random.default_rng([seed, shard.number, 1])
        part = names.filter(pl.col("uid") // (1 << 32) == shard.number)
        frame = _predicted(part["name"].to_numpy(), np.random.default_rng(seed), rng, dimensions)
        info = {"weights_sha256": "0" * 64, "preprocessing_hash": "0" * 8, "label_set": sorted(SHAPES)}
        dataset.write_predictions(model, shard.number, frame.with_columns(part["uid"]), info)


def _shares() -> np.ndarray:
    share = 1 / np.arange(1, len(SHAPES) + 1) ** 0.6
    return np.asarray(share / share.sum())


def _converted(rows: np.ndarray, names: np.ndarray, tools: np.ndarray, rng: np.random.Generator) -> pl.DataFrame:
    n, station = len(rows), rng.integers(0, 8, len(rows))
    depth = rng.gamma(2, 60, n)
    frame = pl.DataFrame(
        {
            "object_id": [f"{name}#{row:06d}" for name, row in zip(names, rows, strict=True)],
            "sample_id": [f"station_{s:02d}" for s in station],
            "sample_idx": station,
            "project": ["Sample cruise"] * n,
            "image_rank": [0] * n,
            "instrument": list(tools),
            "modality": [TOOLS[tool][2] for tool in tools],
            "channel_names": [TOOLS[tool][3] for tool in tools],
            "pixel_um": [TOOLS[tool][1] for tool in tools],
            "time_utc": [START + timedelta(hours=h) for h in (9 * station + depth / 60).tolist()],
            "latitude": 43.5 + station * 0.4 + rng.normal(0, 0.01, n),
            "longitude": 7.3 - station * 0.3 + rng.normal(0, 0.01, n),
            "depth_min_m": depth,
            "depth_max_m": depth + 5,
            "volume_l": np.where(rng.random(n) < 0.3, np.nan, rng.uniform(1, 90, n)),
            "source_path": ["sample.zip!ecotaxa_sample.tsv"] * n,
            "source_row": rows + 3,
        }
    )  # fmt: skip
    schema = polars_schema()
    typed = frame.cast({name: schema[name] for name in frame.columns})
    return typed.with_columns(pl.col("volume_l").fill_nan(None))


def _raw(converted: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    return converted.select(
        "source_path",
        "source_row",
        "object_id",
        object_lat=pl.col("latitude").cast(pl.String),
        object_area=pl.Series(rng.integers(100, 9000, len(converted))).cast(pl.String),
        process_pixel=pl.col("pixel_um").cast(pl.String),
    )


def _labels(names: np.ndarray, rng: np.random.Generator) -> pl.DataFrame:
    said = np.flatnonzero(rng.random(len(names)) < 0.6)
    return pl.DataFrame(
        {
            "_row": said,
            "label": names[said],
            "taxon": [None if name == "marine snow" else str(name) for name in names[said]],
            "status": rng.choice(["validated", "predicted", "dubious"], len(said), p=(0.7, 0.25, 0.05)),
            "by": ["source"] * len(said),
        },
        schema_overrides={"_row": pl.UInt32, "label": pl.String, "taxon": pl.String, "status": pl.String},
    )


def _predicted(
    names: np.ndarray, shared: np.random.Generator, rng: np.random.Generator, dimensions: int
) -> pl.DataFrame:
    known = np.array(sorted(SHAPES))
    centres = shared.normal(0, 0.42, (len(known), dimensions))
    noise = rng.normal(0, 1, (len(names), dimensions)) * rng.uniform(0.4, 1.4, (len(names), 1))
    vectors = (centres[np.searchsorted(known, names)] + noise).astype(np.float32)
    wrong = rng.random(len(names)) < 0.15
    taxon = np.where(wrong, rng.choice(known, len(names)), names)
    chance = np.where(wrong, rng.beta(3, 4, len(names)), rng.beta(9, 2, len(names)))
    return pl.DataFrame(
        {
            "vector": pl.Series(vectors, dtype=pl.Array(pl.Float32, dimensions)),
            "taxon_knn": taxon,
            "p_knn": np.round(chance * 10) / 10,
            "taxon_linear": taxon,
            "p_linear": chance,
            "outlier": np.linalg.norm(noise, axis=1) / 10,
        }
    )


def main() -> None:
    """Build it in a temporary folder and serve it until Ctrl-C."""
    from aqqua.app.serve import explore

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=3000, help="number of images")
    parser.add_argument("--port", type=int, default=8123, help="0: a free one")
    parser.add_argument("--plain", action="store_true", help="without predictions")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="aqqua-sample-") as folder:
        build_sample(Path(folder) / "sample", options.n, predicted=not options.plain)
        explore([Path(folder) / "sample"], port=options.port, open_browser=False)


if __name__ == "__main__":
    main()
