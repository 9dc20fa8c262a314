from typing import Any

import numpy as np
import pytest

from aqqua.errors import ConfigError
from aqqua.maps.interpolate import Problem

GOOD: dict[str, Any] = {
    "x": np.ones((3, 1)),
    "predictors": ("t",),
    "y": np.array([0.0, 1.0, 2.0]),
    "latitude": np.array([0.0, 10.0, 90.0]),
    "longitude": np.array([-180.0, 0.0, 359.0]),
}


def test_taking_some_places() -> None:
    part = Problem(**GOOD, weight=np.array([1.0, 2.0, 3.0])).take(np.array([True, False, True]))
    assert len(part) == 2
    assert part.y.tolist() == [0, 2]
    assert part.weight is not None
    assert part.weight.tolist() == [1, 3]


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("latitude", [0.0, 120.0, 90.0], "1 latitudes lie beyond the poles"),
        ("longitude", [-181.0, 0.0, 0.0], "between −180 and 360"),
        ("longitude", [np.nan, 0.0, 0.0], "no latitude or longitude"),
        ("y", [-1.0, 1.0, np.nan], "2 of 3 values are missing or negative"),
        ("x", np.ones((2, 1)), r"shape \(2, 1\), \(3, 1\) is expected"),
        ("latitude", [0.0, 1.0], "latitude has shape"),
        ("weight", [1.0, 0.0, 1.0], "weights must be positive"),
    ],
)
def test_what_cannot_be_is_refused(field: str, value: object, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Problem(**(GOOD | {field: np.asarray(value)}), name="Copepoda")


def test_swapped_coordinates_are_named_as_such() -> None:
    swapped = GOOD | {"latitude": GOOD["longitude"], "longitude": GOOD["latitude"]}
    with pytest.raises(ConfigError, match="may be swapped"):
        Problem(**swapped)
