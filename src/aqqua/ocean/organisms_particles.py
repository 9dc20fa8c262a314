"""Particles: fecal pellets, marine snow, fibres, and bubbles, which are none."""

from __future__ import annotations

import numpy as np

from aqqua.ocean.chance import Array, bend
from aqqua.ocean.shapes import Body, Cloud, Part, Traits, tube
from aqqua.ocean.strokes import ball, inside_oval, whip

__all__ = ["bubble", "fecal_pellet", "fiber", "marine_snow"]


def fecal_pellet(rng: np.random.Generator, length_um: float) -> Body:
    """A fecal pellet: a dense, granular, slightly bent cylinder.

    Args:
        rng: decides bending, ends and content.
        length_um: along the pellet.
    """
    width = length_um * rng.uniform(0.14, 0.31)
    t = np.linspace(0, 1, 14)
    ends = 0.55 + 0.45 * np.minimum(1, np.minimum(t, 1 - t) / 0.09) ** 0.5
    taper = 1 - rng.uniform(0, 0.35) * t
    r = 0.5 * width * ends * taper * (1 + 0.05 * rng.standard_normal(14))
    heading = bend(rng, 0.45, 1.2) * (t - 0.5) + 0.05 * np.cumsum(rng.standard_normal(14))
    inner = length_um - max(r[0], r[1] - length_um / 13) - max(r[-1], r[-2] - length_um / 13)
    line = np.stack([np.cos(heading), np.sin(heading), 0 * t], axis=1).cumsum(axis=0) * inner / 13
    line -= line.mean(axis=0)
    at = line[rng.integers(0, 14, 160)] + inside_oval(rng, 160) * 0.46 * width
    parts: list[Part] = [
        tube(line, r, "pellet", skin="cuticle", skin_um=0.03 * width),
        Cloud(at.astype(np.float32), (width * rng.uniform(0.015, 0.07, 160)).astype(np.float32), "pellet", "organ"),
    ]
    return Body(tuple(parts), Traits(length_um, width), (420 / length_um) ** 0.7, 0.35)


def marine_snow(rng: np.random.Generator, length_um: float) -> Body:
    """Marine snow: a fractal aggregate of grains in mucus, with this and that caught in it.

    Args:
        rng: decides form and content.
        length_um: longest extent.
    """
    at, spacing = _cascade(rng, levels=5, children=6, dimension=rng.uniform(1.9, 3.0))
    scale = length_um / float(np.ptp(at @ _longest(at)))
    at = at * scale
    size = (0.32 * spacing * scale * rng.lognormal(0.0, 0.7, len(at))).astype(np.float32)
    grains = Cloud(at, size, "grain", "body")
    mucus = Cloud(at[::5], (size[::5] * 2.5).clip(0, 0.05 * length_um), "mucus", "haze")
    width = float(np.ptp(at @ np.cross(_longest(at), [0, 0, 1.0])))
    mean_path_um = grains.volume_um3() / (0.35 * length_um * width)
    caught = _caught(rng, at, length_um)
    traits = Traits(length_um, width, form="aggregate")
    return Body((grains, mucus, *caught), traits, rng.uniform(45, 110) / mean_path_um, 0.5)


def _cascade(rng: np.random.Generator, levels: int, children: int, dimension: float) -> tuple[Array, float]:
    """Clusters of clusters: at each level a cluster splits into `children`, at a distance smaller by one ratio.

    The fractal dimension is ln(children) / ln(1 / ratio).

    Returns:
        Middles of the grains (n, 3) around 0, and their spacing in the same unit.
    """
    ratio = children ** (-1 / dimension)
    stretch = np.array([1.0, rng.uniform(0.4, 0.9), rng.uniform(0.4, 0.9)])
    at, reach = np.zeros((1, 3)), 1.0
    for _ in range(levels):
        offsets = inside_oval(rng, len(at) * children).reshape(len(at), children, 3) * stretch
        at = (at[:, None, :] + reach * offsets).reshape(-1, 3)
        at = at[rng.random(len(at)) < 0.90]
        reach *= ratio
    return (at - at.mean(axis=0)).astype(np.float32), reach


def _caught(rng: np.random.Generator, at: Array, length_um: float) -> list[Part]:
    """Small pellets and threads in an aggregate."""
    parts: list[Part] = []
    for _ in range(int(rng.integers(0, 4))):
        reach = length_um * rng.uniform(0.06, 0.16)
        line = whip(rng, at[rng.integers(len(at))], rng.standard_normal(3), reach, 4)
        parts.append(tube(line, reach * rng.uniform(0.06, 0.2), "pellet", "organ"))
    for _ in range(int(rng.integers(0, 5))):
        start, aim = at[rng.integers(len(at))], rng.standard_normal(3)
        line = whip(rng, start, aim, length_um * rng.uniform(0.1, 0.4), 9, bend(rng, 1, 2), 0.4)
        parts.append(tube(line, 0.006 * length_um, "grain", "appendage"))
    return parts


def _longest(points: Array) -> Array:
    """Direction of the largest spread."""
    values, vectors = np.linalg.eigh(np.cov(points.T))
    out: Array = vectors[:, int(np.argmax(values))]
    return out


def fiber(rng: np.random.Generator, length_um: float) -> Body:
    """A textile fibre: long, thin, curly, sometimes blue or red.

    Args:
        rng: decides colour and curl.
        length_um: along the fibre.
    """
    width = float(np.clip(length_um * 0.02, 12, 40))
    line = whip(rng, np.zeros(3), np.array([1.0, 0, 0]), length_um, 40, curl=bend(rng, 1.6, 4.0), wave=0.8)
    material = str(rng.choice(["grain", "blue_fiber", "red_fiber"], p=[0.4, 0.4, 0.2]))
    return Body(
        (tube(line - line.mean(axis=0), width / 2, material),), Traits(length_um, width, form="fiber"), mottle=0.2
    )


def bubble(rng: np.random.Generator, length_um: float) -> Body:
    """An air bubble: a perfect sphere that bends light strongly.

    Args:
        rng: decides the diameter to 3 %.
        length_um: diameter, about.
    """
    diameter = length_um * (1 + bend(rng, 0.01, 0.03))
    return Body((ball((0, 0, 0), diameter / 2, "air", "body"),), Traits(diameter, diameter), mottle=0.0)
