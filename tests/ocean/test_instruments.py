from __future__ import annotations

import numpy as np
import pytest

from aqqua.errors import UnknownNameError
from aqqua.metadata.mapping import load_mapping
from aqqua.ocean.instruments import INSTRUMENTS, instrument


@pytest.mark.parametrize("key", INSTRUMENTS)
def test_detection_rises_with_size_and_ends_where_the_frame_ends(key: str) -> None:
    device = INSTRUMENTS[key]
    length = np.geomspace(device.smallest_um / 5, device.longest_um, 50)
    probability = device.detection(length)
    assert (np.diff(probability) >= 0).all()
    assert probability[0] == 0
    assert device.detection(device.smallest_um) == pytest.approx(0.5)
    assert device.detection(1.01 * device.longest_um) == 0


@pytest.mark.parametrize("key", INSTRUMENTS)
def test_instruments_are_as_their_mapping_says(key: str) -> None:
    device = INSTRUMENTS[key]
    mapping = load_mapping(device.name)
    assert mapping.modality == device.modality
    low, high = mapping.plausible["pixel_um"]
    assert low <= device.pixel_um <= high


def test_an_unknown_instrument_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean zooscan"):
        instrument("zoscan")
