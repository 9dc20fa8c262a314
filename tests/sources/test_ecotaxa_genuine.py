"""Every genuine EcoTaxa package and table there is reads completely; the broken ones say what to do.

What a table holds is counted and compared by the standard library's csv module, so that nothing is measured with its
own ruler: rows, cells word for word, images that are there.
"""

from __future__ import annotations

import csv
import gzip
import io
import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from posixpath import basename, dirname, join, splitext

import numpy as np
import polars as pl
import pytest

from aqqua.errors import AqquaError, SourceError
from aqqua.export.ecotaxa_rules import validate
from aqqua.metadata.card import Card
from aqqua.metadata.harmonise import Harmonised, harmonise
from aqqua.sources import recognise
from aqqua.sources.ecotaxa_export import EcotaxaExport
from aqqua.sources.ingest import ingest
from aqqua.sources.part import Part
from aqqua.store.dataset import Dataset
from tests.conftest import ROOT

DATA = Path(os.environ.get("AQQUA_SHARED_DATA", ROOT.parent / "shared" / "data")) / "ecotaxa"
GROUPS = ("ref_exports", "import_issues", "merge_test")
OWN = {"source_path", "source_row", "image_path", "object_id", "_field", "_reason", "_do"}
WITHOUT_OBJECTS = ("abundances", "biovolumes", "concentrations", "summary", "just_annotations")
"""Exports that are no objects with images: counts by sample and taxon, or annotations only."""
BARE_TABLES = 15


def discovered() -> list[str]:
    """All packages, by their path below the folder of EcoTaxa data; none where there is no real data."""
    packages = DATA / "qa_packages"
    if not packages.is_dir():
        return []
    tops = [path for path in sorted(packages.iterdir()) if path.is_dir() or path.suffix == ".zip"]
    inner = [path for group in GROUPS for path in sorted((packages / group).iterdir())]
    return [str(path.relative_to(DATA)) for path in [*tops, *inner] if path.name not in GROUPS]


PACKAGES = discovered()
OBJECTS = [
    name
    for name in PACKAGES
    if not basename(name).startswith(WITHOUT_OBJECTS) and basename(name) not in {"no_relevant_file"}
]


@dataclass(frozen=True)
class Told:
    """A table as the csv module reads it: names, rows with the line each begins on."""

    header: list[str]
    rows: list[tuple[int, list[str]]]


