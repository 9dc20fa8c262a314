"""Budgets: areas, units, layers, intervals, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from aqqua.errors import ConfigError
from aqqua.maps.cube import EARTH_RADIUS_M
from aqqua.maps.flux.rates import Budget, Martin, budget_table, budgets, rates
from aqqua.maps.netcdf import write_gridded

LATITUDE, LONGITUDE = np.arange(-89, 90, 2.0), np.arange(-179, 180, 2.0)
EARTH_M2 = 4 * np.pi * EARTH_RADIUS_M**2


def world(unit: str = "mg m-2 d-1", value: float = 100.0, name: str = "flux") -> xr.Dataset:
    field = np.full((len(LATITUDE), len(LONGITUDE)), value)
    axes = {"latitude": LATITUDE, "longitude": LONGITUDE}
    return xr.Dataset({name: (("latitude", "longitude"), field, {"units": unit})}, axes)


def test_the_whole_earth_by_hand() -> None:
    (found,) = budgets(world())
    assert found.value == pytest.approx(100 * EARTH_M2 * 365.25 * 1e-18)
    assert found.area_km2 == pytest.approx(EARTH_M2 / 1e6)
    assert (found.unit, found.low) == ("PgC yr⁻¹", None)


@pytest.mark.parametrize(
    ("unit", "factor"),
    [
        ("mg m-2 d-1", 1),
        ("mg C m-2 d-1", 1),
        ("mgC/m2/d", 1),
        ("mg m⁻² d⁻¹", 1),
        ("g m-2 yr-1", 1000 / 365.25),
        ("mol m-2 yr-1", 12011 / 365.25),
        ("mmol m**-2 d**-1", 12.011),
    ],
)
def test_units(unit: str, factor: float) -> None:
    assert budgets(world(unit))[0].value == pytest.approx(factor * 100 * EARTH_M2 * 365.25 * 1e-18)


def stock(members: int = 0) -> xr.Dataset:
    """Two taxa in two layers, 1 and 2 mg m⁻³, land in the east."""
    shape, plain = (2, 2, len(LATITUDE), len(LONGITUDE)), ["taxon", "layer", "latitude", "longitude"]
    values = np.ones(shape)
    values[1] = 2
    values[..., LONGITUDE > 0] = np.nan
    several = values[None] * np.linspace(0.5, 1.5, members)[:, None, None, None, None] if members else values
    found = xr.Dataset(coords={"latitude": LATITUDE, "longitude": LONGITUDE})
    found["mean"] = ((["member", *plain] if members else plain), several, {"units": "mg m-3"})
    found["sd_sampling"] = (plain, np.full(shape, 0.1), {"units": "mg m-3"})
    found["aoa"] = (plain, (np.arange(len(LATITUDE)) < 45)[:, None] * np.ones(shape))
    limits = {"layer_min_m": ("layer", [0.0, 200.0]), "layer_max_m": ("layer", [200.0, 500.0])}
    return found.assign_coords({"taxon_name": ("taxon", ["Copepoda", "Salpida"]), **limits})


def test_stocks_of_taxa_and_layers() -> None:
    found = budgets(stock())
    assert [(one.name, one.layer) for one in found] == [
        ("Copepoda", "0–200 m"),
        ("Copepoda", "200–500 m"),
        ("Salpida", "0–200 m"),
        ("Salpida", "200–500 m"),
    ]
    assert found[0].unit == "PgC"
    assert found[0].value == pytest.approx(EARTH_M2 / 2 * 200 * 1e-18)
    assert found[3].value == pytest.approx(EARTH_M2 / 2 * 2 * 300 * 1e-18)


def test_sds_are_added_up_as_if_all_cells_erred_together() -> None:
    first = budgets(stock())[0]
    assert first.high == pytest.approx(first.value * (1 + 1.6449 * 0.1))
    assert first.how == "all cells erring together"


def test_resampled_maps_make_the_interval() -> None:
    first = budgets(stock(members=21))[0]
    assert first.value == pytest.approx(EARTH_M2 / 2 * 200 * 1e-18)
    assert first.low == pytest.approx(first.value * 0.55)
    assert first.high == pytest.approx(first.value * 1.45)
    assert first.how == "21 resampled maps"


def test_totals_of_a_block_bootstrap_are_used() -> None:
    maps, total = stock(), {"taxon": "Copepoda", "layer_min_m": 0.0, "layer_max_m": 200.0, "unit": "mg m-3 m3"}
    rows = [total | {"where": "all", "month": month, "value": 10, "low": 8, "high": 15} for month in (1, 2)]
    rows += [total | {"where": "inside", "month": 1, "value": 10, "low": 9, "high": 11}]
    maps.attrs["totals"] = json.dumps(rows)
    first, second = budgets(maps)[:2]
    assert first.low == pytest.approx(first.value * 0.8)
    assert first.high == pytest.approx(first.value * 1.5)
    assert (first.how, second.how) == ("block bootstrap", "all cells erring together")
    assert budgets(maps, inside=True)[0].high == pytest.approx(budgets(maps, inside=True)[0].value * 1.1)


@pytest.mark.parametrize("said", ["nothing", "{}", '[{"taxon": "Copepoda"}]', '[{"where": 1}]', "[1]"])
def test_totals_that_are_none_are_no_interval(said: str) -> None:
    maps = stock()
    maps.attrs["totals"] = said
    assert budgets(maps)[0].how == "all cells erring together"


def test_flux_in_a_layer_is_not_multiplied_by_it() -> None:
    maps = stock()
    maps["mean"].attrs["units"] = "mg m-2 d-1"
    assert budgets(maps)[0].value == pytest.approx(EARTH_M2 / 2 * 365.25 * 1e-18)
    assert budgets(maps)[1].value == pytest.approx(EARTH_M2 / 2 * 365.25 * 1e-18)


def test_only_inside_the_area_of_applicability() -> None:
    assert budgets(stock(), inside=True)[0].value == pytest.approx(EARTH_M2 / 4 * 200 * 1e-18)
    with pytest.raises(ConfigError, match="area of applicability"):
        budgets(world(), inside=True)


def test_months_are_a_mean_year() -> None:
    year = xr.concat([world(value=50.0), world(value=150.0)], dim="month")
    year["flux"].attrs = {"units": "mg m-2 d-1"}
    assert budgets(year)[0].value == pytest.approx(budgets(world())[0].value)


def test_carried_to_another_depth() -> None:
    (at_100,) = budgets(world())
    deep = Martin(100, 1000, 0.858, 0.6, 1.1).carried(at_100)
    assert deep.value == pytest.approx(at_100.value * 10**-0.858)
    assert deep.low == pytest.approx(at_100.value * 10**-1.1)
    assert deep.high == pytest.approx(at_100.value * 10**-0.6)
    assert deep.layer == "at 1000 m"
    with pytest.raises(ConfigError, match="only a flux"):
        Martin(100, 1000).carried(budgets(stock())[0])
    with pytest.raises(ConfigError, match="depths"):
        Martin(0, 1000)


def test_upwards_the_interval_stays_one() -> None:
    up = Martin(1000, 100).carried(budgets(world())[0])
    assert up.low is not None
    assert up.high is not None
    assert up.low < up.value < up.high


def test_from_files_and_as_a_table(tmp_path: Path) -> None:
    path = write_gridded(world(), tmp_path / "a.nc")
    found = rates([path], martin=Martin(100, 1000))
    assert [one.layer for one in found] == ["", "at 1000 m"]
    assert budget_table(found)["value"].to_list() == [one.value for one in found]
    assert "PgC yr⁻¹ over 510 million km²" in str(found[0])
    with pytest.raises(ConfigError, match="name a map"):
        rates([])


def test_short_names_of_axes_and_which_variable() -> None:
    short = world().rename({"latitude": "lat", "longitude": "lon"})
    assert budgets(short)[0].name == "flux"
    two = xr.merge([world(), world(name="other")])
    with pytest.raises(ConfigError, match="2 variables"):
        budgets(two)
    assert budgets(two, "other")[0].name == "other"
    with pytest.raises(ConfigError, match="no variable third"):
        budgets(two, "third")
    with pytest.raises(ConfigError, match="no variable has"):
        budgets(world("degC"))


def test_what_is_no_grid_is_refused() -> None:
    with pytest.raises(ConfigError, match="no dimension"):
        budgets(world().isel(latitude=0))
    with pytest.raises(ConfigError, match="evenly"):
        budgets(world().isel(latitude=[0, 1, 5]))
    with pytest.raises(ConfigError, match="dimension depth"):
        budgets(world().expand_dims(depth=[1.0, 2.0]))
    with pytest.raises(ConfigError, match="limits"):
        budgets(world("mg m-3"))


def test_words() -> None:
    assert str(Budget("x", "", 1.0, None, None, "PgC", 1e6)) == "x : 1 PgC over 1 million km²"
