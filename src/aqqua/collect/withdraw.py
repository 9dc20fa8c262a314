"""Taking back what was shared: all of it, or one consent; and saying honestly what can be undone and what cannot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from aqqua.collect.registry import Registry, State, Submission
from aqqua.errors import ConfigError
from aqqua.store.atomic import write_text
from aqqua.store.dataset import Dataset
from aqqua.store.lineage import Lineage, lineage
from aqqua.store.withdraw import withdraw as take_out

__all__ = ["CONSENTS", "Withdrawal", "revoke", "withdraw"]

Consent = Literal["maps", "training", "publication"]
CONSENTS: dict[str, tuple[str, str, Any]] = {
    "maps": ("global_interpolation", "consent_global_interpolation", False),
    "training": ("training", "license_allows_training", False),
    "publication": ("publish", "publish", "never"),
}
"""What can be taken back alone → question of the form, entry of the card, its value afterwards."""


@dataclass(frozen=True)
class Withdrawal:
    """What a withdrawal did, and what it cannot do.

    Args:
        submission: as it is now.
        images: taken out of the dataset now.
        lineages: what contains the data: one per raw source.
        undone: what is undone.
        to_do: what somebody has to do now, with the command where there is one.
        cannot: what cannot be undone.
    """

    submission: Submission
    images: int = 0
    lineages: list[Lineage] = field(default_factory=list)
    undone: list[str] = field(default_factory=list)
    to_do: list[str] = field(default_factory=list)
    cannot: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """The report, fit to be sent to the owner."""
        lines = [f"{self.submission.id}: {self.submission.title}"]
        for title, entries in (("Undone", self.undone), ("To be done", self.to_do), ("Cannot be undone", self.cannot)):
            lines += [title, *(f"  - {entry}" for entry in entries or ["nothing"])]
        for one in self.lineages:
            lines += ["", str(one)]
        return "\n".join(lines)


def withdraw(
    registry: Registry,
    id: str,
    *,
    reason: str,
    by: str,
    models: Sequence[Path] = (),
    releases: Sequence[Path] = (),
) -> Withdrawal:
    """Take a submission and its images back: from now on nobody is shown or given them.

    Args:
        registry: where the submission is.
        id: of the submission.
        reason: why; it is kept.
        by: "contributor", or the login of a curator.
        models: folders in which to look for models that learned from the images.
        releases: folders in which to look for releases and maps that contain them.

    Raises:
        ConfigError: it is withdrawn already, or no reason is given.
    """
    if not reason.strip():
        raise ConfigError("a withdrawal needs a reason", do="say why, in a few words; it is kept")
    asked = registry.get(id)
    if asked.state is State.DRAFT:
        raise ConfigError(f"{asked.id} is a draft: it was never handed in", do="there is nothing to take back")
    dataset = _dataset_of(asked)
    images, found = 0, []
    if dataset is not None and asked.state is not State.WITHDRAWN:
        for source in sorted({shard.source for shard in dataset.shards}):
            images += take_out(dataset.path, reason=f"{asked.id} withdrawn: {reason}", source=source).images
            found.append(lineage(dataset.path, source=source, models=models, releases=releases))
    facts = {"withdrawn_images": images, "withdrawn_because": reason}
    done = registry.change(asked.id, State.WITHDRAWN, by=by, note=reason, **facts)
    return Withdrawal(done, images, found, *_told(asked, dataset, images, found))


def revoke(registry: Registry, id: str, consent: str, *, reason: str, by: str) -> Withdrawal:
    """Take one consent back: the images stay, but are used for less.

    Args:
        registry: where the submission is.
        id: of the submission.
        consent: "maps" (global interpolation), "training" or "publication".
        reason: why; it is kept.
        by: "contributor", or the login of a curator.

    Raises:
        ConfigError: there is no such consent.
    """
    if consent not in CONSENTS:
        raise ConfigError(f"there is no consent {consent!r}", do=f"one of: {', '.join(CONSENTS)}")
    question, entry, value = CONSENTS[consent]
    asked = registry.get(id)
    answer = value if consent == "publication" else "no"
    done = registry.revoked(asked.id, {question: answer}, by=by, note=reason)
    dataset = _dataset_of(asked)
    undone = [f"the registry says: {question} {'never' if consent == 'publication' else 'no'}"]
    if dataset is not None:
        changed: dict[str, Any] = {entry: value}
        card = replace(dataset.card, **changed)
        write_text(dataset.path / "card.yaml", card.dump())
        undone.append(f"so does the card of {dataset.path.name}: nothing made from now on uses the images for it")
    return Withdrawal(done, 0, [], undone, *_REMAINS[consent])


_REMAINS: dict[str, tuple[list[str], list[str]]] = {
    "maps": (
        ["make maps that are in use again without them"],
        ["maps that were published stay in the world; their next version is without these data"],
    ),
    "training": (
        ["name the models that learned from them: aqqua dataset lineage DATASET --source S --models FOLDER"],
        ["weights do not forget: a published model keeps what it learned; the next one learns without these images"],
    ),
    "publication": (
        ["leave them out of the next release: aqqua export does"],
        ["a record with a DOI cannot be deleted; its files can be closed, and the record says why"],
    ),
}


def _dataset_of(asked: Submission) -> Dataset | None:
    path = asked.facts.get("dataset")
    return Dataset.open(path) if path and Dataset.is_at(path) else None


def _told(
    asked: Submission, dataset: Dataset | None, images: int, found: Sequence[Lineage]
) -> tuple[list[str], list[str], list[str]]:
    """What is undone, what is to do, what cannot be undone."""
    undone, to_do, cannot = ["no further transfer, ingest or release takes place"], [], []
    if dataset is not None:
        undone.append(f"{images:,} images are no longer shown, searched, exported or counted")
        to_do.append(f"remove their bytes: aqqua dataset compact {dataset.path}")
        to_do.append("remove the raw files from the disk they were fetched to, and from backups when these end")
    models = sorted({str(entry["folder"]) for one in found for entry in one.models if entry["how"] != "predictions"})
    releases = sorted({str(entry["path"]) for one in found for entry in one.releases if "path" in entry})
    to_do += [f"train again without them: {name}" for name in models]
    to_do += [f"publish a version without them: {name}" for name in releases]
    if models:
        cannot.append("weights do not forget: copies of these models that others have keep what they learned")
    if releases or asked.state is State.PUBLISHED:
        cannot.append("a record with a DOI cannot be deleted: its files can be closed; copies others made stay")
    if asked.answers.get("licence") not in {None, "unknown"} and (releases or asked.state is State.PUBLISHED):
        cannot.append(f"{asked.answers['licence']} cannot be taken back from those who got the data under it")
    return undone, to_do, cannot
