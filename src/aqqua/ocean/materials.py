"""What tissues and minerals do to light: the table behind every picture.

Values are chosen so that organisms of natural size look as they do in real images; they are not measurements.
Order of magnitude: a copepod of 800 µm lets through a third of the light, a diatom cell of 20 µm about two thirds.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np

from aqqua.errors import UnknownNameError
from aqqua.ocean.chance import Array

__all__ = ["CHANNELS", "MATERIALS", "Material", "coefficients"]

CHANNELS = ("absorb_red", "absorb_green", "absorb_blue", "scatter", "phase", "chlorophyll", "dna")
"""What is summed up along the line of sight, in this order."""


@dataclass(frozen=True)
class Material:
    """Optical properties of a tissue, per µm of path.

    Args:
        red, green, blue: natural-log absorption per µm.
        scatter: scattering towards a dark-field camera per µm.
        phase: difference of the refractive index to water.
        chlorophyll: chlorophyll fluorescence per µm, relative.
        dna: fluorescence of a DNA stain per µm, relative.
    """

    red: float
    green: float
    blue: float
    scatter: float
    phase: float
    chlorophyll: float = 0.0
    dna: float = 0.0


MATERIALS = {
    # crustaceans and other animals of millimetres
    "flesh": Material(0.00062, 0.00082, 0.00118, 0.00085, 0.0022, dna=0.0006),
    "muscle": Material(0.0016, 0.0021, 0.0028, 0.0022, 0.0030, dna=0.0008),
    "cuticle": Material(0.0042, 0.0052, 0.0066, 0.0060, 0.0120),
    "limb": Material(0.0036, 0.0047, 0.0060, 0.0080, 0.0080, dna=0.0010),
    "seta": Material(0.0110, 0.0130, 0.0160, 0.0240, 0.0120),
    "gut": Material(0.0062, 0.0058, 0.0105, 0.0016, 0.0040, chlorophyll=0.0030, dna=0.001),
    "lipid": Material(-0.0002, 0.0001, 0.0012, 0.0026, 0.0060),
    "eye": Material(0.010, 0.040, 0.042, 0.0, 0.0040),
    "carotene": Material(0.0006, 0.0040, 0.0062, 0.0024, 0.0030),
    "egg": Material(0.0050, 0.0058, 0.0072, 0.0060, 0.0080, dna=0.0080),
    "gonad": Material(0.0026, 0.0030, 0.0040, 0.0040, 0.0040, dna=0.0050),
    # jelly
    "jelly": Material(0.00012, 0.00013, 0.00016, 0.00010, 0.0010),
    "membrane": Material(0.0044, 0.0046, 0.0050, 0.0090, 0.0120),
    "canal": Material(0.0042, 0.0048, 0.0056, 0.0085, 0.0060, dna=0.001),
    "tentacle": Material(0.0040, 0.0046, 0.0056, 0.0110, 0.0060),
    # protists of tens of µm
    "plasm": Material(0.0045, 0.0050, 0.0070, 0.0050, 0.0110, chlorophyll=0.001, dna=0.002),
    "granule": Material(0.050, 0.055, 0.070, 0.060, 0.0600, dna=0.002),
    "plastid": Material(0.045, 0.052, 0.135, 0.020, 0.0260, chlorophyll=0.16),
    "red_plastid": Material(0.055, 0.150, 0.120, 0.020, 0.0260, chlorophyll=0.11),
    "green_plastid": Material(0.085, 0.040, 0.120, 0.020, 0.0260, chlorophyll=0.18),
    "nucleus": Material(0.006, 0.008, 0.008, 0.006, 0.0160, dna=0.20),
    "silica": Material(0.010, 0.010, 0.011, 0.035, 0.0500),
    "theca": Material(0.022, 0.027, 0.038, 0.030, 0.0450),
    "lorica": Material(0.020, 0.024, 0.031, 0.030, 0.0420),
    "cilium": Material(0.170, 0.175, 0.180, 0.120, 0.0550),
    "trichome": Material(0.028, 0.037, 0.046, 0.022, 0.0140, chlorophyll=0.035, dna=0.012),
    "capsule": Material(0.0090, 0.0115, 0.0170, 0.0075, 0.0080, chlorophyll=0.010, dna=0.020),
    "skeleton": Material(0.014, 0.014, 0.015, 0.045, 0.0300),
    "halo": Material(0.00040, 0.00045, 0.00055, 0.0007, 0.0006),
    # particles
    "pellet": Material(0.0105, 0.0135, 0.0205, 0.0032, 0.0060, chlorophyll=0.0030, dna=0.001),
    "grain": Material(0.0100, 0.0125, 0.0175, 0.0058, 0.0100, chlorophyll=0.0015, dna=0.002),
    "mucus": Material(0.00030, 0.00036, 0.00046, 0.0010, 0.0006, chlorophyll=0.0003, dna=0.0004),
    "blue_fiber": Material(0.030, 0.020, 0.006, 0.020, 0.0300),
    "red_fiber": Material(0.006, 0.028, 0.026, 0.020, 0.0300),
    "shell": Material(0.0016, 0.0024, 0.0038, 0.0022, 0.0090),
    "air": Material(0.0, 0.0, 0.0, 0.0, -0.3300),
}  # fmt: skip


def coefficients(material: str) -> Array:
    """The seven coefficients of a material, in the order of `CHANNELS`."""
    if material not in MATERIALS:
        raise UnknownNameError("material", material, MATERIALS)
    return np.array(astuple(MATERIALS[material]), np.float32)
