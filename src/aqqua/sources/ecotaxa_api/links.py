"""Which image of a dataset is which object on which EcoTaxa server: said by the columns that `pull` writes."""

from __future__ import annotations

import json

import polars as pl

from aqqua.store.dataset import Dataset, Shard
from aqqua.store.labels import latest, read_labels
from aqqua.store.uid import uid_expr

__all__ = ["LINK_COLUMNS", "STATUS_OF", "known_labels", "links", "rejected_objects"]

STATUS_OF = {"P": "predicted", "V": "validated", "D": "dubious", "X": "discarded"}
"""What EcoTaxa's letters mean."""
LINK_COLUMNS = ("ecotaxa_server", "projid", "objid")
"""Columns of Raw Metadata, besides those that EcoTaxa's own exports have."""
_SCHEMA = {"uid": pl.UInt64, "server": pl.String, "projid": pl.Int64, "objid": pl.Int64, "object_id": pl.String}


def links(dataset: Dataset, server: str | None = None, *, removed: bool = False) -> pl.DataFrame:
    """The objects that images of a dataset are: uid, server, projid, objid, object_id.

    Args:
        dataset: the dataset.
        server: only those of this server.
        removed: also images that were taken out of all views.
    """
    found = pl.concat([pl.DataFrame(schema=_SCHEMA), *(_of_shard(shard) for shard in dataset.shards)])
    if server is not None:
        found = found.filter(pl.col("server") == server)
    return found if removed else found.join(dataset.metadata([]).select("uid"), on="uid", how="semi")


def known_labels(dataset: Dataset) -> pl.DataFrame:
    """What a dataset knows of EcoTaxa's labels: the newest that came from there, whatever else was said later."""
    rows = read_labels(dataset.path / "labels", dataset.snapshot)
    return latest(rows.filter(pl.col("by") == "ecotaxa"))


def rejected_objects(dataset: Dataset, server: str, projid: int) -> set[int]:
    """Ids of objects of a project that did not get into the dataset, by what their rows said."""
    found: set[int] = set()
    for text in dataset.rejected()["raw"].drop_nulls().unique():
        if '"ecotaxa_server"' not in text:
            continue
        row = json.loads(text)
        if row.get("ecotaxa_server") == server and str(row.get("projid")) == str(projid) and row.get("objid"):
            found.add(int(row["objid"]))
    return found


def _of_shard(shard: Shard) -> pl.DataFrame:
    raw = pl.scan_parquet(shard.raw)
    names = raw.collect_schema().names()
    if not set(LINK_COLUMNS) <= set(names):
        return pl.DataFrame(schema=_SCHEMA)
    name = "object_id" if "object_id" in names else "raw:object_id"
    columns = [
        uid_expr(shard.number),
        pl.col("ecotaxa_server").alias("server"),
        pl.col("projid").cast(pl.Int64, strict=False),
        pl.col("objid").cast(pl.Int64, strict=False),
        pl.col(name).alias("object_id"),
    ]
    return raw.select(columns).filter(pl.col("objid").is_not_null()).collect().cast(_SCHEMA)  # type: ignore[arg-type]
