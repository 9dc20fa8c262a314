"""Raw IFCB bins: every ROI bit for bit, every line accounted for."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from aqqua.errors import SourceError
from aqqua.sources import recognise
from aqqua.sources.part import Part
from tests.make.ifcb import NEW_NAME, OLD_NAME, bin_files, write_bin
from tests.make.packing import pack


def read(path: Path) -> tuple[pl.DataFrame, dict[str, np.ndarray], list[Part]]:
    """All rows, the pixels by object id, and the parts."""
    source = recognise(path)
    assert source.name == "ifcb"
    parts = source.parts(path)
    pixels: dict[str, np.ndarray] = {}
    for part in parts:
        table = part.table()
        usable = table["_reason"].is_null().arg_true().to_list()
        for row, image in zip(usable, part.images(usable), strict=True):
            assert isinstance(image, np.ndarray)
            pixels[table["object_id"][row]] = image
    return pl.concat([part.table() for part in parts], how="diagonal"), pixels, parts


@settings(max_examples=30, deadline=None)
@given(
    name=st.sampled_from([NEW_NAME, OLD_NAME]),
    images=st.integers(0, 6),
    blanks=st.sets(st.integers(0, 5), max_size=3),
    seed=st.integers(0, 999),
)
def test_every_line_is_an_image_or_counted_as_blank(
    tmp_path_factory: pytest.TempPathFactory, name: str, images: int, blanks: set[int], seed: int
) -> None:
    path = tmp_path_factory.mktemp("bins")
    blanks = {blank for blank in blanks if blank < images + len(blanks)}
    files, expected = bin_files(name, images=images, blanks=sorted(blanks), seed=seed)
    pack(path, files)
    lines = files[f"{name}.adc"].count(b"\n")
    table, pixels, parts = read(path)
    left_out = sum(f.count for part in parts for f in part.rows.findings if f.code == "triggers_without_image")
    assert table.height + left_out == lines
    assert set(pixels) == set(expected)
    for key, image in pixels.items():
        np.testing.assert_array_equal(image, expected[key])


@pytest.mark.parametrize("suffix", ["", ".zip"])
def test_both_generations_beside_each_other(tmp_path: Path, suffix: str) -> None:
    new, new_pixels = bin_files(NEW_NAME)
    old, old_pixels = bin_files(OLD_NAME, seed=1)
    files = {f"2022/{name}": data for name, data in new.items()} | {f"2012/{name}": data for name, data in old.items()}
    table, pixels, parts = read(pack(tmp_path / f"bins{suffix}", files))
    assert len(parts) == 2
    assert set(pixels) == set(new_pixels | old_pixels)
    assert set(table["sample_id"]) == {NEW_NAME, OLD_NAME}
    assert set(table["time_utc"]) == {"2022-05-22T00:30:51Z", "2012-01-28T08:15:15Z"}
    assert set(table["instrument_id"]) == {"IFCB134", "IFCB5"}


def test_volume_and_header_stand_beside_every_row(tmp_path: Path) -> None:
    write_bin(tmp_path)
    table, _, _ = read(tmp_path)
    assert float(table["ml_analyzed_hdr"][0]) == pytest.approx(0.25 * (600 - 1.5) / 60)
    assert float(table["ml_analyzed_adc"][0]) == pytest.approx(0.25 * (50.02 - 0.32) / 60)
    assert float(table["volume_l"][0]) == pytest.approx(float(table["ml_analyzed_hdr"][0]) / 1000)
    assert table["hdr_runTime"].unique().to_list() == ["600.0"]
    assert table["source_row"].to_list() == [1, 3, 4, 5]
    assert table["object_id"][1] == f"{NEW_NAME}_00003"


def test_position_of_the_header_only_if_it_is_of_the_time(tmp_path: Path) -> None:
    fix = "gpsTimeFromFix: {}\ngpsLatitude: 58.25\ngpsLongitude: 11.5\n"
    write_bin(tmp_path / "now", header=fix.format("May/22/2022 00:17:39.00 UTC"))
    table, _, _ = read(tmp_path / "now")
    assert (table["latitude"][0], table["longitude"][0]) == ("58.25", "11.5")
    write_bin(tmp_path / "then", header=fix.format("Jul/17/2021 16:17:39.00 UTC"))
    table, _, parts = read(tmp_path / "then")
    assert "latitude" not in table.columns
    assert table["hdr_gpsLatitude"][0] == "58.25"
    assert "stale_position" in {finding.code for finding in parts[0].rows.findings}


def test_a_truncated_roi_file_rejects_what_it_lacks(tmp_path: Path) -> None:
    expected = write_bin(tmp_path)
    path = tmp_path / f"{NEW_NAME}.roi"
    path.write_bytes(path.read_bytes()[:-1])
    table, pixels, _ = read(tmp_path)
    bad = table.filter(pl.col("_reason").is_not_null())
    assert bad["object_id"].to_list() == [f"{NEW_NAME}_00005"]
    assert bad["_field"].to_list() == ["start_byte"]
    assert ".roi file ends at byte" in bad["_reason"][0]
    assert len(pixels) == len(expected) - 1


@pytest.mark.parametrize(
    ("missing", "reason"), [(".roi", "the bin has no .roi file"), (".adc", "the bin has no .adc file")]
)
def test_a_missing_file_is_a_reason(tmp_path: Path, missing: str, reason: str) -> None:
    write_bin(tmp_path)
    (tmp_path / f"{NEW_NAME}{missing}").unlink()
    table, pixels, _ = read(tmp_path)
    assert table["_reason"].unique().to_list() == [reason]
    assert not pixels


def test_a_missing_header_is_a_finding(tmp_path: Path) -> None:
    expected = write_bin(tmp_path)
    (tmp_path / f"{NEW_NAME}.hdr").unlink()
    table, pixels, parts = read(tmp_path)
    assert set(pixels) == set(expected)
    assert "no_header" in {finding.code for finding in parts[0].rows.findings}
    assert table["volume_l"][0] is not None


@pytest.mark.parametrize("line", ["6,60,.1", "6,60,.1,.2,.3,.4,.5,.6,.7,.8,54,60,60,1,1,x,4,0,0,0,0,0,60,1"])
def test_a_line_cut_off_is_a_reason(tmp_path: Path, line: str) -> None:
    write_bin(tmp_path)
    with (tmp_path / f"{NEW_NAME}.adc").open("a") as file:
        file.write(line)
    table, _, _ = read(tmp_path)
    assert table["_reason"].drop_nulls().to_list() == ["the line is cut off or not a number"]


@pytest.mark.parametrize(("width", "height", "start"), [("-5", "4", "0"), ("70000", "4", "0"), ("4", "4", "-1")])
def test_impossible_sizes_are_reasons(tmp_path: Path, width: str, height: str, start: str) -> None:
    write_bin(tmp_path)
    with (tmp_path / f"{NEW_NAME}.adc").open("a") as file:
        file.write(f"6,60,.1,.2,.3,.4,.5,.6,.7,.8,54,60,60,1,1,{width},{height},{start},0,0,0,0,60,1\n")
    table, _, _ = read(tmp_path)
    assert table["_reason"].drop_nulls().to_list() == [f"an image of {width} × {height} pixels cannot be"]


def test_many_bins_make_parts_of_bounded_size(tmp_path: Path) -> None:
    for minute in range(10, 60):
        for second in (10, 20):
            write_bin(tmp_path, f"D20220522T00{minute}{second}_IFCB134", images=1, blanks=())
    table, pixels, parts = read(tmp_path)
    assert [len(part.table()) for part in parts] == [64, 36]
    assert len(pixels) == table.height == 100


def test_one_bin_may_be_named(tmp_path: Path) -> None:
    write_bin(tmp_path)
    write_bin(tmp_path, OLD_NAME)
    table, _, _ = read(tmp_path / f"{OLD_NAME}.adc")
    assert table["sample_id"].unique().to_list() == [OLD_NAME]


def test_suffixes_in_capitals(tmp_path: Path) -> None:
    files, expected = bin_files()
    pack(tmp_path / "s", {name.replace(".roi", ".ROI").replace(".adc", ".ADC"): data for name, data in files.items()})
    assert set(read(tmp_path / "s")[1]) == set(expected)


def test_no_bin(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no IFCB bin"):
        recognise(tmp_path, "ifcb").parts(tmp_path)


def test_golden_features_and_blobs_of_a_real_bin(shared_data: Path) -> None:
    """The masks of WHOI's own code belong to our images: same ROIs, same sizes, the stitched one included."""
    folder = shared_data / "ifcb" / "ifcb-features" / "tests"
    with (folder / "golden" / "IFCB5_2012_028_081515_features_v4.csv").open() as file:
        area = {int(row["roi_number"]): float(row["summedArea"]) for row in csv.DictReader(file)}
    table, pixels, (part,) = read(folder)
    assert [int(name[-5:]) for name in table["object_id"]] == sorted(area)
    assert dict(zip(table["object_id"], table["stitched_roi"], strict=True))["IFCB5_2012_028_081515_00003"] == "4"
    for row in table.iter_rows(named=True):
        mask, image = part.mask(row), pixels[row["object_id"]]
        assert mask is not None
        assert mask.shape == image.shape
        assert int(mask.sum()) == area[int(row["object_id"][-5:])]
        assert image[mask == 1].std() > 1.5 * image[mask == 0].std()


