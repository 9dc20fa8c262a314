"""The report of maps (verb `aqqua map interpolate report`): one HTML page, and its figures as files for papers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from aqqua.maps.effects import Effect, effect_of
from aqqua.maps.figures_style import DARK, LIGHT, drawing, save
from aqqua.maps.interpolate.recipe import Recipe
from aqqua.maps.report_chapter import Chapter, chapters_of, figures_of
from aqqua.maps.report_page import encoded, page, picture
from aqqua.progress import job
from aqqua.store.atomic import write_text

if TYPE_CHECKING:
    import xarray as xr

    from aqqua.scale.shards import Where

__all__ = ["PAGE", "report", "write_report"]

PAGE = "report.html"
"""Name of the page in the folder of the recipe."""

Kind = Literal["png", "svg", "pdf"]


def report(
    recipe: Recipe,
    *,
    title: str = "",
    effects: bool = True,
    figures: Sequence[Kind] = ("png", "pdf"),
    where: Where = "here",
    workers: int | None = None,
) -> Path:
    """Cross-validate and map what has not been, and tell all of it on one page.

    Args:
        recipe: of the interpolation.
        title: of the page.
        effects: show how the map answers to each predictor; every map is fitted once more for that.
        figures: kinds of files the figures are written as, too, into `figures/`; dark ones as PNG only.
        where: run here, in a process pool, on SLURM or on Ray; one taxon is one shard.
        workers: how many processes or nodes.

    Returns:
        The page, `report.html` in the folder of the recipe.
    """
    from aqqua.maps.cube import read_cube
    from aqqua.maps.interpolate.run import run_cv, run_predict
    from aqqua.maps.report_words import predictor_labels

    run_cv(recipe, where=where, workers=workers)
    folders = run_predict(recipe, where=where, workers=workers)
    cube = read_cube(recipe.predictors)
    labels = predictor_labels(cube)
    chapters = [replace(one, labels=labels) for folder in folders for one in chapters_of(recipe.out, folder.name)]
    if effects:
        chapters = _with_effects(recipe, cube, chapters)
    about = (recipe.out / "recipe.yaml").read_text(encoding="utf-8")
    return write_report(chapters, recipe.out, title=title, figures=figures, recipe=about)


def write_report(
    chapters: Sequence[Chapter],
    out: Path,
    *,
    title: str = "",
    figures: Sequence[Kind] = (),
    recipe: str = "",
) -> Path:
    """Draw the figures of chapters and write the page.

    Args:
        chapters: taxa and layers.
        out: folder for the page, and `figures/` within it.
        title: of the page.
        figures: kinds of files the figures are written as, too.
        recipe: as YAML, for the end of the page.
    """
    pictures = {}
    with job("Drawing", len(chapters), unit="maps") as advance:
        for chapter in chapters:
            pictures[chapter.name] = _pictures(chapter, out / "figures", figures)
            advance(1, note=chapter.name)
    taxa = list(dict.fromkeys(chapter.taxon for chapter in chapters))
    named = title or f"Maps of {', '.join(taxa[:4])}{' and others' if len(taxa) > 4 else ''}"
    path = out / PAGE
    write_text(path, page(chapters, pictures, named, recipe))
    return path


def _pictures(chapter: Chapter, folder: Path, kinds: Sequence[Kind]) -> dict[str, str]:
    """Every figure as a part of the page, and as files if asked."""
    from aqqua.maps.interpolate.cases import file_name

    stem = file_name(f"{chapter.taxon}_{chapter.layer[0]:g}-{chapter.layer[1]:g}m")
    drawn: dict[str, dict[str, str]] = {}
    for style in (LIGHT, DARK):
        with drawing(style):
            drawn[style.name] = {}
            for name, figure in figures_of(chapter, style).items():
                drawn[style.name][name] = encoded(figure)
                for kind in kinds if style is LIGHT else [one for one in kinds if one == "png"]:
                    save(figure, folder / f"{stem}_{name}_{style.name}.{kind}")
    return {
        name: picture(light, drawn["dark"][name], f"{name} of {chapter.name}") for name, light in drawn["light"].items()
    }


def _with_effects(recipe: Recipe, cube: xr.Dataset, chapters: list[Chapter]) -> list[Chapter]:
    """Chapters with the effects of their predictors, from fits without bootstrap."""
    from aqqua.maps.interpolate.cases import case_of, read_observations
    from aqqua.maps.interpolate.fitted import fit

    table, _ = read_observations(recipe)
    found = []
    with job("Asking for effects", len(chapters), unit="maps") as advance:
        for chapter in chapters:
            shown: Sequence[Effect] = ()
            if chapter.maps is not None:
                problem = case_of(recipe, table, cube, chapter.taxon, chapter.layer).problem
                fitted = fit(problem, replace(recipe.settings, replicates=0))
                places = problem.latitude, problem.longitude
                shown = [
                    effect_of(fitted.mean, problem.x, *places, column, name)
                    for column, name in enumerate(problem.predictors)
                ]
            found.append(replace(chapter, effects=shown))
            advance(1, note=chapter.name)
    return found
