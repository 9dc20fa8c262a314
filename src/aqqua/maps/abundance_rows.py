"""From units of water and objects to rows: strata (sample × depth bin), what each object stands for, explicit zeros."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aqqua.errors import ConfigError
from aqqua.maps.classes import class_of
from aqqua.maps.rollup import UNKNOWN
from aqqua.maps.volume import mean_longitude
from aqqua.metadata.check import Finding, in_samples

__all__ = ["CELL", "cells_of", "check_depths", "in_classes", "strata_of", "with_zeros"]

CELL = ("stratum", "taxon", "size")
"""What names a row: stratum, taxon, number of the size class (0 if there is but one)."""
_SAMPLE = ["dataset", "instrument", "sample_id"]
_NEAR = 1e-3


def check_depths(depths: Sequence[float] | None) -> None:
    """Refuse depth limits that do not rise.

    Raises:
        ConfigError: they do not.
    """
    if depths is not None and (len(depths) < 2 or any(b <= a for a, b in pairwise(depths)) or depths[0] < 0):
        raise ConfigError(f"{list(depths)} are no depths that rise", do="for example --depths 0,100,200,500,1000")


def strata_of(
    units: pl.DataFrame, depths: Sequence[float] | None, findings: list[Finding]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Put units together: those of one sample, instrument and depth bin.

    Units are never cut: one that reaches over the limit of a bin stays a stratum of its own, with its own depths. Water
    of unknown volume is left out where there is other water in the stratum. Depths are those of the water.

    Args:
        units: units of all datasets, with `dataset`.
        depths: limits of depth bins in m; None: all layers of a sample together, unless it is a profile with a volume
            per layer, whose layers stay apart.
        findings: what is left out is added.

    Returns:
        Strata, and units with `stratum`, `counts` (whether its objects count), `per_m3` (what one object stands for).
    """
    check_depths(depths)
    units = units.with_columns(bin=pl.col("layer") if depths is None else _bins(depths))
    if depths is not None:
        outside = pl.col("bin").is_null()
        told, do = "water outside all depth bins is left out", "choose further --depths"
        findings.extend(in_samples(units.filter(outside), None, "info", "outside_depths", told, do))
        across = units.filter(pl.col("bin").str.starts_with("own"))
        told = "water that reaches over the limits of depth bins cannot be cut: it keeps its own depths"
        do = "choose --depths that it fits into, or give volumes by layer (--volumes)"
        findings.extend(in_samples(across, None, "info", "across_depths", told, do))
        units = units.filter(~outside)
    keys = [*_SAMPLE, "bin"]
    known = pl.col("volume_l").is_not_null()
    units = units.with_columns(counts=known | ~known.any().over(keys))
    counted = pl.col("volume_l") / pl.col("factor")
    water = counted.filter("counts").sum().over([*keys, "fraction"])
    units = units.with_columns(per_m3=pl.when(known).then(1000 / water))
    strata = _strata(units.filter("counts"), keys).with_row_index("stratum")
    joined = units.join(strata.select("stratum", *keys), on=keys, how="left", nulls_equal=True, maintain_order="left")
    return strata.drop("bin"), joined.drop("bin")


def _bins(depths: Sequence[float]) -> pl.Expr:
    top, bottom = pl.col("depth_min_m"), pl.col("depth_max_m")
    outside = (bottom <= depths[0] - _NEAR) | (top >= depths[-1])
    name: pl.Expr = pl.when(~outside).then(pl.format("own {}-{}", top, bottom))
    for low, high in pairwise(depths):
        last = high == depths[-1]
        within = (top >= low - _NEAR) & (bottom <= high + _NEAR) & ((top < high) | ((top <= high) & last))
        name = pl.when(within).then(pl.lit(f"{low:g}-{high:g}")).otherwise(name)
    return name


