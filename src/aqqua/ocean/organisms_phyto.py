"""Phytoplankton of many cells: diatom chains and cyanobacterial filaments and colonies."""

from __future__ import annotations

import numpy as np

from aqqua.ocean.chance import Array, bend
from aqqua.ocean.shapes import Body, Cloud, Part, Traits, Tubes, merge_tubes, tube
from aqqua.ocean.strokes import inside_oval, sphere_points, whip

__all__ = ["diatom_chain", "trichodesmium"]


def diatom_chain(rng: np.random.Generator, length_um: float) -> Body:
    """A chain of diatoms: drums on a thread, cells with long setae, or needles that overlap.

    Args:
        rng: decides form, cells and bending.
        length_um: the chain along its axis, without setae.
    """
    form = str(rng.choice(["drums", "setae", "needles"], p=[0.4, 0.35, 0.25]))
    return {"drums": _drums, "setae": _setae, "needles": _needles}[form](rng, length_um)


def _axis(rng: np.random.Generator, length_um: float, cells: int, curve: float) -> tuple[Array, Array]:
    """Middles (n, 3) and directions (n, 3) of the cells along a bent chain."""
    heading = bend(rng, curve, 2.5 * curve) * np.linspace(-0.5, 0.5, cells) + 0.02 * np.cumsum(
        rng.standard_normal(cells)
    )
    direction = np.stack([np.cos(heading), np.sin(heading), 0 * heading], axis=1)
    step = length_um / cells
    middle = np.cumsum(direction, axis=0) * step
    return middle - middle.mean(axis=0), direction


def _cell_count(length_um: float, ideal: float) -> int:
    return int(np.clip(round(length_um / ideal), 2, 60))


def _drums(rng: np.random.Generator, length_um: float) -> Body:
    """*Skeletonema*, *Thalassiosira*, *Leptocylindrus*: drums, close together or on a thread."""
    width = float(np.clip(length_um * rng.uniform(0.08, 0.3), 4, 45))
    pitch = width * rng.uniform(0.8, 1.9)
    n = _cell_count(length_um, pitch)
    pitch = length_um / n
    middle, direction = _axis(rng, length_um, n, 0.4)
    half = 0.5 * pitch * rng.uniform(0.62, 0.95) * direction
    cells = _frustules(middle, half, width)
    lids = [
        tube([m + s * h, m + s * h * 0.86], 0.48 * width, "silica", "organ", flat=True)
        for m, h in zip(middle, half, strict=True)
        for s in (-1, 1)
    ]
    parts: list[Part] = [cells, merge_tubes(lids), tube(middle, 0.04 * width, "silica", "organ")]
    parts += _plastids(rng, middle, half, 0.36 * width, int(rng.integers(3, 9)))
    return Body(tuple(parts), Traits(length_um, width, form="drums", cells=n), mottle=0.15)


def _frustules(middle: Array, half: Array, width: float) -> Tubes:
    """Drums with walls of silica."""
    return merge_tubes(
        tube([m - h, m + h], width / 2, "plasm", flat=True, skin="silica", skin_um=0.07 * width)
        for m, h in zip(middle, half, strict=True)
    )


def _setae(rng: np.random.Generator, length_um: float) -> Body:
    """*Chaetoceros*: rectangular cells, from whose corners setae spread."""
    width = float(np.clip(length_um * rng.uniform(0.1, 0.26), 6, 40))
    n = _cell_count(length_um, width * rng.uniform(0.75, 1.3))
    middle, direction = _axis(rng, length_um, n, 0.5)
    half = 0.5 * length_um / n * 0.74 * direction
    side = np.stack([-direction[:, 1], direction[:, 0], 0 * direction[:, 0]], axis=1)
    cells = _frustules(middle, half, width)
    reach = width * rng.uniform(1.6, 4.0)
    hairs = []
    for k in range(n):
        for end in (-1, 1):
            for hand in (-1, 1):
                lean = 0.25 * end + 1.3 * (2 * k / max(n - 1, 1) - 1) * rng.uniform(0.3, 0.7)
                aim = side[k] * hand + direction[k] * lean + np.array([0, 0, rng.normal(0, 0.45)])
                root = middle[k] + end * half[k] + hand * side[k] * width * 0.45
                line = whip(
                    rng, root, aim, reach * rng.uniform(0.7, 1.0), 7, curl=-0.5 * hand * np.sign(lean), wave=0.06
                )
                hairs.append(tube(line, width * np.linspace(0.022, 0.01, 7), "silica", "appendage"))
    parts: list[Part] = [cells, merge_tubes(hairs)]
    parts += _plastids(rng, middle, half, 0.34 * width, int(rng.integers(1, 6)))
    return Body(tuple(parts), Traits(length_um, width, form="setae", cells=n), mottle=0.15)


