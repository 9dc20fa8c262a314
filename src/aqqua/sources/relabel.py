"""Labels of a dataset or a table, and new taxa for the labels of a dataset – added to the history, never changed."""

from __future__ import annotations

import zipfile
from pathlib import Path

import polars as pl

from aqqua.errors import ConfigError, NotFoundError
from aqqua.metadata.label_table import describe, load_labels, read_text_table
from aqqua.metadata.qualifiers import QUALIFIERS
from aqqua.metadata.taxa import load_taxonomy
from aqqua.store.dataset import Dataset

__all__ = ["labels_in", "relabel"]

_MAX_BYTES = 64 << 20
_LABELS = (
    "label",
    "object_annotation_category",
    "class",
    "category",
    "taxon",
    "ident",
    "source_label",
    "verbatim_label",
)
_HIERARCHY = "object_annotation_hierarchy"
_GIVEN = ("taxon", "aphia_id", "ecotaxa_id", *QUALIFIERS, "taxon_by")


def labels_in(source: Path | str) -> list[tuple[str, str | None]]:
    """The labels of a dataset, a table, a text file or class folders, each with its hierarchy where there is one.

    Args:
        source: a dataset; CSV, TSV or Parquet with a column of labels (`label`, `class`, EcoTaxa's
            `object_annotation_category` …); text with a label per line; a folder or zip with a folder per class.

    Raises:
        NotFoundError: there is no such dataset or file.
        ConfigError: the table has no column of labels.
    """
    path = Path(source)
    if Dataset.is_at(path):
        said = Dataset.open(path).labels().select("label", "note").unique().sort("label", "note")
        return [(label, hierarchy) for label, hierarchy in said.iter_rows() if label]
    if not path.exists():
        raise NotFoundError("there is neither a dataset nor a table of labels", where=path, do="check the path")
    if path.is_dir() or path.suffix == ".zip":
        return [(label, None) for label in _class_folders(path)]
    if path.stat().st_size > _MAX_BYTES:
        raise ConfigError("the list of labels is too large", where=path)
    if {".csv", ".tsv", ".parquet"} & set(path.suffixes):
        return _of_table(path)
    lines = [line.strip() for line in path.read_text("utf-8-sig").splitlines()]
    return [(label, None) for label in dict.fromkeys(lines) if label]


def _class_folders(path: Path) -> list[str]:
    """Names of the folders that hold files, in order."""
    if path.is_dir():
        return sorted(folder.name for folder in path.iterdir() if folder.is_dir())
    try:
        with zipfile.ZipFile(path) as archive:
            members = [name for name in archive.namelist() if "/" in name and not name.endswith("/")]
    except zipfile.BadZipFile as error:
        raise ConfigError(f"the zip cannot be read ({error})", where=path, do="copy it again") from error
    return sorted({Path(name).parent.name for name in members})


def _of_table(path: Path) -> list[tuple[str, str | None]]:
    """Each label of a table once for each hierarchy it has, without EcoTaxa's line of types."""
    frame = read_text_table(path)
    plain = {name.strip().lower(): name for name in frame.columns}
    label = next((plain[name] for name in _LABELS if name in plain), None)
    if label is None:
        raise ConfigError("the table has no column of labels", where=path, do=f"call it {_LABELS[0]}")
    above = pl.col(plain[_HIERARCHY]) if _HIERARCHY in plain else pl.lit(None, pl.String)
    said = frame.select(pl.col(label).str.strip_chars().alias("label"), above.alias("above")).unique(
        maintain_order=True
    )
    rows = said.filter(~pl.col("label").fill_null("").is_in(["", "[t]", "[f]"])).iter_rows()
    return [(text, hierarchy) for text, hierarchy in rows]


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
