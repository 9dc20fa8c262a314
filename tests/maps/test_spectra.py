"""Spectra tables: pooled, fitted, from datasets and from exports."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from aqqua.errors import ConfigError
from aqqua.maps.classes import ECOPART_EDGES_UM
from aqqua.maps.spectra import conform, fit_spectra, pool_layers
from aqqua.maps.spectra_run import ecopart, spectra
from aqqua.maps.tables import read_table, write_table
from tests.make.counted import counted_dataset, ecopart_export, rows

LAW = [0] * 18 + [round(20_000 * 2 ** (-place)) for place in range(15)] + [0] * 12
"""Numbers that halve from class to class: s = 4, for a class is a third of an octave."""


def test_a_known_law_from_an_export(tmp_path: Path) -> None:
    folder = ecopart_export(tmp_path / "e", {"p1": [LAW, LAW], "p2": [LAW]})
    report = spectra([folder], tmp_path / "out.parquet")
    assert (report.spectra, report.samples, report.fitted) == (3, 2, 3)
    fits = read_table(tmp_path / "out_fits.parquet")[0]
    for name, slope in (("psd_ml", -4), ("psd_ols", -4), ("nbss_ml", -1)):
        assert fits[f"{name}_slope"].to_numpy() == pytest.approx(np.full(3, slope), abs=0.06)
    assert (fits["psd_ml_slope_lo"] < -4).all()
    assert fits["fit_min_um"].to_numpy() == pytest.approx(np.full(3, ECOPART_EDGES_UM[19]))
    assert "slope" in str(report)


def test_layers_are_pooled_as_ratios_of_sums() -> None:
    base = {"sample_id": "a", "latitude": 0.0, "longitude": 0.0, "esd_min_um": 100.0, "esd_max_um": 200.0}
    layers = [
        {**base, "depth_min_m": 0.0, "depth_max_m": 5.0, "n": 9, "volume_l": 1.0, "number_per_l": 9.0},
        {**base, "depth_min_m": 5.0, "depth_max_m": 10.0, "n": 1, "volume_l": 9.0, "number_per_l": 1 / 9},
        {**base, "depth_min_m": 10.0, "depth_max_m": 15.0, "n": None, "volume_l": None, "number_per_l": None},
        {**base, "depth_min_m": 95.0, "depth_max_m": 99.0, "n": 5, "volume_l": 1.0, "number_per_l": 5.0},
    ]
    pooled = pool_layers(conform(pl.DataFrame(layers)), [0, 50]).to_dicts()
    assert len(pooled) == 1
    assert (pooled[0]["n"], pooled[0]["volume_l"], pooled[0]["depth_max_m"]) == (10, 10.0, 10.0)
    assert pooled[0]["number_per_l"] == pytest.approx(1.0)
    assert pooled[0]["biovolume_mm3_per_l"] is None
    with pytest.raises(ConfigError, match="rise"):
        pool_layers(conform(pl.DataFrame(layers)), [50, 0])


def test_concentrations_without_counts_are_fitted_by_least_squares_only(tmp_path: Path) -> None:
    folder = ecopart_export(tmp_path / "e", {"p1": [LAW]})
    spectra([folder], tmp_path / "out.csv")
    table = read_table(tmp_path / "out.csv")[0].with_columns(n=pl.lit(None, pl.Int64))
    fits = fit_spectra(conform(table)).to_dicts()[0]
    assert fits["psd_ml_slope"] is fits["nbss_ml_slope_lo"] is fits["n_fit"] is None
    assert fits["psd_ols_slope"] == pytest.approx(-4, abs=0.06)


def test_classes_that_whole_pixels_cannot_be_in(tmp_path: Path) -> None:
    """The second class is empty because areas are whole pixels: fits begin beyond it."""
    gap = [*LAW[:19], 0, *LAW[20:]]
    spectra([ecopart_export(tmp_path / "e", {"p1": [gap, gap]})], tmp_path / "out.parquet")
    fits = read_table(tmp_path / "out_fits.parquet")[0]
    assert fits["fit_min_um"].to_numpy() == pytest.approx(np.full(2, ECOPART_EDGES_UM[20]))
    assert fits["psd_ml_slope"].to_numpy() == pytest.approx(np.full(2, -4), abs=0.05)
    assert fits["psd_ols_slope"].to_numpy() == pytest.approx(np.full(2, -4), abs=0.05)


def test_from_a_dataset(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    area = 60 * rng.uniform(size=800) ** (-2 / 3)  # diameters with s = 4
    objects = [row for value in area[area < 400] for row in rows(1, "Calanoida", **{"raw:area": f"{value:.2f}"})]
    objects += rows(3, "detritus", **{"raw:area": "300"}) + rows(2, "Calanoida", sample_id="no size")
    dataset = counted_dataset(tmp_path / "d", objects)
    report = spectra([dataset.path], tmp_path / "out.parquet", taxa=("Copepoda",))
    table = read_table(tmp_path / "out.parquet")[0]
    assert table["n"].sum() == (area < 400).sum()
    assert table["sample_id"].unique().to_list() == ["haul_1"]
    assert (table["number_per_l"] * table["volume_l"]).to_numpy() == pytest.approx(table["n"].to_numpy())
    assert "no_size" in [finding.code for finding in report.findings]
    fits = read_table(tmp_path / "out_fits.parquet")[0].to_dicts()[0]
    assert fits["nbss_ml_slope_lo"] < -1 < fits["nbss_ml_slope_hi"]
    with pytest.raises(ConfigError, match="no object has a size"):
        spectra([dataset.path], tmp_path / "o.parquet", taxa=("Chaetognatha",))


def test_size_fractions_have_their_own_water(tmp_path: Path) -> None:
    net = {"instrument": "ZooScan", "modality": "scanner", "volume_l": 1000.0}
    small = rows(30, "Calanoida", acquisition_id="d2", subsample_factor=10.0, **net, **{"raw:area": "60"})
    large = rows(5, "Calanoida", acquisition_id="d1", subsample_factor=2.0, **net, **{"raw:area": "350"})
    spectra([counted_dataset(tmp_path / "d", small + large).path], tmp_path / "out.parquet")
    table = read_table(tmp_path / "out.parquet")[0].filter(pl.col("n") > 0)
    assert table["volume_l"].to_list() == [100, 500]
    assert table["number_per_l"].to_list() == pytest.approx([0.3, 0.01])


def test_ecopart_tables_and_the_question_of_consent(tmp_path: Path) -> None:
    zoo = {"p1": {2.5: {"living>Copepoda": 3}}}
    folder = ecopart_export(tmp_path / "e", {"p1": [LAW, LAW]}, zoo=zoo)
    report = ecopart([folder], tmp_path / "par.parquet", zoo=tmp_path / "zoo.csv")
    assert (report.spectra, report.samples) == (2, 1)
    assert "ask the owners (Ada Example)" in str(report)
    about = read_table(tmp_path / "par.parquet")[1]
    assert (about["consent"], about["owners"]) == (None, ["Ada Example"])
    assert read_table(tmp_path / "zoo.csv")[0]["n"].to_list() == [3, 0]
    card = tmp_path / "card.yaml"
    card.write_text("title: T\nconsent_global_interpolation: true\n")
    assert "ask the owners" not in str(ecopart([folder], tmp_path / "par.parquet", card=card))
    assert read_table(tmp_path / "par.parquet")[1]["consent"] is True
    card.write_text("title: T\nconsent_global_interpolation: false\n")
    with pytest.raises(ConfigError, match="no consent"):
        ecopart([folder], tmp_path / "par.parquet", card=card)


def test_sources_that_do_not_fit(tmp_path: Path) -> None:
    folder = ecopart_export(tmp_path / "e", {"p1": [LAW]})
    spectra([folder], tmp_path / "one.parquet")
    again = spectra([tmp_path / "one.parquet", tmp_path / "one.parquet"], tmp_path / "two.parquet")
    assert again.spectra == 1
    assert "twice" in [finding.code for finding in again.findings]
    with pytest.raises(ConfigError, match="several kinds"):
        spectra([folder, tmp_path / "one.parquet"], tmp_path / "o.parquet")
    write_table(pl.DataFrame({"sample_id": ["a"]}), tmp_path / "bad.parquet", {})
    with pytest.raises(ConfigError, match="without latitude"):
        spectra([tmp_path / "bad.parquet"], tmp_path / "o.parquet")
    with pytest.raises(ConfigError, match="need a source"):
        spectra([], tmp_path / "o.parquet")
