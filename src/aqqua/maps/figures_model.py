"""Figures of how good a map is and what it has learnt: scores, coverage, importance, effects."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from aqqua.maps.effects import Effect
from aqqua.maps.figures_style import Style, new_figure

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "NAMES",
    "coverage_figure",
    "effects_figure",
    "headline",
    "importance_figure",
    "named",
    "pretty_unit",
    "scores_figure",
]

NAMES = {
    "random": "random folds",
    "blocks10": "10° blocks",
    "blocks30": "30° blocks",
    "knndm": "kNNDM",
    "stack": "this map",
    "knn_geo": "neighbours only",
    "mean": "overall mean",
    "place": "latitude and longitude",
    "median": "this map, before calibration",
}
"""What schemes and learners are called in figures and tables."""

_SHOWN = ("stack", "knn_geo", "mean")


def named(name: str) -> str:
    """A scheme or learner in words."""
    if name in NAMES:
        return NAMES[name]
    if name.startswith("blocks") and name[6:].isdecimal():
        return f"{name[6:]}° blocks"
    return name.replace("_", " ")


def scores_figure(scores: pl.DataFrame, held: pl.DataFrame, style: Style, unit: str = "") -> Figure:
    """Out-of-fold skill on logs under every scheme, beside the baselines; and observed against predicted values.

    Args:
        scores: as `CvReport.table` has them, of one taxon and layer.
        held: as `CvReport.out_of_fold` has them.
        style: light or dark.
        unit: of the values.
    """
    figure = new_figure(2.9)
    left, right = figure.subplots(1, 2, width_ratios=(1.15, 1))
    schemes = scores["scheme"].unique(maintain_order=True).to_list()
    for number, learner in enumerate(_SHOWN):
        marks = [_number(scores, one, learner, "pearson2_log") for one in schemes]
        height = np.arange(len(schemes)) + 0.22 * (number - 1)
        colour = style.series[0] if number == 0 else style.soft
        left.hlines(height, 0, marks, color=colour, linewidth=1.1, alpha=0.55)
        size = 6 if number == 0 else 4
        left.plot(marks, height, "osD"[number], label=named(learner), color=colour, markersize=size, markeredgewidth=0)
    left.set_yticks(range(len(schemes)), [named(one) for one in schemes])
    left.invert_yaxis()
    left.set_xlim(-0.02, 1)
    left.set_xlabel("squared correlation of logs, out of fold")
    left.set_title("a  Ways to cross-validate, side by side")
    left.legend(loc="lower right", handletextpad=0.3)
    left.grid(axis="x", color=style.line, linewidth=0.5)
    left.set_axisbelow(True)
    _observed_predicted(right, held, style, unit)
    return figure


def _number(scores: pl.DataFrame, scheme: str, learner: str, column: str) -> float:
    found = scores.filter(scheme=scheme, learner=learner)[column]
    return float("nan") if not len(found) or found[0] is None else float(found[0])


def _observed_predicted(axis: Axes, held: pl.DataFrame, style: Style, unit: str) -> None:
    name = headline(held)
    rows = held.filter(scheme=name)
    observed, predicted = rows["observed"].to_numpy(), rows["stack"].to_numpy()
    positive = observed[observed > 0]
    floor = float(np.percentile(positive, 1)) / 3 if len(positive) else 1e-3
    x, y = np.maximum(predicted, floor), np.maximum(observed, floor)
    axis.loglog()
    ends = [floor / 1.6, float(max(x.max(), y.max())) * 1.6]
    axis.plot(ends, ends, color=style.soft, linewidth=0.8, zorder=1)
    axis.scatter(x, y, s=5, color=style.series[0], alpha=0.35, linewidths=0, zorder=2, rasterized=True)
    axis.set_xlim(*ends)
    axis.set_ylim(*ends)
    axis.set_aspect("equal")
    axis.set_xlabel(f"predicted ({pretty_unit(unit)})")
    axis.set_ylabel("observed")
    axis.set_title(f"b  Out of fold, {named(name)}")
    if (observed <= 0).any():
        axis.annotate("zeros", (ends[1] / 1.5, floor), fontsize=6.5, color=style.soft, va="bottom", ha="right")


def coverage_figure(held: pl.DataFrame, style: Style, *, nominal: float = 0.9) -> Figure:
    """How many held-out observations lie within their interval, by scheme and by size of the prediction.

    Args:
        held: as `CvReport.out_of_fold` has it, of one taxon and layer.
        style: light or dark.
        nominal: share that should lie inside.
    """
    figure = new_figure(2.7)
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.2))
    schemes = held["scheme"].unique(maintain_order=True).to_list()
    found = [_sides(held.filter(scheme=one)) for one in schemes]
    shares = np.array([[(side == k).mean() for k in (-1, 0, 1)] for side, _ in found])
    start = np.zeros(len(schemes))
    shades = (style.series[4], style.series[0], style.series[1])
    for share, shade, label in zip(shares.T, shades, ("below", "inside", "above"), strict=True):
        left.barh(range(len(schemes)), share, left=start, color=shade, height=0.55, label=label, alpha=0.9)
        start += share
    for row, (below, inside, _) in enumerate(shares):
        left.text(below + inside / 2, row, f"{inside:.1%}", ha="center", va="center", color=style.ground, fontsize=7)
    left.set_yticks(range(len(schemes)), [named(one) for one in schemes])
    left.invert_yaxis()
    left.set_xlim(0, 1)
    left.set_xlabel("share of held-out observations")
    left.set_title(f"a  {nominal:.0%} intervals", pad=16)
    left.legend(ncols=3, loc="lower left", bbox_to_anchor=(-0.02, 0.98), handlelength=1, columnspacing=1)
    right.axhspan(nominal - 0.03, nominal + 0.03, color=style.line, alpha=0.6, linewidth=0)
    right.axhline(nominal, color=style.soft, linewidth=0.8)
    for number, (name, (side, order)) in enumerate(zip(schemes, found, strict=True)):
        covered = [(part == 0).mean() if len(part) else np.nan for part in np.array_split(side[order], 10)]
        shade = style.series[number % len(style.series)]
        right.plot(range(1, 11), covered, "o-", color=shade, markersize=3, linewidth=1, label=named(name))
    right.set_ylim(min(0.5, right.get_ylim()[0]), 1.03)
    right.set_xlabel("predictions, from the smallest to the largest tenth")
    right.set_ylabel("share inside")
    right.set_xticks(range(1, 11))
    right.set_title("b  By size of the prediction", pad=16)
    right.legend(ncols=4, loc="lower left", bbox_to_anchor=(-0.02, 0.98), handlelength=1, columnspacing=1)
    return figure


def _sides(rows: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Below (-1), inside (0) or above (1) the interval, and the order of the predictions."""
    observed, low, high = (rows[name].to_numpy() for name in ("observed", "q05", "q95"))
    order = np.argsort(rows["stack"].to_numpy(), kind="stable")
    return np.where(observed < low, -1, np.where(observed > high, 1, 0)), order


