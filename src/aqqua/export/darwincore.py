"""Export as a Darwin Core archive, as OBIS and GBIF take it: events, occurrences per taxon and sample, measurements.

- One occurrence is one taxon of one sampling event, never one image. What people have validated and what a model
  predicted stand in rows of their own (`identificationVerificationStatus`), the model in `identificationReferences`.
- Left out, and counted in the notes: what is no organism, what has no name, names nobody knows, what was discarded.
- Nobody is named but the authors of the card.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import polars as pl

from aqqua.errors import ConfigError, FormatError
from aqqua.export import ExportReport
from aqqua.export.darwincore_archive import write_archive
from aqqua.export.darwincore_eml import eml_xml
from aqqua.export.darwincore_events import UNIT, cell_id, event_rows, with_units
from aqqua.export.darwincore_names import MACHINE, identify, name_objects
from aqqua.export.darwincore_occurrences import Media, absence_rows, measurement_rows, occurrence_rows
from aqqua.export.darwincore_rules import check_tables
from aqqua.export.release.facts import public_card
from aqqua.export.release.shards import names_of
from aqqua.export.release.terms import reasons_against, terms_of
from aqqua.metadata.check import Finding
from aqqua.metadata.licences import LICENCES
from aqqua.metadata.private import without
from aqqua.metadata.taxa import load_taxonomy

if TYPE_CHECKING:
    from aqqua.metadata.card import Card
    from aqqua.store.dataset import Dataset

__all__ = ["export_darwincore"]

_COLUMNS = [
    "object_id", "sample_id", "acquisition_id", "sample_idx", "project", "image_rank", "instrument", "instrument_id",
    "time_utc", "latitude", "longitude", "depth_min_m", "depth_max_m", "altitude_m", "pixel_um", "volume_l",
    "subsample_factor", "width", "height", "source_path",
]  # fmt: skip
_SAID = ["label", "taxon", "aphia_id", "status", "by", "stage", "sex", "part", "condition", "grouping", "taxon_by"]
_HEADS = ("linear", "knn")
_MAX_TOLD = 10
_WHY: dict[str, tuple[Literal["info", "warning"], str]] = {
    "not an organism": ("info", "no organism: detritus, artefacts and the like"),
    "no name": ("info", "neither a person nor a model has named them"),
    "unknown name": ("warning", "by names that no list of taxa knows"),
    "discarded": ("info", "a person discarded them"),
}


def export_darwincore(
    dataset: Dataset,
    out: Path,
    *,
    uids: Sequence[int] | None = None,
    model: str | None = None,
    predicted: bool = True,
    least_confidence: float = 0.0,
    absences: bool = False,
    identified_by: str = "",
    media: str | Callable[[int], str | None] | None = None,
    card: Card | None = None,
    on: date | str | None = None,
) -> ExportReport:
    """Write a Darwin Core archive: Event core, Occurrence and ExtendedMeasurementOrFact extensions, EML.

    Args:
        dataset: the dataset; its card must name licence, author and contact.
        out: the zip, or a folder for `darwincore_<dataset>.zip`.
        uids: images to take; all, if not said.
        model: whose predictions go along; the newest, if not said.
        predicted: whether what machines say goes along at all.
        least_confidence: predictions of the model below it do not go along.
        absences: also write which taxa were looked for and not found, where a person has named every individual.
        identified_by: who validated: an author of the card.
        media: address of an image with `{uid}` in it, or a function from uid to address.
        card: as a release publishes it, after it was made sure that it may; that of the dataset, if not said.
        on: day of the publication, as 2027-07-15; today, if not said.

    Raises:
        ConfigError: the dataset may not be published, there is nothing to export, or somebody is named who is no
            author.
        FormatError: the archive would be refused.
        StorageError: the disk is full.
    """
    day = _day(on)
    card = card or _public_card(dataset, day)
    _require_author(card, identified_by)
    images = _gather(dataset, uids, model)
    short = card.id or f"aqqua-{dataset.uuid[:8]}"
    people = names_of(dataset)
    images = without(with_units(images, cell_id(short), card.project or card.title, people), people)
    told = identify(_objects(images), predicted=predicted, least=least_confidence)
    objects = name_objects(told, load_taxonomy(dataset.card.taxa))
    objects = objects.with_columns(reference=_references(dataset, objects))
    individuals = pl.col("uid").is_in(objects["uid"].implode())
    events = _about(event_rows(images.with_columns(is_individual=individuals)), card)
    occurrences = occurrence_rows(objects, events, _media(media), identified_by)
    if absences:
        occurrences = pl.concat([occurrences, absence_rows(objects, occurrences)], how="diagonal")
    unnamed = objects.filter(pl.col("fate") != "named").group_by(UNIT, maintain_order=True).len()
    tables = {"event": events, "occurrence": occurrences, "emof": measurement_rows(events, occurrences, unnamed)}
    findings = check_tables(tables)
    if errors := [finding for finding in findings if finding.severity == "error"]:
        raise FormatError(f"the archive would be refused: {errors[0].message}", where=out, do=errors[0].do)
    path = out if out.suffix.lower() == ".zip" else out / f"darwincore_{dataset.path.name}.zip"
    package = f"{card.doi or dataset.uuid}/v{card.version}.{dataset.snapshot}"
    eml = eml_xml(card, images, occurrences, package=package, on=day)
    write_archive(path, tables, eml)
    return ExportReport([path], len(images), [*_left_out(objects), *findings])


def _day(on: date | str | None) -> date:
    try:
        return date.fromisoformat(on) if isinstance(on, str) else on or datetime.now(UTC).date()
    except ValueError as error:
        raise ConfigError(f"{on!r} is no date", do="write the day of the publication as 2027-07-15") from error


def _public_card(dataset: Dataset, on: date) -> Card:
    """The card as a release would have it; refused where a release would be."""
    reasons = reasons_against(dataset, (), None, on)
    if reasons:
        do = "write what is missing into card.yaml of the dataset, and ask its owners"
        what = "\n  - ".join(["this dataset cannot be published:", *reasons])
        raise ConfigError(what, where=dataset.path, do=do)
    return public_card(dataset.card, terms_of(dataset.card, None, on), dataset.card.version)


def _require_author(card: Card, name: str) -> None:
    names = [person.name for person in card.people if person.author]
    if unknown := [one for one in filter(None, map(str.strip, name.split("|"))) if one not in names]:
        what = f"{unknown[0]} is no author of this dataset, so the archive may not name them"
        raise ConfigError(what, do=f"name one of {', '.join(names)}, or nobody")


def _gather(dataset: Dataset, uids: Sequence[int] | None, model: str | None) -> pl.DataFrame:
    """Converted Metadata of the images, with their labels and the model's first choice."""
    images = dataset.metadata(_COLUMNS)
    if uids is not None:
        chosen = pl.Series(uids, dtype=pl.UInt64)
        unknown = chosen.filter(~chosen.is_in(images["uid"].implode()))
        if len(unknown):
            do = "take uids from this dataset; removed images have none"
            raise ConfigError(f"{len(unknown)} of the images are not there, for example {unknown[0]}", do=do)
        images = images.filter(pl.col("uid").is_in(chosen.implode()))
    if images.is_empty():
        raise ConfigError("there is nothing to export", where=dataset.path, do="choose at least one image")
    images = images.join(dataset.labels().select("uid", *_SAID), on="uid", how="left", maintain_order="left")
    used = model or next(iter(dataset.prediction_models()), None)
    if used is None:
        kinds = {"guess": pl.String, "confidence": pl.Float32, "model": pl.String}
        return images.with_columns(pl.lit(None, kind).alias(name) for name, kind in kinds.items())
    columns = [f"{kind}_{head}" for head in _HEADS for kind in ("taxon", "p")]
    guesses = dataset.predictions(used, columns)
    linear = pl.col("taxon_linear").is_not_null()
    guesses = guesses.select(
        "uid",
        guess=pl.coalesce("taxon_linear", "taxon_knn"),
        confidence=pl.when(linear).then("p_linear").otherwise("p_knn"),
        model=pl.lit(used),
    )
    return images.join(guesses, on="uid", how="left", maintain_order="left")


