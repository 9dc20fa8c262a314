"""Dinoflagellates: three-horned, diamond-shaped and round ones."""

from __future__ import annotations

import numpy as np

from aqqua.ocean.chance import Array, bend
from aqqua.ocean.shapes import Body, Cloud, Part, Traits, Tubes, lathe, merge_tubes, tube
from aqqua.ocean.strokes import arc, ball, grains_within, oval, whip

__all__ = ["dinoflagellate"]


def dinoflagellate(rng: np.random.Generator, length_um: float) -> Body:
    """A dinoflagellate: three-horned (*Tripos*), diamond (*Protoperidinium*) or round.

    Args:
        rng: decides form, horns and pigment.
        length_um: tip to tip along the axis.
    """
    form = str(rng.choice(["three horns", "diamond", "round"], p=[0.5, 0.25, 0.25]))
    largest = {"three horns": np.inf, "diamond": 105, "round": 65}[form]
    if form == "three horns" or length_um > largest:
        return _three_horns(rng, length_um)
    return _armoured(rng, length_um, form)


def _armoured(rng: np.random.Generator, length_um: float, form: str) -> Body:
    """A cell of plates: girdle, seams between the plates, two short horns if it is a diamond."""
    width = length_um * (rng.uniform(0.78, 0.95) if form == "diamond" else rng.uniform(0.85, 0.98))
    r = 0.5 * width * _outline(form)
    x = np.linspace(-0.5, 0.5, len(r))
    line = np.stack([x * length_um, 0 * x, 0 * x], axis=1)
    seams = [
        tube(np.stack([line[:, 0], r * np.cos(turn), r * np.sin(turn)], axis=1), 0.008 * width, "theca", "organ")
        for turn in np.arange(6) * np.pi / 3
    ]
    parts: list[Part] = [
        lathe(line[:, 0], r, "plasm", skin="theca", skin_um=0.028 * width),
        merge_tubes([*_girdle(0.0, 0.035 * length_um, 0.505 * width, 0.012 * width), *seams]),
        oval((-0.1 * length_um, 0, 0), (0.16 * length_um, 0.2 * width, 0.16 * width), "nucleus", "organ"),
    ]
    if form == "diamond":
        parts.append(merge_tubes(_short_horn(length_um, width, side) for side in (-1, 1)))
    pigment = "plastid" if form == "round" or rng.random() < 0.3 else "granule"
    count = int(rng.integers(16, 46))
    size = (length_um * rng.uniform(0.02, 0.045, count)).astype(np.float32)
    parts.append(Cloud(grains_within(rng, count, line, r * 0.82), size, pigment, "organ"))
    return Body(tuple(parts), Traits(length_um, width, form=form), mottle=0.28)


def _outline(form: str) -> Array:
    """Radius along the axis, of the largest."""
    x = np.linspace(-0.5, 0.5, 15)
    if form == "diamond":
        return np.interp(x, [-0.5, -0.36, -0.04, 0, 0.04, 0.36, 0.5], [0.2, 0.55, 1, 0.93, 1, 0.4, 0.09])
    waist = 1 - 0.09 * np.exp(-((x / 0.045) ** 2))
    ball_: Array = np.sqrt(np.maximum(1 - (2 * np.abs(x)) ** 2.1, 0.04)) * waist
    return ball_


def _girdle(middle: float, gap: float, radius: float, thick: float) -> list[Tubes]:
    """The two rims of the girdle."""
    rims = (middle - gap, middle + gap)
    return [tube(arc((at, 0, 0), radius, 0, 2 * np.pi, 25), thick, "theca", "organ") for at in rims]


def _short_horn(length_um: float, width: float, side: int) -> Tubes:
    line = [[-0.44 * length_um, side * 0.16 * width, 0], [-0.56 * length_um, side * 0.26 * width, 0]]
    return tube(line, [0.06 * width, 0.012 * width], "theca", "appendage")


def _three_horns(rng: np.random.Generator, length_um: float) -> Body:
    """*Tripos*: one long horn ahead, two behind that bend forward."""
    core = length_um * rng.uniform(0.20, 0.30)
    width = core * rng.uniform(0.95, 1.15)
    middle = bend(rng, 0.06, 0.12) * length_um - 0.1 * length_um
    x = np.linspace(-0.5, 0.5, 11)
    r = 0.5 * width * np.interp(x, [-0.5, -0.3, -0.04, 0, 0.04, 0.5], [0.42, 0.86, 1, 0.94, 1, 0.22])
    line = np.stack([x * core + middle, 0 * x, 0 * x], axis=1)
    apex = length_um / 2
    ahead = [
        line[-1],
        [0.5 * (line[-1, 0] + apex), bend(rng, 0.02, 0.04) * length_um, 0],
        [apex, bend(rng, 0.03, 0.06) * length_um, 0],
    ]
    horns = [tube(np.array(ahead), r[-1] * np.array([1.0, 0.35, 0.22]), "theca")]
    hook = rng.uniform(0.5, 2.4)
    for side, reach in ((-1, rng.uniform(0.32, 0.6)), (1, rng.uniform(0.3, 0.55))):
        root = np.array([line[0, 0] + 0.1 * core, side * 0.3 * width, 0])
        horn = whip(rng, root, np.array([-1.0, side * 0.75, 0]), reach * length_um, 10, curl=-side * hook, wave=0.04)
        horns.append(tube(horn, width * np.linspace(0.15, 0.035, 10), "theca"))
    count = int(rng.integers(14, 34))
    size = (core * rng.uniform(0.03, 0.06, count)).astype(np.float32)
    parts: list[Part] = [
        lathe(line[:, 0], r, "plasm", skin="theca", skin_um=0.045 * width),
        merge_tubes(horns),
        merge_tubes(_girdle(middle, 0.05 * core, 0.505 * width, 0.014 * width)),
        Cloud(grains_within(rng, count, line, r * 0.8), size, "plastid", "organ"),
        ball((middle - 0.1 * core, 0, 0), 0.16 * core, "nucleus"),
    ]
    hindmost = min(float(line[0, 0]), *(float(horn.end[:, 0].min()) for horn in horns))
    return Body(tuple(parts), Traits(apex - hindmost, width, form="three horns"), mottle=0.2)
