"""Sizes from what sources measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from aqqua.maps.sizes import measured
from aqqua.metadata.check import Finding
from tests.make.counted import counted_dataset, rows


def sizes(
    tmp_path: Path, findings: list[Finding] | None = None, *, ellipsoid: bool = False, **raw: Any
) -> pl.DataFrame:
    dataset = counted_dataset(
        tmp_path / "d", rows(1, "Calanoida", **{f"raw:{name}": text for name, text in raw.items()})
    )
    images = dataset.metadata(["width", "height", "pixel_um"])
    return measured(dataset, images, [] if findings is None else findings, ellipsoid=ellipsoid)


@pytest.mark.parametrize(
    ("column", "text", "esd_um"),
    [
        ("object_area", "100", 112.838),
        ("area", "100", 112.838),
        ("object_area_abd", "10000", 112.838),
        ("area_mm2", "0.01", 112.838),
        ("Diameter (ESD)", "55.5", 55.5),
        ("esd_um", "70", 70.0),
    ],
)
def test_columns_and_units(tmp_path: Path, column: str, text: str, esd_um: float) -> None:
    raw: dict[str, Any] = {column: text}
    row = sizes(tmp_path, **raw).row(0, named=True)
    assert row["esd_um"] == pytest.approx(esd_um, rel=1e-4)
    assert row["biovolume_mm3"] == pytest.approx(np.pi / 6 * (esd_um / 1000) ** 3, rel=1e-3)


def test_a_spheroid_where_axes_are_measured(tmp_path: Path) -> None:
    raw: dict[str, Any] = {"object_area": "100", "object_major": "20", "object_minor": "5"}
    row = sizes(tmp_path, ellipsoid=True, **raw).row(0, named=True)
    assert row["biovolume_mm3"] == pytest.approx(np.pi / 6 * 0.2 * 0.05**2)
    assert row["esd_um"] == pytest.approx(112.838, rel=1e-4)


def test_an_area_larger_than_the_image_is_none_in_pixels(tmp_path: Path) -> None:
    findings: list[Finding] = []
    row = sizes(tmp_path, findings, object_area="40000").row(0, named=True)
    assert row["esd_um"] is row["biovolume_mm3"] is None
    assert [finding.code for finding in findings] == ["area_unit"]


@pytest.mark.parametrize("text", ["", "x", "-5", "0", "inf", "nan"])
def test_what_is_no_size_is_missing(tmp_path: Path, text: str) -> None:
    assert sizes(tmp_path, object_area=text)["esd_um"].to_list() == [None]


def test_masks_stand_in(tmp_path: Path) -> None:
    dataset = counted_dataset(tmp_path / "d", rows(2, "Calanoida"))
    uids = dataset.metadata(["width"])["uid"].to_list()
    mask = np.zeros((20, 20), np.uint8)
    mask[5:15, 5:15] = 1
    dataset.write_masks("source", dataset.shards[0].number, [(uids[0], mask)], {"from": "test"})
    found = measured(dataset, dataset.metadata(["width", "height", "pixel_um"]), [])
    assert found["esd_um"].to_list() == [pytest.approx(112.838, rel=1e-4), None]
