"""EcoTaxa packages of every flavour give the same rows and pixels; broken ones give reasons."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aqqua.errors import SourceError
from aqqua.sources import recognise
from aqqua.sources.part import Part
from tests.make.ecotaxa import FLAVOURS, Flavour, rows, table_bytes, write_package
from tests.make.images import as_file
from tests.make.packing import pack


def read(path: Path) -> tuple[pl.DataFrame, list[np.ndarray | SourceError | None], list[Part]]:
    """All rows of a package, with pixels (None where the row cannot be used)."""
    source = recognise(path)
    assert source.name == "ecotaxa_export"
    parts = source.parts(path)
    images: list[np.ndarray | SourceError | None] = []
    for part in parts:
        table = part.table()
        usable = table["_reason"].is_null().arg_true().to_list()
        found = dict(zip(usable, part.images(usable), strict=True))
        images += [found.get(row) for row in range(table.height)]
    return pl.concat([part.table() for part in parts], how="diagonal"), images, parts


@pytest.mark.parametrize("suffix", ["", ".zip"])
@pytest.mark.parametrize("flavour", FLAVOURS)
def test_every_flavour_object_for_object(tmp_path: Path, flavour: str, suffix: str) -> None:
    package = write_package(tmp_path / f"cruise{suffix}", FLAVOURS[flavour])
    table, images, _ = read(package.path)
    assert table["_reason"].null_count() == table.height == len(package.pixels)
    for row, pixels in zip(table.iter_rows(named=True), images, strict=True):
        expected = package.pixels[row["object_id"], int(row["img_rank"])]
        assert isinstance(pixels, np.ndarray)
        np.testing.assert_array_equal(pixels, expected)
        assert row["object_comment"] == "µm, ° and é"
    assert set(table.columns) >= {"object_lat", "acq_instrument", "process_particle_pixel_size_mm", "sample_tot_vol"}


@pytest.mark.parametrize(
    ("flavour", "date", "area"),
    [("import", "20140420", "100.5"), ("general", "2014-04-20", "100.5"), ("legacy_comma", "20140420", "100,5")],
)
def test_values_stay_verbatim(tmp_path: Path, flavour: str, date: str, area: str) -> None:
    table, _, _ = read(write_package(tmp_path / "p", FLAVOURS[flavour]).path)
    assert set(table.dtypes) == {pl.String, pl.Int32}
    assert set(table["object_date"]) == {date}
    assert area in table["object_area"].to_list()


def test_rows_know_their_line(tmp_path: Path) -> None:
    package = write_package(tmp_path / "cruise.zip", FLAVOURS["import"])
    table, _, _ = read(package.path)
    first = table.filter(pl.col("source_path") == "cruise.zip!sample_0/ecotaxa_sample_0.tsv")
    assert first["source_row"].to_list() == list(range(3, 3 + first.height))


def test_images_absent_is_a_reason_per_row(tmp_path: Path) -> None:
    table, images, _ = read(write_package(tmp_path / "p", Flavour(images=False)).path)
    assert table["_reason"].unique().to_list() == ["the row names no image"]
    assert table["_field"].unique().to_list() == ["img_file_name"]
    assert images == [None] * table.height


def test_a_missing_image_is_a_reason(tmp_path: Path) -> None:
    package = write_package(tmp_path / "p", FLAVOURS["import"])
    (package.path / "sample_0" / "sample_0_0_0.png").unlink()
    table, images, _ = read(package.path)
    bad = table.filter(pl.col("_reason").is_not_null())
    assert bad["_reason"].to_list() == ["there is no image 'sample_0_0_0.png' in the package"]
    assert sum(image is None for image in images) == 1


def test_a_corrupt_image_is_an_error_of_its_row_only(tmp_path: Path) -> None:
    package = write_package(tmp_path / "p", FLAVOURS["import"])
    path = package.path / "sample_0" / "sample_0_0_0.png"
    path.write_bytes(path.read_bytes()[:60])
    _, images, _ = read(package.path)
    errors = [image for image in images if isinstance(image, SourceError)]
    assert len(errors) == 1
    assert "damaged" in errors[0].what
    assert errors[0].where == "p/sample_0/sample_0_0_0.png"


@pytest.mark.parametrize(
    "name", ["../outside.png", "/etc/outside.png", "sample_0/../../outside.png", "..\\outside.png"]
)
def test_a_file_name_that_leads_out_is_a_reason(tmp_path: Path, name: str) -> None:
    (tmp_path / "outside.png").write_bytes(b"secret")
    table = rows()
    package = write_package(tmp_path / "p", FLAVOURS["import"], table)
    lines = [dict(row, img_file_name=name) if row["object_id"] == "sample_0_0" else row for row in table]
    (package.path / "sample_0" / "ecotaxa_sample_0.tsv").write_bytes(
        table_bytes([row for row in lines if row["sample_id"] == "sample_0"], FLAVOURS["import"])
    )
    read_table, _, _ = read(package.path)
    reasons = read_table["_reason"].drop_nulls().to_list()
    assert reasons == [f"the file name {name!r} leads out of the package"] * 2


def test_a_table_without_types_line_loses_nothing_and_says_so(tmp_path: Path) -> None:
    package = write_package(tmp_path / "p", Flavour(types=False))
    table, images, parts = read(package.path)
    assert all(isinstance(image, np.ndarray) for image in images)
    assert table.height == len(package.pixels)
    assert {finding.code for part in parts for finding in part.rows.findings} == {"no_types_line"}


def test_a_broken_types_line_is_a_reason(tmp_path: Path) -> None:
    package = write_package(tmp_path / "p", FLAVOURS["no_bom"])
    path = next(package.path.glob("*.tsv"))
    path.write_bytes(path.read_bytes().replace(b"[t]\t[f]", b"[t]\tfloat", 1))
    table, _, _ = read(package.path)
    assert table.filter(pl.col("_reason").is_not_null()).select("source_row", "_reason").rows() == [
        (2, "the line of types is broken")
    ]
    assert table.height == len(package.pixels) + 1


def test_ragged_rows(tmp_path: Path) -> None:
    package = write_package(tmp_path / "p", FLAVOURS["no_bom"])
    path = next(package.path.glob("*.tsv"))
    lines = path.read_text().splitlines()
    lines[3] += "\tExtra"
    lines[4] = lines[4].rsplit("\t", 2)[0]
    path.write_text("\n".join(lines))
    table, images, parts = read(package.path)
    bad = table.filter(pl.col("_reason").is_not_null())
    assert bad["source_row"].to_list() == [4]
    assert bad["_field"].to_list() == ["Extra"]
    assert isinstance(images[2], np.ndarray)
    assert [(finding.code, finding.count) for finding in parts[0].rows.findings] == [("short_rows", 1)]


def test_a_header_that_stands_twice(tmp_path: Path) -> None:
    package = write_package(tmp_path / "p", FLAVOURS["no_bom"])
    path = next(package.path.glob("*.tsv"))
    path.write_text(path.read_text().replace("object_area", "object_lat"))
    table, _, _ = read(package.path)
    assert table["_reason"].null_count() == 0
    assert "stands twice" in table["_reason"][0]
    assert table["object_lat.2"][0] == "100.5"


def test_a_repeated_row_is_a_reason(tmp_path: Path) -> None:
    table = rows()
    package = write_package(tmp_path / "p", FLAVOURS["no_bom"], [*table, table[0]])
    found, _, _ = read(package.path)
    assert found["_reason"].drop_nulls().to_list() == ["the row repeats line 3: same object, same image"]


def test_several_objects_may_share_an_image(tmp_path: Path) -> None:
    table = rows()
    table = [dict(row, img_file_name="one.png") for row in table if row["img_rank"] == "0"]
    found, images, _ = read(write_package(tmp_path / "p", FLAVOURS["no_bom"], table).path)
    assert found["_reason"].drop_nulls().is_empty()
    assert len(images) == len(table)


@pytest.mark.parametrize(
    "data", [b"", b"object_id\timg_file_name\n[t]\t[t]\n", b"\xef\xbb\xbfobject_id\timg_file_name\n"]
)
def test_an_empty_table_is_a_finding(tmp_path: Path, data: bytes) -> None:
    table, _, parts = read(pack(tmp_path / "p", {"ecotaxa_x.tsv": data}))
    assert table.height == 0
    assert [finding.code for finding in parts[0].rows.findings] == ["empty_table"]


def test_a_table_of_something_else_rejects_its_rows(tmp_path: Path) -> None:
    table, _, _ = read(pack(tmp_path / "p", {"ecotaxa_x.tsv": b"species\tcount\nCopepoda\t5\n"}))
    assert table["_reason"].to_list() == ["the row has no object_id"]


def test_one_table_may_be_named(tmp_path: Path) -> None:
    package = write_package(tmp_path / "p", FLAVOURS["general"])
    _, images, parts = read(package.path / "ecotaxa_sample_1.tsv")
    assert [part.name for part in parts] == ["ecotaxa_sample_1.tsv"]
    assert all(isinstance(image, np.ndarray) for image in images)


def test_a_table_of_another_name_is_known_by_its_header(tmp_path: Path) -> None:
    package = write_package(tmp_path / "p", FLAVOURS["no_bom"])
    table = next(package.path.glob("*.tsv"))
    table.rename(table.with_name("my_data.tsv"))
    assert read(package.path)[0].height == len(package.pixels)


def test_parts_travel_without_what_was_read(tmp_path: Path) -> None:
    part = read(write_package(tmp_path / "p", FLAVOURS["import"]).path)[2][0]
    assert len(pickle.dumps(part)) < 500
    assert pickle.loads(pickle.dumps(part)).table().equals(part.table())


def test_the_estimate_is_near(tmp_path: Path) -> None:
    part = read(write_package(tmp_path / "p", FLAVOURS["no_bom"], rows(300)).path)[2][0]
    assert part.table().height <= part.estimate() <= part.table().height + 5


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(
    lines=st.lists(
        st.tuples(st.sampled_from(["", "o1", "o2", "o3"]), st.sampled_from(["", "a.png", "b.png", "no.png", "../x"])),
        max_size=8,
    ),
    surplus=st.sets(st.integers(0, 7)),
)
def test_every_row_is_an_image_or_has_a_reason(
    tmp_path_factory: pytest.TempPathFactory, lines: list[tuple[str, str]], surplus: set[int]
) -> None:
    text = "object_id\timg_file_name\n[t]\t[t]\n"
    told = [line for line in lines if any(line)]
    text += "".join("\t".join([*line, "Extra"][: 3 if n in surplus else 2]) + "\n" for n, line in enumerate(told))
    image = as_file(np.zeros((3, 4), np.uint8))
    path = tmp_path_factory.mktemp("p")
    pack(path, {"ecotaxa.tsv": text.encode(), "a.png": image, "b.png": image[:50]})
    table, images, _ = read(path)
    arrays = sum(isinstance(image, np.ndarray) for image in images)
    errors = sum(isinstance(image, SourceError) for image in images)
    assert table.height == len(told)
    assert arrays + errors + table["_reason"].count() == len(told)


def test_genuine_packages(shared_data: Path) -> None:
    folder = shared_data / "ecotaxa" / "qa_packages"
    for name, expected in {"import_test": 11, "import_test.zip": 8, "import_test_plus_more": 1}.items():
        table, images, _ = read(folder / name)
        assert table.height == expected
        assert all(isinstance(image, np.ndarray) for image in images)
    for name, expected in {"doi": 12, "tsv_by_acquisition": 13, "tsv_by_taxon": 12, "bak_all_images": 12}.items():
        table, images, _ = read(folder / "ref_exports" / name)
        assert table.height >= expected
        assert all(isinstance(image, np.ndarray) for image in images)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("corrupted_img", "the image file is damaged"),
        ("extra_data_without_header", "the line has 90 cells, its header 88"),
        ("duplicate_in_tsv", "the row repeats line 3"),
    ],
)
def test_genuinely_broken_packages_give_reasons(shared_data: Path, name: str, reason: str) -> None:
    table, images, _ = read(shared_data / "ecotaxa" / "qa_packages" / "import_issues" / name)
    told = table["_reason"].drop_nulls().to_list() + [str(image) for image in images if isinstance(image, SourceError)]
    assert any(reason in line for line in told)


def test_a_genuine_folder_without_anything_relevant(shared_data: Path) -> None:
    with pytest.raises(SourceError, match="no reader recognises") as caught:
        recognise(shared_data / "ecotaxa" / "qa_packages" / "import_issues" / "no_relevant_file")
    assert "--source" in str(caught.value)
