"""Filters: a small JSON expression tree, compiled to a Polars expression.

    {"and": [{"in": ["taxon", ["Calanoida", null]]}, {"range": ["depth_min_m", 0, 200]}, {"not": {"missing": "label"}}]}

Only these operators and the table's own columns exist: nothing is evaluated, nothing reaches a query language. A row
where the column is missing fulfils no `in`, `range` or `contains` (list `null` to include it), and so their `not`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import polars as pl

from aqqua.app.columns import Column
from aqqua.errors import ConfigError, UnknownNameError

__all__ = ["compile_filter", "parse_filter"]

MAX_CHARS = 200_000
MAX_DEPTH = 16
MAX_NODES = 500
MAX_VALUES = 10_000
_EXAMPLE = 'for example {"in": ["label", ["Copepoda"]]}'


def parse_filter(text: str | None) -> Any:
    """The tree in a query string; None if there is none.

    Raises:
        ConfigError: it is not JSON, or too long.
    """
    if not text:
        return None
    if len(text) > MAX_CHARS:
        raise ConfigError("the filter is too long", do=f"use at most {MAX_CHARS:,} characters")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError("the filter is not JSON", do=_EXAMPLE) from error


def compile_filter(tree: Any, columns: Mapping[str, Column]) -> pl.Expr | None:
    """The Polars expression of a filter tree; None if it lets everything through.

    Args:
        tree: what JSON gave.
        columns: the columns there are.

    Raises:
        ConfigError: the tree has a wrong form, is too deep or too large.
        UnknownNameError: an operator or column that does not exist; the message names the nearest.
    """
    return None if tree is None else _Compiler(columns).node(tree, 1)


class _Compiler:
    def __init__(self, columns: Mapping[str, Column]) -> None:
        self.columns = columns
        self.nodes = 0
        self.operators = {
            "and": self._all,
            "or": self._any,
            "not": self._not,
            "in": self._in,
            "range": self._range,
            "contains": self._contains,
            "missing": self._missing,
        }

    def node(self, tree: Any, depth: int) -> pl.Expr:
        self.nodes += 1
        if depth > MAX_DEPTH or self.nodes > MAX_NODES:
            raise ConfigError("the filter is too large", do=f"nest at most {MAX_DEPTH} deep, {MAX_NODES} parts in all")
        if not isinstance(tree, dict) or len(tree) != 1:
            raise ConfigError("each part of a filter is an object with one key, its operator", do=_EXAMPLE)
        ((operator, argument),) = tree.items()
        if operator not in self.operators:
            raise UnknownNameError("filter operator", operator, self.operators)
        return self.operators[operator](argument, depth)

    def _all(self, parts: Any, depth: int) -> pl.Expr:
        found = self._parts("and", parts, depth)
        return pl.all_horizontal(found) if found else pl.lit(True)

    def _any(self, parts: Any, depth: int) -> pl.Expr:
        found = self._parts("or", parts, depth)
        return pl.any_horizontal(found) if found else pl.lit(False)

    def _parts(self, operator: str, parts: Any, depth: int) -> list[pl.Expr]:
        if not isinstance(parts, list):
            raise ConfigError(f"{operator!r} needs a list of filters", do=_EXAMPLE)
        return [self.node(part, depth + 1) for part in parts]

    def _not(self, part: Any, depth: int) -> pl.Expr:
        return self.node(part, depth + 1).not_()

    def _in(self, argument: Any, depth: int) -> pl.Expr:
        column, values = self._arguments("in", argument, '["column", [values]]', 2)
        if not isinstance(values, list) or len(values) > MAX_VALUES:
            raise ConfigError(f"'in' needs a list of at most {MAX_VALUES:,} values", do=_EXAMPLE)
        kept = [_value(column, value) for value in values if value is not None]
        found = pl.col(column.name).is_in(kept).fill_null(False) if kept else pl.lit(False)
        return found | pl.col(column.name).is_null() if None in values else found

    def _range(self, argument: Any, depth: int) -> pl.Expr:
        column, low, high = self._arguments("range", argument, '["column", from, to]', 3)
        if column.kind == "category":
            raise ConfigError(f"{column.name} has no order", do=f'use {{"in": ["{column.name}", [values]]}}')
        found = pl.col(column.name).is_not_null()
        if low is not None:
            found = found & (pl.col(column.name) >= pl.lit(_value(column, low))).fill_null(False)
        if high is not None:
            found = found & (pl.col(column.name) <= pl.lit(_value(column, high))).fill_null(False)
        return found

    def _contains(self, argument: Any, depth: int) -> pl.Expr:
        column, text = self._arguments("contains", argument, '["column", "text"]', 2)
        if column.kind != "category" or not isinstance(text, str):
            raise ConfigError("'contains' looks for text in a column of words", do='{"contains": ["object_id", "07"]}')
        words = pl.col(column.name).cast(pl.String).str.to_lowercase()
        return words.str.contains(text.lower(), literal=True).fill_null(False)

    def _missing(self, name: Any, depth: int) -> pl.Expr:
        return pl.col(self._column(name).name).is_null()

    def _arguments(self, operator: str, argument: Any, form: str, number: int) -> Any:
        if not isinstance(argument, list) or len(argument) != number:
            raise ConfigError(f"{operator!r} needs {form}", do=_EXAMPLE)
        return [self._column(argument[0]), *argument[1:]]

    def _column(self, name: Any) -> Column:
        if not isinstance(name, str):
            raise ConfigError("the name of a column is text", do=_EXAMPLE)
        if name not in self.columns:
            raise UnknownNameError("column", name, self.columns)
        return self.columns[name]


def _value(column: Column, value: Any) -> str | float | datetime:
    """One value in the type of its column."""
    if column.kind == "category" and isinstance(value, str):
        return value
    if column.kind == "time":
        return _time(column, value)
    if column.kind == "number" and isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    expected = "text" if column.kind == "category" else "a number"
    raise ConfigError(f"{value!r} does not fit the column {column.name}", do=f"give {expected}")


def _time(column: Column, value: Any) -> datetime:
    try:
        if isinstance(value, str):
            time = datetime.fromisoformat(value)
            return time if time.tzinfo else time.replace(tzinfo=UTC)
        return datetime.fromtimestamp(float(value) / 1000, UTC)
    except (TypeError, ValueError, OverflowError, OSError) as error:
        what = f"{value!r} is not a time, as the column {column.name} has it"
        raise ConfigError(what, do="give 2024-05-17T09:30:00Z, or milliseconds since 1970") from error
