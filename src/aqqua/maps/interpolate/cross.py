"""Cross-validate the whole way – learners, stack, calibration, intervals – under every scheme side by side.

Whatever is fitted is fitted inside training, with folds of the same kind: under 30° blocks also the weights, the
calibration and the intervals come from 30° blocks.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from aqqua.errors import ConfigError
from aqqua.maps.interpolate.folds import (
    block_degrees,
    block_folds,
    inner_folds,
    knndm,
    left_out_km,
    random_folds,
    sample_km,
)
from aqqua.maps.interpolate.learners import BASELINES, Inputs, make_learner
from aqqua.maps.interpolate.recipe import Settings
from aqqua.maps.interpolate.report import STACK, CvReport, SchemeReport
from aqqua.maps.interpolate.scores import log_step, mean_scores, score
from aqqua.maps.interpolate.sphere import even_places, tree_of, unit_vectors
from aqqua.maps.interpolate.stack import check_enough, fit_stack

if TYPE_CHECKING:
    from aqqua.maps.interpolate.problem import Floats, Ints, Problem

__all__ = ["Folds", "cross_validate", "make_folds"]

_MEDIAN = "median"
_PLACES = 8000


def cross_validate(
    problem: Problem,
    settings: Settings | None = None,
    *,
    places: tuple[Floats, Floats] | None = None,
    folds: Folds | None = None,
) -> CvReport:
    """Cross-validate the whole way under every scheme.

    Args:
        problem: places, values and predictors.
        settings: how; the defaults if None.
        places: latitude and longitude of the map's cells, for kNNDM; without them, sea between the southernmost and
            the northernmost place.
        folds: made before by `make_folds`, for several taxa of the same places.

    Raises:
        ConfigError: too few places have a value above zero.

    A scheme that the places do not allow (all of them in one block) is named in `CvReport.left_out`.
    """
    settings = settings or Settings()
    check_enough(problem, settings)
    made = folds or make_folds(problem, settings, places)
    schemes = {}
    for scheme, repeats in made.schemes.items():
        runs = [_run(problem, settings, scheme, number, one) for number, one in enumerate(repeats)]
        schemes[scheme] = _report(problem, scheme, runs)
    return CvReport(problem, schemes, made.map_km, made.left_out)


@dataclass(frozen=True)
class Folds:
    """The folds of all schemes; they depend on places and settings only.

    Args:
        schemes: name → one array of shape (n,) per repeat.
        map_km: from the map's cells to the nearest place.
        left_out: schemes that the places do not allow, and why.
    """

    schemes: dict[str, list[Ints]]
    map_km: Floats
    left_out: dict[str, str]


def make_folds(problem: Problem, settings: Settings, places: tuple[Floats, Floats] | None = None) -> Folds:
    """Draw the folds of all schemes; see `cross_validate` for the arguments."""
    points = unit_vectors(problem.latitude, problem.longitude)
    map_km = sample_km(points, *(_sea(problem) if places is None else places), np.random.default_rng(settings.seed))
    schemes, left_out = {}, {}
    for scheme in settings.schemes:
        try:
            repeats = range(settings.repeats)
            schemes[scheme] = [_outer(problem, settings, scheme, repeat, map_km) for repeat in repeats]
        except ConfigError as error:
            left_out[scheme] = error.what
    return Folds(schemes, map_km, left_out)


@dataclass(frozen=True)
class _Run:
    """One repeat of a scheme; arrays over all places."""

    folds: Ints
    nearest_km: Floats
    predictions: dict[str, Floats]
    median: Floats
    q05: Floats
    q95: Floats
    dissimilarity: Floats
    weights: list[dict[str, float]]


def _outer(problem: Problem, settings: Settings, scheme: str, repeat: int, map_km: Floats) -> Ints:
    rng = np.random.default_rng([settings.seed, repeat])
    degrees = block_degrees(scheme)
    if degrees is not None:
        return block_folds(problem.latitude, problem.longitude, degrees, settings.folds, rng)
    if scheme == "random":
        return random_folds(len(problem), settings.folds, rng)
    return knndm(problem.latitude, problem.longitude, map_km, settings.folds, rng)[0]


def _run(problem: Problem, settings: Settings, scheme: str, repeat: int, folds: Ints) -> _Run:
    n = len(problem)
    points = unit_vectors(problem.latitude, problem.longitude)
    names = (STACK, *settings.learners, *(name for name in BASELINES if name not in settings.learners))
    found = {name: np.zeros(n) for name in names}
    median, q05, q95, dissimilarity = (np.zeros(n) for _ in range(4))
    weights = []
    for fold in np.unique(folds):
        test = folds == fold
        part, held = problem.take(~test), problem.take(test)
        stack = fit_stack(part, settings, _inner(part, settings, scheme, repeat), settings.seed + repeat)
        said = stack.predict(held.x, held.latitude, held.longitude)
        weights.append(stack.weights)
        median[test], q05[test], q95[test], found[STACK][test] = said.typical, said.q05, said.q95, said.mean
        for name, values in (said.learners | _baselines(part, held)).items():
            found[name][test] = values
        seen, asked = stack.preparer.standard(part.x), stack.preparer.standard(held.x)
        dissimilarity[test] = tree_of(seen).query(asked)[0]
    return _Run(folds, left_out_km(points, folds), found, median, q05, q95, dissimilarity, weights)


def _inner(part: Problem, settings: Settings, scheme: str, repeat: int) -> Ints:
    """Folds inside training, of the kind of the scheme; blocks of `block_deg` for kNNDM."""
    rng = np.random.default_rng([settings.seed, repeat, 1])
    if scheme == "random":
        return random_folds(len(part), settings.inner_folds, rng)
    degrees = block_degrees(scheme) or settings.block_deg
    return inner_folds(part.latitude, part.longitude, degrees, settings.inner_folds, rng)


def _baselines(part: Problem, held: Problem) -> dict[str, Floats]:
    """What a map without any environment says."""
    seen, asked = (Inputs(one.x, one.latitude, one.longitude) for one in (part, held))
    return {name: make_learner(name, 1.0, 0, 0).fit(seen, part.y, part.weight).predict(asked) for name in BASELINES}


def _report(problem: Problem, scheme: str, runs: list[_Run]) -> SchemeReport:
    y, first, step = problem.y, runs[0], log_step(problem.y)
    named = [run.predictions | {_MEDIAN: run.median} for run in runs]
    weights = [one for run in runs for one in run.weights]
    return SchemeReport(
        scheme,
        **{f.name: getattr(first, f.name) for f in dataclasses.fields(_Run) if f.name != "weights"},
        scores={name: mean_scores([score(y, one[name], step) for one in named]) for name in named[0]},
        coverage=float(np.mean([(run.q05 <= y) & (y <= run.q95) for run in runs])),
        below=float(np.mean([y < run.q05 for run in runs])),
        above=float(np.mean([y > run.q95 for run in runs])),
        weights={name: float(np.mean([one[name] for one in weights])) for name in weights[0]},
    )


def _sea(problem: Problem) -> tuple[Floats, Floats]:
    """Places at sea, even on the sphere, in the sampled band of latitudes; the sampled ones if there is none."""
    from aqqua.metadata.land import sea_within

    latitude, longitude = even_places(_PLACES)
    band = (latitude >= problem.latitude.min()) & (latitude <= problem.latitude.max())
    at_sea = band & sea_within(latitude, longitude)
    if not at_sea.any():
        return problem.latitude, problem.longitude
    return latitude[at_sea], longitude[at_sea]
