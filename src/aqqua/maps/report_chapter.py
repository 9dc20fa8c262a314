"""One chapter of a report: a taxon in a layer, with what was written about it, and its figures."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from aqqua.maps.cube import cell_area_m2
from aqqua.maps.effects import Effect
from aqqua.maps.figures_map import Field, mean_and_uncertainty
from aqqua.maps.figures_model import (
    coverage_figure,
    effects_figure,
    importance_figure,
    pretty_unit,
    scores_figure,
)
from aqqua.maps.figures_style import Style

if TYPE_CHECKING:
    import polars as pl
    import xarray as xr
    from matplotlib.figure import Figure

__all__ = ["Chapter", "chapters_of", "figures_of", "map_figure"]


@dataclass(frozen=True)
class Chapter:
    """A taxon in a layer.

    Args:
        taxon: its name.
        layer: limits in metres.
        unit: of the values.
        maps: variables by latitude and longitude; None where it was not mapped.
        totals: where, value, low, high, area_km2, unit.
        scores: of cross-validation, None without it.
        held: out-of-fold predictions, None without cross-validation.
        importance: predictor → what is lost without it.
        weights: learner → weight in the stack.
        left_out: reason → number of observations.
        skipped: why it was not interpolated, if so.
        effects: of the predictors, if they were asked for.
        labels: name of a predictor → how it stands in figures.
        notes: attributes of the file: hash of the data, recipe, version.
    """

    taxon: str
    layer: tuple[float, float]
    unit: str = ""
    maps: xr.Dataset | None = None
    totals: pl.DataFrame | None = None
    scores: pl.DataFrame | None = None
    held: pl.DataFrame | None = None
    importance: Mapping[str, float] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)
    skipped: str = ""
    effects: Sequence[Effect] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    notes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Taxon and layer."""
        return f"{self.taxon}, {self.layer[0]:g}–{self.layer[1]:g} m"

    @property
    def outside_share(self) -> float:
        """Share of the mapped area outside of the area of applicability."""
        return self._area_mean(lambda maps: (maps["aoa"].values != 1).astype(float))

    @property
    def median_km(self) -> float:
        """Half of the mapped area is farther from a sample than this."""
        if self.maps is None:
            return float("nan")
        distance, area = self.maps["distance_km"].values, self._area()
        known = np.isfinite(distance)
        if not known.any():
            return float("nan")
        order = np.argsort(distance[known])
        passed = np.cumsum(area[known][order])
        return float(distance[known][order][np.searchsorted(passed, passed[-1] / 2)])

    @property
    def outside_total(self) -> float:
        """Share of the total that lies outside of the area of applicability."""
        if self.totals is None:
            return float("nan")
        sums = {row["where"]: row["value"] for row in self.totals.iter_rows(named=True)}
        return sums.get("outside", np.nan) / sums["all"] if sums.get("all") else float("nan")

    @property
    def places(self) -> int:
        """Number of observations."""
        return 0 if self.held is None else len(self.held.filter(scheme=self.held["scheme"][0]))

    @property
    def zeros(self) -> float:
        """Share of observations that are zero."""
        if self.held is None:
            return float("nan")
        observed = self.held.filter(scheme=self.held["scheme"][0])["observed"].to_numpy()
        return float((observed <= 0).mean())

    def _area(self) -> np.ndarray:
        assert self.maps is not None
        latitude, longitude = self.maps["latitude"].values, self.maps["longitude"].values
        steps = float(latitude[1] - latitude[0]), float(longitude[1] - longitude[0])
        area = cell_area_m2(latitude, *steps)[:, None]
        return np.broadcast_to(area, (len(latitude), len(longitude)))

    def _area_mean(self, make: Any) -> float:
        if self.maps is None:
            return float("nan")
        known = np.isfinite(self.maps["mean"].values)
        return float(np.average(make(self.maps)[known], weights=self._area()[known])) if known.any() else float("nan")


def chapters_of(out: Path, folder: str) -> list[Chapter]:
    """Chapters of one taxon from what `aqqua map interpolate` wrote.

    Args:
        out: the folder of the recipe.
        folder: name of the taxon's folders in `maps/` and `cv/`.
    """
    import polars as pl

    from aqqua.maps.output import read_maps

    home, crossed = out / "maps" / folder, out / "cv" / folder
    facts = json.loads((home / "summary.json").read_text(encoding="utf-8"))
    maps = read_maps(home / "map.nc") if (home / "map.nc").is_file() else None
    totals = pl.read_csv(home / "totals.csv", infer_schema_length=None) if maps is not None else None
    scores, held = None, None
    if (crossed / "scores.csv").is_file():
        scores = pl.read_csv(crossed / "scores.csv", infer_schema_length=None)
        held = pl.read_parquet(crossed / "out_of_fold.parquet")
    return [_chapter(one, maps, totals, scores, held) for one in facts]


