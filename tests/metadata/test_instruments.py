"""The page of all instruments, and how much of real tables the mappings cover."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import pytest

from aqqua.metadata.instruments import coverage, reference
from aqqua.metadata.mapping import GENERIC, load_mapping, mapping_names
from aqqua.metadata.rules import STATUSES

LISTED = (
    *("UVP5", "UVP6", "ZooScan", "FlowCam", "IFCB", "PlanktoScope", "ISIIS", "CPICS", "Plankton Imager", "LOKI"),
    *("CytoSense", "ZooCam", "VPR", "SPC", "Planktivore", "Flatbed scanner", "Light microscope", "PIScO", "LISST-Holo"),
    *("ImageStream", "eHFCM"),
)
TOTS = "ecotaxa/tables/planktoscope_tots/project-metadata/log-sheet-snapshots/2024-02-05"
ECOPART = "interpolation/ecopart_uvp5_rufas2024/20240422_PAPSO"

# Table, its instrument, and the columns that nobody has described.
TABLES: list[tuple[str, str, set[str]]] = [
    ("ifcb/iRfcb/inst/exdata/ecotaxa_table_with_classification.tsv", "UVP5", set()),
    ("ifcb/iRfcb/inst/exdata/ecotaxa_table_without_classification.tsv", "ZooScan", set()),
    ("ifcb/iRfcb/inst/exdata/example_table_ifcb.tsv", "IFCB", set()),
    ("ifcb/iRfcb/inst/exdata/ecotaxa_table_minimum.tsv", "UVP5", set()),
    ("ecotaxa/tables/planktoscope_trellu/inst/extdata/global.tsv.gz", "PlanktoScope", set()),
    (f"{TOTS}/src.tsv", "PlanktoScope", set()),
    (f"{TOTS}/acq.tsv", "PlanktoScope", set()),
    (f"{TOTS}/adj.tsv", "PlanktoScope", set()),
    ("ecotaxa/tables/zooscan_stonehaven/Data/Data.txt.gz", "ZooScan", set()),
    ("ecotaxa/qa_packages/import_issues/corrupted_img/ecotaxa.PS122.txt", "LOKI", set()),
    ("ecotaxa/qa_packages/import_test/m106_mn01_n1_sml/ecotaxa_m106_mn01_n1_sml.tsv", "Flatbed scanner", set()),
    ("images/uvp5_morphr/derived_plank.csv", "UVP5", set()),
    (f"{ECOPART}/export_detailed_20240422_11_01_Export_metadata_summary.tsv", "UVP5", set()),
    (f"{ECOPART}/export_detailed_20240422_11_01_PAR_station_001.tsv.gz", "UVP5", {"depth [m]"}),  # beside "Depth [m]"
    ("interpolation/uvp5_profiles_planktyp/data/extract_zoo/UVP5_volumes.tsv.gz", "UVP5", set()),
    ("interpolation/uvp5_profiles_planktyp/data/extract_zoo/UVP5_samples_selected.tsv", "UVP5", set()),
]


def header(path: Path) -> list[str]:
    """The first line of a table."""
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    line = data.splitlines()[0]
    try:
        text = line.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = line.decode("latin-1")
    return [name.strip() for name in next(csv.reader([text], delimiter="\t" if "\t" in text else ","))]


@pytest.mark.parametrize(("table", "instrument", "unmapped"), TABLES, ids=[table for table, _, _ in TABLES])
def test_every_column_of_real_tables_is_something(
    shared_data: Path, table: str, instrument: str, unmapped: set[str]
) -> None:
    columns = header(shared_data / table)
    told = coverage(columns, load_mapping(instrument))
    counts = f"{len(told.mapped)} mapped, {len(told.known)} known, {len(told.unmapped)} not"
    print(f"{table}: {len(columns)} columns for {instrument}: {counts} {list(told.unmapped)}")
    assert len(told.mapped) + len(told.known) + len(told.unmapped) == len(dict.fromkeys(columns))
    assert set(told.unmapped) == unmapped


def test_the_packages_of_ecotaxa_have_no_strange_columns_but_those_put_in_for_tests(shared_data: Path) -> None:
    strange = set()
    tables = sorted((shared_data / "ecotaxa/qa_packages").glob("import*/**/ecotaxa*.tsv"))
    for path in tables:
        columns = header(path) if path.stat().st_size else []
        if "object_id" in columns:
            strange |= set(coverage(columns, load_mapping("Flatbed scanner")).unmapped)
    print(f"{len(tables)} tables, not described: {sorted(strange)}")
    assert {name for name in strange if not name.startswith("sample_")} == {
        "object_annotation_parent_category[t]"
    } & strange


def test_coverage_tells_what_is_what() -> None:
    told = coverage(["object_lat", "acq_sub_part", "object_area", "comment_of_mine"], load_mapping("ZooScan"))
    assert told.mapped == {"object_lat": "latitude", "acq_sub_part": "subsample_factor"}
    assert told.known == ("object_area",)
    assert told.unmapped == ("comment_of_mine",)


def test_all_listed_instruments_exist_with_range_modality_question_and_example() -> None:
    assert set(LISTED) | {GENERIC} == set(mapping_names())
    for name in LISTED:
        mapping = load_mapping(name)
        assert mapping.examples, name
        assert mapping.source, name
        assert mapping.plausible["pixel_um"][0] > 0, name
        assert "volume_l" in mapping.ask, name
        has_pixel = "pixel_um" in mapping.rules or "pixel_um" in mapping.constants or "pixel_um" in mapping.ask
        assert has_pixel, name


def test_everything_known_has_evidence_and_an_honest_status() -> None:
    for name in mapping_names():
        mapping = load_mapping(name)
        rules = [rule for own in mapping.rules.values() for rule in own]
        known = [(rule.status, rule.evidence) for rule in rules]
        known += [(pattern.status, pattern.evidence) for pattern in mapping.filenames]
        known += [(constant.status, constant.evidence) for constant in mapping.constants.values()]
        assert all(evidence for _, evidence in known), name
        assert {status for status, _ in known} <= set(STATUSES), name


def test_the_page_has_a_line_and_a_section_for_each() -> None:
    text = reference()
    for name in LISTED:
        assert f"\n| {name} | " in text
        assert f"\n## {name}\n" in text
    rows = [line for line in text.split("\n## ")[0].splitlines() if line.startswith("|")]
    assert {line.replace("\\|", "").count("|") for line in rows} == {rows[0].count("|")}
    assert "| `pixel_um` | `process_pixel_to_micron` | px/um | published |" in text
    assert "(`runTime` − `inhibitTime`) × 4.16667e-06" in text
    assert "SPC-PWSSC-" in text
    assert "If the water volume is missing: the filtered volume is missing: sample_tot_vol" in text
