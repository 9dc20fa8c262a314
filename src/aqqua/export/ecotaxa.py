"""Export to EcoTaxa: zips of tables and images that its importer takes as new objects, with their predictions.

What goes where, and why (rules: `aqqua.export.ecotaxa_rules`):

- One folder and one table per sample, UTF-8 with byte order mark, names and types first.
- A taxon whose EcoTaxa id is known goes as `object_annotation_category_id` and nothing else. One that is only a name
  goes as `object_annotation_category`, in zips of its own (`…_by_name.zip`): there EcoTaxa may stop and ask which
  taxon is meant. Objects with neither come in unclassified.
- EcoTaxa gives an imported prediction the score 1. The true score, the model and both heads' taxa stand in free
  columns `object_aqqua_…`.
- What people have validated stays validated; EcoTaxa names the account that imports as the one who validated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from aqqua.errors import ConfigError, FormatError
from aqqua.export import ExportReport
from aqqua.export.ecotaxa_images import SixteenBit, encode_png, planes, scale_to_8_bit
from aqqua.export.ecotaxa_notes import notes_on
from aqqua.export.ecotaxa_package import Package, Picture, Table
from aqqua.export.ecotaxa_rows import Head, Human, annotate, leave_out, name_files, name_objects, name_parents
from aqqua.export.ecotaxa_rules import MAX_TABLES, MAX_UPLOAD_BYTES, check_package
from aqqua.export.ecotaxa_table import Column, columns_for, table_of
from aqqua.export.ecotaxa_taxa import id_of, ids_in, with_own_ids
from aqqua.export.ecotaxa_zip import FACTOR, ImageFile, ZipSeries
from aqqua.metadata.check import Finding
from aqqua.progress import job

if TYPE_CHECKING:
    from aqqua.store.dataset import Dataset

__all__ = ["Options", "export_ecotaxa", "write_package"]

Pixels = Callable[[Sequence[int]], Sequence[np.ndarray]]
_BATCH_IMAGES, _BATCH_BYTES = 256, 64 << 20
_MAX_BYTES = MAX_UPLOAD_BYTES - (1 << 20)
PREDICTIONS = {
    "taxon_knn": pl.String,
    "p_knn": pl.Float32,
    "taxon_linear": pl.String,
    "p_linear": pl.Float32,
    "outlier": pl.Float32,
}
"""Columns of predictions that are exported."""


def export_ecotaxa(
    dataset: Dataset,
    out: Path,
    *,
    uids: Sequence[int] | None = None,
    model: str | None = None,
    human: Human = "keep",
    head: Head = "best",
    sixteen_bit: SixteenBit = "keep",
    max_bytes: int = _MAX_BYTES,
) -> ExportReport:
    """Write zips for EcoTaxa's import of new objects.

    Args:
        dataset: the dataset.
        out: a folder to write `ecotaxa_<dataset>.zip` into, or the name of the zip itself.
        uids: the images to export; all, if not said.
        model: whose predictions go along; the newest, if not said.
        human: "keep": what people have validated stays validated; "as_predicted": it goes as a prediction of the same
            category (and what they said in free columns), so that nobody is named as validator who was not.
        head: whose taxon counts: "linear", "knn", or "best": the linear head's where there is one.
        sixteen_bit: "keep" 16-bit gray as 16-bit PNG, or "convert" it to 8 bits, with the factor in a free column.
        max_bytes: size that no zip exceeds; by default what can be uploaded at once.

    Returns:
        The zips in the order to import them, and what to know about them.

    Raises:
        ConfigError: there is nothing to export.
        FormatError: EcoTaxa would refuse the result.
        StorageError: the disk is full.
    """
    labels = with_own_ids(dataset.labels())
    used = model or next(iter(dataset.prediction_models()), None)
    images = _gather(dataset, labels, uids, used)
    path = out if out.suffix.lower() == ".zip" else out / f"ecotaxa_{dataset.path.name}.zip"
    taxon_id = partial(_taxon_id, ids_in(labels))
    return write_package(images, dataset.images, path, taxon_id, Options(used, human, head, sixteen_bit, max_bytes))


@dataclass(frozen=True)
class Options:
    """What was asked for: see `export_ecotaxa`."""

    model: str | None = None
    human: Human = "keep"
    head: Head = "best"
    sixteen_bit: SixteenBit = "keep"
    max_bytes: int = _MAX_BYTES


def write_package(
    images: pl.DataFrame,
    pixels: Pixels,
    path: Path,
    taxon_id: Callable[[str], int | None],
    options: Options,
) -> ExportReport:
    """Write images with their metadata, labels and predictions; knows nothing of datasets.

    Args:
        images: Converted Metadata with uid, label columns and prediction columns.
        pixels: gives the pixels of images by their uids, in that order.
        path: the first zip.
        taxon_id: id of a category in EcoTaxa by its name.
        options: what was asked for.
    """
    images, too_large = leave_out(images)
    if images.is_empty():
        raise ConfigError("there is nothing to export", where=path, do="choose at least one image")
    rows = annotate(name_objects(name_parents(images)), taxon_id, human=options.human, head=options.head)
    files = name_files(rows, partial(planes, sixteen_bit=options.sixteen_bit))
    columns = columns_for(files, options.model, labels_too=options.human == "as_predicted")
    if options.sixteen_bit == "convert" and (files["dtype"] == "uint16").any():
        columns.append(Column(FACTOR, "[f]", pl.lit("")))
    tables = [
        (table_of(f"{folder}/ecotaxa_{folder}.tsv", part, columns), part)
        for (_, folder), part in files.group_by("route", "folder", maintain_order=True)
    ]
    found = _check([table for table, _ in tables], files, path)
    zips = list(_write(tables, pixels, path, options))
    notes = [*notes_on(rows, files, too_large, zips, keeps_judgements=options.human == "keep"), *found]
    return ExportReport(zips, files["uid"].n_unique(), notes)


def _write(tables: list[tuple[Table, pl.DataFrame]], pixels: Pixels, path: Path, options: Options) -> Iterator[Path]:
    """Write the zips: first those that EcoTaxa imports without asking."""
    by_name = [one for one in tables if one[1]["route"][0] == "name"]
    rest = [one for one in tables if one[1]["route"][0] != "name"]
    with job("Writing zips for EcoTaxa", sum(len(rows) for _, rows in tables), unit="images") as advance:
        for chosen, suffix in ((rest, ""), (by_name, "_by_name")):
            if not chosen:
                continue
            with ZipSeries(path.with_stem(path.stem + suffix), options.max_bytes, MAX_TABLES) as series:
                for table, rows in chosen:
                    series.start(table)
                    for _, files in groupby(_encoded(rows, pixels, options.sixteen_bit), attrgetter("object")):
                        series.add(object_files := list(files))
                        advance(len(object_files))
            yield from series.files


def _encoded(rows: pl.DataFrame, pixels: Pixels, sixteen_bit: SixteenBit) -> Iterator[ImageFile]:
    """Read images in batches, and encode the file of each row."""
    for batch in _batches(rows):
        uids = batch["uid"].unique(maintain_order=True).to_list()
        arrays = dict(zip(uids, pixels(uids), strict=True))
        for uid, name, file, folder, plane in batch.select(
            "uid", "object", "file", "folder", "plane_index"
        ).iter_rows():
            array, factor = arrays[uid], 1.0
            if sixteen_bit == "convert" and array.dtype == np.uint16:
                array, factor = scale_to_8_bit(array)
            array = array if plane is None else array.reshape(*array.shape[:2], -1)[..., plane]
            yield ImageFile(name, f"{folder}/{file}", encode_png(array.squeeze()), factor)


def _batches(rows: pl.DataFrame) -> Iterator[pl.DataFrame]:
    size = rows["nbytes"].cast(pl.Int64).cum_sum() // _BATCH_BYTES
    number = pl.int_range(pl.len()) // _BATCH_IMAGES
    yield from rows.with_columns(_batch=size + rows.select(number).to_series()).partition_by(
        "_batch", maintain_order=True
    )


def _check(tables: list[Table], files: pl.DataFrame, path: Path) -> list[Finding]:
    """Findings of EcoTaxa's rules on what is to be written; an error means that nothing is written."""
    sizes = files.select(pl.concat_str("folder", "file", separator="/"), "width", "height").iter_rows()
    pictures = {name: _picture(width, height) for name, width, height in sizes}
    findings = check_package(Package(path.name, tables, pictures.get))
    if errors := [finding for finding in findings if finding.severity == "error"]:
        told = "\n".join(f"  {finding.message} ({finding.where})" for finding in errors[:5])
        raise FormatError(f"EcoTaxa would refuse this export:\n{told}", where=path, do=errors[0].do)
    return findings


