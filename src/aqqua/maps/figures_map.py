"""Maps: a field on the Equal Earth projection with coasts, observations, and what lies outside of what is known."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from aqqua.maps.coast import coast
from aqqua.maps.figures_style import Style, colours, new_figure
from aqqua.maps.projection import HEIGHT, WIDTH, densify, equal_earth, outline

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.figure import Figure

__all__ = ["Field", "draw_field", "field_figure", "mean_and_uncertainty"]


@dataclass(frozen=True)
class Field:
    """Something on a grid that is shown as a map.

    Args:
        values: (h, w), NaN where there is nothing.
        latitude: (h,) degrees north, centres of cells, ascending.
        longitude: (w,) degrees east, centres of cells, ascending.
        title: above the map.
        label: at its scale: what, and in which unit.
        quantity: which colours: amount, uncertainty, distance or count.
        logarithmic: whether steps are factors.
        low: lower end of the scale; None: the 2nd percentile.
        high: upper end; None: the 98th percentile.
    """

    values: np.ndarray
    latitude: np.ndarray
    longitude: np.ndarray
    title: str = ""
    label: str = ""
    quantity: str = "amount"
    logarithmic: bool = False
    low: float | None = None
    high: float | None = None


def mean_and_uncertainty(
    mean: Field,
    relative: Field,
    style: Style,
    *,
    outside: np.ndarray | None = None,
    observed: tuple[np.ndarray, np.ndarray] | None = None,
    note: str = "",
) -> Figure:
    """Two maps, one above the other: what is expected, and how uncertain that is.

    Args:
        mean: expected values.
        relative: its uncertainty.
        style: light or dark.
        outside: (h, w) true outside of the area of applicability.
        observed: latitude and longitude of observations.
        note: a line below.
    """
    figure = new_figure(7.0)
    upper, lower = figure.subplots(2, 1)
    draw_field(upper, mean, style, outside=outside, observed=observed)
    draw_field(lower, relative, style, outside=outside)
    if note:
        figure.supxlabel(note, fontsize=6.5, color=style.soft, x=0.02, ha="left")
    return figure


def field_figure(
    field: Field,
    style: Style,
    *,
    outside: np.ndarray | None = None,
    observed: tuple[np.ndarray, np.ndarray] | None = None,
) -> Figure:
    """One map alone; see `mean_and_uncertainty`."""
    figure = new_figure(3.9)
    draw_field(figure.subplots(), field, style, outside=outside, observed=observed)
    return figure


def draw_field(
    axis: Axes,
    field: Field,
    style: Style,
    *,
    outside: np.ndarray | None = None,
    observed: tuple[np.ndarray, np.ndarray] | None = None,
) -> None:
    """Draw a map with its scale into a part of a figure."""
    _draw_ground(axis, style)
    norm, extend = _norm(field)
    x, y = _corners(field.latitude, field.longitude)
    shown = np.ma.masked_invalid(_at_least(field.values, norm) if field.logarithmic else field.values)
    mesh = axis.pcolormesh(x, y, shown, norm=norm, cmap=colours(style, field.quantity), rasterized=True, zorder=1)
    mesh.set_edgecolor("face")
    mesh.set_linewidth(0.15)
    if outside is not None and outside.any():
        _veil(axis, x, y, outside & np.isfinite(field.values), style)
    _draw_land(axis, style)
    if observed is not None:
        east = (np.asarray(observed[1], float) + 180) % 360 - 180
        axis.scatter(
            *equal_earth(east, observed[0]), s=2.2, c=style.dot, linewidths=0.25, edgecolors=style.ground, zorder=5
        )
    _scale(axis, mesh, field, style, extend)
    axis.set_title(field.title, pad=4)


def _norm(field: Field) -> tuple[Any, str]:
    """The scale of colours, and at which ends values go beyond it."""
    from matplotlib.colors import LogNorm, Normalize

    known = field.values[np.isfinite(field.values)]
    if field.logarithmic:
        known = known[known > 0]
    if not len(known):
        known = np.array([0.1, 1.0])
    low = float(np.percentile(known, 2)) if field.low is None else field.low
    high = float(np.percentile(known, 98)) if field.high is None else field.high
    if not high > low:
        low, high = (low / 2, low * 2) if field.logarithmic and low > 0 else (low - 0.5, low + 0.5)
    if field.logarithmic:
        low = max(low, high / 1e4)
    below, above = bool((known < low).any()), bool((known > high).any())
    extend = {(True, True): "both", (True, False): "min", (False, True): "max", (False, False): "neither"}
    return (LogNorm if field.logarithmic else Normalize)(low, high), extend[below, above]


def _at_least(values: np.ndarray, norm: Any) -> np.ndarray:
    """Zeros have no logarithm: they are shown as the least there is."""
    return np.where(values <= 0, norm.vmin * 0.999, values)


def _draw_ground(axis: Axes, style: Style) -> None:
    axis.set_aspect("equal")
    axis.set_axis_off()
    axis.set_xlim(-WIDTH / 2 * 1.01, WIDTH / 2 * 1.01)
    axis.set_ylim(-HEIGHT / 2 * 1.02, HEIGHT / 2 * 1.02)
    axis.fill(*outline(), facecolor=style.sea, edgecolor="none", zorder=0)
    axis.plot(*outline(), color=style.soft, linewidth=0.6, zorder=6, solid_joinstyle="round")
    for latitude in (-60.0, -30.0, 0.0, 30.0, 60.0):
        east = np.linspace(-180, 180, 181)
        axis.plot(*equal_earth(east, np.full(181, latitude)), color=style.line, linewidth=0.35, zorder=2, alpha=0.55)
        x, y = equal_earth(np.array([-180.0]), np.array([latitude]))
        named = "0°" if latitude == 0 else f"{abs(latitude):.0f}°{'N' if latitude > 0 else 'S'}"
        axis.text(float(x[0]) - 0.05, float(y[0]), named, ha="right", va="center", fontsize=5.5, color=style.soft)
    for longitude in (-120.0, -60.0, 0.0, 60.0, 120.0):
        north = np.linspace(-90, 90, 91)
        axis.plot(*equal_earth(np.full(91, longitude), north), color=style.line, linewidth=0.35, zorder=2, alpha=0.55)


def _draw_land(axis: Axes, style: Style) -> None:
    from matplotlib.collections import PathCollection

    land = PathCollection(_land(), facecolor=style.land, edgecolor=style.soft, linewidth=0.25, zorder=4)
    axis.add_collection(land, autolim=False)


@cache
def _land() -> tuple[Any, ...]:
    from matplotlib.path import Path as Shape

    shapes = []
    for ring in coast():
        dense = densify(ring)
        shapes.append(Shape(np.stack(equal_earth(dense[:, 0], dense[:, 1]), axis=1), closed=True))
    return tuple(shapes)


def _corners(latitude: np.ndarray, longitude: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Corners of cells on the plane, (h + 1, w + 1)."""
    tall, wide = (latitude[1] - latitude[0]) / 2, (longitude[1] - longitude[0]) / 2
    north = np.clip(np.append(latitude - tall, latitude[-1] + tall), -90, 90)
    east = np.clip(np.append(longitude - wide, longitude[-1] + wide), -180, 180)
    return equal_earth(*np.meshgrid(east, north))


