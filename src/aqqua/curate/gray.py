"""One image as gray values from 0 to 1, its background and its noise: what all of curation looks at."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["Gray", "background", "binomial", "box_mean", "gray", "noise", "resized", "white_level"]

Gray = NDArray[np.float32]
_SENSOR_BITS = (10, 12, 14)


def gray(pixels: NDArray[np.generic]) -> Gray:
    """Gray values 0..1 of the range of the type; the mean of channels, but never of an alpha channel.

    Args:
        pixels: (h, w) or (h, w, channels), uint8 or uint16.
    """
    scale = np.float32(255 if pixels.dtype == np.uint8 else 65_535)
    if pixels.ndim == 3:
        colours = {2: 1, 4: 3}.get(pixels.shape[2], pixels.shape[2])
        return np.asarray(pixels[..., :colours].mean(axis=2, dtype=np.float32) / scale, np.float32)
    return pixels.astype(np.float32) / scale


def white_level(pixels: NDArray[np.generic]) -> int:
    """The brightest value the sensor could give: 255, or of 16 bits what 10, 12, 14 or 16 bits can hold."""
    if pixels.dtype == np.uint8:
        return 255
    brightest = int(pixels.max()) if pixels.size else 0
    return next((2**bits - 1 for bits in _SENSOR_BITS if brightest == 2**bits - 1), 65_535)


def background(image: Gray) -> float:
    """The gray of the water: the median of the outermost two pixels all around."""
    edge = min(2, *image.shape)
    frame = (image[:edge], image[-edge:], image[:, :edge], image[:, -edge:])
    return float(np.median(np.concatenate([side.ravel() for side in frame])))


def noise(image: Gray) -> float:
    """Standard deviation of the noise from pixel to pixel, after Immerkær (1996, CVIU 64:300), with a median.

    The difference of two Laplacians does not see slopes; its median does not see the few edges.
    """
    if min(image.shape) < 3:
        return 0.0
    rows = image[:-2] - 2 * image[1:-1] + image[2:]
    mask = rows[:, :-2] - 2 * rows[:, 1:-1] + rows[:, 2:]
    return float(1.4826 * np.median(np.abs(mask)) / 6)  # 6: norm of the mask


def box_mean(image: Gray) -> Gray:
    """Mean of 3 × 3 pixels; the border repeats itself."""
    padded = np.pad(image, 1, mode="edge")
    rows = padded[:-2] + padded[1:-1] + padded[2:]
    return np.asarray((rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]) / np.float32(9), np.float32)


def binomial(image: Gray) -> Gray:
    """Light smoothing by the weights 1 2 1 both ways; the border repeats itself."""
    padded = np.pad(image, 1, mode="edge")
    rows = (padded[:-2] + 2 * padded[1:-1] + padded[2:]) / np.float32(4)
    return np.asarray((rows[:, :-2] + 2 * rows[:, 1:-1] + rows[:, 2:]) / np.float32(4), np.float32)


def resized(image: Gray, height: int, width: int) -> Gray:
    """The image with another size: means of what a new pixel covers, straight lines where it is enlarged."""
    if image.shape == (height, width):
        return image
    smaller = height <= image.shape[0] and width <= image.shape[1]
    how = Image.Resampling.BOX if smaller else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(image).resize((width, height), how), np.float32)
