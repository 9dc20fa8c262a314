"""All ways to a field's values in one table, in the order in which they count.

Card's overrides; columns as people name them (an owner's table, a reader of ours); the instrument's mapping; EcoTaxa's
generic columns; for depths, a pressure; the image's name; card's defaults; what such a name or instrument mostly has.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from typing import Any

import polars as pl

from aqqua.errors import ConfigError, UnknownNameError
from aqqua.metadata.card import Card
from aqqua.metadata.check import Finding
from aqqua.metadata.columns import ROLES, Columns, Meaning, meaning, needs_unit, plain_name, quantity_of
from aqqua.metadata.fields import FIELDS, Field
from aqqua.metadata.inname import Names
from aqqua.metadata.mapping import GENERIC, InstrumentMapping, Rule, Term, load_mapping
from aqqua.metadata.pressure import PRESSURE, as_depths
from aqqua.metadata.products import GUESS, Column, read_constant, read_product
from aqqua.metadata.reading import Reading, first_of, read_moments, read_text
from aqqua.metadata.units import QUANTITY_OF_UNIT, Quantity, Unit, unit_of

__all__ = ["Table", "constants"]

_DEPTHS = ("depth_min_m", "depth_max_m")
_WRONG = ["unreadable", "impossible", "no unit", "no date"]


@dataclass(frozen=True)
class Table:
    """Rows of one instrument, and what is said about them.

    Args:
        raw: all text.
        mapping: the instrument's.
        card: of the source.
    """

    raw: pl.DataFrame
    mapping: InstrumentMapping
    card: Card

    @cached_property
    def columns(self) -> Columns:
        """The columns, to be found by name."""
        return Columns(self.raw.columns)

    @cached_property
    def mappings(self) -> tuple[InstrumentMapping, ...]:
        """The instrument's mapping, then the generic one."""
        generic = load_mapping(GENERIC)
        return (self.mapping,) if self.mapping.name == GENERIC else (self.mapping, generic)

    def read(self, name: str, columns: Iterable[Reading] | None = None) -> Reading:
        """The values of a field, row by row.

        A constant of the card stands for what is missing, never for what cannot be read.

        Args:
            name: of the field.
            columns: what `by_columns` gave, if it has been asked before.
        """
        entry = FIELDS[name]
        dtype = pl.Float64() if entry.numeric or entry.dtype == "i32" else entry.polars
        size = self.raw.height
        overrides = list(self._constants(self.card.overrides, "overrides", entry))
        if overrides:
            return first_of(overrides, size, dtype)
        ways = chain(self.by_columns(name) if columns is None else columns, self._beyond(entry))
        told = first_of(ways, size, dtype)
        wrong = told.problem.struct.field("kind").is_in(_WRONG).fill_null(False) & told.value.is_null()
        constant = [*self._constants(self.card.defaults, "defaults", entry), *self._last_resort(entry)]
        constant = [replace(reading, value=reading.value.set(wrong, None)) for reading in constant]
        whole = first_of([told, *constant], size, dtype)
        return replace(whole, findings=[*whole.findings, *self._unitless(entry, told)])

    def by_columns(self, name: str) -> Iterator[Reading]:
        """What each column of the table says about a field, the one that counts first."""
        yield from self._named(FIELDS[name])
        yield from self._ruled(FIELDS[name])

    def strange_units(self) -> Iterator[Finding]:
        """What the card says about columns that are not there."""
        for column in self.columns.missing(self.card.units):
            told = f"the card gives a unit for the column {column}, but there is no such column"
            yield Finding(
                "warning", "unit_without_column", told, do="correct the column's name under  units:  in card.yaml"
            )

    def _beyond(self, entry: Field) -> Iterator[Reading]:
        """What is no column of this field: a pressure, the image's name."""
        if entry.name in _DEPTHS and any(True for _ in self._pressures()):
            yield from self._pressed()
        yield from self._names.read(entry, self.mapping.plausible.get(entry.name))
        if entry.name in _DEPTHS and self._names.tell("pressure"):
            for reading in self._names.read(PRESSURE, None):
                yield as_depths(reading, self._latitude)

    @cached_property
    def _names(self) -> Names:
        return Names.of(self.raw, self.mapping)

    @cached_property
    def _latitude(self) -> pl.Series:
        return self.read("latitude").value

    def _pressed(self) -> Iterator[Reading]:
        """Depths from pressures, where the table gives neither end of the depth."""
        ends = [first_of(self.by_columns(name), self.raw.height, pl.Float64()).value for name in _DEPTHS]
        given = ends[0].is_not_null() | ends[1].is_not_null()
        for reading in self._pressures():
            yield as_depths(replace(reading, value=reading.value.set(given, None)), self._latitude)

    def _pressures(self) -> Iterator[Reading]:
        for name, said in self.columns.called("pressure"):
            unit = self._declared(name, "pressure") or said.unit
            if unit is not None:
                yield read_product([self._column(name, (unit,))], PRESSURE, None)
        for mapping in self.mappings:
            for rule in mapping.rules.get("pressure", ()):
                reading = self._by_rule(rule, mapping, PRESSURE)
                if reading is not None:
                    yield reading

    def _declared(self, name: str, quantity: Quantity | None) -> Unit | None:
        """The unit that the owner's card gives for a column, if it is one of that quantity."""
        given = {plain_name(column): unit for column, unit in self.card.units.items()}.get(plain_name(name))
        return unit_of(str(given), quantity) if given is not None and quantity else None

    def _column(self, name: str, units: tuple[Unit | str, ...], term: Term | None = None) -> Column:
        """A column with its units; the owner's word about them wins."""
        first = next((unit.quantity for unit in units if isinstance(unit, Unit)), None)
        said = self._declared(name, first or ("pixel" if GUESS in units else None))
        less = self.columns.find(term.minus) if term and term.minus else None
        return Column(
            name=name,
            text=self.raw[name],
            units=(said,) if said else units,
            power=term.power if term else 1,
            minus=(less, self.raw[less]) if less else None,
            missing=term.missing if term else (),
            optional=bool(term and term.optional),
            declared=said is not None,
        )

    def _constants(self, given: Mapping[str, Any], kind: str, entry: Field) -> Iterator[Reading]:
        for key, said, text in constants(given, kind):
            if entry.name == said.role or (said.role == "depth" and entry.name in _DEPTHS):
                reading = read_constant(f"card {kind}.{key}", text, said.unit or _bare(entry), entry, self.raw.height)
            elif entry.name == "time_utc" and said.role in {"date", "time_of_day"}:
                reading = read_constant(f"card {kind}.{key}", text, None, entry, self.raw.height)
            else:
                continue
            if reading.value.null_count() == len(reading.value) and len(reading.value):
                do = entry.form or "see the field reference"
                raise ConfigError(f"{kind}.{key}: {text!r} is no possible {entry.title}", where="card", do=do)
            yield reading

    def _named(self, entry: Field) -> Iterator[Reading]:
        """Columns as people name them."""
        if entry.name == "time_utc":
            yield from self._named_times(entry)
            return
        roles = [entry.name, "depth"] if entry.name in _DEPTHS else [entry.name]
        for role in roles:
            for name, said in self.columns.called(role):
                if not entry.numeric:
                    yield read_text(name, self.raw[name])
                    continue
                unit = self._declared(name, quantity_of(role)) or said.unit or _bare(entry)
                if unit or not needs_unit(name):
                    column = self._column(name, (unit,) if unit else ())
                    yield read_product([column], entry, self.mapping.plausible.get(entry.name))

    def _named_times(self, entry: Field) -> Iterator[Reading]:
        for name, _ in self.columns.called("time_utc"):
            yield read_moments((name, self.raw[name]), None, entry)
        times = [(name, self.raw[name]) for name, _ in self.columns.called("time_of_day")]
        for name, _ in self.columns.called("date"):
            yield read_moments((name, self.raw[name]), next(iter(times), None), entry)
        for column in times:  # a column called "time" may hold the date too
            yield read_moments(None, column, entry)

    def _ruled(self, entry: Field) -> Iterator[Reading]:
        """Columns that mappings name; what the instrument's says of a column, the generic one does not say again."""
        roles = [entry.name, "depth"] if entry.name in _DEPTHS else [entry.name]
        seen = set()
        for mapping in self.mappings:
            if entry.name == "time_utc":
                yield from self._ruled_times(mapping, entry)
            for rule in (rule for role in roles for rule in mapping.rules.get(role, ())):
                columns = tuple(self.columns.find(term.column) for term in rule.terms)
                reading = None if columns in seen else self._by_rule(rule, mapping, entry)
                seen.add(columns)
                if reading is not None:
                    yield reading

    def _ruled_times(self, mapping: InstrumentMapping, entry: Field) -> Iterator[Reading]:
        def texts(role: str) -> list[tuple[str, pl.Series]]:
            names = [self.columns.find(rule.terms[0].column) for rule in mapping.rules.get(role, ())]
            return [(name, self.raw[name]) for name in names if name]

        for column in texts("time_utc"):
            yield read_moments(column, None, entry)
        for on in texts("date"):
            yield read_moments(on, next(iter(texts("time_of_day")), None), entry)

    def _by_rule(self, rule: Rule, mapping: InstrumentMapping, entry: Field) -> Reading | None:
        columns = []
        for term in rule.terms:
            name = self.columns.find(term.column)
            less = self.columns.find(term.minus) if term.minus else None
            if (name is None or (term.minus and less is None)) and not term.optional:
                return None
            if name is not None:
                quantity = QUANTITY_OF_UNIT.get(entry.unit or "")
                columns.append(self._column(name, tuple(_unit(unit, quantity) for unit in term.units), term))
        if entry.dtype == "str":
            return read_text(columns[0].name, columns[0].text)
        reading = read_product(columns, entry, mapping.plausible.get(entry.name), rule.factor)
        told = "any instrument" if mapping.name == GENERIC else mapping.name
        return replace(reading, how=f"{reading.how} ({told}, {rule.status})")

    def _last_resort(self, entry: Field) -> Iterator[Reading]:
        yield from self._names.implied(entry)
        constant = self.mapping.constants.get(entry.name)
        if constant is not None:
            name = f"nominal value of {self.mapping.name}"
            reading = read_constant(name, repr(constant.value), None, entry, self.raw.height)
            told = (
                f"the {entry.title} is nowhere given; {constant.value:.4g} {entry.unit} was taken: {constant.evidence}"
            )
            do = f"write  defaults: {{{entry.name}: …}}  in card.yaml if you know better"
            finding = Finding("info", "nominal_value", told, count=self.raw.height, do=do)
            yield replace(reading, how=f"{name} ({constant.status})", findings=[finding])

    def _unitless(self, entry: Field, reading: Reading) -> Iterator[Finding]:
        """Columns that would fill what is missing, if their names had a unit."""
        roles = [entry.name, "pressure"] if entry.name == "depth_min_m" else [entry.name]
        if not entry.numeric or not reading.value.null_count():
            return
        for name, said in (pair for role in roles for pair in self.columns.called(role)):
            if said.unit is None and needs_unit(name) and not self._declared(name, quantity_of(said.role)):
                told = f"{name} may be the {'pressure' if said.role == 'pressure' else entry.title}, but has no unit"
                do = f"say under  units:  in card.yaml what its numbers are, or rename it, for example to {entry.name}"
                yield Finding("warning", "unit_missing", f"{told} and was not used", count=self.raw.height, do=do)


