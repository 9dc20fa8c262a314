"""`aqqua map abundance | spectra | ecopart` as typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from aqqua.cli import app
from aqqua.errors import ConfigError
from aqqua.maps.tables import read_table
from tests.make.counted import counted_dataset, ecopart_export, rows

LAW = [0] * 18 + [round(20_000 * 2 ** (-place)) for place in range(15)] + [0] * 12


def typed(line: str, *paths: Path) -> None:
    app(["map", *line.split(), *map(str, paths)], result_action="return_value")


def test_abundance(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    objects = rows(3, "Calanoida", **{"raw:area": "100"}) + rows(2, "detritus", **{"raw:area": "100"})
    dataset = counted_dataset(tmp_path / "d", objects)
    out = tmp_path / "out.csv"
    typed("abundance --depths 0,10,20 --sizes 100,200 --living --taxa Copepoda --", dataset.path, out)
    assert "5 objects of 1 taxa in 1 samples" in capsys.readouterr().out
    assert dict(read_table(out)[0].select("taxon", "n").iter_rows()) == {"Copepoda": 3, "other": 2, "unknown": 0}


def test_ecopart_then_spectra(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = ecopart_export(tmp_path / "e", {"p1": [LAW, LAW, LAW]})
    typed("ecopart", folder, tmp_path / "par.parquet")
    typed("spectra --depths 0,10,100", tmp_path / "par.parquet", tmp_path / "out.parquet")
    told = capsys.readouterr().out
    assert "3 spectra of 1 samples" in told
    assert "2 spectra of 1 samples, 2 fitted" in told
    assert read_table(tmp_path / "out_fits.parquet")[0]["depth_max_m"].to_list() == [10, 15]


def test_mistakes_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="table to write"):
        typed("abundance", tmp_path)
    with pytest.raises(ConfigError, match="no numbers"):
        typed("spectra --depths 0-100", tmp_path, tmp_path / "o.csv")
