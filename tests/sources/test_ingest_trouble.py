"""Bad input gets a clear error with path, row and field, and loses nothing."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from aqqua.errors import ConfigError, NotFoundError, SourceError, StorageError, UnknownNameError, UnsafeInputError
from aqqua.metadata.card import Card
from aqqua.sources.ingest import ingest
from aqqua.sources.pixels import Picture
from aqqua.store.dataset import Dataset
from tests.make.ecotaxa import FLAVOURS, Flavour, rows, write_package
from tests.make.folders import write_classes
from tests.make.images import as_file
from tests.make.packing import pack
from tests.sources.asking import only_reject, pixels_of


def test_a_missing_coordinate(tmp_path: Path) -> None:
    table = rows()
    table[2] = table[2] | {"object_lat": ""}
    package = write_package(tmp_path / "cruise.zip", FLAVOURS["no_bom"], table)
    report = ingest([package.path], tmp_path / "ds")
    assert (report.images, report.rejected) == (len(table) - 1, 1)
    told = only_reject(report.dataset)
    assert told["source_path"] == "cruise.zip!ecotaxa_export_42_20260101_1200.tsv"
    assert (told["source_row"], told["field"]) == (5, "latitude")
    assert told["do"]
    assert table[2]["object_id"] in str(told["raw"])


def test_a_corrupt_image(tmp_path: Path) -> None:
    package = write_package(tmp_path / "p", FLAVOURS["no_bom"])
    path = package.path / "sample_1_1_0.png"
    path.write_bytes(path.read_bytes()[:50])
    report = ingest([package.path], tmp_path / "ds")
    assert (report.images, report.rejected) == (len(package.pixels) - 1, 1)
    told = only_reject(report.dataset)
    assert (told["source_path"], told["source_row"]) == ("p/ecotaxa_export_42_20260101_1200.tsv", 5)
    assert (told["object_id"], told["field"]) == ("sample_1_1", "image")
    assert "damaged" in str(told["reason"])
    assert "'sample_1_1_0.png'" in str(told["reason"])


def test_a_tsv_without_type_line(tmp_path: Path) -> None:
    package = write_package(tmp_path / "p", Flavour(types=False))
    report = ingest([package.path], tmp_path / "ds")
    assert (report.images, report.rejected) == (len(package.pixels), 0)
    assert "no_types_line" in {finding.code for finding in report.dataset.findings()}


def test_a_zip_that_escapes_its_folder(tmp_path: Path) -> None:
    good = write_package(tmp_path / "good.zip", FLAVOURS["import"])
    before = ingest([good.path], tmp_path / "ds").dataset
    bad = pack(tmp_path / "bad.zip", {"ecotaxa.tsv": b"object_id\n", "../../evil.png": b"x"})
    with pytest.raises(UnsafeInputError) as caught:
        ingest([bad], tmp_path / "ds")
    assert "evil.png" in str(caught.value)
    assert Dataset.open(tmp_path / "ds") == before
    with pytest.raises(UnsafeInputError):
        ingest([bad], tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match="empty folder") as caught:
        ingest([tmp_path / "empty"], tmp_path / "ds")
    assert str(tmp_path / "empty") in str(caught.value)
    assert not (tmp_path / "ds").exists()


@contextmanager
def files_of_at_most(nbytes: int) -> Iterator[None]:
    """As if the disk were full: no file may grow larger."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (nbytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


def test_a_full_disk(tmp_path: Path) -> None:
    before = ingest([write_package(tmp_path / "p.zip", FLAVOURS["import"]).path], tmp_path / "ds").dataset
    noise = np.random.default_rng(0).integers(0, 255, (300, 300), np.uint8)
    pack(tmp_path / "big", {f"a/{n}.png": as_file(np.roll(noise, n)) for n in range(12)})
    write_classes(tmp_path / "big", classes=("b",), images=1)
    with files_of_at_most(300_000), pytest.raises(StorageError, match="disk is full") as caught:
        ingest([tmp_path / "big"], tmp_path / "ds")
    assert "run" in str(caught.value)
    assert Dataset.open(tmp_path / "ds") == before
    assert len(pixels_of(before)) == len(before)
    report = ingest([tmp_path / "big"], tmp_path / "ds")
    assert report.images == 13
    assert not (tmp_path / "ds" / "jobs").exists()


