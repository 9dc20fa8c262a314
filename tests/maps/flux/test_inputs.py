"""Spectra tables: wrong units stop the work with a reason, odd rows are findings."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from aqqua.errors import ConfigError
from aqqua.maps.flux.inputs import check_spectra, diameter_um, read_spectra
from aqqua.maps.tables import write_table
from tests.make.fluxes import spectra


def test_a_good_table_passes_whole() -> None:
    table = spectra(casts=1)
    clean, findings = check_spectra(table)
    assert clean.height == table.height
    assert findings == []


def test_read_from_a_file(tmp_path: Path) -> None:
    path = write_table(spectra(casts=1), tmp_path / "s.parquet", {"kind": "spectra"})
    table, about, findings = read_spectra(path)
    assert about["kind"] == "spectra"
    assert table.height
    assert findings == []


def test_concentrations_per_cubic_metre_are_noticed() -> None:
    wrong = spectra(casts=1).with_columns(pl.col("number_per_l") * 1000)
    with pytest.raises(ConfigError, match="per m³"):
        check_spectra(wrong)


def test_sizes_in_millimetres_are_noticed_by_the_volume() -> None:
    wrong = spectra(casts=1).with_columns(pl.col("esd_min_um", "esd_max_um") / 1000)
    with pytest.raises(ConfigError, match="times as large"):
        check_spectra(wrong)


def test_odd_rows_are_told_and_left_out() -> None:
    table = spectra(casts=1)
    odd = table.head(4).with_columns(
        esd_min_um=pl.Series([100.0, 300.0, 100.0, 100.0]),
        esd_max_um=pl.Series([126.0, 200.0, 126.0, 126.0]),
        depth_min_m=pl.Series([-5.0, 10.0, 10.0, 50.0]),
        depth_max_m=pl.Series([5.0, 20.0, 20.0, 20.0]),
        number_per_l=pl.Series([1.0, 1.0, -1.0, 1.0]),
        n=pl.lit(None, pl.Int64),
    )
    clean, findings = check_spectra(pl.concat([table.with_columns(pl.col("n").cast(pl.Int64)), odd]))
    assert clean.height == table.height
    assert {one.code: one.count for one in findings} == {"spectra_size": 1, "spectra_depth": 2, "spectra_negative": 1}


def test_no_column_and_no_row() -> None:
    with pytest.raises(ConfigError, match="number_per_l"):
        check_spectra(spectra(casts=1).drop("number_per_l"))
    with pytest.raises(ConfigError, match="no usable row"):
        check_spectra(spectra(casts=1).with_columns(depth_min_m=pl.lit(-1.0)))


def test_open_classes_have_no_middle() -> None:
    table = pl.DataFrame({"esd_min_um": [100.0, 26008.0], "esd_max_um": [400.0, None]})
    middle = diameter_um(table)
    assert middle[0] == pytest.approx(200)
    assert middle[1] != middle[1]
