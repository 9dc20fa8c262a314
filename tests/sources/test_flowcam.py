"""FlowCam runs: every particle pixel by pixel with its mask, or a reason."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aqqua.errors import FormatError, SourceError
from aqqua.metadata.card import Card
from aqqua.metadata.harmonise import harmonise
from aqqua.sources import recognise
from aqqua.sources.flowcam import FlowcamRun
from aqqua.sources.ingest import ingest
from aqqua.sources.part import Part
from aqqua.store.dataset import Dataset
from tests.make.flowcam import CONTEXT, Particles, class_bytes, export_bytes, list_bytes, particles, write_run
from tests.make.images import as_file
from tests.make.packing import pack

PLACE = Card(defaults={"latitude": 54.3, "longitude": 10.1, "depth_m": 1, "time_utc": "2024-04-07T09:00:00Z"})


def read(path: Path) -> tuple[pl.DataFrame, dict[str, np.ndarray | Exception], Part]:
    """The table of the first run, its pixels by particle, and the part."""
    source = recognise(path)
    assert source.name == "flowcam"
    part = source.parts(path)[0]
    table = part.table()
    usable = table["_reason"].is_null().arg_true().to_list()
    column = "lst_id" if "lst_id" in table.columns else "csv_id"
    names = table[column][usable].to_list()
    return table, dict(zip(names, part.images(usable), strict=True)), part


def assert_same(found: dict[str, np.ndarray | Exception], made: Particles) -> None:
    assert list(found) == [row["id"] for row in made.rows]
    for name, pixels in made.pixels.items():
        np.testing.assert_array_equal(found[name], pixels)


@pytest.mark.parametrize("suffix", ["", ".zip"])
@pytest.mark.parametrize("options", [{}, {"colour": False}, {"colour": False, "dtype": "uint16"}])
def test_every_particle_pixel_by_pixel(tmp_path: Path, suffix: str, options: dict[str, Any]) -> None:
    made = write_run(tmp_path / f"März run{suffix}", **options)
    table, found, part = read(tmp_path / f"März run{suffix}")
    assert_same(found, made)
    assert table["object_id"].to_list() == [f"run_{row['id']}" for row in made.rows]
    assert table["lst_raw_area"].to_list() == ["27.0000"] * len(made.rows)
    assert table["source_row"][0] == 17
    for row in table.iter_rows(named=True):
        np.testing.assert_array_equal(part.mask(row), made.masks[row["lst_id"]])


def test_what_the_run_says(tmp_path: Path) -> None:
    write_run(tmp_path / "r")
    row = read(tmp_path / "r")[0].row(0, named=True)
    assert {name: row[name] for name in ("sample_id", "instrument", "instrument_id", "pixel_um", "latitude")} == {
        "sample_id": "run",
        "instrument": "FlowCam",
        "instrument_id": "6789",
        "pixel_um": "0.5544",
        "latitude": "54.33",
    }
    assert float(row["volume_l"]) == pytest.approx(1.737e-5)
    assert row["imaged_utc"] == "2024-04-08T08:14:11.131Z"
    assert row["ctx_Software_CameraMagnification"] == "10"
    assert row["run_Run_Mode"] == "AutoImage"
    assert row["sum_Count"] == "3"


def test_the_time_of_imaging_is_not_the_time_of_sampling(tmp_path: Path) -> None:
    write_run(tmp_path / "r")
    table, _, part = read(tmp_path / "r")
    assert "imaging_time" in {finding.code for finding in part.rows.findings}
    made = harmonise(table.drop("_field", "_reason", "_do"), source="flowcam", card=Card())
    assert made.converted.is_empty()
    assert "time_utc" in set(made.rejects["field"])
    assert "pixel_um" not in set(made.rejects["field"])


def test_into_a_dataset(tmp_path: Path) -> None:
    made = write_run(tmp_path / "r")
    report = ingest([tmp_path / "r"], tmp_path / "d", card=PLACE)
    assert (report.images, report.rejected) == (6, 0)
    dataset = Dataset.open(tmp_path / "d")
    rows = dataset.metadata(["uid", "object_id", "pixel_um", "volume_l", "instrument", "channel_names"])
    for row in rows.iter_rows(named=True):
        name = row["object_id"].removeprefix("run_")
        np.testing.assert_array_equal(dataset.image(row["uid"]), made.pixels[name])
        np.testing.assert_array_equal(dataset.mask(row["uid"], "source"), made.masks[name])
        assert row["pixel_um"] == pytest.approx(0.5544)
        assert row["volume_l"] == pytest.approx(1.737e-5)
        assert (row["instrument"], row["channel_names"]) == ("FlowCam", "r,g,b")


def test_rows_in_two_pieces_are_the_rows_at_once(tmp_path: Path) -> None:
    write_run(tmp_path / "r")
    _, _, part = read(tmp_path / "r")
    pieces = [part.read(0, 4), part.read(4, None)]
    assert pl.concat([piece.frame for piece in pieces]).equals(part.table())
    assert pieces[0].findings
    assert not pieces[1].findings
    (tmp_path / "r" / "run_000002_bin.tif").write_bytes(b"no mask")
    assert [finding.code for finding in part.read(4, None).findings] == []
    again = recognise(tmp_path / "r").parts(tmp_path / "r")[0]
    assert [finding.code for finding in again.read(4, None).findings] == ["mask_unusable"]


def test_parts_travel_without_what_was_read(tmp_path: Path) -> None:
    made = write_run(tmp_path / "r")
    part = read(tmp_path / "r")[2]
    assert len(pickle.dumps(part)) < 600
    again = pickle.loads(pickle.dumps(part))
    row = part.table().select(part.needs).row(4, named=True)
    np.testing.assert_array_equal(again.picture(row).pixels, made.pixels["5"])
    np.testing.assert_array_equal(again.mask(row), made.masks["5"])


def test_paths_of_windows_and_other_letters(tmp_path: Path) -> None:
    made = particles("Prøve É")
    rows = [{**row, "collage_file": f"C:\\VisualSpreadsheet\\Data\\{row['collage_file'].upper()}"} for row in made.rows]
    data = list_bytes(rows, newline="\r\n", encoding="latin-1")
    pack(tmp_path / "r", {"Prøve É.LST": data, **made.files})
    assert_same(read(tmp_path / "r")[1], made)


def test_an_export_in_place_of_the_list(tmp_path: Path) -> None:
    made = particles()
    pack(tmp_path / "r", {"run.csv": export_bytes(made.rows), **made.files})
    table, found, part = read(tmp_path / "r")
    assert_same(found, made)
    assert table["csv_area_abd"][0] == "2.0747"
    assert table["pixel_um"][0] == "0.5544"
    assert part.mask(table.row(0, named=True)) is not None


def test_a_list_goes_before_the_export(tmp_path: Path) -> None:
    made = write_run(tmp_path / "r")
    (tmp_path / "r" / "run.csv").write_bytes(export_bytes(made.rows))
    assert [part.name for part in recognise(tmp_path / "r").parts(tmp_path / "r")] == ["run.lst"]


@pytest.mark.parametrize("kind", ["number", "guid"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_single_images_where_there_are_no_collages(tmp_path: Path, kind: str, dtype: str) -> None:
    made = particles(colour=False, dtype=dtype)
    names = {row["id"]: f"tank_{row['id'] if kind == 'number' else row['image_id'].lower()}.tif" for row in made.rows}
    images = {f"images/{names[key]}": as_file(pixels, "TIFF") for key, pixels in made.pixels.items()}
    pack(tmp_path / "tank 7", {"metadata.lst": list_bytes(made.rows), **images})
    table, found, part = read(tmp_path / "tank 7")
    assert_same(found, made)
    assert set(table["sample_id"]) == {"tank 7"}
    assert set(table["roi_from"]) == {"vignette"}
    assert "vignettes_taken" in {finding.code for finding in part.rows.findings}
    assert part.mask(table.row(0, named=True)) is None


def test_a_single_image_of_another_size_is_of_another_run(tmp_path: Path) -> None:
    made = particles(sheets=1)
    images = {f"x_{key}.png": as_file(pixels) for key, pixels in made.pixels.items()}
    images["x_2.png"] = as_file(np.zeros((50, 60), np.uint8))
    pack(tmp_path / "r", {"run.lst": list_bytes(made.rows), **images})
    found = read(tmp_path / "r")[1]
    assert "60 × 50 pixels" in str(found["2"])
    assert isinstance(found["1"], np.ndarray)


def test_a_missing_last_collage_is_a_reason_for_its_particles(tmp_path: Path) -> None:
    made = write_run(tmp_path / "r")
    (tmp_path / "r" / "run_000002.tif").unlink()
    table, found, _ = read(tmp_path / "r")
    assert list(found) == ["1", "2", "3"]
    assert table["_reason"].to_list() == [None] * 3 + ["there is no collage 'run_000002.tif'"] * 3
    assert len(made.rows) == table.height


def test_a_truncated_collage_is_an_error_of_its_particles_only(tmp_path: Path) -> None:
    write_run(tmp_path / "r")
    path = tmp_path / "r" / "run_000001.tif"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    found = read(tmp_path / "r")[1]
    assert [isinstance(found[name], SourceError) for name in "123456"] == [True] * 3 + [False] * 3
    report = ingest([tmp_path / "r"], tmp_path / "d", card=PLACE)
    assert (report.images, report.rejected) == (3, 3)


@pytest.mark.parametrize("data", [as_file(np.zeros((9, 9), np.uint8), "TIFF"), b"II*\0 no mask at all"])
def test_a_mask_that_does_not_fit_is_a_finding(tmp_path: Path, data: bytes) -> None:
    made = write_run(tmp_path / "r")
    (tmp_path / "r" / "run_000001_bin.tif").write_bytes(data)
    table, found, part = read(tmp_path / "r")
    assert_same(found, made)
    (told,) = (finding for finding in part.rows.findings if finding.code == "mask_unusable")
    assert told.where == "r/run_000001_bin.tif"
    assert part.mask(table.row(0, named=True)) is None
    np.testing.assert_array_equal(part.mask(table.row(3, named=True)), made.masks["4"])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"image_x": "60"}, "is not inside the 65 × 30 image"),
        ({"image_y": "-1"}, "is not inside"),
        ({"image_w": "0"}, "an image of 0 ×"),
        ({"image_h": "?"}, "does not say where"),
        ({"image_h": "1e400"}, "does not say where"),
        ({"id": "1"}, "particle '1' is in the list twice, first in line 17"),
        ({"collage_file": "../../secret.tif"}, "there is no collage 'secret.tif'"),
        ({"collage_file": ""}, "there is no collage ''"),
    ],
)
def test_a_wrong_line_is_a_reason(tmp_path: Path, change: dict[str, str], reason: str) -> None:
    made = particles()
    made.rows[1] |= change
    pack(tmp_path / "r", {"run.lst": list_bytes(made.rows), **made.files})
    table, found, _ = read(tmp_path / "r")
    told = table["_reason"].to_list()
    assert reason in told[1]
    assert told[:1] + told[2:] == [None] * 5
    assert len(found) == 5


def test_a_list_cut_off_in_a_line(tmp_path: Path) -> None:
    made = particles()
    pack(tmp_path / "r", {"run.lst": list_bytes(made.rows)[:-40], **made.files})
    table, found, _ = read(tmp_path / "r")
    assert table["_field"].to_list() == [None] * 5 + ["line"]
    assert len(found) == 5


def test_a_run_without_list_is_explained(tmp_path: Path) -> None:
    pack(tmp_path / "r", {"run.ctx": CONTEXT.encode(), "run_000001.tif": as_file(np.zeros((5, 5), np.uint8), "TIFF")})
    with pytest.raises(SourceError, match=r"the FlowCam run run\.ctx has no list of its particles") as caught:
        recognise(tmp_path / "r").parts(tmp_path / "r")
    assert "copy the .lst file beside the collages" in (caught.value.do or "")


def test_other_runs_and_images_are_told_once(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_run(tmp_path / "all" / name, name)
    pack(tmp_path / "all", {"c/c.ctx": CONTEXT.encode(), "d/x_1.png": as_file(np.zeros((5, 5), np.uint8))})
    parts = recognise(tmp_path / "all").parts(tmp_path / "all")
    assert [part.name for part in parts] == ["a/a.lst", "b/b.lst"]
    told = [finding for part in parts for finding in part.rows.findings]
    (bare,) = (finding for finding in told if finding.code == "run_without_list")
    (rest,) = (finding for finding in told if finding.code == "images_left_out")
    assert bare.where == "all/c/c.ctx"
    assert rest.count == 1


def test_classes_become_labels(tmp_path: Path) -> None:
    write_run(tmp_path / "r")
    classes = {"Junk": ["1", "2"], "diatom": ["2", "3"]}
    (tmp_path / "r" / "run.cla").write_bytes(class_bytes(classes, filtered=["Junk"]))
    table, _, part = read(tmp_path / "r")
    assert table["label"].to_list() == ["Junk", None, "diatom", None, None, None]
    assert table["cla_classes"].to_list()[:3] == ["Junk", "Junk; diatom", "diatom"]
    made = harmonise(table.drop("_field", "_reason", "_do"), source="flowcam", card=PLACE)
    assert made.labels.select("label", "status").rows() == [("Junk", "predicted"), ("diatom", "validated")]
    assert ("several_classes", 1) in {(finding.code, finding.count) for finding in part.rows.findings}


def test_an_empty_list_is_a_finding(tmp_path: Path) -> None:
    pack(tmp_path / "r", {"run.lst": list_bytes([])})
    table, _, part = read(tmp_path / "r")
    assert table.height == 0
    assert part.rows.findings[0].code == "empty_table"


def test_the_estimate_is_near_enough(tmp_path: Path) -> None:
    write_run(tmp_path / "r", sheets=20)
    part = recognise(tmp_path / "r").parts(tmp_path / "r")[0]
    assert isinstance(part, FlowcamRun)
    assert 1 <= part.estimate() <= 2 * part.table().height


def test_one_run_may_be_named(tmp_path: Path) -> None:
    for name in ("a", "b"):
        made = write_run(tmp_path / "r", name)
    source = recognise(tmp_path / "r" / "b.lst")
    (part,) = source.parts(tmp_path / "r" / "b.lst")
    assert part.name == "b.lst"
    assert part.table()["_reason"].null_count() == 6
    assert not {finding.code for finding in part.rows.findings} & {"images_left_out", "run_without_list"}
    np.testing.assert_array_equal(next(iter(part.images([0]))), made.pixels["1"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(data=st.data())
def test_a_damaged_run_gives_pixels_or_reasons(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Any file of a run with any bytes changed, inserted or cut off: no crash, and every line is accounted for."""
    folder = tmp_path_factory.mktemp("fuzz")
    write_run(folder)
    path = folder / data.draw(st.sampled_from(sorted(one.name for one in folder.iterdir())))
    whole = path.read_bytes()
    place = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:place] + data.draw(st.binary(max_size=8)) + whole[place + data.draw(st.integers(0, 9)) :])
    try:
        source = recognise(folder)
        parts = source.parts(folder)
    except SourceError:
        assert path.suffix == ".lst"
        return
    for part in parts:
        table = part.table()
        usable = table["_reason"].is_null().arg_true().to_list()
        for row, pixels in zip(usable, part.images(usable), strict=True):
            assert isinstance(pixels, (np.ndarray, SourceError, FormatError))
            mask = part.mask(table.row(row, named=True)) if source.name == "flowcam" else None
            assert mask is None or not isinstance(pixels, np.ndarray) or mask.shape == pixels.shape[:2]
