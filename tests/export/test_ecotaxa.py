"""The whole export: from a frame with a camera, from a dataset, and read back by our own reader."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aqqua.errors import ConfigError, FormatError, NotFoundError, UnknownNameError
from aqqua.export import ExportReport, export, export_names
from aqqua.export.ecotaxa import Options, write_package
from aqqua.export.ecotaxa_rules import validate
from aqqua.sources.ecotaxa_export import EcotaxaExport
from aqqua.sources.ingest import ingest
from aqqua.store.dataset import Dataset
from tests.export.frames import IDS, Camera, images
from tests.make.datasets import miniature


def written(frame: pl.DataFrame, path: Path, **options: Any) -> tuple[ExportReport, Camera]:
    camera = Camera(frame)
    return write_package(frame, camera, path, IDS.get, Options("tiny-0a1b2c3d", **options)), camera


def codes(report: ExportReport) -> list[str]:
    return [note.code for note in report.notes]


def read(files: Sequence[Path]) -> list[tuple[dict[str, Any], np.ndarray]]:
    """Rows and pixels of all tables, as our reader sees them."""
    found: list[tuple[dict[str, Any], np.ndarray]] = []
    for path in files:
        for part in EcotaxaExport().parts(path):
            table = part.table()
            for row, pixels in zip(table.iter_rows(named=True), part.images(range(len(table))), strict=True):
                assert isinstance(pixels, np.ndarray), pixels
                found.append((row, pixels))
    return found


def test_a_prediction_comes_out_whole(tmp_path: Path) -> None:
    report, camera = written(images(3), tmp_path / "out" / "a.zip")
    assert report.files == [tmp_path / "out" / "a.zip"]
    assert report.images == 3
    assert report.notes == []
    assert validate(report.files[0]) == []
    found = read(report.files)
    assert [row["object_id"] for row, _ in found] == ["object_0", "object_1", "object_2"]
    for row, pixels in found:
        np.testing.assert_array_equal(pixels, camera.pixels[int(row["object_aqqua_uid"])])


def test_same_input_same_bytes(tmp_path: Path) -> None:
    (one,), (other,) = (written(images(5), tmp_path / name)[0].files for name in ("a.zip", "b.zip"))
    assert one.read_bytes() == other.read_bytes()


def test_ids_names_and_neither_go_apart(tmp_path: Path) -> None:
    frame = images(4, taxon_linear=["Calanoida", "Acartia", None, "Acartia"], taxon_knn=None)
    report, _ = written(frame, tmp_path / "a.zip")
    assert [path.name for path in report.files] == ["a.zip", "a_by_name.zip"]
    assert codes(report) == ["by_name", "unclassified", "several_zips"]
    assert report.notes[0].count == 2
    assert "Acartia" in report.notes[0].message
    with zipfile.ZipFile(report.files[0]) as archive:
        tables = [name for name in archive.namelist() if name.endswith(".tsv")]
    assert tables == ["station_1/ecotaxa_station_1.tsv", "station_1_unclassified/ecotaxa_station_1_unclassified.tsv"]
    assert {finding.code for path in report.files for finding in validate(path)} == {"asks"}  # names without id


def test_sixteen_bit_is_kept_or_scaled_with_its_factor(tmp_path: Path) -> None:
    frame = images(2, dtype=["uint16", "uint8"])
    report, camera = written(frame, tmp_path / "a.zip")
    for row, pixels in read(report.files):
        np.testing.assert_array_equal(pixels, camera.pixels[int(row["object_aqqua_uid"])])
        assert "object_pixel_factor" not in row
    report, camera = written(frame, tmp_path / "b.zip", sixteen_bit="convert")
    for row, pixels in read(report.files):
        factor = float(row["object_pixel_factor"])
        original = camera.pixels[int(row["object_aqqua_uid"])]
        assert pixels.dtype == np.uint8
        assert (factor == 1) == (original.dtype == np.uint8)
        assert np.abs(pixels * factor - original).max() <= factor / 2
    assert validate(report.files[0]) == []


def test_channels_become_the_images_of_the_object(tmp_path: Path) -> None:
    frame = images(2, channels=[2, 3], channel_names=["bright,chl", None])
    report, camera = written(frame, tmp_path / "a.zip")
    assert codes(report) == ["channels"]
    found = {(row["object_id"], row["img_rank"]): (row, pixels) for row, pixels in read(report.files)}
    assert {key: row["object_channel"] for key, (row, _) in found.items()} == {
        ("object_0", "0"): "bright",
        ("object_0", "1"): "chl",
        ("object_1", "0"): None,
    }
    for rank in (0, 1):
        np.testing.assert_array_equal(found["object_0", str(rank)][1], camera.pixels[0][..., rank])
    np.testing.assert_array_equal(found["object_1", "0"][1], camera.pixels[1])


def test_zips_are_split_below_the_limit(tmp_path: Path) -> None:
    frame = images(40, width=40, height=30, nbytes=1200)
    report, _ = written(frame, tmp_path / "a.zip", max_bytes=12_000)
    assert len(report.files) > 3
    assert all(path.stat().st_size <= 12_000 for path in report.files)
    assert [finding for path in report.files for finding in validate(path)] == []
    assert sorted(int(row["object_aqqua_uid"]) for row, _ in read(report.files)) == list(range(40))
    assert codes(report) == ["several_zips"]
    again, _ = written(images(2), tmp_path / "a.zip")
    assert codes(again) == ["stale_zip"], "zips of an earlier export lie beside"


def test_images_are_read_in_batches(tmp_path: Path) -> None:
    _, camera = written(images(600, nbytes=1 << 20, latitude=1.0), tmp_path / "a.zip")
    assert max(len(batch) for batch in camera.asked) <= 65
    _, camera = written(images(600, latitude=1.0), tmp_path / "b.zip")
    assert [len(batch) for batch in camera.asked] == [256, 256, 88]


def test_what_was_left_out_or_changed_is_told(tmp_path: Path) -> None:
    frame = images(3, width=[20_001, 8, 8], object_id="o", pixel_um=[1.0, 1.0, 2.0])
    report, _ = written(frame, tmp_path / "a.zip")
    assert report.images == 2
    assert codes(report) == ["too_large", "renamed", "several_pixel_sizes"]
    many = images(102, object_id="o", image_rank=list(range(102)))
    report, _ = written(many, tmp_path / "b.zip")
    assert [(note.code, note.count) for note in report.notes] == [("too_many_images", 2)]


def test_judgements_of_people_are_told(tmp_path: Path) -> None:
    frame = images(2, label=["detritus", None], label_status=["validated", None])
    assert codes(written(frame, tmp_path / "a.zip")[0]) == ["judged"]
    report, _ = written(frame, tmp_path / "b.zip", human="as_predicted")
    assert codes(report) == []
    rows = {row["object_id"]: row for row, _ in read(report.files)}
    assert rows["object_0"]["object_annotation_status"] == "predicted"
    assert rows["object_0"]["object_annotation_category_id"] == "84963"
    assert rows["object_0"]["object_aqqua_label_status"] == "validated"


def test_what_ecotaxa_would_refuse_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"Invalid Lat\. value '99\.0'"):
        written(images(1, latitude=99.0), tmp_path / "a.zip")
    assert not list(tmp_path.iterdir())
    with pytest.raises(ConfigError, match="nothing to export"):
        written(images(0), tmp_path / "a.zip")


def test_no_address_of_a_person_gets_in(tmp_path: Path) -> None:
    report, _ = written(images(2, label="x", label_status="validated"), tmp_path / "a.zip")
    for path in report.files:
        with zipfile.ZipFile(path) as archive:
            text = b"".join(archive.read(name) for name in archive.namelist() if name.endswith(".tsv"))
        assert b"@" not in text
        assert b"person" not in text


TEXT = st.text(st.characters(codec="utf-8"), max_size=12)


@settings(max_examples=15)
@given(st.lists(st.tuples(TEXT, TEXT, TEXT, TEXT, st.integers(0, 2)), min_size=1, max_size=4))
def test_whatever_the_names_are_the_package_is_good(rows: list[tuple[str, str, str, str, int]]) -> None:
    import tempfile

    objects, samples, acquisitions, taxa, ranks = (list(column) for column in zip(*rows, strict=True))
    frame = images(
        len(rows),
        object_id=objects,
        sample_id=samples,
        acquisition_id=acquisitions,
        taxon_linear=[taxon.strip() or None for taxon in taxa],
        image_rank=ranks,
    )
    with tempfile.TemporaryDirectory() as folder:
        report, camera = written(frame, Path(folder) / "a.zip")
        assert [f for path in report.files for f in validate(path) if f.severity == "error"] == []
        found = read(report.files)
    assert len(found) == len(rows)
    assert sum(pixels.astype(int).sum() for _, pixels in found) == sum(
        p.astype(int).sum() for p in camera.pixels.values()
    )


# ---- datasets


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return miniature(tmp_path / "mini")


def with_predictions(dataset: Dataset) -> Dataset:
    for shard in dataset.shards:
        uids = dataset.metadata().filter(pl.col("shard") == shard.number)["uid"]
        frame = pl.DataFrame({"uid": uids}).with_columns(
            vector=pl.lit([0.0, 1.0], pl.Array(pl.Float32, 2)),
            taxon_knn=pl.lit("Calanoida"),
            p_knn=pl.lit(0.5, pl.Float32),
            taxon_linear=pl.lit("Oncaeidae"),
            p_linear=pl.lit(0.75, pl.Float32),
            outlier=pl.lit(0.125, pl.Float32),
        )
        dataset.write_predictions("tiny-0a1b2c3d", shard.number, frame, {"model_id": "tiny-0a1b2c3d"})
    return Dataset.open(dataset.path)


def test_a_dataset_comes_back_object_for_object(dataset: Dataset, tmp_path: Path) -> None:
    dataset = with_predictions(dataset)
    report = export(dataset.path, to="ecotaxa", out=tmp_path / "out", model="tiny-0a1b2c3d")
    assert [path.name for path in report.files] == ["ecotaxa_mini.zip", "ecotaxa_mini_by_name.zip"]
    assert {finding.code for path in report.files for finding in validate(path)} == {"asks"}  # names without id
    ingest(report.files, tmp_path / "back")
    assert_same(dataset, Dataset.open(tmp_path / "back"), "Oncaeidae")


def assert_same(dataset: Dataset, back: Dataset, predicted: str | None) -> None:
    """Pixels, names, positions, times, depths, pixel sizes and states are equal, object for object."""
    uid = {
        int(raw["object_aqqua_uid"]): row
        for raw, row in zip(back.raw(back.metadata()["uid"].to_list()), back.metadata()["uid"], strict=True)
    }
    assert len(back) == len(dataset) == len(uid)
    mine, theirs = dataset.metadata().sort("uid"), back.metadata()
    order = pl.DataFrame({"uid": [uid[key] for key in mine["uid"]]}, schema={"uid": pl.UInt64})
    theirs = order.join(theirs, on="uid", how="left", maintain_order="left")
    columns = [
        "object_id",
        "sample_id",
        "image_rank",
        "time_utc",
        "latitude",
        "longitude",
        "depth_min_m",
        "depth_max_m",
    ]
    columns += ["pixel_um", "volume_l", "subsample_factor", "altitude_m", "instrument_id"]
    columns += ["width", "height", "channels", "dtype", "xxh3"]
    for column in columns:
        assert theirs[column].to_list() == mine[column].to_list(), column
    assert theirs["instrument"].to_list() == mine["instrument"].to_list()
    assert theirs["modality"].to_list() == mine["modality"].fill_null(theirs["modality"]).to_list()
    for key, image in zip(mine["uid"], back.images(order["uid"].to_list()), strict=True):
        np.testing.assert_array_equal(image, dataset.image(key))
    said = {row["uid"]: row for row in dataset.labels().iter_rows(named=True)}
    says = {row["uid"]: row for row in back.labels().iter_rows(named=True)}
    for key, other in uid.items():
        label = said.get(key)
        if label and label["status"] in {"validated", "dubious"}:
            assert (says[other]["label"], says[other]["status"]) == (label["label"], label["status"])
        elif predicted:
            assert (says[other]["label"], says[other]["status"]) == (predicted, "predicted")


def test_chosen_images_only(dataset: Dataset, tmp_path: Path) -> None:
    chosen = dataset.metadata()["uid"].to_list()[3:8]
    report = export(dataset.path, to="ecotaxa", out=tmp_path / "sub" / "mine.zip", uids=chosen)
    assert report.images == 5
    assert sorted(int(row["object_aqqua_uid"]) for row, _ in read(report.files)) == sorted(chosen)
    with pytest.raises(ConfigError, match="1 of the images are not there, for example 77"):
        export(dataset.path, to="ecotaxa", out=tmp_path, uids=[77])


def test_wrong_names_get_the_nearest(dataset: Dataset, tmp_path: Path) -> None:
    assert "ecotaxa" in export_names()
    with pytest.raises(UnknownNameError, match="did you mean ecotaxa"):
        export(dataset.path, to="ecotax", out=tmp_path)
    with pytest.raises(NotFoundError):
        export(tmp_path / "nowhere", to="ecotaxa", out=tmp_path)
    with pytest.raises((NotFoundError, UnknownNameError)):
        export(dataset.path, to="ecotaxa", out=tmp_path, model="nobody-00000000")


def test_genuine_packages_go_through_and_come_back(shared_data: Path, tmp_path: Path) -> None:
    ingest([shared_data / "ecotaxa" / "qa_packages" / "import_test"], tmp_path / "real")
    dataset = Dataset.open(tmp_path / "real")
    now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    judged = dataset.metadata()["uid"][0]
    columns = {"uid": [judged], "label": ["detritus"], "status": ["validated"], "by": ["explorer"], "time_utc": [now]}
    dataset.add_labels(pl.DataFrame(columns, schema_overrides={"uid": pl.UInt64}))
    dataset = Dataset.open(dataset.path)
    report = export(dataset.path, to="ecotaxa", out=tmp_path / "out")
    assert {finding.code for path in report.files for finding in validate(path)} == {"asks"}  # names without id
    ingest(report.files, tmp_path / "back")
    assert_same(dataset, Dataset.open(tmp_path / "back"), None)
    labels = {row["uid"]: row for row in dataset.labels().iter_rows(named=True)}
    for row, _ in read(report.files):
        label = labels[int(row["object_aqqua_uid"])]
        assert row["object_annotation_status"] == label["status"]
        assert row.get("object_annotation_category", label["label"]) == label["label"]
