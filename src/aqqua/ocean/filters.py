"""Image filters in plain numpy: blur, shrink, and clouds of smooth noise."""

from __future__ import annotations

import numpy as np
from PIL import Image

from aqqua.ocean.chance import Array

__all__ = ["blur", "clouds", "edge_distance", "shrink", "smooth_noise"]


def blur(image: Array, sigma: float) -> Array:
    """Gaussian blur of the last two axes.

    Args:
        image: (…, h, w).
        sigma: in pixels; below 0.2 nothing happens.
    """
    if sigma < 0.2:
        return image
    if sigma > 6:
        return _blur_coarse(image, sigma)
    reach = max(1, int(np.ceil(2.7 * sigma)))
    taps = np.exp(-0.5 * (np.arange(reach + 1) / sigma) ** 2).astype(np.float32)
    taps /= taps[0] + 2 * taps[1:].sum()
    for axis in (-1, -2):
        image = _convolve(image, taps, axis)
    return image


def _convolve(image: Array, taps: Array, axis: int) -> Array:
    reach, n = len(taps) - 1, image.shape[axis]
    pad = [(0, 0)] * image.ndim
    pad[axis] = (reach, reach)
    wide = np.pad(image, pad, mode="edge")

    def part(shift: int) -> Array:
        index = [slice(None)] * image.ndim
        index[axis] = slice(reach + shift, reach + shift + n)
        view: Array = wide[tuple(index)]
        return view

    out: Array = part(0) * taps[0]
    for k in range(1, reach + 1):
        out += taps[k] * (part(k) + part(-k))
    return out


def _blur_coarse(image: Array, sigma: float) -> Array:
    """A wide blur is done on a coarser grid: the eye and the error do not see the difference."""
    step = int(sigma // 2)
    h, w = image.shape[-2:]
    pad = [(0, 0)] * (image.ndim - 2) + [(0, -h % step), (0, -w % step)]
    small = blur(shrink(np.pad(image, pad, mode="edge"), step), sigma / step)
    flat = small.reshape(-1, *small.shape[-2:])
    size = (small.shape[-1] * step, small.shape[-2] * step)
    big = [np.asarray(Image.fromarray(layer).resize(size, Image.Resampling.BICUBIC))[:h, :w] for layer in flat]
    return np.stack(big).reshape(image.shape).astype(np.float32)


def shrink(image: Array, step: int) -> Array:
    """Mean over blocks of `step` × `step` pixels of the last two axes (whole blocks only)."""
    if step == 1:
        return image
    h, w = image.shape[-2] // step, image.shape[-1] // step
    whole = image[..., : h * step, : w * step]
    rows = whole[..., ::step, :].copy()
    for i in range(1, step):
        rows += whole[..., i::step, :]
    out = rows[..., ::step].copy()
    for j in range(1, step):
        out += rows[..., j::step]
    out /= np.float32(step * step)
    return out


def smooth_noise(rng: np.random.Generator, shape: tuple[int, int], scale_px: float) -> Array:
    """Normal noise (mean 0, deviation about 1) that varies over `scale_px` pixels."""
    h, w = shape
    coarse = rng.standard_normal((max(2, int(h / scale_px) + 3), max(2, int(w / scale_px) + 3)), np.float32)
    box = (0.5, 0.5, 0.5 + w / scale_px, 0.5 + h / scale_px)
    box = (box[0], box[1], min(box[2], coarse.shape[1]), min(box[3], coarse.shape[0]))
    return np.asarray(Image.fromarray(coarse).resize((w, h), Image.Resampling.BICUBIC, box=box)) * np.float32(1.25)


def clouds(rng: np.random.Generator, shape: tuple[int, int], scale_px: float, octaves: int = 3) -> Array:
    """Noise with structure on several scales, each half the size and 0.6 of the strength of the one before."""
    total = np.zeros(shape, np.float32)
    weight, norm = 1.0, 0.0
    for _ in range(octaves):
        if scale_px < 1:
            break
        total += np.float32(weight) * smooth_noise(rng, shape, scale_px)
        norm += weight**2
        weight, scale_px = weight * 0.6, scale_px / 2
    return total / np.float32(max(norm, 1e-9) ** 0.5)


def edge_distance(shape: tuple[int, int]) -> Array:
    """Distance (0 centre … 1 corner) of each pixel from the middle of the image."""
    h, w = shape
    y = (np.arange(h, dtype=np.float32) - (h - 1) / 2) / max(h, 1)
    x = (np.arange(w, dtype=np.float32) - (w - 1) / 2) / max(w, 1)
    out: Array = np.sqrt(2 * (y[:, None] ** 2 + x[None, :] ** 2))
    return out
