"""EcoTaxa packages, read by a parser of our own: bare csv and zipfile."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from typing import Any

import pytest
from PIL import Image

from aqqua.export.ecotaxa_rules import validate
from aqqua.ocean.write_ecotaxa import net_volume
from tests.ocean.conftest import SmallOcean

ZIPS = ("ecotaxa_zooscan.zip", "ecotaxa_planktoscope.zip")


def _tables(zipped: zipfile.ZipFile) -> dict[str, list[dict[str, str]]]:
    """Table name → rows; header and types are checked on the way."""
    found = {}
    for name in zipped.namelist():
        if not name.endswith(".tsv"):
            continue
        data = zipped.read(name)
        assert data.startswith(b"\xef\xbb\xbf"), "EcoTaxa needs the byte order mark"
        lines = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter="\t"))
        header, types, *rows = lines
        assert len(set(header)) == len(header)
        assert set(types) == {"[t]", "[f]"}
        for row in rows:
            for kind, cell, column in zip(types, row, header, strict=True):
                if kind == "[f]" and cell:
                    float(cell)
                assert len(cell) <= 250, column
        found[name] = [dict(zip(header, row, strict=True)) for row in rows]
    return found


@pytest.mark.parametrize("name", ZIPS)
def test_every_row_has_its_image_and_every_image_its_row(small_ocean: SmallOcean, name: str) -> None:
    with zipfile.ZipFile(small_ocean.path / name) as zipped:
        named = [
            re.sub(r"[^/]*$", "", table) + row["img_file_name"]
            for table, rows in _tables(zipped).items()
            for row in rows
        ]
        images = [member for member in zipped.namelist() if member.endswith(".png")]
        assert sorted(named) == sorted(images)
        for member in images[:5]:
            with Image.open(io.BytesIO(zipped.read(member))) as image:
                assert image.mode == ("L" if "zooscan" in name else "RGB")


@pytest.mark.parametrize("name", ZIPS)
def test_rows_are_the_sightings_of_the_truth(small_ocean: SmallOcean, name: str) -> None:
    seen = small_ocean.truth("sightings").filter("detected", source=name)
    truth = {row["object_id"]: row for row in seen.iter_rows(named=True)}
    with zipfile.ZipFile(small_ocean.path / name) as zipped:
        rows = [row for rows in _tables(zipped).values() for row in rows]
    assert {row["object_id"] for row in rows} == truth.keys()
    for row in rows:
        there = truth[row["object_id"]]
        assert row["object_annotation_category"] == (there["label"] or "")
        assert row["object_annotation_status"] == (there["label_status"] or "")
        assert int(row["object_area"]) == there["area_px"]


def test_zooscan_says_volume_and_fraction_as_zooprocess_does(small_ocean: SmallOcean) -> None:
    volumes = small_ocean.truth("acquisitions").filter(instrument="zooscan")
    with zipfile.ZipFile(small_ocean.path / ZIPS[0]) as zipped:
        tables = _tables(zipped)
    assert len(tables) == 2
    for table, rows in tables.items():
        sample = table.split("/")[0]
        (volume,) = (row["volume_l"] for row in volumes.iter_rows(named=True) if row["sample_id"].lower() in sample)
        for row in rows:
            assert float(row["process_particle_pixel_size_mm"]) == 0.0106
            parts = int(row["acq_sub_part"])
            assert parts & (parts - 1) == 0, "a Motoda box halves"
            assert 1000 * float(row["sample_tot_vol"]) / parts == pytest.approx(volume, rel=1e-5)
            assert re.fullmatch(r"\d{8}", row["object_date"])
            assert re.fullmatch(r"\d{6}", row["object_time"])


def test_planktoscope_says_volume_as_its_software_does(small_ocean: SmallOcean) -> None:
    volumes = small_ocean.truth("acquisitions").filter(instrument="planktoscope")["volume_l"].to_list()
    with zipfile.ZipFile(small_ocean.path / ZIPS[1]) as zipped:
        ((_, rows),) = _tables(zipped).items()
    told = {_planktoscope_litres(row) for row in rows}
    assert sorted(told) == pytest.approx(sorted(volumes), rel=1e-5)
    for row in rows:
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", row["object_date"])
        assert bool(row["object_annotation_hierarchy"]) == bool(row["object_annotation_category"])


def _planktoscope_litres(row: dict[str, Any]) -> float:
    concentrated, total = float(row["sample_concentrated_sample_volume"]), float(row["sample_total_volume"])
    return float(row["acq_imaged_volume"]) * total / concentrated


@pytest.mark.parametrize("scanned_l", [0.5, 8.0, 31.0, 400.0])
def test_a_net_filters_some_cubic_metres(scanned_l: float) -> None:
    volume_m3, parts = net_volume(scanned_l)
    assert 4 < volume_m3 < 9
    assert 1000 * volume_m3 / parts == pytest.approx(scanned_l)


def test_the_backup_could_be_imported_again_as_it_is(small_ocean: SmallOcean) -> None:
    found = validate(small_ocean.path / ZIPS[0])
    assert [finding for finding in found if finding.severity == "error"] == []


def test_the_general_export_could_but_for_its_hierarchy_and_the_date_that_does_not_exist(
    small_ocean: SmallOcean,
) -> None:
    errors = [finding for finding in validate(small_ocean.path / ZIPS[1]) if finding.severity == "error"]
    assert {"hierarchy" in finding.message or "2024-02-31" in finding.message for finding in errors} == {True}
