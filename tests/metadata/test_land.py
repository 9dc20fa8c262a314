"""Land and sea by the real mask."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from aqqua.metadata import land
from aqqua.metadata.land import sea_within

# Nice (bay), Lübeck, Gulf of Guinea, Straits of Florida, Geneva (lake), South Pole, Sahara, Fiji at 180°.
PLACES = np.array([(43.65, 7.2), (53.87, 10.68), (0, 0), (25.4, -79.6), (46.4, 6.5), (-90, 0), (23, 10), (-18, 180)])


def test_land_sea_and_the_coast_between() -> None:
    latitude, longitude = PLACES.T
    assert sea_within(latitude, longitude).tolist() == [True, False, True, True, False, False, False, True]
    assert sea_within(latitude, longitude, 20).tolist() == [True, True, True, True, False, False, False, True]
    assert sea_within(latitude[::-1], longitude[::-1], 20).tolist() == [True, False, False, False, *[True] * 4]


def test_the_way_around_the_date_line() -> None:
    cells = land._Coasts(np.ones(land._ROWS, dtype=bool), np.arange(land._ROWS + 1), np.full(land._ROWS, 1, np.uint16))
    only_first = [
        land._near_sea(cells, 10_800, column, 2) for column in (0, 2, 3, land._COLUMNS - 2, land._COLUMNS - 3)
    ]
    assert only_first == [True, True, False, True, False]


def test_all_latitudes_against_the_cells(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Every row as the package has it, and the cache of another folder."""
    rng = np.random.default_rng(0)
    cells = rng.random((land._ROWS, 3)) < 0.5
    rows = [np.repeat(row, land._COLUMNS // 3) for row in cells[:7]] * (land._ROWS // 7 + 1)
    monkeypatch.setattr(land, "_rows", lambda _: iter(rows[: land._ROWS]))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    made = land._coasts.__wrapped__()
    third = land._COLUMNS // 3
    for row in range(14):
        assert [made.any_sea(row, third * n + 5, third * n + 6) for n in range(3)] == cells[row % 7].tolist()
    monkeypatch.setattr(land, "_rows", lambda _: pytest.fail("the cache was not used"))
    again = land._coasts.__wrapped__()
    assert (again.edges == made.edges).all()
    next((tmp_path / "aqqua").glob("*.npz")).write_bytes(b"PK\x03\x04damaged")
    monkeypatch.setattr(land, "_rows", lambda _: iter(rows[: land._ROWS]))
    assert (land._coasts.__wrapped__().first == made.first).all()


@pytest.mark.slow
def test_against_the_package() -> None:
    from global_land_mask import globe

    rng = np.random.default_rng(0)
    latitude, longitude = np.degrees(np.arcsin(rng.uniform(-1, 1, 5000))), rng.uniform(-180, 180, 5000)
    assert (sea_within(latitude, longitude) == globe.is_ocean(latitude, longitude)).all()


def test_no_position_is_no_error() -> None:
    assert sea_within(np.array([]), np.array([])).tolist() == []
