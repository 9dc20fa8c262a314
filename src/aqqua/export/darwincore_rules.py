"""What a Darwin Core archive must keep to before it is written: identifiers, references, the terms OBIS asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import polars as pl

from aqqua.metadata.check import Finding

__all__ = ["RULES", "check_tables"]

_ASKED = {
    "event": ("eventID", "eventDate"),
    "occurrence": ("occurrenceID", "eventID", "scientificName", "occurrenceStatus", "basisOfRecord"),
    "emof": ("measurementID", "eventID", "measurementType", "measurementValue"),
}
_IDS = {"event": "eventID", "occurrence": "occurrenceID", "emof": "measurementID"}
_DO = "tell the developers of aqqua which dataset it was"
Tables = Mapping[str, pl.DataFrame]


def check_tables(tables: Tables) -> list[Finding]:
    """Findings of all rules; an error means that the archive must not be written.

    Args:
        tables: "event", "occurrence" and "emof", columns by the names of their terms.
    """
    return [finding for rule in RULES for finding in rule(tables)]


def asked_for(tables: Tables) -> Iterator[Finding]:
    """What OBIS and GBIF ask for is there in every row."""
    for table, columns in _ASKED.items():
        for name in columns:
            empty = tables[table].filter(pl.col(name).cast(pl.String).fill_null("") == "")
            if len(empty):
                yield _error(table, "missing_term", f"{len(empty)} rows without {name}")


def unique_ids(tables: Tables) -> Iterator[Finding]:
    """No identifier stands for two things."""
    for table, name in _IDS.items():
        twice = tables[table].filter(pl.col(name).is_duplicated())
        if len(twice):
            yield _error(table, "same_id", f"{name} {twice[name][0]!r} stands for several rows")


def parents(tables: Tables) -> Iterator[Finding]:
    """Every parent is an event itself, and no event is above itself."""
    events = tables["event"]
    above = dict(events.select("eventID", "parentEventID").iter_rows())
    for name, parent in above.items():
        line = [name]
        while parent is not None and parent in above and parent not in line:
            line.append(parent)
            parent = above[parent]  # noqa: PLW2901 (climbing up)
        if parent is not None:
            yield _error("event", "no_parent", f"{name!r} has the unknown or circular parent {parent!r}")
            return


def events_are_there(tables: Tables) -> Iterator[Finding]:
    """Occurrences and measurements are of events in the archive."""
    for table in ("occurrence", "emof"):
        lost = tables[table].join(tables["event"], on="eventID", how="anti")
        if len(lost):
            yield _error(table, "no_event", f"{len(lost)} rows of events that are not there, as {lost['eventID'][0]!r}")


def occurrences_are_there(tables: Tables) -> Iterator[Finding]:
    """Measurements of occurrences lead to one, and of the same event."""
    measured = tables["emof"].filter(pl.col("occurrenceID").is_not_null())
    lost = measured.join(tables["occurrence"], on=["occurrenceID", "eventID"], how="anti")
    if len(lost):
        yield _error("emof", "no_occurrence", f"{len(lost)} rows of occurrences that are not there")


def counts_are_sane(tables: Tables) -> Iterator[Finding]:
    """What is present was counted, and what is absent was not."""
    rows = tables["occurrence"]
    present = (pl.col("occurrenceStatus") == "present") == (pl.col("individualCount") > 0)
    wrong = rows.filter(~present)
    if len(wrong):
        yield _error(
            "occurrence", "count", f"{wrong['occurrenceID'][0]!r} is {wrong['occurrenceStatus'][0]} without sense"
        )


def places(tables: Tables) -> Iterator[Finding]:
    """Every event with occurrences has a position on this planet."""
    used = tables["event"].join(tables["occurrence"], on="eventID", how="semi")
    there = pl.col("decimalLatitude").is_between(-90, 90) & pl.col("decimalLongitude").is_between(-180, 180)
    nowhere = used.filter(~there.fill_null(value=False))
    if len(nowhere):
        yield _error("event", "no_place", f"{len(nowhere)} events with occurrences have no position")


def names_known(tables: Tables) -> Iterator[Finding]:
    """OBIS takes occurrences with an AphiaID only; the others GBIF takes."""
    rows = tables["occurrence"].filter(pl.col("scientificNameID").is_null())
    if len(rows):
        names = rows["scientificName"].unique().sort().to_list()
        told = f"{len(rows)} occurrences of {len(names)} names without a known AphiaID: {', '.join(names[:10])}"
        do = "aqqua taxa match --online worms, then name the snapshot in the card (taxa: …)"
        yield Finding("warning", "no_aphia_id", told, "occurrence.txt", len(rows), do)


def _error(table: str, code: str, message: str) -> Finding:
    return Finding("error", code, message, f"{table}.txt", do=_DO)


RULES: tuple[Callable[[Tables], Iterator[Finding]], ...] = (
    asked_for,
    unique_ids,
    parents,
    events_are_there,
    occurrences_are_there,
    counts_are_sane,
    places,
    names_known,
)
