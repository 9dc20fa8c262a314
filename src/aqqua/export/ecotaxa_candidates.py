"""What a model would call each object of EcoTaxa: its best and second-best taxon, with ids and scores."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from aqqua.errors import ConfigError, NotFoundError
from aqqua.export.ecotaxa_rows import Head
from aqqua.export.ecotaxa_taxa import id_of, ids_of_names, with_own_ids
from aqqua.store.dataset import Dataset

__all__ = ["best_of_objects", "candidates", "read_taxa", "taxon_ids"]

_HEADS = ("linear", "knn")


def candidates(dataset: Dataset, model: str | None, head: Head = "best") -> pl.DataFrame:
    """The model's names for images: uid, taxon, score, taxon_2, score_2.

    Scores are clipped to [0, 1] where they are finite; a name whose score is not is left out. The second name is that
    of the other head, where it is another one and less certain.

    Args:
        dataset: with predictions.
        model: its id; None for the newest.
        head: whose taxon counts; "best" is the linear head's, where there is one.
    """
    guesses = dataset.predictions(model, ["taxon_linear", "p_linear", "taxon_knn", "p_knn"])
    for one in _HEADS:
        score = pl.when(pl.col(f"p_{one}").is_finite()).then(pl.col(f"p_{one}").cast(pl.Float64).clip(0, 1))
        guesses = guesses.with_columns(score.alias(f"p_{one}"))
        sure = pl.col(f"p_{one}").is_not_null()
        guesses = guesses.with_columns(pl.when(sure).then(f"taxon_{one}").alias(f"taxon_{one}"))
    linear_counts = pl.col("taxon_linear").is_not_null() if head == "best" else pl.lit(head == "linear")
    first, other = pl.when(linear_counts), pl.when(~linear_counts)
    named = guesses.select(
        "uid",
        taxon=first.then("taxon_linear").otherwise("taxon_knn"),
        score=first.then("p_linear").otherwise("p_knn"),
        taxon_2=other.then("taxon_linear").otherwise("taxon_knn"),
        score_2=other.then("p_linear").otherwise("p_knn"),
    )
    second = (pl.col("taxon_2") != pl.col("taxon")) & (pl.col("score_2") <= pl.col("score"))
    return named.with_columns(pl.when(second).then(name).alias(name) for name in ("taxon_2", "score_2"))


def taxon_ids(dataset: Dataset, names: Sequence[str], own: Mapping[str, int] | None = None) -> dict[str, int]:
    """EcoTaxa ids of names: the user's, else as the labels say, else of our taxonomy; unknown names are left out."""
    known = {**ids_of_names(with_own_ids(dataset.labels())), **(own or {})}
    found = {name: known.get(name) or id_of(name) for name in names}
    return {name: number for name, number in found.items() if number is not None}


def best_of_objects(named: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    """One row per object: the image whose score is best counts, of equals the first."""
    order = named.sort("score", "uid", descending=[True, False], nulls_last=True, maintain_order=True)
    return order.unique(list(key), keep="first", maintain_order=True).sort(list(key))


def read_taxa(path: Path | str) -> dict[str, int]:
    """Read a table with names and their EcoTaxa ids: CSV or TSV with the columns `name` and `ecotaxa_id`.

    Raises:
        NotFoundError: there is no such table.
        ConfigError: it has not these columns, or an id is no number.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (FileNotFoundError, IsADirectoryError) as error:
        raise NotFoundError("there is no such table", where=path, do="check the path") from error
    lines = text.splitlines() or [""]
    rows = list(csv.DictReader(lines, delimiter="\t" if "\t" in lines[0] else ","))
    try:
        return {row["name"].strip(): int(row["ecotaxa_id"]) for row in rows}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        do = "write two columns, name and ecotaxa_id"
        raise ConfigError("this is no table of taxa with their EcoTaxa ids", where=path, do=do) from error
