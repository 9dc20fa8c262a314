"""From an agreed submission to a dataset: fetched, compared, ingested, verified, and linked in both directions.

What breaks off is simply run again: the transfer and the ingest both go on where they stopped.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from aqqua.collect.advice import advise
from aqqua.collect.card_of import card_of
from aqqua.collect.registry import Registry, State, Submission
from aqqua.errors import ConfigError, FormatError, SourceError
from aqqua.metadata.card import Card
from aqqua.sources import recognise, zips_beside
from aqqua.sources.archive import Tree
from aqqua.sources.cards import card_for
from aqqua.sources.ingest import IngestReport, ingest
from aqqua.sources.transfer import FetchReport, fetch
from aqqua.sources.transfer.fetch import RECORD
from aqqua.sources.transfer.places import without_login
from aqqua.store.dataset import Dataset
from aqqua.store.verify import verify

__all__ = ["Received", "receive", "sources_in"]

_TERMS = (
    "title",
    "abstract",
    "licence",
    "license_allows_training",
    "consent_global_interpolation",
    "people",
    "institution",
    "funding",
    "acknowledgement",
    "publish",
    "publish_on",
    "publish_licence",
    "submission",
    "source",
)
"""What the submission says, whatever a card among the data says; the rest of that card holds."""


@dataclass(frozen=True)
class Received:
    """What became of a submission.

    Args:
        submission: as it is now.
        fetched: what was transferred; None if the data were here.
        ingested: what came in, and what did not.
        dataset: where it is.
        sources: what was ingested.
    """

    submission: Submission
    fetched: FetchReport | None
    ingested: IngestReport
    dataset: Path
    sources: list[Path] = field(default_factory=list)

    def __str__(self) -> str:
        """A few lines for the curator."""
        lines = [str(self.fetched)] if self.fetched else []
        lines += [str(self.ingested), f"{self.submission.id} is {self.submission.state}: {self.dataset}"]
        return "\n".join(lines)


def receive(
    registry: Registry,
    id: str,
    *,
    into: Path,
    addresses: Sequence[str] = (),
    checksum: str | None = None,
    table: Path | None = None,
    source: str | None = None,
    by: str = "curator",
    where: Literal["here", "pool", "slurm", "ray"] = "here",
    workers: int | None = None,
) -> Received:
    """Fetch the data of a submission, and make a dataset of them.

    Args:
        registry: where the submission is.
        id: of the submission; it must be agreed on.
        into: folder for raw data (`raw/ID`) and datasets (`ID`).
        addresses: where the data are, if not at the address the submission names; what is a path on this machine is
            read where it lies.
        checksum: of the one file, if it is one.
        table: of the owner, with metadata the source lacks.
        source: how to read it, if that cannot be recognised.
        by: login of the curator.
        where: engine of the ingest.
        workers: of the engine.

    Raises:
        ConfigError: the submission is not agreed on, or nothing can be fetched from its address.
        RemoteError: the transfer broke off again and again; run it again.
        SourceError: nothing among the data could be read; the submission stays in transfer.
        FormatError: the dataset is not what was written.
    """
    asked = registry.get(id)
    places = list(addresses) or _addresses(asked)
    if asked.state in {State.AGREED, State.INGESTED}:
        asked = registry.change(
            asked.id, State.TRANSFERRING, by=by, note="from " + ", ".join(map(without_login, places))
        )
    elif asked.state is not State.TRANSFERRING:
        do = f"aqqua collect agree {asked.id} --by YOU" if asked.state is State.SUBMITTED else "see aqqua collect show"
        raise ConfigError(f"{asked.id} is {asked.state}: nothing is fetched before the terms are agreed on", do=do)
    here = [Path(place) for place in places if Path(place).exists()]
    raw, dataset = into / "raw" / asked.id, into / asked.id
    fetched = None if len(here) == len(places) else fetch(places, raw, checksum=checksum)
    sources = [one for path in here for one in ([path] if path.is_file() else sources_in(path, source))]
    sources += sources_in(raw, source) if fetched else []
    card = _card(asked, sources)
    report = ingest(sources, dataset, source=source, card=card, table=table, where=where, workers=workers)
    made = Dataset.open(dataset)
    if not len(made):
        told = "; ".join(f"{one.count:,} × {one.message}" for one in report.groups[:3])
        raise SourceError(
            f"no image of {asked.id} could be used: {told}", where=raw, do="see rejected.parquet, ask the owner"
        )
    wrong = [finding for finding in verify(made, 2) if finding.severity == "error"]
    if wrong:
        raise FormatError(f"the dataset is not what was written: {wrong[0].message}", where=wrong[0].where)
    done = registry.change(asked.id, State.INGESTED, by=by, **_facts(made, raw, sources))
    return Received(done, fetched, report, dataset, sources)


def sources_in(folder: Path, reader: str | None = None) -> list[Path]:
    """What there is to ingest in a folder: the folder itself, or the zips and folders in it.

    Args:
        folder: with what was fetched.
        reader: name of the reader, if it is known; then the folder is asked first, without recognition.

    Raises:
        SourceError: there is something that no reader recognises; nothing is left out silently.
    """
    if reader is not None:
        return sorted(folder.glob("*.zip")) or [folder]
    try:
        recognise(folder)
        return [folder, *zips_beside(folder)]
    except SourceError as error:
        first = error
    inner = sorted(path for path in folder.iterdir() if not path.name.startswith(".") and _may_be_source(path))
    unknown = []
    for path in inner:
        try:
            recognise(path)
        except SourceError:
            unknown.append(path.name)
    if len(unknown) == len(inner):  # nothing at all, perhaps
        raise first
    if unknown:
        do = "name the reader with --source, or move what is no data elsewhere and ingest again"
        raise SourceError(f"no reader recognises {', '.join(unknown[:5])}", where=folder, do=do)
    return inner


def _addresses(asked: Submission) -> list[str]:
    """Where the submission says that the data are."""
    advice = advise(asked.answers)
    if advice.fetchable:
        return str(asked.answers.get("address", "")).split()
    told = "\n".join(f"  {number}. {step}" for number, step in enumerate(advice.steps, 1))
    if advice.way == "ecotaxa":
        do = f"aqqua ecotaxa pull PROJECT… DATASET, then: aqqua collect receive {asked.id} --from DATASET"
    else:
        do = f"when the data are somewhere: aqqua collect receive {asked.id} --from ADDRESS-OR-PATH"
    raise ConfigError(f"{asked.id} names no address from which it can be fetched. The way advised:\n{told}", do=do)


def _may_be_source(path: Path) -> bool:
    """Whether something in the folder is meant to be data: a zip, or a folder with files."""
    return path.suffix.lower() == ".zip" if path.is_file() else any(one.is_file() for one in path.rglob("*"))


def _card(asked: Submission, sources: Sequence[Path]) -> Card:
    """The terms of the submission, with the constants of a card among the data."""
    terms = card_of(asked)
    own = card_for(Tree(sources[0]), None, Card())
    said = {name: getattr(terms, name) for name in _TERMS}
    said |= {name: getattr(own, name) or getattr(terms, name) for name in ("instruments", "habitat")}
    defaults = dict(own.defaults)
    if len(terms.instruments) == 1:
        defaults.setdefault("instrument", terms.instruments[0])
    return replace(own, **said, defaults=defaults)


def _facts(made: Dataset, raw: Path, sources: Sequence[Path]) -> dict[str, Any]:
    """What the registry keeps, so that it can be said years later what became of a submission."""
    record = raw / RECORD
    instruments = {row[0] or "unknown": row[1] for row in _counts(made, "instrument")}
    return {
        "dataset": str(made.path),
        "dataset_uuid": made.uuid,
        "snapshot": made.snapshot,
        "images": len(made),
        "instruments": instruments,
        "rejected": made.rejected().height,
        "shards": [{"number": shard.number, "source": shard.source, "images": shard.n_images} for shard in made.shards],
        "sources": [path.name for path in sources],
        "transfer_record_sha256": hashlib.sha256(record.read_bytes()).hexdigest() if record.is_file() else None,
    }


def _counts(made: Dataset, column: str) -> list[tuple[Any, ...]]:
    return made.metadata([column]).group_by(column).len().sort(column).rows()
