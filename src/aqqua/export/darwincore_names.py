"""What each object of a Darwin Core archive is called, by whom, and what stays out because it is no organism."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

from aqqua.export.darwincore_terms import LSID
from aqqua.metadata.label_parts import parse
from aqqua.metadata.taxa import Taxon, Taxonomy, clean

__all__ = ["HUMAN", "MACHINE", "Fate", "identify", "name_objects"]

HUMAN, MACHINE = "ValidatedByHuman", "PredictedByMachine"
Fate = Literal["named", "discarded", "not an organism", "unknown name", "no name"]
"""What becomes of an object: only named ones are occurrences."""
_ROOT = "Biota"
_REMARKS = ("part", "condition", "grouping")
_MEANING: dict[str, Any] = {
    "scientificName": pl.String,
    "scientificNameID": pl.String,
    "taxonRank": pl.String,
    "lifeStage": pl.String,
    "sex": pl.String,
    "occurrenceRemarks": pl.String,
    "fate": pl.String,
    "unchecked": pl.Boolean,
}


@dataclass(frozen=True)
class Told:
    """What is said of an object: a label or a prediction, and what is known of its taxon.

    Args:
        label: verbatim.
        taxon: name of the taxon, if the labels table has one.
        aphia_id: its AphiaID there.
        owner: whether the owner of the data said so.
        qualifiers: stage, sex, part, condition, grouping, as the labels table has them.
    """

    label: str
    taxon: str | None = None
    aphia_id: int | None = None
    owner: bool = False
    qualifiers: tuple[str | None, ...] = (None,) * 5


def identify(images: pl.DataFrame, *, predicted: bool = True, least: float = 0.0) -> pl.DataFrame:
    """Which word counts for each object: a person's, else the model's, else that of the source's own classifier.

    Args:
        images: one row per object, with label columns (label, taxon, aphia_id, status, by, qualifiers) and
            `guess` and `confidence` of a model.
        predicted: whether what machines say counts at all.
        least: confidence below which a prediction does not count.

    Returns:
        With `verification`, `told` (the word), `of_model` (the model said it) and `score`.
    """
    human = (pl.col("status") == "validated").fill_null(value=False) & pl.col("label").is_not_null()
    model = pl.col("guess").is_not_null() & (pl.col("confidence").fill_null(1.0) >= least) & predicted
    source = (pl.col("status") == "predicted").fill_null(value=False) & pl.col("label").is_not_null() & predicted
    discarded = (pl.col("status") == "discarded").fill_null(value=False)
    from_model = model & ~human & ~discarded
    from_source = source & ~human & ~from_model
    named = (human | from_source) & ~discarded
    return images.with_columns(
        verification=pl.when(human).then(pl.lit(HUMAN)).when(from_model | from_source).then(pl.lit(MACHINE)),
        told=pl.when(named).then("label").when(from_model).then("guess"),
        of_model=from_model,
        score=pl.when(from_model).then("confidence"),
        discarded=discarded,
    )


def name_objects(objects: pl.DataFrame, names: Taxonomy) -> pl.DataFrame:
    """Darwin Core names of identified objects, and the fate of each.

    Args:
        objects: as `identify` gives them.
        names: the names to know.

    Returns:
        With scientificName, scientificNameID, taxonRank, lifeStage, sex, occurrenceRemarks, `fate`, and `unchecked`
        (the AphiaID is from memory, and left out).
    """
    keys = ["told", "of_model", "taxon", "aphia_id", "taxon_by", "stage", "sex_said", *_REMARKS]
    objects = objects.rename({"sex": "sex_said"})
    rows = [{**one, **_meaning(one, names)} for one in objects.select(keys).unique().iter_rows(named=True)]
    kinds = dict(objects.select(keys).schema) | _MEANING
    table = pl.DataFrame(rows, schema=kinds)
    named = objects.join(table, on=keys, how="left", nulls_equal=True, maintain_order="left")
    return named.with_columns(pl.when("discarded").then(pl.lit("discarded")).otherwise("fate").alias("fate"))


def _meaning(one: dict[str, Any], names: Taxonomy) -> dict[str, Any]:
    if one["told"] is None:
        return {"fate": "no name"}
    if one["of_model"]:
        told = Told(one["told"])
    else:
        said = tuple(one[name] for name in ("stage", "sex_said", *_REMARKS))
        told = Told(one["told"], one["taxon"], one["aphia_id"], one["taxon_by"] == "owner", said)
    return _darwin_core(told, names)


def _darwin_core(told: Told, names: Taxonomy) -> dict[str, Any]:
    """What the columns say of a taxon: the nearest one above, where a label is a category and no taxon."""
    parsed = parse(told.label, names)
    own = told.qualifiers if any(told.qualifiers) or told.taxon else _qualifiers(parsed.qualifiers)
    stage, sex, *others = own
    remarks = "; ".join(f"{name}: {value}" for name, value in zip(_REMARKS, others, strict=True) if value)
    rest = {"lifeStage": stage, "sex": sex, "occurrenceRemarks": remarks or None}
    taxon = names.find(clean(told.taxon)) if told.taxon else parsed.taxon
    if taxon is None:
        if told.taxon is None:
            return {"fate": "unknown name", **rest}
        number = told.aphia_id  # a name of the owner's: nothing but what they say is known of it
        return {"scientificName": told.taxon, "scientificNameID": _lsid(number), "fate": "named", **rest}
    if taxon.lineage[0] != _ROOT:
        return {"fate": "not an organism", **rest}
    nearest = taxon if taxon.rank != "category" else _above(taxon, names)
    if nearest is not taxon:  # "egg", "multiple": the word is no name of a taxon
        rest["occurrenceRemarks"] = "; ".join(filter(None, [taxon.name, remarks]))
    return {**_known(nearest, told, exact=nearest is taxon), **rest, "fate": "named"}


def _known(taxon: Taxon, told: Told, *, exact: bool) -> dict[str, Any]:
    number, sure = taxon.aphia_id, taxon.checked is not None
    if exact and told.aphia_id is not None and (told.owner or told.aphia_id != taxon.aphia_id):
        number, sure = told.aphia_id, True
    return {
        "scientificName": taxon.name,
        "scientificNameID": _lsid(number) if sure else None,
        "taxonRank": taxon.rank.lower(),
        "unchecked": number is not None and not sure,
    }


def _above(taxon: Taxon, names: Taxonomy) -> Taxon:
    """The nearest taxon that is none but a taxon."""
    for name in reversed(taxon.lineage[:-1]):
        above = names.find(clean(name))
        if above is not None and above.rank != "category":
            return above
    raise AssertionError(taxon)  # the root is a taxon


def _qualifiers(said: Any) -> tuple[str | None, ...]:
    return (said.stage, said.sex, *(getattr(said, name) for name in _REMARKS))


def _lsid(number: int | None) -> str | None:
    return None if number is None else f"{LSID}{number}"
