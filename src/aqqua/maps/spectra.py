"""Size spectra: number and biovolume by size class, from datasets or EcoPart, and the power laws fitted to them.

A spectra table has one row per sample, layer and class: sample_id, time_utc, latitude, longitude, depth_min_m,
depth_max_m, esd_min_um, esd_max_um (null: open class), n (null: only a concentration is given), volume_l, number_per_l,
biovolume_mm3_per_l. Layers are pooled as ratios of sums; a layer without volume is missing, never empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aqqua.errors import ConfigError
from aqqua.maps.classes import sphere_mm3
from aqqua.maps.ecopart_tables import SPECTRA_SCHEMA
from aqqua.maps.spectra_fit import Line, fit_lines, fit_poisson, from_mode

__all__ = ["LAYER", "conform", "fit_spectra", "pool_layers"]

LAYER = ("sample_id", "depth_min_m", "depth_max_m")
"""The columns that name one spectrum."""
_CLASS = ("esd_min_um", "esd_max_um")
_TAKEN = ("n", "volume_l", "number_per_l")
_MANY = 10
_FIT_WORDS = ("slope", "slope_lo", "slope_hi", "log10_intercept", "log10_intercept_lo", "log10_intercept_hi", "r2")


def conform(frame: pl.DataFrame, where: object = None) -> pl.DataFrame:
    """A spectra table with all its columns in order and of the right type; further ones are kept at the end.

    Raises:
        ConfigError: a column lacks, or is of a wrong type.
    """
    needed = [name for name in SPECTRA_SCHEMA if name not in {"n", "biovolume_mm3_per_l", "time_utc"}]
    if lacking := [name for name in needed if name not in frame.columns]:
        do = "`aqqua map ecopart` and `aqqua map spectra` write such tables"
        raise ConfigError(f"a spectra table without {', '.join(lacking)}", where=where, do=do)
    columns = [
        pl.col(name).cast(kind) if name in frame.columns else pl.lit(None, kind).alias(name)
        for name, kind in SPECTRA_SCHEMA.items()
    ]
    try:
        return frame.select(*columns, pl.exclude(list(SPECTRA_SCHEMA)))
    except pl.exceptions.PolarsError as error:
        raise ConfigError(f"a spectra table with a column of a wrong type ({error})", where=where) from error


def pool_layers(spectra: pl.DataFrame, edges_m: Sequence[float]) -> pl.DataFrame:
    """Pool layers between depths: sums of numbers over sums of volumes.

    A layer belongs where its middle is; what lies outside all edges is left out. The depths of a pooled layer are those
    of the water that was looked at. Layers without volume add nothing, neither objects nor water.

    Args:
        spectra: a spectra table.
        edges_m: limits in m, rising.

    Raises:
        ConfigError: edges that do not rise.
    """
    if len(edges_m) < 2 or any(b <= a for a, b in pairwise(edges_m)):
        raise ConfigError(f"{list(edges_m)} are no depths that rise", do="for example --depths 0,100,200,500,1000")
    middle = (pl.col("depth_min_m") + pl.col("depth_max_m")) / 2
    number = pl.lit(None, pl.Int32)
    for place, (top, bottom) in enumerate(pairwise(edges_m)):
        number = pl.when((middle >= top) & (middle < bottom)).then(place).otherwise(number)
    known = spectra.with_columns(_bin=number).filter(
        pl.col("_bin").is_not_null() & pl.col("number_per_l").is_not_null()
    )
    litres = pl.col("volume_l").sum()
    weighted = {
        name: (pl.col(name) * pl.col("volume_l")).sum() / litres for name in ("number_per_l", "biovolume_mm3_per_l")
    }
    bio_known = pl.col("biovolume_mm3_per_l").is_not_null().all()
    pooled = known.group_by("sample_id", "_bin", *_CLASS, maintain_order=True).agg(
        pl.col("time_utc", "latitude", "longitude").first(),
        pl.col("depth_min_m").min(),
        pl.col("depth_max_m").max(),
        n=pl.when(pl.col("n").is_not_null().all()).then(pl.col("n").sum()),
        volume_l=litres,
        number_per_l=weighted["number_per_l"],
        biovolume_mm3_per_l=pl.when(bio_known).then(weighted["biovolume_mm3_per_l"]),
    )
    return pooled.select(list(SPECTRA_SCHEMA)).sort(*LAYER, "esd_min_um")


def fit_spectra(spectra: pl.DataFrame, *, min_um: float = 0.0, max_um: float | None = None) -> pl.DataFrame:
    """Slope and intercept of each spectrum of a table, by Poisson maximum likelihood and by least squares.

    Classes count from the one beyond the mode (that with most objects) up to the largest in which the table has any
    object at all, so that empty classes speak too; for least squares, which cannot use empty classes, up to the first
    of these. The open class of EcoPart is left out. So are classes up to one that no object of the whole sample can be
    in, because areas are whole pixels: of the smallest objects (1, 2, 3 pixels) none falls between two sizes.

    Args:
        spectra: a spectra table.
        min_um: smaller classes are left out.
        max_um: larger classes are left out.

    Returns:
        A row per spectrum: what names it, `fit_min_um`, `fit_max_um`, `n_fit`, and for each of `psd_ml`, `nbss_ml`,
        `psd_ols` and `nbss_ols` slope and log10 of the intercept with 95 % intervals. PSD: number per litre and mm at
        1 mm; NBSS: mm³ per litre and mm³ at 1 mm³. `alpha_ml` is the scatter beyond Poisson. Null: cannot be fitted.
    """
    keys, wide = _wide(spectra, min_um, max_um)
    if not keys.height:
        return keys
    low, high = wide.low_mm, wide.high_mm
    used = from_mode(wide.number) & wide.known & ~_unresolved(keys["sample_id"], wide.number, wide.litres)
    counted = wide.known.any(axis=1) & ~np.isnan(wide.n).any(axis=1, where=wide.known)
    fits = fit_poisson(wide.n, wide.litres, low, high, used & counted[:, None])
    filled = used & _until_empty(wide.number, used)
    middle, width = np.sqrt(low * high), high - low
    cubic, cubes = sphere_mm3(middle * 1000), sphere_mm3(high * 1000) - sphere_mm3(low * 1000)
    with np.errstate(divide="ignore", invalid="ignore"):
        density, biovolume = np.log10(wide.number / width), np.log10(wide.biovolume / cubes)
    lines = {
        "psd_ml": fits.number_line(),
        "nbss_ml": fits.biovolume_line(),
        "psd_ols": fit_lines(np.log10(middle), density, filled),
        "nbss_ols": fit_lines(np.log10(cubic), biovolume, filled),
    }
    n_fit = np.where(used & counted[:, None], np.nan_to_num(wide.n), 0).sum(axis=1)
    return keys.with_columns(
        fit_min_um=pl.Series(_end(used, low * 1000, first=True)),
        fit_max_um=pl.Series(_end(used, high * 1000, first=False)),
        n_fit=pl.Series(np.where(counted, n_fit, np.nan)),
        alpha_ml=pl.Series(fits.alpha),
        **{name: column for kind, line in lines.items() for name, column in _columns(kind, line)},
    ).with_columns(pl.selectors.float().fill_nan(None))


class _Wide:
    """Spectra as matrices (r, k)."""

    def __init__(self, shape: tuple[int, int], low_mm: NDArray[np.float64], high_mm: NDArray[np.float64]) -> None:
        self.low_mm, self.high_mm = low_mm, high_mm
        self.n, self.litres, self.number, self.biovolume = (np.full(shape, np.nan) for _ in range(4))

    @property
    def known(self) -> NDArray[np.bool_]:
        return np.asarray(~np.isnan(self.number))


def _wide(spectra: pl.DataFrame, min_um: float, max_um: float | None) -> tuple[pl.DataFrame, _Wide]:
    """The keys of all spectra, and their numbers by class, up to the largest class with an object."""
    some = spectra.filter((pl.col("esd_min_um") >= min_um * 0.999) & pl.col("esd_max_um").is_not_null())
    some = some.filter(pl.col("esd_max_um") <= (max_um * 1.001 if max_um else np.inf))
    largest = some.filter(pl.col("number_per_l") > 0)["esd_max_um"].max()
    some = some.filter(pl.col("esd_max_um") <= (largest if isinstance(largest, float) else 0.0))
    classes = some.select(_CLASS).unique().sort("esd_min_um")
    if (classes["esd_min_um"][1:] < classes["esd_max_um"][:-1] * 0.999).any():
        do = "fit tables with different classes one by one"
        raise ConfigError("the size classes of the table overlap", do=do)
    names = list(LAYER)
    keys = spectra.group_by(names, maintain_order=True).agg(
        pl.col("time_utc", "latitude", "longitude").first(), pl.col("volume_l").max()
    )
    wide = _Wide((keys.height, classes.height), *(classes[name].to_numpy() / 1000 for name in _CLASS))
    places = some.join(keys.select(names).with_row_index("row"), on=names, nulls_equal=True, maintain_order="left")
    places = places.join(classes.with_row_index("column"), on=list(_CLASS), maintain_order="left")
    row, column = places["row"].to_numpy(), places["column"].to_numpy()
    volume = (places["esd_min_um"] * places["esd_max_um"]).sqrt().to_numpy()
    bio = places["biovolume_mm3_per_l"].fill_null(pl.Series(sphere_mm3(volume)) * places["number_per_l"])
    targets = (wide.n, wide.litres, wide.number, wide.biovolume)
    for target, values in zip(targets, (*(places[name] for name in _TAKEN), bio), strict=True):
        target[row, column] = values.cast(pl.Float64).to_numpy()
    return keys, wide


def _unresolved(samples: pl.Series, number: NDArray[np.float64], litres: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Classes up to an empty one of the whole sample that has at least ten objects on both sides."""
    rank = samples.rank("dense").to_numpy().astype(np.int64) - 1
    sums = np.zeros((int(rank.max()) + 1, number.shape[1]))
    np.add.at(sums, rank, np.nan_to_num(number * litres))
    below = np.maximum.accumulate(sums, axis=1) >= _MANY
    above = np.maximum.accumulate(sums[:, ::-1], axis=1)[:, ::-1] >= _MANY
    gap = (sums == 0) & below & above
    upto = np.maximum.accumulate(gap[:, ::-1], axis=1)[:, ::-1]
    return np.asarray(upto[rank])


def _until_empty(number: NDArray[np.float64], used: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """From the first used class to the one before the first empty one."""
    empty = used & ~(np.nan_to_num(number) > 0)
    return np.asarray(np.cumsum(empty, axis=1) == 0)


def _end(used: NDArray[np.bool_], edge: NDArray[np.float64], *, first: bool) -> NDArray[np.float64]:
    place = used.argmax(axis=1) if first else used.shape[1] - 1 - used[:, ::-1].argmax(axis=1)
    return np.where(used.any(axis=1), edge[np.minimum(place, len(edge) - 1)] if len(edge) else np.nan, np.nan)


def _columns(kind: str, line: Line) -> list[tuple[str, pl.Series]]:
    named = zip(_FIT_WORDS, line, strict=True)
    return [(f"{kind}_{word}", pl.Series(values)) for word, values in named if word != "r2" or kind.endswith("ols")]
