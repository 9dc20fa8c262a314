"""Size classes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqqua.errors import ConfigError
from aqqua.maps.classes import ECOPART_EDGES_UM, class_of, read_edges, snap, sphere_mm3


def test_three_classes_to_each_octave() -> None:
    assert len(ECOPART_EDGES_UM) == 45
    assert pytest.approx(2 * ECOPART_EDGES_UM[:-3]) == ECOPART_EDGES_UM[3:]
    assert ECOPART_EDGES_UM[-1] == pytest.approx(26_008, abs=1)


@given(st.floats(1.0, 1e5))
def test_each_size_is_in_its_class(esd: float) -> None:
    place = int(class_of(np.array([esd]), ECOPART_EDGES_UM)[0])
    assert ECOPART_EDGES_UM[place] <= esd
    assert place == 44 or esd < ECOPART_EDGES_UM[place + 1]


def test_no_number_has_no_class() -> None:
    assert class_of(np.array([np.nan, np.inf, -1.0, 0.99]), ECOPART_EDGES_UM).tolist() == [-1] * 4


@given(st.integers(0, 44))
def test_rounded_edges_are_made_exact(place: int) -> None:
    exact = ECOPART_EDGES_UM[place]
    assert snap(float(f"{exact:.3g}")) == pytest.approx(exact, rel=1e-12)


def test_volume_of_a_sphere() -> None:
    assert sphere_mm3(np.array([1000.0, 2000.0])) == pytest.approx([np.pi / 6, 8 * np.pi / 6])


def test_edges_are_read() -> None:
    assert read_edges("ecopart") is ECOPART_EDGES_UM
    assert read_edges("200, 500,1e3").tolist() == [200, 500, 1000]
    assert read_edges([1, 2]).tolist() == [1, 2]
    for bad in ("", "1", "a,b", "2,1", "1,nan", "-1,2"):
        with pytest.raises(ConfigError, match="no edges"):
            read_edges(bad)
