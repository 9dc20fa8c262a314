from __future__ import annotations

import numpy as np
import pytest

from aqqua.ocean.shapes import Body, Cloud, Ellipsoids, Sheet, Traits, cell_areas, lathe, merge_tubes, tube
from aqqua.ocean.strokes import ball, oval


def test_volume_of_a_cylinder_a_cone_and_a_pill() -> None:
    line = [[0, 0, 0], [10, 0, 0]]
    assert tube(line, 2, "flesh", flat=True).volume_um3() == pytest.approx(np.pi * 4 * 10)
    assert tube(line, [3, 0], "flesh", flat=True).volume_um3() == pytest.approx(np.pi * 9 * 10 / 3)
    assert tube(line, 2, "flesh").volume_um3() == pytest.approx(np.pi * 4 * 10 + 4 / 3 * np.pi * 8)


def test_volume_of_a_hollow_tube_is_that_of_its_wall() -> None:
    pipe = tube([[0, 0, 0], [10, 0, 0]], 3, "cuticle", wall_um=1)
    assert pipe.volume_um3() == pytest.approx(np.pi * (9 - 4) * 10, rel=1e-5)


def test_volume_of_an_ellipsoid_and_of_a_shell() -> None:
    assert oval((1, 2, 3), (1, 2, 3), "flesh").volume_um3() == pytest.approx(4 / 3 * np.pi * 6)
    assert ball((0, 0, 0), 3, "flesh", wall_um=1).volume_um3() == pytest.approx(4 / 3 * np.pi * (27 - 8))


def test_volume_of_a_sheet_and_of_a_cloud() -> None:
    x, y = np.meshgrid(np.linspace(0, 4, 5), np.linspace(0, 3, 4), indexing="ij")
    grid = np.stack([x, y, 0 * x], axis=2)
    assert Sheet(grid, 0.5, "membrane").volume_um3() == pytest.approx(6)
    assert Sheet(grid, 0.5, "membrane", known_um3=99.0).volume_um3() == 99
    assert Cloud(np.zeros((2, 3)), np.array([1.0, 2.0]), "grain").volume_um3() == pytest.approx(4 / 3 * np.pi * 9)


def test_lathe_turns_a_half_circle_into_a_ball() -> None:
    x = np.linspace(-10, 10, 41)
    body = lathe(x, np.sqrt(np.maximum(100 - x**2, 0)), "flesh")
    assert body.volume_um3() == pytest.approx(4 / 3 * np.pi * 1000, rel=0.06)
    assert max(np.abs(body.start[:, 0]) + body.start_radius) <= 10.01


def test_lathe_never_leaves_its_outline() -> None:
    x, r = np.array([0.0, 1, 8, 9, 10]), np.array([1.0, 4, 4, 1, 0.2])
    body = lathe(x, r, "flesh")
    for centre, radius in zip(body.start[:, 0], body.start_radius, strict=True):
        reach = np.linspace(max(0, centre - radius), min(10, centre + radius), 50)
        assert (np.sqrt(np.maximum(radius**2 - (reach - centre) ** 2, 0)) <= np.interp(reach, x, r) + 0.15).all()


def test_merged_tubes_keep_everything() -> None:
    one, two = tube([[0, 0, 0], [1, 0, 0]], 1, "limb"), tube([[0, 5, 0], [1, 5, 0], [2, 5, 0]], 2, "limb")
    both = merge_tubes([one, two], bundle=True)
    assert len(both.start) == 3
    assert both.bundle
    assert both.volume_um3() == pytest.approx(one.volume_um3() + two.volume_um3())


def test_body_has_the_volume_of_its_hull_only() -> None:
    hull, gut = ball((0, 0, 0), 10, "flesh", "body"), ball((0, 0, 0), 5, "gut", "organ")
    body = Body((hull, gut), Traits(20, 20)).with_volume()
    assert body.traits.volume_um3 == pytest.approx(4 / 3 * np.pi * 1000, rel=1e-5)
    assert body.traits.esd_um == pytest.approx(20, rel=1e-5)


def test_cell_areas_of_a_slanted_plane() -> None:
    x, y = np.meshgrid([0.0, 1.0], [0.0, 1.0], indexing="ij")
    assert cell_areas(np.stack([x, y, x], axis=2))[0, 0] == pytest.approx(2**0.5)


def test_ellipsoids_are_a_part_of_many() -> None:
    axes = np.stack([np.eye(3), 2 * np.eye(3)])
    assert Ellipsoids(np.zeros((2, 3)), axes, "egg").volume_um3() == pytest.approx(4 / 3 * np.pi * 9)
