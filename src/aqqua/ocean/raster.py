"""From parts in three dimensions to maps of thickness in µm, as seen along the line of sight.

Light that crosses an organism is weakened by how much of which tissue it meets, so what all cameras need is the same:
for each material the length of the chord through it at each point of the image plane. Ellipsoids and cones have it
in closed form; sheets and grains are spread over the pixels they cover (volume is conserved).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from aqqua.ocean.chance import Array
from aqqua.ocean.filters import blur
from aqqua.ocean.shapes import Cloud, Ellipsoids, Part, Sheet, Tubes, cell_areas

__all__ = ["Canvas", "extent_um", "thickness_um", "turn"]

_SIZES = (4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048)
_BATCH = 1 << 20
_THINNEST_PX = 0.7
_THIN_PX = 0.7
_MOST_TILT = 2.0


@dataclass(frozen=True)
class Canvas:
    """A grid of pixels in the image plane.

    Args:
        shape: rows and columns.
        grid_um: side of a pixel.
        origin_um: x and y of the outer corner of the first pixel.
    """

    shape: tuple[int, int]
    grid_um: float
    origin_um: tuple[float, float]

    def to_px(self, points: Array) -> Array:
        """Coordinates (n, 3) in µm to pixels: 0.5 is the middle of the first pixel; z only changes its unit."""
        shift = np.array([*self.origin_um, 0.0], np.float32)
        out: Array = (points - shift) / np.float32(self.grid_um)
        return out


def turn(part: Part, rotation: Array) -> Part:
    """The part turned by a rotation matrix (3, 3)."""
    r = rotation.T
    if isinstance(part, Tubes):
        return replace(part, start=part.start @ r, end=part.end @ r)
    if isinstance(part, Ellipsoids):
        return Ellipsoids(part.centre @ r, rotation @ part.axes, part.material, part.role, part.wall_um)
    if isinstance(part, Sheet):
        return Sheet(part.points @ r, part.thickness_um, part.material, part.role)
    return Cloud(part.points @ r, part.radius, part.material, part.role)


def extent_um(part: Part) -> tuple[Array, Array]:
    """Lowest and highest x and y of the part."""
    if isinstance(part, Tubes):
        points, reach = np.concatenate([part.start, part.end]), _beside(part.start_radius, part.end_radius)
    elif isinstance(part, Ellipsoids):
        points, reach = part.centre, np.linalg.norm(part.axes, axis=2)[:, :2]
    elif isinstance(part, Sheet):
        points, reach = part.points.reshape(-1, 3), np.zeros((1, 1), np.float32)
    else:
        points, reach = part.points, part.radius[:, None]
    low: Array = (points[:, :2] - reach).min(axis=0)
    high: Array = (points[:, :2] + reach).max(axis=0)
    return low, high


def _beside(one: Array, two: Array) -> Array:
    both: Array = np.concatenate([one, two])[:, None]
    return both


def thickness_um(part: Part, canvas: Canvas) -> dict[str, Array]:
    """Length of the line of sight within the part, for each pixel.

    Args:
        part: already turned into the frame of the camera.
        canvas: where to draw.

    Returns:
        For each material of the part (its own first, then that of its skin) a map (h, w) in µm.
    """
    if isinstance(part, Sheet):
        return {part.material: _draw_sheet(part, canvas)}
    if isinstance(part, Cloud):
        return {part.material: _draw_cloud(part, canvas)}
    out = np.zeros(canvas.shape, np.float32)
    if isinstance(part, Ellipsoids):
        _draw_ellipsoids(part, canvas, out)
        return {part.material: out}
    _draw_tubes(part, canvas, out)
    if part.wall_um:
        return {part.material: out - _hole(part, part.wall_um, canvas, out)}
    if part.skin:
        return {part.material: out, part.skin: out - _hole(part, part.skin_um, canvas, out)}
    return {part.material: out}


def _hole(part: Tubes, wall_um: float, canvas: Canvas, outer: Array) -> Array:
    """What of a tube is within its wall; never more than the tube itself."""
    inner = [np.maximum(r - wall_um, 0) for r in (part.start_radius, part.end_radius)]
    hollow = (inner[0] > 0) & (inner[1] > 0)
    bore = replace(
        part,
        start=part.start[hollow],
        end=part.end[hollow],
        start_radius=inner[0][hollow],
        end_radius=inner[1][hollow],
        stout=part.stout[hollow],
    )
    out = np.zeros(canvas.shape, np.float32)
    _draw_tubes(bore, canvas, out)
    return np.minimum(out, outer)


def _patches(
    middle: Array, reach: Array, shape: tuple[int, int]
) -> Iterator[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.intp], int, int]]:
    """Group things by the size of the square they cover: (which, first rows, first columns, height, width)."""
    need = np.ceil(2 * reach + 2)
    size = np.searchsorted(_SIZES, need)
    for code in np.unique(size):
        side = _SIZES[min(code, len(_SIZES) - 1)]
        h, w = min(side, shape[0]), min(side, shape[1])
        chunk = max(1, _BATCH // (h * w))
        members = np.flatnonzero(size == code)
        for i in range(0, len(members), chunk):
            which = members[i : i + chunk]
            left = np.clip(np.floor(middle[which, 0] - w / 2), 0, shape[1] - w).astype(np.intp)
            top = np.clip(np.floor(middle[which, 1] - h / 2), 0, shape[0] - h).astype(np.intp)
            yield which, top, left, h, w


def _grid(top: npt.NDArray[np.intp], left: npt.NDArray[np.intp], h: int, w: int) -> tuple[Array, Array]:
    y = (top[:, None] + np.arange(h) + 0.5).astype(np.float32)[:, :, None]
    x = (left[:, None] + np.arange(w) + 0.5).astype(np.float32)[:, None, :]
    return y, x


def _cut(part: Tubes, grid_um: float) -> Tubes:
    """The tubes cut into pieces short enough that each covers a small square."""
    along = part.end - part.start
    length = np.hypot(along[:, 0], along[:, 1])
    step = np.maximum(6 * grid_um, 3 * np.maximum(part.start_radius, part.end_radius))
    pieces = np.ones(len(length), int) if part.flat else np.ceil(length / step).clip(1, 400).astype(int)
    if pieces.max(initial=1) == 1:
        return part
    row = np.repeat(np.arange(len(pieces)), pieces)
    k = np.arange(len(row)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    t0 = (k / pieces[row]).astype(np.float32)
    t1 = ((k + 1) / pieces[row]).astype(np.float32)
    r0, dr = part.start_radius[row], (part.end_radius - part.start_radius)[row]
    a, d = part.start[row], along[row]
    return replace(
        part,
        start=a + t0[:, None] * d,
        end=a + t1[:, None] * d,
        start_radius=r0 + t0 * dr,
        end_radius=r0 + t1 * dr,
        stout=part.stout[row],
    )


def _draw_tubes(part: Tubes, canvas: Canvas, out: Array) -> None:
    grid = np.float32(canvas.grid_um)
    part = _cut(part, canvas.grid_um)
    a, b = canvas.to_px(part.start), canvas.to_px(part.end)
    ra, rb = part.start_radius / grid, part.end_radius / grid
    along = b - a
    flat_sq = (along[:, :2] ** 2).sum(axis=1)
    true_sq = flat_sq + along[:, 2] ** 2
    across = flat_sq / np.maximum(true_sq, 1e-9)
    tilt = (1 / np.sqrt(np.maximum(across + part.stout**2 * (1 - across), 1e-6))).clip(1, _MOST_TILT)
    thin = np.maximum(ra, rb) < _THIN_PX
    scale = tilt * grid
    reach = np.sqrt(flat_sq) / 2 + np.maximum(np.maximum(ra, rb), 1.0)
    for which, top, left, h, w in _patches((a + b)[:, :2] / 2, reach, canvas.shape):
        y, x = _grid(top, left, h, w)
        px, py = x - a[which, 0, None, None], y - a[which, 1, None, None]
        dx, dy = along[which, 0, None, None], along[which, 1, None, None]
        free = (px * dx + py * dy) / np.maximum(flat_sq[which, None, None], 1e-6)
        t = free.clip(0, 1)
        far_sq = (px - t * dx) ** 2 + (py - t * dy) ** 2
        r = ra[which, None, None] + t * (rb - ra)[which, None, None]
        chord = 2 * np.sqrt(np.maximum(r * r - far_sq, 0))
        if thin[which].any():  # spread over two pixels, so that the volume is kept wherever the thread lies
            hair = np.pi * r * r * np.maximum(1 - np.sqrt(far_sq), 0)
            chord = np.where(thin[which, None, None], hair, chord)
        if part.flat or part.bundle:
            chord *= (free > -0.01) & (free < 1.01)
        chord *= scale[which, None, None]
        for i in range(len(which)):
            window = out[top[i] : top[i] + h, left[i] : left[i] + w]
            if part.bundle:
                window += chord[i]
            else:
                np.maximum(window, chord[i], out=window)


def _draw_ellipsoids(part: Ellipsoids, canvas: Canvas, out: Array) -> None:
    grid = np.float32(canvas.grid_um)
    centre = canvas.to_px(part.centre)
    axes = part.axes / grid
    semi = np.linalg.norm(axes, axis=1)
    grown = np.maximum(semi, _THINNEST_PX)
    faint = (semi / grown).prod(axis=1)
    axes = axes * (grown / np.maximum(semi, 1e-9))[:, None, :]
    reach = np.linalg.norm(axes, axis=2)[:, :2].max(axis=1)
    layers = [(axes, 1.0)]
    if part.wall_um:
        inner = np.maximum(grown - part.wall_um / grid, 0.05) / grown
        layers.append((axes * inner[:, None, :], -1.0))
    for which, top, left, h, w in _patches(centre[:, :2], reach, canvas.shape):
        y, x = _grid(top, left, h, w)
        x, y = x - centre[which, 0, None, None], y - centre[which, 1, None, None]
        chord = sum(sign * _chord(shape[which], x, y) for shape, sign in layers) * (faint[which, None, None] * grid)
        for i in range(len(which)):
            out[top[i] : top[i] + h, left[i] : left[i] + w] += chord[i]


def _chord(axes: Array, x: Array, y: Array) -> Array:
    """Chord along z through ellipsoids whose semi-axes are the columns of `axes` (n, 3, 3)."""
    inverse = np.linalg.inv(axes)
    m = np.transpose(inverse, (0, 2, 1)) @ inverse
    m = m.astype(np.float32)[:, :, :, None, None]
    cross = m[:, 2, 0] * x + m[:, 2, 1] * y
    level = m[:, 0, 0] * x * x + 2 * m[:, 0, 1] * x * y + m[:, 1, 1] * y * y - 1
    chord: Array = 2 * np.sqrt(np.maximum(cross * cross - m[:, 2, 2] * level, 0)) / m[:, 2, 2]
    return chord


def _draw_sheet(part: Sheet, canvas: Canvas) -> Array:
    points, gap = _refine(canvas.to_px(part.points.reshape(-1, 3)).reshape(part.points.shape))
    area = cell_areas(points)
    middle = (points[1:, 1:] + points[:-1, :-1] + points[1:, :-1] + points[:-1, 1:]) / 4
    return blur(_spread(middle.reshape(-1, 3), area.ravel() * part.thickness_um, canvas.shape), max(0.6, 0.55 * gap))


def _refine(points: Array) -> tuple[Array, float]:
    """The grid of points with more points between, and how far apart they lie now, in pixels.

    They lie about 0.9 pixels apart, or as close as 60,000 points allow.
    """
    sides = [
        float(np.linalg.norm(np.diff(points, axis=axis), axis=2).mean()) * (points.shape[axis] - 1) for axis in (0, 1)
    ]
    gap = max(0.9, (sides[0] * sides[1] / 60_000) ** 0.5)
    for axis in (0, 1):
        n = points.shape[axis]
        total = max(n, int(sides[axis] / gap) + 1)
        at = np.linspace(0, n - 1, total, dtype=np.float32)
        low = np.minimum(at.astype(int), n - 2)
        share = (at - low).reshape((-1, 1, 1) if axis == 0 else (1, -1, 1))
        points = np.take(points, low, axis) * (1 - share) + np.take(points, low + 1, axis) * share
    return points, gap


def _draw_cloud(part: Cloud, canvas: Canvas) -> Array:
    points = canvas.to_px(part.points)
    radius = part.radius / np.float32(canvas.grid_um)
    small = radius < 1.2
    volume = (4 / 3 * np.pi) * radius[small] ** 3 * canvas.grid_um
    out = _spread(points[small], volume, canvas.shape)
    if small.any():
        out = blur(out, max(0.5, 0.6 * float(np.median(radius[small]))))
    if not small.all():
        grains = part.radius[~small, None, None] * np.eye(3, dtype=np.float32)
        _draw_ellipsoids(Ellipsoids(part.points[~small], grains, part.material), canvas, out)
    return out


def _spread(points: Array, weight: Array, shape: tuple[int, int]) -> Array:
    """Each weight is shared among the four pixels around its point."""
    h, w = shape
    x, y = points[:, 0] - 0.5, points[:, 1] - 0.5
    left, top = np.floor(x), np.floor(y)
    fx, fy = x - left, y - top
    total = np.zeros(h * w, np.float64)
    for dy, wy in ((0, 1 - fy), (1, fy)):
        for dx, wx in ((0, 1 - fx), (1, fx)):
            i, j = (top + dy).astype(np.intp), (left + dx).astype(np.intp)
            inside = (i >= 0) & (i < h) & (j >= 0) & (j < w)
            total += np.bincount((i * w + j)[inside], (weight * wx * wy)[inside], minlength=h * w)
    return total.reshape(shape).astype(np.float32)
