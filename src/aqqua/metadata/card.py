"""The card of a source or dataset: title, licence, people, consent, and constants for missing metadata."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import yaml

from aqqua.errors import ConfigError, NotFoundError, UnknownNameError
from aqqua.metadata import licences
from aqqua.metadata.safe_yaml import load_yaml

__all__ = ["CREDIT_ROLES", "LICENCES", "Card", "Person"]

# SPDX identifiers that data are published under, and the honest answer where nobody has said.
LICENCES = tuple(licences.LICENCES)

PUBLISH = ("", "on", "embargo", "never")

# The fourteen contributor roles of CRediT (ANSI/NISO Z39.104-2022).
CREDIT_ROLES = (
    "Conceptualization",
    "Data curation",
    "Formal analysis",
    "Funding acquisition",
    "Investigation",
    "Methodology",
    "Project administration",
    "Resources",
    "Software",
    "Supervision",
    "Validation",
    "Visualization",
    "Writing – original draft",
    "Writing – review & editing",
)

_YES_OR_NO = ("license_allows_training", "consent_global_interpolation")
_OTHER_SPELLINGS = {
    "license": "licence",
    "licence_allows_training": "license_allows_training",
    "instrument": "instruments",
}


@dataclass(frozen=True)
class Person:
    """Somebody who made the data.

    Args:
        name: as it should be cited.
        orcid: 0000-0000-0000-000X, with a correct check digit.
        affiliation: institute.
        ror: identifier of the institute (https://ror.org).
        roles: CRediT roles.
        author: whether the person is an author of the dataset, in the order of the card.
    """

    name: str
    orcid: str | None = None
    affiliation: str | None = None
    ror: str | None = None
    roles: tuple[str, ...] = ()
    author: bool = True

    def __post_init__(self) -> None:
        """Check identifier and roles."""
        if self.orcid is not None:
            object.__setattr__(self, "orcid", _orcid(self.orcid, self.name))
        object.__setattr__(self, "roles", tuple(_credit_role(role) for role in _texts(self.roles)))


@dataclass(frozen=True)
class Card:
    """What is said once for a whole source or dataset.

    Args:
        licence: SPDX identifier, or "unknown".
        license_allows_training: whether a model may learn from it; None if nobody has said.
        consent_global_interpolation: whether the owner agrees to global maps from it; None if not asked.
        defaults: constants for *missing* metadata, names as in Converted Metadata, or
            with a unit (pixel_size_mm: 0.068).
        overrides: constants that win over what the source says.
        units: column → unit, where the owner knows better than the mapping what the numbers mean.
        table: an owner's table with one row per image, object or sample; its values win over the source.
        labels: an owner's table of labels (label, taxon, aphia_id …), which wins over the built-in names.
        taxa: a snapshot of taxa made by `aqqua taxa freeze`, known besides the built-in names.
        habitat: "marine", "brackish" or "fresh water": where positions on land may be lakes and rivers.
        institution: to be named in the acknowledgement.
        acknowledgement: the wording the owners or their funder want.
        publish: "on" a date, "embargo" (not before a date), or "never"; empty if nobody was asked.
        publish_on: that date, as 2027-07-15.
        publish_licence: licence of the publication; that of the card, if it is not said.
        submission: id of the data sharing form by which it came.
        checks: thresholds of the checks that differ from the usual ones.
    """

    title: str = ""
    abstract: str = ""
    version: str = "1"
    id: str = ""
    instruments: tuple[str, ...] = ()
    platform: str = ""
    project: str = ""
    licence: str = "unknown"
    license_allows_training: bool | None = None
    access: str = ""
    people: tuple[Person, ...] = ()
    contact: str = ""
    funding: tuple[str, ...] = ()
    source: str = ""
    citation: str = ""
    doi: str = ""
    related: tuple[Mapping[str, str], ...] = ()
    coordinates_precision: str = ""
    consent_global_interpolation: bool | None = None
    defaults: Mapping[str, Any] = field(default_factory=dict)
    overrides: Mapping[str, Any] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    table: Path | None = None
    labels: Path | None = None
    taxa: Path | None = None
    habitat: str = ""
    institution: str = ""
    acknowledgement: str = ""
    publish: str = ""
    publish_on: str = ""
    publish_licence: str = ""
    submission: str = ""
    checks: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check every entry that has a closed set of values."""
        if self.licence not in LICENCES:
            raise UnknownNameError("licence", self.licence, LICENCES)
        for name in _YES_OR_NO:
            if getattr(self, name) not in {True, False, None}:
                raise ConfigError(f"{name} is {getattr(self, name)!r}", do="write true, false, or leave it out")
        if self.publish not in PUBLISH:
            raise UnknownNameError("publication", self.publish, PUBLISH[1:])
        if self.publish_licence and self.publish_licence not in LICENCES:
            raise UnknownNameError("licence", self.publish_licence, LICENCES)
        if self.publish_on:
            _check_date("publish_on", self.publish_on)
        for column, unit in self.units.items():
            _check_unit(column, str(unit))

    @classmethod
    def load(cls, path: Path | str) -> Card:
        """Read a card.

        Args:
            path: a YAML file; a relative `table` is taken as lying beside it.

        Raises:
            NotFoundError: there is no such file.
            ConfigError: it is not YAML, or an entry has the wrong form.
            UnknownNameError: an unknown key, licence or role; the message names the nearest.
        """
        path = Path(path)
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (FileNotFoundError, IsADirectoryError) as error:
            raise NotFoundError("there is no such card", where=path, do="check the path of the card") from error
        except UnicodeDecodeError as error:
            raise ConfigError("the card is not text in UTF-8", where=path, do="save it as UTF-8") from error
        return cls.parse(text, where=path)

    @classmethod
    def parse(cls, text: str, *, where: Path | str = "card.yaml") -> Card:
        """Read a card from its text; `where` names it in errors."""
        loaded = load_yaml(text, what="the card", where=where)
        if loaded is None:
            loaded = {}
        if not isinstance(loaded, dict):
            raise ConfigError("a card is a list of 'name: value' lines", where=where, do="see the example in the docs")
        return _build(loaded, Path(where))

    def save(self, path: Path | str) -> None:
        """Write the card, without what has its default value."""
        Path(path).write_text(self.dump(), encoding="utf-8")

    def dump(self) -> str:
        """The card as YAML."""
        return yaml.safe_dump(self.to_dict(), allow_unicode=True, sort_keys=False, width=110)

    def to_dict(self) -> dict[str, Any]:
        """The card as plain values, without what has its default value."""
        return {
            entry.name: _plain(getattr(self, entry.name))
            for entry in dataclasses.fields(self)
            if getattr(self, entry.name) != getattr(_EMPTY, entry.name)
        }


def _check_date(name: str, text: str) -> None:
    try:
        date.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(f"{name} is {text!r}, which is no date", do="write it as 2027-07-15") from error


def _check_unit(column: str, unit: str) -> None:
    from aqqua.metadata.units import QUANTITY_OF_UNIT, unit_of

    if not any(unit_of(unit, quantity) for quantity in QUANTITY_OF_UNIT.values()):
        raise ConfigError(f"units.{column}: {unit!r} is no unit", do="write for example mm/px, L, m3, cm or dbar")


_EMPTY = Card()


def _build(loaded: dict[Any, Any], where: Path) -> Card:
    known = {entry.name for entry in dataclasses.fields(Card)}
    values: dict[str, Any] = {}
    for key, value in loaded.items():
        name = _OTHER_SPELLINGS.get(str(key), str(key))
        if name not in known:
            raise UnknownNameError("entry of a card", str(key), known, where=where)
        if value is not None:
            values[name] = _entry(name, value, where)
    try:
        return Card(**values)
    except (ConfigError, UnknownNameError) as error:
        error.where = error.where or str(where)
        raise


def _entry(name: str, value: Any, where: Path) -> Any:
    if name in {"people", "related"}:
        return _entries(name, value, where)
    if name in {"instruments", "funding"}:
        return _texts(value)
    if name in {"defaults", "overrides", "units"}:
        return _constants(name, value, where)
    if name == "checks" and isinstance(value, dict):
        return {str(key): item for key, item in value.items()}
    if name in {"table", "labels", "taxa"}:
        return where.parent / str(value)
    if isinstance(value, (dict, list)):
        raise ConfigError(f"{name} is one line of text", where=where, do=f"write {name}: …")
    if name == "publish" and isinstance(value, bool):
        value = "on" if value else "never"  # what YAML makes of a bare  publish: on
    return value if isinstance(value, bool) or name in _YES_OR_NO else str(value)


def _entries(name: str, value: Any, where: Path) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise ConfigError(f"{name} is a list", where=where, do=f"start every entry of {name} with '- '")
    if name == "people":
        return tuple(_person(entry, where) for entry in value)
    if not all(isinstance(entry, dict) for entry in value):
        raise ConfigError(f"an entry of {name} is not 'name: value'", where=where, do="write {doi: …, relation: …}")
    return tuple({str(key): str(item) for key, item in entry.items()} for entry in value)


def _constants(name: str, value: Any, where: Path) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ConfigError(f"{name} is a list of 'field: value' lines", where=where, do="for example  pixel_um: 68")
    for key, constant in value.items():
        if isinstance(constant, (dict, list)):
            raise ConfigError(f"{name}.{key} is not one value", where=where, do="give one number, date or word")
    return {str(key): constant for key, constant in value.items() if constant is not None}


def _person(entry: Any, where: Path) -> Person:
    if isinstance(entry, str):
        return Person(name=entry)
    if not isinstance(entry, dict) or not entry.get("name"):
        raise ConfigError("a person has no name", where=where, do="write  people: [{name: …, orcid: …, roles: […]}]")
    known = {field.name for field in dataclasses.fields(Person)}
    for key in entry:
        if key not in known:
            raise UnknownNameError("entry of a person", str(key), known, where=where)
    try:
        return Person(**{**entry, "roles": _texts(entry.get("roles", ()))})
    except (ConfigError, UnknownNameError) as error:
        error.where = str(where)
        raise


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, (list, tuple)):
        return tuple(str(item) for item in value)
    return (str(value),)


