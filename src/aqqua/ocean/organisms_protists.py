"""Protists: radiolarians, ciliates and tintinnids."""

from __future__ import annotations

import numpy as np

from aqqua.ocean.chance import Array, bend
from aqqua.ocean.shapes import Body, Cloud, Part, Sheet, Traits, lathe, merge_tubes, tube
from aqqua.ocean.strokes import arc, ball, grains_within, inside_oval, oval, sphere_points, whip

__all__ = ["ciliate", "radiolarian", "tintinnid"]


def radiolarian(rng: np.random.Generator, length_um: float) -> Body:
    """A radiolarian: a star of spines (acantharian) or a lattice sphere with a dark capsule.

    Args:
        rng: decides form, spines and symbionts.
        length_um: tip to tip of the spines of a star, diameter of a sphere.
    """
    form = str(rng.choice(["star", "sphere"], p=[0.6, 0.4]))
    return _star(rng, length_um) if form == "star" else _sphere(rng, length_um)


def _star(rng: np.random.Generator, length_um: float) -> Body:
    """Twenty spines in five zones of four (Müller's law, 1858), a dark middle, a thin halo."""
    radius = length_um / 2
    core = radius * rng.uniform(0.13, 0.27)
    spines = []
    for latitude, shift, size in ((60, 45, 0.62), (30, 0, 0.82), (0, 45, 1.0), (-30, 0, 0.82), (-60, 45, 0.62)):
        for k in range(4):
            a, b = np.radians(latitude + rng.normal(0, 3)), np.radians(shift + 90 * k + rng.normal(0, 3))
            aim = np.array([np.cos(a) * np.cos(b), np.cos(a) * np.sin(b), np.sin(a)])
            tip = radius * (size if latitude else 1.0) * rng.uniform(0.88, 1.0)
            thick = radius * rng.uniform(0.011, 0.016)
            spines.append(
                tube([0.1 * core * aim, core * aim, tip * aim], [thick, thick, 0.35 * thick], "skeleton", "appendage")
            )
    parts: list[Part] = [
        ball((0, 0, 0), core, "capsule", "body"),
        ball((0, 0, 0), 0.55 * core, "capsule", "organ"),
        Cloud(core * 0.9 * inside_oval(rng, 60), np.full(60, 0.10 * core, np.float32), "grain", "organ"),
        merge_tubes(spines),
    ]
    if rng.random() < 0.7:
        parts.append(ball((0, 0, 0), core * rng.uniform(1.3, 2.0), "halo", "haze"))
    return Body(tuple(parts), Traits(length_um, 2 * core, form="star"), min(1.0, (160 / core) ** 0.9), 0.35)


def _sphere(rng: np.random.Generator, length_um: float) -> Body:
    """Nested lattice shells with pores, radial spines, symbionts outside the capsule."""
    radius = length_um / 2
    shell = radius * rng.uniform(0.72, 0.95)
    parts: list[Part] = [ball((0, 0, 0), radius, "halo", "body")]
    for size in (1.0, 0.55):
        count = int(260 * size)
        at = sphere_points(count)
        knots = Cloud(shell * size * at, np.full(count, 0.032 * radius, np.float32), "skeleton", "organ")
        parts += [knots, ball((0, 0, 0), shell * size, "skeleton", "organ", wall_um=0.014 * radius)]
    aims = sphere_points(int(rng.integers(8, 22)))
    spikes = [
        tube([shell * aim * 0.5, shell * aim * rng.uniform(1.25, 2.2)], 0.014 * radius, "skeleton", "appendage")
        for aim in aims
    ]
    parts.append(merge_tubes(spikes))
    parts.append(ball((0, 0, 0), shell * 0.42, "capsule"))
    symbionts = int(rng.integers(0, 30))
    if symbionts:
        at = sphere_points(symbionts) * radius * rng.uniform(0.7, 1.0, (symbionts, 1))
        cells = np.full(symbionts, min(6.0, 0.06 * radius), np.float32)
        parts.append(Cloud(at.astype(np.float32), cells, "plastid", "organ"))
    return Body(tuple(parts), Traits(length_um, length_um, form="sphere"), min(1.3, (170 / length_um) ** 0.95), 0.2)