def _strata(units: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    parts = units.group_by(*keys, "fraction", maintain_order=True).agg(
        pl.col("time_utc").min(),
        pl.col("latitude").mean(),
        longitude=mean_longitude(),
        depth_min_m=pl.col("depth_min_m").min(),
        depth_max_m=pl.col("depth_max_m").max(),
        volume_l=_sum("volume_l"),
        volume_lo_l=_sum("volume_lo_l"),
        volume_hi_l=_sum("volume_hi_l"),
        counted_l=pl.when(pl.col("volume_l").is_not_null().all()).then((pl.col("volume_l") / pl.col("factor")).sum()),
        most=pl.col("per_m3").max(),
        volume_from=pl.col("volume_from").drop_nulls().first(),
    )
    return parts.group_by(keys, maintain_order=True).agg(
        pl.col("time_utc").min(),
        pl.col("latitude", "longitude").first(),
        pl.col("depth_min_m").min(),
        pl.col("depth_max_m").max(),
        pl.col("volume_l", "volume_lo_l", "volume_hi_l").max(),  # size fractions share one volume
        _sum("counted_l").alias("counted_l"),
        pl.col("most").max(),
        pl.col("volume_from").drop_nulls().first(),
    )


def _sum(name: str) -> pl.Expr:
    return pl.when(pl.col(name).is_not_null().all()).then(pl.col(name).sum())


def in_classes(objects: pl.DataFrame, edges_um: NDArray[np.float64] | None, findings: list[Finding]) -> pl.DataFrame:
    """With the number of the size class, in `size`; objects without a size, or outside all classes, are left out."""
    if edges_um is None:
        return objects.with_columns(size=pl.lit(0, pl.Int64))
    number = class_of(objects["esd_um"].cast(pl.Float64).fill_null(np.nan).to_numpy(), edges_um)
    number = np.where(number >= len(edges_um) - 1, -1, number)
    placed = objects.with_columns(size=pl.Series(number))
    sizeless, outside = (
        placed.filter(pl.col("esd_um").is_null()),
        placed.filter(pl.col("esd_um").is_not_null() & (pl.col("size") < 0)),
    )
    told = "objects without a measured size are in no size class"
    do = "give area (px), area_um2 or esd_um in the table at ingest, or count without --sizes"
    findings.extend(in_samples(sizeless, None, "warning", "no_size", told, do))
    told = "objects are smaller or larger than all size classes"
    findings.extend(in_samples(outside, None, "info", "outside_sizes", told, "choose further --sizes"))
    return placed.filter(pl.col("size") >= 0)


def cells_of(objects: pl.DataFrame) -> pl.DataFrame:
    """Sums by stratum, taxon and size class.

    Args:
        objects: `stratum`, `taxon`, `size`, `per_m3`, `biovolume_mm3`, `carbon_mg` and `carbon_factor`.

    Returns:
        n; y and v (sums of what each stands for and of its square, per m³); the same of biovolume and carbon.
    """
    stands, volume, carbon = pl.col("per_m3"), pl.col("biovolume_mm3"), pl.col("carbon_mg")
    return objects.group_by(CELL, maintain_order=True).agg(
        n=pl.len().cast(pl.Int64),
        y=stands.sum(),
        v=(stands**2).sum(),
        n_sized=volume.is_not_null().sum().cast(pl.Int64),
        y_b=(stands * volume).sum(),
        v_b=((stands * volume) ** 2).sum(),
        n_carbon=carbon.is_not_null().sum().cast(pl.Int64),
        y_c=(stands * carbon).sum(),
        v_c=((stands * carbon) ** 2).sum(),
        log_factor=(carbon * pl.col("carbon_factor").log()).sum() / carbon.sum(),
    )


def with_zeros(cells: pl.DataFrame, strata: pl.DataFrame, looked_for: pl.DataFrame, classes: int) -> pl.DataFrame:
    """All strata × all taxa that were looked for with the same instrument × all classes; what is not there is zero.

    Args:
        cells: as `cells_of` gives them.
        strata: `stratum`, `instrument`.
        looked_for: `instrument`, `taxon`.
        classes: number of size classes.
    """
    sizes = pl.DataFrame({"size": range(classes)}, schema={"size": pl.Int64})
    grid = strata.select("stratum", "instrument").join(looked_for, on="instrument", nulls_equal=True).drop("instrument")
    grid = grid.join(sizes, how="cross")
    whole = grid.join(cells, on=list(CELL), how="left", maintain_order="left")
    return whole.with_columns(pl.exclude(*CELL, "log_factor").fill_null(0)).sort(
        "stratum", pl.col("taxon") == UNKNOWN, "taxon", "size"
    )
