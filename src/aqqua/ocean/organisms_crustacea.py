"""Copepods: calanoids, cyclopoids and nauplii, drawn from stage, size, oil and eggs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from aqqua.ocean.chance import bend
from aqqua.ocean.shapes import Body, Ellipsoids, Part, Traits, Tubes, lathe, merge_tubes, tube
from aqqua.ocean.strokes import arc, ball, eggs_on, fan, oval, whip

__all__ = ["calanoid", "cyclopoid", "nauplius"]

_STAGES = ("CI", "CII", "CIII", "CIV", "CV", "adult female", "adult male")


def calanoid(rng: np.random.Generator, length_um: float) -> Body:
    """A calanoid copepod: stout prosome, short urosome, antennules as long as the body.

    Args:
        rng: decides stage, proportions and limbs.
        length_um: prosome and urosome.
    """
    stage = _STAGES[int(rng.choice(7, p=[0.05, 0.07, 0.12, 0.16, 0.24, 0.26, 0.10]))]
    prosome = length_um * rng.uniform(0.72, 0.80)
    width = prosome * rng.uniform(0.27, 0.38)
    lipid = float(np.clip(rng.beta(1.6, 5) * (1.6 if stage in ("CIV", "CV") else 1.0), 0, 0.45))
    front, hind = length_um / 2, length_um / 2 - prosome
    parts: list[Part] = [*_prosome(rng, front, hind, width), *_urosome(rng, hind, -length_um / 2, width * 0.24, 4)]
    parts += _gut(rng, front, hind, width)
    parts += _oil(front, hind, width, lipid)
    parts += [_antennules(rng, front - 0.07 * prosome, width, length_um * rng.uniform(0.75, 1.15))]
    parts += [_legs(rng, front, prosome, width)]
    parts += [ball((front - 0.05 * prosome, 0, width * 0.12), max(4.0, 0.035 * width), "eye")]
    eggs = int(rng.integers(8, 30)) if stage == "adult female" and rng.random() < 0.2 else 0
    if eggs:
        parts.append(eggs_on(rng, (hind - 0.03 * length_um, 0, -0.24 * width), eggs, 0.1 * width))
    traits = Traits(length_um, width, stage=stage, eggs=eggs, lipid_fraction=round(lipid, 3))
    return Body(tuple(parts), traits, (950 / length_um) ** 0.85, 0.32)


def cyclopoid(rng: np.random.Generator, length_um: float) -> Body:
    """A cyclopoid copepod such as *Oithona*: slender, long urosome, females with a pair of egg sacs.

    Args:
        rng: decides stage, proportions and limbs.
        length_um: prosome and urosome.
    """
    stage = str(rng.choice(["copepodite", "adult female", "adult male"], p=[0.3, 0.5, 0.2]))
    prosome = length_um * rng.uniform(0.52, 0.60)
    width = prosome * rng.uniform(0.36, 0.48)
    front, hind = length_um / 2, length_um / 2 - prosome
    parts: list[Part] = [
        *_prosome(rng, front, hind, width, waist=0.45),
        *_urosome(rng, hind, -length_um / 2, width * 0.26, 5),
        *_gut(rng, front, hind, width),
        _antennules(rng, front - 0.06 * prosome, width, length_um * rng.uniform(0.45, 0.7), backward=0.5),
        _legs(rng, front, prosome, width),
        ball((front - 0.06 * prosome, 0, width * 0.15), max(3.0, 0.045 * width), "eye"),
    ]
    eggs = int(rng.integers(8, 26)) if stage == "adult female" and rng.random() < 0.55 else 0
    for side in (-1, 1) if eggs else ():
        middle = (hind - 0.13 * length_um, side * 0.36 * width, -0.1 * width)
        sac = eggs_on(rng, middle, (eggs + 1) // 2, 0.1 * width, stretch=(2.4, 1.0, 1.0))
        parts.append(sac)
    traits = Traits(length_um, width, stage=stage, eggs=(eggs + 1) // 2 * 2)
    return Body(tuple(parts), traits, (650 / length_um) ** 0.6 * 1.5, 0.3)


def nauplius(rng: np.random.Generator, length_um: float) -> Body:
    """A nauplius: pear-shaped, three pairs of bristly limbs, one red eye.

    Args:
        rng: decides stage and limbs.
        length_um: body without the tail spines.
    """
    width = length_um * rng.uniform(0.48, 0.66)
    x = np.linspace(-1, 1, 9)
    r = 0.5 * width * np.sqrt(np.maximum(1 - np.abs(x) ** 2.4, 0.03)) * (1 + 0.22 * x)
    parts: list[Part] = [lathe(0.5 * length_um * x, r, "flesh", skin="cuticle", skin_um=max(1.2, 0.02 * width))]
    parts.append(oval((-0.05 * length_um, 0, 0), (0.27 * length_um, 0.17 * width, 0.16 * width), "gut", "organ"))
    parts.append(ball((0.33 * length_um, 0, 0.2 * width), 0.06 * width, "eye"))
    limbs: list[Tubes] = []
    bristles: list[Tubes] = []
    for side in (-1, 1):
        for k, (at, reach, angle) in enumerate(((0.36, 0.55, 62), (0.24, 0.72, 98), (0.08, 0.52, 128))):
            angle_now = np.radians(angle + rng.normal(0, 12))
            root = np.array([at * length_um, side * 0.36 * width, -0.2 * width])
            aim = np.array([np.cos(angle_now), side * np.sin(angle_now), -0.35 + rng.normal(0, 0.2)])
            line = whip(rng, root, aim, reach * length_um, 6, curl=0.5 * side)
            limbs.append(tube(line, np.linspace(0.055, 0.022, 6) * length_um, "limb", "appendage"))
            for j in range(2, 6):
                along = line[j] - line[j - 1]
                bristles.append(fan(rng, line[j], along, 2 + (k > 0), 0.28 * length_um, 0.004 * length_um, 0.5))
    tail = np.array([-0.46 * length_um, 0.0, 0.0])
    bristles.append(fan(rng, tail, np.array([-1.0, 0, 0]), 2, 0.3 * length_um, 0.009 * length_um, 0.35))
    parts += [merge_tubes(limbs), merge_tubes(bristles)]
    stage = f"N{'I' * min(3, int(1 + (length_um - 90) // 60)) if length_um < 270 else 'VI'}"
    return Body(tuple(parts), Traits(length_um, width, stage=stage), (200 / length_um) ** 0.5 * 2.2, 0.35)


def _prosome(rng: np.random.Generator, front: float, hind: float, width: float, waist: float = 0.62) -> list[Part]:
    """Head and thorax: flesh, a cuticle that shines at the edge, and the seams of the segments."""
    t = np.linspace(0, 1, 15)
    widest = rng.uniform(0.38, 0.5)
    rise = np.sqrt(np.maximum(1 - np.abs((widest - t) / widest).clip(0, 1) ** 2.3, 0.02))
    fall = 1 - (1 - waist) * ((t - widest) / (1 - widest)).clip(0, 1) ** 2.2
    r = 0.5 * width * np.where(t < widest, rise, fall)
    r[-1] *= 0.72
    hump = bend(rng, 0.03, 0.06) * width * np.sin(np.pi * t)
    line = np.stack([front - t * (front - hind), 0 * t, hump], axis=1)
    seams = [
        tube(arc(line[k], 1.01 * r[k], 0, 2 * np.pi, 17), 0.008 * width, "cuticle", "organ") for k in (5, 7, 9, 11, 13)
    ]
    wall = max(1.5, 0.02 * width)
    return [lathe(line[:, 0], r, "flesh", skin="cuticle", skin_um=wall, sag=hump), merge_tubes(seams)]


def _urosome(rng: np.random.Generator, start: float, end: float, width: float, segments: int) -> list[Part]:
    """The hind body: segments, two branches of the furca and their fan of setae."""
    tail = 0.12 * (start - end)
    x = np.linspace(start + 0.3 * width, end + tail, 2 * segments)
    r = 0.5 * width * np.linspace(1.08, 0.72, len(x)) * np.where(np.arange(len(x)) % 2, 0.9, 1.04)
    lift = bend(rng, 0.06, 0.15) * (start - end) * np.linspace(0, 1, len(x)) ** 2
    line = np.stack([x, 0 * x, lift], axis=1)
    rami, setae = [], []
    for side in (-1, 1):
        root = line[-1] + np.array([0, side * 0.26 * width, 0])
        tip = root + np.array([-tail, side * 0.06 * width, 0])
        rami.append(tube([root, tip], 0.16 * width, "limb", "body"))
        reach = rng.uniform(0.35, 0.6) * (start - end)
        setae.append(fan(rng, tip, np.array([-1.0, 0.3 * side, 0]), 5, reach, 0.02 * width, 0.8))
    return [
        tube(line, r, "flesh", skin="muscle", skin_um=0.3 * width),
        merge_tubes(rami),
        merge_tubes(setae),
    ]


def _gut(rng: np.random.Generator, front: float, hind: float, width: float) -> list[Part]:
    """The gut, more or less full, and muscles along it."""
    full = rng.beta(1.3, 1.6)
    a, b = front - 0.14 * (front - hind), hind + rng.uniform(-0.05, 0.25) * (front - hind)
    x = np.linspace(a, b, 8)
    r = width * (0.035 + 0.075 * full) * (1 + 0.35 * rng.standard_normal(8)).clip(0.4, 1.7)
    line = np.stack([x, 0.02 * width * rng.standard_normal(8), np.full(8, 0.12 * width)], axis=1)
    muscles = [
        tube([[front - 0.3 * (front - hind), y, z], [hind, 0.7 * y, z]], 0.05 * width, "muscle", "organ")
        for y, z in ((0.2 * width, -0.1 * width), (-0.2 * width, -0.1 * width))
    ]
    return [tube(line, r, "gut", "organ"), merge_tubes(muscles)]


def _oil(front: float, hind: float, width: float, fraction: float) -> list[Part]:
    """The oil sac above the gut; its volume is `fraction` of an ellipsoid of the size of the prosome."""
    if fraction < 0.02:
        return []
    length = front - hind
    half_long = 0.30 * length * (fraction / 0.2) ** 0.25
    half_wide = np.sqrt(fraction * 0.5 * length * (0.5 * width) ** 2 / half_long)
    middle = (front - 0.58 * length, 0.0, 0.08 * width)
    sac = oval(middle, (half_long, half_wide, half_wide), "lipid", "organ")
    rim = Ellipsoids(sac.centre, sac.axes, "carotene", "organ", wall_um=max(1.5, 0.05 * half_wide))
    return [sac, rim]


def _antennules(rng: np.random.Generator, at: float, width: float, length: float, backward: float = 0.0) -> Part:
    """The first antennae: spread, swept back or tucked along the body, sometimes one broken."""
    mood = rng.choice(["spread", "swept", "tucked"], p=[0.55, 0.3, 0.15])
    angle = {"spread": rng.uniform(75, 105), "swept": rng.uniform(110, 145), "tucked": rng.uniform(160, 174)}[str(mood)]
    pieces: list[Tubes] = []
    thick = 0.055 * width
    for side in (-1, 1):
        reach = length * (rng.uniform(0.3, 0.7) if rng.random() < 0.1 else rng.uniform(0.93, 1.0))
        turn = np.radians(angle + rng.normal(0, 6) + 20 * backward)
        aim = np.array([np.cos(turn), side * np.sin(turn), bend(rng, 0.15, 0.3)])
        root = np.array([at, side * 0.22 * width, -0.05 * width])
        line = whip(rng, root, aim, reach, 14, curl=side * (0.25 + 0.5 * backward))
        pieces.append(tube(line, thick * np.linspace(1.0, 0.32, 14), "limb", "appendage"))
        for j in (4, 7, 10, 12, 13):
            setae = fan(rng, line[j], line[j] - line[j - 1], 1 + (j == 13) * 2, 0.07 * length, 0.15 * thick, 1.1)
            pieces.append(replace(setae, material="limb"))
    return merge_tubes(pieces)


def _legs(rng: np.random.Generator, front: float, prosome: float, width: float) -> Part:
    """Mouthparts and swimming legs below the body."""
    legs: list[Tubes] = []
    sweep = rng.uniform(0.3, 1.3)
    for at, reach in ((0.14, 0.5), (0.2, 0.55), (0.26, 0.45), (0.4, 0.55), (0.5, 0.6), (0.6, 0.6), (0.7, 0.5)):
        for side in (-1, 1):
            root = np.array([front - at * prosome, side * 0.16 * width, -0.36 * width])
            aim = np.array([-sweep if at > 0.3 else 0.3, side * 0.3 + rng.normal(0, 0.1), -1.0])
            line = whip(rng, root, aim, reach * width, 4, curl=0.3)
            legs.append(tube(line, width * np.array([0.05, 0.045, 0.03, 0.012]), "limb", "appendage"))
    return merge_tubes(legs)
