"""The quantities a cube knows: name and unit in the cube, and how units of files become it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from aqqua.errors import ConfigError
from aqqua.maps.environment.gridded import Quantity

__all__ = ["KNOWN", "Known", "in_cube_units"]

_SEA_WATER_KG_L = 1.025
_ML_OXYGEN_UMOL = 44.661
"""µmol of O₂ in a millilitre at standard conditions (Garcia & Gordon 1992)."""

_MICROMOLAR = dict.fromkeys(("umol/kg", "micromoles/kilogram", "micromol/kg", "umolkg1", "micromolesperkilogram"), 1.0)
_PER_LITRE = dict.fromkeys(("umol/l", "umoll1", "mmol/m3", "mmolm3", "millimoles/m3", "um"), 1 / _SEA_WATER_KG_L)
_NUTRIENT = _MICROMOLAR | _PER_LITRE


@dataclass(frozen=True)
class Known:
    """A quantity of the cube.

    Args:
        name: of the variable in the cube.
        unit: of the cube.
        meaning: in words.
        factors: unit as files write it (without blanks, `_`, `-` and `^`) → factor to the unit of the cube.
        logarithmic: whether the cube has the logarithm to base 10.
    """

    name: str
    unit: str
    meaning: str
    factors: Mapping[str, float]
    logarithmic: bool = False


KNOWN = {
    "temperature": Known(
        "temperature_c",
        "degree_Celsius",
        "in-situ temperature of sea water",
        dict.fromkeys(("degc", "c", "degreescelsius", "degreecelsius", "degreesc", "celsius", "degreec"), 1.0),
    ),
    "salinity": Known(
        "salinity", "1", "practical salinity", dict.fromkeys(("1", "psu", "ppt", "pss", "pss78", "1e3", "0.001"), 1.0)
    ),
    "nitrate": Known("nitrate_umol_kg", "umol kg-1", "nitrate", _NUTRIENT),
    "phosphate": Known("phosphate_umol_kg", "umol kg-1", "phosphate", _NUTRIENT),
    "silicate": Known("silicate_umol_kg", "umol kg-1", "silicate", _NUTRIENT),
    "oxygen": Known(
        "oxygen_umol_kg",
        "umol kg-1",
        "dissolved oxygen",
        _NUTRIENT | dict.fromkeys(("ml/l", "mll1"), _ML_OXYGEN_UMOL / _SEA_WATER_KG_L),
    ),
    "aou": Known("aou_umol_kg", "umol kg-1", "apparent oxygen utilisation", _NUTRIENT),
    "chlorophyll": Known(
        "chlorophyll_log10",
        "1",
        "log10 of chlorophyll a in mg m-3",
        {"mg/m3": 1.0, "mgm3": 1.0, "milligramm3": 1.0, "ug/l": 1.0, "ugl1": 1.0, "kgm3": 1e6, "gm3": 1e3},
        logarithmic=True,
    ),
    "bathymetry": Known("bathymetry_m", "m", "depth of the sea floor", dict.fromkeys(("m", "meters", "metres"), 1.0)),
}
"""What `aqqua map env build NAME=FILE` knows by name; other names are taken as they come."""

_KELVIN = {"k", "kelvin", "degk", "degreesk"}


def in_cube_units(name: str, quantity: Quantity) -> tuple[np.ndarray, Known, str]:
    """Values of a quantity in the unit of the cube.

    Args:
        name: of the quantity.
        quantity: as it stands in the file.

    Returns:
        Values, what it is in the cube, and what was done to the unit, in words.

    Raises:
        ConfigError: the unit of the file is none that is known for this quantity.
    """
    known = KNOWN.get(name)
    if known is None:
        return quantity.values, Known(name, quantity.unit or "1", name.replace("_", " "), {}), ""
    unit = re.sub(r"[\s_^()-]", "", quantity.unit.lower().replace("µ", "u"))
    if name == "temperature" and unit in _KELVIN:
        return quantity.values - 273.15, known, "from kelvin"
    if unit and unit not in known.factors:
        what = f"{name} is in {quantity.unit!r}, which cannot be turned into {known.unit}"
        raise ConfigError(what, where=quantity.source, do="convert the file, or give the quantity a name of your own")
    factor = known.factors[unit] if unit else 1.0
    values, told = (
        quantity.values * factor,
        "" if unit else f"the file says no unit: taken as {'mg m-3' if known.logarithmic else known.unit}",
    )
    if factor != 1:
        told = f"times {factor:.6g} from {quantity.unit}"
    if known.logarithmic:
        values = np.log10(np.where(values > 0, values, np.nan))
    if name == "bathymetry":
        values = _downwards(values)
    return values, known, told


def _downwards(heights: np.ndarray) -> np.ndarray:
    """Depths from heights: where the lowest is deeper than any mountain is high, heights count upwards."""
    upwards = bool(np.nanmin(heights) < -1000)
    depth = -heights if upwards else heights
    return np.asarray(np.where(depth > 0, depth, np.nan))
