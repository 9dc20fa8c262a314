"""The physics of six ways to take a picture: from what light meets to the light that arrives, before the sensor.

All return light relative to a clear field (or to full scale), on the fine grid, one layer per channel.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from aqqua.ocean.chance import Array
from aqqua.ocean.filters import blur
from aqqua.ocean.optics import Optics

__all__ = ["CAMERAS", "bright_field", "dark_field", "fluorescence", "scanner", "shadowgraph"]

_LUMA = np.array([0.30, 0.59, 0.11], np.float32)


def _gray(optics: Optics) -> Array:
    gray: Array = np.tensordot(_LUMA, optics.absorb, 1)
    return gray


def _steepness(optics: Optics) -> Array:
    """How far light is bent, in radians: the gradient of the optical path."""
    dy, dx = np.gradient(optics.phase_um, optics.grid_um)
    out: Array = np.hypot(dx, dy).astype(np.float32)
    return out


def _focusing(optics: Optics, smooth_px: float) -> Array:
    """Curvature of the optical path times µm: out of focus, light gathers where it is negative."""
    phase = np.pad(blur(optics.phase_um, smooth_px), 1, mode="edge")
    near = phase[1:-1, :-2] + phase[1:-1, 2:] + phase[:-2, 1:-1] + phase[2:, 1:-1]
    out: Array = (near - 4 * phase[1:-1, 1:-1]) / np.float32(optics.grid_um)
    return out


def shadowgraph(optics: Optics, defocus: float) -> Array:
    """Collimated light, lens far away: all that is absorbed, scattered or bent aside is missing."""
    lost = 1.5 * _gray(optics) + 2.0 * optics.scatter + 46 * _steepness(optics)
    light: Array = np.exp(-lost) - 0.6 * (0.4 + defocus) * _focusing(optics, 1.0)
    return light.clip(0, 1.5)[None]


def scanner(optics: Optics, defocus: float) -> Array:
    """Diffuse light from below, long path: soft grays, hardly any refraction."""
    light = np.exp(-(1.15 * _gray(optics) + 0.55 * optics.scatter))
    light *= 1 / (1 + (_steepness(optics) / 0.05) ** 2 * 0.5)
    return blur(light, 0.5 + 0.5 * defocus)[None]


def bright_field(optics: Optics, defocus: float) -> Array:
    """A microscope with a condenser: colours of the pigments, dark rims, halos a little out of focus."""
    rim = 1 / (1 + (_steepness(optics) / 0.16) ** 2)
    light = np.exp(-optics.absorb) * rim
    halo = np.clip(0.30 * (0.5 + defocus) * _focusing(optics, 1.2 + defocus), -0.5, 0.5)
    out: Array = np.clip(light - halo, 0, 1.6)
    return out


def flow_cytometer(optics: Optics, defocus: float) -> Array:
    """The camera of an IFCB: monochrome flash, nearly coherent, strong fringes around every edge."""
    rim = 1 / (1 + (_steepness(optics) / 0.13) ** 2)
    light = np.exp(-1.15 * _gray(optics)) * rim
    halo = np.clip(0.42 * (0.6 + defocus) * _focusing(optics, 1.0 + defocus), -0.55, 0.6)
    out: Array = np.clip(light - halo, 0, 1.5)
    return out[None]


def dark_field(optics: Optics, defocus: float) -> Array:
    """Light from the side: black water, edges and tissue shine, pigments colour what shines."""
    bent = _steepness(optics)
    edges = 0.30 * bent**2 / (bent**2 + 0.03**2) / (1 + (bent / 0.12) ** 4)
    glint = 0.9 * np.exp(-(((bent - 0.9) / 0.16) ** 2))
    glow = optics.scatter + edges + glint
    tinted = np.exp(-1.5 * optics.absorb / (1 + np.maximum(optics.absorb.mean(axis=0), 0)))
    colour = tinted * np.array([1.0, 0.90, 0.72], np.float32)[:, None, None]
    light = 1 - np.exp(-3.4 * glow**1.25 * colour)
    halo = blur(light[1], 2.0 + 3 * defocus)
    out: Array = 0.95 * light + 0.14 * halo
    return out


def fluorescence(optics: Optics, defocus: float) -> Array:
    """Three exposures: bright field, chlorophyll (red), DNA stain (blue)."""
    bright = np.tensordot(_LUMA, bright_field(optics, defocus), 1)
    spill = 0.3 + 0.8 * defocus
    chlorophyll = 1 - np.exp(-1.3 * _with_glare(optics.chlorophyll, 3.0 / optics.grid_um, spill))
    dna = 1 - np.exp(-1.1 * _with_glare(optics.dna, 3.0 / optics.grid_um, spill))
    return np.stack([bright, chlorophyll, dna]).astype(np.float32)


def _with_glare(signal: Array, sigma: float, share: float) -> Array:
    """Fluorescence from above and below the focal plane lies as a veil around it."""
    return (1 - 0.4 * share) * blur(signal, 0.8) + 0.4 * share * blur(signal, sigma)


CAMERAS: dict[str, Callable[[Optics, float], Array]] = {
    "shadowgraph": shadowgraph,
    "scanner": scanner,
    "bright_field": bright_field,
    "flow_cytometer": flow_cytometer,
    "dark_field": dark_field,
    "fluorescence": fluorescence,
}
"""Name of the camera → (what light meets, defocus 0…1) → light (channels, h, w)."""
