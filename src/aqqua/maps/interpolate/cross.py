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
from aqqua.maps.interpolate.learners import BASELINES, make_learner
from aqqua.maps.interpolate.recipe import Settings
from aqqua.maps.interpolate.report import STACK, CvReport, SchemeReport
from aqqua.maps.interpolate.scores import log_step, mean_scores, score
from aqqua.maps.interpolate.sphere import even_places, tree_of, unit_vectors
from aqqua.maps.interpolate.stack import check_enough, fit_stack

if TYPE_CHECKING:
    from aqqua.maps.interpolate.problem import Floats, Ints, Problem

__all__ = ["cross_validate", "outer_folds"]

_MEDIAN = "median"
_PLACES = 8000


def cross_validate(
    problem: Problem, settings: Settings | None = None, *, places: tuple[Floats, Floats] | None = None
) -> CvReport:
    """Cross-validate the whole way under every scheme.

    Args:
        problem: places, values and predictors.
        settings: how; the defaults if None.
        places: latitude and longitude of the map's cells, for kNNDM; without them, sea between the southernmost and
            the northernmost place.

    Raises:
        ConfigError: too few places have a value above zero.

    A scheme that the places do not allow (all of them in one block) is named in `CvReport.left_out`.
    """
    settings = settings or Settings()
    check_enough(problem, settings)
    points = unit_vectors(problem.latitude, problem.longitude)
    cells = _sea(problem) if places is None else places
    map_km = sample_km(points, *cells, np.random.default_rng(settings.seed))
    schemes, left_out = {}, {}
    for scheme in settings.schemes:
        try:
            runs = [_run(problem, settings, scheme, repeat, map_km) for repeat in range(settings.repeats)]
        except _ImpossibleError as error:
            left_out[scheme] = str(error)
            continue
        schemes[scheme] = _report(problem, scheme, runs)
    return CvReport(problem, schemes, map_km, left_out)


class _ImpossibleError(Exception):
    """A scheme that the places do not allow."""


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


def outer_folds(problem: Problem, settings: Settings, scheme: str, repeat: int, map_km: Floats) -> Ints:
    """The folds of a scheme, shape (n,); the same for all taxa of the same places.

    Raises:
        UnknownNameError: no such scheme.
        ConfigError: the places do not allow it.
    """
    rng = np.random.default_rng([settings.seed, repeat])
    degrees = block_degrees(scheme)
    if degrees is not None:
        return block_folds(problem.latitude, problem.longitude, degrees, settings.folds, rng)
    if scheme == "random":
        return random_folds(len(problem), settings.folds, rng)
    return knndm(problem.latitude, problem.longitude, map_km, settings.folds, rng)[0]


def _run(problem: Problem, settings: Settings, scheme: str, repeat: int, map_km: Floats) -> _Run:
    try:
        folds = outer_folds(problem, settings, scheme, repeat, map_km)
    except ConfigError as error:
        if block_degrees(scheme) is None:
            raise
        raise _ImpossibleError(error.what) from error
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
    from aqqua.maps.interpolate.learners import Inputs

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
