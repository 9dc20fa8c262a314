"""Whether a dataset may be released, under which licence and on which day; if not, all reasons at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from aqqua.errors import ConfigError
from aqqua.metadata.card import Card
from aqqua.metadata.check import Finding
from aqqua.metadata.licences import LICENCES, Licence, licence_of, may_enter
from aqqua.metadata.private import has_address
from aqqua.store.check import check, grouped
from aqqua.store.dataset import Dataset

__all__ = ["Terms", "reasons_against", "require_releasable", "terms_of"]


@dataclass(frozen=True)
class Terms:
    """Under which terms a dataset is released.

    Args:
        licence: of the record.
        came_under: licence of the data as the card states it (SPDX).
        on: day of the release.
    """

    licence: Licence
    came_under: str
    on: date


def terms_of(card: Card, licence: str | None, on: date) -> Terms:
    """The terms: the licence asked for, else the one the owners chose for the publication, else that of the data."""
    name = licence or card.publish_licence or card.licence
    return Terms(licence_of(name), card.licence, on)


def require_releasable(datasets: Sequence[Dataset], licence: str | None, on: date) -> list[list[Finding]]:
    """Make sure that all of the datasets may be released.

    Args:
        datasets: the datasets.
        licence: of their records; None: each its own.
        on: day of the release.

    Returns:
        The findings of the checks, for each dataset.

    Raises:
        ConfigError: at least one may not; all reasons are told.
        UnknownNameError: there is no such licence.
    """
    told, found = [], []
    for dataset in datasets:
        findings = check([dataset.path])
        against = reasons_against(dataset, findings, licence, on)
        told += [f"{dataset.path.name}: {reason}" for reason in against]
        found.append(findings)
    if told:
        what = "\n  - ".join(["this cannot be released:", *told])
        raise ConfigError(what, where=", ".join(str(one.path) for one in datasets), do=_advice(told))
    return found


def reasons_against(dataset: Dataset, findings: Sequence[Finding], licence: str | None, on: date) -> list[str]:
    """Everything that stands against the release of a dataset."""
    return [*_of_card(dataset.card, licence, on), *_of_dataset(dataset, findings)]


def _of_card(card: Card, licence: str | None, on: date) -> Iterator[str]:
    terms = terms_of(card, licence, on)
    verdict = may_enter(
        card.licence,
        terms.licence.spdx,
        on=on,
        publish=card.publish,
        publish_on=card.publish_on,
        publish_licence=card.publish_licence,
    )
    if card.licence not in LICENCES or not verdict:
        yield from verdict.why
    if not card.title.strip():
        yield "it has no title (title)"
    if not (card.contact or card.institution).strip():
        yield "nobody can be asked about it (contact or institution)"
    if not any(person.author for person in card.people):
        yield "it has no author (people, with author: true)"
    if named := [person.name for person in card.people if has_address(person.name)]:
        yield f"{len(named)} of its people are named by an e-mail address instead of a name"


def _of_dataset(dataset: Dataset, findings: Sequence[Finding]) -> Iterator[str]:
    if not len(dataset):
        yield "there are no images in it (or all of them were withdrawn)"
    for finding in grouped([one for one in findings if one.severity == "error"]):
        many = f" (×{finding.count:,})" if finding.count > 1 else ""
        yield f"the checks say: {finding.message}{many} [{finding.code}]"


def _advice(told: Sequence[str]) -> str:
    advice = "write what is missing into card.yaml of the dataset; release share-alike data in a record of their own"
    if any("the checks say" in reason for reason in told):
        advice += "; see `aqqua check`, and `--overrule` for findings that do not hold"
    return advice
