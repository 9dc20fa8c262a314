"""Everything that the documents of a release say, gathered once: from the card, the fields and the images."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import polars as pl

from aqqua.export.release.terms import Terms
from aqqua.metadata.card import Card, Person
from aqqua.metadata.private import has_address, without_addresses

__all__ = [
    "PUBLISHER",
    "Extent",
    "Facts",
    "Payload",
    "extent_of",
    "given_family",
    "lower_name",
    "public_card",
    "uuid4_of",
]

PUBLISHER = "AqQua"
_OPEN_PLACES = (
    "doi.org", "zenodo.org", "pangaea.de", "seanoe.org", "datadryad.org", "figshare.com", "gbif.org", "obis.org",
    "handle.net", "bco-dmo.org", "dataverse.org", "emodnet.eu", "osf.io", "huggingface.co", "kaggle.com",
    "ecotaxa.obs-vlfr.fr", "ecotaxa.sorbonne-universite.fr", "ecopart.obs-vlfr.fr", "ifcb-data.whoi.edu",
    "ifcb.caloos.org", "squidle.org", "usgs.gov", "noaa.gov",
)  # fmt: skip
"""Hosts (with those below them) whose addresses may be told; others may be private shares."""
_TEXTS = ("title", "abstract", "citation", "acknowledgement", "institution", "project", "platform", "access", "source")


@dataclass(frozen=True)
class Payload:
    """One file of the bundle.

    Args:
        path: in the bundle, with forward slashes.
        nbytes: size.
        sha256: of its content, in hexadecimal digits.
        media_type: what it is, for programs.
        doc: what it is, for people.
    """

    path: str
    nbytes: int
    sha256: str
    media_type: str
    doc: str


@dataclass(frozen=True)
class Extent:
    """Where and when the images were taken, and with what; None where it is not known."""

    latitude: tuple[float, float]
    longitude: tuple[float, float]
    time_utc: tuple[datetime, datetime]
    depth_m: tuple[float, float] | None
    altitude_m: tuple[float, float] | None
    centre: tuple[float, float]
    instruments: tuple[str, ...]
    projects: tuple[str, ...]
    samples: int


@dataclass(frozen=True)
class Facts:
    """What the documents of a release say.

    Args:
        name: of the bundle's folder.
        uuid: of the release (version 4, derived from its content).
        card: as it may be published.
        terms: licence and day.
        extent: of the images.
        images: how many.
        dataset: uuid and snapshot of the dataset.
        sources: name, fingerprint and images of each raw source.
        dropped: columns of Raw Metadata that were left out because they may name people.
        taxa: names of taxa with the number of labelled images, the most frequent first.
        doi: of the release, if it has one already.
        files: of the bundle, as far as they are written.
        raw_columns: columns of Raw Metadata.
    """

    name: str
    uuid: str
    card: Card
    terms: Terms
    extent: Extent
    images: int
    dataset: tuple[str, int]
    sources: tuple[tuple[str, str, int], ...] = ()
    dropped: tuple[str, ...] = ()
    taxa: tuple[tuple[str, int], ...] = ()
    doi: str = ""
    files: tuple[Payload, ...] = ()
    raw_columns: tuple[str, ...] = field(default=(), repr=False)

    @property
    def authors(self) -> list[Person]:
        """In the order of the card."""
        return [person for person in self.card.people if person.author]

    @property
    def others(self) -> list[Person]:
        """Who is acknowledged."""
        return [person for person in self.card.people if not person.author]

    @property
    def year(self) -> int:
        """Of the release."""
        return self.terms.on.year

    @property
    def address(self) -> str:
        """By which the release is known: its DOI, or its uuid as long as it has none."""
        return f"https://doi.org/{self.doi}" if self.doi else f"urn:uuid:{self.uuid}"

    def citation(self) -> str:
        """How to cite the release."""
        names = "; ".join(person.name for person in self.authors)
        return f"{names} ({self.year}): {self.card.title}, version {self.card.version}. {PUBLISHER}. {self.address}"

    def named(self, prefix: str) -> list[Payload]:
        """Files whose path begins so."""
        return [file for file in self.files if file.path.startswith(prefix)]


def public_card(card: Card, terms: Terms, version: str) -> Card:
    """The card of a release: its own licence and version; no address of a person, no path of the owners' disks."""
    texts: dict[str, Any] = {name: without_addresses(getattr(card, name)) for name in _TEXTS}
    texts["source"] = texts["source"] if _may_be_told(card.source) else ""
    people = tuple(replace(person, affiliation=_plain(person.affiliation)) for person in card.people)
    related = tuple({key: without_addresses(text) for key, text in entry.items()} for entry in card.related)
    funding = tuple(map(without_addresses, card.funding))
    return replace(
        card,
        **texts,
        people=people,
        related=related,
        funding=funding,
        version=version,
        licence=terms.licence.spdx,
        contact="" if card.institution or has_address(card.contact) else _contact(card),
        table=None,
        labels=None,
        taxa=None,
        defaults={},
        overrides={},
        units={},
        checks={},
        publish="",
        publish_on="",
        publish_licence="",
    )


