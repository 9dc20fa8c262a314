from __future__ import annotations

import numpy as np
import pytest

from aqqua.ocean.cameras import CAMERAS, bright_field, dark_field, fluorescence, shadowgraph
from aqqua.ocean.optics import Optics, Pose, look_at
from aqqua.ocean.organisms import build
from aqqua.ocean.shapes import Body, Traits
from aqqua.ocean.strokes import ball


def _water(shape: tuple[int, int] = (30, 40)) -> Optics:
    nothing = np.zeros(shape, np.float32)
    return Optics(
        absorb=np.zeros((3, *shape), np.float32),
        scatter=nothing,
        phase_um=nothing,
        chlorophyll=nothing,
        dna=nothing,
        thickness_um=nothing,
        mask=np.zeros(shape, np.uint8),
        grid_um=1.0,
    )


def _seen(material: str, radius_um: float, grid_um: float = 1.0) -> Optics:
    body = Body((ball((0, 0, 0), radius_um, material, "body"),), Traits(2 * radius_um, 2 * radius_um), mottle=0.0)
    return look_at(body, Pose(), grid_um, 10 * grid_um)


@pytest.mark.parametrize("name", CAMERAS)
def test_water_is_clear_in_bright_light_and_black_in_the_dark(name: str) -> None:
    light = CAMERAS[name](_water(), 0.3)
    assert light.shape[1:] == (30, 40)
    expected = [1.0, 0.0, 0.0] if name == "fluorescence" else [0.0] if name == "dark_field" else [1.0]
    for layer, level in zip(light, expected * len(light), strict=False):
        assert np.allclose(layer, level, atol=1e-5)


@pytest.mark.parametrize("name", sorted(CAMERAS.keys() - {"fluorescence"}))
def test_an_organism_is_seen(name: str) -> None:
    optics = look_at(build("Calanoida", 1500, 0, 1), Pose(30), 8.0, 100)
    light = CAMERAS[name](optics, 0.2).mean(axis=0)
    inside, outside = light[optics.mask == 2].mean(), light[optics.mask == 0].mean()
    assert abs(inside - outside) > 0.15
    assert (inside > outside) == (name == "dark_field")


def test_bright_field_follows_the_law_of_lambert_and_beer_where_nothing_bends() -> None:
    optics = _seen("flesh", 400, 10.0)
    middle = tuple(side // 2 for side in optics.mask.shape)
    light = bright_field(optics, 0.0)
    assert np.allclose(light[(slice(None), *middle)], np.exp(-optics.absorb[(slice(None), *middle)]), rtol=0.03)


def test_pigments_colour_the_light() -> None:
    red, green, blue = bright_field(_seen("plastid", 10, 0.5), 0.0)[:, 30, 30]
    assert red > blue
    assert green > blue


def test_a_bubble_is_a_ring_in_dark_field_and_a_dark_disc_in_a_shadowgraph() -> None:
    optics = _seen("air", 400, 10.0)
    row = optics.mask.shape[0] // 2
    dark, shadow = dark_field(optics, 0.0)[0, row], shadowgraph(optics, 0.0)[0, row]
    assert dark[row] < 0.3 * dark.max()
    assert shadow[row - 25] < 0.05


def test_chlorophyll_and_dna_shine_in_their_own_channel() -> None:
    _, chlorophyll, dna = fluorescence(_seen("plastid", 10, 0.5), 0.0).max(axis=(1, 2))
    assert chlorophyll > 0.5
    assert dna < 0.1
    _, chlorophyll, dna = fluorescence(_seen("nucleus", 10, 0.5), 0.0).max(axis=(1, 2))
    assert dna > 0.5
    assert chlorophyll < 0.1
