"""From a table as it was delivered to Converted Metadata: typed, in one unit, and every value traceable.

What a row lacks is a reject with a reason; what looks odd is a finding; nothing is guessed in silence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl

from aqqua.metadata.card import Card
from aqqua.metadata.check import Finding
from aqqua.metadata.fields import FIELDS
from aqqua.metadata.inname import instrument_in_names
from aqqua.metadata.label_table import load_labels
from aqqua.metadata.labels import read_labels
from aqqua.metadata.mapping import GENERIC, InstrumentMapping, instrument_of, load_mapping
from aqqua.metadata.reading import Reading
from aqqua.metadata.rejects import REJECT_SCHEMA, rejects_of
from aqqua.metadata.resolve import Table
from aqqua.metadata.sanity import (
    COMPARED,
    conflicts,
    mend_depths,
    odd_values,
    place_altitudes,
    unknown_volumes,
    unused,
)
from aqqua.metadata.taxa import load_taxonomy

__all__ = ["Harmonised", "harmonise"]

_OWN = tuple(name for name, field in FIELDS.items() if field.by == "harmonise")
_READ = tuple(
    name for name in _OWN if name not in {"object_id", "sample_idx", "source_path", "source_row", "instrument"}
)


@dataclass(frozen=True)
class Harmonised:
    """What harmonisation made of one table.

    Args:
        converted: what Converted Metadata has from the source, and `_row`, the row of the raw table from 0; rows
            without a required field are missing here and stand in `rejects`.
        labels: `_row`, label, taxon, aphia_id, ecotaxa_id, status, by, time_utc, note; one row per
            labelled image that is in `converted`.
        rejects: source_path, source_row, object_id, field, reason, do, raw; one row per image and field.
        findings: what looks odd or was decided.
        provenance: per field the raw column, its unit and the factor.
    """

    converted: pl.DataFrame
    labels: pl.DataFrame
    rejects: pl.DataFrame
    findings: list[Finding]
    provenance: dict[str, str]


def harmonise(raw: pl.DataFrame, *, source: str, card: Card, mapping: InstrumentMapping | None = None) -> Harmonised:
    """Harmonise one table.

    Args:
        raw: all columns as text, with `source_path`, `source_row`, `image_path` and `object_id`.
        source: name of the kind of source, for example "ecotaxa_export".
        card: overrides win over the table; defaults fill what is missing.
        mapping: the instrument's mapping; None: by the instrument column, then the card's.

    Raises:
        ConfigError: a constant of the card cannot be what it should be.
        UnknownNameError: the card gives a constant for something that is no field.
    """
    raw = raw.with_columns(pl.col(name).cast(pl.String) for name in raw.columns if name != "source_row")
    instrument = _instruments(raw, source, card, mapping)
    groups = []
    for name in instrument.value.unique(maintain_order=True).to_list():
        rows = (instrument.value == name).arg_true()
        chosen = mapping or load_mapping(instrument_of(name) or GENERIC)
        groups.append(_group(raw[rows], rows, name, Table(raw[rows], chosen, card)))
    if not groups:
        groups = [_group(raw, pl.Series([], dtype=pl.UInt32), "", Table(raw, load_mapping(GENERIC), card))]
    return _together(raw, groups, instrument, source, card)


@dataclass(frozen=True)
class _Group:
    """The rows of one instrument."""

    frame: pl.DataFrame
    rejects: pl.DataFrame
    findings: list[Finding]
    provenance: dict[str, str]


def _instruments(raw: pl.DataFrame, source: str, card: Card, mapping: InstrumentMapping | None) -> Reading:
    """The canonical name of each row's instrument; its own text where there is no mapping for it."""
    table = Table(raw, mapping or load_mapping(GENERIC), card)
    read = table.read("instrument")
    if mapping is not None and mapping.name != GENERIC:
        return replace(
            read, value=pl.Series([mapping.name], dtype=pl.String).new_from_index(0, raw.height), how="mapping"
        )
    number = read.value.str.contains(r"^[0-9.,\s]*$").fill_null(False)  # a camera's number is no instrument
    read = replace(read, value=read.value.set(number, None))
    known = {text: instrument_of(text) or text for text in read.value.drop_nulls().unique().to_list()}
    named = read.value.replace_strict(known, default=None, return_dtype=pl.String) if known else read.value
    findings = list(read.findings)
    strange = sorted({text for text, name in known.items() if instrument_of(name) is None})
    if strange:
        told = f"there is no mapping for the instrument {', '.join(strange[:3])}: only generic columns were read"
        do = "add a mapping (one YAML file), or write the instrument's name as the mappings have it"
        findings.append(
            Finding("warning", "instrument_unknown", told, count=int(read.value.is_in(strange).sum()), do=do)
        )
    if named.null_count():
        usual, how = _usual_instrument(table, card, source)
        if how.startswith("guessed"):
            told = f"no instrument is named; {how}"
            do = "confirm with  overrides: {instrument: …}  in card.yaml"
            findings.append(Finding("warning", "instrument_guessed", told, count=named.null_count(), do=do))
        named, read = named.fill_null(usual), replace(read, how=read.how or how)
    return replace(read, value=named, findings=findings)


