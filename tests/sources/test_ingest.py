"""The whole verb: every row becomes an image or a reject with a reason, whatever happens on the way."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aqqua.errors import ConfigError, NotFoundError, SourceError, StorageError, UnsafeInputError
from aqqua.metadata.card import Card
from aqqua.sources.build import build_shard
from aqqua.sources.ingest import ingest
from aqqua.store.dataset import Dataset
from aqqua.store.shard import ShardBuilder
from tests.make.ecotaxa import FLAVOURS, Flavour, rows, write_package
from tests.make.folders import write_classes
from tests.make.ifcb import write_bin
from tests.make.images import as_file
from tests.make.packing import pack

IFCB_CARD = Card(defaults={"latitude": 41.3, "longitude": -70.6, "depth_m": 4})


def pixels_of(dataset: Dataset) -> dict[tuple[str, int], np.ndarray]:
    """Pixels by object and rank."""
    told = dataset.metadata(["object_id", "image_rank"])
    images = dataset.images(told["uid"].to_list())
    return dict(zip(told.select("object_id", "image_rank").iter_rows(), images, strict=True))


def identities(dataset: Dataset) -> list[str]:
    return [shard.identity for shard in dataset.shards]


# ---- what comes in


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_ecotaxa_packages_come_in_bit_for_bit(tmp_path: Path, flavour: str) -> None:
    package = write_package(tmp_path / "cruise.zip", FLAVOURS[flavour])
    report = ingest([package.path], tmp_path / "ds")
    assert (report.images, report.rejected, report.shards) == (len(package.pixels), 0, 1)
    found = pixels_of(report.dataset)
    assert set(found) == set(package.pixels)
    for key, image in found.items():
        np.testing.assert_array_equal(image, package.pixels[key])
    told = report.dataset.metadata(["latitude", "time_utc", "depth_max_m", "pixel_um", "instrument", "source_row"])
    assert told["pixel_um"].to_list() == pytest.approx([10.6] * told.height)
    assert set(told["instrument"]) == {"ZooScan"}
    assert {f"{time:%Y-%m-%d %H:%M}" for time in told["time_utc"]} == {"2014-04-20 04:20"}
    assert told["latitude"].min() == 10.5
    assert set(report.dataset.labels()["label"]) == {"Copepoda<Multicrustacea"}


def test_raw_metadata_are_verbatim(tmp_path: Path) -> None:
    package = write_package(tmp_path / "cruise.zip", FLAVOURS["legacy_comma"])
    dataset = ingest([package.path], tmp_path / "ds").dataset
    uid = dataset.metadata(["object_id"]).filter(object_id="sample_1_1")["uid"][0]
    raw = dataset.raw([uid])[0]
    assert raw["object_area"] == "101,5"
    assert raw["object_comment"] == "µm, ° and é"
    assert raw["source_path"] == "cruise.zip!ecotaxa_export_42_20260101_1200.tsv"


def test_bins_come_in_with_time_and_volume(tmp_path: Path) -> None:
    expected = write_bin(tmp_path / "bins")
    report = ingest([tmp_path / "bins"], tmp_path / "ds", card=IFCB_CARD)
    assert {name: image.tolist() for (name, _), image in pixels_of(report.dataset).items()} == {
        name: image.tolist() for name, image in expected.items()
    }
    told = report.dataset.metadata(["volume_l", "time_utc", "instrument", "instrument_id", "pixel_um", "sample_id"])
    assert told["volume_l"][0] == pytest.approx(0.25 * (600 - 1.5) / 60 / 1000)
    assert told["instrument"][0] == "IFCB"
    assert told["instrument_id"][0] == "IFCB134"
    assert told["pixel_um"][0] == pytest.approx(1 / 3.4)


def test_class_folders_come_in_with_labels_and_their_own_card(tmp_path: Path) -> None:
    expected = write_classes(tmp_path / "survey.zip")
    report = ingest([tmp_path / "survey.zip"], tmp_path / "ds")
    assert report.images == len(expected)
    assert report.dataset.labels()["label"].value_counts().sort("label").rows() == [("copepod", 3), ("diatom", 3)]
    assert report.dataset.card.title == "A small survey"


@settings(max_examples=6, deadline=None)
@given(
    broken=st.sets(st.integers(0, 8)),
    lost=st.sets(st.integers(0, 8)),
    nowhere=st.sets(st.integers(0, 8)),
    limit=st.integers(1, 9),
)
def test_images_and_rejects_make_up_all_rows(
    tmp_path_factory: pytest.TempPathFactory, broken: set[int], lost: set[int], nowhere: set[int], limit: int
) -> None:
    tmp_path = tmp_path_factory.mktemp("conserve")
    table = rows(7)
    table = [row | ({"object_lat": ""} if number in nowhere else {}) for number, row in enumerate(table)]
    package = write_package(tmp_path / "p", FLAVOURS["no_bom"], table)
    for number, row in enumerate(table):
        path = package.path / row["img_file_name"]
        if number in lost:
            path.unlink()
        elif number in broken:
            path.write_bytes(path.read_bytes()[:40])
    report = ingest([package.path], tmp_path / "ds", shard_images=limit)
    bad = {number for number in broken | lost | nowhere if number < len(table)}
    assert report.rejected == len(bad)
    assert report.images == len(table) - len(bad)
    told = report.dataset.rejected().select("source_path", "source_row").unique()
    assert sorted(told["source_row"]) == sorted(number + 3 for number in bad)
    assert all(shard.n_images <= limit for shard in report.dataset.shards)


# ---- bad input gets a clear error with path, row and field, and loses nothing


def only_reject(dataset: Dataset) -> dict[str, object]:
    rejects = dataset.rejected()
    assert rejects.height == 1
    return rejects.to_dicts()[0]


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
    odd = lambda data, where: np.zeros((2, 2), np.float32) if where.endswith("_1.png") else np.ones((2, 2), np.uint8)  # noqa: E731
    monkeypatch.setattr(folder, "decode_image", odd)
    report = ingest([tmp_path / "s"], tmp_path / "ds")
    assert (report.images, report.rejected) == (len(expected) - 2, 2)
    assert set(report.dataset.rejected()["field"]) == {"image"}
    labels = report.dataset.labels().join(report.dataset.metadata(["object_id"]), on="uid")
    assert all(row["object_id"].startswith(row["label"]) for row in labels.to_dicts())


@pytest.mark.parametrize(
    ("arguments", "error"),
    [({"card": "no.yaml"}, NotFoundError), ({"table": "no.csv"}, NotFoundError), ({"shard_images": 0}, ConfigError)],
)
def test_wrong_arguments_leave_nothing(tmp_path: Path, arguments: dict[str, object], error: type[Exception]) -> None:
    write_classes(tmp_path / "s")
    with pytest.raises(error):
        ingest([tmp_path / "s"], tmp_path / "ds", **arguments)  # type: ignore[arg-type]
    assert not (tmp_path / "ds").exists()
    with pytest.raises(ConfigError):
        ingest([], tmp_path / "ds")


# ---- again, and after a crash


def test_a_source_is_not_added_twice(tmp_path: Path) -> None:
    write_classes(tmp_path / "s.zip")
    first = ingest([tmp_path / "s.zip", tmp_path / "s.zip"], tmp_path / "ds")
    assert first.images == 6
    again = ingest([tmp_path / "s.zip"], tmp_path / "ds")
    assert (again.images, again.shards, again.skipped) == (0, 0, [tmp_path / "s.zip"])
    assert "nothing to do" in str(again)
    assert again.dataset == first.dataset


def test_more_sources_are_added_to_what_is_there(tmp_path: Path) -> None:
    write_classes(tmp_path / "s.zip")
    package = write_package(tmp_path / "p", FLAVOURS["import"])
    write_bin(tmp_path / "bins")
    one = ingest([tmp_path / "s.zip"], tmp_path / "ds").dataset
    two = ingest([package.path], tmp_path / "ds").dataset
    assert identities(two)[: len(one.shards)] == identities(one)
    three = ingest([tmp_path / "bins"], tmp_path / "ds", card=IFCB_CARD).dataset
    assert len(three) == 6 + len(package.pixels) + 4
    assert set(three.metadata(["instrument"])["instrument"]) == {"ISIIS", "ZooScan", "IFCB"}


def test_with_a_better_card_only_the_rejected_rows_are_tried_again(tmp_path: Path) -> None:
    table = rows()
    table = [
        row | ({"object_depth_min": "", "object_depth_max": ""} if row["sample_id"] == "sample_1" else {})
        for row in table
    ]
    package = write_package(tmp_path / "p", FLAVOURS["import"], table)
    first = ingest([package.path], tmp_path / "ds")
    assert 0 < first.images < len(table)
    second = ingest([package.path], tmp_path / "ds", card=Card(defaults={"depth_m": 5}))
    assert second.images == len(table) - first.images
    assert second.rejected == 0
    assert len(second.dataset) == len(table)
    assert len(pixels_of(second.dataset)) == len(table)
    assert identities(second.dataset)[0] == identities(first.dataset)[0]


def test_a_run_that_was_interrupted_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_classes(tmp_path / "s.zip", images=5)
    clean = ingest([tmp_path / "s.zip"], tmp_path / "clean", shard_images=2).dataset
    calls = []
    original = ShardBuilder.seal

    def seal(self: ShardBuilder, *args: object) -> object:
        calls.append(self.folder)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return original(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(ShardBuilder, "seal", seal)
    with pytest.raises(KeyboardInterrupt):
        ingest([tmp_path / "s.zip"], tmp_path / "ds", shard_images=2)
    assert len(Dataset.open(tmp_path / "ds")) == 0
    again = ingest([tmp_path / "s.zip"], tmp_path / "ds", shard_images=2).dataset
    assert len(calls) == 6, "two were done, one was interrupted, three remained"
    assert identities(again) == identities(clean)
    assert not (tmp_path / "ds" / "jobs").exists()


def test_an_interruption_between_commit_and_tidying_adds_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_classes(tmp_path / "s.zip")
    monkeypatch.setattr(
        "aqqua.sources.ingest.shutil.rmtree", lambda *args, **kwargs: (_ for _ in ()).throw(KeyboardInterrupt)
    )
    with pytest.raises(KeyboardInterrupt):
        ingest([tmp_path / "s.zip"], tmp_path / "ds")
    monkeypatch.undo()
    report = ingest([tmp_path / "s.zip"], tmp_path / "ds")
    assert len(report.dataset) == 6
    assert not (tmp_path / "ds" / "jobs").exists()


def test_a_killed_process_costs_at_most_its_shard(tmp_path: Path) -> None:
    write_classes(tmp_path / "s.zip", images=32)
    clean = ingest([tmp_path / "s.zip"], tmp_path / "clean", shard_images=4).dataset
    code = "import sys; from aqqua.sources.ingest import ingest; ingest([sys.argv[1]], sys.argv[2], shard_images=4)"
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "s.zip"), str(tmp_path / "ds")])
    while not list((tmp_path / "ds").glob("jobs/*/*/notes.json")):
        assert process.poll() is None, "it was done before it could be killed"
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert len(Dataset.open(tmp_path / "ds")) == 0
    report = ingest([tmp_path / "s.zip"], tmp_path / "ds", shard_images=4)
    assert identities(report.dataset) == identities(clean)


def test_a_pool_makes_the_same_shards(tmp_path: Path) -> None:
    write_classes(tmp_path / "s.zip")
    here = ingest([tmp_path / "s.zip"], tmp_path / "here", shard_images=3).dataset
    pool = ingest([tmp_path / "s.zip"], tmp_path / "pool", shard_images=3, where="pool", workers=2).dataset
    assert identities(pool) == identities(here)
    assert len(here.shards) == 2


def test_a_job_can_be_done_by_another_process() -> None:
    assert build_shard.__module__ == "aqqua.sources.build"
    assert "<" not in build_shard.__qualname__


# ---- cards and tables


def test_a_table_fills_what_is_missing_and_wins(tmp_path: Path) -> None:
    write_classes(tmp_path / "s")
    lines = [f"{name}_{n}.png,{10 * n},{60 + n}" for name in ("copepod", "diatom") for n in range(3)]
    (tmp_path / "mine.csv").write_text("file,depth_m,pixel_um\n" + "\n".join(lines))
    dataset = ingest([tmp_path / "s"], tmp_path / "ds", table=tmp_path / "mine.csv").dataset
    told = dataset.metadata(["object_id", "depth_min_m", "depth_max_m", "pixel_um"]).sort("object_id")
    assert told["depth_min_m"].to_list() == told["depth_max_m"].to_list() == [0, 10, 20] * 2
    assert told["pixel_um"].to_list() == [60, 61, 62] * 2
    assert dataset.raw([told["uid"][1]])[0]["table_line"] == "mine.csv:3"


def test_a_table_by_sample(tmp_path: Path) -> None:
    package = write_package(tmp_path / "p", FLAVOURS["import"])
    (tmp_path / "samples.tsv").write_text("sample_id\tvolume_m3\nsample_0\t2\nsample_1\t3\nsample_9\t4\n")
    report = ingest([package.path], tmp_path / "ds", table=tmp_path / "samples.tsv")
    told = report.dataset.metadata(["sample_id", "volume_l"]).select("sample_id", "volume_l").unique().sort("sample_id")
    assert told.rows() == [("sample_0", 2000.0), ("sample_1", 3000.0)]
    assert report.rejected == 1
    assert only_reject(report.dataset)["reason"] == "there is no image for 'sample_9'"


def test_a_fix_wins_over_the_table(tmp_path: Path) -> None:
    write_classes(tmp_path / "s")
    (tmp_path / "all.csv").write_text("latitude\n10\n")
    (tmp_path / "fix.csv").write_text("file,latitude\ncopepod_0.png,20\n")
    dataset = ingest([tmp_path / "s"], tmp_path / "ds", table=tmp_path / "all.csv", fix=tmp_path / "fix.csv").dataset
    assert sorted(dataset.metadata(["latitude"])["latitude"]) == [10.0] * 5 + [20.0]


def test_a_table_that_fits_nothing_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    write_classes(tmp_path / "s")
    (tmp_path / "other.csv").write_text("file,depth_m\nx.png,5\ny.png,6\n")
    with pytest.raises(SourceError, match=r"no column of the table other\.csv names images"):
        ingest([tmp_path / "s"], tmp_path / "ds", table=tmp_path / "other.csv")
    assert len(Dataset.open(tmp_path / "ds")) == 0
    assert not (tmp_path / "ds" / "jobs").exists()


def test_samples_are_numbered_throughout_a_shard(tmp_path: Path) -> None:
    package = write_package(tmp_path / "p", FLAVOURS["import"], rows(12, samples=3))
    told = ingest([package.path], tmp_path / "ds").dataset.metadata(["sample_id", "sample_idx"])
    assert told.select("sample_id", "sample_idx").unique().sort("sample_idx").rows() == [
        ("sample_0", 0),
        ("sample_1", 1),
        ("sample_2", 2),
    ]


# ---- real data


def test_the_genuine_ecotaxa_packages(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "ecotaxa" / "qa_packages"
    report = ingest([folder / "import_test"], tmp_path / "ds")
    assert (report.images, report.rejected) == (11, 0)
    labels = report.dataset.labels()
    assert labels.height == 11
    assert {"Oncaeidae", "detritus", "ozzeur"} <= set(labels["label"])
    told = report.dataset.metadata(["pixel_um", "latitude"])
    assert told["pixel_um"].to_list() == pytest.approx([10.6] * told.height)
    assert told["latitude"].min() == pytest.approx(-44.72543333333333)


def test_the_genuinely_broken_packages_tell_an_owner_what_to_do(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "ecotaxa" / "qa_packages" / "import_issues"
    report = ingest([folder], tmp_path / "ds", card=Card(defaults={"pixel_um": 23}))
    reasons = "\n".join(report.dataset.rejected()["reason"])
    for told in ("the image file is damaged", "there is no image", "the row repeats line 3", "the line has 90 cells"):
        assert told in reasons
    assert all(report.dataset.rejected()["do"])
    assert report.images == 6
    assert {"empty_table"} <= {finding.code for finding in report.findings}
    with pytest.raises(SourceError, match="no reader recognises"):
        ingest([folder / "no_relevant_file"], tmp_path / "ds")


def test_genuine_bins_come_in_with_a_card(shared_data: Path, tmp_path: Path) -> None:
    report = ingest([shared_data / "ifcb" / "ifcbkit"], tmp_path / "ds", card=IFCB_CARD)
    assert (report.images, report.rejected) == (25, 0)
    told = report.dataset.metadata(["volume_l", "sample_id"]).select("sample_id", "volume_l").unique().sort("sample_id")
    assert told["volume_l"].to_list() == pytest.approx([5.080841170833334e-3, 0.003391470833333334e-3])


ISIIS_CARD = Card(
    title="ISIIS PlanktonSet 1.0",
    instruments=("ISIIS",),
    defaults={
        "pixel_um": 68,
        "time_utc": "2014-06-01T12:00:00Z",
        "latitude": 25.5,
        "longitude": -80.0,
        "depth_min_m": 0,
        "depth_max_m": 130,
    },
)


def isiis(shared_data: Path) -> Path:
    return shared_data / "images" / "isiis_planktonset" / "isiis_planktonset.zip"


def test_some_of_the_real_isiis_set(shared_data: Path, tmp_path: Path) -> None:
    import io
    import zipfile

    from PIL import Image

    with zipfile.ZipFile(isiis(shared_data)) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")][::500]
        files = {name: archive.read(name) for name in names}
    report = ingest([pack(tmp_path / "isiis.zip", files)], tmp_path / "ds", card=ISIIS_CARD)
    assert (report.images, report.rejected) == (len(files), 0)
    told = report.dataset.metadata(["source_path", "pixel_um"])
    assert set(told["pixel_um"]) == {68.0}
    for uid, path in told.select("uid", "source_path").iter_rows():
        expected = np.asarray(Image.open(io.BytesIO(files[path.split("!")[1]])))
        np.testing.assert_array_equal(report.dataset.image(uid), expected)
    assert set(report.dataset.labels()["label"]) == {name.split("/")[0] for name in files}


@pytest.mark.slow
def test_the_whole_real_isiis_set(shared_data: Path, tmp_path: Path) -> None:
    report = ingest([isiis(shared_data)], tmp_path / "ds", card=ISIIS_CARD)
    assert (report.images, report.rejected) == (30_336, 0)
    assert report.dataset.labels()["label"].n_unique() == 121
    assert report.dataset.metadata(["object_id"])["object_id"].n_unique() == 30_336
