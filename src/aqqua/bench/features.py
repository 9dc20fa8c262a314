"""Thirty classic features of shape and brightness, for the baseline every learned vector has to beat.

The kind of features ZooProcess and EcoTaxa compute (Gorsky et al. 2010, doi:10.1093/plankt/fbp124), by scikit-image.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aqqua.models.preprocess import Preprocessing

__all__ = ["FEATURES", "classic_features"]

_LENGTHS = ("axis_major_length", "axis_minor_length", "equivalent_diameter_area", "feret_diameter_max")
_AREAS = ("area", "area_bbox", "area_convex", "area_filled")
_RATIOS = ("eccentricity", "extent", "solidity")

FEATURES = (
    *_LENGTHS,
    "perimeter",
    *_AREAS,
    *_RATIOS,
    "euler_number",
    "circularity",
    *(f"hu_{i}" for i in range(1, 8)),
    "intensity_mean",
    "intensity_max",
    "intensity_std",
    "intensity_skewness",
    "intensity_offset",
    "height_um",
    "width_um",
    "covered",
    "image_mean",
)
"""Names of the thirty features, in order."""

_NATIVE = Preprocessing(max_tokens=2**30, min_rows=1)


def classic_features(pixels: NDArray[Any], pixel_um: float) -> NDArray[np.float32]:
    """Return the thirty features of the largest object of an image; lengths in µm, areas in µm².

    Args:
        pixels: (height, width) or (height, width, channels).
        pixel_um: side of a pixel.
    """
    height, width = pixels.shape[:2]
    signal = _NATIVE.prepare(pixels, pixel_um).signal.astype(np.float64).mean(axis=0)
    mask = _largest(signal)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # convex hull of a straight line, moments of two pixels
        values = _measure(mask, signal, pixel_um)
    values += [height * pixel_um, width * pixel_um, mask.mean(), signal.mean()]
    return np.nan_to_num(np.array(values, dtype=np.float64), posinf=0, neginf=0).astype(np.float32)


def _largest(signal: NDArray[np.float64]) -> NDArray[np.bool_]:
    """The largest connected part above Otsu's threshold; all of an image without contrast."""
    from skimage.filters import threshold_otsu
    from skimage.measure import label

    if signal.max() <= signal.min():
        return np.ones_like(signal, dtype=bool)
    parts = label(signal > threshold_otsu(signal), connectivity=2)
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    largest: NDArray[np.bool_] = parts == sizes.argmax()
    return largest


def _measure(mask: NDArray[np.bool_], signal: NDArray[np.float64], um: float) -> list[float]:
    from skimage.measure import regionprops

    region = regionprops(mask.astype(np.uint8), intensity_image=signal)[0]
    inside = signal[mask]
    mean, spread = inside.mean(), inside.std()
    offset = math.dist(region.centroid_weighted, region.centroid) if inside.sum() > 0 else 0.0
    return [
        *(getattr(region, name) * um for name in (*_LENGTHS, "perimeter")),
        *(getattr(region, name) * um**2 for name in _AREAS),
        *(getattr(region, name) for name in _RATIOS),
        region.euler_number,
        4 * math.pi * region.area / max(region.perimeter, 1.0) ** 2,
        *region.moments_hu,
        mean,
        inside.max(),
        spread,
        float(((inside - mean) ** 3).mean() / max(spread, 1e-9) ** 3),
        offset / max(region.equivalent_diameter_area, 1.0),
    ]
