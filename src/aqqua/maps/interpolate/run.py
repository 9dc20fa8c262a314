"""From a recipe to results: cross-validation, fits and maps of many taxa, one shard per taxon.

Nothing fitted is saved: data, settings and seed make it again, bit for bit. What is written:

    out/recipe.yaml        the recipe as it was resolved, with the digest of the data
    out/shared/….npz       what taxa of the same places share: folds, and the cells of the map made ready
    out/cv/TAXON/          scores.csv, out_of_fold.parquet, summary.json
    out/fit/TAXON.json     weights, importance of predictors, calibration
    out/maps/TAXON/        map.nc, totals.csv, summary.json
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from aqqua.errors import ConfigError
from aqqua.maps.interpolate.cases import (
    Case,
    case_of,
    file_name,
    layers_of,
    read_observations,
    taxa_of,
)
from aqqua.maps.interpolate.cross import cross_validate
from aqqua.maps.interpolate.fitted import Fitted, fit
from aqqua.maps.interpolate.recipe import Recipe, to_yaml
from aqqua.maps.interpolate.shared import Shared, share
from aqqua.maps.interpolate.totals import Total, integrate

if TYPE_CHECKING:
    import polars as pl
    import xarray as xr

    from aqqua.maps.interpolate.fitted import Cells
    from aqqua.scale.shards import Where

__all__ = ["map_layer", "predict", "run_cv", "run_fit", "run_predict"]

_VARIABLES = ("mean", "median", "q05", "q95", "sd_sampling", "sd_model", "dissimilarity", "aoa", "distance_km")


def run_cv(recipe: Recipe, *, where: Where = "here", workers: int | None = None) -> list[Path]:
    """Cross-validate every taxon and layer of a recipe; returns the folder of each taxon."""
    return _each(recipe, "cv", "", _cross, "Cross-validating", where, workers)


def run_fit(recipe: Recipe, *, where: Where = "here", workers: int | None = None) -> list[Path]:
    """Fit every taxon and layer of a recipe; returns a JSON file per taxon."""
    return _each(recipe, "fit", ".json", _fit, "Fitting", where, workers)


def run_predict(recipe: Recipe, *, where: Where = "here", workers: int | None = None) -> list[Path]:
    """Map every taxon and layer of a recipe; returns the folder of each taxon."""
    return _each(recipe, "maps", "", _map, "Mapping", where, workers)


def predict(fitted: Fitted, cube: xr.Dataset, layer: int | tuple[float, float] = 0) -> xr.Dataset:
    """Predict every ocean cell of a layer of a predictor cube.

    Args:
        fitted: of one taxon.
        cube: predictor cube with the predictors of the problem.
        layer: its number, or its limits in metres.

    Returns:
        Variables mean, median, q05, q95, sd_sampling, sd_model, dissimilarity, aoa, distance_km and n_obs over
        (latitude, longitude), NaN on land; the attribute `totals` holds totals as JSON.
    """
    from aqqua.maps.cube import layer_number

    number = layer_number(cube, layer)
    return map_layer(fitted, cube, number, None, None)[0]


def map_layer(
    fitted: Fitted, cube: xr.Dataset, layer: int, month: int | None, cells: Cells | None
) -> tuple[xr.Dataset, dict[str, Total]]:
    """The map of one layer and month, and its totals.

    Args:
        fitted: of one taxon.
        cube: predictor cube.
        layer: its number.
        month: 1 to 12, or None for the mean over months.
        cells: the layer's cells made ready, if they are.
    """
    from aqqua.maps.cube import cell_area_m2, cell_of
    from aqqua.maps.cube import cells as rows_of
    from aqqua.maps.netcdf import xarray

    problem = fitted.problem
    latitude, longitude, x = rows_of(cube, problem.predictors, layer, month)
    said = fitted.predict(x, latitude, longitude) if cells is None else fitted.predict_cells(cells)
    south, west = cube["latitude"].values, cube["longitude"].values
    area = cell_area_m2(latitude, float(south[1] - south[0]), float(west[1] - west[0]))
    totals = integrate(said, area, _thickness_m(cube, layer, problem.unit))
    row, column, inside = cell_of(cube, problem.latitude, problem.longitude)
    count = np.bincount((row * len(west) + column)[inside], minlength=len(latitude))
    shape = len(south), len(west)
    variables = {name: (("latitude", "longitude"), getattr(said, name).reshape(shape)) for name in _VARIABLES}
    variables["n_obs"] = (("latitude", "longitude"), count.reshape(shape))
    attributes = {"units": problem.unit, "totals": json.dumps({name: asdict(one) for name, one in totals.items()})}
    where = {"latitude": south, "longitude": west}
    return xarray("maps").Dataset(variables, coords=where, attrs=attributes), totals


def _thickness_m(cube: xr.Dataset, layer: int, unit: str) -> float:
    """Of the layer; 1 for what is given per area already, such as a flux in mg m-2 d-1."""
    if "m-2" in unit.split():
        return 1.0
    return float(cube["layer_max_m"].values[layer]) - float(cube["layer_min_m"].values[layer])


def _each(
    recipe: Recipe,
    verb: str,
    ending: str,
    work: Callable[..., None],
    what: str,
    where: Where,
    workers: int | None,
) -> list[Path]:
    """Do the work for every taxon, one shard each; what is done stays done."""
    from aqqua.scale import map_shards

    table, _ = read_observations(recipe)
    taxa = taxa_of(recipe, table)
    names = [file_name(taxon) for taxon in taxa]
    if len(set(names)) < len(names):
        twice = next(taxon for taxon, name in zip(taxa, names, strict=True) if names.count(name) > 1)
        raise ConfigError(f"{twice!r} and another taxon would have the same file name", do="rename one of them")
    _note(recipe, table)
    if len(taxa) > 1:
        _prepare(recipe, table, taxa)
    outs = [recipe.out / verb / f"{name}{ending}" for name in names]
    return map_shards(partial(work, recipe=recipe), taxa, outs, where=where, workers=workers, what=what)


def _note(recipe: Recipe, table: pl.DataFrame) -> None:
    """Write the recipe beside its results; refuse a folder with results of another one."""
    from aqqua.maps.output import data_hash
    from aqqua.store.atomic import write_text

    path, text = recipe.out / "recipe.yaml", f"# data: {data_hash(table)}\n{to_yaml(recipe)}"
    if path.is_file():
        if path.read_text(encoding="utf-8") == text:
            return
        do = "name another `out`, or delete this folder"
        raise ConfigError("there are results of another recipe or of other observations", where=recipe.out, do=do)
    recipe.out.mkdir(parents=True, exist_ok=True)
    write_text(path, text)


def _prepare(recipe: Recipe, table: pl.DataFrame, taxa: list[str]) -> None:
    """Compute what taxa share before they are dealt out to processes."""
    from aqqua.maps.cube import read_cube

    cube = read_cube(recipe.predictors)
    for layer in layers_of(recipe, table):
        for taxon in taxa:
            try:
                case = case_of(recipe, table, cube, taxon, layer)
            except ConfigError:
                continue  # told where the taxon is done
            _shared(recipe, case, cube)


def _shared(recipe: Recipe, case: Case, cube: xr.Dataset, month: int | None = None) -> Shared:
    from aqqua.maps.cube import cells as rows_of

    latitude, longitude, x = rows_of(cube, case.problem.predictors, case.layer, month)
    return share(case.problem, recipe.settings, x, latitude, longitude, recipe.out / "shared")


def _layers(recipe: Recipe, taxon: str) -> tuple[xr.Dataset, pl.DataFrame, list[Case], list[dict[str, Any]]]:
    """The cube, the rows of a taxon, its cases, and for every layer what is told of it; impossible ones are told."""
    import polars as pl

    from aqqua.maps.cube import read_cube
    from aqqua.maps.interpolate.stack import check_enough

    table, _ = read_observations(recipe)
    cube, cases, told = read_cube(recipe.predictors), [], []
    for layer in layers_of(recipe, table):
        about: dict[str, Any] = {"taxon": taxon, "layer_min_m": layer[0], "layer_max_m": layer[1]}
        try:
            case = case_of(recipe, table, cube, taxon, layer)
            check_enough(case.problem, recipe.settings)
        except ConfigError as error:
            told.append(about | {"skipped": error.what})
            continue
        cases.append(case)
        told.append(about | {"places": len(case.problem), "left_out": dict(case.left_out)})
    return cube, table.filter(pl.col("taxon") == taxon), cases, told


def _cross(taxon: str, part: Path, recipe: Recipe) -> None:
    import polars as pl

    cube, _, cases, told = _layers(recipe, taxon)
    scores, held = [], []
    for case in cases:
        shared = _shared(recipe, case, cube)
        report = cross_validate(case.problem, recipe.settings, folds=shared.folds)
        first = [pl.lit(taxon).alias("taxon"), *(pl.lit(v).alias(k) for k, v in _limits(case).items())]
        scores.append(report.table().select(*first, pl.all()))
        held.append(report.out_of_fold().select(*first, pl.all()))
        told[_place(told, case)]["left_out_schemes"] = report.left_out
    part.mkdir(parents=True)
    if scores:
        pl.concat(scores, how="diagonal").write_csv(part / "scores.csv")
        pl.concat(held, how="diagonal").write_parquet(part / "out_of_fold.parquet")
    _write_json(part / "summary.json", told)


def _fit(taxon: str, part: Path, recipe: Recipe) -> None:
    _, _, cases, told = _layers(recipe, taxon)
    for case in cases:
        fitted = fit(case.problem, recipe.settings)
        told[_place(told, case)] |= _facts(fitted)
    _write_json(part, told)


def _map(taxon: str, part: Path, recipe: Recipe) -> None:
    import polars as pl

    from aqqua.maps.cube import layer_number
    from aqqua.maps.output import assemble, data_hash, write_maps

    cube, rows, cases, told = _layers(recipe, taxon)
    pieces, sums = {}, []
    for case in cases:
        fitted = fit(case.problem, recipe.settings)
        told[_place(told, case)] |= _facts(fitted)
        months = [None] if case.months is None else [int(month) for month in cube["month"].values]
        for month in months:
            shared = _shared(recipe, case, cube, month)
            piece, totals = map_layer(fitted, cube, layer_number(cube, case.layer), month, shared.cells)
            pieces[taxon, case.layer, month] = piece
            first = {"taxon": taxon, **_limits(case), "month": month, "unit": _total_unit(case.problem.unit)}
            sums += [first | asdict(one) for one in totals.values()]
    part.mkdir(parents=True)
    if pieces:
        about = {"data_hash": data_hash(rows), "seed": recipe.settings.seed, "recipe": to_yaml(recipe)}
        unit = cases[0].problem.unit or "1"
        write_maps(assemble(pieces, about | {"totals": sums}, unit=unit), part / "map.nc")
        pl.DataFrame(sums, infer_schema_length=None).write_csv(part / "totals.csv")
    _write_json(part / "summary.json", told)


def _facts(fitted: Fitted) -> dict[str, Any]:
    stack = fitted.stack
    return {
        "weights": stack.weights,
        "importance": stack.importance,
        "calibration": {"kind": stack.calibration.kind, "power": stack.calibration.power},
        "interval_correction_log": stack.correction,
        "log_step": stack.step,
        "aoa_threshold": fitted.applicability.threshold,
    }


def _total_unit(unit: str) -> str:
    """Of a sum over area, and over depth where the unit is per volume."""
    return f"{unit} m2" if "m-2" in unit.split() else f"{unit} m3"


def _limits(case: Case) -> dict[str, float]:
    return {"layer_min_m": case.layer[0], "layer_max_m": case.layer[1]}


def _place(told: list[dict[str, Any]], case: Case) -> int:
    return next(n for n, one in enumerate(told) if (one["layer_min_m"], one["layer_max_m"]) == case.layer)


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
