"""What `python -m benchmarks maps` measures, one shard per question, so that shards run side by side and stay done."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from aqqua.maps.cube import at, cell_of, cells
from aqqua.maps.drago2022 import LAYERS, read_drago2022
from aqqua.maps.interpolate import Problem, Settings, cross_validate, fit, predict, score
from aqqua.maps.interpolate.cross import make_folds
from aqqua.maps.interpolate.scores import log_step, mean_scores
from aqqua.maps.virtual import Ocean, make_species
from benchmarks import _drago
from benchmarks._machine import shared_data

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl
    import xarray as xr

__all__ = ["CASES", "HEADLINE", "LOWER", "WORLD", "data", "problem_of", "work"]

FOLDER = "interpolation/uvp5_drago2022/derived"
TOP, BELOW = LAYERS
CASES = (("Copepoda", TOP), ("Copepoda", BELOW), ("Rhizaria", TOP), ("Chaetognatha", TOP), ("Phaeodaria", BELOW))
HEADLINE, LOWER = "blocks10", "blocks30"
WORLD = Settings(learners=("rf_log", "et_log", "gp_log"), trees=60, replicates=0, inner_folds=3)
"""The stack of virtual species: its three best learners, with fewer trees."""
FRESH = 3000

Shard = tuple[Any, ...]


@cache
def data() -> tuple[pl.DataFrame, xr.Dataset] | None:
    """Observations and predictor cube of Drago et al. 2022, None where there are no shared data."""
    folder = shared_data(FOLDER)
    return None if folder is None else read_drago2022(folder)


def problem_of(taxon: str, layer: tuple[float, float]) -> Problem:
    """One of the cases."""
    import polars as pl

    table, cube = _data()
    rows = table.filter((pl.col("taxon") == taxon) & (pl.col("layer_min_m") == layer[0]))
    places = rows["latitude"].to_numpy(), rows["longitude"].to_numpy()
    there = at(cube, *places, layer)
    name = f"{taxon} {layer[0]:g}-{layer[1]:g} m"
    return Problem(np.stack(list(there.values()), 1), tuple(there), rows["value"].to_numpy(), *places, name=name)


def work(shard: Shard, part: Path) -> None:
    """Answer one question: what it is called, then what it needs; the answer is JSON."""
    kinds: dict[str, Callable[..., dict[str, Any]]] = {"cv": _cross, "peer": _peer, "map": _map, "world": _world}
    part.write_text(json.dumps(kinds[shard[0]](*shard[1:])), encoding="utf-8")


def _cross(taxon: str, layer: tuple[float, float], scheme: str, repeats: int) -> dict[str, Any]:
    """Our scores and coverage under a scheme."""
    problem = problem_of(taxon, layer)
    report = cross_validate(problem, Settings(schemes=(scheme,), repeats=repeats)).schemes[scheme]
    told = {name: asdict(scores) for name, scores in report.scores.items()}
    return {"scores": told, "coverage": report.coverage, "below": report.below, "above": report.above}


def _peer(taxon: str, layer: tuple[float, float], repeats: int, members: int) -> dict[str, Any]:
    """The peer's scores on the same folds, with settings from its own search and with the published ones."""
    problem = problem_of(taxon, layer)
    folds = make_folds(problem, Settings(schemes=(HEADLINE,), repeats=repeats)).schemes[HEADLINE]
    chosen = _drago.tune(problem.x, problem.y)
    found: dict[str, Any] = {"chosen": asdict(chosen)}
    for reading, settings in (("searched", chosen), ("published", _drago.PUBLISHED)):
        said = [_drago.out_of_fold(problem.x, problem.y, drawn, settings, members=members) for drawn in folds]
        found[reading] = asdict(mean_scores([score(problem.y, one) for one in said]))
    return found


def _map(taxon: str, layer: tuple[float, float]) -> dict[str, Any]:
    """Fit and map one taxon on the full globe with the default settings: totals, and how long it took."""
    problem, (_, cube) = problem_of(taxon, layer), _data()
    started, clock = time.process_time(), time.perf_counter()
    said = predict(fit(problem), cube, layer)
    took = {"cpu_s": time.process_time() - started, "wall_s": time.perf_counter() - clock}
    known = np.isfinite(said["mean"].values)
    share = float(said["aoa"].values.astype(bool)[known].mean())
    return {"totals": json.loads(said.attrs["totals"]), "cells": int(known.sum()), "aoa_share": share, **took}


def _world(seed: int) -> dict[str, Any]:
    """One virtual species on the real grid, seen at the real places: what is promised, and what the map holds."""
    ocean, sites = _ocean()
    species = make_species(ocean, seed)
    problem = species.problem(sites, seed)
    settings = Settings(**(asdict(WORLD) | {"seed": seed, "schemes": (HEADLINE,)}))
    report = cross_validate(problem, settings)
    rng, area = np.random.default_rng(seed), np.cos(np.radians(ocean.latitude))
    drawn = rng.choice(len(area), FRESH, p=area / area.sum())
    said = fit(problem, settings).predict(ocean.x[drawn], ocean.latitude[drawn], ocean.longitude[drawn])
    fresh = species.observe(drawn, seed + 10_000)
    held = asdict(score(fresh, said.mean, log_step(problem.y)))
    covered = (said.q05 <= fresh) & (fresh <= said.q95)
    return {
        "promised": asdict(report.schemes[HEADLINE].scores["stack"]),
        "promised_coverage": report.schemes[HEADLINE].coverage,
        "held": held,
        "coverage": float(covered.mean()),
        "coverage_inside": float(covered[said.aoa].mean()),
        "coverage_outside": float(covered[~said.aoa].mean()) if (~said.aoa).any() else None,
        "total_ratio": float(said.mean.sum() / species.truth[drawn].sum()),
    }


@cache
def _ocean() -> tuple[Ocean, np.ndarray]:
    """The real ocean of the upper layer, and the numbers of its cells that were sampled."""
    _, cube = _data()
    names = tuple(str(name) for name in cube.data_vars)
    latitude, longitude, x = cells(cube, names, TOP)
    known = np.isfinite(x).mean(axis=1) >= 0.5
    number = np.cumsum(known) - 1
    problem = problem_of(*CASES[0])
    row, column, _ = cell_of(cube, problem.latitude, problem.longitude)
    return Ocean(x[known], names, latitude[known], longitude[known]), number[row * cube.sizes["longitude"] + column]


def _data() -> tuple[pl.DataFrame, xr.Dataset]:
    found = data()
    assert found is not None, "asked only where there are shared data"
    return found
