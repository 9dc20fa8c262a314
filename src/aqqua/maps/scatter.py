"""Overdispersion: how much more counts scatter than Poisson's law allows, from replicate samples.

Plankton is patchy: two samples of one place and day differ by more than chance. With the variance µ + α µ² (negative
binomial), α is that for which Pearson's χ² of the replicates about their common density is its degrees of freedom
(Breslow 1984, Appl. Stat. 33, 38). One α for each instrument and taxon; 0 where replicates agree, or where there
are too few (less than three degrees of freedom).
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

__all__ = ["alpha_of", "with_alpha"]

Array = NDArray[np.float64]
_PLACE_DEG = 0.05
_MOST = 10.0
_LEAST_FREEDOM = 3


def with_alpha(cells: pl.DataFrame, strata: pl.DataFrame) -> pl.DataFrame:
    """Cells with `alpha` and `replicates` (number of samples it comes from; 0: no replicates).

    Replicates are samples of one instrument within 0.05°, one day and one depth bin.

    Args:
        cells: `stratum`, `taxon`, `size`, `n`.
        strata: `stratum`, `instrument`, `time_utc`, `latitude`, `longitude`, depths, `counted_l`.
    """
    place = [(pl.col(name) / _PLACE_DEG).round().alias(f"_{name}") for name in ("latitude", "longitude")]
    depth = [pl.col(name).round(0).alias(f"_{name}") for name in ("depth_min_m", "depth_max_m")]
    groups = strata.filter(pl.col("counted_l") > 0).select(
        "stratum", "instrument", "counted_l", pl.struct(*place, *depth, pl.col("time_utc").dt.date()).alias("_place")
    )
    groups = groups.filter(pl.len().over("instrument", "_place") > 1)
    groups = groups.with_columns(group=pl.struct("instrument", "_place").rank("dense").cast(pl.Int64) - 1)
    told = cells.join(groups, on="stratum").group_by("instrument", "taxon", "group", "stratum").agg(
        pl.col("n").sum(), pl.col("counted_l").first()
    )  # fmt: skip
    rows = [
        (instrument, taxon, alpha_of(*(part[name].to_numpy() for name in ("n", "counted_l", "group"))), part.height)
        for (instrument, taxon), part in told.group_by("instrument", "taxon")
    ]
    kinds = {"instrument": pl.String, "taxon": pl.String, "alpha": pl.Float64, "replicates": pl.Int64}
    found = pl.DataFrame(rows, schema=kinds, orient="row")
    with_instrument = cells.join(
        strata.select("stratum", "instrument"), on="stratum", how="left", maintain_order="left"
    )
    joined = with_instrument.join(
        found, on=["instrument", "taxon"], how="left", nulls_equal=True, maintain_order="left"
    )
    return joined.drop("instrument").with_columns(pl.col("alpha").fill_null(0.0), pl.col("replicates").fill_null(0))


def alpha_of(n: Array, water: Array, group: NDArray[np.int64]) -> float:
    """α of counts in replicates.

    Args:
        n: (m,) counts.
        water: (m,) how much water each is from.
        group: (m,) which are replicates of each other.

    >>> alpha_of(np.full(4, 10.0), np.ones(4), np.zeros(4, dtype=int))
    0.0
    """
    number = np.unique(group, return_inverse=True)[1]
    count, litres = np.bincount(number, weights=n), np.bincount(number, weights=water)
    mean = (count / litres)[number] * water
    some = mean > 0
    freedom = int(some.sum()) - len(np.unique(number[some]))
    if freedom < _LEAST_FREEDOM:
        return 0.0

    def pearson(alpha: float) -> float:
        mu = mean[some]
        return float(((n[some] - mu) ** 2 / (mu + alpha * mu**2)).sum())

    if pearson(0.0) <= freedom:
        return 0.0
    low, high = 0.0, _MOST
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if pearson(middle) > freedom else (low, middle)
    return low
