"""Folders and zips of images: class folders, tables, nothing lost."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aqqua.errors import SourceError
from aqqua.metadata.check import Finding
from aqqua.sources import recognise
from tests.make.excel import workbook
from tests.make.folders import write_classes
from tests.make.images import as_file
from tests.make.packing import pack

PIXEL = as_file(np.zeros((3, 4), np.uint8))


def read(path: Path) -> tuple[pl.DataFrame, list[Finding]]:
    source = recognise(path)
    assert source.name == "folder"
    (part,) = source.parts(path)
    assert part.estimate() == part.table()["image_path"].count()
    return part.table(), part.rows.findings


@pytest.mark.parametrize("suffix", ["", ".zip"])
def test_class_folders_bit_for_bit(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"survey{suffix}"
    expected = write_classes(path)
    (part,) = recognise(path).parts(path)
    table = part.table()
    images = list(part.images(range(table.height)))
    assert table["label"].to_list() == ["copepod"] * 3 + ["diatom"] * 3
    assert table["source_path"][0] == f"survey{'.zip!' if suffix else '/'}copepod/copepod_0.png"
    assert table["source_row"].null_count() == 6
    for name, image in zip(table["image_path"], images, strict=True):
        assert isinstance(image, np.ndarray)
        np.testing.assert_array_equal(image, expected[name])


@pytest.mark.parametrize(
    ("files", "labels", "objects"),
    [
        (["a/1.png", "b/2.png"], ["a", "b"], ["1", "2"]),
        (["set/a/1.png", "set/b/2.png"], ["a", "b"], ["1", "2"]),
        (["train/a/1.png", "test/a/2.png"], ["a", "a"], ["2", "1"]),
        (["1.png", "a/2.png"], [None, "a"], ["1", "2"]),
        (["all/1.png", "all/2.png"], [None, None], ["1", "2"]),
        (["1.png", "2.png"], [None, None], ["1", "2"]),
        (["a/1.png", "b/1.png"], ["a", "b"], ["a/1", "b/1"]),
        (["a/1.png", "a/1.tif"], [None, None], ["a/1.png", "a/1.tif"]),
    ],
)
def test_labels_and_object_names(
    tmp_path: Path, files: list[str], labels: list[str | None], objects: list[str]
) -> None:
    table, _ = read(pack(tmp_path / "s", dict.fromkeys(files, PIXEL)))
    assert table["label"].to_list() == labels
    assert table["object_id"].to_list() == objects


def test_one_folder_of_all_images_is_told(tmp_path: Path) -> None:
    _, findings = read(pack(tmp_path / "s", {"all/1.png": PIXEL}))
    assert [finding.code for finding in findings] == ["one_folder"]


TABLES = {
    "path": "file,depth_min_m\na/1.png,10\nb/2.png,20\n",
    "name": "image\tdepth_min_m\n1.PNG\t10\n2.png\t20\n",
    "stem": "object_id;depth_min_m\n1;10\n2;20\n",
    "float": "id,depth_min_m\n1.0,10\n2.0,20\n",
    "folder": "station_folder,depth_min_m\na,10\nb,20\n",
    "backslash": "Path,depth_min_m\n.\\a\\1.png,10\nb\\2.png,20\n",
}


@pytest.mark.parametrize("by", TABLES)
@pytest.mark.parametrize("place", ["table.csv", "metadata.tsv", "x/../anything.csv"])
def test_a_table_is_joined_by_what_it_knows(tmp_path: Path, by: str, place: str) -> None:
    files = {"a/1.png": PIXEL, "b/2.png": PIXEL, place.rsplit("/", maxsplit=1)[-1]: TABLES[by].encode()}
    table, findings = read(pack(tmp_path / "s", files))
    assert table["depth_min_m"].to_list() == ["10", "20"]
    assert table["label"].to_list() == ["a", "b"]
    assert findings == []


def test_an_excel_table(tmp_path: Path) -> None:
    pytest.importorskip("fastexcel", reason="the extra excel is not installed")
    book = workbook([["file", "depth_min_m"], ["1.png", "10"]])
    table, _ = read(pack(tmp_path / "s", {"1.png": PIXEL, "cruise.xlsx": book}))
    assert table["depth_min_m"].to_list() == ["10"]
    assert table["table_line"].to_list() == ["s/cruise.xlsx:2"]


def test_a_table_of_one_row_without_key_is_for_all(tmp_path: Path) -> None:
    table, _ = read(pack(tmp_path / "s", {"1.png": PIXEL, "2.png": PIXEL, "t.csv": b"depth_min_m,lat\n5,54\n"}))
    assert table["depth_min_m"].to_list() == ["5", "5"]


def test_rows_without_image_and_images_without_row(tmp_path: Path) -> None:
    text = b"file,depth_min_m\n1.png,10\nlost.png,20\n"
    table, findings = read(pack(tmp_path / "s", {"1.png": PIXEL, "2.png": PIXEL, "t.csv": text}))
    bad = table.filter(pl.col("_reason").is_not_null())
    assert bad.select("source_path", "source_row", "object_id", "_field", "_reason").rows() == [
        ("s/t.csv", 3, "lost.png", "file", "there is no image for 'lost.png'")
    ]
    assert table.height == 3
    assert [(finding.code, finding.count) for finding in findings] == [("not_in_table", 1)]


def test_labels_of_the_table_win(tmp_path: Path) -> None:
    text = b"file,Label\n1.png,Calanus\n"
    table, _ = read(pack(tmp_path / "s", {"a/1.png": PIXEL, "b/2.png": PIXEL, "t.csv": text}))
    assert table["Label"].to_list() == ["Calanus", None]
    assert table["label"].to_list() == [None, None]
    assert table["folder"].to_list() == ["a", "b"]


def test_equal_names_in_two_folders_need_paths(tmp_path: Path) -> None:
    files = {"a/1.png": PIXEL, "b/1.png": PIXEL, "b/2.png": PIXEL}
    table, _ = read(pack(tmp_path / "s", files | {"t.csv": b"file,depth_min_m\n1.png,10\n2.png,20\n"}))
    assert table["_reason"].null_count() == 1
    assert "several images have the name 1.png" in table["_reason"][0]
    table, _ = read(pack(tmp_path / "s2", files | {"t.csv": b"file,depth_min_m\na/1.png,10\nb/2.png,20\nb/1.png,30\n"}))
    assert table["_reason"].null_count() == 3
    assert table["depth_min_m"].to_list() == ["10", "30", "20"]


def test_a_file_that_stands_twice_in_the_table_is_not_guessed(tmp_path: Path) -> None:
    text = b"file,depth_min_m\n1.png,10\n1.png,11\n2.png,20\n"
    table, findings = read(pack(tmp_path / "s", {"1.png": PIXEL, "2.png": PIXEL, "t.csv": text}))
    images = table.filter(pl.col("image_path").is_not_null())
    assert images["depth_min_m"].to_list() == [None, "20"]
    assert table.height == 4, "both lines of the table are told"
    assert "not_in_table" in {finding.code for finding in findings}


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"t.csv": b"species,count\nCalanus,5\nOithona,7\n"}, "table_not_joined"),
        ({"t.csv": b"file,d\n1.png,5\n", "u.csv": b"file,d\n1.png,5\n"}, "several_tables"),
        ({"notes.pdf": b"%PDF"}, "other_files"),
    ],
)
def test_what_is_not_used_is_told(tmp_path: Path, files: dict[str, bytes], code: str) -> None:
    table, findings = read(pack(tmp_path / "s", {"1.png": PIXEL, **files}))
    assert [finding.code for finding in findings] == [code]
    assert table.height == 1


def test_columns_that_would_take_aqquas_place_are_renamed(tmp_path: Path) -> None:
    text = b"file,source_path,source_row\n1.png,x,7\n"
    table, _ = read(pack(tmp_path / "s", {"1.png": PIXEL, "t.csv": text}))
    assert table.select("source_path", "source_row", "table_source_path", "table_source_row").rows() == [
        ("s/1.png", None, "x", "7")
    ]


@settings(max_examples=40, deadline=None)
@given(
    images=st.sets(st.sampled_from([f"{folder}{n}.png" for folder in ("", "a/", "b/") for n in range(3)]), min_size=1),
    rows=st.lists(
        st.sampled_from([f"{folder}{n}.png" for folder in ("", "a/", "b/", "c/") for n in range(3)]), max_size=6
    ),
)
def test_every_image_and_every_line_is_accounted_for(
    tmp_path_factory: pytest.TempPathFactory, images: set[str], rows: list[str]
) -> None:
    text = "file,depth_min_m\n" + "".join(f"{name},{n}\n" for n, name in enumerate(rows))
    files = dict.fromkeys(images, PIXEL) | ({"t.csv": text.encode()} if rows else {})
    table, findings = read(pack(tmp_path_factory.mktemp("s"), files))
    assert table["image_path"].drop_nulls().sort().to_list() == sorted(images)
    if rows and "table_not_joined" not in {finding.code for finding in findings}:
        used = set(table.filter(pl.col("image_path").is_not_null())["depth_min_m"].drop_nulls())
        unused = set(table.filter(pl.col("image_path").is_null())["depth_min_m"])
        assert used | unused == {str(n) for n in range(len(rows))}
        assert not used & unused


def test_an_empty_folder_is_an_error_with_help(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="empty folder") as caught:
        recognise(tmp_path)
    assert "--source" in str(caught.value)
    with pytest.raises(SourceError, match="no image file"):
        recognise(tmp_path, "folder").parts(tmp_path)


def test_the_real_isiis_zip_has_its_classes(shared_data: Path) -> None:
    table, findings = read(shared_data / "images" / "isiis_planktonset" / "isiis_planktonset.zip")
    assert table.height == 30_336
    assert table["label"].n_unique() == 121
    assert table["_reason"].count() == 0
    assert findings == []
