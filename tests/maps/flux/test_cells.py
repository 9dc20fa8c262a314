"""Units of carbon, and sums over cells."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqqua.errors import ConfigError
from aqqua.maps.flux.cells import integrate, unit_to_mg


def test_units_by_hand() -> None:
    assert unit_to_mg("mg m-2 d-1") == (1.0, 2, True)
    assert unit_to_mg("mol m-2 yr-1")[0] == pytest.approx(12011 / 365.25)
    assert unit_to_mg("ug m-3") == (1e-3, 3, False)


@pytest.mark.parametrize("unit", ["", "1", "m-3", "mg", "mg m-2 d-2", "mg l-1", "degC", "mg m-4"])
def test_no_units_of_carbon(unit: str) -> None:
    with pytest.raises(ConfigError):
        unit_to_mg(unit)


@given(st.text(max_size=30))
def test_any_text_is_a_unit_or_an_error_of_ours(text: str) -> None:
    try:
        factor, power, _ = unit_to_mg(text)
    except ConfigError:
        return
    assert factor > 0
    assert power in {2, 3}


def test_cells_without_a_value_have_no_area() -> None:
    total, area = integrate(np.array([[1.0, np.nan]]), np.array([[2e6, 5e6]]))
    assert (total, area) == (2e6, 2.0)
