"""Values of fields that stand in the names of the images, by the patterns of the instrument's mapping."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import polars as pl

from aqqua.metadata.check import Finding
from aqqua.metadata.columns import quantity_of
from aqqua.metadata.fields import FIELDS, Field
from aqqua.metadata.mapping import GENERIC, InstrumentMapping, load_mapping, mapping_names
from aqqua.metadata.names import NamePattern, said_by_names, times_in_names
from aqqua.metadata.products import Column, read_constant, read_product
from aqqua.metadata.reading import Reading, kinds, problems, read_text
from aqqua.metadata.units import QUANTITY_OF_UNIT, Unit, unit_of

__all__ = ["IMAGE_NAME", "Names", "instrument_in_names"]

IMAGE_NAME = "the image's name"
"""What stands in the place of a column where a value is read from the name of an image."""
_LOOKED_AT = 1000


@dataclass(frozen=True)
class Names:
    """The names of one table's images, and what their instrument's patterns find in them.

    Args:
        instrument: canonical name.
        size: number of rows.
        found: pattern, and what it finds, row by row; only those that find something.
    """

    instrument: str
    size: int
    found: tuple[tuple[NamePattern, pl.DataFrame], ...]

    @classmethod
    def of(cls, raw: pl.DataFrame, mapping: InstrumentMapping) -> Names:
        """Search the paths of the images, their sources and the objects' names."""
        texts = [raw[name] for name in ("image_path", "source_path", "object_id")]
        found = [(pattern, said_by_names(pattern, texts)) for pattern in mapping.filenames] if raw.height else []
        hits = tuple((one, frame) for one, frame in found if frame["_matched"].null_count() < raw.height)
        return cls(mapping.name, raw.height, hits)

    def tell(self, group: str) -> bool:
        """Whether a group is in the names."""
        return any(group in pattern.groups for pattern, _ in self.found)

    def read(self, entry: Field, plausible: tuple[float, float] | None) -> Iterator[Reading]:
        """What the names say about a field.

        Args:
            entry: the field.
            plausible: what the instrument can have.
        """
        for pattern, frame in self.found:
            reading = self._reading(pattern, frame, entry, plausible)
            if reading is not None:
                yield self._told(reading, pattern, frame, entry)

    def implied(self, entry: Field) -> Iterator[Reading]:
        """What such names imply, as a last resort: the nominal pixel size of one of several cameras."""
        for pattern, frame in self.found:
            if entry.name not in pattern.says:
                continue
            value = pattern.says[entry.name]
            name = f"nominal value of {self.instrument} by the image's name"
            reading = read_constant(name, str(value), None, entry, self.size)
            nowhere = frame["_matched"].is_null()
            told = (
                f"the {entry.title} is nowhere given; {value} {entry.unit or ''} was taken by the names of the images"
            )
            do = f"write  defaults: {{{entry.name}: …}}  in card.yaml if you know better"
            finding = Finding(
                "info", "nominal_value", f"{told} ({pattern.evidence})", count=int((~nowhere).sum()), do=do
            )
            reading = replace(reading, value=reading.value.set(nowhere, None), findings=[finding])
            yield replace(reading, how=f"{name} ({pattern.status})")

    def _reading(
        self, pattern: NamePattern, frame: pl.DataFrame, entry: Field, plausible: tuple[float, float] | None
    ) -> Reading | None:
        if entry.name == "time_utc":
            return _times(frame, entry) if pattern.tells_time else None
        groups = [entry.name, "depth"] if entry.name.startswith("depth_") else [entry.name]
        group = next((name for name in groups if name in pattern.groups), None)
        if group is None:
            return None
        if entry.dtype == "str":
            return read_text(IMAGE_NAME, frame[group])
        said = pattern.units.get(group)
        unit = said.unit if said else _house(group)
        return read_product([Column(IMAGE_NAME, frame[group], (unit,) if unit else ())], entry, plausible)

    def _told(self, reading: Reading, pattern: NamePattern, frame: pl.DataFrame, entry: Field) -> Reading:
        """With its way, and a finding that the value comes from a name."""
        count = self.size - reading.value.null_count()
        findings = list(reading.findings)
        if count:
            name = frame["_matched"].filter(reading.value.is_not_null())[0]
            zone = ", as UTC" if entry.name == "time_utc" else ""
            told = f"the {entry.title} was read from the names of the images{zone}: {name[-80:]}"
            do = "give it in a table or in card.yaml if the names do not say the truth"
            findings.append(Finding("info", "read_from_name", told, count=count, do=do))
        return replace(reading, how=f"{reading.how} ({self.instrument}, {pattern.status})", findings=findings)


def _house(group: str) -> Unit | None:
    symbol = FIELDS[group].unit if group in FIELDS else {"depth": "m", "pressure": "dbar"}.get(group)
    quantity = quantity_of(group)
    return unit_of(symbol, quantity) if quantity else unit_of("1", QUANTITY_OF_UNIT["1"])


def _times(frame: pl.DataFrame, entry: Field) -> Reading:
    """Times of names; a clock that was not set counts as missing."""
    parsed = times_in_names(frame)
    low, high = entry.limits()
    impossible = ((parsed["value"] < low) | (parsed["value"] > high)).fill_null(False)
    matched = frame["_matched"].is_not_null()
    kind = kinds(unreadable=parsed["bad"] & matched, sentinel=parsed["unset"] & matched, impossible=impossible)
    findings = []
    if parsed["dateonly"].any():
        told = f"{IMAGE_NAME}: no time of day is given, midnight UTC is taken"
        do = "give the time where it is known"
        findings.append(Finding("info", "time_of_day_missing", told, count=int(parsed["dateonly"].sum()), do=do))
    value = parsed["value"].set(impossible, None)
    return Reading(
        IMAGE_NAME, f"{IMAGE_NAME} [UTC]", value, problems(kind, frame["_matched"].fill_null(""), IMAGE_NAME), findings
    )


def instrument_in_names(raw: pl.DataFrame) -> str | None:
    """The one instrument whose conventions the names follow, None where none or several do.

    Args:
        raw: a table; the first thousand rows are looked at, and at least half of them must follow the convention.
    """
    texts = [raw[name].head(_LOOKED_AT) for name in ("image_path", "source_path", "object_id")]
    found = set()
    for name in mapping_names():
        for pattern in load_mapping(name).filenames if name != GENERIC else ():
            if pattern.recognise:
                hits = len(texts[0]) - said_by_names(pattern, texts)["_matched"].null_count()
                if hits and 2 * hits >= len(texts[0]):
                    found.add(name)
    return found.pop() if len(found) == 1 else None
