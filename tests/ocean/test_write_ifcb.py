"""IFCB bins, read by a parser of our own: the three files as the instrument's software documents them."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from aqqua.metadata.card import Card
from tests.ocean.conftest import SmallOcean


def _bins(ocean: SmallOcean) -> list[Path]:
    return sorted((ocean.path / "ifcb").glob("*.adc"))


def _lines(adc: Path) -> list[list[str]]:
    return [line.split(",") for line in adc.read_text().splitlines()]


def _header(adc: Path) -> dict[str, str]:
    return dict(line.split(": ", 1) for line in adc.with_suffix(".hdr").read_text().splitlines())


def test_lines_have_the_columns_the_header_names(small_ocean: SmallOcean) -> None:
    assert len(_bins(small_ocean)) >= 2
    for adc in _bins(small_ocean):
        header = _header(adc)
        columns = [name.strip() for name in header["ADCFileFormat"].split(",")]
        assert len(columns) == 24
        lines = _lines(adc)
        assert all(len(line) == 24 for line in lines)
        assert [int(line[0]) for line in lines] == list(range(1, len(lines) + 1))
        assert int(header["triggerCount"]) == len(lines)
        assert int(header["roiCount"]) == sum(int(line[15]) > 0 for line in lines)
        times = [float(line[1]) for line in lines]
        assert times == sorted(times)
        assert times[-1] < float(header["runTime"])


def test_images_lie_end_to_end_in_the_roi_file(small_ocean: SmallOcean) -> None:
    for adc in _bins(small_ocean):
        at = 0
        for line in _lines(adc):
            width, height, start = int(line[15]), int(line[16]), int(line[17])
            if width:
                assert start == at
                at += width * height
            else:
                assert height == start == 0
        assert adc.with_suffix(".roi").stat().st_size == at


def test_some_triggers_have_no_image(small_ocean: SmallOcean) -> None:
    assert any(line[15] == "0" for adc in _bins(small_ocean) for line in _lines(adc))


def test_the_truth_says_which_roi_is_whom(small_ocean: SmallOcean) -> None:
    truth = small_ocean.truth("sightings").filter("detected", instrument="ifcb")
    told = {(row["image_path"], row["roi_number"]): row for row in truth.iter_rows(named=True)}
    assert len(told) == len(truth)
    found = set()
    for adc in _bins(small_ocean):
        data = np.frombuffer(adc.with_suffix(".roi").read_bytes(), np.uint8)
        for number, line in enumerate(_lines(adc), 1):
            width, height, start = int(line[15]), int(line[16]), int(line[17])
            if not width:
                continue
            row = told[f"{adc.stem}.roi", number]
            found.add((f"{adc.stem}.roi", number))
            assert (row["width"], row["height"]) == (width, height)
            assert row["object_id"] == f"{adc.stem}_{number:05d}"
            pixels = data[start : start + width * height].reshape(height, width)
            assert 120 < np.median(pixels[0]) < 220
    assert found == told.keys()


def test_volume_by_run_and_inhibit_time_is_the_true_volume(small_ocean: SmallOcean) -> None:
    truth = small_ocean.truth("acquisitions").filter(instrument="ifcb")
    flow_ml_per_s = 0.25 / 60
    total = 0.0
    for adc in _bins(small_ocean):
        header = _header(adc)
        volume_ml = flow_ml_per_s * (float(header["runTime"]) - float(header["inhibitTime"]))
        assert 0 < volume_ml <= 5.0001
        total += volume_ml / 1000
    assert total == pytest.approx(truth["volume_l"].sum(), rel=1e-6)


def test_positions_and_depths_are_in_the_table_the_card_names(small_ocean: SmallOcean) -> None:
    card = Card.load(small_ocean.path / "ifcb" / "card.yaml")
    assert card.table is not None
    with card.table.open(newline="", encoding="utf-8") as file:
        rows = {row["bin"]: row for row in csv.DictReader(file)}
    assert rows.keys() == {adc.stem for adc in _bins(small_ocean)}
    stations = small_ocean.truth("samples")
    for row in rows.values():
        there = stations.filter(pl.col("station") == row["station"]).row(0, named=True)
        assert (float(row["latitude"]), float(row["longitude"])) == (there["latitude"], there["longitude"])
        assert float(row["depth_m"]) == 4
