"""Published maps of carbon flux, added up by ourselves: what a new map can be held against.

The maps are those of the POC_flux_database (https://github.com/ThelmaPana/POC_flux_database, GPL-3.0): Dunne, Henson,
Laws, Nowicki, Schlitzer, Siegel and Wang as grids, and totals of these and of ocean models (RECCAP2) as its authors
computed them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from aqqua.errors import FormatError, NotFoundError
from aqqua.maps.cube import cell_area_m2
from aqqua.maps.flux.cells import DAYS_PER_YEAR, integrate
from aqqua.maps.flux.rdata import read_rdata

__all__ = ["published"]

_GRIDS, _TOTALS = "00.g_obs_flux.Rdata", "03.poc_flux_int.csv"
_NEEDS = ("lon", "lat", "depth", "poc_flux", "model")


def published(folder: Path) -> pl.DataFrame:
    """Totals of published products.

    Args:
        folder: of the POC_flux_database, or its `data`.

    Returns:
        A row per product and depth: product, depth_m, kind, total_pg_yr (our own sum of its grid, null for products
        without one), area_km2, published_pg_yr (the sum of the database's authors, null where they have none).

    Raises:
        NotFoundError: the files are not there.
        FormatError: they hold other things.
    """
    folder = folder / "data" if (folder / "data").is_dir() else folder
    for name in (_GRIDS, _TOTALS):
        if not (folder / name).is_file():
            do = "get it from https://github.com/ThelmaPana/POC_flux_database (data/)"
            raise NotFoundError(f"there is no {name}", where=folder, do=do)
    own = _own(_grids(folder / _GRIDS))
    theirs = pl.read_csv(folder / _TOTALS).select(
        product=pl.col("model"),
        depth_m=pl.col("depth").cast(pl.Float64),
        kind=pl.col("type"),
        published_pg_yr=pl.col("poc_flux_int"),
    )
    both = own.join(theirs, on=["product", "depth_m"], how="full", coalesce=True)
    kind = pl.col("kind").fill_null("Glob. obs.")
    columns = ["product", "depth_m", "kind", "total_pg_yr", "area_km2", "published_pg_yr"]
    return both.with_columns(kind=kind).select(columns).sort("kind", "depth_m", "product")


def _grids(path: Path) -> pl.DataFrame:
    for frame in read_rdata(path).values():
        if all(name in frame.columns for name in _NEEDS):
            return frame.select(_NEEDS)
    raise FormatError("there are no gridded fluxes in this file", where=path, do=f"it needs {', '.join(_NEEDS)}")


def _own(grids: pl.DataFrame) -> pl.DataFrame:
    rows = []
    for (product, depth), cells in grids.group_by("model", "depth", maintain_order=True):
        latitude, longitude = (cells[name].to_numpy() for name in ("lat", "lon"))
        steps = [float(np.median(np.diff(np.unique(axis)))) for axis in (latitude, longitude)]
        area = cell_area_m2(latitude, steps[0], steps[1])
        total, known = integrate(cells["poc_flux"].fill_null(np.nan).to_numpy(), area)
        names = {"product": str(product), "depth_m": float(str(depth))}
        rows.append({**names, "total_pg_yr": total * DAYS_PER_YEAR * 1e-18, "area_km2": known})
    return pl.DataFrame(rows)
