"""Numbers that say how good one image is: focus, contrast, noise, emptiness, saturation, whether the object is cut off.

Scores are measured; flags compare them with thresholds, and both carry a version. Nothing here removes anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aqqua.curate.content import Content, find_content
from aqqua.curate.gray import Gray, background, binomial, box_mean, gray, noise, white_level

__all__ = ["FLAGS", "QUALITY_SCHEMA", "QUALITY_VERSION", "THRESHOLDS", "flags", "score_image"]

QUALITY_VERSION = 1
"""Changes whenever the same image gives another score or flag."""

THRESHOLDS: dict[str, float] = {
    "focus": 0.15,
    "object_px": 12,
    "saturated": 0.25,
    "border": 0.02,
    "noise_share": 0.25,  # of the contrast
}
"""An image is flagged where its score is beyond these; they are kept in quality.json."""

_SCORES: dict[str, Any] = {
    "focus": pl.Float32,
    "edge": pl.Float32,
    "contrast": pl.Float32,
    "noise": pl.Float32,
    "background": pl.Float32,
    "object_px": pl.UInt32,
    "object_share": pl.Float32,
    "saturated": pl.Float32,
    "border_share": pl.Float32,
}
FLAGS = ("out_of_focus", "empty", "overexposed", "cut_off", "low_contrast", "burnt_in")
QUALITY_SCHEMA: dict[str, Any] = {
    "uid": pl.UInt64,
    **_SCORES,
    **dict.fromkeys(("content_x0", "content_y0", "content_x1", "content_y1"), pl.UInt16),
    "content_kind": pl.String,
    "bar_px": pl.UInt16,
    **dict.fromkeys(FLAGS, pl.Boolean),
}
"""Columns of the quality table of a shard."""

_NOTICEABLE = 0.025
"""Share of the gray range that stands out from the water even where there is no noise at all (JPEG, clipped white)."""
_BODY = 0.3
"""Share of the contrast that a pixel at the border must have to be object, not a shade of the background."""
_SECOND_NOISE, _FIRST_NOISE = 0.40625, 0.1171875
"""What binomial smoothing and then a Laplacian, or central differences both ways, leave of white noise's variance."""


def score_image(pixels: NDArray[np.generic]) -> dict[str, Any]:
    """All scores and flags of one image, without its uid.

    focus: energy of the second over the energy of the first differences of the object after one light smoothing,
    without what noise adds to each (a ratio of gradient energies like those of Brenner et al. 1976, J. Histochem.
    Cytochem. 24:100, and Krotkov 1987, IJCV 1:223): neither contrast nor size of the object matter. edge: steepest
    edges (99th percentile of Sobel's gradient, "Tenengrad") over the contrast, 1/px.

    Args:
        pixels: (h, w) or (h, w, channels), uint8 or uint16.
    """
    content = find_content(pixels)
    picture = pixels[content.y0 : content.y1, content.x0 : content.x1]
    image = gray(picture)
    water, sigma = background(image), noise(image)
    away = np.abs(box_mean(image - np.float32(water)))
    object_ = away > max(4 * sigma / 3, _NOTICEABLE)  # 3: the mean of nine pixels has a third of the noise
    contrast = float(np.percentile(away[object_], 95)) if object_.any() else 0.0
    scores: dict[str, Any] = {
        "focus": _focus(image, sigma, object_),
        "edge": _edge(image, sigma, contrast),
        "contrast": contrast,
        "noise": sigma,
        "background": water,
        "object_px": int(object_.sum()),
        "object_share": float(object_.mean()),
        "saturated": _saturated(picture, object_),
        "border_share": _border_share(object_ & (away > _BODY * contrast)),
    }
    return {**scores, **_box(content), **flags({**scores, "content_kind": content.kind})}


def flags(scores: Mapping[str, Any], thresholds: Mapping[str, float] = THRESHOLDS) -> dict[str, bool]:
    """What the scores of an image mean. An empty image is only empty: there is nothing that could be out of focus."""
    empty = scores["object_px"] < thresholds["object_px"]
    told = {
        "out_of_focus": scores["focus"] < thresholds["focus"],
        "overexposed": scores["saturated"] > thresholds["saturated"],
        "cut_off": scores["border_share"] > thresholds["border"],
        "low_contrast": scores["noise"] > thresholds["noise_share"] * scores["contrast"],
    }
    burnt = scores["content_kind"] != "none"
    return {"empty": bool(empty), "burnt_in": burnt} | {name: bool(on and not empty) for name, on in told.items()}


def _box(content: Content) -> dict[str, Any]:
    return {
        "content_x0": content.x0,
        "content_y0": content.y0,
        "content_x1": content.x1,
        "content_y1": content.y1,
        "content_kind": content.kind,
        "bar_px": content.bar_px,
    }


def _focus(image: Gray, sigma: float, object_: NDArray[np.bool_]) -> float:
    """Energy of second over energy of first differences in the object, less the noise in each."""
    chosen = object_[1:-1, 1:-1]
    if min(image.shape) < 3 or not chosen.any():
        return 0.0
    smooth = binomial(image)
    middle = smooth[1:-1, 1:-1]
    second = (smooth[1:-1, :-2] + smooth[1:-1, 2:] + smooth[:-2, 1:-1] + smooth[2:, 1:-1] - 4 * middle)[chosen]
    first = ((smooth[1:-1, 2:] - smooth[1:-1, :-2]) ** 2 + (smooth[2:, 1:-1] - smooth[:-2, 1:-1]) ** 2)[chosen] / 4
    fine = float((second**2).mean()) - _SECOND_NOISE * sigma**2
    coarse = float(first.mean()) - _FIRST_NOISE * sigma**2
    return max(fine, 0.0) / coarse if coarse > 1e-9 else 0.0


def _edge(image: Gray, sigma: float, contrast: float) -> float:
    """Steepest edges over contrast: the reciprocal of the width of the sharpest edge, 1/px."""
    if min(image.shape) < 3 or contrast <= 0:
        return 0.0
    rows = image[:-2] + 2 * image[1:-1] + image[2:]
    columns = image[:, :-2] + 2 * image[:, 1:-1] + image[:, 2:]
    along_x, along_y = (rows[:, 2:] - rows[:, :-2]) / 8, (columns[2:] - columns[:-2]) / 8
    steep = float(np.percentile(along_x**2 + along_y**2, 99))
    return float(np.sqrt(max(steep - 2 * 0.1875 * sigma**2, 0.0)) / contrast)  # 0.1875: Sobel's share of the noise


def _saturated(pixels: NDArray[np.generic], object_: NDArray[np.bool_]) -> float:
    """Share of the object that is as black or as white as the sensor can tell."""
    inside = pixels[object_]
    if not inside.size:
        return 0.0
    clipped = (inside == 0) | (inside == white_level(pixels))
    return float((clipped.all(axis=1) if clipped.ndim == 2 else clipped).mean())


def _border_share(object_: NDArray[np.bool_]) -> float:
    """Share of the border that is object; the largest of the four sides, so that a long image is not favoured."""
    sides = (object_[0], object_[-1], object_[:, 0], object_[:, -1])
    return float(max(side.mean() for side in sides))
