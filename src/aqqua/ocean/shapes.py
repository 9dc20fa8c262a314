"""The building stones of organisms: tubes, ellipsoids, thin sheets and clouds of grains, in three dimensions, in µm.

An organism is a `Body`: a list of such parts in its own frame (x along the body towards the head, y to its left,
z to its back). It is built once from its traits; every instrument then sees the same body in another pose.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from aqqua.ocean.chance import Array

__all__ = ["Body", "Cloud", "Ellipsoids", "Part", "Role", "Sheet", "Traits", "Tubes", "merge_tubes", "tube"]

Role: TypeAlias = Literal["body", "organ", "appendage", "haze"]
"""`body` is the hull (it has the volume), `organ` lies within it, `appendage` sticks out, `haze` has no edge."""


@dataclass(frozen=True)
class Tubes:
    """Cones between pairs of points; where they touch they join without a seam.

    Args:
        start, end: points (n, 3) in µm.
        start_radius, end_radius: (n,) in µm.
        wall_um: thickness of the wall of a hollow tube; 0 is solid.
        flat: ends cut straight rather than rounded.
        skin: material of a wall laid over a solid tube.
        skin_um: its thickness.
    """

    start: Array
    end: Array
    start_radius: Array
    end_radius: Array
    material: str
    role: Role = "body"
    wall_um: float = 0.0
    flat: bool = False
    skin: str = ""
    skin_um: float = 0.0

    def volume_um3(self) -> float:
        """Volume of the cones without the rounded joints."""
        length = np.linalg.norm(self.end - self.start, axis=1)

        def cones(inset: float) -> float:
            r, s = np.maximum(self.start_radius - inset, 0), np.maximum(self.end_radius - inset, 0)
            return float((np.pi / 3 * length * (r * r + r * s + s * s)).sum())

        return cones(0.0) - (cones(self.wall_um) if self.wall_um else 0.0)


@dataclass(frozen=True)
class Ellipsoids:
    """Ellipsoids, solid or hollow.

    Args:
        centre: (n, 3) in µm.
        axes: (n, 3, 3) in µm; the columns are the three semi-axes.
        wall_um: thickness of the wall; 0 is solid.
    """

    centre: Array
    axes: Array
    material: str
    role: Role = "body"
    wall_um: float = 0.0

    def volume_um3(self) -> float:
        """Volume of what is solid."""
        semi = np.linalg.norm(self.axes, axis=1)
        inner = np.maximum(semi - self.wall_um, 0) if self.wall_um else np.zeros_like(semi)
        return float(4 / 3 * np.pi * (semi.prod(axis=1) - inner.prod(axis=1)).sum())


@dataclass(frozen=True)
class Sheet:
    """A thin curved sheet (fin, bell, shell) given by a grid of points.

    Args:
        points: (u, v, 3) in µm.
        thickness_um: how thick it is.
    """

    points: Array
    thickness_um: float
    material: str
    role: Role = "appendage"

    def volume_um3(self) -> float:
        """Area times thickness."""
        return float(cell_areas(self.points).sum() * self.thickness_um)


@dataclass(frozen=True)
class Cloud:
    """Many small grains.

    Args:
        points: (n, 3) in µm.
        radius: (n,) in µm.
    """

    points: Array
    radius: Array
    material: str
    role: Role = "organ"

    def volume_um3(self) -> float:
        """Volume of all grains."""
        return float((4 / 3 * np.pi * self.radius.astype(np.float64) ** 3).sum())


Part: TypeAlias = Tubes | Ellipsoids | Sheet | Cloud


@dataclass(frozen=True)
class Traits:
    """What is true about one organism or particle, in µm and µm³.

    Args:
        length_um: the length of the body along its axis, without antennae, setae and tentacles.
        width_um: the largest width of the body across its axis.
        volume_um3: volume of the body (hull); 0 until the body is built.
        stage: developmental stage or sex, for example "CV" or "adult female".
        form: which of the shapes of its taxon, for example "tuft".
        eggs: number of eggs carried.
        cells: number of cells in a chain or colony.
        lipid_fraction: volume of the oil sac over volume of the body.
    """

    length_um: float
    width_um: float
    volume_um3: float = 0.0
    stage: str | None = None
    form: str | None = None
    eggs: int = 0
    cells: int | None = None
    lipid_fraction: float = 0.0

    @property
    def esd_um(self) -> float:
        """Diameter of the sphere of the same volume."""
        return float((6 / np.pi * self.volume_um3) ** (1 / 3))


@dataclass(frozen=True)
class Body:
    """One organism in three dimensions.

    Args:
        parts: its parts, in µm, in its own frame.
        traits: what is true about it.
        density: how much stuff there is per volume of tissue: large animals are more watery than small ones, so that
            neither is black or invisible; multiplies absorption, scattering and fluorescence, not refraction.
        mottle: how uneven the tissue is (0 is glass, 0.5 is coarse).
        texture_seed: seed of that unevenness.
    """

    parts: tuple[Part, ...]
    traits: Traits
    density: float = 1.0
    mottle: float = 0.25
    texture_seed: int = field(default=0, repr=False)

    def with_volume(self) -> Body:
        """The same body, its volume added up from the parts of the hull."""
        volume = sum(part.volume_um3() for part in self.parts if part.role == "body")
        return replace(self, traits=replace(self.traits, volume_um3=volume))


def tube(
    points: npt.ArrayLike,
    radii: npt.ArrayLike,
    material: str,
    role: Role = "body",
    wall_um: float = 0.0,
    flat: bool = False,
    skin: str = "",
    skin_um: float = 0.0,
) -> Tubes:
    """A tube along a line of points.

    Args:
        points: (k, 3) in µm.
        radii: (k,) in µm, or one for all.
        material: name in the table of materials.
        role: see `Role`.
        wall_um: thickness of the wall of a hollow tube; 0 is solid.
        flat: ends cut straight.
        skin: material of a wall laid over it.
        skin_um: thickness of the skin.
    """
    line = np.asarray(points, np.float32)
    r = np.broadcast_to(np.asarray(radii, np.float32), line.shape[:1])
    return Tubes(line[:-1], line[1:], r[:-1], r[1:], material, role, wall_um, flat, skin, skin_um)


def merge_tubes(tubes: Iterable[Tubes]) -> Tubes:
    """Several tubes of one material as one part (drawn in one go)."""
    them = list(tubes)
    first = them[0]
    return Tubes(
        np.concatenate([t.start for t in them]),
        np.concatenate([t.end for t in them]),
        np.concatenate([t.start_radius for t in them]),
        np.concatenate([t.end_radius for t in them]),
        first.material,
        first.role,
        first.wall_um,
        first.flat,
        first.skin,
        first.skin_um,
    )


def cell_areas(points: Array) -> Array:
    """Areas (u-1, v-1) of the cells of a grid of points (u, v, 3)."""
    across = points[1:, 1:] - points[:-1, :-1]
    along = points[1:, :-1] - points[:-1, 1:]
    areas: Array = 0.5 * np.linalg.norm(np.cross(across, along), axis=2)
    return areas
