"""Transparent animals: medusae, arrow worms and appendicularians, and the shelled wing snail."""

from __future__ import annotations

import numpy as np

from aqqua.ocean.chance import Array, bend
from aqqua.ocean.shapes import Body, Part, Sheet, Traits, lathe, merge_tubes, tube
from aqqua.ocean.strokes import arc, ball, oval, whip

__all__ = ["appendicularian", "chaetognath", "medusa", "wing_snail"]


def medusa(rng: np.random.Generator, length_um: float) -> Body:
    """A hydromedusa: bell with radial canals and gonads, manubrium, tentacles.

    Args:
        rng: decides the form of the bell, canals and tentacles.
        length_um: diameter of the bell.
    """
    size, radius = length_um, length_um / 2
    form = str(rng.choice(["dome", "saucer", "bullet"], p=[0.45, 0.35, 0.2]))
    low, high = {"dome": (0.45, 0.68), "saucer": (0.2, 0.36), "bullet": (0.62, 0.78)}[form]
    height = size * rng.uniform(low, high)
    squeeze = rng.uniform(0.78, 1.0)
    profile = _bell_profile(radius, height, squeeze, 17)
    inner = _bell_profile(radius * 0.93, height * 0.74, squeeze, 17)
    jelly_um3 = revolved_um3(profile) - revolved_um3(inner)
    canals = int(rng.choice([4, 4, 4, 6, 8]))
    parts: list[Part] = [
        Sheet(_revolve(profile, 33), 0.012 * size, "membrane", "body", jelly_um3),
        Sheet(_revolve(inner, 33), 0.007 * size, "membrane", "organ"),
    ]
    turns = 2 * np.pi * (np.arange(canals) + 0.5 * rng.random()) / canals
    spokes = [tube(_meridian(inner, turn), 0.008 * size, "canal", "organ") for turn in turns]
    margin = inner[-1]
    rim = tube(arc((margin[0], 0, 0), margin[1], 0, 2 * np.pi, 41), 0.013 * size, "canal", "organ")
    parts.append(merge_tubes([*spokes, rim]))
    parts += _gonads(rng, inner, turns, size)
    parts.append(_manubrium(rng, float(inner[0, 0]), height * rng.uniform(0.3, 0.95), size))
    parts += _tentacles(rng, margin, size, canals)
    traits = Traits(size, float(size), form=form)
    return Body(tuple(parts), traits, 420 / size, 0.22)


def _bell_profile(radius: float, height: float, squeeze: float, points: int) -> Array:
    """Axis and radius of half a bell from apex to margin; the apex points to +x."""
    t = np.linspace(0.03, 1, points)
    angle = t * np.pi / 2 * 1.12
    r = radius * np.sin(angle) ** 0.85 * (1 - (1 - squeeze) * t**3)
    x = height * (np.cos(angle) - 0.35)
    return np.stack([x, r], axis=1).astype(np.float32)


def _revolve(profile: Array, points: int) -> Array:
    turn = np.linspace(0, 2 * np.pi, points)
    x = np.repeat(profile[:, :1], points, axis=1)
    return np.stack([x, profile[:, 1:] * np.cos(turn), profile[:, 1:] * np.sin(turn)], axis=2).astype(np.float32)


def revolved_um3(profile: Array) -> float:
    """Volume within a surface of revolution given by (axis, radius)."""
    x, r = profile[:, 0], profile[:, 1]
    return float(abs((np.pi / 3 * np.diff(x) * (r[1:] ** 2 + r[1:] * r[:-1] + r[:-1] ** 2)).sum()))


def _meridian(profile: Array, turn: float) -> Array:
    return np.stack([profile[:, 0], profile[:, 1] * np.cos(turn), profile[:, 1] * np.sin(turn)], axis=1)


def _gonads(rng: np.random.Generator, inner: Array, turns: Array, size: float) -> list[Part]:
    ripe = rng.uniform(0.0, 1.0)
    if ripe < 0.35:
        return []
    a, b = int(rng.integers(5, 8)), int(rng.integers(10, 14))
    swell = size * 0.035 * ripe * np.sin(np.linspace(0.2, np.pi - 0.2, b - a))
    return [merge_tubes([tube(_meridian(inner[a:b], turn), swell, "gonad", "organ") for turn in turns])]


def _manubrium(rng: np.random.Generator, top: float, length: float, size: float) -> Part:
    t = np.linspace(0, 1, 7)
    r = size * rng.uniform(0.028, 0.06) * (1 - 0.55 * np.abs(t - 0.35)) * (1 + 0.5 * (t > 0.9))
    sway = size * 0.03 * np.cumsum(rng.standard_normal((7, 2)), axis=0) * t[:, None]
    return tube(np.stack([top - t * length, sway[:, 0], sway[:, 1]], axis=1), r, "gonad", "organ")


