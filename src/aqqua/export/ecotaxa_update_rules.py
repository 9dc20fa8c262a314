"""What an update of existing objects must not do, because EcoTaxa does it without a word.

With update mode "Cla" EcoTaxa overwrites what people validated, un-classifies an object whose status is empty, deletes
the value of every empty cell, and passes over objects it does not know. So a table for it names predicted objects only,
and has no empty cell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import polars as pl

from aqqua.export import ecotaxa_cells, ecotaxa_columns
from aqqua.export.ecotaxa_package import Package, Table, is_free
from aqqua.metadata.check import Finding

__all__ = ["REQUIRED", "check_update"]

REQUIRED = ("object_id", "object_annotation_status", "object_annotation_category_id")
_OF_NEW_OBJECTS = {"required_columns", "images", "ranks", "parent_ids", "parent_cells"}
Rule = Callable[[Package, Table], Iterator[Finding]]


def check_update(package: Package) -> list[Finding]:
    """Apply the importer's rules, and those of updates, to a package."""
    shared: list[Rule] = [
        rule for rule in (*ecotaxa_columns.RULES, *ecotaxa_cells.RULES) if rule.__name__ not in _OF_NEW_OBJECTS
    ]
    rules: list[Rule] = [*shared, only_needed_columns, no_blanks, only_predictions, once]
    found = [finding for table in package.tables for rule in rules for finding in rule(package, table)]
    return [*found, *ecotaxa_columns.free_columns_fit(package.tables)]


def only_needed_columns(package: Package, table: Table) -> Iterator[Finding]:
    """The three columns, and free ones of objects: every other one would be overwritten too (code update_column)."""
    for name in REQUIRED:
        if name not in table.header:
            yield _error("update_column", table, f"the column {name} is missing", f"add the column {name}")
    for name in table.header:
        if name not in REQUIRED and not (is_free(name) and name.startswith("object_")):
            message = f"the column {name} would overwrite what is in EcoTaxa"
            yield _error("update_column", table, message, "remove the column")


def no_blanks(package: Package, table: Table) -> Iterator[Finding]:
    """An empty cell deletes the value, an empty status the classification (code blank)."""
    for name in table.frame.columns:
        for line, _ in table.lines([], pl.col(name).str.to_lowercase().is_in(["", "na", "nan"])):
            where = f"line {line}, {name}"
            yield _error("blank", table, "an empty cell deletes what is in EcoTaxa", "leave out the row", where)


def only_predictions(package: Package, table: Table) -> Iterator[Finding]:
    """Nothing but predictions is sent; a person's judgement needs that person (code update_status)."""
    name = "object_annotation_status"
    if table.has(name):
        for line, row in table.lines([name], pl.col(name) != "predicted"):
            message = f"the status '{row[name]}' would stand for what somebody has said"
            yield _error("update_status", table, message, "write predicted", f"line {line}, {name}")


def once(package: Package, table: Table) -> Iterator[Finding]:
    """An object stands once; else the last line wins (code update_twice)."""
    if table.has("object_id"):
        for line, row in table.lines(["object_id"], pl.col("object_id").is_first_distinct().not_()):
            message = f"object '{row['object_id']}' stands twice; the last line would win"
            yield _error("update_twice", table, message, "remove one of the lines", f"line {line}, object_id")


def _error(code: str, table: Table, message: str, do: str, where: str = "") -> Finding:
    return Finding("error", code, message, f"{table.path}, {where}".rstrip(", "), do=do)
