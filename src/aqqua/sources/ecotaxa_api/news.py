"""What people have decided in EcoTaxa since: the labels a dataset does not have yet."""

from __future__ import annotations

import polars as pl

from aqqua.metadata.taxa import match
from aqqua.sources.ecotaxa_api.links import STATUS_OF, known_labels
from aqqua.store.dataset import Dataset

__all__ = ["label_news"]


def label_news(dataset: Dataset, links: pl.DataFrame, states: pl.DataFrame) -> pl.DataFrame:
    """The labels to add so that a dataset knows what EcoTaxa says just now.

    An object that nobody names any more gets a label without a name and the status "unclassified".

    Args:
        dataset: the dataset.
        links: uid and objid of its images.
        states: of the objects: objid, taxon_id, qual, when, name (see `listing.read_states`).

    Returns:
        Rows for `Dataset.add_labels`, with `_before` (status) beside; none if there is nothing new.
    """
    known = known_labels(dataset).select("uid", _id="ecotaxa_id", _before="status")
    rows = links.select("uid", "objid").join(states, on="objid", how="inner").join(known, on="uid", how="left")
    named = pl.col("taxon_id").is_not_null() & pl.col("qual").is_in(list(STATUS_OF))
    rows = rows.with_columns(
        _before=pl.col("_before").fill_null("unclassified"),
        status=pl.when(named).then(pl.col("qual").replace(STATUS_OF)).otherwise(pl.lit("unclassified")),
        ecotaxa_id=pl.when(named).then("taxon_id"),
        label=pl.when(named).then("name"),
    )
    news = rows.filter((pl.col("status") != pl.col("_before")) | pl.col("ecotaxa_id").ne_missing(pl.col("_id")))
    told = ["uid", "label", "taxon", "aphia_id", "ecotaxa_id", "status", "_before"]
    return _with_taxa(news).select(*told, by=pl.lit("ecotaxa"), time_utc=_moment())


def _moment() -> pl.Expr:
    moment = pl.col("when").str.slice(0, 19).str.to_datetime("%Y-%m-%dT%H:%M:%S", strict=False, time_unit="ms")
    return moment.dt.replace_time_zone("UTC")


def _with_taxa(rows: pl.DataFrame) -> pl.DataFrame:
    """Names and numbers of our own taxonomy beside EcoTaxa's."""
    names = rows["label"].drop_nulls().unique().to_list()
    found = {name: match(name) for name in names}
    table = pl.DataFrame(
        {
            "label": names,
            "taxon": [taxon.name if (taxon := found[name]) else None for name in names],
            "aphia_id": [taxon.aphia_id if (taxon := found[name]) else None for name in names],
        },
        schema={"label": pl.String, "taxon": pl.String, "aphia_id": pl.Int64},
    )
    return rows.join(table, on="label", how="left", maintain_order="left")
