"""What the columns and file names of an instrument mean: one YAML file per instrument in `aqqua/sources/mappings`.

A file says, per field, which columns hold it (the first that has a value wins), in which unit, who says so, and what is
plausible. Its example rows are its test. A new file is a new instrument, no code.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import yaml

from aqqua.errors import AqquaError, ConfigError, UnknownNameError
from aqqua.metadata.aliases import Aliases, named_in
from aqqua.metadata.fields import FIELDS
from aqqua.metadata.names import NamePattern, parse_names
from aqqua.metadata.rules import MEASURED, Constant, Example, Rule, Term, only, parse_constants, parse_rules
from aqqua.metadata.safe_yaml import load_yaml

__all__ = [
    "GENERIC",
    "Constant",
    "Example",
    "InstrumentMapping",
    "NamePattern",
    "Rule",
    "Term",
    "instrument_of",
    "load_mapping",
    "mapping_names",
]

GENERIC = "unknown"
"""The mapping with the columns that EcoTaxa defines for every instrument; all others fall back to it."""

_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_KEYS = {"name", "aliases", "hints", "modality", "fields", "filenames", "plausible", "constants", "ask", "examples"}
_KEYS |= {"known", "doc", "source"}


@dataclass(frozen=True)
class InstrumentMapping:
    """One instrument's columns, units and plausible values.

    Args:
        name: canonical name.
        aliases: other names, as they stand in tables; "=name" only if it is the whole text.
        hints: words that point to it where no instrument is named, such as the maker of a scanner.
        modality: how light makes the image, None if it differs.
        rules: per field, in order of preference.
        filenames: conventions for the names of its images.
        plausible: per field the smallest and largest value that this instrument can have.
        source: where the plausible values come from.
        constants: last resort per field.
        ask: per field what to ask the owner for where it is missing.
        known: columns that are settings or measurements, kept in Raw Metadata; "*" stands for any text.
        examples: rows and what they must become.
        doc: a sentence.
    """

    name: str
    aliases: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    modality: str | None = None
    rules: Mapping[str, tuple[Rule, ...]] = field(default_factory=dict)
    filenames: tuple[NamePattern, ...] = ()
    plausible: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    source: str = ""
    constants: Mapping[str, Constant] = field(default_factory=dict)
    ask: Mapping[str, str] = field(default_factory=dict)
    known: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()
    doc: str = ""

    @cached_property
    def called(self) -> Aliases:
        """What the instrument is called, its own name first."""
        return Aliases((self.name, *self.aliases), self.hints)

    @classmethod
    def parse(cls, text: str, *, where: str = "mapping") -> InstrumentMapping:
        """Read a mapping from YAML.

        Raises:
            ConfigError: an entry has the wrong form.
            UnknownNameError: an unknown key, field or unit.
        """
        loaded = load_yaml(text, what="the mapping", where=where, loader=_SafeLoader)
        if not isinstance(loaded, dict) or not isinstance(loaded.get("name"), str):
            raise ConfigError("a mapping needs a name", where=where, do="start it with  name: …")
        only(loaded, _KEYS, "entry of a mapping", where)
        try:
            return _build(cls, loaded, where)
        except AqquaError:
            raise
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            raise ConfigError(f"an entry has the wrong form: {error}", where=where, do="compare a neighbour") from error


def _build(cls: type[InstrumentMapping], loaded: dict[str, Any], where: str) -> InstrumentMapping:
    return cls(
        name=loaded["name"],
        aliases=_called(loaded, "aliases"),
        hints=_called(loaded, "hints"),
        modality=_modality(loaded.get("modality"), where),
        rules={name: parse_rules(name, entries, where) for name, entries in loaded.get("fields", {}).items()},
        filenames=parse_names(loaded.get("filenames", []), where),
        plausible={name: _pair(name, limits, where) for name, limits in loaded.get("plausible", {}).items()},
        source=str(loaded.get("source", "")).strip(),
        constants=parse_constants(loaded.get("constants", {}), where),
        ask={str(name): str(text) for name, text in loaded.get("ask", {}).items()},
        known=_texts(loaded, "known"),
        examples=tuple(Example(**entry) for entry in loaded.get("examples", ())),
        doc=str(loaded.get("doc", "")).strip(),
    )


def _texts(loaded: dict[str, Any], key: str) -> tuple[str, ...]:
    texts = loaded.get(key, [])
    if not isinstance(texts, list):
        raise ConfigError(f"{key} is a list", do=f"write  {key}: [one, another]")
    return tuple(str(text) for text in texts)


def _modality(given: Any, where: str) -> str | None:
    known = FIELDS["modality"].values
    if given is not None and str(given) not in known:
        raise UnknownNameError("modality", str(given), known, where=where)
    return None if given is None else str(given)


def _called(loaded: dict[str, Any], key: str) -> tuple[str, ...]:
    texts = _texts(loaded, key)
    for text in texts:
        if not re.search("[a-z0-9]", text.lower()):
            raise ConfigError(f"{key}: {text!r} has neither letter nor digit", do="correct or delete it")
    return texts


def _pair(name: str, limits: Any, where: str) -> tuple[float, float]:
    if name not in MEASURED:
        raise UnknownNameError("field with numbers", name, MEASURED, where=where)
    if not isinstance(limits, list) or len(limits) != 2 or not limits[0] < limits[1]:
        raise ConfigError(f"plausible.{name} is not [smallest, largest]", where=where)
    return float(limits[0]), float(limits[1])


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


@lru_cache(maxsize=4096)
def instrument_of(text: str | None) -> str | None:
    """The canonical name of the instrument that a text names ("uvp5hd", "IFCB107", "Hydroptic ZooScan v4").

    None where it names none – and where it names two: see `aqqua.metadata.aliases`.
    """
    if text is None:
        return None
    return named_in(text, {mapping.name: mapping.called for mapping in _all().values() if mapping.name != GENERIC})
