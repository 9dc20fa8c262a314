from __future__ import annotations

import io
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from aqqua.ocean.optics import Pose
from aqqua.ocean.organisms import TAXA
from aqqua.ocean.pictures import Picture
from aqqua.ocean.sightings import (
    Sighting,
    hierarchy_of,
    label_of,
    longest_extent,
    mask_measures,
    pixel_measures,
    png_bytes,
    see,
)
from aqqua.ocean.survey import deployments, organisms_in
from aqqua.ocean.world import visits


@pytest.fixture(scope="module")
def sightings() -> list[Sighting]:
    found: list[Sighting] = []
    for deployment in deployments(visits(0, 1)[0], 80):
        for organism in organisms_in(deployment):
            found += [see(organism, key, deployment, len(found) + 1) for key, yes in organism.detected.items() if yes]
    return found


def test_the_extent_of_a_rectangle_is_its_diagonal() -> None:
    mask = np.zeros((60, 80), bool)
    mask[10:40, 20:60] = True
    assert longest_extent(mask) == pytest.approx(np.hypot(29, 39) + 1, rel=0.01)
    assert longest_extent(np.zeros((3, 3), bool)) == 0


def test_mask_measures_of_a_disc() -> None:
    y, x = np.mgrid[:41, :61]
    disc = (x - 30) ** 2 + (y - 20) ** 2 <= 100
    mask = np.where(disc, 2, 0).astype(np.uint8)
    mask[20, 41:50] = 1
    told = mask_measures(Picture(mask, mask, Pose(), 0.0), 2.0)
    assert told["area_px"] == disc.sum() + 9
    assert told["body_area_px"] == disc.sum()
    assert told["ecd_um"] == pytest.approx(40, rel=0.03)
    assert told["feret_um"] == pytest.approx(42, rel=0.03)
    assert (told["bbox_x"], told["bbox_y"], told["bbox_width"], told["bbox_height"]) == (20, 10, 30, 21)


def test_mask_measures_of_nothing() -> None:
    mask = np.zeros((4, 5), np.uint8)
    told = mask_measures(Picture(mask, mask, Pose(), 0.0), 2.0)
    assert told["area_px"] == 0
    assert told["bbox_x"] is None


def test_pixel_measures_are_within_the_image(sightings: list[Sighting]) -> None:
    for sighting in sightings:
        told = pixel_measures(sighting)
        height, width = sighting.picture.mask.shape
        assert 0 < told["width"] <= width
        assert 0 < told["height"] <= height
        assert told["min"] <= told["mean"] <= told["max"]


def test_validated_is_right_and_predicted_mostly(sightings: list[Sighting]) -> None:
    tally: Counter[tuple[str | None, bool]] = Counter()
    for sighting in sightings:
        label, status = label_of(sighting)
        tally[status, label == sighting.organism.population.taxon] += 1
        assert label is None or hierarchy_of(label) == TAXA[label].hierarchy
    assert tally["validated", False] == 0
    assert tally["validated", True] > tally["predicted", True] > tally["predicted", False] > 0
    assert tally[None, False] > 0


def test_png_keeps_every_pixel() -> None:
    for pixels in (np.arange(64, dtype=np.uint8).reshape(8, 8), np.arange(64, dtype=np.uint16).reshape(8, 8) * 1000):
        with Image.open(io.BytesIO(png_bytes(pixels))) as image:
            assert (np.asarray(image) == pixels).all()


def test_keys_are_unique_and_tell_instrument_and_sample(sightings: list[Sighting]) -> None:
    keys = [sighting.key for sighting in sightings]
    assert len(set(keys)) == len(keys)
    assert keys[0].split("-")[1] == "001"
