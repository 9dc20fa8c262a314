"""From a body and its pose to what light meets: absorption, scattering, phase and fluorescence on a fine grid in µm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aqqua.ocean.chance import Array, named_rng
from aqqua.ocean.filters import clouds
from aqqua.ocean.materials import coefficients
from aqqua.ocean.raster import Canvas, extent_um, thickness_um, turn
from aqqua.ocean.shapes import Body

__all__ = ["APPENDAGE", "BODY", "Optics", "Pose", "look_at"]

APPENDAGE, BODY = 1, 2
"""Values of the mask: 0 water, 1 antennae, setae, spines and tentacles, 2 body."""

_EDGE_UM_OF_GRID = 0.25


@dataclass(frozen=True)
class Pose:
    """How an organism lies before the camera, in degrees.

    Args:
        yaw_deg: turn in the image plane (0: head to the right).
        pitch_deg: head towards (+) or away from the camera.
        roll_deg: turn around the own axis (0: seen from the back, 90: from the side).
    """

    yaw_deg: float = 0.0
    pitch_deg: float = 0.0
    roll_deg: float = 0.0

    def matrix(self) -> Array:
        """Rotation matrix (3, 3): first roll, then pitch, then yaw."""
        angles = np.radians([self.yaw_deg, self.pitch_deg, self.roll_deg])
        (cy, cp, cr), (sy, sp, sr) = np.cos(angles), np.sin(angles)
        yaw = np.array([[cy, -sy, 0], [sy, cy, 0], [0, 0, 1]])
        pitch = np.array([[cp, 0, -sp], [0, 1, 0], [sp, 0, cp]])
        roll = np.array([[1, 0, 0], [0, cr, -sr], [0, sr, cr]])
        whole: Array = (yaw @ pitch @ roll).astype(np.float32)
        return whole


@dataclass(frozen=True)
class Optics:
    """What light meets on its way through an organism, on a fine grid.

    Args:
        absorb: (3, h, w) natural-log absorption in red, green and blue.
        scatter: (h, w) scattering towards a dark-field camera.
        phase_um: (h, w) optical path difference to water in µm.
        chlorophyll: (h, w) chlorophyll fluorescence, relative.
        dna: (h, w) fluorescence of a DNA stain, relative.
        thickness_um: (h, w) length of the line of sight within the body.
        mask: (h, w) exact: 0 water, `APPENDAGE`, `BODY`.
        grid_um: side of a grid cell.
    """

    absorb: Array
    scatter: Array
    phase_um: Array
    chlorophyll: Array
    dna: Array
    thickness_um: Array
    mask: npt.NDArray[np.uint8]
    grid_um: float


def look_at(body: Body, pose: Pose, grid_um: float, margin_um: float = 0.0, multiple: int = 1) -> Optics:
    """Project a body along the line of sight.

    Args:
        body: in its own frame, µm.
        pose: how it lies.
        grid_um: side of a grid cell.
        margin_um: water around it.
        multiple: rows and columns are multiples of this.

    Returns:
        The sums along the line of sight.
    """
    rotation = pose.matrix()
    parts = [turn(part, rotation) for part in body.parts]
    canvas = _canvas([extent_um(part) for part in parts if part.role != "haze"], grid_um, margin_um, multiple)
    sums: dict[str, Array] = {}
    hull = np.zeros(canvas.shape, np.float32)
    mask = np.zeros(canvas.shape, np.uint8)
    for part in parts:
        paths = thickness_um(part, canvas)
        for material, path in paths.items():
            sums[material] = sums[material] + path if material in sums else path
        path = paths[part.material]
        seen = path > _EDGE_UM_OF_GRID * grid_um
        if part.role == "appendage":
            mask[seen & (mask == 0)] = APPENDAGE
        elif part.role != "haze":
            mask[seen] = BODY
            if part.role == "body":
                hull += path
    return _optics(body, sums, hull, mask, grid_um)


def _canvas(extents: list[tuple[Array, Array]], grid_um: float, margin_um: float, multiple: int) -> Canvas:
    low = np.min([low for low, _ in extents], axis=0) - margin_um
    high = np.max([high for _, high in extents], axis=0) + margin_um
    cells = np.maximum(np.ceil((high - low) / grid_um).astype(int) + 1, 8)
    cells += -cells % multiple
    origin = (low + high) / 2 - cells * grid_um / 2
    return Canvas((int(cells[1]), int(cells[0])), grid_um, (float(origin[0]), float(origin[1])))


def _optics(body: Body, sums: dict[str, Array], hull: Array, mask: npt.NDArray[np.uint8], grid_um: float) -> Optics:
    table = np.stack([coefficients(name) for name in sums], axis=1)
    stack = np.stack(list(sums.values()))
    total = (table @ stack.reshape(len(sums), -1)).reshape(-1, *mask.shape)
    refraction = total[4].copy()
    total *= np.float32(body.density)
    total[4] = refraction
    if body.mottle:
        rng = named_rng(body.texture_seed, "texture")
        scale = max(3.0, body.traits.width_um / grid_um / 3)
        texture = 1 + body.mottle * clouds(rng, mask.shape, scale, octaves=3)
        total *= np.clip(texture, 0.15, 2.5)
    return Optics(total[:3], total[3], total[4], total[5], total[6], hull, mask, grid_um)
