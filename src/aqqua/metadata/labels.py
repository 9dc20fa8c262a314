"""Who said what about which image: labels of EcoTaxa tables, of people's tables, and of class folders.

Persons are not copied: the label says that it came with the source, and when it was given.
"""

from __future__ import annotations

import polars as pl

from aqqua.metadata.check import Finding
from aqqua.metadata.columns import Columns
from aqqua.metadata.label_table import LabelTable, describe
from aqqua.metadata.qualifiers import QUALIFIERS
from aqqua.metadata.taxa import Taxonomy, by_ecotaxa_id, match
from aqqua.metadata.times import moments
from aqqua.metadata.units import missing_mask

__all__ = ["LABEL_SCHEMA", "read_labels"]

LABEL_SCHEMA: dict[str, pl.DataType] = {
    "_row": pl.UInt32(),
    "label": pl.String(),
    "taxon": pl.String(),
    "aphia_id": pl.Int64(),
    "ecotaxa_id": pl.Int64(),
    "status": pl.String(),
    "by": pl.String(),
    "time_utc": pl.Datetime("ms", "UTC"),
    "note": pl.String(),
    "stage": pl.String(),
    "sex": pl.String(),
    "part": pl.String(),
    "view": pl.String(),
    "condition": pl.String(),
    "grouping": pl.String(),
    "eggs": pl.Boolean(),
    "taxon_by": pl.String(),
}

_STATUSES = ("validated", "predicted", "dubious", "discarded", "unclassified")
_STATUS = {
    **{status: status for status in _STATUSES},
    "v": "validated",
    "p": "predicted",
    "d": "dubious",
    "x": "discarded",
    "noid": "unclassified",
}


def read_labels(
    raw: pl.DataFrame, *, source: str, table: LabelTable | None = None, names: Taxonomy | None = None
) -> tuple[pl.DataFrame, list[Finding]]:
    """The labels of a table.

    Args:
        raw: all text.
        source: kind of source.
        table: the owner's word on what labels mean.
        names: of taxa; None: the built-in ones.

    Returns:
        One row per labelled image with the columns of `LABEL_SCHEMA`, where `_row` counts the rows of `raw`, and what
        looks odd.
    """
    columns = Columns(raw.columns)
    name, given = _labels(raw, columns)
    category = _integers(raw, columns.find("object_annotation_category_id") or columns.find("classif_id"))
    label = given.fill_null(category.replace_strict(_names_of(category), default=None, return_dtype=pl.String))
    frame = pl.DataFrame(
        {
            "_row": pl.int_range(raw.height, dtype=pl.UInt32, eager=True),
            "label": label,
            "ecotaxa_id": category,
            "aphia_id": _integers(raw, columns.find("object_aphiaid")),
            "status": _statuses(raw, columns, source),
            "time_utc": _times(raw, columns),
            "note": _texts(raw, columns.find("object_annotation_hierarchy")),
        }
    )
    labelled = frame.filter(pl.col("label").is_not_null() & (pl.col("status") != "unclassified")).pipe(
        _with_taxa, table, names
    )
    by = "ecotaxa" if source.startswith("ecotaxa") else "source"
    labelled = labelled.with_columns(pl.lit(by).alias("by")).select(list(LABEL_SCHEMA)).cast(LABEL_SCHEMA)  # type: ignore[arg-type]
    return labelled, [*_findings(labelled, frame, name), *_halves(frame, raw, columns, source)]


def _labels(raw: pl.DataFrame, columns: Columns) -> tuple[str, pl.Series]:
    ecotaxa = columns.find("object_annotation_category")
    names = ([ecotaxa] if ecotaxa else []) + [name for name, _ in columns.called("label")]
    label = pl.Series([None] * raw.height, dtype=pl.String)
    for name in names:
        label = label.fill_null(_texts(raw, name))
    return ", ".join(names), label


def _texts(raw: pl.DataFrame, name: str | None) -> pl.Series:
    if name is None:
        return pl.Series([None] * raw.height, dtype=pl.String)
    text = raw[name].str.strip_chars()
    return text.set(text.str.to_lowercase().is_in(["", "nan", "na", "n/a", "null"]), None)


def _integers(raw: pl.DataFrame, name: str | None) -> pl.Series:
    return _texts(raw, name).cast(pl.Float64, strict=False).cast(pl.Int64, strict=False)


def _names_of(category: pl.Series) -> dict[int, str]:
    """Names for EcoTaxa's ids where a table gives ids only."""
    ids = category.drop_nulls().unique().to_list()
    found = {number: by_ecotaxa_id(number) for number in ids}
    return {number: taxon.name if taxon else f"EcoTaxa taxon {number}" for number, taxon in found.items()}


def _statuses(raw: pl.DataFrame, columns: Columns, source: str) -> pl.Series:
    """EcoTaxa's status; a label without any is the owner's word, or EcoTaxa's guess."""
    name = columns.find("object_annotation_status") or next((name for name, _ in columns.called("label_status")), None)
    usual = "predicted" if source.startswith("ecotaxa") else "validated"
    if name is None:
        return pl.Series([usual]).new_from_index(0, raw.height)
    text = raw[name].str.strip_chars().str.to_lowercase()
    blank = "unclassified" if columns.is_ecotaxa else usual
    return text.replace_strict(_STATUS, default=None, return_dtype=pl.String).fill_null(
        missing_mask(text).replace_strict({True: blank, False: usual}, return_dtype=pl.String)
    )