def members(path: Path) -> dict[str, bytes]:
    """Every file of a package."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            return {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}
    files = (one for one in path.rglob("*") if one.is_file())
    return {one.relative_to(path).as_posix(): one.read_bytes() for one in files}


def told_by(data: bytes) -> Told:
    """Read a table independently: encoding by the byte order mark, a line of types told by its brackets."""
    encoding = "utf-8-sig" if data.startswith(b"\xef\xbb\xbf") else "latin-1"
    reader = csv.reader(io.StringIO(data.decode(encoding), newline=""), delimiter="\t")
    lines: list[tuple[int, list[str]]] = []
    start = 1
    for cells in reader:
        if any(cells):
            lines.append((start, cells))
        start = reader.line_num + 1
    if not lines:
        return Told([], [])
    typed = len(lines) > 1 and all(cell.strip() in {"[t]", "[f]", "[n]", ""} for cell in lines[1][1])
    return Told([cell.strip().lower() for cell in lines[0][1]], lines[1 + typed :])


def parts_of(name: str) -> Iterator[tuple[Part, Told]]:
    """Each part of a package, beside what csv says about its table."""
    files = members(DATA / name)
    source = recognise(DATA / name)
    assert source.name == "ecotaxa_export"
    parts = source.parts(DATA / name)
    tables = {file for file in files if file.lower().endswith((".tsv", ".txt"))}
    assert {part.name for part in parts} == tables
    for part in parts:
        yield part, told_by(files[part.name])


def harmonised(table: pl.DataFrame) -> Harmonised:
    return harmonise(table, source="ecotaxa_export", card=Card())


def test_nearly_all_of_them_were_found(shared_data: Path) -> None:
    assert shared_data / "ecotaxa" == DATA
    assert len(PACKAGES) >= 45
    assert len(OBJECTS) >= 30
    assert len(members(DATA / "qa_packages" / "import_test.zip")) == 11
    assert sum(" " in name for name in PACKAGES) == 1


@pytest.mark.parametrize("name", OBJECTS)
def test_every_row_and_cell_word_for_word(shared_data: Path, name: str) -> None:
    for part, told in parts_of(name):
        table = part.table()
        assert table["source_row"].to_list() == [line for line, _ in told.rows]
        assert set(table["source_path"]) <= {f"{basename(name)}{'!' if name.endswith('.zip') else '/'}{part.name}"}
        if table.height:
            assert {column for column in told.header if column} <= set(table.columns)
        for position, column in enumerate(told.header if table.height else []):
            expected = [cells[position] if position < len(cells) else "" for _, cells in told.rows]
            if column == "object_id":
                expected = [cell.strip() for cell in expected]
            if column:
                assert table[column].fill_null("").to_list() == expected, column


@pytest.mark.parametrize("name", OBJECTS)
def test_every_image_link_resolves_or_is_rejected_with_a_reason(shared_data: Path, name: str) -> None:
    files = members(DATA / name)
    for part, told in parts_of(name):
        table = part.table()
        column = told.header.index("img_file_name") if "img_file_name" in told.header else None
        beside = [join(dirname(part.name), cells[column]) if column is not None else "" for _, cells in told.rows]
        for row, path in zip(table.iter_rows(named=True), beside, strict=True):
            if row["_reason"] is None:
                # A package of one folder per sample may also hold its images below a folder named as the table.
                assert row["image_path"] in files
                assert row["image_path"].endswith(basename(path))
            elif "image" in row["_reason"] and "repeats" not in row["_reason"]:
                assert path not in files
                assert row["_field"] == "img_file_name"
                assert (basename(path) or "names no image") in row["_reason"]
                assert row["_do"]
        usable = table["_reason"].is_null().arg_true().to_list()
        for pixels in part.images(usable):
            if isinstance(pixels, np.ndarray):
                assert pixels.size
            else:
                assert splitext(str(pixels.where))[1]
                assert pixels.do


@pytest.mark.parametrize("name", OBJECTS)
def test_every_row_becomes_converted_metadata_or_a_reject_with_its_line(shared_data: Path, name: str) -> None:
    for part, told in parts_of(name):
        made = harmonised(part.table())
        lines = {line for line, _ in told.rows}
        converted = set(made.converted["source_row"].to_list())
        rejected = set(made.rejects["source_row"].to_list())
        assert converted | rejected == lines
        assert not converted & rejected
        assert made.converted.height == len(converted)
        for row in made.rejects.iter_rows(named=True):
            assert row["source_path"].endswith(part.name)
            assert row["reason"]
            assert row["do"]


def test_values_of_a_known_object_in_all_flavours(shared_data: Path) -> None:
    """Object m106_mn01_n1_sml_409 is in the import package and in each of its exports: the same place and time."""
    seen = []
    for name in OBJECTS:
        for part, _ in parts_of(name):
            made = harmonised(part.table()).converted
            rows = made.filter(pl.col("object_id") == "m106_mn01_n1_sml_409")
            seen += [(name, row) for row in rows.iter_rows(named=True)]
    assert len(seen) >= 10
    exported = [row for name, row in seen if "ref_exports" in name]
    assert len({(row["latitude"], row["longitude"], row["time_utc"], row["pixel_um"]) for row in exported}) == 1
    (row, *_) = exported
    assert (row["latitude"], round(row["longitude"], 4)) == (18.0, -24.4167)
    assert f"{row['time_utc']:%Y-%m-%d %H:%M}" == "2014-04-20 04:20"
    assert (row["depth_min_m"], row["depth_max_m"]) == (600, 1000)
    assert round(row["pixel_um"], 3) == 10.6


# ---- tables without images, and tables of other kinds


def test_the_table_of_a_whole_cruise(shared_data: Path, tmp_path: Path) -> None:
    """7,631 objects without images, gzipped by those who published it."""
    packed = DATA / "tables" / "planktoscope_trellu" / "inst" / "extdata" / "global.tsv.gz"
    data = gzip.decompress(packed.read_bytes())
    (tmp_path / "ecotaxa_global.tsv").write_bytes(data)
    told = told_by(data)
    (part,) = EcotaxaExport().parts(tmp_path)
    table = part.table()
    assert table.height == len(told.rows) == 7631
    assert table["_reason"].unique().to_list() == ["the row names no image"]
    for column in ("object_id", "object_lat", "object_annotation_category", "process_pixel", "acq_imaged_volume"):
        place = told.header.index(column)
        assert table[column].fill_null("").to_list() == [cells[place] for _, cells in told.rows]
    made = harmonised(table)
    assert made.converted.height == 7631
    assert made.rejects.is_empty()
    assert set(made.converted["instrument"]) == {"PlanktoScope"}
    assert [round(value, 4) for value in made.converted["pixel_um"].unique()] == [0.86]
    assert made.labels.height == 7631
    assert set(made.labels["status"]) == {"validated"}


@pytest.mark.parametrize("name", ["planktoscope_tots", "planktoscope_trellu", "zooscan_stonehaven"])
def test_folders_of_other_tables_are_refused_with_advice(shared_data: Path, name: str) -> None:
    with pytest.raises(SourceError, match="no reader recognises") as caught:
        recognise(DATA / "tables" / name)
    assert name in str(caught.value.where)
    assert "--source" in (caught.value.do or "")


@pytest.mark.parametrize("name", [name for name in PACKAGES if basename(name).startswith(WITHOUT_OBJECTS)])
def test_counts_are_no_objects(shared_data: Path, name: str) -> None:
    assert len(PACKAGES) - len(OBJECTS) - 1 == BARE_TABLES
    with pytest.raises(SourceError, match="no reader recognises") as caught:
        recognise(DATA / name)
    assert "object_id and img_file_name" in str(caught.value)
    with pytest.raises(SourceError) as caught:
        EcotaxaExport().parts(DATA / name)
    assert "EcoTaxa: general export with images" in (caught.value.do or "")


# ---- broken on purpose: what a person who ingests is told, and what one who would import it there

ISSUES = "qa_packages/import_issues/"
NOTHING: tuple[str, ...] = ()
BROKEN: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "no_relevant_file": (
        ("no reader recognises this path", "ecotaxa*.tsv", "no_relevant_file", "check the path, or name the reader"),
        ("No object to import.", "ecotaxa_<something>.tsv"),
    ),
    "empty_tsv": (("the table has a header and no rows", "empty_tsv"), ("TSV file(s) might be empty", "n365_sml.tsv")),
    "empty_tsv2": (("the table is empty", "empty_tsv2"), ("TSV file(s) might be empty", "n365_sml.tsv")),
    "extra_data_without_header": (
        ("m106_mn04_n1_sml.tsv, line 3, Extra", "the line has 90 cells, its header 88", "mend this line"),
        ("['Extra', 'Extra2'] must not be in a header-less column", "m106_mn04_n1_sml.tsv, line 3", "name the column"),
    ),
    "duplicate_in_tsv": (
        ("n3_sml_pls.tsv, line 4, object_id", "the row repeats line 3", "remove one of the two lines"),
        ("is already in this TSV line 3.", "n3_sml_pls.tsv, line 4, object_id", "remove the line"),
    ),
    "corrupted_img": (
        (
            "ecotaxa.PS122.txt, line 5, img_file_name",
            "there is no image '20200108 082115  096  000000 0189 0030.tif' in the package",
            "add the file",
        ),
        ("Missing Image '20200108 082115  096  000000 0189 0030.tif'", "ecotaxa.PS122.txt, line 5", "put the image"),
    ),
    "classif_without_state": (
        ("no column object_annotation_status: they were taken as predictions", "n3_sml_pls.tsv, line 3", "add the"),
        ("When a category (84963) is provided it has to be with a status.", "n3_sml_pls.tsv, line 3", "predicted or"),
    ),
    "predicted_but_what": (
        ("a status and no category, so without label here: 'predicted'", "n3_sml_pls.tsv, line 3", "give object_ann"),
        ("When annotation status 'predicted' is provided there has to be a category.", "line 3", "category_id"),
    ),
    "no_classif_id": (
        ("the table says 99999999 for 'detritus', which is 84963 in EcoTaxa", "n3_sml.tsv, line 3", "correct object_"),
        ("Some specified classif_id don't exist", "99999999", "n3_sml.tsv, line 3", "look the taxon up"),
    ),
    # Both of these read without loss: what stops EcoTaxa is its room for columns, and what it holds already.
    "tsv_too_many_cols": (NOTHING, ("Field sample_cus59 cannot be mapped", "n3_sml.tsv", "there is room for 60")),
    "breaking_hierarchy": (NOTHING, ("Acquisition 'generic_m106_mn01_n1_sml' is already", "line 3, acq_id", "names")),
}


def test_every_broken_package_has_its_expectation(shared_data: Path) -> None:
    assert set(BROKEN) == {basename(name) for name in PACKAGES if name.startswith(ISSUES)}


def what_ingest_says(package: Path, dataset: Path) -> str:
    """The error, or findings and rejects, as one text with path, line and what to do."""
    try:
        report = ingest([package], dataset)
    except AqquaError as error:
        return str(error)
    lines = [f"{one.where}: {one.message}; {one.do}" for one in report.findings]
    rejects = Dataset.open(dataset).rejected().iter_rows(named=True)
    lines += [
        f"{row['source_path']}, line {row['source_row']}, {row['field']}: {row['reason']}; {row['do']}"
        for row in rejects
    ]
    return "\n".join(lines)


@pytest.mark.parametrize("name", BROKEN)
def test_ingest_tells_what_is_broken_where_and_what_to_do(shared_data: Path, tmp_path: Path, name: str) -> None:
    told = what_ingest_says(DATA / ISSUES / name, tmp_path / "mine")
    for part in BROKEN[name][0]:
        assert part in told
    if not BROKEN[name][0]:
        assert len(Dataset.open(tmp_path / "mine")) == 1
        assert Dataset.open(tmp_path / "mine").rejected().is_empty()


@pytest.mark.parametrize("name", BROKEN)
def test_the_validator_tells_what_is_broken_where_and_what_to_do(shared_data: Path, name: str) -> None:
    before = [DATA / "qa_packages" / "import_test"] if name == "breaking_hierarchy" else []
    found = [one for one in validate(DATA / ISSUES / name, *before) if one.severity == "error"]
    told = "\n".join(f"{one.where}: {one.message}; {one.do}" for one in found)
    for part in BROKEN[name][1]:
        assert part in told


def test_damaged_images_are_rejects_that_name_them(shared_data: Path, tmp_path: Path) -> None:
    card = Card(defaults={"pixel_um": 23.0})
    report = ingest([DATA / ISSUES / "corrupted_img"], tmp_path / "mine", card=card)
    assert (report.images, report.rejected) == (0, 4)
    rows = Dataset.open(tmp_path / "mine").rejected().sort("source_row")
    assert rows["source_row"].to_list() == [3, 4, 5, 6]
    damaged = rows.filter(pl.col("source_row") != 5)
    assert all("damaged" in reason for reason in damaged["reason"])
    assert set(damaged["do"]) == {"export this image again"}


def test_free_data_that_are_no_numbers_are_told_and_stored_as_missing(shared_data: Path, tmp_path: Path) -> None:
    """acq_sub_part is 2, 4, 8, 8, 8, "hi", NaN and "b"."""
    report = ingest([DATA / "qa_packages" / "import_bad_free_data"], tmp_path / "mine")
    assert (report.images, report.rejected) == (8, 0)
    (found,) = (one for one in report.findings if one.code == "value_unreadable")
    assert "'hi' in column acq_sub_part" in found.message
    assert found.where.endswith("ecotaxa_m106_mn01_n4_sml.tsv, line 8")
    assert found.count == 2
    assert found.do
    made = Dataset.open(tmp_path / "mine").metadata(["source_row", "subsample_factor"]).sort("source_row")
    assert made["subsample_factor"].to_list() == [2, 4, 8, 8, 8, None, None, None]
