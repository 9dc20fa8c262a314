"""What is interpolated, and what comes out: plain arrays with checks."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from aqqua.errors import ConfigError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = ["Prediction", "Problem", "check_places"]


@dataclass(frozen=True)
class Problem:
    """Values of one taxon in one layer at places whose environment is known.

    Args:
        x: predictors at the places, shape (n, p); NaN where one is missing.
        predictors: names of the p predictors.
        y: values ≥ 0, shape (n,), for example mg carbon per m³.
        latitude: degrees north, shape (n,).
        longitude: degrees east, −180 to 360, shape (n,).
        weight: weights of the places, shape (n,); None for equal ones.
        name: for reports, for example "Copepoda 0–200 m".
        unit: of y.

    Raises:
        ConfigError: shapes do not fit, or a value cannot be what it should be.
    """

    x: Floats
    predictors: tuple[str, ...]
    y: Floats
    latitude: Floats
    longitude: Floats
    weight: Floats | None = None
    name: str = ""
    unit: str = ""

    def __post_init__(self) -> None:
        for name in ("x", "y", "latitude", "longitude"):
            object.__setattr__(self, name, np.asarray(getattr(self, name), np.float64))
        if self.weight is not None:
            object.__setattr__(self, "weight", np.asarray(self.weight, np.float64))
        object.__setattr__(self, "predictors", tuple(self.predictors))
        where = self.name or None
        n = len(self.y)
        if self.x.ndim != 2 or self.x.shape != (n, len(self.predictors)):
            what = f"predictors have shape {self.x.shape}, {(n, len(self.predictors))} is expected"
            raise ConfigError(what, where=where, do="give one row per value, one column per name")
        for name in ("latitude", "longitude", "weight"):
            column = getattr(self, name)
            if column is not None and column.shape != (n,):
                raise ConfigError(f"{name} has shape {column.shape}, ({n},) is expected", where=where)
        check_places(self.latitude, self.longitude, where)
        if not np.isfinite(self.y).all() or (self.y < 0).any():
            bad = int((~np.isfinite(self.y) | (self.y < 0)).sum())
            do = "leave out what is missing; zero is a value, missing is not"
            raise ConfigError(f"{bad} of {n} values are missing or negative", where=where, do=do)
        if self.weight is not None and not (np.isfinite(self.weight).all() and (self.weight > 0).all()):
            raise ConfigError("weights must be positive numbers", where=where)

    def __len__(self) -> int:
        """Number of places."""
        return len(self.y)

    def take(self, rows: Any) -> Problem:
        """The same with some of the places (indices or a mask)."""
        weight = None if self.weight is None else self.weight[rows]
        places = {"latitude": self.latitude[rows], "longitude": self.longitude[rows]}
        return replace(self, x=self.x[rows], y=self.y[rows], weight=weight, **places)


@dataclass(frozen=True)
class Prediction:
    """What a fitted interpolation says of m places; every array has shape (m,) if not said otherwise.

    Args:
        mean: expected value, calibrated so that sums are right; NaN where no predictor is known.
        median: middle of the distribution.
        q05: lower end of the 90 % interval for a single new observation.
        q95: upper end.
        sd_sampling: spread from the choice of sampled places (spatial block bootstrap).
        sd_model: spread between the learners of the stack.
        dissimilarity: to the sampled environments (dissimilarity index).
        aoa: whether the place lies inside the area of applicability.
        distance_km: to the nearest sampled place.
        replicates: the mean from each block bootstrap, shape (b, m).
        learners: the calibrated mean of each learner.
    """

    mean: Floats
    median: Floats
    q05: Floats
    q95: Floats
    sd_sampling: Floats
    sd_model: Floats
    dissimilarity: Floats
    aoa: NDArray[np.bool_]
    distance_km: Floats
    replicates: NDArray[np.float32]
    learners: dict[str, Floats] = field(default_factory=dict)


def check_places(latitude: Floats, longitude: Floats, where: str | None) -> None:
    """Refuse coordinates that cannot be.

    Raises:
        ConfigError: one is missing, or beyond the poles, or beyond −180 to 360 degrees east.
    """
    if not (np.isfinite(latitude).all() and np.isfinite(longitude).all()):
        raise ConfigError("some places have no latitude or longitude", where=where)
    beyond = np.abs(latitude) > 90
    if beyond.any():
        do = "latitude and longitude may be swapped"
        raise ConfigError(f"{int(beyond.sum())} latitudes lie beyond the poles", where=where, do=do)
    if ((longitude < -180) | (longitude > 360)).any():
        raise ConfigError("some longitudes are not between −180 and 360 degrees east", where=where)
