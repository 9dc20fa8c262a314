from __future__ import annotations

import numpy as np
import pytest

from aqqua.ocean.optics import Pose
from aqqua.ocean.raster import Canvas, extent_um, thickness_um, turn
from aqqua.ocean.shapes import Cloud, Part, Sheet, lathe, merge_tubes, tube
from aqqua.ocean.strokes import ball, oval

CANVAS = Canvas((120, 120), 0.5, (-30.0, -30.0))
POSES = [Pose(), Pose(33, 0, 0), Pose(70, 40, 10), Pose(200, -55, 120)]


def _volume(part: Part, pose: Pose, canvas: Canvas = CANVAS) -> float:
    (path,) = thickness_um(turn(part, pose.matrix()), canvas).values()
    return float(path.sum()) * canvas.grid_um**2


@pytest.mark.parametrize("pose", POSES)
@pytest.mark.parametrize(
    "part",
    [
        ball((1, 2, 3), 8, "flesh"),
        oval((0, 0, 0), (15, 8, 4), "flesh"),
        lathe([-15, -10, 0, 10, 15], [1, 5, 7, 6, 1], "flesh"),
        tube([[-18, 0, 0], [18, 0, 0]], 2.0, "flesh"),
        Cloud(np.array([[0, 0, 0], [9, 3, -4]]), np.array([3.0, 0.4]), "grain"),
    ],
    ids=["ball", "oval", "lathe", "tube", "cloud"],
)
def test_thickness_adds_up_to_the_volume_from_every_side(part: Part, pose: Pose) -> None:
    assert _volume(part, pose) == pytest.approx(part.volume_um3(), rel=0.04)


def test_a_ball_is_as_thick_as_a_ball() -> None:
    (path,) = thickness_um(ball((0, 0, 0), 10, "flesh"), CANVAS).values()
    assert path.max() == pytest.approx(20, rel=0.01)
    assert path[60, 60 + 12] == pytest.approx(2 * np.sqrt(100 - 6.25**2 - 0.25**2), rel=0.01)
    assert path[60, 60 + 21] == 0


def test_a_shell_is_thickest_at_its_rim() -> None:
    (path,) = thickness_um(ball((0, 0, 0), 10, "flesh", wall_um=1), CANVAS).values()
    middle, rim = path[60, 60], path[60].max()
    assert middle == pytest.approx(2, rel=0.02)
    assert rim > 3 * middle


def test_a_skin_is_drawn_with_the_tube_it_lies_on() -> None:
    paths = thickness_um(tube([[-10, 0, 0], [10, 0, 0]], 5, "flesh", skin="cuticle", skin_um=1), CANVAS)
    assert list(paths) == ["flesh", "cuticle"]
    assert paths["flesh"][60, 60] == pytest.approx(10, rel=0.01)
    assert paths["cuticle"][60, 60] == pytest.approx(2, rel=0.03)


def test_thinner_than_a_pixel_is_fainter_not_wider() -> None:
    hair = tube([[-20, 0, 0], [20, 0, 0]], 0.05, "seta")
    (path,) = thickness_um(hair, CANVAS).values()
    assert (path > 0).sum() < 400
    assert _volume(hair, Pose()) == pytest.approx(hair.volume_um3(), rel=0.35)


def test_threads_of_a_bundle_add_up_where_they_cross_and_others_do_not() -> None:
    cross = [tube([[-9, 0, 0], [9, 0, 0]], 2, "trichome"), tube([[0, -9, 0], [0, 9, 0]], 2, "trichome")]
    (joined,) = thickness_um(merge_tubes(cross), CANVAS).values()
    (bundled,) = thickness_um(merge_tubes(cross, bundle=True), CANVAS).values()
    assert joined[60, 60] == pytest.approx(4, rel=0.05)
    assert bundled[60, 60] == pytest.approx(8, rel=0.05)


def test_flat_ends_are_cut() -> None:
    line = [[-10, 0, 0], [10, 0, 0]]
    (flat,) = thickness_um(tube(line, 5, "plasm", flat=True), CANVAS).values()
    (round_,) = thickness_um(tube(line, 5, "plasm"), CANVAS).values()
    assert flat[60, 60 + 23] == 0
    assert round_[60, 60 + 23] > 0


def test_a_sheet_seen_face_on_is_as_thick_as_it_is() -> None:
    x, y = np.meshgrid(np.linspace(-10, 10, 5), np.linspace(-10, 10, 5), indexing="ij")
    sheet = Sheet(np.stack([x, y, 0 * x], axis=2), 0.7, "membrane")
    (path,) = thickness_um(sheet, CANVAS).values()
    assert np.median(path[50:70, 50:70]) == pytest.approx(0.7, rel=0.05)
    assert _volume(sheet, Pose(30, 50, 0)) == pytest.approx(sheet.volume_um3(), rel=0.03)


def test_what_lies_outside_the_canvas_is_left_out() -> None:
    far = Canvas((10, 10), 1.0, (100.0, 100.0))
    for part in (Cloud(np.zeros((3, 3)), np.full(3, 0.2), "grain"), ball((0, 0, 0), 5, "flesh")):
        (path,) = thickness_um(part, far).values()
        assert path.sum() == 0


@pytest.mark.parametrize("pose", POSES)
def test_nothing_is_drawn_beyond_the_extent(pose: Pose) -> None:
    part = turn(oval((3, -2, 1), (12, 5, 2), "flesh"), pose.matrix())
    low, high = extent_um(part)
    (path,) = thickness_um(part, CANVAS).values()
    rows, columns = np.nonzero(path)
    assert columns.min() * 0.5 - 30 >= low[0] - 0.5
    assert (columns.max() + 1) * 0.5 - 30 <= high[0] + 0.5
    assert rows.min() * 0.5 - 30 >= low[1] - 0.5
    assert (rows.max() + 1) * 0.5 - 30 <= high[1] + 0.5
