"""Protists: radiolarians, ciliates, tintinnids and dinoflagellates."""

from __future__ import annotations

import numpy as np

from aqqua.ocean.chance import Array, bend
from aqqua.ocean.shapes import Body, Cloud, Ellipsoids, Part, Sheet, Traits, Tubes, merge_tubes, tube
from aqqua.ocean.strokes import arc, ball, frame_of, grains_in, inside_oval, oval, sphere_points, whip

__all__ = ["ciliate", "dinoflagellate", "radiolarian", "tintinnid"]


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
    R = length_um / 2
    core = R * rng.uniform(0.13, 0.27)
    spines = []
    for latitude, shift, size in ((60, 45, 0.62), (30, 0, 0.82), (0, 45, 1.0), (-30, 0, 0.82), (-60, 45, 0.62)):
        for k in range(4):
            a, b = np.radians(latitude + rng.normal(0, 3)), np.radians(shift + 90 * k + rng.normal(0, 3))
            aim = np.array([np.cos(a) * np.cos(b), np.cos(a) * np.sin(b), np.sin(a)])
            tip = R * (size if latitude else 1.0) * rng.uniform(0.88, 1.0)
            thick = R * rng.uniform(0.011, 0.016)
            spines.append(tube([0.1 * core * aim, core * aim, tip * aim], [thick, thick, 0.35 * thick], "skeleton", "appendage"))
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
    R = length_um / 2
    shell = R * rng.uniform(0.72, 0.95)
    parts: list[Part] = [ball((0, 0, 0), R, "halo", "body")]
    for size in (1.0, 0.55):
        count = int(260 * size)
        at = sphere_points(count)
        knots = Cloud(shell * size * at, np.full(count, 0.032 * R, np.float32), "skeleton", "organ")
        parts += [knots, ball((0, 0, 0), shell * size, "skeleton", "organ", wall_um=0.014 * R)]
    aims = sphere_points(int(rng.integers(8, 22)))
    spikes = [tube([shell * aim * 0.5, shell * aim * rng.uniform(1.25, 2.2)], 0.014 * R, "skeleton", "appendage") for aim in aims]
    parts.append(merge_tubes(spikes))
    parts.append(ball((0, 0, 0), shell * 0.42, "capsule"))
    symbionts = int(rng.integers(0, 30))
    if symbionts:
        at = sphere_points(symbionts) * R * rng.uniform(0.7, 1.0, (symbionts, 1))
        size = np.full(symbionts, min(6.0, 0.06 * R), np.float32)
        parts.append(Cloud(at.astype(np.float32), size, "plastid", "organ"))
    return Body(tuple(parts), Traits(length_um, length_um, form="sphere"), min(1.3, (170 / length_um) ** 0.95), 0.2)


def ciliate(rng: np.random.Generator, length_um: float) -> Body:
    """A naked ciliate: a cone with a crown of membranelles (strombidiid) or two lobes with a girdle (mesodiniid).

    Args:
        rng: decides form, food and cilia.
        length_um: the cell without cilia.
    """
    L = length_um
    form = str(rng.choice(["cone", "two lobes"], p=[0.6, 0.4]))
    width = L * (rng.uniform(0.62, 0.85) if form == "cone" else rng.uniform(0.72, 0.9))
    x = np.linspace(-0.5, 0.5, 13)
    if form == "cone":
        r = np.interp(x, [-0.5, -0.42, -0.1, 0.25, 0.42, 0.5], [0.10, 0.26, 0.74, 1.0, 0.9, 0.62])
    else:
        r = np.sqrt(np.maximum(1 - (2 * np.abs(x)) ** 2.4, 0.06)) * (1 - 0.14 * np.exp(-(((x - 0.05) / 0.06) ** 2)))
    r = 0.5 * width * r
    line = np.stack([x * (L - 2 * r[0]), 0 * x, 0 * x], axis=1)
    parts: list[Part] = [tube(line, r, "plasm"), tube(line, r, "theca", "organ", wall_um=0.022 * width)]
    count = int(rng.integers(14, 60))
    food = str(rng.choice(["plastid", "green_plastid", "red_plastid"])) if form == "cone" else "red_plastid"
    dense = count if form == "cone" else 130
    at = _within(rng, dense, line, r * 0.8)
    parts.append(Cloud(at, (L * rng.uniform(0.022, 0.05, dense)).astype(np.float32), food, "organ"))
    parts.append(Cloud(_within(rng, 40, line, r * 0.85), np.full(40, 0.014 * L, np.float32), "granule", "organ"))
    parts.append(oval((0.0, 0.1 * width, 0), (0.13 * L, 0.11 * L, 0.11 * L), "nucleus", "organ"))
    parts += _crown(rng, line, r, L, form)
    return Body(tuple(parts), Traits(L, width, form=form), mottle=0.35)


