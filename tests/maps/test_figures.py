"""Figures: drawn from miniature maps in both looks, written as files, with what they must show."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from aqqua.errors import ConfigError, UnknownNameError
from aqqua.maps.figures_map import Field, field_figure
from aqqua.maps.figures_model import named, pretty_unit
from aqqua.maps.figures_style import DARK, LIGHT, Style, colours, drawing, new_figure, save, style_of, svg
from tests.make.mapped import LATITUDE, LONGITUDE


def world(style: Style, path: Path, values: np.ndarray, outside: np.ndarray | None = None) -> np.ndarray:
    """A map drawn and read back as pixels."""
    with drawing(style):
        field = Field(values, LATITUDE, LONGITUDE, "A", "mg", logarithmic=True)
        save(field_figure(field, style, outside=outside, observed=(np.array([0.0]), np.array([355.0]))), path, dpi=50)
    return np.asarray(Image.open(path).convert("RGB")).astype(int)


@pytest.mark.slow
def test_what_is_outside_is_drawn_otherwise_and_the_same_twice(tmp_path: Path) -> None:
    values = np.full((len(LATITUDE), len(LONGITUDE)), 2.0)
    values[:, 5] = 0
    outside = np.zeros(values.shape, bool)
    plain = world(LIGHT, tmp_path / "a.png", values)
    np.testing.assert_array_equal(plain, world(LIGHT, tmp_path / "b.png", values))
    outside[3:6, 10:20] = True
    changed = np.abs(world(LIGHT, tmp_path / "c.png", values, outside) - plain).sum(axis=2) > 30
    assert 0.005 < changed.mean() < 0.2
    dark = world(DARK, tmp_path / "d.png", values)
    assert dark[0, 0].tolist() == [0x10, 0x16, 0x1C]
    assert plain[0, 0].tolist() == [255, 255, 255]


@pytest.mark.parametrize("values", [np.nan, 0.0, 3.0])
def test_maps_of_nothing_zeros_and_one_value_are_drawn(tmp_path: Path, values: float) -> None:
    drawn = world(LIGHT, tmp_path / "a.png", np.full((len(LATITUDE), len(LONGITUDE)), values))
    assert drawn.std() > 5


def test_figures_are_written_as_papers_want_them(tmp_path: Path) -> None:
    with drawing(LIGHT):
        figure = new_figure(1, 2)
        figure.subplots().plot([1, 2])
        for ending, magic in (("png", b"\x89PNG"), ("pdf", b"%PDF"), ("svg", b"<?xml")):
            assert save(figure, tmp_path / f"a.{ending}").read_bytes().startswith(magic)
        assert svg(figure).startswith("<svg")
        assert "<script" not in svg(figure)
        with pytest.raises(ConfigError, match="PNG, SVG or PDF"):
            save(figure, tmp_path / "a.bmp")


def test_colours_of_both_styles_go_evenly_from_little_to_much() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for style in (LIGHT, DARK):
            for quantity in style.maps:
                shades = colours(style, quantity)(np.linspace(0, 1, 20))[:, :3] @ [0.3, 0.59, 0.11]
                steps = np.diff(shades)
                assert (steps > -0.02).all() or (steps < 0.02).all(), (style.name, quantity)
    assert style_of("dark") is DARK
    with pytest.raises(UnknownNameError):
        style_of("drak")


def test_names_and_units_are_those_of_people() -> None:
    assert [named(one) for one in ("blocks10", "blocks45", "gam_log")] == ["10° blocks", "45° blocks", "gam log"]
    assert pretty_unit("mg m-3") == "mg m$^{-3}$"
