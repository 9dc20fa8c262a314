"""Six instruments: optics, sensor, and what size each can see."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aqqua.errors import UnknownNameError
from aqqua.ocean.chance import Array

__all__ = ["INSTRUMENTS", "Instrument", "instrument"]


@dataclass(frozen=True)
class Instrument:
    """One instrument.

    Args:
        key: short name within the ocean.
        name: canonical name as in metadata.
        modality: kind of light.
        camera: name in `CAMERAS`.
        pixel_um: side of a pixel in the water.
        channels: names of the channels of the stored image.
        bits: 8 or 16 per channel.
        supersample: grid cells per pixel in each direction while drawing.
        blur_px: radius of the point spread function in focus.
        defocus: how much blur varies from image to image (0…1).
        background: level of a clear field, of 1.
        full_well: electrons at full scale: sets the shot noise.
        read_noise: in electrons.
        margin_px: water around the object in a stored image.
        smallest_um, largest_um: lengths that are seen every second time.
        longest_um: nothing longer is kept whole.
    """

    key: str
    name: str
    modality: str
    camera: str
    pixel_um: float
    channels: tuple[str, ...]
    bits: int
    supersample: int
    blur_px: float
    defocus: float
    background: float
    full_well: float
    read_noise: float
    margin_px: int
    smallest_um: float
    longest_um: float

    def detection(self, length_um: float | Array) -> Array:
        """Probability that an organism of this length is detected and kept.

        Args:
            length_um: one, or many.

        Returns:
            Probabilities, 0.5 at `smallest_um`, rising over about 60 % of size; 0 above `longest_um`.
        """
        length = np.asarray(length_um, np.float64)
        rise = 1 / (1 + (self.smallest_um / np.maximum(length, 1e-6)) ** 7)
        out: Array = np.where(length <= self.longest_um, rise, 0.0).astype(np.float32)
        return np.where(out < 0.01, np.float32(0), out)


_RGB = ("red", "green", "blue")
INSTRUMENTS = {
    one.key: one
    for one in (
        Instrument(
            "zooscan", "ZooScan", "scanner", "scanner", pixel_um=10.6, channels=("gray",), bits=8, supersample=2,
            blur_px=0.9, defocus=0.3, background=0.955, full_well=9000, read_noise=12, margin_px=12,
            smallest_um=420, longest_um=9000,
        ),
        Instrument(
            "isiis", "ISIIS", "shadowgraph", "shadowgraph", pixel_um=68.0, channels=("gray",), bits=8, supersample=3,
            blur_px=0.45, defocus=0.5, background=0.93, full_well=6000, read_noise=14, margin_px=6,
            smallest_um=850, longest_um=30000,
        ),
        Instrument(
            "spc", "SPC", "dark-field", "dark_field", pixel_um=7.4, channels=_RGB, bits=8, supersample=2,
            blur_px=0.6, defocus=0.8, background=0.004, full_well=5000, read_noise=8, margin_px=14,
            smallest_um=190, longest_um=3600,
        ),
        Instrument(
            "planktoscope", "PlanktoScope", "bright-field", "bright_field", pixel_um=0.75, channels=_RGB, bits=8,
            supersample=1, blur_px=1.0, defocus=0.7, background=0.86, full_well=7000, read_noise=12, margin_px=14,
            smallest_um=42, longest_um=420,
        ),
        Instrument(
            "ifcb", "IFCB", "bright-field", "flow_cytometer", pixel_um=1 / 3.4, channels=("gray",), bits=8,
            supersample=1, blur_px=1.3, defocus=0.9, background=0.70, full_well=5000, read_noise=15, margin_px=20,
            smallest_um=11, longest_um=170,
        ),
        Instrument(
            "fluorescence", "eHFCM", "fluorescence", "fluorescence", pixel_um=0.65,
            channels=("bright-field", "chlorophyll", "dna"), bits=16, supersample=1, blur_px=1.0, defocus=0.6,
            background=0.80, full_well=20000, read_noise=6, margin_px=12, smallest_um=18, longest_um=330,
        ),
    )
}  # fmt: skip
"""Key → instrument."""


def instrument(key: str) -> Instrument:
    """The instrument with this short name."""
    if key not in INSTRUMENTS:
        raise UnknownNameError("instrument of the virtual ocean", key, INSTRUMENTS)
    return INSTRUMENTS[key]
