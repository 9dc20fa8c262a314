"""Virtual species: made by a known law on a real or a made-up ocean, observed where samples were taken.

What a map is worth cannot be seen on real data, since nobody knows the truth between the samples. Here it is known: a
species has niches in a few predictors, structure in space that no predictor explains, places where it is absent, and
noise with a heavy tail. So a whole interpolation can be judged: does cross-validation promise what the map holds, and
do the map's intervals cover new observations anywhere (Hirzel et al. 2001, Ecol. Model. 145, 111; Denvil-Sommer et al.
2023, Geosci. Model Dev. 16, 2995)?
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from aqqua.errors import ConfigError
from aqqua.maps.interpolate.problem import Problem, check_places
from aqqua.maps.interpolate.sphere import EARTH_RADIUS_KM, even_places, unit_vectors

if TYPE_CHECKING:
    from aqqua.maps.interpolate.problem import Floats, Ints

__all__ = ["Law", "Ocean", "Species", "make_ocean", "make_species"]

_WAVES = 200


@dataclass(frozen=True)
class Ocean:
    """Cells of a map and their environment.

    Args:
        x: predictors, shape (m, p); NaN where one is missing.
        predictors: their names.
        latitude: degrees north, shape (m,).
        longitude: degrees east, shape (m,).
    """

    x: Floats
    predictors: tuple[str, ...]
    latitude: Floats
    longitude: Floats

    def __post_init__(self) -> None:
        if self.x.shape != (len(self.latitude), len(self.predictors)):
            what = f"predictors have shape {self.x.shape}, {(len(self.latitude), len(self.predictors))} is expected"
            raise ConfigError(what, do="give one row per cell, one column per name")
        check_places(self.latitude, self.longitude, None)


@dataclass(frozen=True)
class Law:
    """What kinds of species are made; the defaults resemble mesozooplankton in 1° cells.

    Args:
        niches: how many predictors matter.
        contrast: standard deviation of the logarithm of what is expected where the species lives.
        unexplained: share of that variance which only space has, 0 to 1.
        range_km: length over which the unexplained part is alike.
        zeros: share of cells where nothing is observed.
        noise: standard deviation of the logarithm of what is observed around what is expected.
        blooms: share of observations that hit a bloom.
        bloom: how many times larger these are.
    """

    niches: int = 3
    contrast: float = 1.3
    unexplained: float = 0.2
    range_km: float = 2000.0
    zeros: float = 0.15
    noise: float = 0.9
    blooms: float = 0.02
    bloom: float = 8.0

    def __post_init__(self) -> None:
        for name in ("unexplained", "zeros", "blooms"):
            if not 0 <= getattr(self, name) < 1:
                raise ConfigError(f"{name} of {getattr(self, name):g} is not possible", do="give a share, 0 to 1")
        for name in ("niches", "contrast", "range_km", "bloom"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name} of {getattr(self, name):g} is not possible", do="give a positive number")
        if self.noise < 0:
            raise ConfigError(f"noise of {self.noise:g} is not possible", do="give 0 or more")


@dataclass(frozen=True)
class Species:
    """A species with known truth in every cell.

    Args:
        ocean: where it lives.
        law: how it was made.
        present: probability that it is seen at all, shape (m,).
        level: expected value where it is seen, shape (m,).
    """

    ocean: Ocean
    law: Law
    present: Floats
    level: Floats

    @property
    def truth(self) -> Floats:
        """Expected value of an observation, zeros included: what a map should show. Shape (m,)."""
        return self.present * self.level

    def observe(self, cells: Ints, seed: int) -> Floats:
        """Observations in cells (numbers, repeats allowed), values ≥ 0 in their order."""
        law, rng = self.law, np.random.default_rng([seed, 7])
        spread = np.exp(law.noise * rng.standard_normal(len(cells)) - law.noise**2 / 2)
        spread *= np.where(rng.random(len(cells)) < law.blooms, law.bloom, 1.0) / (1 + law.blooms * (law.bloom - 1))
        seen = rng.random(len(cells)) < self.present[cells]
        return np.where(seen, self.level[cells] * spread, 0.0)

    def problem(self, cells: Ints, seed: int, name: str = "virtual species") -> Problem:
        """Observations in cells as something to interpolate."""
        ocean = self.ocean
        places = ocean.latitude[cells], ocean.longitude[cells]
        return Problem(ocean.x[cells], ocean.predictors, self.observe(cells, seed), *places, name=name, unit="1")


def make_species(ocean: Ocean, seed: int, law: Law | None = None) -> Species:
    """Draw a species: which predictors matter, where its optima lie, how wide its niches are.

    Niches are bell curves on predictors made normal by their ranks, two of them may act together; the unexplained part
    is a smooth random field on the sphere. Absence is likely where little is expected.

    Args:
        ocean: cells with at least one predictor.
        seed: the same seed gives the same species.
        law: the kind of species; the default if None.

    Raises:
        ConfigError: the ocean has no predictors or no cells.
    """
    law, rng = law or Law(), np.random.default_rng([seed, 3])
    if ocean.x.size == 0:
        raise ConfigError("an ocean without cells or predictors has no species", do="give at least one of each")
    chosen = rng.permutation(ocean.x.shape[1])[: law.niches]
    normal = np.stack([_normal(ocean.x[:, column]) for column in chosen], axis=1)
    optimum, width = rng.uniform(-1.2, 1.2, len(chosen)), rng.uniform(0.8, 2.0, len(chosen))
    suits = -0.5 * ((normal - optimum) / width) ** 2 * rng.uniform(0.5, 1.0, len(chosen))
    explained = suits.sum(axis=1) + rng.normal(0, 0.3) * normal[:, 0] * normal[:, -1]
    field = _field(unit_vectors(ocean.latitude, ocean.longitude), law.range_km, rng)
    share = np.sqrt([1 - law.unexplained, law.unexplained])
    logarithm = law.contrast * (share[0] * _standard(explained) + share[1] * _standard(field))
    return Species(ocean, law, _presence(logarithm, law), np.exp(logarithm))


def make_ocean(cells: int, predictors: int = 6, seed: int = 0) -> Ocean:
    """A made-up ocean without land: cells even on the sphere, predictors from smooth fields and latitude.

    Args:
        cells: how many.
        predictors: how many.
        seed: the same seed gives the same ocean.
    """
    rng, (latitude, longitude) = np.random.default_rng([seed, 1]), even_places(cells)
    points = unit_vectors(latitude, longitude)
    columns = [np.cos(np.radians(latitude)) * 2 + 0.3 * _field(points, 3000, rng)]
    columns += [_field(points, float(rng.uniform(1500, 5000)), rng) for _ in range(predictors - 1)]
    names = tuple(f"predictor_{number}" for number in range(1, predictors + 1))
    return Ocean(np.stack(columns, axis=1), names, latitude, longitude)


def _normal(values: Floats) -> Floats:
    """Ranks as normal quantiles; a missing value is the middle."""
    from scipy.stats import norm, rankdata

    found, known = np.zeros(len(values)), np.isfinite(values)
    found[known] = norm.ppf((rankdata(values[known]) - 0.5) / max(1, known.sum()))
    return found


def _field(points: Floats, range_km: float, rng: np.random.Generator) -> Floats:
    """A smooth random field on the sphere: a sum of waves whose lengths give a Gaussian covariance of that range."""
    waves = rng.standard_normal((3, _WAVES)) * EARTH_RADIUS_KM / range_km
    found: Floats = np.cos(points @ waves + rng.uniform(0, 2 * np.pi, _WAVES)).sum(axis=1) * np.sqrt(2 / _WAVES)
    return found


def _standard(values: Floats) -> Floats:
    spread = values.std()
    found: Floats = (values - values.mean()) / (spread if spread > 0 else 1.0)
    return found


def _presence(logarithm: Floats, law: Law) -> Floats:
    """Logistic in the logarithm, shifted until the asked share of zeros is expected."""
    if law.zeros == 0:
        return np.ones(len(logarithm))
    low, high = -30.0, 30.0
    for _ in range(60):
        middle = (low + high) / 2
        present = 1 / (1 + np.exp(-np.clip(1.5 * logarithm / law.contrast + middle, -50, 50)))
        low, high = (middle, high) if present.mean() < 1 - law.zeros else (low, middle)
    return np.asarray(present, np.float64)
