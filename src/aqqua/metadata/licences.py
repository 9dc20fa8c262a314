"""Licences, and the algebra of who may be in which release: under which licence, on which date.

Four facts about a licence decide what may be done with data under it: whether credit must be given, whether what is
made of it must keep the licence, whether commerce is excluded, whether it may be changed. Data may go into a record
whose licence asks for no less. Licences that hold on to data (share alike, no derivatives, those of databases and
software) only go into a record of their own. Whether a *model* may learn from data is a question of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import TYPE_CHECKING

from aqqua.errors import UnknownNameError

if TYPE_CHECKING:
    from aqqua.metadata.card import Card

__all__ = [
    "LICENCES",
    "UNKNOWN",
    "Licence",
    "Verdict",
    "may_enter",
    "may_learn",
    "may_pass_into",
    "may_publish",
    "may_share_card",
    "shared_licences",
]

UNKNOWN = "unknown"


@dataclass(frozen=True)
class Licence:
    """What a licence asks for.

    Args:
        spdx: its identifier in the SPDX licence list; "unknown" where nobody has stated one.
        name: in full.
        url: of its text.
        attribution: credit must be given.
        share_alike: what is made of it must be under the same licence.
        non_commercial: no commercial use.
        no_derivatives: nothing changed may be passed on.
        own_terms: it may only be passed on under itself, for other reasons than these.
    """

    spdx: str
    name: str
    url: str = ""
    attribution: bool = True
    share_alike: bool = False
    non_commercial: bool = False
    no_derivatives: bool = False
    own_terms: bool = False

    @property
    def stays(self) -> bool:
        """Whether data under it only go into a record of the very same licence."""
        return self.share_alike or self.no_derivatives or self.own_terms

    def summary(self) -> list[str]:
        """What it asks for, in plain sentences; the licence text is what counts."""
        if self.spdx == UNKNOWN:
            return ["Nobody has stated a licence: without the owners' permission nothing may be done with the data."]
        told = ["Anybody may copy and pass on the data."]
        told += [
            "Give credit: name the authors, this dataset with its version and DOI, the licence and its link."
            if self.attribution
            else "Credit is not demanded; please cite the dataset all the same."
        ]
        told += ["Not for commercial purposes."] if self.non_commercial else []
        told += ["What you make of the data and pass on must be under the same licence."] if self.share_alike else []
        told += ["Do not pass on changed versions of the data."] if self.no_derivatives else []
        return told


def _cc(kind: str, version: str = "4.0", **facts: bool) -> Licence:
    name = f"Creative Commons {_CC_NAMES[kind]} {version} {'International' if version == '4.0' else 'Unported'}"
    return Licence(
        f"CC-{kind}-{version}", name, f"https://creativecommons.org/licenses/{kind.lower()}/{version}/", **facts
    )


_CC_NAMES = {
    "BY": "Attribution",
    "BY-SA": "Attribution Share Alike",
    "BY-NC": "Attribution Non Commercial",
    "BY-NC-SA": "Attribution Non Commercial Share Alike",
    "BY-ND": "Attribution No Derivatives",
    "BY-NC-ND": "Attribution Non Commercial No Derivatives",
}
_ODC = "https://opendatacommons.org/licenses"
_ALL = (
    Licence(
        "CC0-1.0",
        "Creative Commons Zero v1.0 Universal",
        "https://creativecommons.org/publicdomain/zero/1.0/",
        attribution=False,
    ),
    _cc("BY"),
    _cc("BY-SA", share_alike=True),
    _cc("BY-NC", non_commercial=True),
    _cc("BY-NC-SA", non_commercial=True, share_alike=True),
    _cc("BY-ND", no_derivatives=True),
    _cc("BY-NC-ND", non_commercial=True, no_derivatives=True),
    _cc("BY", "3.0"),
    Licence("ODbL-1.0", "Open Data Commons Open Database License v1.0", f"{_ODC}/odbl/1-0/", share_alike=True),
    Licence("ODC-By-1.0", "Open Data Commons Attribution License v1.0", f"{_ODC}/by/1-0/", own_terms=True),
    Licence(
        "PDDL-1.0",
        "Open Data Commons Public Domain Dedication and License 1.0",
        f"{_ODC}/pddl/1-0/",
        attribution=False,
    ),
    Licence(
        "OGL-UK-3.0",
        "Open Government Licence v3.0",
        "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/",
    ),
    Licence("etalab-2.0", "Etalab Open License 2.0", "https://github.com/etalab/licence-ouverte"),
    Licence("Apache-2.0", "Apache License 2.0", "https://www.apache.org/licenses/LICENSE-2.0", own_terms=True),
    Licence("MIT", "MIT License", "https://opensource.org/license/mit", own_terms=True),
    Licence(UNKNOWN, "no licence stated", attribution=False),
)
LICENCES: Mapping[str, Licence] = MappingProxyType({licence.spdx: licence for licence in _ALL})
"""SPDX identifier → licence, and "unknown" for the honest answer where nobody has said."""


@dataclass(frozen=True)
class Verdict:
    """Whether something may be done, and why (not).

    Args:
        ok: whether it may.
        why: reasons in plain words; all of those against it, or what allows it.
    """

    ok: bool
    why: tuple[str, ...]

    def __bool__(self) -> bool:
        """Whether it may."""
        return self.ok

    def __str__(self) -> str:
        """The reasons."""
        return "; ".join(self.why)


def licence_of(name: str) -> Licence:
    """The licence of an SPDX identifier.

    Raises:
        UnknownNameError: it is not in the table.
    """
    if name not in LICENCES:
        raise UnknownNameError("licence", name, LICENCES)
    return LICENCES[name]


def may_pass_into(data: str, release: str) -> Verdict:
    """Whether data under one licence may be in a record under another.

    >>> print(may_pass_into("CC-BY-SA-4.0", "CC-BY-NC-4.0"))
    CC-BY-SA-4.0 is share alike: it only goes into a record under CC-BY-SA-4.0, not under CC-BY-NC-4.0

    Args:
        data: SPDX identifier of the data's licence.
        release: SPDX identifier of the record's licence.

    Raises:
        UnknownNameError: one of them is not in the table.
    """
    given, asked = licence_of(data), licence_of(release)
    nobody = []
    if data == UNKNOWN:
        nobody.append("nobody has stated a licence for the data: ask the owners for one")
    if release == UNKNOWN:
        nobody.append("a record needs a licence")
    if nobody:
        return Verdict(False, tuple(nobody))
    if data == release:
        return Verdict(True, (f"the data are under {data} themselves",))
    if given.stays:
        return Verdict(False, (_why_it_stays(given, release),))
    lost = _lost(given, asked)
    if lost:
        return Verdict(False, tuple(f"{data} asks for {what}, {release} does not" for what in lost))
    return Verdict(True, (f"{release} asks for all that {data} asks for",))


def may_publish(publish: str, publish_on: str, on: date) -> Verdict:
    """Whether the owners agree to publication on a date.

    Args:
        publish: what the card says: "on" a date, "embargo" until a date, "never", or nothing.
        publish_on: that date, as 2027-07-15.
        on: the day of the publication.
    """
    if publish == "never":
        return Verdict(False, ("the owners do not want these images published",))
    if publish in {"on", "embargo"} and not publish_on:
        return Verdict(False, (f"the card says 'publish: {publish}' without a date (publish_on)",))
    if publish_on and on < date.fromisoformat(publish_on):
        kind = "there is an embargo until" if publish == "embargo" else "the owners agreed to a publication from"
        return Verdict(False, (f"{kind} {publish_on}; the release is dated {on.isoformat()}",))
    said = f"the owners agreed to a publication from {publish_on}" if publish_on else "no date stands against it"
    return Verdict(True, (said,))


def may_enter(
    data: str,
    release: str,
    *,
    on: date,
    publish: str = "",
    publish_on: str = "",
    publish_licence: str = "",
    withdrawn: bool = False,
) -> Verdict:
    """Whether images may be in a release.

    Args:
        data: licence of the data (SPDX).
        release: licence of the record.
        on: day of the release.
        publish: as on the card.
        publish_on: as on the card.
        publish_licence: licence that the owners chose for the publication; wins over that of the data.
        withdrawn: whether they were withdrawn.

    Returns:
        Yes with what allows it, or no with all reasons.
    """
    reasons = [] if not withdrawn else ["the images were withdrawn"]
    verdicts = (may_pass_into(publish_licence or data, release), may_publish(publish, publish_on, on))
    reasons += [why for verdict in verdicts if not verdict for why in verdict.why]
    if reasons:
        return Verdict(False, tuple(reasons))
    return Verdict(True, tuple(why for verdict in verdicts for why in verdict.why))


def may_learn(card: Card) -> Verdict:
    """Whether a model may learn from the data of a card: separate from the licence and from publication."""
    if card.license_allows_training is None:
        return Verdict(False, ("nobody was asked whether models may learn from these images",))
    if not card.license_allows_training:
        return Verdict(False, ("the owners do not want models to learn from these images",))
    return Verdict(True, ("the owners agreed that models may learn from these images",))


def may_share_card(part: Card, whole: Card) -> Verdict:
    """Whether data under one card may come into a dataset under another: a release of the whole keeps both terms.

    What is not said is not compared: it stands against a release of its own.

    Args:
        part: the card of a source.
        whole: the card of the dataset it is to come into.
    """
    against = []
    if whole.publish != "never":
        if part.publish == "never":
            against.append("its owners do not want it published")
        elif part.publish_on and part.publish_on > whole.publish_on:
            until = whole.publish_on or "any day"
            against.append(f"its owners agreed to a publication from {part.publish_on}, not from {until}")
    given, asked = part.publish_licence or part.licence, whole.publish_licence or whole.licence
    if UNKNOWN not in {given, asked}:
        verdict = may_pass_into(given, asked)
        against += [] if verdict else verdict.why
    return Verdict(not against, tuple(against) or ("it keeps the terms of both",))


def shared_licences(licences: Iterable[str]) -> tuple[str, ...]:
    """The licences that one record of data under all of these could have; empty if they need records of their own.

    >>> shared_licences(["CC0-1.0", "CC-BY-SA-4.0"])
    ('CC-BY-SA-4.0',)
    >>> shared_licences(["CC-BY-NC-4.0", "CC-BY-SA-4.0"])
    ()
    """
    asked = set(licences)
    return tuple(name for name in LICENCES if all(may_pass_into(licence, name) for licence in asked))


def _why_it_stays(given: Licence, release: str) -> str:
    if given.share_alike:
        why = "share alike"
    elif given.no_derivatives:
        why = "no derivatives, so it is passed on as it is"
    else:
        why = "to be kept by whoever passes the data on"
    return f"{given.spdx} is {why}: it only goes into a record under {given.spdx}, not under {release}"


def _lost(given: Licence, asked: Licence) -> list[str]:
    conditions = {"credit": "attribution", "non-commercial use": "non_commercial"}
    return [what for what, fact in conditions.items() if getattr(given, fact) and not getattr(asked, fact)]
