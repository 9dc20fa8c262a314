"""Predictors as learners like them: nothing missing, each made normal by its ranks.

A missing predictor (chlorophyll under polar night) is the mean of the five sampled places that are most alike in what
is known. Ranks are those of the sampled places; beyond them a predictor stays at its edge, so that nothing runs away.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from aqqua.errors import ConfigError
from aqqua.maps.interpolate.learners import Inputs
from aqqua.maps.interpolate.sphere import tree_of

if TYPE_CHECKING:
    from aqqua.maps.interpolate.problem import Floats

__all__ = ["Preparer"]

_DONORS = 5
_QUANTILES = 101


@dataclass(frozen=True)
class Preparer:
    """Fills and transforms predictors by what is known of the sampled places.

    Args:
        x: predictors of the sampled places, shape (n, p).
        names: of the predictors, for errors.

    Raises:
        ConfigError: a predictor is missing at all places.
    """

    x: Floats
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        for column, name in enumerate(self.names):
            if not np.isfinite(self.x[:, column]).any():
                do = "leave it out, or check that the cube covers the places"
                raise ConfigError(f"the predictor {name} is missing at all places", do=do)

    @cached_property
    def _scale(self) -> tuple[Floats, Floats]:
        spread = np.nanstd(self.x, axis=0)
        return np.nanmean(self.x, axis=0), np.where(spread > 0, spread, 1.0)

    @cached_property
    def _grid(self) -> tuple[Floats, Floats]:
        """Quantiles of each predictor, shape (q, p), and the normal quantiles that belong to them."""
        from scipy.stats import norm

        share = np.linspace(0, 1, _QUANTILES)
        normal = norm.ppf(np.clip(share, 0.5 / len(self.x), 1 - 0.5 / len(self.x)))
        return np.nanquantile(self.x, share, axis=0), np.asarray(normal, np.float64)

    def fill(self, x: Floats) -> Floats:
        """Predictors with gaps filled, shape (m, p); rows without any known predictor are filled by means."""
        x = np.array(x, np.float64)
        gaps = ~np.isfinite(x)
        patterns, which = np.unique(gaps, axis=0, return_inverse=True)
        for number, gap in enumerate(patterns):
            if gap.any():
                rows = np.flatnonzero(which.ravel() == number)
                x[np.ix_(rows, gap)] = self._donated(x[rows], gap)
        return x

    def standard(self, x: Floats) -> Floats:
        """Filled and in standard deviations from the mean of the sampled places: the space of dissimilarity."""
        centre, spread = self._scale
        return (self.fill(x) - centre) / spread

    def inputs(self, x: Floats, latitude: Floats, longitude: Floats) -> Inputs:
        """What learners see of m places."""
        filled, (quantiles, normal) = self.fill(x), self._grid
        columns = []
        for values, grid in zip(filled.T, quantiles.T, strict=True):
            edges, first = np.unique(grid, return_index=True)
            last = np.append(first[1:], len(grid)) - 1
            columns.append(np.interp(values, edges, (normal[first] + normal[last]) / 2))
        return Inputs(np.stack(columns, axis=1), np.asarray(latitude, float), np.asarray(longitude, float))

    def _donated(self, x: Floats, gap: np.ndarray) -> Floats:
        centre, spread = self._scale
        donors = self.x[np.isfinite(self.x).all(axis=1)]
        if gap.all() or len(donors) == 0:
            return np.broadcast_to(centre[gap], (len(x), int(gap.sum())))
        known = ~gap
        tree = tree_of(((donors - centre) / spread)[:, known])
        k = np.arange(1, min(_DONORS, len(donors)) + 1)
        _, rows = tree.query(((x - centre) / spread)[:, known], k=k)
        given: Floats = donors[rows][:, :, gap].mean(axis=1)
        return given
