"""The write side: images and their rows are collected, then sealed as one shard.

A job of an ingest does, for every part of a source:

    builder = ShardBuilder(folder, source="cruise.zip", fingerprint="…", seed=7)
    for images, converted, raw, labels in …:          # some hundred images at a time
        builder.add_batch(images, converted, raw, labels)
    sealed = builder.seal()                           # folder now holds a whole shard and summary.json

and at the end, once, in the calling process: `dataset = dataset.commit([sealed, …], rejects=…, findings=…)`.

Nothing here depends on the size of a batch: the same images in the same order give the same shard, byte for byte.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from aqqua.errors import ConfigError, StorageError
from aqqua.store.atomic import storage
from aqqua.store.codec import Record, record
from aqqua.store.labels import conform_labels
from aqqua.store.sealing import MASKS, write_sealed
from aqqua.store.spool import TableSpool, ValueSpool

__all__ = ["MAX_SHARD_BYTES", "MAX_SHARD_IMAGES", "SealedShard", "ShardBuilder"]

MAX_SHARD_IMAGES = 1 << 20
MAX_SHARD_BYTES = 8 << 30
SUMMARY = "summary.json"
_FILES = {"images": "images.mdb", "converted": "converted.parquet", "raw": "raw.parquet"}
_OWN_PATTERNS = ("*.spool", "*.arrow", "*.part", "*.mdb", "*.parquet", "masks.json", SUMMARY)


@dataclass(frozen=True)
class SealedShard:
    """A whole shard in a folder of its own, not yet part of a dataset.

    The folder holds `images.mdb`, `converted.parquet`, `raw.parquet`, `labels.parquet` and `masks.mdb` (by key, where
    there are any), and `summary.json`, which is written last: a folder without it is not whole. It may be moved.
    """

    folder: Path
    summary: Mapping[str, Any]

    @property
    def n_images(self) -> int:
        """Number of images."""
        return int(self.summary["n_images"])

    @property
    def identity(self) -> str:
        """Hash of the content; equal shards are equal."""
        return str(self.summary["identity"])

    @property
    def files(self) -> dict[str, Path]:
        """The three files that go into the dataset, by what they are."""
        return {name: self.folder / file for name, file in _FILES.items()}

    def labels(self) -> pl.DataFrame | None:
        """The labels, by `key`."""
        path = self.folder / "labels.parquet"
        return pl.read_parquet(path) if path.is_file() else None

    @classmethod
    def load(cls, folder: Path) -> SealedShard | None:
        """The sealed shard in this folder, or None if there is no whole one.

        Use it after a crash: what is sealed need not be done again.
        """
        try:
            summary = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
            sizes = {name: (folder / file).stat().st_size for name, file in _FILES.items()}
            is_whole = all(summary[f"{name}_bytes"] == size for name, size in sizes.items())
        except (OSError, ValueError, KeyError):
            return None
        labelled = not summary.get("n_labels") or (folder / "labels.parquet").is_file()
        masked = not summary.get("n_masks") or (folder / MASKS).with_suffix(".json").is_file()
        return cls(folder, summary) if is_whole and labelled and masked else None


class ShardBuilder:
    """Collects images with their metadata on disk, then seals them as one shard; memory stays flat.

    Args:
        folder: where to build, made if missing; leftovers of a former try are removed. After `seal` it holds the shard.
        source: name of the raw source, as people know it.
        fingerprint: hash of the raw source, so that the same one is recognised.
        seed: of the pseudo-random order within the shard.

    Memory: values go to a spool file as they come, rows to spool tables of 32,768 rows; what stays in memory is 8
    bytes per image and one batch. `seal` needs the disk space of the shard twice.
    """

    def __init__(self, folder: Path, *, source: str = "", fingerprint: str = "", seed: int = 0) -> None:
        self.folder, self.source, self.fingerprint, self.seed = Path(folder), source, fingerprint, seed
        with storage(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            for pattern in _OWN_PATTERNS:
                for leftover in self.folder.glob(pattern):
                    leftover.unlink()
        self._values = ValueSpool(self.folder / "values.spool")
        self._masks, self._masked = ValueSpool(self.folder / "masks.spool"), list[int]()
        self._converted = TableSpool(self.folder, "converted")
        self._raw = TableSpool(self.folder, "raw")
        self._labels = TableSpool(self.folder, "labels")

    def __len__(self) -> int:
        """Number of images so far."""
        return len(self._values)

    @property
    def nbytes(self) -> int:
        """Size of the encoded images so far."""
        return self._values.nbytes

    @property
    def full(self) -> bool:
        """Whether the shard has reached 2^20 images or 8 GiB: seal it and begin the next one."""
        return len(self) >= MAX_SHARD_IMAGES or self.nbytes >= MAX_SHARD_BYTES

    def add_batch(
        self,
        images: Sequence[np.ndarray],
        converted: pl.DataFrame,
        raw: pl.DataFrame,
        labels: pl.DataFrame | None = None,
    ) -> None:
        """Add some images; row i of `converted` and of `raw` belong to image i.

        Args:
            images: (height, width) or (height, width, channels), uint8 or uint16.
            converted: the harmonised columns; those the store knows from the pixels (key, width, height, channels,
                dtype, nbytes, xxh3) are filled here, missing optional ones (also channel_names) are null, names with
                a leading "_" are left out.
            raw: the source's own columns as text, with source_path and source_row. Batches may have different columns;
                the shard gets all of them.
            labels: any number of rows; `_row` is the position in this batch. Other columns as in the labels table,
                without `uid`. `recorded_utc` is filled at the commit where it is missing.

        Raises:
            ConfigError: a column is missing, unknown or of a wrong type, or the numbers of rows differ.
            FormatError: an image is of a kind the format does not hold.
            StorageError: the disk is full; the builder cannot be used any more. (After the others nothing of the batch
                was added.)
        """
        self.add_records([record(image) for image in images], converted, raw, labels)

    def add_records(
        self,
        records: Sequence[Record],
        converted: pl.DataFrame,
        raw: pl.DataFrame,
        labels: pl.DataFrame | None = None,
        masks: Sequence[bytes | None] | None = None,
    ) -> None:
        """Add images that are encoded already (`aqqua.store.codec.record`); else as `add_batch`.

        `masks` are encoded too: one or None for each image. Tables cost the same for ten rows as for a thousand, so
        give some thousands at a time.
        """
        if not len(records) == len(converted) == len(raw):
            counts = f"{len(records)} images, {len(converted)} converted rows, {len(raw)} raw rows"
            raise ConfigError(f"a batch of {counts}", do="give one row of each for every image")
        if len(self) + len(records) > MAX_SHARD_IMAGES:
            raise ConfigError(f"more than {MAX_SHARD_IMAGES} images for one shard", do="seal it when it is `full`")
        rows = _conform_converted(converted, records)
        texts = _conform_raw(raw)
        said = None if labels is None else _conform_labels(labels, len(records), first=len(self))
        if masks is not None:
            self._masked += [len(self) + number for number, mask in enumerate(masks) if mask is not None]
            self._masks.extend([mask for mask in masks if mask is not None])
        self._values.extend([entry.value for entry in records])
        self._converted.append(rows)
        self._raw.append(texts)
        if said is not None:
            self._labels.append(said)

    def seal(self, provenance: Mapping[str, str] | None = None) -> SealedShard:
        """Write the shard, read everything back and compare; what was collected is removed then.

        Args:
            provenance: for each Converted Metadata field the raw column, mapping and factor it came from.

        Raises:
            ConfigError: there are no images.
            StorageError: the disk is full, or gave back something else than was written.
        """
        if not len(self):
            raise ConfigError("a shard without images", where=self.folder, do="seal nothing where nothing came in")
        spools = (self._values, self._converted, self._raw, self._labels)
        about = {"source": self.source, "fingerprint": self.fingerprint, "provenance": dict(provenance or {})}
        write_sealed(self.folder, *spools, (self._masks, self._masked), seed=self.seed, about=about)
        for spool in (*spools, self._masks):
            spool.remove()
        sealed = SealedShard.load(self.folder)
        if sealed is None:
            raise StorageError("a shard is not whole after it was written", where=self.folder, do="check the disk")
        return sealed

    def discard(self) -> None:
        """Remove everything that was collected, and the folder."""
        for spool in (self._values, self._converted, self._raw, self._labels, self._masks):
            spool.remove()
        shutil.rmtree(self.folder, ignore_errors=True)


def _conform_converted(frame: pl.DataFrame, records: Sequence[Record]) -> pl.DataFrame:
    """All columns of Converted Metadata but the key, in order and of the right type."""
    from aqqua.metadata.fields import FIELDS, polars_schema

    schema = {name: kind for name, kind in polars_schema().items() if name != "key"}
    from_pixels = _pixel_columns(records)
    given = [name for name in frame.columns if not name.startswith("_") and name not in from_pixels and name != "key"]
    if unknown := sorted(set(given) - set(schema)):
        raise ConfigError(f"Converted Metadata has no field {unknown[0]!r}", do=f"the fields are {', '.join(FIELDS)}")
    frame = frame.select(given).with_columns(*from_pixels.values())
    columns = [pl.col(name) if name in frame.columns else pl.lit(None).alias(name) for name in schema]
    try:
        return frame.select(columns).cast(pl.Schema(schema))
    except pl.exceptions.PolarsError as error:
        raise ConfigError(f"a column of Converted Metadata of a wrong type ({error})") from error


def _pixel_columns(records: Sequence[Record]) -> dict[str, pl.Series]:
    """What the store knows from the pixels."""
    kinds = {"width": pl.Int32, "height": pl.Int32, "channels": pl.UInt8, "dtype": pl.String, "nbytes": pl.UInt32}
    kinds |= {"xxh3": pl.UInt64}
    told = dict(zip(Record._fields, zip(*records, strict=True), strict=True)) if records else {}
    return {name: pl.Series(name, told.get(name, ()), kind) for name, kind in kinds.items()}


def _conform_raw(frame: pl.DataFrame) -> pl.DataFrame:
    """Source columns as text; `source_path` and `source_row` as they are; a source's own column `key` gets a prefix."""
    missing = {"source_path", "source_row"} - set(frame.columns)
    if missing:
        raise ConfigError(f"raw rows without {sorted(missing)}", do="say for each row where it came from")
    kinds = {name: pl.Int32 if name == "source_row" else pl.String for name in frame.columns}
    try:
        return frame.cast(kinds).rename({"key": "raw:key"}, strict=False)  # type: ignore[arg-type]
    except pl.exceptions.PolarsError as error:
        raise ConfigError(f"a raw column that is no text ({error})") from error


def _conform_labels(frame: pl.DataFrame, count: int, first: int) -> pl.DataFrame:
    """Labels by position in the shard."""
    labels = conform_labels(frame.drop("uid", strict=False), index="_row")
    if len(labels) and int(labels["_row"].max() or 0) >= count:  # type: ignore[arg-type]
        raise ConfigError("a label for a row that the batch does not have", do="`_row` is the position in the batch")
    return labels.with_columns(pl.col("_row") + first)
