"""Tables that say what labels mean: made by `aqqua taxa match`, corrected by owners, and read again.

The first column is always the label as its source wrote it, so nothing is lost on the way: from a taxon back to the
labels is a look into the table, whatever the hierarchies of the source were.
"""

from __future__ import annotations

import difflib
import gzip
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from aqqua.errors import ConfigError, NotFoundError, UnknownNameError
from aqqua.metadata.label_parts import parse
from aqqua.metadata.qualifiers import QUALIFIERS, Qualifiers
from aqqua.metadata.taxa import Taxonomy, builtin, clean

__all__ = ["MATCH_SCHEMA", "LabelTable", "describe", "load_labels", "nearest_names", "read_text_table", "source_labels"]

_MAX_BYTES = 64 << 20
_TEXTS = {name: pl.String() for name in QUALIFIERS if name != "eggs"}
MATCH_SCHEMA: dict[str, pl.DataType] = {
    "label": pl.String(),
    "taxon": pl.String(),
    "aphia_id": pl.Int64(),
    "ecotaxa_id": pl.Int64(),
    "rank": pl.String(),
    "lineage": pl.String(),
    "parents": pl.String(),
    **_TEXTS,
    "eggs": pl.Boolean(),
    "doubt": pl.String(),
    "remark": pl.String(),
    "by": pl.String(),
}
"""Columns of a table of labels; `lineage` from the root, `parents` as the source has them from the nearest on."""

_OTHER_NAMES = {
    "class": "label", "category": "label", "source_label": "label", "verbatim_label": "label",
    "accepted_name": "taxon", "scientific_name": "taxon", "scientificname": "taxon", "name": "taxon",
    "aphiaid": "aphia_id", "worms_id": "aphia_id", "scientific_name_id": "aphia_id", "classif_id": "ecotaxa_id",
}  # fmt: skip


@dataclass(frozen=True)
class LabelTable:
    """What an owner says that labels mean.

    Args:
        rows: verbatim label → values by the names of `MATCH_SCHEMA`; what is not given is missing.
        where: the file.
    """

    rows: Mapping[str, Mapping[str, Any]]
    where: str = ""

    def get(self, label: str) -> Mapping[str, Any] | None:
        """What is said about a label: as it is written, else with other capitals and blanks."""
        return self.rows.get(label) or self.rows.get(clean(label))


def describe(
    labels: Iterable[str | tuple[str, str | None]], names: Taxonomy | None = None, table: LabelTable | None = None
) -> pl.DataFrame:
    """What labels mean, one row each, none left out.

    Args:
        labels: each alone or with its hierarchy.
        names: the names to know; None: the built-in ones.
        table: the owner's, whose word counts.

    Returns:
        With the columns of `MATCH_SCHEMA`; `taxon` is null where nothing matches.
    """
    names = names or builtin()
    rows = []
    for entry in dict.fromkeys(labels):
        label, hierarchy = (entry, None) if isinstance(entry, str) else entry
        rows.append({**_by_names(label, hierarchy, names), **_by_owner(label, names, table)})
    return pl.DataFrame(rows, schema=MATCH_SCHEMA)


def source_labels(table: pl.DataFrame, taxon: str | None, **qualifiers: str | bool | None) -> list[str]:
    """The labels, verbatim, that were mapped to a taxon (None: to none), and to qualifiers where they are given."""
    hit = pl.col("taxon").eq_missing(pl.lit(taxon))
    for name, value in qualifiers.items():
        hit = hit & pl.col(name).eq_missing(pl.lit(value))
    return table.filter(hit)["label"].to_list()


def nearest_names(label: str, names: Taxonomy | None = None, count: int = 3) -> list[str]:
    """Accepted names that look like a label, for a person to choose from."""
    names = names or builtin()
    words = [clean(label), *(word for word in clean(label).split(" ") if len(word) > 3)]
    near = [hit for word in words for hit in difflib.get_close_matches(word, names.index, n=count, cutoff=0.75)]
    return list(dict.fromkeys(names.index[hit].name for hit in near))[:count]


def load_labels(path: Path | str) -> LabelTable:
    """Read an owner's table: CSV, TSV or Parquet with a column `label` and any others of `MATCH_SCHEMA`.

    Raises:
        NotFoundError: there is no such table.
        ConfigError: it has no labels, a label twice with different meanings, or an id that is no number.
        UnknownNameError: it has an unknown column.
    """
    path = Path(path)
    try:
        return _loaded(str(path), path.stat().st_mtime_ns)
    except OSError as error:
        raise NotFoundError("there is no such table of labels", where=path, do="check the path") from error