def test_empty_tables_are_an_error_that_says_so(tmp_path: Path) -> None:
    pack(tmp_path / "p", {"ecotaxa_a.tsv": b"", "ecotaxa_b.tsv": b"object_id\timg_file_name\n[t]\t[t]\n"})
    with pytest.raises(SourceError, match="nothing to read: the table is empty"):
        ingest([tmp_path / "p"], tmp_path / "ds")
    assert not (tmp_path / "ds" / "jobs").exists()


def test_all_rows_rejected_still_makes_a_dataset_that_says_why(tmp_path: Path) -> None:
    expected = write_classes(tmp_path / "s", card="")
    report = ingest([tmp_path / "s"], tmp_path / "ds")
    assert (report.images, report.rejected, report.shards) == (0, len(expected), 0)
    assert set(report.dataset.rejected()["field"]) == {"time_utc", "latitude", "longitude", "depth_min_m", "pixel_um"}
    told = str(report)
    assert "no image came in: 6 rows did not get in" in told
    assert "6 × the pixel size is missing" in told
    assert "card.yaml" in told


def test_a_damaged_table_among_good_ones_is_a_reject(tmp_path: Path) -> None:
    package = write_package(tmp_path / "p", FLAVOURS["import"])
    other = package.path / "sample_1" / "ecotaxa_sample_1.tsv"
    report = ingest([package.path], tmp_path / "whole")
    import zipfile

    with zipfile.ZipFile(tmp_path / "p.zip", "w") as archive:
        for path in sorted(package.path.rglob("*.*")):
            archive.write(path, path.relative_to(package.path).as_posix())
    data = (tmp_path / "p.zip").read_bytes()
    (tmp_path / "p.zip").write_bytes(data.replace(other.read_bytes()[-40:], b"x" * 40, 1))
    damaged = ingest([tmp_path / "p.zip"], tmp_path / "ds")
    assert 0 < damaged.images < report.images
    told = only_reject(damaged.dataset)
    assert told["source_path"] == "p.zip!sample_1/ecotaxa_sample_1.tsv"
    assert "CRC" in str(told["reason"])


def test_pixels_that_the_format_does_not_hold_are_rejects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from aqqua.sources import folder

    expected = write_classes(tmp_path / "s")

    def decode(data: bytes, where: str) -> Picture:
        return Picture(np.zeros((2, 2), np.float32) if where.endswith("_1.png") else np.ones((2, 2), np.uint8))

    monkeypatch.setattr(folder, "decode_picture", decode)
    report = ingest([tmp_path / "s"], tmp_path / "ds")
    assert (report.images, report.rejected) == (len(expected) - 2, 2)
    assert set(report.dataset.rejected()["field"]) == {"image"}
    labels = report.dataset.labels().join(report.dataset.metadata(["object_id"]), on="uid")
    assert all(row["object_id"].startswith(row["label"]) for row in labels.to_dicts())


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"card": "no.yaml"}, NotFoundError),
        ({"card": Card(defaults={"pixel_umm": 5})}, UnknownNameError),
        ({"card": Card(defaults={"latitude": 95})}, ConfigError),
        ({"table": "no.csv"}, NotFoundError),
        ({"shard_images": 0}, ConfigError),
    ],
)
def test_wrong_arguments_leave_nothing(tmp_path: Path, arguments: dict[str, object], error: type[Exception]) -> None:
    write_classes(tmp_path / "s")
    with pytest.raises(error):
        ingest([tmp_path / "s"], tmp_path / "ds", **arguments)  # type: ignore[arg-type]
    assert not (tmp_path / "ds").exists()
    with pytest.raises(ConfigError):
        ingest([], tmp_path / "ds")


def test_zips_beside_what_is_read_are_told(tmp_path: Path) -> None:
    from aqqua.sources.ingest import ingest
    from tests.make.ecotaxa import FLAVOURS, write_package
    from tests.make.ifcb import write_bin

    folder = tmp_path / "mixed"
    folder.mkdir()
    write_bin(folder)
    write_package(folder / "leg1.zip", FLAVOURS["import"])
    report = ingest([folder], tmp_path / "data")
    told = [finding for finding in report.findings if finding.code == "zips_not_read"]
    assert [(finding.count, finding.message.rpartition(": ")[2]) for finding in told] == [(1, "leg1.zip")]
    report = ingest([folder, folder / "leg1.zip"], tmp_path / "both")
    assert "zips_not_read" not in {finding.code for finding in report.findings}
