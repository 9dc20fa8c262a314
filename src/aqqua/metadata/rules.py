"""The parts of an instrument's mapping, and how they are read from YAML: columns, rules, constants, examples."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aqqua.errors import ConfigError, UnknownNameError
from aqqua.metadata.fields import FIELDS
from aqqua.metadata.units import QUANTITY_OF_UNIT, unit_of

__all__ = [
    "MEASURED",
    "STATUSES",
    "Constant",
    "Example",
    "Rule",
    "Term",
    "only",
    "parse_constants",
    "parse_rules",
    "status_of",
]

STATUSES = ("verified", "published", "assumed")
"""How a rule is known: seen in real files, read in somebody's publication or code, or supposed."""

MEASURED = frozenset(name for name, entry in FIELDS.items() if entry.by == "harmonise" and entry.numeric)
"""Fields that hold measured numbers."""

_FIELD_KEYS = {*(name for name, entry in FIELDS.items() if entry.by == "harmonise")}
_FIELD_KEYS |= {"depth", "pressure", "date", "time_of_day"}


@dataclass(frozen=True)
class Term:
    """One column of a rule.

    Args:
        column: its name; the table's entity prefix (acq_, process_, sample_) may differ.
        units: what its numbers mean; further ones are tried where the first gives an implausible value.
        power: 1, or -1 for a divisor.
        minus: a column of the same unit to subtract.
        missing: numbers that mean "no value" in this column, besides those of the field.
        optional: whether the rule holds without it (it then counts 1).
    """

    column: str
    units: tuple[str, ...] = ()
    power: int = 1
    minus: str | None = None
    missing: tuple[float, ...] = ()
    optional: bool = False


@dataclass(frozen=True)
class Rule:
    """How a field follows from columns: the product of its terms, times a factor.

    Args:
        field: a field of Converted Metadata, or "depth" (both ends), "pressure", "date", "time_of_day".
        status: one of `STATUSES`.
        evidence: where that is known from.
    """

    field: str
    terms: tuple[Term, ...]
    status: str
    evidence: str
    factor: float = 1.0


@dataclass(frozen=True)
class Constant:
    """A value that holds where neither table nor card say anything."""

    value: float
    status: str
    evidence: str


@dataclass(frozen=True)
class Example:
    """One row of a real or typical table and what it must become; the test of a mapping.

    Args:
        row: columns as a reader gives them; `image_path` is the name of the image.
        expect: fields of Converted Metadata.
        evidence: where the row is from.
        card: what the owner's card adds, where files of this instrument never say all that is required.
    """

    row: Mapping[str, str]
    expect: Mapping[str, Any]
    evidence: str = ""
    card: Mapping[str, Any] = field(default_factory=dict)


def only(entry: Any, known: Iterable[str], kind: str, where: str) -> dict[str, Any]:
    """The entry, if it is a mapping and has no other keys than the known ones.

    Raises:
        ConfigError: it is no mapping.
        UnknownNameError: it has another key; the message names the nearest.
    """
    if not isinstance(entry, dict):
        raise ConfigError(f"an {kind} is not 'name: value'", where=where, do="see a neighbouring mapping")
    for key in entry:
        if key not in known:
            raise UnknownNameError(kind, str(key), known, where=where)
    return entry


def status_of(entry: Mapping[str, Any], where: str) -> tuple[str, str]:
    """Status and evidence of an entry; without status it is assumed."""
    status = str(entry.get("status", "assumed"))
    if status not in STATUSES:
        raise UnknownNameError("status", status, STATUSES, where=where)
    return status, str(entry.get("evidence", "")).strip()


def parse_constants(entries: Any, where: str) -> dict[str, Constant]:
    """The constants of a mapping, field by field."""
    found = {}
    for name, entry in only(entries, MEASURED, "field with numbers", where).items():
        only(entry, {"value", "status", "evidence"}, "entry of a constant", where)
        status, evidence = status_of(entry, where)
        found[name] = Constant(_number(entry["value"], where), status, evidence)
    return found


def _number(value: Any, where: str) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ConfigError(f"{value!r} is no number", where=where, do="write a number")
    return number


def parse_rules(name: str, entries: Any, where: str) -> tuple[Rule, ...]:
    """The rules of one field, in order of preference.

    Raises:
        ConfigError: an entry has the wrong form.
        UnknownNameError: an unknown key, field, status or unit.
    """
    if name not in _FIELD_KEYS:
        raise UnknownNameError("field", name, _FIELD_KEYS, where=where)
    if not isinstance(entries, list):
        raise ConfigError(f"fields.{name} is a list of columns", where=where, do="start every entry with '- '")
    return tuple(_rule(name, entry, where) for entry in entries)


def _rule(name: str, entry: Any, where: str) -> Rule:
    rule_keys = {"product", "factor", "status", "evidence"}
    only(entry, rule_keys | _TERM_KEYS, "entry of a column", where)
    own = {key: value for key, value in entry.items() if key not in rule_keys}
    terms = entry.get("product") or [own]
    if entry.get("product") and own:
        raise ConfigError(f"fields.{name}: a product has its columns in its list", where=where)
    status, evidence = status_of(entry, where)
    return Rule(
        field=name,
        terms=tuple(_term(name, term, where) for term in terms),
        status=status,
        evidence=evidence,
        factor=_number(entry.get("factor", 1.0), where),
    )


_TERM_KEYS = {"column", "unit", "power", "minus", "missing", "optional"}


def _term(name: str, term: Any, where: str) -> Term:
    only(term, _TERM_KEYS, "entry of a column", where)
    if not term.get("column"):
        raise ConfigError(f"fields.{name} has an entry without a column", where=where, do="write  - column: …")
    units = term.get("unit", ())
    units = tuple(str(unit) for unit in (units if isinstance(units, (list, tuple)) else [units]))
    for unit in units:
        if unit != "guess" and not any(unit_of(unit, quantity) for quantity in QUANTITY_OF_UNIT.values()):
            raise ConfigError(f"fields.{name}: {unit!r} is no unit", where=where, do="see units.py for what is known")
    return Term(
        column=str(term["column"]),
        units=units,
        power=int(term.get("power", 1)),
        minus=term.get("minus"),
        missing=tuple(_number(number, where) for number in term.get("missing", ())),
        optional=bool(term.get("optional", False)),
    )
