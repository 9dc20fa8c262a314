"""ZooProcess scans: every object from the scan or its vignette, with place, time, volume and pixel size."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aqqua.errors import FormatError, SourceError
from aqqua.metadata.card import Card
from aqqua.metadata.harmonise import harmonise
from aqqua.sources import recognise
from aqqua.sources.ingest import ingest
from aqqua.sources.part import Part
from aqqua.store.dataset import Dataset
from tests.make.images import as_file
from tests.make.packing import pack
from tests.make.zooprocess import HEADER, SCAN, objects, pid_bytes, write_scan


def read(path: Path) -> tuple[pl.DataFrame, dict[str, np.ndarray | Exception], Part]:
    """The table of the first scan, its pixels by object, and the part."""
    source = recognise(path)
    assert source.name == "zooprocess"
    part = source.parts(path)[0]
    table = part.table()
    usable = table["_reason"].is_null().arg_true().to_list()
    return table, dict(zip(table["object_id"][usable].to_list(), part.images(usable), strict=True)), part


def assert_same(found: dict[str, np.ndarray | Exception], expected: dict[str, np.ndarray]) -> None:
    assert list(found) == list(expected)
    for name, pixels in expected.items():
        np.testing.assert_array_equal(found[name], pixels)


@pytest.mark.parametrize("suffix", ["", ".zip"])
@pytest.mark.parametrize("scan", [".tif", ".zip"])
def test_objects_are_cut_out_of_the_scan(tmp_path: Path, suffix: str, scan: str) -> None:
    made = write_scan(tmp_path / f"s{suffix}", scan=scan)
    table, found, part = read(made.path)
    assert_same(found, made.pixels)
    assert set(table["roi_from"]) == {"scan"}
    assert "vignettes_taken" not in {finding.code for finding in part.rows.findings}


@pytest.mark.parametrize("folder", ["", f"{SCAN}/", "sorted/Été/"])
@pytest.mark.parametrize("suffix", [".png", ".PNG"])
def test_vignettes_wherever_they_lie(tmp_path: Path, folder: str, suffix: str) -> None:
    made = write_scan(tmp_path / "s", vignettes=suffix, folder=folder)
    table, found, part = read(made.path)
    assert_same(found, made.vignettes)
    assert set(table["roi_from"]) == {"vignette"}
    (told,) = (finding for finding in part.rows.findings if finding.code == "vignettes_taken")
    assert told.count == 4


def test_what_the_header_says(tmp_path: Path) -> None:
    row = read(write_scan(tmp_path / "s").path)[0].row(0, named=True)
    assert {name: row[name] for name in ("sample_id", "acquisition_id", "project", "instrument", "time_utc")} == {
        "sample_id": "bongo_3",
        "acquisition_id": SCAN,
        "project": "point b",
        "instrument": "Zooscan",
        "time_utc": "2015-07-11T12:55:00Z",
    }
    numbers = ("latitude", "longitude", "depth_min_m", "depth_max_m", "pixel_um", "volume_l", "subsample_factor")
    expected = (43 + 41 / 60, 7 + 19 / 60, 0, 60, 10.6, 107_650, 8)
    assert [float(row[name]) for name in numbers] == pytest.approx(list(expected))
    assert row["header_sample_depth"] == "99999"
    assert row["header_input_rawfilename"] == r"C:\\Zooscan\\Zooscan_scan\\_raw\\bongo_3_d2_raw_1=.tif"
    assert row["pid_area"] == "701.5"


def test_into_a_dataset(tmp_path: Path) -> None:
    made = write_scan(tmp_path / "s", scan=".zip")
    report = ingest([made.path], tmp_path / "d")
    assert (report.images, report.rejected) == (4, 0)
    dataset = Dataset.open(tmp_path / "d")
    for row in dataset.metadata().iter_rows(named=True):
        np.testing.assert_array_equal(dataset.image(row["uid"]), made.pixels[row["object_id"]])
        assert (row["instrument"], row["modality"], row["subsample_factor"]) == ("ZooScan", "scanner", 8)
        assert (round(row["latitude"], 4), round(row["longitude"], 4)) == (43.6833, 7.3167)
        assert row["volume_l"] == pytest.approx(107_650)


def test_a_missing_vignette_is_a_reason(tmp_path: Path) -> None:
    made = write_scan(tmp_path / "s")
    (made.path / f"{SCAN}_4.jpg").unlink()
    table, found, _ = read(made.path)
    assert len(found) == 3
    assert table["_reason"][3] == f"there is neither a vignette '{SCAN}_4.jpg' nor the scan '{SCAN}_vis1.zip'"
    assert table["source_row"][3] == HEADER.count("\n") + 5


def test_two_vignettes_of_one_name(tmp_path: Path) -> None:
    made = write_scan(tmp_path / "s", folder="a/")
    pack(made.path, {f"b/{SCAN}_1.jpg": as_file(np.zeros((5, 5), np.uint8), "JPEG")})
    table, _, _ = read(made.path)
    assert table["_reason"].to_list() == [f"several images are called '{SCAN}_1'", None, None, None]


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"PK no zip", "the zip is damaged"), (None, "holds 0 scans"), (b"", "the zip is damaged")],
)
def test_a_damaged_scan_is_an_error_of_its_objects(tmp_path: Path, data: bytes | None, reason: str) -> None:
    made = write_scan(tmp_path / "s", scan=".zip")
    other = pack(tmp_path / "other.zip", {"notes.txt": b"nothing"}).read_bytes()
    (made.path / f"{SCAN}_vis1.zip").write_bytes(other if data is None else data)
    found = read(made.path)[1]
    assert all(isinstance(error, SourceError) and reason in str(error) for error in found.values())
    assert ingest([made.path], tmp_path / "d").rejected == 4


def test_a_truncated_scan_is_an_error_of_its_objects(tmp_path: Path) -> None:
    made = write_scan(tmp_path / "s", scan=".tif")
    path = made.path / f"{SCAN}_vis1.tif"
    path.write_bytes(path.read_bytes()[:500])
    assert all(isinstance(error, SourceError) for error in read(made.path)[1].values())


def test_lines_that_cannot_be(tmp_path: Path) -> None:
    rows, sheet, _ = objects(6)
    rows[0]["BX"] = "230"
    rows[1]["Height"] = ""
    rows[2]["Item"] = rows[3]["Item"]
    rows[4]["Label"] = ""
    pack(tmp_path / "s", {"x.pid": pid_bytes(rows), f"{SCAN}_vis1.tif": as_file(sheet, "TIFF")})
    table, found, _ = read(tmp_path / "s")
    assert table["_field"].to_list() == [None, "BX", None, "Item", "Label", None]
    assert "is not inside" in str(found[f"{SCAN}_1"])
    assert isinstance(found[f"{SCAN}_6"], np.ndarray)


@pytest.mark.parametrize(
    ("column", "label"), [("Ident", "Annelida"), ("pred_valid_Id_20120101_1200", "Copepoda"), ("Other", None)]
)
def test_names_that_people_gave(tmp_path: Path, column: str, label: str | None) -> None:
    rows = [{**row, column: label or "x"} for row in objects()[0]]
    made = write_scan(tmp_path / "s")
    (made.path / f"{SCAN}_dat1.pid").write_bytes(pid_bytes(rows))
    table = read(made.path)[0].drop("_field", "_reason", "_do")
    labels = harmonise(table, source="zooprocess", card=Card()).labels
    assert set(labels.select("label", "status").rows()) == ({(label, "validated")} if label else set())


def test_the_validated_file_goes_before_the_first(tmp_path: Path) -> None:
    made = write_scan(tmp_path / "s")
    pack(
        made.path, {f"{SCAN}_dat1.txt": pid_bytes([{**row, "Ident": "x"} for row in objects()[0]]), "readme.txt": b"hi"}
    )
    assert [part.name for part in recognise(made.path).parts(made.path)] == [f"{SCAN}_dat1.txt"]


def test_one_impossible_position_makes_all_decimal(tmp_path: Path) -> None:
    write_scan(tmp_path / "s" / "a")
    write_scan(tmp_path / "s" / "b", header=HEADER.replace("43.4100000", "43.6833"))
    parts = recognise(tmp_path / "s").parts(tmp_path / "s")
    assert [part.table()["latitude"][0] for part in parts] == ["43.41", "43.6833"]
    assert all("decimal_degrees" in {finding.code for finding in part.rows.findings} for part in parts)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("PixSize=   0.0106", "PixSize=   0.0053", "pixel_size_differs"),
        ("Vol= 107.65", "Vol= 99999", "no_volume"),
        ("Vol= 107.65", "Vol= 0", "no_volume"),
        ("SubPart= 8", "SubPart= nan", "no_subsample"),
        ("ImageType=  Zooscan", "", "instrument_assumed"),
        ("Longitude= 7.19", "Longitude= -7.19", None),
        ("", "", "longitude_east"),
    ],
)
def test_what_an_owner_is_told(tmp_path: Path, old: str, new: str, code: str | None) -> None:
    table, _, part = read(write_scan(tmp_path / "s", header=HEADER.replace(old, new)).path)
    codes = {finding.code for finding in part.rows.findings} - {"vignettes_taken"}
    usual = set() if code is None else {"longitude_east"}
    assert codes == usual | ({code} if code else set())
    if code == "no_volume":
        assert table["volume_l"].null_count() == 4


def test_pixel_size_by_resolution(tmp_path: Path) -> None:
    header = HEADER.replace("PixSize=   0.0106\n", "")
    assert float(read(write_scan(tmp_path / "s", header=header).path)[0]["pixel_um"][0]) == pytest.approx(10.58333)


def test_a_table_alone_says_what_it_lacks(tmp_path: Path) -> None:
    pack(tmp_path / "s", {"Data.txt": pid_bytes(objects()[0], "", delimiter="\t")})
    table, found, part = read(tmp_path / "s")
    assert not found
    assert table["_reason"].count() == 4
    assert "no_header" in {finding.code for finding in part.rows.findings}


def test_rows_in_two_pieces_and_parts_that_travel(tmp_path: Path) -> None:
    made = write_scan(tmp_path / "s", scan=".tif")
    _, _, part = read(made.path)
    assert pl.concat([part.read(0, 3).frame, part.read(3, None).frame]).equals(part.table())
    assert not part.read(3, None).findings
    again = pickle.loads(pickle.dumps(part))
    assert len(pickle.dumps(part)) < 600
    row = part.table().select(part.needs).row(2, named=True)
    np.testing.assert_array_equal(again.picture(row).pixels, made.pixels[f"{SCAN}_3"])


def test_one_scan_may_be_named(tmp_path: Path) -> None:
    made = write_scan(tmp_path / "s")
    pack(made.path, {"other_dat1.pid": pid_bytes(objects()[0])})
    (part,) = recognise(made.path / f"{SCAN}_dat1.pid").parts(made.path / f"{SCAN}_dat1.pid")
    assert part.table()["_reason"].null_count() == 4


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(data=st.data())
def test_a_damaged_scan_gives_pixels_or_reasons(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Any file with any bytes changed, inserted or cut off: no crash, and every line is accounted for."""
    folder = tmp_path_factory.mktemp("fuzz")
    write_scan(folder / "s", scan=data.draw(st.sampled_from([".tif", ".zip"])))
    path = folder / "s" / data.draw(st.sampled_from(sorted(one.name for one in (folder / "s").iterdir())))
    whole = path.read_bytes()
    place = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:place] + data.draw(st.binary(max_size=8)) + whole[place + data.draw(st.integers(0, 9)) :])
    parts = recognise(folder / "s").parts(folder / "s")
    for part in parts:
        table = part.table()
        usable = table["_reason"].is_null().arg_true().to_list()
        for pixels in part.images(usable):
            assert isinstance(pixels, (np.ndarray, SourceError, FormatError))


