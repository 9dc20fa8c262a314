"""The columns of the abundance table: from sums and their squares to values per m³ with 95 % intervals."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aqqua.tasks.count import gamma_limits

__all__ = ["COLUMNS", "as_table"]

Array = NDArray[np.float64]
COLUMNS = (
    *("sample_id", "dataset", "instrument", "time_utc", "latitude", "longitude", "taxon", "aphia_id"),
    *("depth_min_m", "depth_max_m", "size_min_um", "size_max_um", "n", "n_corrected", "volume_l", "counted_l"),
    *("abundance_m3", "abundance_lo_m3", "abundance_hi_m3"),
    *("biovolume_mm3_m3", "biovolume_lo_mm3_m3", "biovolume_hi_mm3_m3"),
    *("carbon_mg_m3", "carbon_lo_mg_m3", "carbon_hi_mg_m3", "carbon_share"),
    *("unknown_share", "interval", "alpha", "replicates", "volume_from"),
)
"""What the table has, in this order:

- `n` objects counted, of `volume_l` litres of water, of which `counted_l` were looked at (volume ÷ subsample factor);
  `n_corrected` what they would be without the classifier's confusions (equal to n if no correction was asked for);
- abundance, biovolume and carbon per m³ with the ends of 95 % intervals; null where no volume is known;
- `carbon_share` the share of objects that have a carbon (a size, and an equation for their taxon);
- `unknown_share` the share of the stratum's objects without a name;
- `interval` "poisson" or "negative binomial" with `alpha` (variance µ + α µ²) from so many `replicates`.
"""


def as_table(
    cells: pl.DataFrame, strata: pl.DataFrame, numbers: pl.DataFrame, mean: pl.DataFrame, edges: Array | None
) -> pl.DataFrame:
    """The abundance table.

    Args:
        cells: as `with_zeros` and `with_alpha` give them, with `y_k`, `lo_k`, `hi_k` where counts were corrected.
        strata: as `strata_of` gives them, with `blind` (objects there have no sizes: classes are unknown, not empty).
        numbers: `taxon`, `aphia_id`.
        mean: `instrument`, `taxon`, `mean_mm3`, `mean_mg` of an object, for the upper limit where none was found.
        edges: of the size classes in µm, or None.

    Returns:
        `stratum` and `COLUMNS`.
    """
    frame = cells.join(strata, on="stratum", how="left", maintain_order="left")
    frame = frame.join(numbers, on="taxon", how="left", maintain_order="left")
    frame = frame.join(mean, on=["instrument", "taxon"], how="left", nulls_equal=True, maintain_order="left")
    values = _values(frame)
    known = (frame["volume_l"].is_not_null() & ~frame["blind"]).to_numpy()
    columns = {name: pl.Series(np.where(known, value, np.nan)).fill_nan(None) for name, value in values.items()}
    corrected = pl.Series(_n_corrected(frame, values["abundance_m3"])).fill_nan(None)
    n = pl.col("n").sum().over("stratum", "size")
    frame = frame.with_columns(
        n_corrected=pl.when(~pl.col("blind")).then(corrected),
        **columns,
        carbon_share=pl.when(pl.col("n") > 0).then(pl.col("n_carbon") / pl.col("n")),
        unknown_share=pl.when(n > 0).then(
            (pl.col("n") * (pl.col("taxon") == "unknown")).sum().over("stratum", "size") / n
        ),
        interval=pl.when(pl.col("alpha") > 0).then(pl.lit("negative binomial")).otherwise(pl.lit("poisson")),
        **_size_columns(edges),
    )
    frame = frame.with_columns(n=pl.when(~pl.col("blind")).then("n"))
    return frame.select("stratum", *COLUMNS)


def _size_columns(edges: Array | None) -> dict[str, pl.Expr]:
    if edges is None:
        return {name: pl.lit(None, pl.Float64) for name in ("size_min_um", "size_max_um")}
    low, high = pl.Series(edges[:-1]), pl.Series(edges[1:])
    return {"size_min_um": pl.lit(low).gather(pl.col("size")), "size_max_um": pl.lit(high).gather(pl.col("size"))}


def _values(frame: pl.DataFrame) -> dict[str, Array]:
    """Value, lower and upper limit of the three quantities."""
    n, y, v = (_floats(frame, name) for name in ("n", "y", "v"))
    most = np.nan_to_num(_floats(frame, "most"), nan=1.0)
    scatter = 1 + _floats(frame, "alpha") * n  # variance by mean of a negative binomial
    lo, hi = gamma_limits(y, v * scatter, most)
    best = y
    if "y_k" in frame.columns:
        best, lo, hi = _corrected(frame, y, lo, hi, scatter)
    water = _floats(frame, "volume_l")
    lo, hi = lo * water / _floats(frame, "volume_hi_l"), hi * water / _floats(frame, "volume_lo_l")
    found = {"abundance_m3": best, "abundance_lo_m3": lo, "abundance_hi_m3": hi}
    share = np.divide(best, y, out=np.ones_like(y), where=y > 0)
    log_carbon = np.nan_to_num(_floats(frame, "log_factor"))
    for kind, sums, count, mean, extra in (
        ("biovolume_{}mm3_m3", "b", "n_sized", "mean_mm3", np.zeros_like(y)),
        ("carbon_{}mg_m3", "c", "n_carbon", "mean_mg", log_carbon),
    ):
        sized, per = _floats(frame, count), _floats(frame, mean)
        up = np.divide(
            n, sized, out=np.full_like(n, np.nan), where=sized > 0
        )  # objects without a size are as the others
        value, square = _floats(frame, f"y_{sums}") * up * share, _floats(frame, f"v_{sums}") * (up * share) ** 2
        none = (n == 0) & (best == 0)
        new = (n == 0) & (best > 0)  # what the correction alone has found
        value = np.where(none, 0.0, np.where(new, best * per, value))
        square = np.where(none, 0.0, np.where(new, value * most * per, square)) * scatter
        low, high = gamma_limits(np.nan_to_num(value), np.nan_to_num(square), np.nan_to_num(most * per))
        if "y_k" in frame.columns:  # not surer than the number of objects
            with np.errstate(divide="ignore", invalid="ignore"):
                low = np.fmin(low, np.where(best > 0, value * lo / best, 0.0))
                high = np.fmax(high, np.where(best > 0, value * hi / best, hi * per))
        low, high = _wider(value, low, high, extra)
        missing = np.isnan(value)
        found[kind.format("")] = value
        found[kind.format("lo_")] = np.where(missing, np.nan, low)
        found[kind.format("hi_")] = np.where(missing | (none & np.isnan(per)), np.nan, high)
    return found


def _corrected(frame: pl.DataFrame, y: Array, lo: Array, hi: Array, scatter: Array) -> tuple[Array, Array, Array]:
    """Corrected values where there are any; their intervals scatter as the counts do."""
    told, low, high = (_floats(frame, name) for name in ("y_k", "lo_k", "hi_k"))
    some, far = ~np.isnan(told), np.sqrt(scatter)
    best = np.where(some, told, y)
    lo = np.where(some, np.maximum(best - far * (best - low), 0.0), lo)
    return best, lo, np.where(some, best + far * (high - best), hi)


def _wider(value: Array, low: Array, high: Array, extra: Array) -> tuple[Array, Array]:
    """Intervals with the uncertainty of an equation (± `extra` on the logarithm): the two are independent."""
    some = (value > 0) & (low > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        down, up = np.where(some, np.log(value / low), 0.0), np.where(value > 0, np.log(high / value), 0.0)
        lower = np.where(some, value * np.exp(-np.hypot(down, extra)), low)
        upper = np.where(value > 0, value * np.exp(np.hypot(up, extra)), high)
    return lower, upper


def _n_corrected(frame: pl.DataFrame, best: Array) -> Array:
    """The number that, in the same water, makes the corrected abundance."""
    n, y = _floats(frame, "n"), _floats(frame, "y")
    sums = frame.select(pl.col("n", "y").sum().over("stratum", "size"))
    total_n, total_y = (sums[name].cast(pl.Float64).to_numpy() for name in ("n", "y"))
    per = np.divide(total_n, total_y, out=np.zeros_like(n), where=total_y > 0)
    return np.where(np.isclose(best, y), n, best * per)


def _floats(frame: pl.DataFrame, name: str) -> Array:
    return frame[name].cast(pl.Float64).to_numpy().astype(np.float64)