def _tentacles(rng: np.random.Generator, margin: Array, size: float, canals: int) -> list[Part]:
    count = canals * int(rng.choice([1, 2, 3, 4], p=[0.25, 0.35, 0.25, 0.15]))
    length = size * float(rng.choice([0.3, 0.8, 1.6], p=[0.25, 0.4, 0.35]))
    drift = bend(rng, 0.7, 1.6)
    flow, out = rng.normal(0, 0.35, 2), rng.uniform(0.1, 0.9)
    lines, bulbs = [], []
    for k in range(count):
        turn = 2 * np.pi * (k + 0.15 * rng.standard_normal()) / count
        root = np.array([margin[0], margin[1] * np.cos(turn), margin[1] * np.sin(turn)])
        aim = np.array([-1.0, out * np.cos(turn) + flow[0], out * np.sin(turn) + flow[1]])
        reach = length * rng.uniform(0.55, 1.0)
        line = whip(rng, root, aim, reach, 16, curl=drift + bend(rng, 0.4, 1.0), wave=0.35)
        lines.append(tube(line, size * np.linspace(0.0105, 0.0045, 16), "tentacle", "appendage"))
        bulbs.append(tube([root, root - np.array([0.02 * size, 0, 0])], 0.017 * size, "tentacle", "organ"))
    return [merge_tubes(lines), merge_tubes(bulbs)]


def chaetognath(rng: np.random.Generator, length_um: float) -> Body:
    """An arrow worm: long clear body, dark head with hooks, paired fins and a tail fin, gut and ovaries.

    Args:
        rng: decides bending, ripeness and gut.
        length_um: head to tail along the body.
    """
    width = length_um * rng.uniform(0.04, 0.062)
    n = 28
    t = np.linspace(0, 1, n)
    heading = bend(rng, 0.4, 1.3) * (t - 0.5) + bend(rng, 0.12, 0.35) * np.sin(2 * np.pi * t)
    step = length_um / (n - 1)
    line = np.stack([-np.cumsum(np.cos(heading)), np.cumsum(np.sin(heading)), 0 * t], axis=1) * step
    line -= line.mean(axis=0)
    side = np.stack([np.sin(heading), np.cos(heading), 0 * t], axis=1)
    knots = [0, 0.03, 0.075, 0.1, 0.3, 0.6, 0.72, 0.93, 1]
    r = 0.5 * width * np.interp(t, knots, [0.5, 0.95, 1.0, 0.68, 1.0, 1.0, 0.78, 0.42, 0.2])
    parts: list[Part] = [
        tube(line, r, "flesh", skin="cuticle", skin_um=0.07 * width),
        tube(line[:3], r[:3] * 0.85, "muscle", "organ"),
        tube(line[2:20], width * 0.07 * (1 + 0.3 * rng.standard_normal(18)).clip(0.4, 1.8), "muscle", "organ"),
        tube([line[20] - side[20] * r[20] * 0.9, line[20] + side[20] * r[20] * 0.9], 0.05 * width, "muscle", "organ"),
    ]
    if rng.random() < 0.5:
        at = int(rng.integers(4, 14))
        parts.append(tube(line[at : at + 3], 0.2 * width, "gut", "organ"))
    ripe = int(rng.integers(0, 7))
    parts += _ovaries(line, side, width, ripe)
    for hand in (-1, 1):
        parts += [_fin(line, side, r, hand, a, b, reach * width) for a, b, reach in ((11, 16, 0.5), (17, 24, 0.75))]
        parts.append(ball(line[1] + hand * 0.2 * width * side[1], 0.05 * width, "eye"))
    parts += [_tail_fin(line, side, width), _hooks(rng, line, side, width)]
    stage = "juvenile" if ripe < 2 else "mature" if ripe > 4 else "maturing"
    return Body(tuple(parts), Traits(length_um, width, stage=stage), (1500 / length_um) ** 0.9, 0.25)


def _ovaries(line: Array, side: Array, width: float, ripe: int) -> list[Part]:
    """Ovaries before the tail septum, the longer the riper, and testes behind it."""
    parts: list[Part] = []
    for hand in (-1, 1):
        if ripe > 1:
            part = slice(20 - ripe, 20)
            parts.append(tube(line[part] + hand * 0.26 * width * side[part], 0.11 * width, "gonad", "organ"))
        parts.append(tube(line[21:26] + hand * 0.12 * width * side[21:26], 0.07 * width, "gonad", "organ"))
    return parts


def _fin(line: Array, side: Array, r: Array, hand: int, a: int, b: int, reach: float) -> Part:
    u = np.linspace(0, 1, b - a)
    out = reach * np.sin(np.pi * u**0.8)
    v = np.linspace(0, 1, 5)
    across = r[a:b, None] * 0.9 + out[:, None] * v
    points = line[a:b, None, :] + hand * side[a:b, None, :] * across[:, :, None]
    return Sheet(points.astype(np.float32), reach * 0.12, "membrane", "appendage")


def _tail_fin(line: Array, side: Array, width: float) -> Part:
    u = np.linspace(0, 1, 7)
    v = np.linspace(-1, 1, 9)
    back = line[-1] - line[-2]
    back = back / np.linalg.norm(back)
    spread = width * (0.25 + 0.75 * np.sin(np.pi * 0.62 * u))
    points = line[-3] + u[:, None, None] * back * width * 1.9 + (spread[:, None] * v)[:, :, None] * side[-2]
    return Sheet(points.astype(np.float32), 0.08 * width, "membrane", "appendage")