def _within(rng: np.random.Generator, count: int, line: Array, r: Array) -> Array:
    """Points within a tube along x."""
    x = rng.uniform(line[0, 0], line[-1, 0], count)
    reach = np.interp(x, line[:, 0], r) * np.sqrt(rng.random(count))
    turn = rng.uniform(0, 2 * np.pi, count)
    return np.stack([x, reach * np.cos(turn), reach * np.sin(turn)], axis=1).astype(np.float32)


def _crown(rng: np.random.Generator, line: Array, r: Array, L: float, form: str) -> list[Part]:
    cilia = []
    front = form == "cone"
    at, ring = (line[-2, 0], r[-2]) if front else (0.05 * L, r.max())
    for k in range(16 if front else 26):
        turn = 2 * np.pi * (k + 0.3 * rng.standard_normal()) / (16 if front else 26)
        outward = np.array([0, np.cos(turn), np.sin(turn)])
        aim = outward * (0.45 if front else 0.9) + np.array([1.0 if front else rng.choice([-0.7, 0.7]), 0, 0])
        line_k = whip(rng, np.array([at, 0, 0]) + outward * ring * 0.92, aim, L * rng.uniform(0.3, 0.6), 6, bend(rng, 0.4, 0.9), 0.2)
        cilia.append(tube(line_k, L * np.linspace(0.011, 0.005, 6), "cilium", "appendage"))
    return [merge_tubes(cilia)]


def tintinnid(rng: np.random.Generator, length_um: float) -> Body:
    """A tintinnid: a ciliate in a vase-shaped lorica.

    Args:
        rng: decides the vase and whether its owner is at home.
        length_um: the lorica.
    """
    L = length_um
    form = str(rng.choice(["bell", "bowl", "spindle"]))
    width = L * {"bell": rng.uniform(0.34, 0.46), "bowl": rng.uniform(0.6, 0.8), "spindle": rng.uniform(0.22, 0.3)}[form]
    t = np.linspace(0, 1, 21)
    knots = {
        "bell": ([0, 0.12, 0.3, 0.6, 0.92, 1], [0.05, 0.45, 0.84, 0.86, 0.86, 1.0]),
        "bowl": ([0, 0.08, 0.3, 0.6, 0.9, 1], [0.08, 0.5, 0.92, 1.0, 0.9, 0.97]),
        "spindle": ([0, 0.3, 0.5, 0.7, 0.93, 1], [0.05, 0.14, 0.55, 0.9, 0.92, 1.0]),
    }[form]
    r = 0.5 * width * np.interp(t, *knots)
    x = (t - 0.5) * L
    turn = np.linspace(0, 2 * np.pi, 25)
    xs = np.repeat(x[:, None], 25, axis=1)
    wall = np.stack([xs, r[:, None] * np.cos(turn), r[:, None] * np.sin(turn)], axis=2)
    parts: list[Part] = [
        tube(np.stack([x, 0 * x, 0 * x], axis=1), r, "lorica", "organ", wall_um=0.03 * width, flat=True),
        Sheet(wall.astype(np.float32), 0.02 * width, "lorica", "body"),
        tube(arc((x[-1], 0, 0), r[-1], 0, 2 * np.pi, 31), 0.014 * width, "lorica", "organ"),
    ]
    if rng.random() < 0.5:
        grit = _on_wall(rng, x, r, 90)
        parts.append(Cloud(grit, (0.018 * width * rng.uniform(0.5, 1.5, 90)).astype(np.float32), "granule", "organ"))
    if rng.random() < 0.85:
        parts += _tenant(rng, x, r, L, width)
    return Body(tuple(parts), Traits(L, width, form=form), mottle=0.22)


