"""Maps as numbers to be added up: units of carbon, areas of cells, and the piece of each taxon and layer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from aqqua.errors import ConfigError
from aqqua.maps.cube import cell_area_m2

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["DAYS_PER_YEAR", "Piece", "areas_m2", "integrate", "named", "pieces", "unit_to_mg"]

Floats = NDArray[np.float64]
DAYS_PER_YEAR = 365.25
CARBON_G_PER_MOL = 12.011
_MEMBERS = ("member", "replicate")
_MASS_MG = {
    "pg": 1e-9, "ng": 1e-6, "ug": 1e-3, "mg": 1.0, "g": 1e3, "kg": 1e6,
    "umol": CARBON_G_PER_MOL * 1e-3, "mmol": CARBON_G_PER_MOL, "mol": CARBON_G_PER_MOL * 1e3,
}  # fmt: skip
_PER_DAY = {"d": 1.0, "day": 1.0, "s": 86400.0, "h": 24.0, "yr": 1 / DAYS_PER_YEAR, "year": 1 / DAYS_PER_YEAR}
_PER_DAY |= {"a": 1 / DAYS_PER_YEAR, "y": 1 / DAYS_PER_YEAR}
_UNIT = re.compile(r"^(\w+) ?(?:C )?m-([23])(?: (\w+)-1)?$")


@dataclass(frozen=True)
class Piece:
    """One taxon in one layer.

    Args:
        name: of the taxon, or the variable.
        limits: of the layer in m, None where the map does not say.
        values: (members, h, w).
        sd: (h, w), None where there is none.
    """

    name: str
    limits: tuple[float, float] | None
    values: Floats
    sd: Floats | None

    @property
    def layer(self) -> str:
        """In words; empty where the map does not say."""
        return f"{self.limits[0]:g}–{self.limits[1]:g} m" if self.limits else ""


def integrate(values: Floats, area_m2: Floats) -> tuple[float, float]:
    """Σ value · area over cells that have a value, and their area in km².

    Args:
        values: (h, w), NaN where there is none.
        area_m2: (h, w).
    """
    known = np.isfinite(values)
    return float((values[known] * area_m2[known]).sum()), float(area_m2[known].sum() / 1e6)


def unit_to_mg(unit: str, where: object = "") -> tuple[float, int, bool]:
    """What turns a unit of carbon into mg, m⁻² or m⁻³, and d⁻¹.

    Args:
        unit: as "mg m-2 d-1", "mg C/m2/day", "mol m⁻² yr⁻¹", "mg m-3".
        where: names it in errors.

    Returns:
        Factor, 2 or 3 (per m² or m³), and whether it is per time.

    Raises:
        ConfigError: it is no unit of carbon per area or volume.

    >>> unit_to_mg("mg m-2 d-1"), unit_to_mg("g C/m2")
    ((1.0, 2, True), (1000.0, 2, False))
    """
    plain = unit.translate(str.maketrans("⁻⁰¹²³µμ", "-0123uu")).replace("**", "").replace("^", "").replace(".", " ")
    plain = re.sub(r"/\s*m([23])", r" m-\1", plain)
    plain = re.sub(r"/\s*(\w+)", r" \1-1", plain)
    plain = re.sub(r"^(\w+?)C\b", r"\1", " ".join(plain.split()))
    match = _UNIT.match(plain)
    if not match or match[1] not in _MASS_MG or (match[3] and match[3] not in _PER_DAY):
        what = f"{unit!r} is no unit of carbon per area or volume" if unit else "the variable has no units"
        raise ConfigError(what, where=where, do='write it as "mg m-2 d-1" (flux), "mg m-3" or "mg m-2" (carbon)')
    per_day = _PER_DAY[match[3]] if match[3] else 1.0
    return _MASS_MG[match[1]] * per_day, int(match[2]), bool(match[3])


def named(maps: xr.Dataset, where: object) -> xr.Dataset:
    """The same maps with their axes called latitude and longitude.

    Raises:
        ConfigError: they have no such axes.
    """
    names = {"lat": "latitude", "lon": "longitude"}
    short = {one: name for one, name in names.items() if one in maps.dims and name not in maps.dims}
    renamed = maps.rename(short)
    if lacking := [name for name in names.values() if name not in renamed.dims]:
        what = f"the map has no dimension {', '.join(lacking)}"
        raise ConfigError(what, where=where, do="totals need a regular grid")
    return renamed


def areas_m2(maps: xr.Dataset, where: object) -> Floats:
    """Area of each cell in m², (h, w).

    Raises:
        ConfigError: the grid is not regular.
    """
    steps = []
    for name in ("latitude", "longitude"):
        apart = np.diff(np.asarray(maps[name].values, np.float64))
        if not len(apart) or not np.allclose(apart, apart[0], rtol=1e-3):
            what = f"the {name}s of the map are not evenly spaced"
            raise ConfigError(what, where=where, do="totals need a regular grid")
        steps.append(abs(float(apart.mean())))
    latitude = np.asarray(maps["latitude"].values, np.float64)
    area = cell_area_m2(latitude, steps[0], steps[1])
    return np.asarray(np.repeat(area[:, None], maps.sizes["longitude"], axis=1))


def pieces(maps: xr.Dataset, field: xr.DataArray, sds: xr.DataArray | None) -> Iterator[Piece]:
    """Each taxon in each layer; months are taken together as their mean.

    Args:
        maps: the dataset, for the names of taxa and the limits of layers.
        field: the variable.
        sds: its standard deviations, None where there are none.

    Raises:
        ConfigError: the variable has a dimension that is none of ours.
    """
    extra = [str(dim) for dim in field.dims if dim not in {"latitude", "longitude", "month", *_MEMBERS}]
    if unknown := [dim for dim in extra if dim not in {"taxon", "layer"}]:
        raise ConfigError(f"the map has a dimension {unknown[0]}", do="choose one value of it first")
    for taxon in range(maps.sizes["taxon"]) if "taxon" in extra else (None,):
        for layer in range(maps.sizes["layer"]) if "layer" in extra else (None,):
            at = {dim: place for dim, place in (("taxon", taxon), ("layer", layer)) if place is not None}
            titled = taxon is not None and "taxon_name" in maps
            name = str(maps["taxon_name"].values[taxon]) if titled else str(field.name)
            own = None if sds is None else sds.isel({dim: place for dim, place in at.items() if dim in sds.dims})
            yield Piece(name, _limits(maps, layer), _year(field.isel(at)), None if own is None else _year(own)[0])


def _limits(maps: xr.Dataset, layer: int | None) -> tuple[float, float] | None:
    if layer is None or "layer_min_m" not in maps or "layer_max_m" not in maps:
        return None
    return float(maps["layer_min_m"].values[layer]), float(maps["layer_max_m"].values[layer])


def _year(piece: xr.DataArray) -> Floats:
    """(members, h, w); months as their mean, each month alike."""
    if "month" in piece.dims:
        piece = piece.mean("month", skipna=True)
    members = [dim for dim in _MEMBERS if dim in piece.dims]
    ordered = piece.transpose(*members, "latitude", "longitude").values.astype(np.float64)
    return np.asarray(ordered if members else ordered[None])
