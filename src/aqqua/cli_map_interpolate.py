"""`aqqua map interpolate …`: from scattered samples to a map, and how much it can be trusted."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

if TYPE_CHECKING:
    import polars as pl

__all__ = ["app"]

Where = Literal["here", "pool", "slurm", "ray"]
_GRAMS = {"mg m-3 m3": (1e-18, "Pg"), "mg m-2 m2": (1e-18, "Pg"), "mg m-2 d-1 m2": (365.25e-18, "Pg a⁻¹")}

app = App(name="interpolate", help="From scattered samples to a map: how good it is, what it rests on, what it says.")


@app.command(sort_key=0)
def cv(recipe: Path, *, where: Where = "here", workers: int | None = None) -> None:
    """Cross-validate: at random (upper bound), in 10° blocks (headline), in 30° blocks (lower) and by kNNDM.

    Args:
        recipe: YAML file that names observations and predictors.
        where: run here, in a process pool, on SLURM or on Ray; one taxon is one shard.
        workers: how many processes or nodes.
    """
    import polars as pl

    from aqqua.maps.interpolate.recipe import read_recipe
    from aqqua.maps.interpolate.run import run_cv

    for folder in run_cv(read_recipe(recipe), where=where, workers=workers):
        _tell(json.loads((folder / "summary.json").read_text(encoding="utf-8")))
        if (folder / "scores.csv").is_file():
            _scores(pl.read_csv(folder / "scores.csv", infer_schema_length=None))
        print(folder)


@app.command(sort_key=1)
def fit(recipe: Path, *, where: Where = "here", workers: int | None = None) -> None:
    """Fit, and say what the fit rests on: weights of the learners, importance of the predictors.

    Args:
        recipe: YAML file that names observations and predictors.
        where: run here, in a process pool, on SLURM or on Ray; one taxon is one shard.
        workers: how many processes or nodes.
    """
    from aqqua.maps.interpolate.recipe import read_recipe
    from aqqua.maps.interpolate.run import run_fit

    for path in run_fit(read_recipe(recipe), where=where, workers=workers):
        for layer in json.loads(path.read_text(encoding="utf-8")):
            _tell([layer])
            for name in ("weights", "importance"):
                ordered = sorted(layer.get(name, {}).items(), key=lambda one: -one[1])
                if ordered:
                    print(f"  {name}: " + ", ".join(f"{key} {value:.2f}" for key, value in ordered))
        print(path)


@app.command(sort_key=2)
def predict(recipe: Path, *, where: Where = "here", workers: int | None = None) -> None:
    """Fit and map: mean, median, interval, spread, applicability; and totals with their interval.

    Args:
        recipe: YAML file that names observations and predictors.
        where: run here, in a process pool, on SLURM or on Ray; one taxon is one shard.
        workers: how many processes or nodes.
    """
    import polars as pl

    from aqqua.maps.interpolate.recipe import read_recipe
    from aqqua.maps.interpolate.run import run_predict

    for folder in run_predict(read_recipe(recipe), where=where, workers=workers):
        _tell(json.loads((folder / "summary.json").read_text(encoding="utf-8")))
        if (folder / "totals.csv").is_file():
            _totals(pl.read_csv(folder / "totals.csv", infer_schema_length=None))
        print(folder)


@app.command(sort_key=3)
def report(
    recipe: Path,
    *,
    title: str = "",
    effects: bool = True,
    figures: Annotated[list[Literal["png", "svg", "pdf"]] | None, Parameter(consume_multiple=True)] = None,
    where: Where = "here",
    workers: int | None = None,
) -> None:
    """All of it on one HTML page with figures and words; what is not there yet is cross-validated and mapped.

    Args:
        recipe: YAML file that names observations and predictors.
        title: of the page.
        effects: show how maps answer to each predictor; every map is fitted once more for that.
        figures: kinds of files the figures are written as, too; png and pdf, if not said.
        where: run here, in a process pool, on SLURM or on Ray; one taxon is one shard.
        workers: how many processes or nodes.
    """
    from aqqua.maps.interpolate.recipe import read_recipe
    from aqqua.maps.report import report as run

    kinds: Sequence[Literal["png", "svg", "pdf"]] = ("png", "pdf") if figures is None else figures
    print(run(read_recipe(recipe), title=title, effects=effects, figures=kinds, where=where, workers=workers))


def _tell(layers: list[dict[str, object]]) -> None:
    """What was used, what was left out and why."""
    for layer in layers:
        name = f"{layer['taxon']}, {layer['layer_min_m']:g}-{layer['layer_max_m']:g} m"
        if "skipped" in layer:
            print(f"{name}: not interpolated: {layer['skipped']}")
            continue
        print(f"{name}: {layer['places']} places")
        for told in ("left_out", "left_out_schemes"):
            found = layer.get(told)
            for reason, count in found.items() if isinstance(found, dict) else ():
                if count:
                    print(f"  left out: {reason}: {count}")


def _scores(table: pl.DataFrame) -> None:
    heads = ("scheme", "learner", "R² log", "r² log", "R²", "r²", "rank", "total", "no top", "covers")
    keys = (
        "r2_log",
        "pearson2_log",
        "r2",
        "pearson2",
        "spearman",
        "total_ratio",
        "total_ratio_without_top",
        "coverage",
    )
    print(f"  {heads[0]:10}{heads[1]:13}" + "".join(f"{head:>8}" for head in heads[2:]))
    for row in table.iter_rows(named=True):
        numbers = "".join(f"{'' if row[key] is None else f'{row[key]:.2f}':>8}" for key in keys)
        print(f"  {row['scheme']:10}{row['learner']:13}{numbers}")


def _totals(table: pl.DataFrame) -> None:
    for row in table.iter_rows(named=True):
        factor, unit = _GRAMS.get(row["unit"], (1.0, row["unit"]))
        value, low, high = (row[key] * factor for key in ("value", "low", "high"))
        month = "" if row["month"] is None else f", month {row['month']}"
        where = {"all": "everywhere", "inside": "inside the area of applicability", "outside": "outside of it"}
        area = f"{row['area_km2'] / 1e6:.1f} million km²"
        print(f"  {row['layer_min_m']:g}-{row['layer_max_m']:g} m{month}, {where[row['where']]} ({area}): ", end="")
        print(f"{value:.4g} {unit} (90 %: {low:.4g} to {high:.4g})")
