from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aqqua.errors import FormatError
from aqqua.models.preprocess import CHANNEL_TYPES, PATCH, Preprocessing, channel_types, resize_area


def ramp(height: int, width: int) -> np.ndarray:
    """A dark slope on bright ground, the same on every machine."""
    y, x = np.mgrid[:height, :width]
    inside = (y > 2) & (y < height - 3) & (x > 2) & (x < width - 3)
    return np.where(inside, 200 - (7 * y + 3 * x) % 150, 230).astype(np.uint8)


def test_golden_values_at_native_size() -> None:
    signal = Preprocessing().prepare(ramp(17, 21), 10.0).signal
    assert signal.shape == (1, 24, 24)
    assert signal[0, 8:12, 8:12].tolist() == [
        [86, 89, 92, 95],
        [93, 96, 99, 102],
        [100, 103, 106, 109],
        [107, 110, 113, 116],
    ]


def test_golden_values_when_shrunk() -> None:
    signal = Preprocessing(max_tokens=4).prepare(ramp(40, 40), 10.0).signal
    assert signal.shape == (1, 16, 16)
    assert signal[0, 5:8, 5:8].tolist() == [[162, 170, 129], [102, 38, 45], [47, 55, 62]]
    assert signal.sum() == 19992


def test_shrinking_is_the_average_over_areas() -> None:
    """40 → 16 rows: the same as each pixel written twice and then averaged five by five."""
    signal = Preprocessing().prepare(ramp(40, 40), 10.0).signal
    twice = np.kron(signal[0], np.ones((2, 2))).reshape(16, 5, 16, 5).mean(axis=(1, 3))
    assert np.abs(resize_area(signal, 16, 16)[0] - twice).max() <= 0.5


def test_golden_hash() -> None:
    """This hash is in every model on people's disks; if it must change, so must VERSION."""
    assert Preprocessing().hash == "2b5581d07bfb0572"
    assert Preprocessing(max_tokens=36).hash != Preprocessing().hash


def test_a_version_of_another_arithmetic_is_refused() -> None:
    with pytest.raises(FormatError, match="version 99"):
        Preprocessing(version=99)


def test_objects_are_bright_whatever_the_camera() -> None:
    dark_on_bright = ramp(20, 20)
    bright_on_dark = 255 - dark_on_bright
    one, other = (Preprocessing().prepare(image, 10.0).signal for image in (dark_on_bright, bright_on_dark))
    assert np.array_equal(one, other)
    assert one.max() > 100 > -one.min()


def test_absolute_brightness_is_kept() -> None:
    """No image is stretched to its own range: half the contrast stays half the contrast."""
    faint = np.full((20, 20), 100, np.uint8)
    strong = faint.copy()
    faint[8:12, 8:12], strong[8:12, 8:12] = 120, 140
    tops = [Preprocessing().prepare(image, None).signal.max() for image in (faint, strong)]
    assert tops == [20, 40]


def test_sixteen_bits_are_bent_not_cut() -> None:
    image = np.zeros((16, 16), np.uint16)
    image[6, 6], image[8, 8], image[10, 10] = 60, 4095, 65535
    signal = Preprocessing().prepare(image, None).signal[0]
    assert [signal[6, 6], signal[8, 8], signal[10, 10]] == [28, 162, 255]


def test_channels_have_their_own_background_and_polarity_but_colours_turn_together() -> None:
    image = np.zeros((16, 16, 2), np.uint8)
    image[..., 0], image[..., 1] = 200, 10
    image[6:9, 6:9, 0], image[6:9, 6:9, 1] = 100, 60
    both = Preprocessing().prepare(image, None, "bf,chl")
    assert both.signal[:, 7, 7].tolist() == [100, 50]
    assert [CHANNEL_TYPES[c] for c in both.channels] == ["gray", "fluorescence"]
    colour = np.full((16, 16, 3), 200, np.uint8)
    colour[6:9, 6:9] = 50, 220, 120
    assert Preprocessing().prepare(colour, None).signal[:, 7, 7].tolist() == [150, -20, 80]


@pytest.mark.parametrize(
    ("n", "names", "kinds"),
    [
        (1, None, ["gray"]),
        (3, None, ["red", "green", "blue"]),
        (3, "B, G, R", ["blue", "green", "red"]),
        (2, "chlorophyll;647nm", ["fluorescence", "fluorescence"]),
        (3, "bright-field,chlorophyll,dna", ["gray", "fluorescence", "fluorescence"]),
        (2, "wrong", ["other", "other"]),
        (1, "mystery", ["other"]),
    ],
)
def test_channel_types(n: int, names: str | None, kinds: list[str]) -> None:
    assert [CHANNEL_TYPES[c] for c in channel_types(n, names)] == kinds


def test_sizes_follow_the_shrinking() -> None:
    prepared = Preprocessing(max_tokens=4).prepare(ramp(40, 32), 10.0)
    long, short, pixel = prepared.size
    assert (long, short) == (math.log10(400), math.log10(320))
    assert pixel == math.log10(25), "40 rows became 16"


@pytest.mark.parametrize("pixel_um", [None, math.nan, 0.0, -1.0, math.inf])
def test_an_unknown_pixel_size_is_no_size(pixel_um: float | None) -> None:
    assert all(math.isnan(v) for v in Preprocessing().prepare(ramp(20, 20), pixel_um).size)


@given(st.integers(1, 300), st.integers(1, 300), st.sampled_from([4, 16, 64]), st.integers(1, 3), st.booleans())
@settings(max_examples=60, deadline=None)
def test_every_image_fits_the_grid(height: int, width: int, cap: int, channels: int, deep: bool) -> None:
    rng = np.random.default_rng(height * 1000 + width)
    image: np.ndarray = rng.integers(0, 65536 if deep else 256, (height, width, channels))
    prepared = Preprocessing(max_tokens=cap).prepare(image.astype(np.uint16 if deep else np.uint8), 1.0)
    rows, columns = prepared.grid
    assert prepared.signal.shape == (channels, PATCH * rows, PATCH * columns)
    assert min(rows, columns) >= 2
    assert rows * columns <= cap or min(rows, columns) == 2, "a thin line may be padded to two rows"
    assert -255 <= prepared.signal.min() <= prepared.signal.max() <= 255


@given(st.integers(1, 60), st.integers(1, 60), st.data())
@settings(max_examples=60, deadline=None)
def test_shrinking_keeps_constants_and_the_mean(height: int, width: int, data: st.DataObject) -> None:
    rows, columns = data.draw(st.integers(1, height)), data.draw(st.integers(1, width))
    flat = np.full((1, height, width), 123, np.int16)
    assert (resize_area(flat, rows, columns) == 123).all()
    noisy = np.random.default_rng(0).integers(-255, 256, (2, height, width)).astype(np.int16)
    small = resize_area(noisy, rows, columns)
    assert abs(small.mean() - noisy.mean()) < 1.5
    assert small.min() >= noisy.min()
    assert small.max() <= noisy.max()