def _chapter(
    fact: Mapping[str, Any],
    maps: xr.Dataset | None,
    totals: pl.DataFrame | None,
    scores: pl.DataFrame | None,
    held: pl.DataFrame | None,
) -> Chapter:
    limits = {"layer_min_m": float(fact["layer_min_m"]), "layer_max_m": float(fact["layer_max_m"])}
    layer = (limits["layer_min_m"], limits["layer_max_m"])
    if "skipped" in fact or maps is None or totals is None:
        return Chapter(fact["taxon"], layer, skipped=str(fact.get("skipped", "it was not mapped")))
    whole = totals.filter(**limits)
    return Chapter(
        fact["taxon"],
        layer,
        maps.attrs.get("observations_units", ""),
        _of_layer(maps, layer),
        _year(whole),
        None if scores is None else scores.filter(**limits),
        None if held is None else held.filter(**limits),
        fact.get("importance", {}),
        fact.get("weights", {}),
        fact.get("left_out", {}),
        notes=dict(maps.attrs),
    )


def _of_layer(maps: xr.Dataset, layer: tuple[float, float]) -> xr.Dataset:
    """One taxon and layer; the mean over months, where there are months (inside only what is inside in all)."""
    upper = maps["layer_min_m"].values.tolist()
    lower = maps["layer_max_m"].values.tolist()
    number = list(zip(upper, lower, strict=True)).index(layer)
    here = maps.isel(taxon=0, layer=number)
    if "month" not in here.dims:
        return here
    whole = here.mean("month", skipna=True, keep_attrs=True)
    return whole.assign(aoa=here["aoa"].min("month"), n_obs=here["n_obs"].max("month"))


def _year(totals: pl.DataFrame) -> pl.DataFrame:
    """Totals of the year: the mean over months, where there are months."""
    import polars as pl

    if totals["month"].null_count() == len(totals):
        return totals
    numbers = [pl.col(name).mean() for name in ("value", "low", "high", "area_km2")]
    return totals.group_by("where", "unit", maintain_order=True).agg(numbers)


def figures_of(chapter: Chapter, style: Style) -> dict[str, Figure]:
    """The figures of a chapter, by name: map, scores, coverage, importance, effects; those that can be drawn."""
    found: dict[str, Figure] = {}
    if chapter.maps is not None:
        found["map"] = _map(chapter, chapter.maps, style)
    if chapter.scores is not None and chapter.held is not None and len(chapter.held):
        found["scores"] = scores_figure(chapter.scores, chapter.held, style, chapter.unit)
        found["coverage"] = coverage_figure(chapter.held, style)
    if chapter.importance:
        found["importance"] = importance_figure(chapter.importance, style, chapter.labels)
    if any(len(one.at) for one in chapter.effects):
        found["effects"] = effects_figure(chapter.effects, style, chapter.unit, chapter.labels)
    return found


def map_figure(maps: xr.Dataset, taxon: int, layer: int, style: Style) -> Figure:
    """Expected value and relative uncertainty of one taxon in one layer of a file with maps.

    Args:
        maps: as `read_maps` reads them.
        taxon: number of the taxon.
        layer: number of the layer.
        style: light or dark.
    """
    limits = float(maps["layer_min_m"].values[layer]), float(maps["layer_max_m"].values[layer])
    name, unit = str(maps["taxon_name"].values[taxon]), str(maps.attrs.get("observations_units", ""))
    here = _of_layer(maps.isel(taxon=[taxon]), limits)
    return _map(Chapter(name, limits, unit, here), here, style)


def _map(chapter: Chapter, maps: xr.Dataset, style: Style) -> Figure:
    latitude, longitude = maps["latitude"].values, maps["longitude"].values
    mean = maps["mean"].values.astype(float)
    spread = np.hypot(maps["sd_sampling"].values.astype(float), maps["sd_model"].values.astype(float))
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.where(mean > 0, 100 * spread / mean, np.nan)
    row, column = np.nonzero(maps["n_obs"].values > 0)
    unit = pretty_unit(chapter.unit)
    return mean_and_uncertainty(
        Field(mean, latitude, longitude, f"a  {chapter.name}", f"expected value ({unit})", logarithmic=True),
        Field(relative, latitude, longitude, "b  Relative uncertainty", "sd of the mean / mean (%)", "uncertainty"),
        style,
        outside=(maps["aoa"].values != 1) & np.isfinite(mean),
        observed=(latitude[row], longitude[column]),
        note="Hatched: outside the area of applicability. Dots: cells with observations.",
    )
