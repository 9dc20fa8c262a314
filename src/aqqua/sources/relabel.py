"""Labels of a dataset or a table, and new taxa for the labels of a dataset – added to the history, never changed."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from aqqua.errors import ConfigError, NotFoundError
from aqqua.metadata.label_table import describe, load_labels
from aqqua.metadata.qualifiers import QUALIFIERS
from aqqua.metadata.taxa import load_taxonomy
from aqqua.store.dataset import Dataset

__all__ = ["labels_in", "relabel"]

_MAX_BYTES = 64 << 20
_GIVEN = ("taxon", "aphia_id", "ecotaxa_id", *QUALIFIERS, "taxon_by")


def labels_in(source: Path | str) -> list[tuple[str, str | None]]:
    """The labels of a dataset, a table or a text file, each with its hierarchy where there is one.

    Args:
        source: a dataset; CSV, TSV or Parquet with a column label; or text with a label per line.

    Raises:
        NotFoundError: there is no such dataset or file.
        ConfigError: the table has no column label.
    """
    path = Path(source)
    if Dataset.is_at(path):
        said = Dataset.open(path).labels().select("label", "note").unique().sort("label", "note")
        return [(label, hierarchy) for label, hierarchy in said.iter_rows() if label]
    if not path.is_file():
        raise NotFoundError("there is neither a dataset nor a table of labels", where=path, do="check the path")
    if path.suffix in {".csv", ".tsv", ".parquet"}:
        rows = list(load_labels(path).verbatim)
    elif path.stat().st_size > _MAX_BYTES:
        raise ConfigError("the list of labels is too large", where=path)
    else:
        rows = [line.strip() for line in path.read_text("utf-8-sig").splitlines() if line.strip()]
    return [(label, None) for label in dict.fromkeys(rows)]


def relabel(dataset: Path | str, *, taxa: Path | str | None = None, labels: Path | str | None = None) -> int:
    """Map the current labels of a dataset anew, and add those whose taxon or qualifiers are others now.

    Args:
        dataset: its folder.
        taxa: a snapshot of taxa; None: the built-in names.
        labels: the owner's table, which wins.

    Returns:
        Number of labels that were added.
    """
    opened = Dataset.open(dataset)
    old = opened.labels()
    said = old.select("label", "note").unique(maintain_order=True)
    table = describe(said.iter_rows(), load_taxonomy(taxa), load_labels(labels) if labels else None)
    meaning = said.hstack(table.rename({"by": "taxon_by"}).select(_GIVEN))
    new = old.drop(*_GIVEN).join(meaning, on=["label", "note"], how="left", nulls_equal=True, maintain_order="left")
    own = (new["taxon_by"] == "owner").fill_null(value=False)
    same = new["taxon"].eq_missing(old["taxon"])
    eco = pl.when(own & new["ecotaxa_id"].is_not_null()).then(new["ecotaxa_id"])
    new = new.with_columns(
        eco.otherwise(pl.coalesce(old["ecotaxa_id"], new["ecotaxa_id"])).alias("ecotaxa_id"),
        pl.when(same).then(pl.coalesce(new["aphia_id"], old["aphia_id"])).otherwise("aphia_id").alias("aphia_id"),
    )
    compared = [name for name in _GIVEN if name != "taxon_by"]
    other = pl.any_horizontal(new[name].ne_missing(old[name]) for name in compared)
    changed = new.filter(new.select(other).to_series()).with_columns(pl.lit(None).alias("recorded_utc"))
    if changed.height:
        opened.add_labels(changed.select(old.columns))
    return changed.height
