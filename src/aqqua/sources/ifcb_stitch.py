"""Two ROIs of one organism → one image, for IFCBs of the first generation.

Such an instrument cut a large organism into two ROIs that overlap. They belong together where two consecutive ROIs of
one trigger share more than two pixels in both directions (J. Futrelle, pyifcb `data/stitching`). Both are laid where
they were on the sensor, the second over the first. Corners that neither shows get the mean gray of the pixels that
touch them, as pyifcb fills them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

__all__ = ["OVERLAP_PX", "Roi", "pairs", "share", "stitch"]

OVERLAP_PX = 2


@dataclass(frozen=True)
class Roi:
    """Where a ROI was on the sensor, in pixels, and where its pixels begin in the .roi file."""

    x: int
    y: int
    width: int
    height: int
    start: int

    @classmethod
    def of(cls, row: Mapping[str, str]) -> Self | None:
        """The ROI of a line of an .adc file, or None if a number is missing."""
        try:
            return cls(*(int(float(row[name])) for name in ("roi_x", "roi_y", "roi_width", "roi_height", "start_byte")))
        except (KeyError, ValueError, TypeError, OverflowError):
            return None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what `str` wrote."""
        return cls(*map(int, text.split()))

    def __str__(self) -> str:
        """x, y, width, height and first byte."""
        return f"{self.x} {self.y} {self.width} {self.height} {self.start}"

    def pixels(self, data: bytes) -> np.ndarray:
        """The pixels, uint8 (height, width)."""
        flat = np.frombuffer(data, np.uint8, self.width * self.height, self.start)
        return flat.reshape(self.height, self.width)


def share(one: Roi, two: Roi) -> bool:
    """Whether two ROIs overlap by more than two pixels in both directions."""
    wide = min(one.x + one.width, two.x + two.width) - max(one.x, two.x)
    high = min(one.y + one.height, two.y + two.height) - max(one.y, two.y)
    return wide > OVERLAP_PX and high > OVERLAP_PX


def pairs(triggers: Sequence[str | None], rois: Sequence[Roi | None]) -> dict[int, int]:
    """Which ROI continues which: position of the second → position of the first.

    A ROI that is the second of a pair begins no other one: a third that overlaps it stays an image of its own.

    Args:
        triggers: number of the trigger of each ROI.
        rois: the ROIs, None for those that cannot be read.
    """
    found: dict[int, int] = {}
    for place in range(1, len(rois)):
        one, two = rois[place - 1], rois[place]
        same = triggers[place] is not None and triggers[place] == triggers[place - 1]
        if one and two and same and place - 1 not in found and share(one, two):
            found[place] = place - 1
    return found


def stitch(one: Roi, two: Roi, data: bytes) -> np.ndarray:
    """The image of two ROIs.

    Args:
        one: the first.
        two: the second, laid over the first.
        data: content of the .roi file.

    Returns:
        uint8 (height, width) of the box around both.
    """
    x, y = min(one.x, two.x), min(one.y, two.y)
    width = max(one.x + one.width, two.x + two.width) - x
    height = max(one.y + one.height, two.y + two.height) - y
    image, known = np.zeros((height, width), np.uint8), np.zeros((height, width), bool)
    for roi in (one, two):
        at = np.s_[roi.y - y : roi.y - y + roi.height, roi.x - x : roi.x - x + roi.width]
        image[at], known[at] = roi.pixels(data), True
    if not known.all():
        gap = np.pad(~known, 1)
        near = (gap[:-2, 1:-1] | gap[2:, 1:-1] | gap[1:-1, :-2] | gap[1:-1, 2:]) & known
        image[~known] = round(float(image[near].mean()))
    return image