def _unit(text: str, quantity: Quantity | None) -> Unit | str:
    """The unit of a mapping's column: of the field's quantity if it can be, else of any."""
    if text == GUESS:
        return GUESS
    quantities = [*([quantity] if quantity else []), *QUANTITY_OF_UNIT.values()]
    found = next((unit for one in quantities if (unit := unit_of(text, one))), None)
    assert found is not None, text  # the mapping was checked when it was read
    return found


def _bare(entry: Field) -> Unit | str | None:
    """What the numbers of a column without unit mean."""
    if entry.bare == GUESS:
        return GUESS
    return unit_of(entry.bare, QUANTITY_OF_UNIT[entry.unit or "1"]) if entry.bare else None


def constants(given: Mapping[str, Any], kind: str) -> list[tuple[str, Meaning, str]]:
    """The constants of a card: entry, meaning and text.

    Args:
        given: defaults or overrides of a card.
        kind: which, for messages.

    Raises:
        UnknownNameError: an entry is no field; the message names the nearest.
        ConfigError: a number needs a unit in its name.
    """
    found = []
    for key, value in given.items():
        said = meaning(key)
        known = [*(name for name, field in FIELDS.items() if field.by == "harmonise"), *ROLES]
        if said is None or said.role not in {*FIELDS, "depth", "date", "time_of_day", "label"}:
            raise UnknownNameError("field", key, known, where=f"card, {kind}")
        if said.unit is None and needs_unit(key):
            raise ConfigError(f"{kind}.{key} has no unit", where="card", do=f"write it as {said.role}")
        found.append((key, said, str(value)))
    return found