def _plain(text: str | None) -> str | None:
    return None if text is None else without_addresses(text)


def _contact(card: Card) -> str:
    """The contact, if it is one of the authors; others did not agree to be named."""
    return card.contact if card.contact in {person.name for person in card.people if person.author} else ""


def _may_be_told(source: str) -> bool:
    """Whether an address is a public place: links to private shares are as good as keys."""
    if "://" not in source:
        return not source.startswith(("/", "~", "\\")) and ":\\" not in source
    place = urlsplit(source)
    host = f".{(place.hostname or '').lower()}"
    return not place.username and not place.query and any(host.endswith(f".{name}") for name in _OPEN_PLACES)


def extent_of(metadata: pl.DataFrame) -> Extent:
    """Where, when and with what images were taken; from Converted Metadata."""
    column = pl.col
    row = metadata.select(
        *(column(name).min().alias(f"{name}_min") for name in ("latitude", "longitude", "time_utc", "altitude_m")),
        *(column(name).max().alias(f"{name}_max") for name in ("latitude", "longitude", "time_utc", "altitude_m")),
        column("depth_min_m").min(),
        column("depth_max_m").max(),
        column("latitude").mean().alias("latitude_mean"),
        column("longitude").mean().alias("longitude_mean"),
        pl.struct("project", "sample_id").n_unique().alias("samples"),
    ).to_dicts()[0]
    depth, altitude = (row["depth_min_m"], row["depth_max_m"]), (row["altitude_m_min"], row["altitude_m_max"])
    return Extent(
        latitude=(row["latitude_min"], row["latitude_max"]),
        longitude=(row["longitude_min"], row["longitude_max"]),
        time_utc=(_utc(row["time_utc_min"]), _utc(row["time_utc_max"])),
        depth_m=None if None in depth else _rounded(depth),
        altitude_m=None if None in altitude else _rounded(altitude),
        centre=(round(row["latitude_mean"], 5), round(row["longitude_mean"], 5)),
        instruments=tuple(metadata["instrument"].drop_nulls().unique().sort()),
        projects=tuple(map(without_addresses, metadata["project"].drop_nulls().unique().sort())),
        samples=row["samples"],
    )


def _rounded(pair: Sequence[float]) -> tuple[float, float]:
    return round(float(pair[0]), 3), round(float(pair[1]), 3)


def _utc(time: Any) -> datetime:
    assert isinstance(time, datetime)  # time_utc is required of every image
    return time.astimezone(UTC)


def uuid4_of(*told: object) -> str:
    """A uuid of version 4 out of what it stands for (iFDO accepts no other version): same words, same uuid."""
    digest = sha256("\n".join(map(str, told)).encode()).digest()
    return str(UUID(bytes=digest[:16], version=4))


def given_family(name: str) -> tuple[str, str]:
    """Given and family name: apart at the comma ("Larsen, Ada"), else at the last blank; given is empty for one word.

    >>> given_family("Ada Larsen"), given_family("van Dyk, Jan")
    (('Ada', 'Larsen'), ('Jan', 'van Dyk'))
    """
    family, comma, given = name.partition(", ")
    if not comma:
        given, _, family = name.rpartition(" ")
    return given, family


def lower_name(text: str) -> str:
    """A name that every file system and archive takes."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-.") or "dataset"


def aqqua_version() -> str:
    """Version of this package."""
    try:
        return version("aqqua")
    except PackageNotFoundError:
        return "not installed as a package"


def media_type_of(path: Path | str) -> str:
    """What programs call a file."""
    return _MEDIA.get(Path(path).suffix, "text/plain" if Path(path).name in {"LICENSE", "CURRENT"} else _OTHER)


_OTHER = "application/octet-stream"
_MEDIA = {
    ".parquet": "application/x-parquet",
    ".json": "application/json",
    ".yaml": "application/yaml",
    ".md": "text/markdown",
    ".txt": "text/plain",
    ".csv": "text/csv",
    ".cff": "application/yaml",
    ".zip": "application/zip",
}
