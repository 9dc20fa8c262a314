from __future__ import annotations

import numpy as np
import pytest

from aqqua.errors import UnknownNameError
from aqqua.ocean.materials import CHANNELS, MATERIALS, coefficients


def test_every_material_has_a_number_per_channel() -> None:
    for name in MATERIALS:
        assert coefficients(name).shape == (len(CHANNELS),)
        assert np.isfinite(coefficients(name)).all()


def test_plastids_glow_red_and_nuclei_blue() -> None:
    chlorophyll, dna = CHANNELS.index("chlorophyll"), CHANNELS.index("dna")
    assert coefficients("plastid")[chlorophyll] > 10 * coefficients("nucleus")[chlorophyll]
    assert coefficients("nucleus")[dna] > 10 * coefficients("plastid")[dna]


def test_an_unknown_material_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean silica"):
        coefficients("silca")
