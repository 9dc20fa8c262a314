"""Occurrences of a Darwin Core archive: one for each taxon of a sampling event, and what was measured of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import polars as pl
import xxhash

from aqqua.export.darwincore_events import UNIT, cell_id
from aqqua.export.darwincore_names import HUMAN, MACHINE
from aqqua.export.darwincore_terms import EMOF, IN_SITU, INSTRUMENTS, MEASURES

__all__ = ["absence_rows", "measurement_rows", "occurrence_rows"]

Media = Callable[[int], str | None]
_KEY = [UNIT, "scientificName", "lifeStage", "sex", "occurrenceRemarks", "verification", "reference"]
_MAX_MEDIA, _MAX_WORDS = 10, 20


def occurrence_rows(
    objects: pl.DataFrame, events: pl.DataFrame, media: Media | None = None, identified_by: str = ""
) -> pl.DataFrame:
    """One row for each taxon, stage, sex and way of identification of each sampling event.

    Args:
        objects: one row per individual, named (see `darwincore_names`), with `reference`.
        events: as `event_rows` gives them.
        media: address of the image of a uid, or None.
        identified_by: who validated: agreed authors only.

    Returns:
        Columns of the extension, besides `abundance`, `confidence` and `side_um`.
    """
    named = objects.filter(pl.col("fate") == "named")
    rows = named.group_by(_KEY, maintain_order=True).agg(
        scientificNameID=pl.col("scientificNameID").drop_nulls().first(),
        taxonRank=pl.col("taxonRank").drop_nulls().first(),
        individualCount=pl.len().cast(pl.Int64),
        uids=pl.col("uid").head(_MAX_MEDIA),
        words=pl.col("told").unique().sort().head(_MAX_WORDS),
        confidence=pl.col("score").cast(pl.Float64).mean(),
        side_um=(pl.max_horizontal("width", "height") * pl.col("pixel_um").cast(pl.Float64)).median(),
    )
    effort = events.select(pl.col("eventID").alias(UNIT), "volume_l", "factor")
    rows = rows.join(effort, on=UNIT, how="left", maintain_order="left")
    quantity = pl.col("individualCount") * pl.col("factor").fill_null(1.0)
    rows = rows.with_columns(
        organismQuantity=quantity,
        abundance=quantity / (pl.col("volume_l") / 1000),
        occurrenceStatus=pl.lit("present"),
        identifiedBy=pl.when(pl.col("verification") == HUMAN).then(pl.lit(identified_by)),
        associatedMedia=_addresses(rows["uids"], media),
        verbatimIdentification=pl.col("words").list.join(" | "),
        identificationReferences=pl.col("reference"),
        identificationRemarks=_remarks(),
    )
    return _completed(rows)


def absence_rows(objects: pl.DataFrame, present: pl.DataFrame) -> pl.DataFrame:
    """What was looked for and not found: only in events of which a person has named every individual.

    A taxon was looked for where somebody validated one of it in another event of the same instrument.
    """
    whole = objects.group_by(UNIT, maintain_order=True).agg(
        pl.col("instrument").first(), sorted=(pl.col("verification") == HUMAN).fill_null(value=False).all()
    )
    found = present.filter(pl.col("identificationVerificationStatus") == HUMAN)
    found = found.join(whole.select(UNIT, "instrument"), left_on="eventID", right_on=UNIT)
    taxa = found.select("instrument", "scientificName", "scientificNameID", "taxonRank").unique(maintain_order=True)
    taxa = taxa.unique(["instrument", "scientificName"], keep="first", maintain_order=True)
    missing = whole.filter("sorted").join(taxa, on="instrument", nulls_equal=True)
    there = present.select(pl.col("eventID").alias(UNIT), "scientificName")
    missing = missing.join(there, on=[UNIT, "scientificName"], how="anti")
    kinds = {"lifeStage": pl.String, "sex": pl.String, "occurrenceRemarks": pl.String, "reference": pl.String}
    rows = missing.with_columns(pl.lit(None, kind).alias(name) for name, kind in kinds.items()).with_columns(
        verification=pl.lit(HUMAN),
        occurrenceStatus=pl.lit("absent"),
        individualCount=pl.lit(0, pl.Int64),
        organismQuantity=pl.lit(0.0),
        abundance=pl.lit(None, pl.Float64),
        confidence=pl.lit(None, pl.Float64),
        side_um=pl.lit(None, pl.Float64),
    )
    return _completed(rows)


def measurement_rows(events: pl.DataFrame, occurrences: pl.DataFrame, unnamed: pl.DataFrame) -> pl.DataFrame:
    """Measurements of events (volume, subsample factor, instrument) and of occurrences (count, abundance, size …).

    Args:
        events: as `event_rows` gives them.
        occurrences: as `occurrence_rows` gives them.
        unnamed: unit and number (`len`) of the individuals that have no name in the archive.
    """
    units = events.filter(pl.col("eventType") != "cruise")
    litres = units.with_columns(volume_m3=pl.col("volume_l") / 1000)
    no_event = occurrences.rename({"individualCount": "n"})
    parts = [
        _measured(litres, "volume", "volume_m3"),
        _measured(units, "factor", "factor"),
        _measured(units, "pixel", "pixel_um"),
        _measured(units, "images", "individuals"),
        _measured(unnamed.rename({UNIT: "eventID"}), "unnamed", "len"),
        *_instruments(units),
        _measured(no_event, "count", "n"),
        _measured(occurrences, "abundance", "abundance"),
        _measured(occurrences, "size", "side_um"),
        _measured(occurrences, "confidence", "confidence"),
    ]
    rows = pl.concat(parts).sort("eventID", "occurrenceID", maintain_order=True, nulls_last=False)
    number = pl.int_range(pl.len()).over(pl.coalesce("occurrenceID", "eventID")) + 1
    owner = pl.coalesce("occurrenceID", "eventID")
    return rows.with_columns(measurementID=pl.format("{}:m{}", owner, number)).select(EMOF.keys())


def _addresses(uids: pl.Series, media: Media | None) -> pl.Series:
    if media is None:
        return pl.Series("associatedMedia", [None] * len(uids), pl.String)
    told = [" | ".join(filter(None, map(media, some))) for some in uids]
    return pl.Series("associatedMedia", told, pl.String)


def _remarks() -> pl.Expr:
    """How sure the numbers are."""
    factor = pl.when(pl.col("factor").is_null()).then(pl.lit("subsample factor not given, or not one: taken as 1"))
    volume = pl.when(pl.col("volume_l").is_null()).then(pl.lit("no one water volume: no abundance"))
    return pl.concat_str([factor, volume], separator="; ", ignore_nulls=True).replace("", None)


def _completed(rows: pl.DataFrame) -> pl.DataFrame:
    """With identifiers and what is the same for all."""
    columns = [UNIT, "verification", "occurrenceStatus", "reference", *_KEY[1:5]]
    ids = [_occurrence_id(*row) for row in rows.select(columns).iter_rows()]
    return rows.with_columns(
        pl.Series("occurrenceID", ids, pl.String),
        eventID=pl.col(UNIT),
        basisOfRecord=pl.lit("MachineObservation"),
        organismQuantityType=pl.lit("individuals"),
        identificationVerificationStatus=pl.col("verification"),
    )


def _occurrence_id(unit: str, how: str, status: str, reference: str | None, *names: str | None) -> str:
    """The event's identifier, with all that tells its occurrences apart; nothing else changes it."""
    kind = "absent" if status == "absent" else {HUMAN: "validated", MACHINE: "predicted"}[how]
    by = f"-{xxhash.xxh3_64_hexdigest(reference.encode())[:8]}" if reference else ""
    while names and names[-1] is None:
        names = names[:-1]
    return f"{unit}:{kind}{by}:{cell_id(*names)}"


