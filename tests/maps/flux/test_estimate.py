"""Flux of spectra: numbers by hand, intervals, layers added up, and words where the range does not fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqqua.errors import ConfigError
from aqqua.maps.flux.estimate import flux, flux_of, weighted_poisson_interval
from aqqua.maps.flux.model import PRESETS, FluxModel
from aqqua.maps.tables import read_table, write_table
from tests.make.fluxes import EDGES_UM, densities, spectra

GUIDI = PRESETS["guidi2008"]
BASE = {"sample_id": "a", "latitude": 1.0, "longitude": 2.0, "depth_min_m": 100.0, "depth_max_m": 105.0}


def classes(*rows: tuple[float, float | None, int | None, float | None, float | None]) -> pl.DataFrame:
    names = ("esd_min_um", "esd_max_um", "n", "volume_l", "number_per_l")
    return pl.DataFrame([BASE | dict(zip(names, row, strict=True)) for row in rows], infer_schema_length=None)


def test_by_hand() -> None:
    table = classes((500.0, 800.0, 4, 20.0, 0.2), (800.0, 1250.0, 0, 20.0, 0.0), (2000.0, 2520.0, 5, 20.0, 0.25))
    found = flux_of(table, GUIDI).table
    assert found["poc_flux_mg_m2_d"].to_list() == pytest.approx([0.2 * 12.5 * (0.4**0.5) ** 3.81])
    assert found["n"].to_list() == [4]
    assert found["model"].to_list() == ["guidi2008"]


def test_the_interval_of_one_class_is_that_of_poisson() -> None:
    table = classes((500.0, 800.0, 4, 20.0, 0.2))
    row = flux_of(table, GUIDI).table.row(0, named=True)
    per = 12.5 * (0.4**0.5) ** 3.81 / 20
    # Garwood's exact interval for a count of 4.
    assert row["poc_flux_mg_m2_d_lo"] == pytest.approx(1.0899 * per, rel=1e-3)
    assert row["poc_flux_mg_m2_d_hi"] == pytest.approx(10.2416 * per, rel=1e-3)


def test_nothing_seen_is_zero_with_an_upper_end() -> None:
    row = flux_of(classes((500.0, 800.0, 0, 20.0, 0.0)), GUIDI).table.row(0, named=True)
    assert row["poc_flux_mg_m2_d"] == 0
    assert row["poc_flux_mg_m2_d_lo"] == 0
    assert row["poc_flux_mg_m2_d_hi"] == pytest.approx(3.6889 * 12.5 * (0.4**0.5) ** 3.81 / 20, rel=1e-3)


@given(st.lists(st.integers(0, 40), min_size=1, max_size=6), st.floats(1.0, 3.0))
def test_intervals_hold_the_value(counts: list[int], slope: float) -> None:
    weights = 0.1 ** (slope * np.arange(len(counts))[::-1])
    value, variance = float(weights @ counts), float(weights**2 @ counts)
    seen = [weight for weight, count in zip(weights, counts, strict=True) if count]
    low, high = weighted_poisson_interval(
        np.array([value]), np.array([variance]), np.array([max(seen or [weights[0]])])
    )
    assert 0 <= low[0] <= value <= high[0]


def test_intervals_cover_the_truth() -> None:
    """Spectra drawn again and again from one power law, in 100 litres: 95 % intervals hold the flux of the law."""
    density, chance = densities(2.0, 150.0, 3.6), np.random.default_rng(5)
    used = np.sqrt(EDGES_UM[:-1] * EDGES_UM[1:]) <= GUIDI.esd_max_um
    middle = np.sqrt(EDGES_UM[:-1] * EDGES_UM[1:])[used & (EDGES_UM[:-1] >= 102)]
    truth = float(density[used & (EDGES_UM[:-1] >= 102)] @ GUIDI.per_particle(middle))
    drawn = chance.poisson(density * 100, (500, len(density)))
    rows = {"sample_id": np.repeat([f"{one}" for one in range(500)], len(density)), "n": drawn.ravel()}
    rows |= {"esd_min_um": np.tile(EDGES_UM[:-1], 500), "esd_max_um": np.tile(EDGES_UM[1:], 500)}
    table = pl.DataFrame(rows).with_columns(
        depth_min_m=100.0, depth_max_m=105.0, volume_l=100.0, number_per_l=pl.col("n") / 100
    )
    found = flux_of(table, GUIDI).table
    within = (pl.col("poc_flux_mg_m2_d_lo") <= truth) & (pl.col("poc_flux_mg_m2_d_hi") >= truth)
    assert 0.92 <= found.select(within.mean()).item() <= 0.995


def test_missing_volume_is_missing_and_not_zero() -> None:
    found = flux_of(classes((500.0, 800.0, None, None, None)), GUIDI)
    assert found.table["poc_flux_mg_m2_d"].to_list() == [None]
    assert [one.code for one in found.findings] == ["no_volume"]


def test_a_concentration_alone_has_a_flux_without_interval() -> None:
    row = flux_of(classes((500.0, 800.0, None, None, 0.2)), GUIDI).table.row(0, named=True)
    assert row["poc_flux_mg_m2_d"] > 0
    assert row["poc_flux_mg_m2_d_lo"] is None


def test_layers_are_a_ratio_of_sums() -> None:
    rows = [
        BASE | {"depth_min_m": top, "depth_max_m": top + 5, "esd_min_um": 500.0, "esd_max_um": 800.0}
        | {"n": n, "volume_l": volume, "number_per_l": n / volume}
        for top, n, volume in ((100.0, 10, 10.0), (105.0, 0, 90.0))
    ]  # fmt: skip
    found = flux_of(pl.DataFrame(rows), GUIDI, bin_m=50).table
    assert found["depth_min_m"].to_list() == [100.0]
    assert found["depth_max_m"].to_list() == [150.0]
    assert found["volume_l"].to_list() == [100.0]
    assert found["poc_flux_mg_m2_d"][0] == pytest.approx(0.1 * 12.5 * (0.4**0.5) ** 3.81)
    with pytest.raises(ConfigError, match="height"):
        flux_of(pl.DataFrame(rows), GUIDI, bin_m=0)


def test_calibrated_relations_change_with_depth_and_say_how_far_stations_differ() -> None:
    own = FluxModel("calibrated", 10, 2, 100, 2000, attenuation=1, station_sd=0.5, depth_min_m=90, depth_max_m=500)
    deep = classes((500.0, 800.0, 4, 20.0, 0.2)).with_columns(depth_min_m=200.0, depth_max_m=200.0)
    row = flux_of(deep, own).table.row(0, named=True)
    assert row["poc_flux_mg_m2_d"] == pytest.approx(0.2 * 10 * 0.4 / 2)
    assert row["poc_flux_station_hi"] == pytest.approx(row["poc_flux_mg_m2_d"] * np.exp(0.98))
    beyond = deep.with_columns(depth_min_m=2000.0, depth_max_m=2005.0)
    assert "depth_beyond" in [one.code for one in flux_of(beyond, own).findings]
    assert "depth_beyond" not in [one.code for one in flux_of(deep, own).findings]


def test_spectra_outside_the_range_are_told() -> None:
    coarse = classes((700.0, 900.0, 4, 20.0, 0.2), (3000.0, 4000.0, 4, 20.0, 0.2))
    codes = [one.code for one in flux_of(coarse, GUIDI).findings]
    assert codes == ["range_below", "range_outside"]
    fine = classes((102.0, 128.0, 4, 20.0, 0.2))
    assert [one.code for one in flux_of(fine, GUIDI).findings] == ["range_above"]


def test_sizes_in_millimetres_find_no_class() -> None:
    with pytest.raises(ConfigError, match="no size class") as told:
        flux_of(classes((0.5, 0.8, 4, 20.0, 0.2)), GUIDI)
    assert "millimetres" in str(told.value)


def test_from_file_to_file(tmp_path: Path) -> None:
    source = write_table(spectra(), tmp_path / "s.parquet", {"kind": "spectra"})
    report = flux(source, tmp_path / "f.parquet", GUIDI, bin_m=100)
    table, about = read_table(tmp_path / "f.parquet")
    assert table.equals(report.table)
    assert about["model"]["name"] == "guidi2008"
    assert about["from"]["kind"] == "spectra"
    assert "12 samples" in str(report)


def test_no_result_says_so() -> None:
    assert "no value" in str(flux_of(classes((500.0, 800.0, None, None, None)), GUIDI))