def _usual_instrument(table: Table, card: Card, source: str) -> tuple[str, str]:
    """The instrument of rows that name none: of the card, else guessed from ids, else of the kind of source."""
    if len(card.instruments) == 1:
        return instrument_of(card.instruments[0]) or card.instruments[0], "card instruments"
    for name in ("acq_id", "process_id"):
        column = table.columns.find(name)
        texts = table.raw[column].drop_nulls().unique().to_list() if column else []
        found = {instrument_of(text) for text in texts[:1000]} - {None}
        if len(found) == 1:
            return str(found.pop()), f"guessed from {column}"
    by_source = instrument_of(source)
    if by_source:
        return by_source, f"kind of source: {source}"
    by_names = instrument_in_names(table.raw)
    return (by_names, "guessed from the names of the images") if by_names else (GENERIC, "")


def _group(raw: pl.DataFrame, rows: pl.Series, name: str, table: Table) -> _Group:
    columns = {field: list(table.by_columns(field)) for field in COMPARED}
    readings = {field: table.read(field, columns.get(field)) for field in _READ}
    findings = [finding for reading in readings.values() for finding in reading.findings]
    for field, told in columns.items():
        findings += conflicts(FIELDS[field], told)
    frame = pl.DataFrame({field: reading.value for field, reading in readings.items()})
    frame, mended = mend_depths(frame)
    frame, placed = place_altitudes(frame, [column for column, _ in table.columns.called("above_ground")])
    findings += [*mended, *placed, *table.strange_units()]
    modality = pl.col("modality").fill_null(table.mapping.modality) if table.mapping.modality else pl.col("modality")
    frame = frame.with_columns(
        rows.cast(pl.UInt32).alias("_row"),
        pl.lit(name, pl.String).alias("instrument"),
        modality,
        *(raw[own].alias(own) for own in ("object_id", "source_path")),
        raw["source_row"].cast(pl.Int32).alias("source_row"),
        raw["image_path"].alias("_image_path"),
    )
    rejects = rejects_of(raw, frame, readings, table.mapping)
    kept = frame.filter(~pl.col("_row").is_in(rejects["_row"].unique().to_list()))
    findings += [*odd_values(kept, table.mapping), *unknown_volumes(kept, table.mapping), *unused(raw, readings)]
    provenance = {field: reading.how for field, reading in readings.items() if reading.how}
    return _Group(kept, rejects, findings, provenance)


def _together(raw: pl.DataFrame, groups: Sequence[_Group], instrument: Reading, source: str, card: Card) -> Harmonised:
    frame = pl.concat([group.frame for group in groups]).sort("_row")
    converted = _with_ranks(frame).with_columns(
        pl.col("sample_id").fill_null("").rank("dense").cast(pl.Int32).alias("_dense"),
        pl.coalesce("object_id", "_image_path").alias("object_id"),
    )
    converted = converted.with_columns(_first_appearance(converted["_dense"]).alias("sample_idx"))
    converted = converted.select("_row", *(pl.col(name).cast(FIELDS[name].polars) for name in _OWN))
    table = load_labels(card.labels) if card.labels else None
    labels, told = read_labels(raw, source=source, table=table, names=load_taxonomy(card.taxa))
    labels = labels.filter(pl.col("_row").is_in(converted["_row"].implode()))
    where = next((path for path in raw["source_path"].to_list() if path), "") if raw.height else ""
    findings = [*instrument.findings, *(finding for group in groups for finding in group.findings), *told]
    provenance: dict[str, str] = {"instrument": instrument.how} if instrument.how else {}
    for name in _READ:
        ways = dict.fromkeys(group.provenance[name] for group in groups if name in group.provenance)
        if ways:
            provenance[name] = "; ".join(ways)
    rejects = (
        pl.concat([group.rejects for group in groups]).sort("_row", maintain_order=True).select(list(REJECT_SCHEMA))
    )
    return Harmonised(converted, labels, rejects, _distinct(findings, where), provenance)


def _with_ranks(frame: pl.DataFrame) -> pl.DataFrame:
    """The rank each image was given; where ranks are missing or repeated, its number among the images of its object."""
    owner = ["object_id", "sample_id"]
    number = pl.int_range(pl.len()).over(owner)
    given = pl.col("image_rank").cast(pl.Int64)
    frame = frame.with_columns(number.alias("_number"), given.alias("_given"))
    usable = (pl.col("_given").is_not_null().all() & (pl.col("_given").n_unique() == pl.len())).over(owner)
    return frame.with_columns(pl.when(usable).then("_given").otherwise("_number").alias("image_rank"))


def _first_appearance(ids: pl.Series) -> pl.Series:
    order = {number: index for index, number in enumerate(ids.unique(maintain_order=True).to_list())}
    return ids.replace_strict(order, return_dtype=pl.Int32) if order else ids


def _distinct(findings: Sequence[Finding], where: str) -> list[Finding]:
    """Each finding once, with its place; the two depths often say the same."""
    seen: dict[tuple[str, str], Finding] = {}
    for finding in findings:
        placed = finding if finding.where else replace(finding, where=where)
        key = (finding.code, finding.message)
        if key not in seen or seen[key].count < finding.count:
            seen[key] = placed
    return list(seen.values())