@cache
def _picture(width: int, height: int) -> Picture:
    return Picture("PNG", width, height)


def _gather(dataset: Dataset, labels: pl.DataFrame, uids: Sequence[int] | None, model: str | None) -> pl.DataFrame:
    """Converted Metadata of the chosen images, with their labels and predictions."""
    images = dataset.metadata()
    if uids is not None:
        chosen = pl.Series(uids, dtype=pl.UInt64)
        unknown = chosen.filter(~chosen.is_in(images["uid"].implode()))
        if len(unknown):
            do = "take uids from this dataset; removed images have none"
            raise ConfigError(
                f"{len(unknown)} of the images are not there, for example {unknown[0]}", where=dataset.path, do=do
            )
        images = images.filter(pl.col("uid").is_in(chosen.implode()))
    names = {"status": "label_status", "ecotaxa_id": "label_ecotaxa_id", "time_utc": "label_time"}
    told = labels.select("uid", "label", **{new: pl.col(old) for old, new in names.items()})
    images = images.join(told, on="uid", how="left", maintain_order="left")
    if model is not None:
        guesses = dataset.predictions(model)
        kept = [name for name in PREDICTIONS if name in guesses.columns]
        images = images.join(guesses.select("uid", *kept), on="uid", how="left", maintain_order="left")
    missing = [pl.lit(None, kind).alias(name) for name, kind in PREDICTIONS.items() if name not in images.columns]
    return images.with_columns(missing)


def _taxon_id(known: dict[str, int], name: str) -> int | None:
    return known.get(name) or id_of(name)