def _on_wall(rng: np.random.Generator, x: Array, r: Array, count: int) -> Array:
    at = rng.uniform(x[2], x[-1], count)
    turn = rng.uniform(0, 2 * np.pi, count)
    reach = np.interp(at, x, r)
    return np.stack([at, reach * np.cos(turn), reach * np.sin(turn)], axis=1).astype(np.float32)


def _tenant(rng: np.random.Generator, x: Array, r: Array, L: float, width: float) -> list[Part]:
    out = rng.uniform(-0.25, 0.08) * L
    top, bottom = x[-1] + out, x[4]
    line = np.stack([np.linspace(bottom, top, 8), np.zeros(8), np.zeros(8)], axis=1)
    reach = 0.40 * width * np.array([0.1, 0.3, 0.6, 0.8, 0.85, 0.85, 0.85, 0.7])
    reach = np.minimum(reach, 0.85 * np.interp(line[:, 0], x, r))
    cilia = []
    for k in range(12):
        turn = 2 * np.pi * k / 12
        aim = np.array([1.0, 0.5 * np.cos(turn), 0.5 * np.sin(turn)])
        root = np.array([top, reach[-1] * np.cos(turn), reach[-1] * np.sin(turn)])
        cilia.append(tube(whip(rng, root, aim, 0.32 * width, 5, bend(rng, 0.4, 1), 0.2), 0.008 * width, "cilium", "appendage"))
    food = Cloud(_within(rng, 26, line, reach * 0.8), np.full(26, 0.035 * width, np.float32), "plastid", "organ")
    nucleus = oval((line[4, 0], 0, 0), (0.1 * width, 0.08 * width, 0.08 * width), "nucleus", "organ")
    return [tube(line, reach, "plasm", "organ"), food, nucleus, merge_tubes(cilia)]