def _objects(images: pl.DataFrame) -> pl.DataFrame:
    """One row per individual: that of its first image which bears a name, else of its first image."""
    who = pl.coalesce(pl.col("object_id"), pl.format("uid {}", "uid"))
    named = pl.col("label").is_null()
    ordered = images.with_columns(_who=who).sort([named, "image_rank", "uid"], maintain_order=True)
    return ordered.unique([UNIT, "source_path", "_who"], keep="first", maintain_order=True).sort("uid").drop("_who")


def _references(dataset: Dataset, objects: pl.DataFrame) -> pl.Series:
    """What made each prediction; nothing for what people said."""
    told = {model: _model_reference(dataset.path, model) for model in objects["model"].drop_nulls().unique()}
    machine = pl.col("verification") == MACHINE
    source = pl.format("classifier of the source ({})", pl.col("by").fill_null("not named"))
    model = pl.col("model").replace(told)
    return objects.select(pl.when(machine & pl.col("of_model")).then(model).when(machine).then(source)).to_series()


def _model_reference(root: Path, model: str) -> str:
    """The model's id, with the hash of its weights and its DOI where they are known."""
    try:
        info = json.loads((root / "predictions" / model / "model.json").read_text("utf-8"))
    except (OSError, ValueError):
        info = {}
    said = info if isinstance(info, dict) else {}
    weights, doi = said.get("weights_sha256"), said.get("doi")
    parts = [
        f"aqqua model {model}",
        f"weights sha256 {weights}" if weights else "",
        f"https://doi.org/{doi}" if doi else "",
    ]
    return " | ".join(filter(None, parts))


