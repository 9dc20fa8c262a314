"""Finding columns by name: as mappings call them, wherever laboratories moved them, and as people call them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from aqqua.metadata.fields import FIELDS
from aqqua.metadata.units import QUANTITY_OF_UNIT, Quantity, Unit, unit_of

__all__ = ["ROLES", "Columns", "Meaning", "meaning", "needs_unit", "plain_name", "quantity_of"]

# What a column can be besides a field of Converted Metadata, and how people call it.
ROLES: dict[str, tuple[str, ...]] = {
    "date": ("date", "date_utc", "utc_date", "sampling_date", "sample_date", "collection_date", "event_date", "day",
             "image_date", "acquisition_date", "observation_date"),
    "time_of_day": ("time", "hour", "time_of_day", "utc_time", "sampling_hour", "clock", "event_time"),
    "depth": ("depth", "sampling_depth", "sample_depth", "image_depth", "mean_depth", "object_depth", "z"),
    "pressure": ("pressure", "press", "pres", "prdm", "water_pressure", "ctd_pressure", "sea_pressure"),
    "above_ground": ("above_ground", "height_above_ground", "altitude_above_ground", "altitude_above_seafloor",
                     "height_above_seafloor", "height_above_bottom", "distance_to_bottom", "distance_to_seafloor",
                     "meters_above_ground", "image_meters_above_ground"),
    "label": ("label", "class", "class_name", "taxon", "taxon_name", "category", "species", "annotation", "ident",
              "identification", "scientific_name", "verbatim_identification", "class_folder", "ground_truth"),
    "label_status": ("label_status", "annotation_status", "status", "validation_status"),
    "image": ("image_path", "image_file", "image_filename", "filename", "file_name", "file", "image", "image_name",
              "img_file_name", "img", "path", "vignette"),
}  # fmt: skip

_INTERNAL = {"source_path", "source_row", "image_path", "object_id"}
_MOVING = ("process", "acq", "sample")
_ENTITY = re.compile(r"^(object|acq|process|sample|img|obj)_")
_MICRO = re.compile("Âµ|[µμ\N{REPLACEMENT CHARACTER}]")


@dataclass(frozen=True)
class Meaning:
    """What a column's name says.

    Args:
        role: a field of Converted Metadata, or one of `ROLES`.
        unit: of its numbers, None where the name says none.
    """

    role: str
    unit: Unit | None = None


@cache
def plain_name(name: str) -> str:
    """A column's name in lower case, words joined by "_", "µ" as "u": "Depth (m)" → "depth_m"."""
    split = re.sub(r"(?<=[a-z]{2})(?=[A-Z])", "_", _MICRO.sub("u", name))
    return re.sub(r"[^a-z0-9%]+", "_", split.lower()).strip("_")


def _squeeze(name: str) -> str:
    return name.replace("_", "")


@cache
def _names() -> dict[str, tuple[str, bool]]:
    """Squeezed name → (role, whether it needs a unit)."""
    known: dict[str, tuple[str, bool]] = {}
    for field in FIELDS.values():
        if field.by == "harmonise":
            known |= {_squeeze(name): (field.name, True) for name in field.unit_synonyms}
            known |= {_squeeze(name): (field.name, field.numeric and field.bare is None) for name in field.synonyms}
    known |= {_squeeze(name): (role, role == "pressure") for role, names in ROLES.items() for name in names}
    known |= {_squeeze(name): (name, False) for name, field in FIELDS.items() if field.by == "harmonise"}
    return known


@cache
def meaning(name: str) -> Meaning | None:
    """What a name means that a person gave to a column or to an entry of a card.

    Args:
        name: for example "Latitude", "Depth (m)", "pixel_size_mm", "px_per_um", "dpi", "class".

    Returns:
        Role and unit, or None. A name that needs a unit and has none ("volume") means its field too, without unit.
    """
    words = plain_name(name).split("_")
    for cut in range(len(words), -1, -1):
        stem, rest = "".join(words[:cut]), words[cut:]
        if not stem:
            unit = _unit(rest, "pixel_um")
            return Meaning("pixel_um", unit) if unit and (unit.inverse or len(rest) > 1) else None
        role, _ = _names().get(stem, ("", False))
        if role and not rest:
            return Meaning(role, _own_unit(stem, role))
        unit = _unit(rest, role) if role else None
        if unit:
            return Meaning(role, unit)
        if role == "depth" and (unit := _unit(rest, "pressure")):
            return Meaning("pressure", unit)
    return None


def needs_unit(name: str) -> bool:
    """Whether a name says nothing as long as it has no unit ("volume", "resolution")."""
    return _names().get(_squeeze(plain_name(name)), ("", False))[1]


_ROLE_UNITS = {"depth": "m", "above_ground": "m", "pressure": "dbar"}


def quantity_of(role: str) -> Quantity | None:
    """What the numbers of a field or role measure, None if it has no numbers with a unit."""
    unit = FIELDS[role].unit if role in FIELDS else _ROLE_UNITS.get(role)
    return QUANTITY_OF_UNIT.get(unit or "")


def _unit(words: list[str], role: str) -> Unit | None:
    quantity = quantity_of(role)
    if quantity is None:
        return None
    return unit_of(" ".join(words), quantity) or (unit_of("/".join(words), quantity) if len(words) == 2 else None)


def _own_unit(stem: str, role: str) -> Unit | None:
    """The unit that is part of a field's own name."""
    return _unit([FIELDS[role].unit or ""], role) if role in FIELDS and stem == _squeeze(role) else None


class Columns:
    """The columns of one table, found by name.

    Args:
        names: all of them; the ones that readers add and those that begin with "_" are left out.
    """

    def __init__(self, names: Iterable[str]) -> None:
        usable = [name for name in names if name not in _INTERNAL and not name.startswith("_")]
        self._by_plain: dict[str, str] = {}
        for name in usable:
            self._by_plain.setdefault(plain_name(name), name)
        entities = {hit[1] for name in self._by_plain if (hit := _ENTITY.match(name))}
        self.is_ecotaxa = bool(entities & {"object", "obj"}) or {"acq", "sample"} <= entities or "acq" in entities
        self._by_role = self._roles()

    def _roles(self) -> dict[str, list[tuple[str, Meaning]]]:
        found: dict[str, list[tuple[str, Meaning]]] = {}
        for plain, name in self._by_plain.items():
            own = plain in FIELDS
            if self.is_ecotaxa and _ENTITY.match(plain) and not own:
                continue
            said = meaning(name)
            if said is not None:
                entries = found.setdefault(said.role, [])
                entries.insert(0 if own else len(entries), (name, said))
        return found

    def find(self, wanted: str) -> str | None:
        """The column of a mapping: of that very name, or else under another of the prefixes process_, acq_, sample_."""
        plain = plain_name(wanted)
        if plain in self._by_plain:
            return self._by_plain[plain]
        prefix, _, stem = plain.partition("_")
        if prefix in _MOVING:
            for other in _MOVING:
                if f"{other}_{stem}" in self._by_plain:
                    return self._by_plain[f"{other}_{stem}"]
        return None

    def missing(self, names: Iterable[str]) -> list[str]:
        """Those of some names that no column has."""
        return [name for name in names if plain_name(name) not in self._by_plain]

    def called(self, role: str) -> list[tuple[str, Meaning]]:
        """Columns whose name a person would give to a field or role, Converted Metadata's own name first."""
        return self._by_role.get(role, [])
