"""Totals over an area with the interval of a spatial block bootstrap, inside and outside the area of applicability."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aqqua.maps.interpolate.problem import Floats, Prediction

__all__ = ["Total", "integrate"]


@dataclass(frozen=True)
class Total:
    """A sum over an area.

    Args:
        where: "all", "inside" or "outside" the area of applicability.
        value: sum of mean × area × thickness, in the unit of the values times m³.
        low: 5 % of the block bootstrap.
        high: 95 % of the block bootstrap.
        area_km2: area that was summed.
    """

    where: str
    value: float
    low: float
    high: float
    area_km2: float


def integrate(prediction: Prediction, area_m2: Floats, thickness_m: float | Floats) -> dict[str, Total]:
    """Sum a prediction over its cells: all, inside and outside the area of applicability.

    Args:
        prediction: of m cells.
        area_m2: ocean area of each cell, shape (m,).
        thickness_m: of the layer; one number or shape (m,), for layers that end at the bottom.
    """
    raise NotImplementedError
