"""What the columns of an instrument mean, one YAML file per instrument in `aqqua/sources/mappings`."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["InstrumentMapping", "instrument_of", "load_mapping", "mapping_names"]


@dataclass(frozen=True)
class InstrumentMapping:
    """One instrument's columns, units and plausible ranges."""

    name: str


def load_mapping(name: str) -> InstrumentMapping:
    """The mapping of an instrument, by file name, canonical name or alias."""
    raise NotImplementedError


def mapping_names() -> tuple[str, ...]:
    """The canonical names of all instruments that have a mapping."""
    raise NotImplementedError


def instrument_of(text: str | None) -> str | None:
    """The canonical name of the instrument that a text names, or None."""
    raise NotImplementedError
