"""Published products: added up by ourselves, beside the sums of others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from aqqua.errors import FormatError, NotFoundError
from aqqua.maps.cube import EARTH_RADIUS_M
from aqqua.maps.flux.products import published
from tests.make.fluxes import write_rdata


def database(folder: Path) -> Path:
    """A world of 100 mg m⁻² d⁻¹ on cells of 10 degrees."""
    folder.mkdir()
    latitude, longitude = np.meshgrid(np.arange(-85, 90, 10.0), np.arange(-175, 180, 10.0))
    grid = pl.DataFrame({"lon": longitude.ravel(), "lat": latitude.ravel()})
    grid = grid.with_columns(depth=100.0, poc_flux=100.0, model=pl.lit("Even 2020").cast(pl.Categorical))
    write_rdata(folder / "00.g_obs_flux.Rdata", {"g_obs_flux": grid})
    (folder / "03.poc_flux_int.csv").write_text(
        "model,depth,type,poc_flux_int\nEven 2020,100,Glob. obs.,18.6\nOcean X,100,RECCAP2,6.5\n", "utf-8"
    )
    return folder


def test_added_up(tmp_path: Path) -> None:
    found = published(database(tmp_path / "data").parent)
    assert found["product"].to_list() == ["Even 2020", "Ocean X"]
    earth = 4 * np.pi * EARTH_RADIUS_M**2
    assert found["total_pg_yr"].to_list() == [pytest.approx(100 * earth * 365.25 * 1e-18), None]
    assert found["published_pg_yr"].to_list() == [18.6, 6.5]
    assert found["area_km2"][0] == pytest.approx(earth / 1e6)


def test_nothing_there_or_something_else(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"00\.g_obs_flux"):
        published(tmp_path)
    folder = database(tmp_path / "data")
    write_rdata(folder / "00.g_obs_flux.Rdata", {"x": pl.DataFrame({"a": [1.0]})})
    with pytest.raises(FormatError, match="no gridded"):
        published(folder)


@pytest.mark.slow
def test_the_real_products_agree_with_the_database_and_the_literature(shared_data: Path) -> None:
    found = published(shared_data / "interpolation" / "poc_flux").filter(pl.col("total_pg_yr").is_not_null())
    totals = {(row["product"], row["depth_m"]): row["total_pg_yr"] for row in found.iter_rows(named=True)}
    known = {"Henson 2012": 3.2, "Siegel 2014": 5.6, "Nowicki 2022": 6.5, "Wang 2023": 7.3, "Schlitzer 2000": 8.9}
    known |= {"Dunne 2007": 10.1, "Laws 2000": 11.6, "Laws 20XX": 17.8}
    for product, value in known.items():
        assert totals[product, 100.0] == pytest.approx(value, rel=0.02), product
    both = found.filter(pl.col("published_pg_yr").is_not_null(), pl.col("product") != "Laws 2011")
    ratio = (both["total_pg_yr"] / both["published_pg_yr"]).to_numpy()
    assert np.abs(ratio - 1).max() < 0.02
