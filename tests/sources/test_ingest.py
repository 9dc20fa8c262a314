"""The verb: sources come in bit for bit, with their cards and tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aqqua.errors import SourceError
from aqqua.sources.ingest import ingest
from aqqua.store.dataset import Dataset
from tests.make.ecotaxa import FLAVOURS, rows, write_package
from tests.make.folders import CARD, write_classes
from tests.make.ifcb import write_bin
from tests.make.images import as_file
from tests.make.packing import pack
from tests.sources.asking import IFCB_CARD, only_reject, pixels_of


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


def test_a_table_fills_what_is_missing_and_wins(tmp_path: Path) -> None:
    write_classes(tmp_path / "s")
    lines = [f"{name}_{n}.png,{10 * n},{60 + n}" for name in ("copepod", "diatom") for n in range(3)]
    (tmp_path / "mine.csv").write_text("file,depth_m,pixel_um\n" + "\n".join(lines))
    dataset = ingest([tmp_path / "s"], tmp_path / "ds", table=tmp_path / "mine.csv").dataset
    told = dataset.metadata(["object_id", "depth_min_m", "depth_max_m", "pixel_um"]).sort("object_id")
    assert told["depth_min_m"].to_list() == told["depth_max_m"].to_list() == [0, 10, 20] * 2
    assert told["pixel_um"].to_list() == [60, 61, 62] * 2
    assert dataset.raw([told["uid"][1]])[0]["table_line"] == "mine.csv:3"


def test_channels_are_named_by_the_table_or_the_file(tmp_path: Path) -> None:
    colour = as_file(np.zeros((4, 5, 3), np.uint8))
    text = b'file,channel_names\n1.png,"red,green,blue"\n2.png,only\n3.png,x\n'
    files = {"1.png": colour, "2.png": colour, "3.png": as_file(np.zeros((4, 5), np.uint8)), "table.csv": text}
    dataset = ingest([pack(tmp_path / "s", files | {"card.yaml": CARD.encode()})], tmp_path / "ds").dataset
    told = dataset.metadata(["object_id", "channel_names", "channels"]).sort("object_id")
    assert told["channel_names"].to_list() == ["red,green,blue", "r,g,b", None]
    assert told["channels"].to_list() == [3, 3, 1]


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
