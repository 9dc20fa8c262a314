"""What a report says in words: how to read it, and what to be careful about – judged from the numbers themselves."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from aqqua.maps.figures_model import headline, named

if TYPE_CHECKING:
    import polars as pl

    from aqqua.maps.report_chapter import Chapter

__all__ = ["GUIDE", "amount", "amounts", "cautions", "html_unit", "predictor_labels"]

GUIDE = (
    (
        "What the map is",
        "Each cell shows the expected value of the layer's mean, learnt from places that were sampled and from the "
        "environment there. It is a climatology: what is usual, not what was there on a day.",
    ),
    (
        "Where to trust it",
        "Hatched and pale cells lie outside the area of applicability: their environment is unlike any that was "
        "sampled (Meyer & Pebesma 2021). What is shown there is a guess. Dots are the cells with observations.",
    ),
    (
        "How good it is",
        "Cross-validation hides places from the map and asks it for them. Random folds hide single places whose "
        "neighbours stay: that is an upper bound. Blocks of 10° hide regions: that is the headline. Blocks of 30° hide "
        "whole basins: a lower bound. kNNDM hides places so that those left are as far away as samples are from the "
        "cells of the map. If nearest neighbours without any environment do as well, the map has learnt geography, "
        "not ecology.",
    ),
    (
        "Which numbers",
        "r² on logs asks whether high and low are in the right places; it forgives a wrong level. R² = 1 − SSE/SST "
        "does not: below 0 a map is worse than the mean. Raw scores hang on the few largest values: see them without "
        "the top 1 %. The ratio of totals says whether sums can be trusted: 1 is right.",
    ),
    (
        "How uncertain it is",
        "The relative uncertainty combines two spreads of the expected value: from the choice of sampled places "
        "(block bootstrap) and between learners. A single new sample varies much more: q05 and q95 in the files hold "
        "90 % of those, and the coverage figure shows whether they do.",
    ),
    (
        "Totals",
        "The sum over cells of mean × area × thickness, with the 5 and 95 % ends of the block bootstrap. The part "
        "outside the area of applicability is told apart: name it when you cite the whole.",
    ),
)
"""Headings and texts of the reading guide."""

_UNITS = {"degree_Celsius": "°C", "degrees_north": "°N", "degrees_east": "°E", "1": ""}
_SUFFIX = re.compile(r"_(c|m|km|mg_m3|mg_m3_log10|umol_kg|umol_l|kg_m3|per_s2|s2|log10)$")


def cautions(chapter: Chapter) -> list[str]:
    """What to be careful about, judged from the scores, the coverage and the map; the gravest first."""
    found: list[str] = []
    if chapter.held is not None and chapter.scores is not None:
        found += _of_scores(chapter.scores, headline(chapter.held))
    found += _of_map(chapter)
    for reason, count in chapter.left_out.items():
        if count:
            found.append(f"{count:,} observations were left out: {reason}.")
    return found


def _of_scores(scores: pl.DataFrame, scheme: str) -> list[str]:
    def number(learner: str, column: str, of: str = scheme) -> float:
        rows = scores.filter(scheme=of, learner=learner)[column]
        return float("nan") if not len(rows) or rows[0] is None else float(rows[0])

    found, own = [], number("stack", "pearson2_log")
    near, chance = number("knn_geo", "pearson2_log"), number("stack", "pearson2_log", "random")
    if not own > 0.1:
        found.append(
            f"Under {named(scheme)} the map explains {own:.0%} of the variation of logs: do not use its pattern."
        )
    elif not own > near + 0.02:
        found.append(
            f"A map of nearest neighbours without any environment does as well ({near:.2f} against {own:.2f}): "
            "the environment explains nothing beyond position."
        )
    if chance - own > 0.15:
        against = f"{chance:.2f} against {own:.2f} in {named(scheme)}"
        found.append(f"Random folds flatter ({against}): between regions the map is weaker.")
    ratio = number("stack", "total_ratio")
    if not 0.9 <= ratio <= 1.1:
        found.append(f"Out of fold, totals are {ratio:.2f} times the observed ones: read sums with that in mind.")
    raw, rest = number("stack", "r2"), number("stack", "r2_without_top")
    if abs(raw - rest) > 0.2:
        found.append(f"A few cells decide the raw R²: {raw:.2f}, and {rest:.2f} without the largest 1 % of values.")
    coverage = number("stack", "coverage")
    if not 0.87 <= coverage <= 0.93:
        found.append(f"Intervals of 90 % hold {coverage:.1%} of the held-out observations.")
    return found


def _of_map(chapter: Chapter) -> list[str]:
    found = []
    if chapter.outside_share > 0.1:
        text = f"{chapter.outside_share:.0%} of the mapped area lies outside the area of applicability"
        if np.isfinite(chapter.outside_total):
            text += f", with {chapter.outside_total:.0%} of the total"
        found.append(text + ".")
    if chapter.median_km > 500:
        found.append(f"Half of the mapped area is more than {chapter.median_km:,.0f} km away from any sample.")
    if chapter.zeros > 0.75:
        found.append(
            f"{chapter.zeros:.0%} of the observations are zero: the map stands on few places where it was seen."
        )
    return found


def html_unit(unit: str) -> str:
    """A unit with raised powers for a page: "mg m-3" → "mg m<sup>−3</sup>"."""
    return re.sub(r"(?<=[A-Za-z])(-?\d+)", lambda found: f"<sup>{found[1].replace('-', '−')}</sup>", unit)


def amount(value: float, unit: str) -> str:
    """A total in a unit people speak of: "mg m-3 m3" becomes Pg, Tg or Gg."""
    if unit != "mg m-3 m3":
        return f"{value:.3g}"
    for size, name in ((1e18, "Pg"), (1e15, "Tg"), (1e12, "Gg")):
        if abs(value) >= 0.01 * size:
            return f"{value / size:.3g} {name}"
    return f"{value / 1e12:.3g} Gg"


def amounts(values: Sequence[float], unit: str) -> str:
    """A total with its interval, in the unit of the total: "0.116 (0.0936 – 0.146) Pg"."""
    value, _, name = amount(values[0], unit).partition(" ")
    factor = {"Pg": 1e18, "Tg": 1e15, "Gg": 1e12}.get(name, 1.0)
    low, high = (f"{end / factor:.3g}" for end in values[1:])
    return f"{value} ({low} – {high}) {name}".strip()


def predictor_labels(cube: Any) -> dict[str, str]:
    """Name of a predictor → how it stands in figures: "oxygen_umol_kg" → "oxygen (umol kg⁻¹)"."""
    from aqqua.maps.figures_model import pretty_unit

    labels = {"place": named("place")}
    for name in cube.data_vars:
        unit = str(cube[name].attrs.get("units", ""))
        told = pretty_unit(_UNITS.get(unit, unit).replace("umol", "µmol"))
        stem = _SUFFIX.sub("", str(name)).replace("_", " ")
        labels[str(name)] = f"{stem} ({told})" if told else stem
    return labels
