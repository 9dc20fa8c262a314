"""Every rule of EcoTaxa's importer: genuine packages pass, and for each rule one package fails."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from aqqua.errors import NotFoundError, UnsafeInputError
from aqqua.export import ecotaxa_rules
from aqqua.export.ecotaxa_package import Package, Picture, Table, parse_table
from aqqua.export.ecotaxa_rules import check_package, validate
from aqqua.metadata.check import Finding

GOOD = {
    "img_file_name": ("[t]", "a.png"),
    "img_rank": ("[f]", "0"),
    "object_id": ("[t]", "a"),
    "object_lat": ("[f]", "-24.5"),
    "object_lon": ("[f]", "145.5"),
    "object_date": ("[t]", "20210501"),
    "object_time": ("[t]", "093015"),
    "object_depth_min": ("[f]", "0"),
    "object_annotation_status": ("[t]", "predicted"),
    "object_annotation_category_id": ("[f]", "45074"),
    "object_area": ("[f]", "12.5"),
    "object_note": ("[t]", "µ"),
    "sample_id": ("[t]", "s"),
    "sample_ship": ("[t]", "Meteor"),
    "acq_id": ("[t]", "q"),
    "process_id": ("[t]", "p"),
}


def table(*more_rows: dict[str, str], drop: str = "", path: str = "s/ecotaxa_s.tsv", **cells: Any) -> Table:
    """The good table with cells changed, columns added (type, value) or dropped, and rows added."""
    columns = {name: pair for name, pair in GOOD.items() if name != drop}
    for name, value in cells.items():
        columns[name] = value if isinstance(value, tuple) else (columns.get(name, ("[t]", ""))[0], value)
    first = {name: value for name, (_, value) in columns.items()}
    rows = [first, *({**first, **row} for row in more_rows)]
    types = [kind for kind, _ in columns.values()]
    return parse_table(path, [list(columns), types, *([row[name] for name in columns] for row in rows)])


def codes(*tables: Table, picture: Callable[[str], Picture | None] | None = None, **package: object) -> list[str]:
    return [finding.code for finding in findings(*tables, picture=picture, **package)]


def findings(
    *tables: Table, picture: Callable[[str], Picture | None] | None = None, **package: object
) -> list[Finding]:
    look = picture or (lambda name: Picture("PNG", 8, 6))
    return check_package(Package("zip", tables, look, **package))  # type: ignore[arg-type]


def test_the_good_table_passes() -> None:
    assert findings(table()) == []


CELLS: list[tuple[str, dict[str, Any], str]] = [
    ("position", {"object_lat": "120"}, "Invalid Lat. value '120' for field 'object_lat'. Correct range is -90/+90°."),
    ("position", {"object_lon": "abc"}, "Invalid Long. value 'abc' for field 'object_lon'"),
    ("position", {"object_lat": "nan"}, "Invalid Lat."),
    ("position", {"object_lat": "43°61 0"}, "Invalid Lat."),
    ("date", {"object_date": "14/05/2023"}, "Invalid Date value '14/05/2023' for field 'object_date'."),
    ("date", {"object_date": "20140433"}, "Invalid Date value '20140433'"),
    ("date", {"object_annotation_date": "2015-11-31"}, "Invalid Date value '2015-11-31'"),
    ("time", {"object_time": "99"}, "Invalid Time value '99' for field 'object_time'."),
    ("time", {"object_time": "9:30:15"}, "Invalid Time value '9:30:15'"),
    ("time", {"object_time": "9920"}, "Invalid Time value '9920'"),
    ("time", {"object_annotation_time": "5:31"}, "Invalid Time value '5:31'"),
    ("number", {"object_area": "1,5"}, "Invalid float value '1,5' for field 'object_area'."),
    ("number", {"object_depth_min": "1_0"}, "Invalid float value '1_0'"),
    ("infinite", {"object_area": "inf"}, "stored as infinity"),
    ("too_long", {"object_note": "x" * 251}, "value too long for type character varying(250)"),
    ("too_long", {"sample_ship": ("[f]", "9" * 251)}, "value too long for type character varying(250)"),
    ("too_long", {"object_id": "x" * 256}, "value too long for type character varying(255)"),
    ("too_long", {"object_link": "http://example.org/" + "x" * 250}, "character varying(255)"),
    ("object_id", {"object_id": " "}, "Missing object_id."),
    ("dummy_id", {"sample_id": ""}, "__DUMMY_ID__3__"),
    ("status", {"object_annotation_status": "maybe"}, "Invalid Annotation Status 'maybe'"),
    (
        "no_category",
        {"object_annotation_category_id": ""},
        "When annotation status 'predicted' is provided there has to be a category.",
    ),
    ("no_category", {"object_annotation_category": ("[t]", "")}, "there has to be a category"),
    ("no_status", {"object_annotation_status": ""}, "When a category (45074) is provided it has to be with a status."),
    ("taxon_id", {"object_annotation_category_id": "99999999"}, "Some specified classif_id don't exist"),
    ("taxon_id", {"object_annotation_category_id": "1.5"}, "Some specified classif_id don't exist"),
    ("rank", {"img_rank": "100"}, "img_rank '100'"),
    ("rank", {"img_rank": "0.5"}, "img_rank '0.5'"),
    ("image", {"img_file_name": ""}, "Missing Image ''."),
    ("image", {"img_file_name": "../b.png"}, "Missing Image '../b.png'."),
    ("image", {"img_file_name": "../../b.png"}, "Missing Image '../../b.png'."),
    ("header", {"foo_bar": ("[t]", "")}, "Invalid Header 'foo_bar'. Unknown table prefix 'foo'."),
    ("header", {"noprefix": ("[t]", "")}, "Invalid Header 'noprefix'. Format must be Table_Field."),
    ("header_odd", {"object_\u200barea": ("[f]", "")}, "invisible character"),
    ("types", {"object_new": ("[n]", "")}, "Invalid Type '[n]' for field 'object_new'."),
    ("types", {"object_new": ("", "1")}, "Invalid Type '' for field 'object_new'."),
    ("hierarchy", {"object_annotation_hierarchy": ("[t]", "Biota>x")}, "KeyError"),
]


@pytest.mark.parametrize(("code", "cells", "message"), CELLS)
def test_each_wrong_cell_or_column_is_told(code: str, cells: dict[str, Any], message: str) -> None:
    def only_a(name: str) -> Picture | None:
        return Picture("PNG", 8, 6) if name == "s/a.png" else None

    (found,) = findings(table(**cells), picture=only_a)
    assert found.code == code
    assert message in found.message
    assert found.do
    assert found.where.startswith("s/ecotaxa_s.tsv")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("object_lat", "43°30 30"),
        ("object_lat", ""),
        ("object_lon", "-180"),
        ("object_date", "2014-04-20"),
        ("object_time", "930"),
        ("object_time", "0930"),
        ("object_time", "420"),
        ("object_time", "09:30:15"),
        ("object_time", "93015"),
        ("object_area", "NaN"),
        ("object_area", "NA"),
        ("object_area", "-1e-5"),
        ("object_annotation_status", "discarded"),
        ("object_annotation_status", "Validated"),
        ("img_rank", ""),
    ],
)
def test_what_the_importer_takes_passes(column: str, value: str) -> None:
    assert findings(table(**{column: value})) == []


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ("object_id", "Missing object_id."),
        ("img_file_name", "Missing Image 'absent img_file_name'."),
        ("sample_id", "Field sample_id is mandatory as there are some sample columns: ['sample_ship']."),
    ],
)
def test_columns_that_must_be_there(column: str, message: str) -> None:
    (found,) = findings(table(drop=column))
    assert found.message == message


def test_a_missing_line_of_types_is_one_finding() -> None:
    lines = [list(GOOD), [value for _, value in GOOD.values()], [value for _, value in GOOD.values()]]
    found = findings(parse_table("ecotaxa_x.tsv", lines))
    assert [finding.code for finding in found] == ["types"]
    assert "Invalid Type 'a.png' for field 'img_file_name'." in found[0].message


def test_values_beyond_the_last_column() -> None:
    good = table()
    lines = [list(good.header), list(good.types), [*good.frame.row(0), "Extra", " ", "Extra2"]]
    (found,) = findings(parse_table("ecotaxa_x.tsv", lines))
    assert found.message == "Value(s) ['Extra', 'Extra2'] must not be in a header-less column."
    assert found.where == "ecotaxa_x.tsv, line 3"


def test_a_name_that_stands_twice() -> None:
    lines = [
        [*GOOD, "object_area"],
        [*(kind for kind, _ in GOOD.values()), "[f]"],
        [*(v for _, v in GOOD.values()), "1"],
    ]
    assert codes(parse_table("ecotaxa_x.tsv", lines)) == ["header_twice"]


@pytest.mark.parametrize(
    ("prefix", "kind", "room"),
    [("object", "[t]", 19), ("sample", "[t]", 59), ("acq", "[f]", 30), ("process", "[t]", 30)],
)
def test_free_columns_have_limits(prefix: str, kind: str, room: int) -> None:
    fits: dict[str, Any] = {f"{prefix}_free{k}": (kind, "1") for k in range(room)}
    assert findings(table(**fits)) == []
    (found,) = findings(table(**fits | {f"{prefix}_last": (kind, "1")}))
    assert found.message == f"Field {prefix}_last cannot be mapped. Too many custom fields, or bad type."


def test_object_numbers_have_room_for_500_over_all_tables() -> None:
    many: dict[str, Any] = {f"object_x{k}": ("[f]", "1") for k in range(300)}
    more: dict[str, Any] = {f"object_y{k}": ("[f]", "1") for k in range(200)}
    one = table(**many)
    other = table(path="t/ecotaxa_t.tsv", object_id="b", drop="object_area", **more)
    assert codes(one, other) == ["too_many_columns"]


def test_a_column_has_one_type() -> None:
    other = table(path="t/ecotaxa_t.tsv", object_id="b", object_area=("[t]", "large"))
    assert codes(table(), other) == ["type_conflict"]


def test_an_acquisition_in_two_samples() -> None:
    (found,) = findings(table({"object_id": "b", "img_file_name": "b.png", "sample_id": "t"}))
    assert found.code == "acquisition_in_two_samples"
    told = "Acquisition 'q' is already associated with sample 's', it cannot be associated as well with 't'"
    assert found.message == told
    assert found.where == "s/ecotaxa_s.tsv, line 4, acq_id"


def test_an_acquisition_with_two_processes() -> None:
    assert codes(table({"object_id": "b", "process_id": "r"})) == ["two_processes"]


def test_an_object_in_two_samples_is_merged_in_silence() -> None:
    assert codes(table({"sample_id": "t", "acq_id": "r", "img_file_name": "b.png"})) == ["object_id_twice"]


def test_the_same_image_of_an_object_twice() -> None:
    (found,) = findings(table({}))
    assert found.message == "(Object 'a', Image 'a.png') is already in this TSV line 3."
    (found,) = findings(table(), table(path="t/ecotaxa_t.tsv"))
    assert found.message == "(Object 'a', Image 'a.png') is already in EcoTaxa or being imported."


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (None, "Missing Image 'a.png'."),
        (Picture(problem="broken data stream"), "Error while reading image 'a.png': broken data stream"),
        (Picture("TIFF", 8, 6), "Unsupported image format: TIFF, please convert to one of {'JPEG', 'PNG', 'GIF'}"),
        (Picture("PNG", 20_001, 6), "20001×6 pixels, more than 20,000"),
    ],
)
def test_images_that_are_refused(picture: Picture | None, message: str) -> None:
    (found,) = findings(table(), picture=lambda name: picture)
    assert found.code == "image"
    assert message in found.message


def test_taxon_ids_are_looked_up_where_they_are_known() -> None:
    assert codes(table(), taxon_ids={45074}) == []
    assert codes(table(), taxon_ids={45075}) == ["taxon_id"]


def test_packages_as_a_whole() -> None:
    assert codes() == ["no_table"]
    assert codes(table(), n_tables=2001) == ["too_many_tables"]
    assert codes(table(), nbytes=681_574_401) == ["upload_size"]
    assert codes(table(), nbytes=681_574_400) == []
    empty = parse_table("t/ecotaxa_t.tsv", [list(GOOD), [kind for kind, _ in GOOD.values()]])
    assert [(f.severity, f.code) for f in findings(empty)] == [("error", "no_object")]
    assert [(f.severity, f.code) for f in findings(table(), empty)] == [("warning", "no_object")]


def test_many_faults_of_a_kind_are_counted() -> None:
    found = findings(table(*({"object_id": str(k), "img_file_name": f"{k}.png"} for k in range(99)), object_lat="99"))
    assert len(found) == 21
    assert sum(finding.count for finding in found) == 100


# ---- packages on disk


def write_package(path: Path, data: bytes, images: dict[str, bytes], name: str = "ecotaxa_s.tsv") -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"s/{name}", data)
        for image, content in images.items():
            archive.writestr(f"s/{image}", content)
    return path


def text(encoding: str = "utf-8-sig") -> bytes:
    lines = [list(GOOD), [kind for kind, _ in GOOD.values()], [value for _, value in GOOD.values()]]
    return "\n".join("\t".join(line) for line in lines).encode(encoding)


def image(form: str = "PNG", dtype: str = "uint8") -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.zeros((6, 8), dtype)).save(out, form)
    return out.getvalue()


def on_disk(path: Path) -> list[str]:
    return [finding.code for finding in validate(path)]


def test_good_packages_on_disk(tmp_path: Path) -> None:
    assert validate(write_package(tmp_path / "a.zip", text(), {"a.png": image()})) == []
    assert validate(write_package(tmp_path / "b.zip", text("latin-1"), {"a.png": image("JPEG")})) == []
    assert validate(write_package(tmp_path / "c.zip", text(), {"a.png": image("GIF")}, "ecotaxa.txt")) == []
    assert validate(write_package(tmp_path / "d.zip", text(), {"a.png": image(dtype="uint16")})) == []


def test_broken_packages_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    assert on_disk(write_package(path, text("utf-8"), {"a.png": image()})) == ["encoding"]
    assert on_disk(write_package(path, text(), {"a.png": image("TIFF")})) == ["image"]
    assert on_disk(write_package(path, text(), {"a.png": image()[:60]})) == ["image"]
    assert on_disk(write_package(path, text(), {"a.PNG": image()})) == ["image"]
    assert on_disk(write_package(path, text().replace(b"a.png", b"a.bmp"), {"a.bmp": image("BMP")})) == ["image"]
    assert on_disk(write_package(path, text(), {"a.png": image()}, "Ecotaxa_s.tsv")) == ["no_table"]
    assert on_disk(write_package(path, b"", {})) == ["no_object"]
    assert on_disk(write_package(path, text()[:-8] + b"\xff\xff", {"a.png": image()})) == ["no_object", "broken_table"]


def test_a_package_that_escapes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsafeInputError):
        validate(write_package(tmp_path / "x.zip", text(), {"../../a.png": image()}))
    with pytest.raises(NotFoundError):
        validate(tmp_path / "nothing.zip")


def test_too_many_tables_are_not_even_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ecotaxa_rules, "MAX_TABLES", 2)
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for k in range(3):
            archive.writestr(f"{k}/ecotaxa.tsv", text())
    assert "too_many_tables" in on_disk(tmp_path / "x.zip")


# ---- genuine packages

GENUINE = [
    "import_test",
    "import_test.zip",
    "import_test_plus_more",
    "import_test_tot_vol",
    "import_mixed_states",
    "import_various_states",
    "import_v_or_d_just_state",
    "import_bad_free_data",
    "import de categories ambigues",
    "merge_test/more_cols",
    "merge_test/lots_of_cols",
    "merge_test/second_merge",
    "ref_exports/bak_all_images",
]


@pytest.mark.parametrize("name", GENUINE)
def test_genuine_packages_that_ecotaxa_imports_pass(shared_data: Path, name: str) -> None:
    found = validate(shared_data / "ecotaxa" / "qa_packages" / name)
    assert [finding for finding in found if finding.severity == "error"] == []


# What EcoTaxa's own tests expect it to say about its packages that are broken on purpose.
BROKEN = {
    "no_relevant_file": ["No object to import."],
    "empty_tsv": ["No object to import."],
    "empty_tsv2": ["No object to import."],
    "no_classif_id": ["Some specified classif_id don't exist, correct them prior to reload: 99999999"],
    "predicted_but_what": ["When annotation status 'predicted' is provided there has to be a category."],
    "classif_without_state": ["When a category (84963) is provided it has to be with a status."],
    "extra_data_without_header": ["Value(s) ['Extra', 'Extra2'] must not be in a header-less column."],
    "duplicate_in_tsv": [
        "(Object 'm106_mn01_n3_sml_1120', Image 'm106_mn01_n3_sml_1111.jpg') is already in this TSV line 3."
    ],
    "tsv_too_many_cols": [
        f"Field {prefix}_cus{k} cannot be mapped. Too many custom fields, or bad type."
        for prefix, numbers in {"sample": (59, 60, 61), "process": (29, 30, 31), "acq": (29, 30, 31)}.items()
        for k in numbers
    ],
    "corrupted_img": [
        "Error while reading image '20200108 080729  764  000001 0702 1167.png'",
        "Error while reading image '20200108 082108  029  000001 1251 0708.png'",
        "Missing Image '20200108 082115  096  000000 0189 0030.tif'.",
    ],
}


@pytest.mark.parametrize(("name", "expected"), BROKEN.items())
def test_genuine_packages_that_are_broken_are_refused_in_ecotaxas_words(
    shared_data: Path, name: str, expected: list[str]
) -> None:
    found = [one for one in validate(shared_data / "ecotaxa/qa_packages/import_issues" / name) if one.code != "asks"]
    assert len(found) == len(expected)
    assert all(finding.severity == "error" for finding in found)
    for finding, message in zip(found, expected, strict=True):
        assert finding.message.startswith(message)


def test_a_package_may_contradict_what_was_imported_before(shared_data: Path) -> None:
    packages = shared_data / "ecotaxa" / "qa_packages"
    later = packages / "import_issues" / "breaking_hierarchy"
    assert [finding.code for finding in validate(later)] == ["asks"]  # t001 is a taxon of the test server
    found, _ = validate(later, packages / "import_test")
    assert found.message.startswith("Acquisition 'generic_m106_mn01_n1_sml' is already associated with sample")


def test_exports_that_cannot_be_imported_again(shared_data: Path) -> None:
    found = {finding.code for finding in validate(shared_data / "ecotaxa/qa_packages/ref_exports/tsv_by_acquisition")}
    assert found >= {"types", "hierarchy"}