def ciliate(rng: np.random.Generator, length_um: float) -> Body:
    """A naked ciliate: a cone with a crown of membranelles (strombidiid) or two lobes with a girdle (mesodiniid).

    Args:
        rng: decides form, food and cilia.
        length_um: the cell without cilia.
    """
    form = str(rng.choice(["cone", "two lobes"], p=[0.6, 0.4]))
    width = length_um * (rng.uniform(0.62, 0.85) if form == "cone" else rng.uniform(0.72, 0.9))
    x = np.linspace(-0.5, 0.5, 13)
    if form == "cone":
        r = np.interp(x, [-0.5, -0.42, -0.1, 0.25, 0.42, 0.5], [0.10, 0.26, 0.74, 1.0, 0.9, 0.62])
    else:
        r = np.sqrt(np.maximum(1 - (2 * np.abs(x)) ** 2.4, 0.06)) * (1 - 0.14 * np.exp(-(((x - 0.05) / 0.06) ** 2)))
    r = 0.5 * width * r
    line = np.stack([x * length_um, 0 * x, 0 * x], axis=1)
    parts: list[Part] = [lathe(line[:, 0], r, "plasm", skin="theca", skin_um=0.022 * width)]
    count = int(rng.integers(14, 60))
    food = str(rng.choice(["plastid", "green_plastid", "red_plastid"])) if form == "cone" else "red_plastid"
    dense = count if form == "cone" else 130
    at = grains_within(rng, dense, line, r * 0.8)
    parts.append(Cloud(at, (length_um * rng.uniform(0.022, 0.05, dense)).astype(np.float32), food, "organ"))
    parts.append(
        Cloud(grains_within(rng, 40, line, r * 0.85), np.full(40, 0.014 * length_um, np.float32), "granule", "organ")
    )
    parts.append(
        oval((0.0, 0.1 * width, 0), (0.13 * length_um, 0.11 * length_um, 0.11 * length_um), "nucleus", "organ")
    )
    parts += _crown(rng, line, r, length_um, form)
    return Body(tuple(parts), Traits(length_um, width, form=form), mottle=0.35)


def _crown(rng: np.random.Generator, line: Array, r: Array, length_um: float, form: str) -> list[Part]:
    cilia = []
    front = form == "cone"
    at, ring = (line[-2, 0], r[-2]) if front else (0.05 * length_um, r.max())
    for k in range(16 if front else 26):
        turn = 2 * np.pi * (k + 0.3 * rng.standard_normal()) / (16 if front else 26)
        outward = np.array([0, np.cos(turn), np.sin(turn)])
        aim = outward * (0.45 if front else 0.9) + np.array([1.0 if front else rng.choice([-0.7, 0.7]), 0, 0])
        line_k = whip(
            rng,
            np.array([at, 0, 0]) + outward * ring * 0.92,
            aim,
            length_um * rng.uniform(0.3, 0.6),
            6,
            bend(rng, 0.4, 0.9),
            0.2,
        )
        cilia.append(tube(line_k, length_um * np.linspace(0.011, 0.005, 6), "cilium", "appendage"))
    return [merge_tubes(cilia)]


