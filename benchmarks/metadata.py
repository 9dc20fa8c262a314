"""What a million rows of Converted Metadata need, and how long a dataset of a million images takes to open.

    python -m benchmarks metadata

A dataset of 2^20 images of 8 × 8 pixels made by code, in one shard, through the same writer as an ingest. Its rows have
the cardinality of IFCB: 400 bins with a time, place, volume and file each, one name and one size per image. The same
rows are written three times: in the order of the keys, as sealed (runs of 16 neighbours in random order); in the order
of the source; and every row at random. Environment: AQQUA_BENCH_ROWS (1,048,576).
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq

from benchmarks._machine import machine

ROWS = int(os.environ.get("AQQUA_BENCH_ROWS", str(1 << 20)))
SAMPLES, BATCH, ROUNDS = 400, 1 << 14, 5
HASHES = ("xxh3",)
KEYS = "by key"
OPEN = """
import sys, time
from aqqua.store.dataset import Dataset
start = time.perf_counter()
dataset = Dataset.open(sys.argv[1])
count = len(dataset)
opened = time.perf_counter()
dataset.image(count // 2)
print(opened - start, time.perf_counter() - opened)
"""


def main() -> None:
    """Print tables in Markdown."""
    rng = np.random.default_rng(0)
    rows = _rows(rng)
    with tempfile.TemporaryDirectory(prefix="aqqua-bench-") as name:
        path = Path(name) / "data"
        converted = _dataset(path, rows, rng)
        _print_sizes(pl.DataFrame(rows), converted, Path(name))
        _print_opening(path)
    print(f"\n{machine('pyarrow', 'polars', 'lmdb')}; opening: fresh processes, median of {ROUNDS}")


def _rows(rng: np.random.Generator) -> pl.DataFrame:
    """Rows in the order of the source: bins of very different size, one after the other."""
    share = rng.lognormal(0, 1, SAMPLES)
    sample = np.sort(rng.choice(SAMPLES, ROWS, p=share / share.sum()))
    roi = np.arange(ROWS) - np.searchsorted(sample, sample) + 1
    names = np.array([f"D{20220101 + bin_:08}T{bin_ * 37 % 240000:06}_IFCB134" for bin_ in range(SAMPLES)])
    width, height = (np.clip(rng.lognormal(4.1, 0.5, ROWS), 8, 1300).astype(np.int32) for _ in range(2))
    per_sample = {
        "sample_id": names,
        "sample_idx": np.arange(SAMPLES),
        "latitude": rng.uniform(-60, 60, SAMPLES).round(4),
        "longitude": rng.uniform(-170, 170, SAMPLES).round(4),
        "volume_l": rng.uniform(0.003, 0.005, SAMPLES).round(6),
        "source_path": np.array([f"bins/{name}.adc" for name in names]),
        "time_ms": 1_640_995_200_000 + np.sort(rng.integers(0, 10**11, SAMPLES)),
    }
    frame = pl.DataFrame({name: values[sample] for name, values in per_sample.items()})
    same = {"image_rank": 0, "project": "a time series", "instrument": "IFCB", "instrument_id": "IFCB134"}
    same |= {"modality": "bright-field", "depth_min_m": 5.0, "depth_max_m": 5.0, "pixel_um": 0.294}
    return frame.with_columns(
        *(pl.lit(value).alias(name) for name, value in same.items()),
        pl.lit(1.0).alias("subsample_factor"),
        pl.col("time_ms").cast(pl.Datetime("ms", "UTC")).alias("time_utc"),
        pl.format("{}_{}", "sample_id", pl.Series(roi).cast(pl.String).str.zfill(5)).alias("object_id"),
        pl.Series("source_row", roi),
        pl.Series("_width", width),
        pl.Series("_height", height),
    ).drop("time_ms")


def _dataset(path: Path, rows: pl.DataFrame, rng: np.random.Generator) -> Path:
    """A dataset of these rows; its images are small and its sizes therefore not those of the rows."""
    from aqqua.store.dataset import Dataset
    from aqqua.store.shard import ShardBuilder

    dataset = Dataset.create(path)
    builder = ShardBuilder(path / "jobs" / "0", source="benchmark", fingerprint="benchmark", seed=1)
    for first in range(0, ROWS, BATCH):
        some = rows[first : first + BATCH]
        images = list(np.kron(rng.integers(0, 255, (len(some), 4, 4), np.uint8), np.ones((1, 2, 2), np.uint8)))
        builder.add_batch(images, some, some.select("source_path", "source_row", "object_id"))
    return dataset.commit([builder.seal()]).shards[0].converted


def _print_sizes(rows: pl.DataFrame, converted: Path, folder: Path) -> None:
    """Bytes per row of each column, as sealed and, for comparison, in the order of the source."""
    from aqqua.store.parquet import write_frame

    sealed = pl.read_parquet(converted)
    order = sealed.select("source_path", "source_row").with_row_index("_at")
    place = rows.select("source_path", pl.col("source_row").cast(pl.Int32)).join(
        order, on=["source_path", "source_row"], how="left", maintain_order="left"
    )["_at"]
    width, height = pl.Series(rows["_width"]), pl.Series(rows["_height"])
    as_real = sealed[place].with_columns(width.alias("width"), height.alias("height"), (width * height).alias("nbytes"))
    as_real = as_real.with_columns(pl.col("nbytes").cast(pl.UInt32))
    by_key = as_real.with_columns(pl.col("key").alias("_key")).sort("_key").drop("_key")
    ordinals = pl.Series("key", range(len(as_real)), dtype=pl.UInt32)
    by_source = as_real.with_columns(ordinals)
    at_random = by_source[np.random.default_rng(1).permutation(len(as_real))].with_columns(ordinals)
    sizes = {}
    for name, frame in {KEYS: by_key, "by source": by_source, "at random": at_random}.items():
        write_frame(folder / "x.parquet", frame, kind="converted")
        sizes[name] = _columns(folder / "x.parquet")
    names = sorted(sizes[KEYS], key=lambda name: -sizes[KEYS][name])
    ways = "by key, as sealed | in the order of the source | every row at random"
    print(f"| bytes per row, {len(sealed):,} rows | {ways} |")
    print("|---|---:|---:|---:|")
    for name in [name for name in names if sizes[KEYS][name] >= 0.05]:
        print(f"| {name} | {' | '.join(f'{column[name]:.2f}' for column in sizes.values())} |")
    for name, left_out in {"**all but hashes** (target ≤ 9)": HASHES, "with hashes": ()}.items():
        totals = [sum(size for one, size in column.items() if one not in left_out) for column in sizes.values()]
        print(f"| {name} | {' | '.join(f'{total:.1f}' for total in totals)} |")


def _columns(path: Path) -> dict[str, float]:
    """Bytes per row of each column, and of the rest of the file."""
    with pq.ParquetFile(path) as file:
        metadata = file.metadata
        found: defaultdict[str, float] = defaultdict(float)
        for group in range(metadata.num_row_groups):
            for i in range(metadata.num_columns):
                column = metadata.row_group(group).column(i)
                found[column.path_in_schema] += column.total_compressed_size / metadata.num_rows
    found["(footer)"] = path.stat().st_size / metadata.num_rows - sum(found.values())
    return dict(found)


def _print_opening(path: Path) -> None:
    times = []
    for _ in range(ROUNDS):
        done = subprocess.run([sys.executable, "-c", OPEN, path], check=True, capture_output=True, text=True)
        times.append([float(word) for word in done.stdout.split()])
    opened, first = (statistics.median(column) for column in zip(*times, strict=True))
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import aqqua.store.dataset"], check=True)
    imported = time.perf_counter() - start
    print(f"\n- open a dataset of {ROWS:,} images: **{opened:.3f} s** (target < 1), the first image {first:.3f} s more")
    print(f"- a new Python that imports what it takes: {imported:.2f} s")


if __name__ == "__main__":
    main()
