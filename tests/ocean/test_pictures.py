from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from aqqua.ocean.chance import named_rng
from aqqua.ocean.instruments import INSTRUMENTS
from aqqua.ocean.optics import Pose
from aqqua.ocean.organisms import TAXA, build
from aqqua.ocean.pictures import natural_pose, take_picture
from aqqua.ocean.sightings import longest_extent

SEEN_BY = {
    "zooscan": ("Calanoida", 2000),
    "isiis": ("Chaetognatha", 6000),
    "spc": ("Calanoida", 1200),
    "planktoscope": ("Dinophyceae", 150),
    "ifcb": ("Trichodesmium", 90),
    "fluorescence": ("Dinophyceae", 120),
}
PAIRS = [
    (key, taxon)
    for key, device in INSTRUMENTS.items()
    for taxon, kind in TAXA.items()
    if max(kind.typical_um[0], 1.2 * device.smallest_um) < min(kind.typical_um[1], device.longest_um)
]


@pytest.mark.parametrize("key", INSTRUMENTS)
def test_images_have_the_depth_and_channels_of_the_instrument(key: str) -> None:
    device = INSTRUMENTS[key]
    taxon, length = SEEN_BY[key]
    picture = take_picture(build(taxon, length, 0, 1), device, named_rng(0, "picture", key))
    channels = 1 if picture.pixels.ndim == 2 else picture.pixels.shape[2]
    assert channels == len(device.channels)
    assert picture.pixels.dtype == (np.uint16 if device.bits == 16 else np.uint8)
    assert picture.mask.shape == picture.pixels.shape[:2]
    assert set(np.unique(picture.mask)) <= {0, 1, 2}


@pytest.mark.parametrize(("key", "taxon"), PAIRS)
def test_the_mask_is_as_long_as_the_organism_and_the_image_shows_it_there(key: str, taxon: str) -> None:
    device, kind = INSTRUMENTS[key], TAXA[taxon]
    low, high = max(kind.typical_um[0], 1.2 * device.smallest_um), min(kind.typical_um[1], device.longest_um)
    body = build(taxon, (low * high) ** 0.5, 3, key)
    picture = take_picture(replace(body, mottle=0.0), device, named_rng(0, key, taxon), Pose(25, 0, 20))
    star = body.traits.form in {"star", "puff", "tuft"}
    drawn = longest_extent(picture.mask > 0 if star else picture.mask == 2) * device.pixel_um
    slack = 2.5 * device.pixel_um
    assert 0.38 * body.traits.length_um - slack < drawn < 1.4 * body.traits.length_um + slack
    gray = picture.pixels.astype(float).reshape(*picture.mask.shape, -1)[..., 0]
    border = np.concatenate([gray[0], gray[-1], gray[:, 0], gray[:, -1]])
    contrast = np.abs(gray[picture.mask > 0] - np.median(border)).mean()
    assert contrast > 1.2 * np.abs(border - np.median(border)).mean()


@pytest.mark.parametrize("key", INSTRUMENTS)
def test_the_object_lies_within_a_margin_of_water(key: str) -> None:
    device = INSTRUMENTS[key]
    taxon, length = SEEN_BY[key]
    picture = take_picture(build(taxon, length, 0, 2), device, named_rng(0, "margin", key))
    rows, columns = np.nonzero(picture.mask)
    height, width = picture.mask.shape
    least = min(rows.min(), columns.min(), height - 1 - rows.max(), width - 1 - columns.max())
    assert least >= 0.7 * device.margin_px - 2


def test_the_same_generator_takes_the_same_picture() -> None:
    body, device = build("Calanoida", 1500, 0, 1), INSTRUMENTS["zooscan"]
    one, two, other = (take_picture(body, device, named_rng(0, name)) for name in ("a", "a", "b"))
    assert (one.pixels == two.pixels).all()
    assert one.pixels.shape != other.pixels.shape or (one.pixels != other.pixels).any()


@pytest.mark.parametrize("key", INSTRUMENTS)
def test_background_is_where_the_instrument_has_it(key: str) -> None:
    device = INSTRUMENTS[key]
    taxon, length = SEEN_BY[key]
    pixels = take_picture(build(taxon, length, 0, 3), device, named_rng(0, "background", key)).pixels
    first = pixels if pixels.ndim == 2 else pixels[..., 0]
    border = np.concatenate([first[0], first[-1], first[:, 0], first[:, -1]]) / (2**device.bits - 1)
    assert np.median(border) == pytest.approx(device.background, abs=0.09)
    assert np.std(border) < 0.08


def test_flow_aligns_and_glass_flattens() -> None:
    def poses(key: str) -> list[Pose]:
        return [natural_pose(key, named_rng(0, key, i)) for i in range(60)]

    assert all(min(pose.yaw_deg % 180, 180 - pose.yaw_deg % 180) <= 25 for pose in poses("ifcb"))
    assert all(abs(pose.pitch_deg) <= 14 for pose in poses("zooscan"))
    assert max(abs(pose.pitch_deg) for pose in poses("isiis")) > 40
    assert np.ptp([pose.yaw_deg for pose in poses("isiis")]) > 250
