"""Where a map may be trusted: likeness to the sampled environments, area of applicability, distance to samples.

The dissimilarity index is the distance to the nearest sampled environment (predictors in standard deviations), divided
by the mean distance between sampled environments. The area of applicability is where it is not larger than it was in
cross-validation, outliers left out (Meyer & Pebesma 2021, Methods Ecol. Evol. 12, 1620, doi:10.1111/2041-210X.13650).
All predictors weigh the same here, so that all taxa of the same places share one area.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from aqqua.maps.interpolate.sphere import nearest_km, tree_of, unit_vectors

if TYPE_CHECKING:
    from aqqua.maps.interpolate.inputs import Preparer
    from aqqua.maps.interpolate.problem import Floats, Ints, Problem

__all__ = ["Applicability", "fit_applicability"]

_PAIRS = 2000


@dataclass(frozen=True)
class Applicability:
    """What is needed to judge new places.

    Args:
        preparer: of predictors.
        seen: sampled environments in standard deviations, shape (n, p).
        points: sampled places as unit vectors, shape (n, 3).
        mean_distance: between sampled environments.
        threshold: largest dissimilarity inside the area of applicability.
    """

    preparer: Preparer
    seen: Floats
    points: Floats
    mean_distance: float
    threshold: float

    def dissimilarity(self, x: Floats) -> Floats:
        """Dissimilarity index of m places, shape (m,): 0 for a sampled environment."""
        distance, _ = tree_of(self.seen).query(self.preparer.standard(x))
        found: Floats = distance / self.mean_distance
        return found

    def distance_km(self, latitude: Floats, longitude: Floats) -> Floats:
        """Great-circle distance of m places to the nearest sampled one, shape (m,)."""
        return nearest_km(unit_vectors(latitude, longitude), self.points)


def fit_applicability(problem: Problem, preparer: Preparer, folds: Ints) -> Applicability:
    """Learn from the sampled places what counts as alike.

    Args:
        problem: sampled places.
        preparer: of their predictors.
        folds: of cross-validation, shape (n,); the threshold is the upper whisker (third quartile + 1.5 interquartile
            ranges, at most the largest) of dissimilarities between folds.
    """
    seen = preparer.standard(problem.x)
    mean_distance = _mean_distance(seen)
    distance = np.zeros(len(seen))
    for fold in np.unique(folds):
        test = folds == fold
        distance[test] = tree_of(seen[~test]).query(seen[test])[0]
    between = distance / mean_distance
    low, high = np.quantile(between, [0.25, 0.75])
    threshold = float(between[between <= high + 1.5 * (high - low)].max())
    points = unit_vectors(problem.latitude, problem.longitude)
    return Applicability(preparer, seen, points, mean_distance, threshold)


def _mean_distance(seen: Floats) -> float:
    """Mean distance between pairs, of at most 2,000 rows taken at even steps."""
    from scipy.spatial.distance import pdist

    rows = seen[:: max(1, len(seen) // _PAIRS)]
    found = float(pdist(rows).mean()) if len(rows) > 1 else 0.0
    return found or 1.0