@cache
def _loaded(path: str, _: int) -> LabelTable:
    frame = read_text_table(Path(path))
    known = dict.fromkeys(MATCH_SCHEMA)
    renamed = {}
    for column in frame.columns:
        plain = re.sub(r"[^a-z0-9]+", "_", column.strip().lower()).strip("_")
        name = _OTHER_NAMES.get(plain, plain)
        if name not in known:
            raise UnknownNameError("column of a table of labels", column, known, where=path)
        renamed[column] = name
    if sorted(renamed.values()) != sorted(set(renamed.values())) or "label" not in renamed.values():
        raise ConfigError("a table of labels has one column label", where=path, do="add it, or rename the second one")
    rows: dict[str, dict[str, Any]] = {}
    for line, row in enumerate(frame.rename(renamed).iter_rows(named=True), 2):
        label = (row["label"] or "").strip()
        values = {name: _value(name, text, f"{path}, line {line}") for name, text in row.items() if name != "label"}
        values = {name: value for name, value in values.items() if value is not None}
        if label and rows.setdefault(label, values) != values:
            raise ConfigError(f"the label {label!r} has two meanings", where=f"{path}, line {line}", do="keep one")
    return LabelTable({**{clean(label): values for label, values in rows.items()}, **rows}, path)


def read_text_table(path: Path) -> pl.DataFrame:
    """A table as text: Parquet, or CSV with tab, comma or semicolon, packed or not.

    Raises:
        ConfigError: it cannot be read.
    """
    if path.stat().st_size > _MAX_BYTES:
        raise ConfigError("the table of labels is too large", where=path)
    try:
        if path.suffix == ".parquet":
            return pl.read_parquet(path).cast(pl.String)
        data = path.read_bytes()
        if data[:2] == b"\x1f\x8b":
            with gzip.open(path) as packed:
                data = packed.read(_MAX_BYTES + 1)
            if len(data) > _MAX_BYTES:
                raise ConfigError("the table of labels is too large", where=path)
        text = data.decode("utf-8-sig")
        head = text.partition("\n")[0]
        return pl.read_csv(text.encode(), separator=max("\t,;", key=head.count), infer_schema=False, quote_char='"')
    except (pl.exceptions.PolarsError, UnicodeDecodeError, EOFError, gzip.BadGzipFile) as error:
        do = "save it as CSV in UTF-8"
        raise ConfigError(f"the table of labels cannot be read ({error})", where=path, do=do) from error


def _value(name: str, text: str | None, where: str) -> Any:
    text = (text or "").strip()
    if not text or name in {"by", "parents"}:
        return None
    if name in {"aphia_id", "ecotaxa_id"}:
        number = re.fullmatch(r"(?:urn:lsid:marinespecies\.org:taxname:)?(\d+)(?:\.0)?", text)
        if number is None:
            raise ConfigError(f"{name} is {text!r}", where=where, do="write the number only")
        return int(number[1])
    if name == "eggs":
        if text.lower() not in {"true", "false", "yes", "no", "1", "0"}:
            raise ConfigError(f"eggs is {text!r}", where=where, do="write yes or no, or leave it empty")
        return text.lower() in {"true", "yes", "1"}
    return text


def _by_names(label: str, hierarchy: str | None, names: Taxonomy) -> dict[str, Any]:
    parsed = parse(label, names, hierarchy=hierarchy)
    taxon, said = parsed.taxon, parsed.qualifiers
    values: dict[str, Any] = {name: getattr(said, name) for name in Qualifiers.__dataclass_fields__}
    values |= {"label": label, "parents": ">".join(parsed.parents) or None, "by": parsed.by or None}
    if taxon is not None:
        values |= {"taxon": taxon.name, "aphia_id": taxon.aphia_id, "ecotaxa_id": taxon.ecotaxa_id}
        values |= {"rank": taxon.rank, "lineage": ">".join(taxon.lineage)}
    return values


def _by_owner(label: str, names: Taxonomy, table: LabelTable | None) -> dict[str, Any]:
    """What the owner says; a taxon that is known brings what is known of it, another only what the owner says."""
    told = table.get(label) if table else None
    if not told:
        return {}
    values: dict[str, Any] = {"by": "owner"}
    if "taxon" in told or "aphia_id" in told:
        taxon = names.find(clean(told["taxon"])) if "taxon" in told else names.by_aphia_id(told["aphia_id"])
        values |= dict.fromkeys(("taxon", "aphia_id", "ecotaxa_id", "rank", "lineage"))
        if taxon is not None:
            values |= {"taxon": taxon.name, "aphia_id": taxon.aphia_id, "ecotaxa_id": taxon.ecotaxa_id}
            values |= {"rank": taxon.rank, "lineage": ">".join(taxon.lineage)}
    return {**values, **told}