def test_blobs_of_stitched_images_do_not_fit_single_rois(shared_data: Path) -> None:
    folder = shared_data / "ifcb" / "ifcb-features" / "tests"
    (part,) = recognise(folder, "ifcb:stitch=no").parts(folder)
    table = part.table()
    assert table["overlaps_roi"].drop_nulls().to_list() == ["3"]
    assert table.height == 6
    row = table.filter(pl.col("object_id").str.ends_with("00003")).to_dicts()[0]
    with pytest.raises(SourceError, match="263 × 86 pixels, its image 180 × 86"):
        part.mask(row)


def test_other_real_bins(shared_data: Path) -> None:
    for folder, images, triggers in (
        ("ifcbkit/D20130526T095207_IFCB013", 19, 118),
        ("ifcb-pytorch-classify/bins", 17, 18),
    ):
        table, pixels, parts = read(shared_data / "ifcb" / folder)
        left_out = sum(f.count for part in parts for f in part.rows.findings if f.code == "triggers_without_image")
        assert len(pixels) == table.height == images
        assert images + left_out == triggers
    _, _, (part,) = read(shared_data / "ifcb" / "ifcbkit" / "D20130526T095207_IFCB013")
    (differ,) = [finding for finding in part.rows.findings if finding.code == "volumes_differ"]
    assert "5.081 mL by the .hdr file and 4.885 mL by the .adc file" in differ.message
    png = next((shared_data / "ifcb" / "iRfcb" / "unzipped" / "test_data" / "png2").rglob("*_00003.png"))
    data = shared_data / "ifcb" / "iRfcb" / "unzipped" / "test_data" / "data" / "D20220522T003051_IFCB134.adc"
    _, pixels, _ = read(data)
    stretched = np.asarray(Image.open(png))  # its tool stretched the gray values
    assert np.corrcoef(pixels[png.stem].ravel(), stretched.ravel())[0, 1] > 0.999