def _measured(rows: pl.DataFrame, kind: str, column: str) -> pl.DataFrame:
    """Measurements of one kind: a row for each number there is."""
    measure = MEASURES[kind]
    occurrence = pl.col("occurrenceID") if "occurrenceID" in rows.columns else pl.lit(None, pl.String)
    some = rows.filter(pl.col(column).is_not_null())
    texts = pl.Series("measurementValue", [number_text(value) for value in some[column]], pl.String)
    return some.select("eventID", occurrence.alias("occurrenceID")).with_columns(texts, *_words(kind, measure.method))


def _words(kind: str, method: str, value_id: str = "") -> Iterator[pl.Expr]:
    measure = MEASURES[kind]
    words = {
        "measurementType": measure.name,
        "measurementTypeID": measure.type_id,
        "measurementValueID": value_id,
        "measurementUnit": measure.unit,
        "measurementUnitID": measure.unit_id,
        "measurementMethod": method,
    }
    yield from (pl.lit(text or None, pl.String).alias(name) for name, text in words.items())


def _instruments(units: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """The instruments of each event, with their address where one is known."""
    split = units.select("eventID", pl.col("samplingProtocol").str.split(" | ").alias("names")).explode(
        "names", empty_as_null=True
    )
    for name in split["names"].drop_nulls().unique().sort().to_list():
        if not name:
            continue
        rows = split.filter(pl.col("names") == name).select("eventID")
        kind = "sampler" if name in IN_SITU else "analyser"
        yield rows.with_columns(
            pl.lit(None, pl.String).alias("occurrenceID"),
            pl.lit(name).alias("measurementValue"),
            *_words(kind, "", INSTRUMENTS.get(name, "")),
        )


def number_text(value: float, digits: int = 7) -> str:
    """A number with so many digits at most, without a needless fraction.

    >>> number_text(250.0), number_text(1 / 3)
    ('250', '0.3333333')
    """
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else f"{value:.{digits}g}"
