"""Taking a picture: pose, light, sensor – and the mask of what is truly the organism."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aqqua.ocean.cameras import CAMERAS
from aqqua.ocean.chance import Array, bend
from aqqua.ocean.filters import blur, clouds, edge_distance, shrink, smooth_noise
from aqqua.ocean.instruments import Instrument
from aqqua.ocean.optics import Optics, Pose, look_at
from aqqua.ocean.shapes import Body

__all__ = ["Picture", "Portrait", "natural_pose", "portrait", "take_picture"]


@dataclass(frozen=True)
class Picture:
    """One stored image and the truth about it.

    Args:
        pixels: (h, w) or (h, w, c), uint8 or uint16.
        mask: (h, w) exact: 0 water, 1 antennae, spines, tentacles, 2 body.
        pose: how the organism lay.
        defocus: 0 in focus … 1.
    """

    pixels: npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
    mask: npt.NDArray[np.uint8]
    pose: Pose
    defocus: float


@dataclass(frozen=True)
class Portrait:
    """What arrives at the sensor, before background and noise.

    Args:
        light: (channels, h, w) relative to a clear field, or to full scale.
        mask: as of a `Picture`.
        pose: how the organism lay.
        defocus: 0 in focus … 1.
    """

    light: Array
    mask: npt.NDArray[np.uint8]
    pose: Pose
    defocus: float


def natural_pose(key: str, rng: np.random.Generator) -> Pose:
    """How organisms lie before an instrument: at random in the sea, flat on glass, along the flow in a tube."""
    yaw = float(rng.uniform(0, 360))
    if key == "ifcb":
        return Pose(float(rng.choice([0, 180])) + bend(rng, 9, 25), bend(rng, 7, 20), float(rng.uniform(0, 360)))
    if key == "zooscan":
        side = float(rng.choice([0, 90, 180, 270], p=[0.3, 0.3, 0.15, 0.25]))
        return Pose(yaw, bend(rng, 5, 14), side + bend(rng, 14, 35))
    if key in ("planktoscope", "fluorescence"):
        return Pose(yaw, bend(rng, 9, 25), float(rng.uniform(0, 360)))
    return Pose(yaw, bend(rng, 24, 58), float(rng.uniform(0, 360)))


def take_picture(body: Body, device: Instrument, rng: np.random.Generator, pose: Pose | None = None) -> Picture:
    """One instrument images one organism.

    Args:
        body: the organism.
        device: the instrument.
        rng: decides pose, focus and noise of this image.
        pose: given, or natural for the instrument.
    """
    drawn = portrait(body, device, rng, pose)
    return Picture(_sensor(drawn.light, device, rng), drawn.mask, drawn.pose, drawn.defocus)


def portrait(body: Body, device: Instrument, rng: np.random.Generator, pose: Pose | None = None) -> Portrait:
    """One organism as the optics of an instrument show it; see `take_picture`."""
    pose = pose or natural_pose(device.key, rng)
    defocus = float(rng.beta(1.2, 4) * device.defocus)
    step = _supersample(body, device)
    grid = device.pixel_um / step
    margin = device.margin_px * device.pixel_um * rng.uniform(0.8, 1.5)
    optics = look_at(body, pose, grid, margin, multiple=step)
    light = CAMERAS[device.camera](optics, defocus)
    spread = device.blur_px * (1 + 2.2 * defocus)
    light = shrink(blur(light, spread * step), step)
    return Portrait(light, _mask(optics, step), pose, defocus)


def _supersample(body: Body, device: Instrument) -> int:
    """Grid cells per pixel: fewer for large objects, whose edges are fine already."""
    length_px = body.traits.length_um / device.pixel_um
    return int(np.clip(round(220 / length_px), 1, device.supersample))


def _mask(optics: Optics, step: int) -> npt.NDArray[np.uint8]:
    """A pixel belongs to the object where at least half of it is covered."""
    body = shrink((optics.mask == 2).astype(np.float32), step) >= 0.5
    whole = shrink((optics.mask > 0).astype(np.float32), step) >= 0.5
    return whole.astype(np.uint8) + body.astype(np.uint8)


def _sensor(
    light: Array, device: Instrument, rng: np.random.Generator
) -> npt.NDArray[np.uint8] | npt.NDArray[np.uint16]:
    field = _background(light.shape, device, rng)
    signal = light + field if device.modality == "dark-field" else light * field
    if device.modality == "fluorescence":
        signal = np.concatenate([light[:1] * field[:1], light[1:] + field[1:]])
    noise = rng.standard_normal(signal.shape, np.float32)
    electrons = np.maximum(signal, 0) * device.full_well
    signal = signal + noise * np.sqrt(electrons + device.read_noise**2) / device.full_well
    top = 2**device.bits - 1
    levels = np.clip(np.round(signal * top), 0, top)
    pixels = levels.astype(np.uint8 if device.bits == 8 else np.uint16)
    return pixels[0] if len(pixels) == 1 else np.ascontiguousarray(np.moveaxis(pixels, 0, -1))


def _background(shape: tuple[int, ...], device: Instrument, rng: np.random.Generator) -> Array:
    """Light of the empty water: level, gradient, stripes of a line scan, dust, autofluorescence."""
    h, w = shape[1:]
    slope = rng.normal(0, 0.012, 2)
    y, x = np.linspace(-1, 1, h, dtype=np.float32)[:, None], np.linspace(-1, 1, w, dtype=np.float32)[None, :]
    tilt = (1 + slope[0] * y + slope[1] * x).astype(np.float32)
    level = device.background * (1 + rng.normal(0, 0.015))
    pattern = _PATTERNS[device.key](tilt, rng)
    field: Array = level * pattern if device.modality != "fluorescence" else pattern * [[[level]], [[1.0]], [[1.0]]]
    return field.astype(np.float32)


def _line_scan(tilt: Array, rng: np.random.Generator) -> Array:
    stripes = 0.006 * rng.standard_normal((1, tilt.shape[1])) + 0.002 * rng.standard_normal((len(tilt), 1))
    out: Array = tilt + stripes + 0.01 * clouds(rng, (len(tilt), tilt.shape[1]), 4.0, 2)
    return out[None]


def _glass(tilt: Array, rng: np.random.Generator) -> Array:
    out: Array = tilt + 0.006 * smooth_noise(rng, (len(tilt), tilt.shape[1]), 8)
    return out[None]


def _flow_cell(tilt: Array, rng: np.random.Generator) -> Array:
    streaks = 0.012 * smooth_noise(rng, (len(tilt), 2), 6)[:, :1]
    out: Array = tilt + streaks - 0.03 * edge_distance((len(tilt), tilt.shape[1]))
    return out[None]


def _lamp(tilt: Array, rng: np.random.Generator) -> Array:
    white = np.array([1.0, 0.985, 0.96]) * (1 + rng.normal(0, 0.004, 3))
    out: Array = white[:, None, None] * (tilt + 0.006 * smooth_noise(rng, (len(tilt), tilt.shape[1]), 30))
    return out


def _darkness(tilt: Array, rng: np.random.Generator) -> Array:
    del rng
    return np.ones((3, *tilt.shape))


def _stained_water(tilt: Array, rng: np.random.Generator) -> Array:
    veil = 1 + 0.3 * smooth_noise(rng, (len(tilt), tilt.shape[1]), 40)
    return np.stack([tilt, 0.012 * veil, 0.02 * veil])


_PATTERNS = {
    "isiis": _line_scan,
    "zooscan": _glass,
    "ifcb": _flow_cell,
    "planktoscope": _lamp,
    "spc": _darkness,
    "fluorescence": _stained_water,
}
