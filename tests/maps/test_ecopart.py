"""Exports of EcoPart: written by code in its layout, and 121 genuine ones."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from aqqua.errors import NotFoundError, SourceError
from aqqua.maps.classes import ECOPART_EDGES_UM
from aqqua.maps.ecopart import read_ecopart
from tests.make.counted import ecopart_export

COUNTS = [0] * 20 + [100, 50, 20, 8, 3, 1] + [0] * 19
TREE = "living>Eukaryota>Opisthokonta>Holozoa>Metazoa>Arthropoda>Crustacea>Maxillopoda>Copepoda"


def export(folder: Path, **options: object) -> Path:
    return ecopart_export(folder, {"p1": [COUNTS, [], COUNTS], "p2": [[0] * 44 + [1]]}, **options)  # type: ignore[arg-type]


def codes(read: object) -> set[str]:
    return {finding.code for finding in read.findings}  # type: ignore[attr-defined]


@pytest.mark.parametrize("packed", [False, True])
def test_spectra_keep_counts_edges_and_places(tmp_path: Path, packed: bool) -> None:
    read = read_ecopart([export(tmp_path / "e", packed=packed)])
    assert read.profiles == 2
    assert read.owners == ("Ada Example",)  # without the address
    first = read.spectra.filter(sample_id="p1", depth_min_m=0.0)
    assert first["n"].to_list() == COUNTS
    assert first["esd_min_um"].to_numpy() == pytest.approx(ECOPART_EDGES_UM)
    assert first["esd_max_um"].to_list()[-1] is None
    assert first["number_per_l"].to_numpy() == pytest.approx(np.array(COUNTS) / 20)
    row = first.row(0, named=True)
    assert (row["latitude"], row["longitude"], row["depth_max_m"], row["volume_l"]) == (50.5, -30.25, 5.0, 20.0)
    assert str(row["time_utc"]) == "2020-01-01 12:00:00+00:00"
    assert read.spectra.filter(sample_id="p2", n=1)["esd_min_um"].to_list() == [ECOPART_EDGES_UM[-1]]


def test_a_layer_without_water_is_missing_not_empty(tmp_path: Path) -> None:
    read = read_ecopart([export(tmp_path / "e")])
    dry = read.spectra.filter(sample_id="p1", depth_min_m=5.0)
    assert dry.height == 45
    assert dry["number_per_l"].null_count() == dry["n"].null_count() == dry["volume_l"].null_count() == 45
    assert "no_volume" in codes(read)


def test_from_zip_and_twice(tmp_path: Path) -> None:
    folder = export(tmp_path / "e")
    packed = tmp_path / "e.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for path in folder.iterdir():
            archive.write(path, f"inside/{path.name}")
    one, two = read_ecopart([packed]), read_ecopart([packed, folder])
    assert one.spectra.equals(two.spectra)
    assert "twice" in codes(two)


def test_profiles_of_one_name_in_two_cruises(tmp_path: Path) -> None:
    a, b = (export(tmp_path / name) for name in "ab")
    summary = next(b.glob("*summary*"))
    summary.write_bytes(summary.read_bytes().replace(b"\tcruise\t", b"\tother\t").replace(b"50.5", b"-10"))
    read = read_ecopart([a, b])
    found = read.spectra.select("sample_id", "latitude").unique().sort("sample_id").rows()
    assert found == [("cruise/p1", 50.5), ("cruise/p2", 50.5), ("other/p1", -10.0), ("other/p2", -10.0)]


def test_without_summary_there_is_no_position(tmp_path: Path) -> None:
    folder = export(tmp_path / "e")
    next(folder.glob("*summary*")).unlink()
    read = read_ecopart([folder])
    assert read.spectra["latitude"].null_count() == read.spectra.height
    assert "no_position" in codes(read)


def test_broken_cells_are_findings(tmp_path: Path) -> None:
    folder = export(tmp_path / "e")
    path = next(folder.glob("*PAR_p1*"))
    lines = path.read_text("latin-1").split("\n")
    cells = lines[1].split("\t")
    cells[25], cells[26], cells[27] = "-1.0", "x", "0.123456"
    lines[1] = "\t".join(cells)
    path.write_text("\n".join(lines), "latin-1")
    read = read_ecopart([folder])
    found = read.spectra.filter(sample_id="p1", depth_min_m=0.0)
    assert found["number_per_l"][20] is found["number_per_l"][21] is found["n"][22] is None
    assert found["number_per_l"][22] == 0.123456
    assert {"negative", "no_counts"} <= codes(read)


def test_an_empty_table_is_a_finding(tmp_path: Path) -> None:
    folder = export(tmp_path / "e")
    path = next(folder.glob("*PAR_p1*"))
    path.write_text(path.read_text("latin-1").split("\n")[0] + "\n", "latin-1")
    read = read_ecopart([folder])
    assert read.spectra["sample_id"].unique().to_list() == ["p2"]
    assert "empty_table" in codes(read)


def test_zooplankton_with_the_zeros_that_zoo_files_do_not_name(tmp_path: Path) -> None:
    zoo = {"p1": {2.5: {TREE: 3, "not-living>detritus": 10}}}
    read = read_ecopart([export(tmp_path / "e", zoo=zoo)])
    found = read.zoo.filter(taxon="Copepoda").sort("depth_min_m")
    assert found.select("depth_min_m", "n", "abundance_m3").rows() == [(0.0, 3, 150.0), (10.0, 0, 0.0)]
    assert found["biovolume_mm3_m3"].to_list() == [500.0, 0.0]
    assert found["esd_mean_um"].to_list() == [1500.0, None]
    assert read.zoo["sample_id"].unique().to_list() == ["p1"]  # nobody has looked at p2


def test_reduced_layers_are_known_by_their_middles(tmp_path: Path) -> None:
    folder = export(tmp_path / "e", zoo={"p1": {37.5: {TREE: 1}, 175.0: {TREE: 2}}})
    for path in list(folder.iterdir()):
        path.rename(path.with_name(path.name.replace("detailed", "reduced")))
    read = read_ecopart([folder])
    assert read.zoo.select("depth_min_m", "depth_max_m").sort("depth_min_m").rows() == [(25.0, 50.0), (150.0, 200.0)]
    assert "reduced" in codes(read)


def test_what_is_no_export_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        read_ecopart([tmp_path / "nowhere"])
    with pytest.raises(SourceError, match="no table of EcoPart"):
        read_ecopart([tmp_path])
    (tmp_path / "x.tsv").write_text("a\tb\n")
    with pytest.raises(SourceError, match="by its name"):
        read_ecopart([tmp_path / "x.tsv"])
    (tmp_path / "bad.zip").write_bytes(b"PK\x03\x04 no zip")
    with pytest.raises(SourceError, match="zip"):
        read_ecopart([tmp_path / "bad.zip"])
    (tmp_path / "a_PAR_b.tsv.gz").write_bytes(b"\x1f\x8b no gzip")
    with pytest.raises(SourceError, match="unpacked"):
        read_ecopart([tmp_path / "a_PAR_b.tsv.gz"])


@pytest.mark.slow
def test_genuine_exports(shared_data: Path) -> None:
    read = read_ecopart([shared_data / "interpolation" / "ecopart_uvp5_rufas2024"])
    assert read.profiles == 121
    spectra = read.spectra
    assert spectra.height == 45 * 25_562
    assert spectra["n"].null_count() == spectra["latitude"].null_count() == 0
    assert {finding.code for finding in read.findings} == {"empty_table"}  # one cast was exported without rows
    assert not any("@" in name for name in read.owners)
    total = spectra.select((pl.col("number_per_l") * pl.col("volume_l")).sum()).item()
    assert spectra["n"].sum() == pytest.approx(total, rel=1e-9)
