"""Figures of how good a map is and what it has learnt: scores, coverage, importance, effects."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from aqqua.maps.effects import Effect, Importance
from aqqua.maps.figures_style import Style, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from aqqua.maps.interpolate.report import CvReport, SchemeReport

__all__ = ["NAMES", "coverage_figure", "effects_figure", "importance_figure", "named", "pretty_unit", "scores_figure"]

NAMES = {
    "random": "random folds",
    "blocks10": "10° blocks",
    "blocks30": "30° blocks",
    "knndm": "kNNDM",
    "stack": "this map",
    "knn_geo": "nearest neighbours, no environment",
    "mean": "overall mean",
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


def scores_figure(report: CvReport, style: Style) -> Figure:
    """Out-of-fold R² of logs under every scheme, beside the baselines; and observed against predicted values."""
    figure = new_figure(2.9)
    left, right = figure.subplots(1, 2, width_ratios=(1.15, 1))
    schemes = list(report.schemes)
    for number, learner in enumerate(_SHOWN):
        marks = [getattr(report.schemes[one].scores.get(learner), "pearson2_log", np.nan) for one in schemes]
        height = np.arange(len(schemes)) + 0.22 * (number - 1)
        kind = "o" if learner == "stack" else "sD"[number - 1]
        shown = {"color": style.series[0] if learner == "stack" else style.soft, "markersize": 6 if number == 0 else 4}
        left.hlines(height, 0, marks, color=shown["color"], linewidth=1.1, alpha=0.55)
        left.plot(marks, height, kind, label=named(learner), markeredgewidth=0, **shown)
    left.set_yticks(range(len(schemes)), [named(one) for one in schemes])
    left.invert_yaxis()
    left.set_xlim(-0.02, 1)
    left.set_xlabel("squared correlation of logs, out of fold")
    left.set_title("a  Four ways to cross-validate")
    left.legend(loc="lower right", handletextpad=0.3)
    left.grid(axis="x", color=style.line, linewidth=0.5)
    left.set_axisbelow(True)
    _observed_predicted(right, report, style)
    return figure


def _observed_predicted(axis: Axes, report: CvReport, style: Style) -> None:
    name, scheme = _headline(report)
    observed, predicted = np.asarray(report.problem.y), np.asarray(scheme.predictions["stack"])
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
    axis.set_xlabel(f"predicted ({pretty_unit(report.problem.unit)})")
    axis.set_ylabel("observed")
    axis.set_title(f"b  Out of fold, {named(name)}")
    if (observed <= 0).any():
        axis.annotate("zeros", (ends[1] / 1.5, floor), fontsize=6.5, color=style.soft, va="bottom", ha="right")


def coverage_figure(report: CvReport, style: Style, *, nominal: float = 0.9) -> Figure:
    """How many held-out observations lie within their interval, by scheme and by size of the prediction."""
    figure = new_figure(2.7)
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.2))
    schemes = list(report.schemes)
    shares = np.array([[s.below, s.coverage, s.above] for s in report.schemes.values()])
    start = np.zeros(len(schemes))
    shades = (style.series[4], style.series[0], style.series[1])
    for share, shade, label in zip(shares.T, shades, ("below", "inside", "above"), strict=True):
        left.barh(range(len(schemes)), share, left=start, color=shade, height=0.55, label=label, alpha=0.9)
        start += share
    for row, share in enumerate(shares[:, 1]):
        left.text(shares[row, 0] + share / 2, row, f"{share:.1%}", ha="center", va="center", color="white", fontsize=7)
    left.set_yticks(range(len(schemes)), [named(one) for one in schemes])
    left.invert_yaxis()
    left.set_xlim(0, 1)
    left.set_xlabel("share of held-out observations")
    left.set_title(f"a  {nominal:.0%} intervals", pad=16)
    left.legend(ncols=3, loc="lower left", bbox_to_anchor=(-0.02, 0.98), handlelength=1, columnspacing=1)
    right.axhspan(nominal - 0.03, nominal + 0.03, color=style.line, alpha=0.6, linewidth=0)
    right.axhline(nominal, color=style.soft, linewidth=0.8)
    for number, (name, scheme) in enumerate(report.schemes.items()):
        middle, covered = _by_size(np.asarray(report.problem.y), scheme)
        right.plot(middle, covered, "o-", color=style.series[number], markersize=3, linewidth=1, label=named(name))
    right.set_ylim(min(0.5, right.get_ylim()[0]), 1.03)
    right.set_xlabel("predictions, from the smallest to the largest tenth")
    right.set_ylabel("share inside")
    right.set_xticks(range(1, 11))
    right.set_title("b  By size of the prediction", pad=16)
    right.legend(ncols=4, loc="lower left", bbox_to_anchor=(-0.02, 0.98), handlelength=1, columnspacing=1)
    return figure


def _by_size(observed: np.ndarray, scheme: SchemeReport) -> tuple[np.ndarray, np.ndarray]:
    """Coverage in tenths of the predictions."""
    order = np.argsort(np.asarray(scheme.predictions["stack"]), kind="stable")
    inside = ((observed >= np.asarray(scheme.q05)) & (observed <= np.asarray(scheme.q95)))[order]
    parts = np.array_split(inside.astype(float), 10)
    return np.arange(1, 11), np.array([part.mean() if len(part) else np.nan for part in parts])


def importance_figure(importance: Importance, style: Style, labels: Mapping[str, str] | None = None) -> Figure:
    """Bars of the overall importance, dots of the single blocks."""
    rows = len(importance.names)
    figure = new_figure(0.9 + 0.24 * rows, 5.4)
    axis = figure.subplots()
    place = np.arange(rows)
    axis.barh(place, importance.overall, height=0.6, color=style.series[0], alpha=0.85, zorder=2)
    low, high = np.percentile(importance.blocks, [10, 90], axis=1)
    axis.hlines(place, low, high, color=style.ink, linewidth=0.9, zorder=3)
    axis.plot(np.median(importance.blocks, axis=1), place, "o", color=style.ink, markersize=3.2, zorder=4)
    told = labels or {}
    axis.set_yticks(place, [told.get(name, named(name)) for name in importance.names])
    axis.invert_yaxis()
    axis.axvline(0, color=style.soft, linewidth=0.6)
    axis.grid(axis="x", color=style.line, linewidth=0.5)
    axis.set_axisbelow(True)
    axis.set_xlabel("increase of the error of logs when the predictor is shuffled (share)")
    blocks = importance.blocks.shape[1]
    axis.set_title(f"Importance; dot and line: median and 10–90 % of {blocks} blocks of {importance.block_deg:g}°")
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


def _headline(report: CvReport) -> tuple[str, SchemeReport]:
    name = "blocks10" if "blocks10" in report.schemes else next(iter(report.schemes))
    return name, report.schemes[name]


def pretty_unit(unit: str) -> str:
    """A unit with raised powers, as matplotlib sets them: "mg m-3" → "mg m$^{-3}$"."""
    return re.sub(r"(?<=[A-Za-z])(-?\d+)", r"$^{\1}$", unit)