def tintinnid(rng: np.random.Generator, length_um: float) -> Body:
    """A tintinnid: a ciliate in a vase-shaped lorica.

    Args:
        rng: decides the vase and whether its owner is at home.
        length_um: the lorica.
    """
    form = str(rng.choice(["bell", "bowl", "spindle"]))
    width = (
        length_um
        * {"bell": rng.uniform(0.34, 0.46), "bowl": rng.uniform(0.6, 0.8), "spindle": rng.uniform(0.22, 0.3)}[form]
    )
    t = np.linspace(0, 1, 14)
    knots = {
        "bell": ([0, 0.12, 0.3, 0.6, 0.92, 1], [0.05, 0.45, 0.84, 0.86, 0.86, 1.0]),
        "bowl": ([0, 0.08, 0.3, 0.6, 0.9, 1], [0.08, 0.5, 0.92, 1.0, 0.9, 0.97]),
        "spindle": ([0, 0.3, 0.5, 0.7, 0.93, 1], [0.05, 0.14, 0.55, 0.9, 0.92, 1.0]),
    }[form]
    r = 0.5 * width * np.interp(t, *knots)
    x = (t - 0.5) * length_um
    turn = np.linspace(0, 2 * np.pi, 25)
    xs = np.repeat(x[:, None], 25, axis=1)
    wall = np.stack([xs, r[:, None] * np.cos(turn), r[:, None] * np.sin(turn)], axis=2)
    parts: list[Part] = [
        tube(np.stack([x, 0 * x, 0 * x], axis=1), r, "lorica", "organ", wall_um=0.03 * width, flat=True),
        Sheet(wall.astype(np.float32), 0.02 * width, "lorica", "body", _within_um3(x, r)),
        tube(arc((x[-1], 0, 0), r[-1], 0, 2 * np.pi, 31), 0.014 * width, "lorica", "organ"),
    ]
    if rng.random() < 0.5:
        grit = _on_wall(rng, x, r, 90)
        parts.append(Cloud(grit, (0.018 * width * rng.uniform(0.5, 1.5, 90)).astype(np.float32), "granule", "organ"))
    if rng.random() < 0.85:
        parts += _tenant(rng, x, r, length_um, width)
    return Body(tuple(parts), Traits(length_um, width, form=form), mottle=0.22)


def _within_um3(x: Array, r: Array) -> float:
    return float((np.pi / 3 * np.diff(x) * (r[1:] ** 2 + r[1:] * r[:-1] + r[:-1] ** 2)).sum())


def _on_wall(rng: np.random.Generator, x: Array, r: Array, count: int) -> Array:
    at = rng.uniform(x[2], x[-1], count)
    turn = rng.uniform(0, 2 * np.pi, count)
    reach = np.interp(at, x, r)
    return np.stack([at, reach * np.cos(turn), reach * np.sin(turn)], axis=1).astype(np.float32)


def _tenant(rng: np.random.Generator, x: Array, r: Array, length_um: float, width: float) -> list[Part]:
    out = rng.uniform(-0.25, 0.08) * length_um
    top, bottom = x[-1] + out, x[3]
    line = np.stack([np.linspace(bottom, top, 8), np.zeros(8), np.zeros(8)], axis=1)
    reach = 0.40 * width * np.array([0.1, 0.3, 0.6, 0.8, 0.85, 0.85, 0.85, 0.7])
    reach = np.minimum(reach, 0.85 * np.interp(line[:, 0], x, r))
    cilia = []
    for k in range(12):
        turn = 2 * np.pi * k / 12
        aim = np.array([1.0, 0.5 * np.cos(turn), 0.5 * np.sin(turn)])
        root = np.array([top, reach[-1] * np.cos(turn), reach[-1] * np.sin(turn)])
        cilia.append(
            tube(whip(rng, root, aim, 0.32 * width, 5, bend(rng, 0.4, 1), 0.2), 0.008 * width, "cilium", "appendage")
        )
    food = Cloud(grains_within(rng, 26, line, reach * 0.8), np.full(26, 0.035 * width, np.float32), "plastid", "organ")
    nucleus = oval((line[4, 0], 0, 0), (0.1 * width, 0.08 * width, 0.08 * width), "nucleus", "organ")
    return [tube(line, reach, "plasm", "organ"), food, nucleus, merge_tubes(cilia)]