def _about(events: pl.DataFrame, card: Card) -> pl.DataFrame:
    """The events, with what the card says of all of them."""
    licence = LICENCES[card.licence]
    litres = pl.col("volume_l").is_not_null()
    card_m = _card_precision_m(card)
    spread = pl.max_horizontal("coordinateUncertaintyInMeters", pl.lit(card_m, pl.Float64))
    placed = pl.col("decimalLatitude").is_not_null()
    return events.with_columns(
        geodeticDatum=pl.when(placed).then(pl.lit("EPSG:4326")),
        coordinateUncertaintyInMeters=pl.when(placed).then(spread),
        sampleSizeValue="volume_l",
        sampleSizeUnit=pl.when(litres).then(pl.lit("litre")),
        habitat=pl.lit(card.habitat or None, pl.String),
        eventRemarks=pl.when(pl.col("eventType") == "cruise").then("cruise"),
        datasetName=pl.lit(card.title),
        datasetID=pl.lit(f"https://doi.org/{card.doi}" if card.doi else None, pl.String),
        institutionCode=pl.lit(card.institution or None, pl.String),
        license=pl.lit(licence.url or licence.spdx),
    )


def _card_precision_m(card: Card) -> float | None:
    """The precision of positions in metres, if the card says it as a length: "100 m", "1 km"."""
    found = re.fullmatch(r"\s*(?:±\s*)?(\d+(?:\.\d+)?)\s*(km|m)\s*", card.coordinates_precision)
    return float(found[1]) * (1000 if found[2] == "km" else 1) if found else None


def _media(media: str | Callable[[int], str | None] | None) -> Media | None:
    if not isinstance(media, str):
        return media
    if "{uid}" not in media or not media.startswith(("https://", "http://")):
        raise ConfigError("the address of images has no {uid} in it", where=media, do="https://…/{uid}.png")
    return lambda uid: media.replace("{uid}", str(uid))


def _left_out(objects: pl.DataFrame) -> Iterator[Finding]:
    """What is not in the archive, and why; and what is there without an AphiaID that is not certain."""
    for fate, (severity, why) in _WHY.items():
        some = objects.filter(pl.col("fate") == fate)
        words = some["told"].value_counts(sort=True).drop_nulls()["told"].head(_MAX_TOLD).to_list()
        if len(some):
            told = f"{len(some)} individuals are not in the archive: {why}"
            named = f" ({', '.join(words)})" if words else ""
            do = "write a table of labels (aqqua taxa match)" if fate == "unknown name" else ""
            yield Finding(severity, fate.replace(" ", "_"), told + named, count=len(some), do=do)
    unsure = objects.filter((pl.col("fate") == "named") & pl.col("unchecked").fill_null(value=False))
    if len(unsure):
        names = unsure["scientificName"].unique().sort().head(_MAX_TOLD).to_list()
        told = f"the AphiaIDs of {', '.join(names)} were never compared with WoRMS, and are left out"
        yield Finding("warning", "unchecked_aphia_id", told, count=len(unsure), do="aqqua taxa match --online worms")