def _times(raw: pl.DataFrame, columns: Columns) -> pl.Series:
    on, at = columns.find("object_annotation_date"), columns.find("object_annotation_time")
    if on is None:
        return pl.Series([None] * raw.height, dtype=pl.Datetime("ms", "UTC"))
    return moments(raw[on], raw[at] if at else None)["value"]


def _with_taxa(labels: pl.DataFrame, table: LabelTable | None, names: Taxonomy | None) -> pl.DataFrame:
    """Taxa and qualifiers by the label's text and hierarchy; ids that the table gives itself are kept."""
    said = labels.select("label", "note").unique(maintain_order=True)
    meaning = describe(said.iter_rows(), names, table).rename({"by": "taxon_by"})
    own = ["taxon", "aphia_id", "ecotaxa_id", *QUALIFIERS, "taxon_by"]
    above = pl.col("taxon_by") == "hierarchy"  # EcoTaxa has an id of its own for what it is called there
    meaning = meaning.with_columns(pl.when(~above.fill_null(value=False)).then("ecotaxa_id").alias("ecotaxa_id"))
    meaning = said.hstack(meaning.select(own).rename({"aphia_id": "_aphia", "ecotaxa_id": "_ecotaxa"}))
    joined = labels.join(meaning, on=["label", "note"], how="left", nulls_equal=True, maintain_order="left")
    return joined.with_columns(
        pl.coalesce("aphia_id", "_aphia").alias("aphia_id"), pl.coalesce("ecotaxa_id", "_ecotaxa").alias("ecotaxa_id")
    ).drop("_aphia", "_ecotaxa")


def _findings(labelled: pl.DataFrame, frame: pl.DataFrame, name: str) -> list[Finding]:
    findings = []
    owned = labelled.filter(pl.col("taxon_by") == "owner")
    if owned.height:
        told = "labels have the taxon that the owner's table of labels gives them"
        findings.append(Finding("info", "label_by_owner", told, count=owned.height))
    unknown = labelled.filter(pl.col("taxon").is_null())
    if unknown.height:
        shown = ", ".join(unknown["label"].value_counts(sort=True)["label"].head(5).to_list())
        told = f"labels have no known taxon and are kept as they are: {shown}"
        findings.append(Finding("info", "label_without_taxon", told, count=unknown.height))
    unclassified = frame.filter(pl.col("label").is_not_null() & (pl.col("status") == "unclassified")).height
    if unclassified:
        told = "objects have a category but no status: unclassified in EcoTaxa, so without label here"
        findings.append(Finding("info", "category_without_status", told, count=unclassified))
    return findings


def _halves(frame: pl.DataFrame, raw: pl.DataFrame, columns: Columns, source: str) -> list[Finding]:
    """Labels that EcoTaxa's importer would refuse: half of them is missing, or the id is another taxon's."""
    labelled = frame.filter(pl.col("label").is_not_null())
    findings = _other_ids(labelled, raw)
    status = columns.find("object_annotation_status")
    if status is None and labelled.height and columns.is_ecotaxa and source.startswith("ecotaxa"):
        told = "the table has categories and no column object_annotation_status: they were taken as predictions"
        do = "add the column object_annotation_status"
        findings.append(Finding("warning", "no_status_column", told, _line(raw, labelled), labelled.height, do))
    if status is not None:
        stated = raw[status].str.strip_chars().str.to_lowercase().is_in(list(_STATUS)).fill_null(value=False)
        bare = frame.filter(stated & frame["label"].is_null() & (frame["status"] != "unclassified"))
        if bare.height:
            told = f"objects have a status and no category, so without label here: {bare['status'][0]!r}"
            do = "give object_annotation_category or object_annotation_category_id too"
            findings.append(Finding("warning", "status_without_category", told, _line(raw, bare), bare.height, do))
    return findings


def _other_ids(labelled: pl.DataFrame, raw: pl.DataFrame) -> list[Finding]:
    """Ids that EcoTaxa has for another taxon than the one that is named."""
    known = {text: taxon.ecotaxa_id for text in labelled["label"].unique() if (taxon := match(text))}
    if not known:
        return []
    theirs = pl.col("label").replace_strict(known, default=None, return_dtype=pl.Int64)
    other = labelled.filter((pl.col("ecotaxa_id") != theirs).fill_null(value=False))
    if not other.height:
        return []
    label, number = other.select("label", "ecotaxa_id").row(0)
    told = f"the table says {number} for {label!r}, which is {known[label]} in EcoTaxa"
    do = "correct object_annotation_category_id; EcoTaxa refuses ids that it does not have"
    return [Finding("warning", "taxon_id_differs", told, _line(raw, other), other.height, do)]


def _line(raw: pl.DataFrame, rows: pl.DataFrame) -> str:
    """Where the first of some rows stands."""
    path, line = raw.select("source_path", "source_row").row(rows["_row"][0])
    return f"{path}, line {line}" if line is not None else str(path or "")
