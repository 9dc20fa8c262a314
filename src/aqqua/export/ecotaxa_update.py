"""Export predictions for objects that are in EcoTaxa already: one small zip per project, for update mode "Cla".

Where there is a connection `aqqua ecotaxa push` is better: EcoTaxa itself then protects what people have validated,
and keeps the true scores. A table gives every prediction the score 1; the true one stands in a free column.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from aqqua.errors import ConfigError, FormatError
from aqqua.export import ExportReport
from aqqua.export.ecotaxa_candidates import best_of_objects, candidates, read_taxa, taxon_ids
from aqqua.export.ecotaxa_package import Package, Table
from aqqua.export.ecotaxa_rows import Head
from aqqua.export.ecotaxa_table import to_bytes
from aqqua.export.ecotaxa_update_rules import check_update
from aqqua.metadata.check import Finding
from aqqua.sources.ecotaxa_api.links import known_labels, links
from aqqua.store.atomic import whole
from aqqua.store.dataset import Dataset

__all__ = ["export_ecotaxa_update"]

_BY_PEOPLE = ["validated", "dubious", "discarded"]
_TIME = (1980, 1, 1, 0, 0, 0)


def export_ecotaxa_update(
    dataset: Dataset,
    out: Path,
    *,
    uids: Sequence[int] | None = None,
    model: str | None = None,
    head: Head = "best",
    taxa: Path | str | None = None,
) -> ExportReport:
    """Write zips that update the predictions of objects in EcoTaxa.

    Only objects that nobody had judged when they were pulled are in them, and only taxa whose EcoTaxa id is known.

    Args:
        dataset: with images pulled from EcoTaxa, or read from its exports.
        out: a folder for `ecotaxa_update_<project>.zip`.
        uids: the images; all, if not said.
        model: whose predictions; the newest, if not said.
        head: whose taxon counts: "linear", "knn", or "best": the linear head's where there is one.
        taxa: a table with `name` and `ecotaxa_id` for taxa whose id is not known here.

    Returns:
        A zip per project, and what to know about them.

    Raises:
        ConfigError: there is nothing to update.
        FormatError: the result would do harm in EcoTaxa.
    """
    used = model or next(iter(dataset.prediction_models()), None)
    rows = _objects(dataset).join(candidates(dataset, used, head), on="uid", how="inner")
    if uids is not None:
        rows = rows.filter(pl.col("uid").is_in(list(uids)))
    rows = rows.with_columns(judged=pl.col("status").is_in(_BY_PEOPLE).fill_null(value=False))
    rows = rows.with_columns(judged=pl.col("judged").any().over("project", "object_id"))
    best = best_of_objects(rows.filter(~pl.col("judged") & pl.col("taxon").is_not_null()), ["project", "object_id"])
    ids = taxon_ids(dataset, best["taxon"].unique().to_list(), read_taxa(taxa) if taxa else None)
    best = best.with_columns(taxon_id=pl.col("taxon").replace_strict(ids, default=None, return_dtype=pl.Int64))
    ready = best.drop_nulls("taxon_id")
    if ready.is_empty():
        do = "predict first, and pull the objects from EcoTaxa, or read an export of it"
        raise ConfigError("there is no object in EcoTaxa to update", where=dataset.path, do=do)
    files = [_write(out, str(key[0]), part, used or "") for key, part in ready.group_by("project", maintain_order=True)]
    return ExportReport(files, len(ready), list(_notes(rows, best)))


def _objects(dataset: Dataset) -> pl.DataFrame:
    """Images that are objects in EcoTaxa: uid, object_id, project (its number, else the source), and their status."""
    pulled = links(dataset).select("uid", "object_id", project=pl.col("projid").cast(pl.String))
    known = known_labels(dataset).select("uid", "status")
    sources = {shard.number: re.sub(r"[^A-Za-z0-9._-]+", "_", Path(shard.source).stem) for shard in dataset.shards}
    of_shard = pl.col("shard").replace_strict(sources, default=None, return_dtype=pl.String)
    named = dataset.metadata(["object_id"]).filter(pl.col("shard").is_in(_shards_of_exports(dataset)))
    exported = named.join(pulled, on="uid", how="anti").select("uid", "object_id", project=of_shard)
    return pl.concat([pulled, exported]).join(known, on="uid", how="left")


def _shards_of_exports(dataset: Dataset) -> list[int]:
    """Shards that were read from a package of EcoTaxa, by the columns of their Raw Metadata."""
    mark = "object_annotation_status"
    return [shard.number for shard in dataset.shards if mark in pl.scan_parquet(shard.raw).collect_schema().names()]


def _write(out: Path, project: str, rows: pl.DataFrame, model: str) -> Path:
    columns = {
        "object_id": ("[t]", pl.col("object_id")),
        "object_annotation_status": ("[t]", pl.lit("predicted")),
        "object_annotation_category_id": ("[f]", pl.col("taxon_id").cast(pl.String)),
        "object_aqqua_score": ("[f]", pl.col("score").round(6).cast(pl.String)),
        "object_aqqua_model": ("[t]", pl.lit(model)),
    }
    frame = rows.select(text.alias(name) for name, (_, text) in columns.items())
    types = tuple(kind for kind, _ in columns.values())
    table = Table("ecotaxa_update.tsv", tuple(columns), types, frame)
    path = out / f"ecotaxa_update_{project}.zip"
    found = check_update(Package(path.name, [table], lambda _: None))
    if errors := [finding for finding in found if finding.severity == "error"]:
        told = "\n".join(f"  {finding.message} ({finding.where})" for finding in errors[:5])
        raise FormatError(f"EcoTaxa would do harm with this update:\n{told}", where=path, do=errors[0].do)
    out.mkdir(parents=True, exist_ok=True)
    with whole(path) as part, zipfile.ZipFile(part, "w") as pack:
        info = zipfile.ZipInfo(table.path, _TIME)
        info.compress_type, info.external_attr, info.create_system = zipfile.ZIP_DEFLATED, 0o644 << 16, 3
        pack.writestr(info, to_bytes(table))
    return path


def _notes(rows: pl.DataFrame, best: pl.DataFrame) -> Iterator[Finding]:
    judged = rows.filter(pl.col("judged")).select("project", "object_id").unique().height
    if judged:
        yield Finding("info", "judged", "an object is left as people have judged it", count=judged)
    unknown = best.filter(pl.col("taxon_id").is_null())
    if len(unknown):
        names = ", ".join(unknown["taxon"].unique().sort().to_list()[:5])
        message = f"an object is left out, because the EcoTaxa id of its taxon is not known ({names})"
        yield Finding("warning", "unknown_taxon", message, count=len(unknown), do="give the ids in a table: --taxa")
    message = "import it with “update metadata and classification”: what people validated since the last pull is lost"
    yield Finding("warning", "update_mode", message, do="pull just before, or use aqqua ecotaxa push")