def dinoflagellate(rng: np.random.Generator, length_um: float) -> Body:
    """A dinoflagellate: three-horned (*Tripos*), diamond (*Protoperidinium*) or round.

    Args:
        rng: decides form, horns and pigment.
        length_um: tip to tip along the axis.
    """
    L = length_um
    form = str(rng.choice(["three horns", "diamond", "round"], p=[0.5, 0.25, 0.25]))
    if L > (65 if form == "round" else 105):
        form = "three horns"
    if form == "three horns":
        return _three_horns(rng, L)
    width = L * (rng.uniform(0.78, 0.95) if form == "diamond" else rng.uniform(0.85, 0.98))
    x = np.linspace(-0.5, 0.5, 15)
    diamond = np.interp(x, [-0.5, -0.36, -0.04, 0, 0.04, 0.36, 0.5], [0.2, 0.55, 1, 0.93, 1, 0.4, 0.09])
    round_ = np.sqrt(np.maximum(1 - (2 * np.abs(x)) ** 2.1, 0.04)) * (1 - 0.09 * np.exp(-((x / 0.045) ** 2)))
    r = 0.5 * width * (diamond if form == "diamond" else round_)
    line = np.stack([x * (L - r[0] - r[-1]), 0 * x, 0 * x], axis=1)
    seams = [tube(arc((d, 0, 0), 0.5 * width * 1.01, 0, 2 * np.pi, 25), 0.012 * width, "theca", "organ") for d in (-0.035 * L, 0.035 * L)]
    seams += [tube(np.stack([line[:, 0], 1.0 * r * np.cos(a), 1.0 * r * np.sin(a)], axis=1), 0.008 * width, "theca", "organ") for a in np.arange(6) * 1.047]
    parts: list[Part] = [tube(line, r, "plasm"), tube(line, r, "theca", "organ", wall_um=0.028 * width), merge_tubes(seams)]
    if form == "diamond":
        horns = [tube([[-0.44 * L, h * 0.16 * width, 0], [-0.56 * L, h * 0.26 * width, 0]], [0.06 * width, 0.012 * width], "theca", "appendage") for h in (-1, 1)]
        parts.append(merge_tubes(horns))
    pigment = "plastid" if form == "round" or rng.random() < 0.3 else "granule"
    count = int(rng.integers(16, 46))
    parts.append(Cloud(_within(rng, count, line, r * 0.82), (L * rng.uniform(0.02, 0.045, count)).astype(np.float32), pigment, "organ"))
    parts.append(oval((-0.1 * L, 0, 0), (0.16 * L, 0.2 * width, 0.16 * width), "nucleus", "organ"))
    return Body(tuple(parts), Traits(L, width, form=form), mottle=0.28)


def _three_horns(rng: np.random.Generator, L: float) -> Body:
    core = L * rng.uniform(0.20, 0.30)
    width = core * rng.uniform(0.95, 1.15)
    middle = bend(rng, 0.06, 0.12) * L - 0.1 * L
    x = np.linspace(-0.5, 0.5, 11)
    r = 0.5 * width * np.interp(x, [-0.5, -0.3, -0.04, 0, 0.04, 0.5], [0.42, 0.86, 1, 0.94, 1, 0.22])
    line = np.stack([x * core + middle, 0 * x, 0 * x], axis=1)
    frame = np.diag([1.0, 1.0, 0.6]).astype(np.float32)
    apex = L / 2
    horns = [tube([line[-1], [0.5 * (line[-1, 0] + apex), bend(rng, 0.02, 0.04) * L, 0], [apex, bend(rng, 0.03, 0.06) * L, 0]], [r[-1], 0.35 * r[-1], 0.22 * r[-1]], "theca", "body")]
    hook = rng.uniform(0.5, 2.4)
    for hand, reach in ((-1, rng.uniform(0.32, 0.6)), (1, rng.uniform(0.3, 0.55))):
        root = np.array([line[0, 0] + 0.1 * core, hand * 0.3 * width, 0])
        aim = np.array([-1.0, hand * 0.75, 0])
        horn = whip(rng, root, aim, reach * L, 10, curl=-hand * hook, wave=0.04)
        horns.append(tube(horn, width * np.linspace(0.15, 0.035, 10), "theca", "body"))
    girdle = [tube(arc((middle + d, 0, 0), 0.505 * width, 0, 2 * np.pi, 25), 0.014 * width, "theca", "organ") for d in (-0.05 * core, 0.05 * core)]
    count = int(rng.integers(14, 34))
    parts: list[Part] = [
        tube(line, r, "plasm"),
        tube(line, r, "theca", "organ", wall_um=0.045 * width),
        merge_tubes(horns),
        merge_tubes(girdle),
        Cloud(_within(rng, count, line, r * 0.8), (core * rng.uniform(0.03, 0.06, count)).astype(np.float32), "plastid", "organ"),
        ball((middle - 0.1 * core, 0, 0), 0.16 * core, "nucleus"),
    ]
    del frame
    low = min(float(t.start[:, 0].min()) for t in horns)
    return Body(tuple(parts), Traits(float(apex - min(low, line[0, 0])), width, form="three horns"), mottle=0.2)
