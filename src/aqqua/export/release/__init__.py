"""Releases: one record per dataset, and an umbrella record over several.

    dataset-1/                     a BagIt bag; every file with its SHA-256
      data/                        an AqQua dataset: images, metadata and raw tables, labels, card, README, LICENSE
      datacite.json croissant.json ro-crate-metadata.json ifdo.yaml CITATION.cff

One card and `fields.yaml` generate all documents.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from aqqua.errors import ConfigError
from aqqua.export import ExportReport
from aqqua.export.release.bundle import Options, build_bundle
from aqqua.export.release.facts import Facts
from aqqua.export.release.terms import require_releasable
from aqqua.export.release.umbrella import build_umbrella
from aqqua.metadata.card import Card
from aqqua.metadata.check import Finding
from aqqua.store.dataset import Dataset

__all__ = ["ReleaseReport", "export_release", "release"]

_MAX_FILES, _MAX_BYTES = 100, 50_000_000_000
"""What a Zenodo record takes: https://help.zenodo.org/docs/deposit/manage-files"""


@dataclass(frozen=True)
class ReleaseReport:
    """What was released.

    Args:
        records: the folder of each dataset's record.
        umbrella: that of the umbrella record; None if there is none.
        images: number of images in all records.
        notes: what whoever deposits the records should know.
    """

    records: list[Path]
    umbrella: Path | None
    images: int
    notes: list[Finding]


def export_release(
    dataset: Dataset,
    out: Path,
    *,
    uids: Sequence[int] | None = None,
    model: str | None = None,
    **options: Any,
) -> ExportReport:
    """Release one dataset: `aqqua export DATASET --to release`.

    Args:
        dataset: the dataset.
        out: folder for the bundle.
        uids: only these images.
        model: whose predictions go into the Darwin Core archive; the newest, if not said.
        options: of `release`.
    """
    report = release([dataset], out, uids=uids, model=model, **options)
    return ExportReport([*report.records, *([report.umbrella] if report.umbrella else [])], report.images, report.notes)


def release(
    datasets: Sequence[Dataset | Path | str],
    out: Path | str,
    *,
    on: date | str | None = None,
    licence: str | None = None,
    version: str | None = None,
    doi: str = "",
    umbrella: Card | Path | str | None = None,
    model: str | None = None,
    uids: Sequence[int] | None = None,
    **more: Any,
) -> ReleaseReport:
    """Build a record for each dataset and, over several or where a card of it is given, the umbrella record.

    Args:
        datasets: the datasets.
        out: folder for the bundles.
        on: day of the release, as 2027-07-15; today, if not said. Embargoes are compared with it.
        licence: of the records (SPDX); each the one its owners chose, if not said.
        version: of the records; that of each card, if not said.
        doi: of the record, where one was reserved; only for a single dataset.
        umbrella: card of the umbrella record: title, abstract, and people in the order of the data paper.
        model: whose predictions go into the Darwin Core archives; the newest, if not said.
        uids: only these images, of a single dataset.
        more: `max_bytes`, `max_items`, `where`, `workers`: see `aqqua.export.release.bundle.Options`.

    Raises:
        ConfigError: a dataset may not be released; all reasons are told before anything is written.
        StorageError: the disk is full (run it again: it goes on), or a release of this name is another one.
    """
    opened = [one if isinstance(one, Dataset) else Dataset.open(one) for one in datasets]
    _check(opened, doi, uids)
    options = Options(_day(on), licence, version, doi, model, **more)
    findings = require_releasable(opened, licence, options.on)
    built = [
        build_bundle(one, Path(out).absolute(), options, found, uids)
        for one, found in zip(opened, findings, strict=True)
    ]
    card = umbrella if isinstance(umbrella, Card) or umbrella is None else Card.load(umbrella)
    over = None
    if len(built) > 1 or card is not None:
        over = build_umbrella([facts for _, facts in built], Path(out).absolute(), card, options)
    notes = [note for place, facts in built for note in _notes(place, facts)]
    return ReleaseReport([place for place, _ in built], over, sum(facts.images for _, facts in built), notes)


def _check(datasets: Sequence[Dataset], doi: str, uids: Sequence[int] | None) -> None:
    if not datasets:
        raise ConfigError("a release needs a dataset", do="aqqua export DATASET… --to release --out DIR")
    if len(datasets) > 1 and (doi or uids is not None):
        raise ConfigError("a DOI and a choice of images are for one dataset", do="release the datasets one by one")
    names = [dataset.path.name for dataset in datasets]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigError(
            f"two datasets are called {twice[0]}", do="rename a folder: their records need different names"
        )


def _day(on: date | str | None) -> date:
    if isinstance(on, str):
        try:
            return date.fromisoformat(on)
        except ValueError as error:
            raise ConfigError(f"{on!r} is no date", do="write the day of the release as 2027-07-15") from error
    return on or datetime.now(UTC).date()


def _notes(place: Path, facts: Facts) -> list[Finding]:
    """What whoever deposits a record should know."""
    files = [path for path in place.rglob("*") if path.is_file()]
    nbytes = sum(path.stat().st_size for path in files)
    notes = []
    if len(files) > _MAX_FILES or nbytes > _MAX_BYTES:
        what = (
            f"{len(files)} files, {nbytes / 1e9:.1f} GB: Zenodo takes {_MAX_FILES} files and {_MAX_BYTES / 1e9:.0f} GB"
        )
        do = "ask Zenodo for more room, or deposit the documents there and the images at an institution's store"
        notes.append(Finding("warning", "large_record", what, place.name, do=do))
    if facts.dropped:
        what = "columns of Raw Metadata that may name people were left out"
        notes.append(Finding("info", "people_left_out", what, place.name, len(facts.dropped)))
    if facts.card.license_allows_training is None:
        what, do = "nobody was asked whether models may learn from the images", "ask, and write license_allows_training"
        notes.append(Finding("warning", "training_not_asked", what, place.name, do=do))
    return notes
