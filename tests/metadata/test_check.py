"""The first checks: each finds what it should, and nothing in good data."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl
import pytest

from aqqua.metadata.check import Finding, Limits, check_rows
from aqqua.metadata.fields import FIELDS, polars_schema

N = 24


def converted(**columns: Any) -> pl.DataFrame:
    """Good Converted Metadata of two samples; a column may be given as one value or as a list."""
    good: dict[str, Any] = {
        "xxh3": list(range(N)),
        "object_id": [f"o{index}" for index in range(N)],
        "sample_id": ["a"] * 12 + ["b"] * 12,
        "instrument": "ZooScan",
        "time_utc": [datetime(2014, 5, 1, 12, index, tzinfo=UTC) for index in range(N)],
        "latitude": 18.5,
        "longitude": -24.25,
        "depth_min_m": 0.0,
        "depth_max_m": 200.0,
        "pixel_um": 10.6,
        "volume_l": 250.0,
    }
    rows = {name: value if isinstance(value, list) else [value] * N for name, value in (good | columns).items()}
    types = polars_schema()
    return pl.DataFrame(rows, schema={name: types[name] for name in rows})


SMALL = Limits(count_uncertainty=1.0)  # samples of a test are small


@pytest.fixture(autouse=True)
def all_sea(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aqqua.metadata.land.sea_within", lambda latitude, *_: np.ones(len(latitude), dtype=bool))


def found(frame: pl.DataFrame, limits: Limits = SMALL) -> list[tuple[str, str, int]]:
    findings = check_rows(frame, limits=limits)
    return [(one.severity, one.code, one.count) for one in findings if one.code != "floor_not_checked"]


def test_good_data_give_no_findings() -> None:
    assert found(converted()) == []


@pytest.mark.parametrize("names", [[], ["latitude"], ["sample_id"], list(FIELDS)])
def test_no_rows_and_few_columns(names: list[str]) -> None:
    types = polars_schema()
    assert check_rows(pl.DataFrame(schema={name: types[name] for name in names})) == []


def test_checks_without_their_columns_are_left_out() -> None:
    assert found(converted().select("latitude", "longitude")) == []


def one(index: int, odd: Any, usual: Any) -> list[Any]:
    return [odd if row == index else usual for row in range(N)]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"latitude": one(0, 91.0, 18.5)}, [("error", "position_outside", 1)]),
        ({"longitude": one(0, -181.0, 18.5)}, [("error", "position_outside", 1)]),
        ({"latitude": one(3, 0.0, 18.5), "longitude": one(3, 0.0, 18.5)}, [("warning", "position_zero", 1)]),
        (
            {"time_utc": one(0, datetime(2999, 1, 1, tzinfo=UTC), datetime(2014, 5, 1, tzinfo=UTC))},
            [("error", "time_in_future", 1)],
        ),
        (
            {"time_utc": one(0, datetime(1949, 1, 1, tzinfo=UTC), datetime(2014, 5, 1, tzinfo=UTC))},
            [("warning", "time_before_1950", 1)],
        ),
        ({"depth_min_m": one(0, -1.0, 0.0)}, [("error", "depth_outside", 1)]),
        ({"depth_max_m": one(0, 12000.0, 200.0)}, [("error", "depth_outside", 1)]),
        ({"depth_min_m": one(0, 300.0, 0.0)}, [("error", "depths_swapped", 1)]),
        ({"pixel_um": 500.0}, [("warning", "pixel_unusual", N)]),
        ({"pixel_um": 500.0, "instrument": "Unheard-of"}, []),
        ({"pixel_um": one(0, 5.3, 10.6)}, [("warning", "several_pixel_sizes", 12)]),
        ({"xxh3": one(0, 5, 5)[:3] + list(range(100, 121))}, [("warning", "duplicate_images", 2)]),
        ({"volume_l": None}, [("info", "field_missing", N)]),
        ({"sample_id": [None] * 12 + ["b"] * 12}, [("warning", "field_missing", 12)]),
        ({"volume_l": 1.0}, [("warning", "placeholder", N)]),
        ({"latitude": 0.0}, [("warning", "placeholder", N)]),
        ({"time_utc": datetime(1970, 1, 1, tzinfo=UTC)}, [("warning", "placeholder", N)]),
        ({"time_utc": datetime(2014, 5, 28, 4, 20, tzinfo=UTC)}, []),
    ],
)
def test_each_check(columns: dict[str, Any], expected: list[tuple[str, str, int]]) -> None:
    assert found(converted(**columns)) == expected


def test_gravest_first_and_samples_are_named() -> None:
    findings = check_rows(converted(volume_l=None, latitude=one(13, 95.0, 18.5)), limits=SMALL)
    assert [finding.severity for finding in findings] == ["error", "info", "info"]
    assert (findings[0].where, findings[0].samples) == ("b", (("b", 1),))


def test_a_finding_as_json() -> None:
    finding = Finding("warning", "position_zero", "zero", "sample a", 3, "look")
    assert Finding(**json.loads(json.dumps(finding.to_dict()))) == finding
