"""Samples on a grid: ratios of sums, layers, months, and what is wrong told in words."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqqua.errors import ConfigError, UnknownNameError
from aqqua.maps.grid import grid, observations, parse_layers
from aqqua.maps.tables import read_table, write_table


def row(**changes: Any) -> dict[str, Any]:
    usual = {
        "sample_id": "s1",
        "dataset": "d",
        "time_utc": datetime(2020, 3, 5),
        "latitude": 30.2,
        "longitude": -40.7,
        "taxon": "Copepoda",
        "depth_min_m": 0.0,
        "depth_max_m": 100.0,
        "size_min_um": None,
        "size_max_um": None,
        "volume_l": 100.0,
        "abundance_m3": 10.0,
    }
    return usual | changes


def table(*rows: dict[str, Any]) -> pl.DataFrame:
    kinds = {"size_min_um": pl.Float64, "size_max_um": pl.Float64, "volume_l": pl.Float64, "abundance_m3": pl.Float64}
    return pl.DataFrame(list(rows), schema_overrides=kinds)


def test_a_cell_is_a_ratio_of_sums_with_its_zeros() -> None:
    found, findings = observations(
        table(
            row(abundance_m3=10.0, volume_l=100.0),
            row(sample_id="s2", abundance_m3=0.0, volume_l=300.0, latitude=30.9, longitude=-40.1),
        ),
        "abundance_m3",
    )
    assert len(found) == 1
    one = found.row(0, named=True)
    assert (one["latitude"], one["longitude"]) == (30.5, -40.5)
    assert one["value"] == pytest.approx(10 * 100 / 400)
    assert (one["n_samples"], one["volume_l"], one["unit"]) == (2, 400.0, "m-3")
    assert one["sd"] == pytest.approx(np.std([10, 0], ddof=1))
    assert findings == []


def test_classes_of_size_are_added_and_their_water_counts_once() -> None:
    classes = [row(size_min_um=100.0 * k, size_max_um=100.0 * k + 100, abundance_m3=float(k)) for k in (1, 2, 3)]
    found, _ = observations(table(*classes), "abundance_m3")
    assert found["value"].to_list() == [6.0]
    assert found["volume_l"].to_list() == [100.0]
    both, _ = observations(table(*classes, row(abundance_m3=7.0)), "abundance_m3")
    assert both["value"].to_list() == [7.0]


def test_bins_count_by_their_share_within_a_layer() -> None:
    bins = table(
        row(depth_min_m=0.0, depth_max_m=150.0, abundance_m3=4.0, volume_l=150.0),
        row(depth_min_m=150.0, depth_max_m=250.0, abundance_m3=8.0, volume_l=100.0),
    )
    found, _ = observations(bins, "abundance_m3", layers=[(0, 200), (200, 500)])
    values = dict(zip(found["layer_min_m"], found["value"], strict=True))
    assert values[0] == pytest.approx((4 * 150 + 8 * 50) / 200)
    assert values[200] == pytest.approx(8)
    covered, findings = observations(bins, "abundance_m3", layers=[(0, 200), (200, 500)], cover=0.5)
    assert covered["layer_min_m"].to_list() == [0]
    assert "cover less than 50%" in findings[0].message


def test_a_bottle_belongs_to_the_layer_of_its_depth() -> None:
    bottle = table(row(depth_min_m=200.0, depth_max_m=200.0))
    found, findings = observations(bottle, "abundance_m3", layers=[(0, 200), (200, 500)])
    assert found["layer_min_m"].to_list() == [200]
    assert findings[0].code == "cover_little"


def test_months_stay_apart_and_samples_without_time_are_told() -> None:
    rows = table(
        row(),
        row(sample_id="s2", time_utc=datetime(2019, 7, 1), abundance_m3=2.0),
        row(sample_id="s3", time_utc=None, abundance_m3=1.0),
    )
    found, findings = observations(rows, "abundance_m3", time="month")
    assert found.sort("month").select("month", "value").rows() == [(3, 10.0), (7, 2.0)]
    assert [one.code for one in findings] == ["time_missing"]


def test_without_volumes_samples_weigh_the_same() -> None:
    rows = table(row(volume_l=None), row(sample_id="s2", volume_l=500.0, abundance_m3=20.0))
    found, findings = observations(rows, "abundance_m3")
    assert found["value"].to_list() == [15.0]
    assert found["volume_l"].to_list() == [None]
    assert findings[0].code == "volume_missing"


@given(st.lists(st.tuples(st.floats(0, 1e4), st.floats(1, 1e3)), min_size=1, max_size=12))
def test_what_is_counted_and_looked_at_stays_the_same(samples: list[tuple[float, float]]) -> None:
    rows = [row(sample_id=str(i), abundance_m3=value, volume_l=volume) for i, (value, volume) in enumerate(samples)]
    found, _ = observations(table(*rows), "abundance_m3")
    counted = sum(value * volume for value, volume in samples)
    assert float((found["value"] * found["volume_l"]).sum()) == pytest.approx(counted)


@given(st.floats(-90, 90), st.floats(-180, 360), st.sampled_from([0.25, 0.5, 1.0, 2.0, 5.0]))
def test_cells_are_centred_around_their_samples(latitude: float, longitude: float, res: float) -> None:
    from aqqua.maps.grid import _centre

    north = _centre(np.array([latitude]), -90.0, 180.0, res)[0]
    east = _centre((np.array([longitude]) + 180) % 360 - 180, -180.0, 360.0, res)[0]
    assert abs(north - latitude) <= res / 2 + 1e-6
    assert abs(north) < 90
    assert -180 < east < 180
    assert abs((east - longitude + 180) % 360 - 180) <= res / 2 + 1e-6


def test_spectra_and_fluxes_are_gridded_too() -> None:
    place = {"sample_id": "s", "latitude": 0.1, "longitude": -20.0, "depth_min_m": 100.0, "depth_max_m": 105.0}
    spectrum = pl.DataFrame([place | {"esd_min_um": 64.0, "esd_max_um": 80.63, "volume_l": 2.0, "number_per_l": 1.5}])
    found, _ = observations(spectrum, "number_per_l")
    assert found.select("taxon", "value", "unit").rows() == [("ESD 64.0–80.6 µm", 1.5, "l-1")]
    flux = pl.DataFrame([place | {"poc_flux_mg_m2_d": 12.0}])
    assert observations(flux, "poc_flux_mg_m2_d")[0].select("taxon", "value").rows() == [("POC flux", 12.0)]


def test_a_sum_of_spectra_classes_is_not_made() -> None:
    """Classes are taxa of their own: none is added to another."""
    place = {"sample_id": "s", "latitude": 0.1, "longitude": -20.0, "depth_min_m": 0.0, "depth_max_m": 5.0}
    classes = [place | {"esd_min_um": e, "esd_max_um": e * 1.26, "number_per_l": e} for e in (64.0, 80.0)]
    assert sorted(observations(pl.DataFrame(classes), "number_per_l")[0]["value"]) == [64.0, 80.0]


def test_the_verb_writes_a_table_with_its_provenance(tmp_path: Path) -> None:
    write_table(table(row(), row(sample_id="s2", longitude=None)), tmp_path / "a.parquet", {"snapshot": "x7"})
    report = grid(tmp_path / "a.parquet", tmp_path / "o.parquet", res=2.0)
    frame, about = read_table(tmp_path / "o.parquet")
    assert frame.columns[:6] == ["latitude", "longitude", "layer_min_m", "layer_max_m", "taxon", "value"]
    assert frame.row(0)[:2] == (31.0, -41.0)
    assert about["made_from"]["snapshot"] == "x7"
    assert about["options"]["value"] == "abundance_m3"
    assert (report.samples, report.cells, report.taxa) == (1, 1, 1)
    assert "1 rows have no position" in str(report)


def test_wrong_options_are_told(tmp_path: Path) -> None:
    assert parse_layers("0-200, 200-500") == [(0, 200), (200, 500)]
    with pytest.raises(ConfigError, match="no layer"):
        parse_layers("0-200,surface")
    for options, message in (
        ({"res": 0.7}, "do not fill the globe"),
        ({"layers": [(200, 0)]}, "no layer"),
        ({"layers": [(3000, 4000)]}, "no sample lies in"),
        ({"cover": 2.0}, "no share"),
    ):
        with pytest.raises(ConfigError, match=message):
            observations(table(row()), "abundance_m3", **options)
    with pytest.raises(UnknownNameError, match="Copepoda"):
        observations(table(row()), "abundance_m3", taxa=["Copepod"])
    write_table(table(row()), tmp_path / "a.csv", {})
    with pytest.raises(UnknownNameError, match="carbon_mg_m3"):
        grid(tmp_path / "a.csv", tmp_path / "o.csv", value="carbon_mg")
    write_table(table(row()).drop("abundance_m3"), tmp_path / "b.csv", {})
    with pytest.raises(ConfigError, match="nothing in this table"):
        grid(tmp_path / "b.csv", tmp_path / "o.csv")
