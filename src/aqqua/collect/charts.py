"""Bars and a world map as SVG: nothing but shapes and text, readable in light and dark, and by a screen reader."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from html import escape
from importlib.resources import files

__all__ = ["STYLE", "bars", "draw_land", "land_path", "world"]

STYLE = (
    ":root{--ground:#f3f5f7;--surface:#fff;--line:#dde2e7;--ink:#16212b;--soft:#52606d;--here:#00678a;"
    "--due:#8fc0d2;--land:#d5dce3;--sea:#eef4f7;color-scheme:light dark}"
    "@media(prefers-color-scheme:dark){:root{--ground:#10161c;--surface:#151c23;--line:#26313b;--ink:#e8eef3;"
    "--soft:#9fb0bd;--here:#62c8e8;--due:#2f6f85;--land:#33404b;--sea:#18222b}}"
    "*{box-sizing:border-box}"
    "body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,sans-serif}"
    "main{max-width:63rem;margin:0 auto;padding:2rem 1.25rem}"
    "h1{font-size:1.6rem;margin:0 0 .5rem}"
    "h2{font-size:1.1rem;margin:0 0 .75rem}"
    "section{background:var(--surface);border:1px solid var(--line);border-radius:8px;padding:1.25rem;"
    "margin:1.25rem 0}"
    ".lead{font-size:1.05rem}"
    ".lead strong{color:var(--here)}"
    "svg{display:block;width:100%;height:auto}"
    "svg text{fill:var(--ink);font:13px system-ui,sans-serif}"
    "svg .soft{fill:var(--soft)}"
    "g .soft{paint-order:stroke;stroke:var(--surface);stroke-width:5px}"
    "section>:last-child{margin-bottom:0}"
    ".home{max-width:63rem;margin:0 auto;padding:1.25rem 1.25rem 0}"
    ".home a{color:var(--here)}"
    ".home+main{padding-top:1rem}"
    ".fill-here{fill:var(--here)}"
    ".fill-due{fill:var(--due)}"
    ".grid{stroke:var(--line)}"
    ".land{fill:var(--land)}"
    ".sea{fill:var(--sea)}"
    ".spot{fill:var(--here);fill-opacity:.55}"
    ".area{fill:var(--due);fill-opacity:.25;stroke:var(--here);stroke-dasharray:3 3}"
    "table{border-collapse:collapse;width:100%}"
    "th,td{padding:.35rem .75rem .35rem 0;border-bottom:1px solid var(--line);text-align:left}"
    "td,th+th{text-align:right;font-variant-numeric:tabular-nums}"
    "th{font-weight:600}"
    ".key,.when{color:var(--soft);font-size:.9rem}"
    ".key span{display:inline-block;width:.8rem;height:.8rem;margin:0 .3rem 0 .9rem;vertical-align:-.05rem}"
    ".key .here{background:var(--here);border-radius:50%;opacity:.7}"
    ".key .due{border:1px dashed var(--here);background:var(--due);opacity:.6}"
    ".scales input{position:absolute;opacity:0}"
    ".scales label{display:inline-block;padding:.2rem .8rem;cursor:pointer;border:1px solid var(--line);"
    "margin:0 .35rem .8rem 0;border-radius:99px;color:var(--soft)}"
    ".scales input:checked+label{background:var(--here);color:var(--surface);border-color:var(--here)}"
    ".scales input:focus-visible+label{outline:2px solid var(--here);outline-offset:2px}"
    ".scales div{display:none}"
    "#plain:checked~.plain,#log:checked~.log{display:block}"
    ".embed main{padding:.75rem;max-width:none}"
    ".embed h1{font-size:1.2rem}"
)
"""The look of the progress page."""

_WIDTH, _LEFT, _RIGHT, _ROW = 880, 170, 150, 30
_STEP_DEGREES = 0.5


def bars(rows: Sequence[tuple[str, int, int]], *, logarithmic: bool = False) -> str:
    """Bars of images here, and behind them those pledged.

    Args:
        rows: instrument, images here, images pledged.
        logarithmic: on a scale from 1 to the next power of ten.
    """
    most = max(there + due for _, there, due in rows) or 1
    top = 10 ** math.ceil(math.log10(max(most, 10))) if logarithmic else _round_up(most)
    room = _WIDTH - _LEFT - _RIGHT

    def place(images: float) -> float:
        share = math.log10(max(images, 1)) / math.log10(top) if logarithmic else images / top
        return round(room * share, 1)

    height = _ROW * len(rows) + 34
    powers = range(round(math.log10(top)) + 1)
    ticks = [10**power for power in powers] if logarithmic else [top * k / 4 for k in range(5)]
    parts = [
        f'<line class=grid x1="{_LEFT + place(tick)}" x2="{_LEFT + place(tick)}" y1="0" y2="{height - 26}"/>'
        f'<text class=soft x="{_LEFT + place(tick)}" y="{height - 8}" text-anchor="middle">{_short(tick)}</text>'
        for tick in ticks
    ]
    for number, (name, there, due) in enumerate(rows):
        y, whole, own = number * _ROW + 4, place(there + due), place(there)
        told = " + ".join([f"{there:,}"] * bool(there or not due) + [f"{due:,} pledged"] * bool(due))
        parts.append(
            f"<g><title>{escape(name)}: {there:,} images here, {due:,} pledged</title>"
            f'<text x="{_LEFT - 10}" y="{y + 15}" text-anchor="end">{escape(_cut(name))}</text>'
            f'<rect class=fill-due x="{_LEFT}" y="{y}" width="{whole}" height="{_ROW - 10}" rx="2"/>'
            f'<rect class=fill-here x="{_LEFT}" y="{y}" width="{own}" height="{_ROW - 10}" rx="2"/>'
            f'<text class=soft x="{_LEFT + whole + 8}" y="{y + 15}">{told}</text></g>'
        )
    kind = "logarithmic" if logarithmic else "linear"
    label = f"Images by instrument, {kind} scale"
    return f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{label}">{"".join(parts)}</svg>'


def world(places: Sequence[tuple[float, float, int]], areas: Sequence[Sequence[float]] = ()) -> str:
    """A map of the world: spots where samples come from, dashed boxes for what is pledged.

    Args:
        places: latitude, longitude and images.
        areas: south, west, north, east in degrees; west may be east of east, across the date line.
    """
    merged: dict[tuple[float, float], int] = {}
    for latitude, longitude, images in places:
        merged[latitude, longitude] = merged.get((latitude, longitude), 0) + images
    largest_first = sorted(merged.items(), key=lambda item: -item[1])
    spots = "".join(_spot(*place, images) for place, images in largest_first if images)
    boxes = "".join(
        f'<rect class=area x="{left + 180:g}" y="{90 - north:g}" width="{max(right - left, 0.6):g}" '
        f'height="{max(north - south, 0.6):g}" vector-effect="non-scaling-stroke"/>'
        for south, west, north, east in areas
        for left, right in ([(west, east)] if west <= east else [(west, 180), (-180, east)])
    )
    label = f"Map of the world with {len(merged):,} places where samples come from"
    return (
        f'<svg viewBox="0 6 360 166" role="img" aria-label="{label}"><rect class=sea width="360" height="180"/>'
        f'<path class=land d="{land_path()}"/>{boxes}{spots}</svg>'
    )


def _spot(latitude: float, longitude: float, images: int) -> str:
    where = f"{abs(latitude):g}°{'N' if latitude >= 0 else 'S'} {abs(longitude):g}°{'E' if longitude >= 0 else 'W'}"
    circle = f'cx="{longitude + 180:g}" cy="{90 - latitude:g}" r="{1 + 0.5 * math.log10(images):.2f}"'
    return f"<circle class=spot {circle}><title>{where}: {images:,} images</title></circle>"


@cache
def land_path() -> str:
    """Land as an SVG path, as `draw_land` drew it: that takes seconds and a gigabyte, too much for a web page."""
    return (files("aqqua.collect") / "land.txt").read_text(encoding="utf-8").strip()


def draw_land() -> str:
    """Draw land from NOAA's GLOBE elevation model, a row of half a degree at a time, in degrees from the upper left."""
    import numpy as np
    from global_land_mask import globe

    steps = round(180 / _STEP_DEGREES)
    latitude = 90 - _STEP_DEGREES * (np.arange(steps) + 0.5)
    longitude = -180 + _STEP_DEGREES * (np.arange(2 * steps) + 0.5)
    land = globe.is_land(*np.meshgrid(latitude, longitude, indexing="ij"))
    edges = np.diff(np.pad(land.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    parts = []
    for row in range(steps):
        starts, ends = np.flatnonzero(edges[row] == 1), np.flatnonzero(edges[row] == -1)
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            width = (end - start) * _STEP_DEGREES
            parts.append(f"M{start * _STEP_DEGREES:g} {row * _STEP_DEGREES:g}h{width:g}v.5h{-width:g}z")
    return "".join(parts)


def _round_up(number: float) -> float:
    """The next of 1, 2, 4, 8 × a power of ten: four steps of it are round numbers."""
    power = 10 ** math.floor(math.log10(max(number, 1)))
    return float(next(step * power for step in (1, 2, 4, 8, 10) if step * power >= number))


def _short(number: float) -> str:
    for size, letter in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if number >= size:
            return f"{number / size:g}{letter}"
    return f"{number:g}"


def _cut(name: str) -> str:
    return name if len(name) <= 22 else name[:21] + "…"
