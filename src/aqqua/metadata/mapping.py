"""What the columns of an instrument mean: one YAML file per instrument in `aqqua/sources/mappings`, no code.

A file says, per field, which columns hold it (the first that has a value wins), in which unit, who says so, and what is
plausible. Its example rows are its test. A new file is a new instrument.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import yaml

from aqqua.errors import ConfigError, UnknownNameError
from aqqua.metadata.fields import FIELDS
from aqqua.metadata.units import QUANTITY_OF_UNIT, unit_of

__all__ = [
    "GENERIC",
    "Constant",
    "Example",
    "InstrumentMapping",
    "Rule",
    "Term",
    "instrument_of",
    "load_mapping",
    "mapping_names",
    "reference",
]

GENERIC = "unknown"
"""The mapping with the columns that EcoTaxa defines for every instrument; all others fall back to it."""

_STATUSES = ("verified", "published", "assumed")
_FIELD_KEYS = {*(name for name, entry in FIELDS.items() if entry.by == "harmonise"), "depth", "date", "time_of_day"}


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
        field: a field of Converted Metadata, or "depth" (both ends), "date", "time_of_day".
        status: "verified" on real tables, "published", or "assumed".
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
    """One row of a real or typical table and what it must become; the test of a mapping."""

    row: Mapping[str, str]
    expect: Mapping[str, Any]
    evidence: str = ""


@dataclass(frozen=True)
class InstrumentMapping:
    """One instrument's columns, units and plausible values.

    Args:
        name: canonical name.
        aliases: other names, as they stand in tables.
        modality: how light makes the image, None if it differs.
        rules: per field, in order of preference.
        plausible: per field the smallest and largest value that this instrument can have.
        constants: last resort per field.
        ask: per field what to ask the owner for where it is missing.
        examples: rows and what they must become.
        doc: a sentence.
    """

    name: str
    aliases: tuple[str, ...] = ()
    modality: str | None = None
    rules: Mapping[str, tuple[Rule, ...]] = field(default_factory=dict)
    plausible: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    constants: Mapping[str, Constant] = field(default_factory=dict)
    ask: Mapping[str, str] = field(default_factory=dict)
    examples: tuple[Example, ...] = ()
    doc: str = ""

    @classmethod
    def parse(cls, text: str, *, where: str = "mapping") -> InstrumentMapping:
        """Read a mapping from YAML.

        Raises:
            ConfigError: an entry has the wrong form.
            UnknownNameError: an unknown key, field or unit.
        """
        try:
            loaded = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise ConfigError(f"the mapping is not valid YAML: {error}", where=where) from error
        if not isinstance(loaded, dict) or not isinstance(loaded.get("name"), str):
            raise ConfigError("a mapping needs a name", where=where, do="start it with  name: …")
        known = {"name", "aliases", "modality", "fields", "plausible", "constants", "ask", "examples", "doc"}
        _only(loaded, known, "entry of a mapping", where)
        return cls(
            name=loaded["name"],
            aliases=tuple(str(alias) for alias in loaded.get("aliases", ())),
            modality=loaded.get("modality"),
            rules={name: _rules(name, entries, where) for name, entries in loaded.get("fields", {}).items()},
            plausible={name: _pair(name, limits, where) for name, limits in loaded.get("plausible", {}).items()},
            constants={name: Constant(**_only(entry, {"value", "status", "evidence"}, "entry of a constant", where))
                       for name, entry in loaded.get("constants", {}).items()},
            ask=dict(loaded.get("ask", {})),
            examples=tuple(Example(**entry) for entry in loaded.get("examples", ())),
            doc=str(loaded.get("doc", "")).strip(),
        )  # fmt: skip


def _only(entry: dict[str, Any], known: set[str], kind: str, where: str) -> dict[str, Any]:
    for key in entry:
        if key not in known:
            raise UnknownNameError(kind, str(key), known, where=where)
    return entry


def _pair(name: str, limits: Any, where: str) -> tuple[float, float]:
    if not isinstance(limits, list) or len(limits) != 2 or not limits[0] < limits[1]:
        raise ConfigError(f"plausible.{name} is not [smallest, largest]", where=where)
    return float(limits[0]), float(limits[1])


def _rules(name: str, entries: Any, where: str) -> tuple[Rule, ...]:
    if name not in _FIELD_KEYS:
        raise UnknownNameError("field", name, _FIELD_KEYS, where=where)
    if not isinstance(entries, list):
        raise ConfigError(f"fields.{name} is a list of columns", where=where, do="start every entry with '- '")
    return tuple(_rule(name, entry, where) for entry in entries)


def _rule(name: str, entry: dict[str, Any], where: str) -> Rule:
    rule_keys = {"product", "factor", "status", "evidence"}
    own = {key: value for key, value in entry.items() if key not in rule_keys}
    terms = entry.get("product") or [own]
    status = entry.get("status", "assumed")
    if status not in _STATUSES:
        raise UnknownNameError("status", str(status), _STATUSES, where=where)
    if entry.get("product") and own:
        raise ConfigError(f"fields.{name}: a product has its columns in its list", where=where)
    return Rule(
        field=name,
        terms=tuple(_term(name, term, where) for term in terms),
        status=status,
        evidence=str(entry.get("evidence", "")).strip(),
        factor=float(entry.get("factor", 1.0)),
    )


def _term(name: str, term: dict[str, Any], where: str) -> Term:
    _only(term, {"column", "unit", "power", "minus", "missing", "optional"}, "entry of a column", where)
    if not term.get("column"):
        raise ConfigError(f"fields.{name} has an entry without a column", where=where, do="write  - column: …")
    units = term.get("unit", ())
    units = tuple(str(unit) for unit in (units if isinstance(units, (list, tuple)) else [units]))
    for unit in units:
        if unit != "guess" and not any(unit_of(unit, quantity) for quantity in QUANTITY_OF_UNIT.values()):
            raise ConfigError(f"fields.{name}: {unit!r} is no unit", where=where, do="see units.py for what is known")
    missing = term.get("missing", ())
    return Term(
        column=str(term["column"]),
        units=units,
        power=int(term.get("power", 1)),
        minus=term.get("minus"),
        missing=tuple(float(number) for number in missing),
        optional=bool(term.get("optional", False)),
    )


@cache
def _all() -> Mapping[str, InstrumentMapping]:
    """File stem → mapping, for every file in the folder."""
    folder = files("aqqua.sources") / "mappings"
    found = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".yaml")), key=lambda entry: entry.name)
    return MappingProxyType(
        {
            entry.name.removesuffix(".yaml"): InstrumentMapping.parse(
                entry.read_text(encoding="utf-8"), where=entry.name
            )
            for entry in found
        }
    )


def mapping_names() -> tuple[str, ...]:
    """The canonical names of all instruments that have a mapping."""
    return tuple(mapping.name for mapping in _all().values())


def load_mapping(name: str) -> InstrumentMapping:
    """The mapping of an instrument.

    Args:
        name: its canonical name, an alias, or the name of the file.

    Raises:
        UnknownNameError: there is none; the message names the nearest.
    """
    for stem, mapping in _all().items():
        if name in {stem, mapping.name}:
            return mapping
    canonical = instrument_of(name)
    if canonical is None:
        raise UnknownNameError("instrument", name, mapping_names())
    return load_mapping(canonical)


@cache
def instrument_of(text: str | None) -> str | None:
    """The canonical name of the instrument that a text names ("uvp5hd", "IFCB107", "Hydroptic ZooScan v4"), or None.

    The longest alias that occurs in the text wins; aliases shorter than four letters must begin a word.
    """
    if text is None:
        return None
    words = re.sub(r"[^a-z0-9]+", " ", text.lower()).strip()
    compact = words.replace(" ", "")
    best, length = None, 0
    for mapping in _all().values():
        for alias in (mapping.name, *mapping.aliases):
            plain = re.sub(r"[^a-z0-9]+", "", alias.lower())
            hit = plain in compact if len(plain) > 3 else any(word.startswith(plain) for word in words.split())
            if hit and len(plain) > length and mapping.name != GENERIC:
                best, length = mapping.name, len(plain)
    return best


def reference() -> str:
    """What is known of each instrument, in Markdown, for the documentation."""
    return "\n".join(_section(mapping) for mapping in _all().values())


def _section(mapping: InstrumentMapping) -> str:
    title = "Any other instrument" if mapping.name == GENERIC else mapping.name
    lines = [f"## {title}", "", mapping.doc, ""]
    if mapping.aliases:
        lines += [f"Also called: {', '.join(mapping.aliases)}.", ""]
    lines += [
        f"Usual {FIELDS[name].title}: {low:g} to {high:g} {FIELDS[name].unit}."
        for name, (low, high) in mapping.plausible.items()
    ]
    lines += ["", "| field | column | unit | status | evidence |", "|---|---|---|---|---|"] if mapping.rules else []
    for name, rules in mapping.rules.items():
        for rule in rules:
            columns, units = _terms(rule)
            cells = [f"`{name}`", columns, units, rule.status, rule.evidence]
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join([*lines, ""])


def _terms(rule: Rule) -> tuple[str, str]:
    """The columns of a rule as a product, and their units."""
    told = ""
    for term in rule.terms:
        column = f"(`{term.column}` − `{term.minus}`)" if term.minus else f"`{term.column}`"
        sign = " ÷ " if term.power < 0 else " × "
        told += f"{sign if told else ''}{column}"
    factor = "" if rule.factor == 1 else f" × {rule.factor:g}"
    return told + factor, ", ".join(" or ".join(term.units) for term in rule.terms if term.units)