def _veil(axis: Axes, x: np.ndarray, y: np.ndarray, outside: np.ndarray, style: Style) -> None:
    """Pale and hatched where the map stands on nothing that was sampled."""
    from matplotlib.colors import ListedColormap

    pale = np.ma.masked_where(~outside, np.ones(outside.shape))
    axis.pcolormesh(x, y, pale, cmap=ListedColormap([style.veil]), alpha=0.45, rasterized=True, zorder=2.5, linewidth=0)
    middle = [(a[:-1, :-1] + a[1:, 1:]) / 2 for a in (x, y)]
    lines = axis.contourf(*middle, outside.astype(float), levels=[0.5, 1.5], colors="none", hatches=["/////"], zorder=3)
    lines.set_edgecolor(style.soft)
    lines.set_linewidth(0)


def _scale(axis: Axes, mesh: ScalarMappable, field: Field, style: Style, extend: str) -> None:
    figure: Any = axis.figure
    bar = figure.colorbar(mesh, ax=axis, orientation="vertical", extend=extend, shrink=0.72, aspect=22, pad=0.015)
    bar.set_label(field.label, color=style.ink)
    bar.outline.set_visible(False)
    bar.ax.tick_params(width=0.5, length=2.5)
    if field.logarithmic:
        _plain_ticks(bar)


def _plain_ticks(bar: Any) -> None:
    """1, 2, 5 × powers of ten as plain numbers, if there are few of them; else powers of ten."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    low, high = bar.vmin, bar.vmax
    powers = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    for steps in ((1, 2, 5), (1, 3), (1,)):
        ticks = [s * 10.0**p for p in powers for s in steps if low <= s * 10.0**p <= high]
        if len(ticks) <= 8:
            break
    bar.ax.yaxis.set_major_locator(FixedLocator(ticks))
    bar.ax.yaxis.set_minor_locator(NullLocator())
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
