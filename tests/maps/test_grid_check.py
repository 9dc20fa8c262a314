"""Tables that are wrong: some rows are left out and told, a fault of the whole table stops the work."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from aqqua.errors import ConfigError
from aqqua.maps.grid import observations
from tests.maps.test_grid import row, table

AT_SEA = [(30.2, -40.7), (-20.0, 60.0), (55.0, -25.0), (-50.0, 10.0), (10.0, 88.0)]


def rows(**last: Any) -> pl.DataFrame:
    """Five good rows at sea, and one that is not."""
    good = [row(sample_id=f"s{i}", latitude=a, longitude=o) for i, (a, o) in enumerate(AT_SEA)]
    return table(*good, row(sample_id="bad", **last))


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"abundance_m3": None}, "value_missing", "missing is not zero"),
        ({"abundance_m3": float("nan")}, "value_missing", "missing is not zero"),
        ({"abundance_m3": -1.0}, "value_negative", "negative"),
        ({"latitude": None}, "place_missing", "no position"),
        ({"latitude": 95.0}, "latitude_beyond", "swapped"),
        ({"longitude": 400.0}, "longitude_beyond", "longitude"),
        ({"depth_min_m": None}, "depth_missing", "no depth"),
        ({"depth_min_m": -100.0, "depth_max_m": 0.0}, "depth_sign", "positive downwards"),
        ({"depth_min_m": 100.0, "depth_max_m": 50.0}, "depth_order", "above"),
        ({"taxon": None}, "taxon_missing", "no taxon"),
        ({"latitude": 47.0, "longitude": 90.0}, "on_land", "on land"),
    ],
)
def test_a_bad_row_is_left_out_and_told(change: dict[str, Any], code: str, words: str) -> None:
    found, findings = observations(rows(**change), "abundance_m3")
    assert found["n_samples"].sum() == 5
    assert [one.code for one in findings] == [code]
    assert words in f"{findings[0].message} {findings[0].do}"
    assert findings[0].count == 1


def test_a_table_whose_depths_are_negative_is_refused() -> None:
    wrong = rows().with_columns(-pl.col("depth_max_m"), -pl.col("depth_min_m"))
    with pytest.raises(ConfigError, match="negative depth") as caught:
        observations(wrong, "abundance_m3")
    assert "change the sign" in str(caught.value)


def test_swapped_latitude_and_longitude_are_recognised() -> None:
    places = [(-40.0, 47.0), (-60.0, -35.0), (-35.0, -60.0), (75.0, 5.0), (-20.0, -65.0), (-20.0, 20.0)]
    right = table(*(row(sample_id=str(i), latitude=a, longitude=o) for i, (o, a) in enumerate(places)))
    turned = right.rename({"latitude": "longitude", "longitude": "latitude"})
    with pytest.raises(ConfigError, match="if latitude and longitude are exchanged"):
        observations(turned, "abundance_m3")


def test_most_latitudes_beyond_the_poles_ask_whether_they_are_swapped() -> None:
    wrong = table(*(row(sample_id=str(i), latitude=150.0 + i, longitude=20.0) for i in range(4)))
    with pytest.raises(ConfigError, match="beyond the poles") as caught:
        observations(wrong, "abundance_m3")
    assert "swapped?" in str(caught.value)


def test_the_coast_and_the_dateline_are_at_sea() -> None:
    places = [(43.7, 7.3), (43.69, 7.27), (0.0, 180.0), (0.0, -180.0), (0.0, 359.9), (89.9, 0.0)]
    near = table(*(row(sample_id=str(i), latitude=a, longitude=o) for i, (a, o) in enumerate(places)))
    found, findings = observations(near, "abundance_m3")
    assert findings == []
    assert found["n_samples"].sum() == len(places)