def importance_figure(importance: Mapping[str, float], style: Style, labels: Mapping[str, str] | None = None) -> Figure:
    """Bars of what is lost when a predictor is shuffled, in block folds; the most important first.

    Args:
        importance: predictor → R² of logs that is lost; "place" for latitude and longitude together.
        style: light or dark.
        labels: names to show.
    """
    ordered = sorted(importance.items(), key=lambda one: -one[1])
    figure = new_figure(0.75 + 0.22 * max(len(ordered), 2), 5.4)
    axis = figure.subplots()
    place = np.arange(len(ordered))
    values = [value for _, value in ordered]
    shades = [style.soft if name == "place" else style.series[0] for name, _ in ordered]
    axis.barh(place, values, height=0.62, color=shades, alpha=0.9)
    told = labels or {}
    axis.set_yticks(place, [told.get(name, named(name)) for name, _ in ordered])
    axis.invert_yaxis()
    axis.axvline(0, color=style.soft, linewidth=0.6)
    axis.grid(axis="x", color=style.line, linewidth=0.5)
    axis.set_axisbelow(True)
    axis.set_xlabel("R² of logs lost when the predictor is shuffled, out of block folds")
    return figure


def effects_figure(
    effects: Sequence[Effect], style: Style, unit: str = "", labels: Mapping[str, str] | None = None
) -> Figure:
    """Small multiples of how expected values change with each predictor, the strongest first."""
    shown = sorted((one for one in effects if len(one.at)), key=lambda one: -one.reach)
    columns = 3
    rows = max(1, -(-len(shown) // columns))
    figure = new_figure(0.35 + 1.65 * rows)
    axes = np.atleast_1d(figure.subplots(rows, columns, sharey=True, squeeze=False)).ravel()
    told = labels or {}
    for axis, effect in zip(axes, shown, strict=False):
        axis.axhline(0, color=style.line, linewidth=0.8)
        axis.plot(effect.at, effect.dependence, color=style.soft, linewidth=0.9, linestyle=(0, (3, 2)), label="PD")
        axis.plot(effect.at, effect.ale, color=style.series[0], linewidth=1.6, label="ALE")
        _rug(axis, effect, style)
        axis.set_xlabel(told.get(effect.name, named(effect.name)), labelpad=2)
        axis.margins(x=0.02)
    for axis in axes[len(shown) :]:
        axis.set_axis_off()
    if shown:
        axes[0].legend(loc="best", handlelength=1.8)
        figure.supylabel(f"change of the expected value ({pretty_unit(unit)})", fontsize=8)
    return figure


def _rug(axis: Any, effect: Effect, style: Style) -> None:
    """Ticks at the tenths of what was sampled: between close ticks the curve stands on much."""
    tenths = np.percentile(effect.observed, np.arange(10, 100, 10))
    axis.plot(tenths, np.zeros(len(tenths)), "|", color=style.ink, markersize=4, transform=axis.get_xaxis_transform())


def headline(held: pl.DataFrame) -> str:
    """The scheme that counts: 10° blocks, or the first there is."""
    schemes: list[str] = held["scheme"].unique(maintain_order=True).to_list()
    return "blocks10" if "blocks10" in schemes else schemes[0]


def pretty_unit(unit: str) -> str:
    """A unit with raised powers, as matplotlib sets them: "mg m-3" → "mg m$^{-3}$"."""
    return re.sub(r"(?<=[A-Za-z])(-?\d+)", r"$^{\1}$", unit)