def _needles(rng: np.random.Generator, length_um: float) -> Body:
    """*Pseudo-nitzschia*, *Rhizosolenia*: needles that overlap at their tips."""
    n = int(rng.integers(2, 8))
    cell = length_um / (n - 0.22 * (n - 1))
    width = float(np.clip(cell * rng.uniform(0.06, 0.13), 2.6, 30))
    middle, direction = _axis(rng, length_um - cell * 0.22, n, 0.12)
    side = np.stack([-direction[:, 1], direction[:, 0], 0 * direction[:, 0]], axis=1)
    middle = middle + side * (0.35 * width * np.where(np.arange(n) % 2, 1, -1))[:, None]
    half = 0.5 * cell * direction
    shape = np.array([0.12, 0.55, 0.9, 1.0, 0.9, 0.55, 0.12]) * width / 2
    t = np.linspace(-1, 1, 7)[:, None]
    cells = [
        tube(m + t * h, shape, "plasm", skin="silica", skin_um=0.12 * width) for m, h in zip(middle, half, strict=True)
    ]
    parts: list[Part] = [merge_tubes(cells), *_plastids(rng, middle, half * 0.7, 0.36 * width, 8)]
    return Body(tuple(parts), Traits(length_um, width, form="needles", cells=n), mottle=0.12)


def _plastids(rng: np.random.Generator, middle: Array, half: Array, reach: float, per_cell: int) -> list[Part]:
    """Chloroplasts along the walls of the cells, and a nucleus in each."""
    n = len(middle)
    along = rng.uniform(-0.75, 0.75, (n, per_cell, 1)) * half[:, None, :]
    off = inside_oval(rng, n * per_cell).reshape(n, per_cell, 3) * reach
    at = (middle[:, None, :] + along + off).reshape(-1, 3)
    size = reach * rng.uniform(0.35, 0.65, len(at)) * (1.25 if per_cell < 4 else 0.9)
    nuclei = Cloud(middle.astype(np.float32), np.full(n, 0.36 * reach, np.float32), "nucleus", "organ")
    return [Cloud(at.astype(np.float32), size.astype(np.float32), "plastid", "organ"), nuclei]


def trichodesmium(rng: np.random.Generator, length_um: float) -> Body:
    """*Trichodesmium*: a single trichome, a tuft of parallel ones, or a puff.

    Args:
        rng: decides form and filaments.
        length_um: longest extent.
    """
    if length_um < 700:
        return _trichome(rng, length_um)
    return _puff(rng, length_um) if rng.random() < 0.4 else _tuft(rng, length_um)


def _trichome(rng: np.random.Generator, length_um: float) -> Body:
    """One filament; the cross walls of its cells show."""
    width = float(np.clip(rng.normal(9, 1.6), 5, 14))
    cells = max(4, int(length_um / (0.8 * width)))
    middle, direction = _axis(rng, length_um, cells, 0.5)
    step = 0.5 * length_um / cells
    line = np.concatenate([middle - step * direction, middle[-1:] + step * direction[-1:]])
    septa = [
        tube([m - 0.9 * d, m + 0.9 * d], 0.47 * width, "trichome", "organ", flat=True)
        for m, d in zip(line[1:-1], direction, strict=False)
    ]
    parts: list[Part] = [tube(line, width / 2, "trichome", skin="theca", skin_um=0.8)]
    if septa:
        parts.append(merge_tubes(septa))
    parts.append(Cloud(middle.astype(np.float32), np.full(cells, 0.14 * width, np.float32), "granule", "organ"))
    return Body(tuple(parts), Traits(length_um, width, form="trichome", cells=cells), mottle=0.25)


def _tuft(rng: np.random.Generator, length_um: float) -> Body:
    count = int(rng.integers(60, 170))
    width = length_um * rng.uniform(0.06, 0.16)
    twist = rng.uniform(0.04, 0.35)
    lines = []
    for _ in range(count):
        across = rng.normal(0, 0.33, 2) * width * 0.5
        aim = np.array([1.0, *(rng.normal(0, twist, 2) * 0.6)])
        aim /= np.linalg.norm(aim)
        reach = length_um * rng.uniform(0.55, 1.0)
        shift = (length_um - reach) * rng.uniform(-0.5, 0.5)
        start = np.array([shift, *across]) - aim * reach / 2
        lines.append(
            tube(whip(rng, start, aim, reach, 6, bend(rng, 0.1, 0.25), 0.05), rng.uniform(5, 8), "trichome", "body")
        )
    return Body((merge_tubes(lines, bundle=True),), Traits(length_um, width, form="tuft", cells=count * 100), 0.5, 0.3)


def _puff(rng: np.random.Generator, length_um: float) -> Body:
    radius = length_um / 2
    count = int(rng.integers(160, 300))
    aims = sphere_points(count) + 0.12 * rng.standard_normal((count, 3))
    squash = np.array([1.0, rng.uniform(0.75, 1.0), rng.uniform(0.7, 1.0)])
    lines = []
    for aim in aims:
        reach = radius * rng.uniform(0.65, 0.97)
        line = whip(rng, np.zeros(3), aim / np.linalg.norm(aim), reach, 6, bend(rng, 0.25, 0.6), 0.12) * squash
        lines.append(tube(line, rng.uniform(5, 8), "trichome", "body"))
    return Body(
        (merge_tubes(lines, bundle=True),), Traits(length_um, length_um, form="puff", cells=count * 100), 0.5, 0.3
    )
