"""EcoTaxa ids for labels and predicted taxa: only where the id means the very same thing, else the name must do.

A label may be finer than the taxon it was matched to: "larvae<Polychaeta" is a Polychaeta in our taxonomy, but another
category than Polychaeta in EcoTaxa. Its name finds the right one there; the taxon's id would not.
"""

from __future__ import annotations

import re

import polars as pl

from aqqua.metadata.taxa import clean, match

__all__ = ["id_of", "ids_in", "ids_of_names", "with_own_ids"]


def id_of(name: str) -> int | None:
    """Return EcoTaxa's id of a name that is a taxon or category itself, not something finer below one."""
    taxon = match(name)
    return taxon.ecotaxa_id if taxon is not None and _is_itself(name) else None


def with_own_ids(labels: pl.DataFrame) -> pl.DataFrame:
    """Keep ecotaxa_id only where it is the label's own: given by the source, or that of the same name.

    Args:
        labels: with label and ecotaxa_id.
    """
    pairs = labels.select("label", "ecotaxa_id").unique().drop_nulls()
    others = [
        (label, number)
        for label, number in pairs.iter_rows()
        if (taxon := match(label)) is not None and taxon.ecotaxa_id == number and not _is_itself(label)
    ]
    broader = pl.DataFrame(others, schema={"label": pl.String, "ecotaxa_id": pl.Int64}, orient="row")
    marked = labels.join(
        broader.with_columns(_broader=True), on=["label", "ecotaxa_id"], how="left", maintain_order="left"
    )
    kept = pl.when(pl.col("_broader").is_null()).then("ecotaxa_id").alias("ecotaxa_id")
    return marked.with_columns(kept).drop("_broader")


def ids_in(labels: pl.DataFrame) -> dict[str, int]:
    """Label → EcoTaxa id, as the labels say it themselves; what they contradict themselves in is left out."""
    pairs = labels.select("label", "ecotaxa_id").drop_nulls().unique()
    return dict(pairs.filter(pl.len().over("label") == 1).iter_rows())


def ids_of_names(labels: pl.DataFrame) -> dict[str, int]:
    """Predicted name → EcoTaxa id, as the labels a model learned from have it.

    A model says the accepted taxon of a label, else the label. "Copepoda<Multicrustacea" gives its id to Copepoda;
    "larvae<Polychaeta" does not give its own to Polychaeta, because it is another category.

    Args:
        labels: with label, taxon and ecotaxa_id.
    """
    pairs = labels.select("label", "taxon", "ecotaxa_id").drop_nulls(["label", "ecotaxa_id"]).unique().iter_rows()
    own = [
        (taxon or label, number)
        for label, taxon, number in pairs
        if taxon is None or clean(label) == clean(taxon) or _is_itself(label)
    ]
    frame = pl.DataFrame(own, schema={"label": pl.String, "ecotaxa_id": pl.Int64}, orient="row")
    return ids_in(frame)


def _is_itself(name: str) -> bool:
    """Whether the name alone, without what stands after "<" or in brackets, means the taxon it is matched to."""
    child = re.split(r"[<(]", name, maxsplit=1)[0].strip()
    taxon = match(name)
    if taxon is None or not child:
        return False
    plain = clean(child)
    return plain == clean(taxon.name) or ("-" not in plain and match(plain) == taxon)
