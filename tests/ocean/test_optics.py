from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqqua.ocean.materials import coefficients
from aqqua.ocean.optics import APPENDAGE, BODY, Pose, look_at
from aqqua.ocean.shapes import Body, Traits, tube
from aqqua.ocean.strokes import ball

GLASS = Body(
    (ball((0, 0, 0), 20, "flesh", "body"), tube([[0, 0, 0], [60, 0, 0]], 2, "limb", "appendage")),
    Traits(40, 40),
    mottle=0.0,
)
ANGLES = st.floats(-360, 360)


@given(ANGLES, ANGLES, ANGLES)
def test_a_pose_turns_and_does_not_deform(yaw: float, pitch: float, roll: float) -> None:
    matrix = Pose(yaw, pitch, roll).matrix().astype(np.float64)
    assert np.allclose(matrix @ matrix.T, np.eye(3), atol=1e-5)
    assert np.linalg.det(matrix) == pytest.approx(1, abs=1e-5)


def test_yaw_turns_in_the_plane_pitch_foreshortens_roll_shows_the_side() -> None:
    head, left = np.array([1.0, 0, 0]), np.array([0, 1.0, 0])
    assert np.allclose(Pose(90, 0, 0).matrix() @ head, [0, 1, 0], atol=1e-6)
    assert (Pose(0, 60, 0).matrix() @ head)[0] == pytest.approx(0.5, abs=1e-6)
    assert np.allclose(Pose(0, 0, 90).matrix() @ left, [0, 0, 1], atol=1e-6)


def test_absorption_is_path_times_coefficient() -> None:
    optics = look_at(replace(GLASS, parts=GLASS.parts[:1]), Pose(), 0.5)
    assert optics.absorb[0].max() == pytest.approx(40 * coefficients("flesh")[0], rel=0.01)
    assert optics.phase_um.max() == pytest.approx(40 * coefficients("flesh")[4], rel=0.01)
    assert optics.thickness_um.max() == pytest.approx(40, rel=0.01)


def test_density_dilutes_everything_but_refraction() -> None:
    full, half = look_at(GLASS, Pose(), 0.5), look_at(replace(GLASS, density=0.5), Pose(), 0.5)
    assert np.allclose(half.absorb, full.absorb / 2)
    assert np.allclose(half.scatter, full.scatter / 2)
    assert np.allclose(half.phase_um, full.phase_um)


def test_mask_tells_body_from_appendage() -> None:
    optics = look_at(GLASS, Pose(), 0.5, margin_um=5)
    assert (optics.mask == BODY).sum() * 0.25 == pytest.approx(np.pi * 400, rel=0.02)
    assert (optics.mask == APPENDAGE).sum() * 0.25 == pytest.approx(40 * 4 + np.pi * 2, rel=0.15)
    assert not optics.mask[0].any()
    assert not optics.mask[:, -1].any()


def test_rows_and_columns_are_multiples_and_the_margin_is_kept() -> None:
    optics = look_at(GLASS, Pose(30), 0.5, margin_um=7, multiple=4)
    assert optics.mask.shape[0] % 4 == 0
    assert optics.mask.shape[1] % 4 == 0
    rows, columns = np.nonzero(optics.mask)
    assert min(rows.min(), columns.min()) >= 7 / 0.5 - 2


def test_mottle_is_the_same_for_the_same_texture_and_changes_with_it() -> None:
    body = replace(GLASS, mottle=0.4, texture_seed=1)
    first = look_at(body, Pose(), 0.5).scatter
    assert (first == look_at(body, Pose(), 0.5).scatter).all()
    assert (first != look_at(replace(body, texture_seed=2), Pose(), 0.5).scatter).any()
