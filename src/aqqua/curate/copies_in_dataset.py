"""Copies of one image that are in a dataset already (`aqqua curate variants`): written down, taken out if asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from aqqua import __version__
from aqqua.curate.variants import keep_raw
from aqqua.errors import AqquaError, ConfigError
from aqqua.metadata.check import Finding
from aqqua.store.dataset import Dataset, Shard
from aqqua.store.parquet import write_frame
from aqqua.store.rows import reading

__all__ = ["VARIANTS_SCHEMA", "VariantsReport", "read_variants", "variants"]

VARIANTS_SCHEMA: dict[str, Any] = {
    "uid": pl.UInt64,
    "raw_uid": pl.UInt64,
    "kind": pl.String,
    "evidence": pl.Float32,
    "image_path": pl.String,
    "raw_image_path": pl.String,
}
"""Columns of variants.parquet: a row per copy."""

_NAMES = ("source_path", "image_path", "object_id", "img_rank", "image_variant")


@dataclass(frozen=True)
class VariantsReport:
    """What was found in one dataset.

    Args:
        dataset: its folder.
        images: number of images.
        copies: how many are copies of a raw one.
        removed: how many were taken out.
        findings: which kinds, and what was not certain.
    """

    dataset: Path
    images: int
    copies: int
    removed: int
    findings: list[Finding]

    def __str__(self) -> str:
        """A line per kind."""
        done = f"{self.removed:,} were taken out (tombstones)" if self.removed else "nothing was taken out"
        lines = [f"{self.dataset.name}: {self.images:,} images, {self.copies:,} of them copies of another; {done}"]
        return "\n".join([*lines, *(f"  {f.count:,} × {f.message} ({f.where})" for f in self.findings)])


def variants(datasets: Sequence[Path | str], *, remove: bool = False) -> list[VariantsReport]:
    """Find copies of one image by the names in Raw Metadata and by pixels; write `variants/variants.parquet`.

    Args:
        datasets: the datasets.
        remove: take the copies out, with tombstones that name the raw image.

    Raises:
        NotFoundError: there is no dataset.
    """
    if not datasets:
        raise ConfigError("variants needs a dataset", do="aqqua curate variants DATASET…")
    return [_one(Dataset.open(path), remove) for path in datasets]


def read_variants(dataset: Dataset) -> pl.DataFrame:
    """The copies that were found in a dataset; none if nobody looked."""
    path = dataset.path / "variants" / "variants.parquet"
    if not path.is_file():
        return pl.DataFrame(schema=VARIANTS_SCHEMA)
    with reading(path):
        return pl.read_parquet(path)


def _one(dataset: Dataset, remove: bool) -> VariantsReport:
    rows: list[tuple[Any, ...]] = []
    findings: list[Finding] = []
    for source in dict.fromkeys(shard.source for shard in dataset.shards):
        table = _names(dataset, [shard for shard in dataset.shards if shard.source == source])
        uids, names = table["uid"].to_list(), table["image_path"].to_list()
        found = keep_raw(table, lambda rows, uids=uids: _pixels(dataset, [uids[row] for row in rows]))  # type: ignore[misc]
        findings += found.findings
        rows += [(uids[v.row], uids[v.raw], v.kind, v.evidence, names[v.row], names[v.raw]) for v in found.variants]
    frame = pl.DataFrame(rows, schema=VARIANTS_SCHEMA, orient="row").sort("uid")
    notes = {"snapshot": dataset.snapshot, "aqqua_version": __version__}
    write_frame(dataset.path / "variants" / "variants.parquet", frame, kind="variants", notes=notes)
    images = len(dataset)
    if remove:
        for kind, uids in frame.group_by("kind").agg("uid").sort("kind").iter_rows():
            dataset = dataset.add_tombstones(sorted(uids), f"copy of another image: {kind}")
    return VariantsReport(dataset.path, images, frame.height, frame.height if remove else 0, findings)


def _names(dataset: Dataset, shards: Sequence[Shard]) -> pl.DataFrame:
    """What the images of a source are called in it."""
    parts = [pl.DataFrame(schema={"uid": pl.UInt64, **dict.fromkeys(_NAMES, pl.String)})]
    for shard in shards:
        with reading(shard.raw):
            raw = pl.scan_parquet(shard.raw)
            known = [name for name in _NAMES if name in raw.collect_schema().names()]
            uid = (pl.col("key").cast(pl.UInt64) + (shard.number << 32)).cast(pl.UInt64).alias("uid")
            parts.append(raw.select(uid, *known).collect())
    there = dataset.lazy().select("uid").collect()
    return pl.concat(parts, how="diagonal").join(there, on="uid", how="semi").sort("uid")


def _pixels(dataset: Dataset, uids: Sequence[int]) -> Iterator[np.ndarray | AqquaError]:
    for uid in uids:
        try:
            yield dataset.image(uid)
        except AqquaError as error:  # a damaged record is told by `aqqua check`
            yield error