def test_genuine_files(shared_data: Path) -> None:
    """Two scans of a cruise in the Gulf of California; their vignettes are not there."""
    path = shared_data / "ecotaxa" / "tables" / "zooscan_pid"
    assert recognise(path).name == "zooprocess"
    parts = recognise(path).parts(path)
    assert [part.table().height for part in parts] == [688, 666]
    for part in parts:
        assert part.table()["_field"].unique().to_list() == ["image"]
    row = parts[0].table().row(0, named=True)
    numbers = ("latitude", "longitude", "depth_min_m", "depth_max_m", "pixel_um", "volume_l", "subsample_factor")
    expected = [27 + 30.153 / 60, 111 + 14.5 / 60, 250.2, 251.3, 10.6, 931_600, 128]
    assert [float(row[name]) for name in numbers] == pytest.approx(expected)
    assert (row["sample_id"], row["time_utc"]) == ("sr2407_m6_n3", "2024-05-08T02:20:00Z")
    assert (row["source_row"], row["pid_bx"], row["pid_%area"]) == (215, "5828", "3.78")
    made = harmonise(parts[1].table().drop("_field", "_reason", "_do"), source="zooprocess", card=Card())
    assert made.rejects.is_empty()
    # Zmin and Zmax were swapped by whoever filled in the form.
    assert made.converted.select("depth_min_m", "depth_max_m").row(0) == pytest.approx((314.7, 315.8))
    assert set(made.converted["instrument"]) == {"ZooScan"}


def test_a_genuine_table_of_plankton_identifier(shared_data: Path, tmp_path: Path) -> None:
    import gzip

    packed = shared_data / "ecotaxa" / "tables" / "zooscan_stonehaven" / "Data" / "Data.txt.gz"
    data = gzip.decompress(packed.read_bytes())
    pack(tmp_path / "s", {"Data.txt": data})
    table, _, part = read(tmp_path / "s")
    lines = data.decode("latin-1").splitlines()
    assert table.height == len(lines) - 1
    assert table["label"].to_list() == [line.split("\t")[-2] for line in lines[1:]]
    assert "no_header" in {finding.code for finding in part.rows.findings}
