"""Six instruments: what each can see, how organisms lie before it, and what its sensor makes of the light."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aqqua.errors import UnknownNameError
from aqqua.ocean.cameras import CAMERAS
from aqqua.ocean.chance import Array, bend
from aqqua.ocean.filters import blur, clouds, edge_distance, shrink, smooth_noise
from aqqua.ocean.optics import Optics, Pose, look_at
from aqqua.ocean.shapes import Body

__all__ = ["INSTRUMENTS", "Instrument", "Picture", "instrument", "take_picture"]


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
        background: level of a clear field, of 1 (0 for dark-field).
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


INSTRUMENTS = {
    one.key: one
    for one in (
        Instrument("zooscan", "ZooScan", "scanner", "scanner", 10.6, ("gray",), 8, 2, 0.9, 0.3, 0.955, 9000, 12, 12, 420, 9000),
        Instrument("isiis", "ISIIS", "shadowgraph", "shadowgraph", 68.0, ("gray",), 8, 4, 0.45, 0.5, 0.93, 6000, 14, 6, 850, 30000),
        Instrument("spc", "SPC", "dark-field", "dark_field", 7.4, ("red", "green", "blue"), 8, 2, 0.6, 0.8, 0.0, 5000, 8, 14, 190, 3600),
        Instrument("planktoscope", "PlanktoScope", "bright-field", "bright_field", 0.75, ("red", "green", "blue"), 8, 1, 1.0, 0.7, 0.86, 7000, 12, 14, 42, 420),
        Instrument("ifcb", "IFCB", "bright-field", "flow_cytometer", 1 / 3.4, ("gray",), 8, 1, 1.3, 0.9, 0.70, 5000, 15, 20, 11, 170),
        Instrument("fluorescence", "eHFCM", "fluorescence", "fluorescence", 0.65, ("bright-field", "chlorophyll", "dna"), 16, 1, 1.0, 0.6, 0.80, 20000, 6, 12, 18, 330),
    )
}  # fmt: skip


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


def instrument(key: str) -> Instrument:
    """The instrument with this short name."""
    if key not in INSTRUMENTS:
        raise UnknownNameError("instrument of the virtual ocean", key, INSTRUMENTS)
    return INSTRUMENTS[key]


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
    pose = pose or natural_pose(device.key, rng)
    defocus = float(rng.beta(1.2, 4) * device.defocus)
    step = _supersample(body, device)
    grid = device.pixel_um / step
    margin = device.margin_px * device.pixel_um * rng.uniform(0.8, 1.5)
    optics = look_at(body, pose, grid, margin, multiple=step)
    light = CAMERAS[device.camera](optics, defocus)
    spread = device.blur_px * (1 + 2.2 * defocus)
    light = shrink(blur(light, spread * step), step)
    pixels = _sensor(light, device, rng)
    return Picture(pixels, _mask(optics, step), pose, defocus)


def _supersample(body: Body, device: Instrument) -> int:
    """Grid cells per pixel: fewer for large objects, whose edges are fine already."""
    length_px = body.traits.length_um / device.pixel_um
    return int(np.clip(round(220 / length_px), 1, device.supersample))


def _mask(optics: Optics, step: int) -> npt.NDArray[np.uint8]:
    """A pixel belongs to the object where at least half of it is covered."""
    body = shrink((optics.mask == 2).astype(np.float32), step) >= 0.5
    whole = shrink((optics.mask > 0).astype(np.float32), step) >= 0.5
    return whole.astype(np.uint8) + body.astype(np.uint8)


def _sensor(light: Array, device: Instrument, rng: np.random.Generator) -> npt.NDArray[np.uint8] | npt.NDArray[np.uint16]:
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
    if device.key == "isiis":
        stripes = 0.006 * rng.standard_normal((1, w)) + 0.002 * rng.standard_normal((h, 1))
        specks = 0.01 * clouds(rng, (h, w), 4.0, 2)
        return (level * (tilt + stripes + specks)).astype(np.float32)[None]
    if device.key == "zooscan":
        return (level * (tilt + 0.006 * smooth_noise(rng, (h, w), 8)))[None]
    if device.key == "ifcb":
        flow = 0.012 * smooth_noise(rng, (h, 2), 6)[:, :1]
        return (level * (tilt + flow - 0.03 * edge_distance((h, w))))[None].astype(np.float32)
    if device.key == "planktoscope":
        white = np.array([1.0, 0.985, 0.96], np.float32) * (1 + rng.normal(0, 0.004, 3)).astype(np.float32)
        return white[:, None, None] * (level * (tilt + 0.006 * smooth_noise(rng, (h, w), 30)))[None]
    if device.key == "spc":
        return np.full((3, h, w), 0.004, np.float32)
    dark = np.array([0, 0.012, 0.02], np.float32)[:, None, None] * (1 + 0.3 * smooth_noise(rng, (h, w), 40))
    dark[0] = level * tilt
    return dark.astype(np.float32)
