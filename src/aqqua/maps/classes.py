"""Size classes: EcoPart's 45 classes of equivalent spherical diameter, three to each octave, and any others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from aqqua.errors import ConfigError

__all__ = ["ECOPART_EDGES_UM", "class_of", "read_edges", "snap", "sphere_mm3"]

ECOPART_EDGES_UM: NDArray[np.float64] = 2.0 ** (np.arange(45) / 3)
"""(45,) lower edges in µm: 1, 1.26, … 26,008; the last class has no upper edge (EcoPart's "PartDetClassLimit")."""

_NEAR = 0.011  # EcoPart writes its edges with three digits


def sphere_mm3(esd_um: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Volume of spheres in mm³ from their diameters in µm: π/6 · d³.

    >>> round(float(sphere_mm3(1000.0)), 4)
    0.5236
    """
    return np.asarray(np.pi / 6 * (np.asarray(esd_um, np.float64) / 1000) ** 3)


def class_of(esd_um: NDArray[np.float64], edges_um: NDArray[np.float64]) -> NDArray[np.int64]:
    """Number of the class of each diameter: the lower edge belongs to it, the upper one not.

    Args:
        esd_um: (n,) diameters in µm.
        edges_um: (k,) lower edges, ascending; the last class is open.

    Returns:
        (n,) from 0; −1 for what is smaller than the first edge or no number.

    >>> class_of(np.array([0.5, 1.0, 1.3, 1e6]), ECOPART_EDGES_UM).tolist()
    [-1, 0, 1, 44]
    """
    number = np.searchsorted(edges_um, esd_um, side="right") - 1
    return np.where(np.isfinite(esd_um), number, -1).astype(np.int64)


def snap(edge_um: float) -> float:
    """The exact edge of EcoPart that a rounded one means; others stay as they are.

    >>> round(snap(813.0), 3), snap(700.0)
    (812.749, 700.0)
    """
    if not edge_um > 0:
        return edge_um
    exact = float(2.0 ** (round(3 * np.log2(edge_um)) / 3))
    return exact if abs(edge_um / exact - 1) < _NEAR else edge_um


def read_edges(text: str | Sequence[float]) -> NDArray[np.float64]:
    """Edges from a list of numbers, or "ecopart".

    Args:
        text: "ecopart", "200,500,1000" or numbers, in µm.

    Raises:
        ConfigError: not numbers that rise.
    """
    if isinstance(text, str) and text.strip().lower() == "ecopart":
        return ECOPART_EDGES_UM
    try:
        parts = text.split(",") if isinstance(text, str) else text
        edges = np.array([float(part) for part in parts], np.float64)
    except ValueError as error:
        raise ConfigError(f"{text!r} are no edges", do="write them as 200,500,1000 (µm), or ecopart") from error
    if len(edges) < 2 or not np.isfinite(edges).all() or (np.diff(edges) <= 0).any() or edges[0] < 0:
        raise ConfigError(f"{text!r} are no edges that rise", do="write at least two, as 200,500,1000 (µm)")
    return edges
