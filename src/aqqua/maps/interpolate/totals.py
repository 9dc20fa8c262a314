"""Totals over an area with the interval of a spatial block bootstrap, inside and outside the area of applicability."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from aqqua.maps.interpolate.problem import Floats, Prediction

__all__ = ["Total", "integrate"]

_ENDS = (0.05, 0.95)


@dataclass(frozen=True)
class Total:
    """A sum over an area.

    Args:
        where: "all", "inside" or "outside" the area of applicability.
        value: sum of mean × area × thickness, in the unit of the values times m³.
        low: 5 % of the block bootstrap; NaN without one.
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

    Each bootstrap gives a whole map, and the sum is taken map by map: errors of neighbouring cells go together as they
    do, neither independent (far too narrow) nor all alike (sums of standard deviations, far too wide). The interval is
    centred on the total: quantiles of replicates relative to their mean.

    Args:
        prediction: of m cells.
        area_m2: ocean area of each cell, shape (m,).
        thickness_m: of the layer; one number or shape (m,), for layers that end at the bottom.
    """
    known = np.isfinite(prediction.mean)
    masks = {"all": known, "inside": known & prediction.aoa, "outside": known & ~prediction.aoa}
    volume = np.broadcast_to(np.asarray(area_m2 * thickness_m, np.float64), known.shape)
    found = {}
    for where, mask in masks.items():
        value = float(prediction.mean[mask] @ volume[mask])
        each = prediction.replicates[:, mask].astype(np.float64) @ volume[mask]
        low, high = _interval(each, value)
        area = float(np.broadcast_to(area_m2, known.shape)[mask].sum() / 1e6)
        found[where] = Total(where, value, low, high, area)
    return found


def _interval(each: Floats, value: float) -> tuple[float, float]:
    """Ends of the interval; NaN without replicates."""
    if len(each) < 2:
        return float("nan"), float("nan")
    centre = each.mean()
    low, high = np.quantile(each, _ENDS) * (value / centre) if centre > 0 else (value, value)
    return float(low), float(high)
