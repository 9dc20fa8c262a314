"""Miniature folders of images: class folders, tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.make.images import as_file, random_image
from tests.make.packing import pack

CARD = """\
title: A small survey
licence: CC-BY-4.0
instruments: [ISIIS]
defaults:
  instrument: ISIIS
  pixel_um: 68
  time_utc: 2014-06-01T12:00:00Z
  latitude: 25.5
  longitude: -80
  depth_min_m: 0
  depth_max_m: 130
"""


def write_classes(
    path: Path, images: int = 3, classes: tuple[str, ...] = ("copepod", "diatom"), *, card: str = CARD, seed: int = 0
) -> dict[str, np.ndarray]:
    """Write class folders with a card; returns the pixels by path within the source."""
    rng = np.random.default_rng(seed)
    pixels = {f"{name}/{name}_{number}.png": random_image(rng) for name in classes for number in range(images)}
    files = {name: as_file(image) for name, image in pixels.items()}
    pack(path, files | ({"card.yaml": card.encode()} if card else {}))
    return pixels
