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

__all__ = ["Body", "Cloud", "Ellipsoids", "Part", "Role", "Sheet", "Traits", "Tubes", "lathe", "merge_tubes", "tube"]

Role: TypeAlias = Literal["body", "organ", "appendage", "haze"]
"""`body` is the hull (it has the volume), `organ` lies within it, `appendage` sticks out, `haze` has no edge."""


@dataclass(frozen=True)
class Tubes:
    """Cones between pairs of points; where they touch they join without a seam.

    Args:
        start, end: points (n, 3) in µm.
        start_radius, end_radius: (n,) in µm.
        stout: (n,) radius over half length of the whole tube: 0 a thread, 1 a ball. A thread seen obliquely has a
            longer way through it than one seen from the side, a ball has not.
        wall_um: thickness of the wall of a hollow tube; 0 is solid.
        flat: ends cut straight rather than rounded.
        skin: material of a wall laid over a solid tube.
        skin_um: its thickness.
        bundle: many threads that lie over each other: their thickness adds up.
        known_um3: volume with the rounded ends.
    """

    start: Array
    end: Array
    start_radius: Array
    end_radius: Array
    stout: Array
    material: str
    role: Role = "body"
    wall_um: float = 0.0
    flat: bool = False
    skin: str = ""
    skin_um: float = 0.0
    bundle: bool = False
    known_um3: float | None = None

    def volume_um3(self) -> float:
        """Volume of the cones, or what is known."""
        if self.known_um3 is not None:
            return self.known_um3
        return self._cones_um3(0.0) - (self._cones_um3(self.wall_um) if self.wall_um else 0.0)

    def _cones_um3(self, inset_um: float) -> float:
        length = np.linalg.norm(self.end - self.start, axis=1)
        r, s = np.maximum(self.start_radius - inset_um, 0), np.maximum(self.end_radius - inset_um, 0)
        return float((np.pi / 3 * length * (r * r + r * s + s * s)).sum())


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
        known_um3: volume of the body that the sheet is the surface of, if it is one.
    """

    points: Array
    thickness_um: float
    material: str
    role: Role = "appendage"
    known_um3: float | None = None

    def volume_um3(self) -> float:
        """Area times thickness, or what is known."""
        if self.known_um3 is not None:
            return self.known_um3
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
    half = float(np.ptp(line, axis=0).max()) / 2 + float(r.max())
    stout = np.full(len(line) - 1, min(1.0, float(r.max()) / half), np.float32)
    open_ended = Tubes(line[:-1], line[1:], r[:-1], r[1:], stout, material, role, wall_um, flat, skin, skin_um)
    if flat or wall_um:
        return open_ended
    ends = float(2 / 3 * np.pi * (r[0] ** 3 + r[-1] ** 3))
    return replace(open_ended, known_um3=open_ended.volume_um3() + ends)


def merge_tubes(tubes: Iterable[Tubes], *, bundle: bool = False) -> Tubes:
    """Several tubes of one material as one part (drawn in one go).

    Args:
        tubes: of one material.
        bundle: their thickness adds up where they cross.
    """
    them = list(tubes)
    return replace(
        them[0],
        start=np.concatenate([t.start for t in them]),
        end=np.concatenate([t.end for t in them]),
        start_radius=np.concatenate([t.start_radius for t in them]),
        end_radius=np.concatenate([t.end_radius for t in them]),
        stout=np.concatenate([t.stout for t in them]),
        bundle=bundle,
        known_um3=sum(t.volume_um3() for t in them),
    )


def lathe(
    x: npt.ArrayLike,
    radii: npt.ArrayLike,
    material: str,
    role: Role = "body",
    skin: str = "",
    skin_um: float = 0.0,
    sag: npt.ArrayLike = 0.0,
) -> Tubes:
    """A body of revolution about the x axis.

    The largest balls that fit into its outline: from wherever it is seen it has that outline (corners are rounded).

    Args:
        x: (k,) positions along the axis in µm, falling or rising.
        radii: (k,) of the outline in µm.
        material: name in the table of materials.
        role: see `Role`.
        skin: material of a wall laid over it.
        skin_um: thickness of the skin.
        sag: (k,) or one: how far the axis is bent towards z, in µm (little).
    """
    at, outline = np.asarray(x, np.float64), np.asarray(radii, np.float64)
    order = np.argsort(at)
    at, outline = at[order], outline[order]
    fine = np.linspace(at[0], at[-1], 160)
    edge_x = np.concatenate([[at[0]] * 12, fine, [at[-1]] * 12])
    lids = [np.linspace(0, outline[0], 12), np.linspace(outline[-1], 0, 12)]
    edge_r = np.concatenate([lids[0], np.interp(fine, at, outline), lids[1]])
    middle = np.linspace(at[0], at[-1], 27)[1:-1]
    ball = np.sqrt(((middle[:, None] - edge_x) ** 2 + edge_r**2).min(axis=1))
    within = np.abs(middle[:, None] - middle) + ball[:, None] <= ball + 1e-9 * np.ptp(at)
    needed = within.sum(axis=1) == 1
    needed[1:-1] |= needed[:-2] | needed[2:]
    middle, ball = middle[needed], ball[needed]
    height = np.interp(middle, at, np.broadcast_to(np.asarray(sag, np.float64), at.shape)[order])
    body = tube(np.stack([middle, 0 * middle, height], axis=1), ball, material, role, skin=skin, skin_um=skin_um)
    swept = np.maximum(ball**2 - (fine[:, None] - middle) ** 2, 0).max(axis=1)  # outline of the balls, squared
    stout = np.full(len(middle) - 1, min(1.0, 2 * float(outline.max()) / float(np.ptp(at))), np.float32)
    return replace(body, stout=stout, known_um3=float(np.pi * swept.mean() * np.ptp(at)))


def cell_areas(points: Array) -> Array:
    """Areas (u-1, v-1) of the cells of a grid of points (u, v, 3)."""
    across = points[1:, 1:] - points[:-1, :-1]
    along = points[1:, :-1] - points[:-1, 1:]
    areas: Array = 0.5 * np.linalg.norm(np.cross(across, along), axis=2)
    return areas