def _credit_role(role: str) -> str:
    def simple(text: str) -> str:
        return re.sub(r"[^a-z]+", " ", text.lower().replace("&", "and")).strip()

    for known in CREDIT_ROLES:
        if simple(known) == simple(role):
            return known
    raise UnknownNameError("CRediT role", role, CREDIT_ROLES)


def _orcid(text: str, name: str) -> str:
    """The bare identifier, its check digit verified (ISO 7064 MOD 11-2, as ORCID documents it)."""
    bare = str(text).strip().removeprefix("https://orcid.org/").removeprefix("http://orcid.org/")
    if not re.fullmatch(r"\d{4}-\d{4}-\d{4}-\d{3}[\dX]", bare):
        raise ConfigError(f"{text!r} of {name} is not an ORCID", do="write it as 0000-0002-1825-0097")
    total = 0
    for digit in bare.replace("-", "")[:-1]:
        total = (total + int(digit)) * 2
    check = (12 - total % 11) % 11
    if bare[-1] != ("X" if check == 10 else str(check)):
        raise ConfigError(f"the ORCID {bare} of {name} has a wrong check digit", do="compare it with orcid.org")
    return bare


def _plain(value: Any) -> Any:
    if isinstance(value, Person):
        empty = Person(name="")
        return {
            entry.name: _plain(getattr(value, entry.name))
            for entry in dataclasses.fields(value)
            if entry.name == "name" or getattr(value, entry.name) != getattr(empty, entry.name)
        }
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, Path):
        return value.as_posix()
    if isinstance(value, (str, bool, int, float, date, datetime)) or value is None:
        return value
    return str(value)
