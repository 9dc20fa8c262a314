"""Genuine FlowCam runs, held against what VisualSpreadsheet itself has written about them."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from aqqua.metadata.card import Card
from aqqua.sources import recognise
from aqqua.sources.flowcam_files import imaged_volume_ml, parse_context, parse_run_summary
from aqqua.sources.folder import Folder
from aqqua.sources.ingest import ingest
from aqqua.sources.part import Part
from aqqua.sources.pixels import decode_image
from aqqua.store.dataset import Dataset

RUNS = {"visualspreadsheet/raw_run": 1000, "nerc_ceh": 475, "morphocut": 506}
PIXELS = {"visualspreadsheet/raw_run": "0.5544", "nerc_ceh": "9.25", "morphocut": "1.8130"}


def run(shared_data: Path, name: str) -> Part:
    path = shared_data / "flowcam" / name
    source = recognise(path)
    assert source.name == "flowcam"
    (part,) = source.parts(path)
    return part


@pytest.mark.parametrize("name", RUNS)
def test_every_particle_of_every_run(shared_data: Path, name: str) -> None:
    part = run(shared_data, name)
    table = part.table()
    assert table.height == RUNS[name]
    assert table["_reason"].null_count() == table.height
    assert set(table["pixel_um"]) == {PIXELS[name]}
    images = list(part.images(range(table.height)))
    for row, pixels in zip(table.iter_rows(named=True), images, strict=True):
        assert isinstance(pixels, np.ndarray)
        assert pixels.shape == (int(row["lst_image_h"]), int(row["lst_image_w"]), 3)


def test_cut_as_visualspreadsheet_cuts(shared_data: Path) -> None:
    """The same 1,000 particles, exported as single images by the program, by their ids."""
    part = run(shared_data, "visualspreadsheet/raw_run")
    with zipfile.ZipFile(shared_data / "flowcam" / "visualspreadsheet" / "visualspreadsheet_rois.zip") as archive:
        own = {name.rsplit("_", 1)[1].removesuffix(".png"): name for name in archive.namelist() if name.endswith("png")}
        ids = part.table()["lst_image_id"].to_list()
        assert len(set(ids) & set(own)) == 1000
        for guid, pixels in zip(ids, part.images(range(1000)), strict=True):
            np.testing.assert_array_equal(pixels, decode_image(archive.read(own[guid]), guid))


@pytest.mark.parametrize("name", ["visualspreadsheet/raw_run", "morphocut"])
def test_masks_have_the_area_of_the_list(shared_data: Path, name: str) -> None:
    part = run(shared_data, name)
    for row in part.table().iter_rows(named=True):
        mask = part.mask(row)
        assert mask is not None
        assert mask.sum() == float(row["lst_raw_area"])


def test_volume_and_clock_where_the_run_says_them(shared_data: Path) -> None:
    row = run(shared_data, "visualspreadsheet/raw_run").table().row(0, named=True)
    assert float(row["volume_l"]) == pytest.approx(1.737e-5)
    assert float(row["volume_imaged_ml_by_geometry"]) == pytest.approx(float(row["volume_l"]) * 1000, rel=5e-4)
    assert (row["lst_timestamp"], row["imaged_utc"]) == ("2024-04-08T10:14:11.131", "2024-04-08T08:14:11.131Z")
    assert row["ctx_Software_CameraMagnification"] == "10"


def test_the_volume_of_a_run_without_list(shared_data: Path) -> None:
    """A context alone gives no images, but the same volume as its summary, to all seven digits."""
    folder = shared_data / "flowcam" / "nerc_ceh" / "19_10_Tank25_blanksremoved"
    context = parse_context(next(folder.glob("*.ctx")).read_text())
    stated = parse_run_summary(next(folder.glob("*_run_summary.txt")).read_text())["Run_Fluid_Volume_Imaged"]
    assert f"{imaged_volume_ml(context):.4f} ml" == stated == "289.6065 ml"
    codes = {finding.code: finding for finding in run(shared_data, "nerc_ceh").rows.findings}
    assert codes["run_without_list"].where.endswith("19_10_Tank25_blanksremoved.ctx")
    assert codes["images_left_out"].count == 41


def test_class_folders_of_exported_particles(shared_data: Path) -> None:
    """A zip of single images in class folders is no run; its labels are the folders."""
    path = shared_data / "flowcam" / "visualspreadsheet" / "visualspreadsheet_rois.zip"
    assert recognise(path).name == "folder"
    (part,) = Folder().parts(path)
    table = part.table()
    assert table.height == 3000
    assert set(table["label"]) == {"Junk", "Missed", "Protist"}
    assert all(isinstance(image, np.ndarray) for image in part.images(range(0, 3000, 100)))


@pytest.mark.parametrize(("name", "count", "dtype"), [("test_images", 40, "uint8"), ("greyscale", 1, "uint16")])
def test_single_images_without_list_are_read_as_a_folder(shared_data: Path, name: str, count: int, dtype: str) -> None:
    path = shared_data / "flowcam" / "nerc_ceh" / name
    assert recognise(path).name == "folder"
    (part,) = Folder().parts(path)
    images = list(part.images(range(part.table().height)))
    assert len(images) == count
    assert {image.dtype.name for image in images if isinstance(image, np.ndarray)} == {dtype}


def test_a_genuine_run_into_a_dataset(shared_data: Path, tmp_path: Path) -> None:
    card = Card(defaults={"latitude": 54.0143, "longitude": -2.777, "depth_m": 1, "time_utc": "2023-05-04T12:00:00Z"})
    path = shared_data / "flowcam" / "visualspreadsheet" / "raw_run"
    report = ingest([path], tmp_path / "d", card=card)
    assert (report.images, report.rejected) == (1000, 0)
    labels = Dataset.open(tmp_path / "d").labels()
    assert dict(labels["label"].value_counts().iter_rows()) == {"Junk": 326, "protist": 17}
    assert set(labels["status"]) == {"predicted"}
