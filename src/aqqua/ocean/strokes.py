"""Strokes of the pen: whips, arcs, fans, balls and clusters from which the organisms are composed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from aqqua.ocean.chance import Array
from aqqua.ocean.shapes import Ellipsoids, Role, Tubes

__all__ = ["arc", "ball", "eggs_on", "fan", "frame_of", "grains_within", "inside_oval", "oval", "sphere_points", "whip"]


def ball(
    centre: Sequence[float], radius: float, material: str, role: Role = "organ", wall_um: float = 0.0
) -> Ellipsoids:
    """A sphere."""
    return oval(centre, (radius, radius, radius), material, role, wall_um)


def oval(
    centre: Sequence[float] | Array,
    semi: Sequence[float],
    material: str,
    role: Role = "body",
    wall_um: float = 0.0,
    frame: Array | None = None,
) -> Ellipsoids:
    """An ellipsoid with its semi-axes along x, y, z, or along the columns of `frame`."""
    axes: Array = np.diag(np.asarray(semi, np.float32))
    if frame is not None:
        axes = frame @ axes
    return Ellipsoids(
        np.asarray(centre, np.float32)[None], axes[None].astype(np.float32), material, role, wall_um
    )  # fmt: skip


def frame_of(direction: Array) -> Array:
    """A rotation matrix whose first column points along `direction`."""
    x = np.asarray(direction, np.float64)
    x = x / max(float(np.linalg.norm(x)), 1e-12)
    helper = np.array([0.0, 0.0, 1.0]) if abs(x[2]) < 0.9 else np.array([0.0, 1.0, 0.0])
    y = np.cross(helper, x)
    y /= np.linalg.norm(y)
    out: Array = np.stack([x, y, np.cross(x, y)], axis=1).astype(np.float32)
    return out


def whip(
    rng: np.random.Generator, root: Array, aim: Array, length: float, points: int, curl: float = 0.3, wave: float = 0.12
) -> Array:
    """A limb or tentacle: a line that starts at `root` towards `aim` and bends on its way.

    Args:
        rng: small irregularities.
        root: (3,) in µm.
        aim: (3,) direction.
        length: in µm.
        points: how many points.
        curl: bend about z over the whole length, in radians.
        wave: irregular bending, in radians.

    Returns:
        (points, 3) in µm.
    """
    x, y, z = (float(value) for value in aim)
    size = (x * x + y * y + z * z) ** 0.5
    stray = rng.standard_normal((2, points - 1)).cumsum(axis=1) * (wave / points**0.5)
    turn = np.arange(points - 1) * (curl / max(1, points - 2)) + stray[0]
    c, s = np.cos(turn), np.sin(turn)
    steps = np.empty((points, 3))
    steps[0] = root
    steps[1:, 0] = x * c - y * s
    steps[1:, 1] = x * s + y * c
    steps[1:, 2] = z + size * stray[1]
    steps[1:] *= (length / (points - 1)) / np.sqrt((steps[1:] ** 2).sum(axis=1))[:, None]
    line: Array = steps.cumsum(axis=0).astype(np.float32)
    return line


def arc(centre: Sequence[float] | Array, radius: float, start: float, end: float, points: int) -> Array:
    """Part of a circle around the x axis through `centre`; angles in radians from y to z."""
    angle = np.linspace(start, end, points)
    line: Array = np.stack([0 * angle, radius * np.cos(angle), radius * np.sin(angle)], axis=1) + np.asarray(centre)
    return line


def fan(
    rng: np.random.Generator, root: Array, aim: Array, count: int, length: float, radius: float, spread: float
) -> Tubes:
    """Setae that leave one point and spread in the x–y plane.

    Args:
        rng: small irregularities.
        root: (3,) in µm.
        aim: (3,) direction of the middle one.
        count: how many.
        length: of each, in µm.
        radius: at the root, in µm.
        spread: angle between the outermost, in radians.
    """
    angles = np.linspace(-0.5, 0.5, count) * spread if count > 1 else rng.uniform(-0.5, 0.5, 1) * spread
    angles = angles + 0.1 * rng.standard_normal(count)
    c, s = np.cos(angles), np.sin(angles)
    there = np.stack([aim[0] * c - aim[1] * s, aim[0] * s + aim[1] * c, aim[2] + 0 * c], axis=1)
    size = np.linalg.norm(there, axis=1, keepdims=True)
    there[:, 2:] += 0.15 * size * rng.standard_normal((count, 1))
    reach = (length * rng.uniform(0.75, 1.0, (count, 1)) * there / size)[:, None, :]
    aside = np.stack([-reach[..., 1], reach[..., 0], 0 * reach[..., 0]], axis=2) * (0.15 * angles[:, None, None])
    t = np.linspace(0, 1, 4)[:, None]
    lines = np.asarray(root) + reach * t + aside * t**2
    radii = np.tile(radius * np.array([1.0, 0.9, 0.7, 0.4]), (count, 1))
    start, end = (part.reshape(-1, 3).astype(np.float32) for part in (lines[:, :-1], lines[:, 1:]))
    r, q = (part.ravel().astype(np.float32) for part in (radii[:, :-1], radii[:, 1:]))
    return Tubes(start, end, r, q, np.zeros(len(start), np.float32), "seta", "appendage")


def eggs_on(
    rng: np.random.Generator,
    middle: Sequence[float],
    count: int,
    egg_radius: float,
    stretch: Sequence[float] = (1.3, 1.0, 0.8),
) -> Ellipsoids:
    """A cluster of eggs that touch, around `middle`: they lie on an ellipsoid just large enough for them."""
    shape = np.asarray(stretch) / np.prod(stretch) ** (1 / 3)
    at = sphere_points(count) * (0.58 * egg_radius * count**0.5) * shape
    at = at + 0.1 * egg_radius * rng.standard_normal((count, 3)) + np.asarray(middle)
    size = egg_radius * rng.uniform(0.92, 1.06, count)
    axes = size[:, None, None] * np.eye(3)
    return Ellipsoids(at.astype(np.float32), axes.astype(np.float32), "egg", "appendage")


def inside_oval(rng: np.random.Generator, count: int) -> Array:
    """Points evenly within the unit sphere, (count, 3)."""
    points = rng.standard_normal((count, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    out: Array = (points * rng.random((count, 1)) ** (1 / 3)).astype(np.float32)
    return out


def sphere_points(count: int) -> Array:
    """Points spread evenly over the unit sphere (Fibonacci lattice), (count, 3)."""
    k = np.arange(count) + 0.5
    z = 1 - 2 * k / count
    turn = np.pi * (1 + 5**0.5) * k
    r = np.sqrt(1 - z * z)
    out: Array = np.stack([r * np.cos(turn), r * np.sin(turn), z], axis=1).astype(np.float32)
    return out


def grains_within(rng: np.random.Generator, count: int, line: Array, r: Array) -> Array:
    """Points within a tube along x, (count, 3)."""
    x = rng.uniform(float(line[0, 0]), float(line[-1, 0]), count)
    reach = np.interp(x, line[:, 0], r) * np.sqrt(rng.random(count))
    turn = rng.uniform(0, 2 * np.pi, count)
    return np.stack([x, reach * np.cos(turn), reach * np.sin(turn)], axis=1).astype(np.float32)