def _hooks(rng: np.random.Generator, line: Array, side: Array, width: float) -> Part:
    forward = line[0] - line[2]
    forward = forward / np.linalg.norm(forward)
    spread = rng.uniform(0.1, 0.7)
    hooks = []
    for hand in (-1, 1):
        for k in range(6):
            u = np.linspace(0, 1, 6)[:, None]
            sidewards = hand * side[1] * (0.42 + (0.18 + 0.5 * spread) * np.sin(np.pi * 0.8 * u) - 0.1 * u) * width
            along = forward * (-0.35 + 0.12 * k + (0.75 + 0.05 * k) * u) * width
            lift = np.array([0, 0, 0.09 * k * width])
            hooks.append(
                tube(line[1] + sidewards + along + lift, width * np.linspace(0.028, 0.008, 6), "seta", "appendage")
            )
    return merge_tubes(hooks)


def appendicularian(rng: np.random.Generator, length_um: float) -> Body:
    """An appendicularian: small dense trunk and a long beating tail.

    Args:
        rng: decides how the tail bends.
        length_um: trunk and tail along the body.
    """
    trunk = length_um * rng.uniform(0.2, 0.27)
    tail = length_um - trunk
    t = np.linspace(0, 1, 26)
    beat = (
        rng.uniform(0.5, 1.5) * np.sin(2 * np.pi * (rng.uniform(0.5, 1.1) * t + rng.random())) + bend(rng, 0.8, 1.6) * t
    )
    line = np.stack([-np.cumsum(np.cos(beat)), 0 * t, -np.cumsum(np.sin(beat))], axis=1) * tail / 26
    line += np.array([0.1 * trunk, 0, -0.2 * trunk])
    width = trunk * rng.uniform(0.42, 0.55)
    normal = np.stack([-np.sin(beat), 0 * t, np.cos(beat)], axis=1)
    reach = tail * 0.075 * np.sin(np.pi * (0.12 + 0.86 * t)) ** 0.6
    v = np.linspace(-1, 1, 7)
    fin = line[:, None, :] + normal[:, None, :] * (reach[:, None] * v)[:, :, None]
    muscle = 0.35 * reach
    head = np.array([0.42 * trunk, 0, 0])
    x = np.linspace(-0.5, 0.5, 9)
    r = 0.5 * width * np.sqrt(np.maximum(1 - (2 * np.abs(x)) ** 2.6, 0.04)) * (1 - 0.35 * x)
    axis = np.stack([x * trunk, 0 * x, 0 * x], axis=1) + head
    parts: list[Part] = [
        lathe(axis[:, 0], r, "flesh", skin="cuticle", skin_um=0.05 * width),
        oval(head - np.array([0.16 * trunk, 0, 0]), (0.2 * trunk, 0.3 * width, 0.33 * width), "gut", "organ"),
        oval(head + trunk * np.array([-0.36, 0, 0.05]), (0.14 * trunk, 0.36 * width, 0.3 * width), "gonad", "organ"),
        tube(axis[5:], 0.12 * width, "muscle", "organ"),
        Sheet(fin.astype(np.float32), 0.035 * width, "membrane", "body"),
        tube(line, muscle, "flesh", "organ", skin="muscle", skin_um=0.03 * width),
    ]
    return Body(tuple(parts), Traits(length_um, width), (1300 / length_um) ** 0.8, 0.3)


def wing_snail(rng: np.random.Generator, length_um: float) -> Body:
    """A shelled pteropod (*Limacina*): a coiled shell, and wings if it swims.

    Args:
        rng: decides coiling and wings.
        length_um: diameter of the shell.
    """
    size = length_um
    turns = rng.uniform(2.2, 3.3)
    t = np.linspace(0, 1, 60)
    angle = -2 * np.pi * turns * (1 - t)
    growth = np.exp(-1.15 * turns * (1 - t) * rng.uniform(0.75, 0.95))
    spire = rng.uniform(0.1, 0.45)
    line = np.stack([growth * np.cos(angle), growth * np.sin(angle), -spire * growth], axis=1) * 0.355 * size
    r = 0.255 * size * growth
    parts: list[Part] = [
        tube(line, r, "shell", skin="cuticle", skin_um=0.014 * size),
        tube(line[15:52], 0.62 * r[15:52], "gut" if rng.random() < 0.6 else "gonad", "organ"),
    ]
    if rng.random() < 0.5:
        for hand in (-1, 1):
            u, v = np.linspace(0, 1, 7)[:, None], np.linspace(-1, 1, 7)[None, :]
            x = 0.36 * size + 0.12 * size * v * np.sin(np.pi * (0.2 + 0.7 * u))
            y = 0.1 * size + hand * size * 0.42 * u + 0 * v
            z = -0.05 * size + 0.18 * size * u**2 + 0 * v
            parts.append(Sheet(np.stack([x, y, z], axis=2).astype(np.float32), 0.02 * size, "membrane", "appendage"))
    return Body(tuple(parts), Traits(size, size * 0.85, form="shell"), (260 / size) ** 0.9, 0.25)
