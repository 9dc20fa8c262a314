"""Chapters of a report from what interpolation left behind, and their figures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from aqqua.maps.effects import Effect
from aqqua.maps.figures_style import LIGHT, drawing, save
from aqqua.maps.output import read_maps
from aqqua.maps.report_chapter import Chapter, chapters_of, figures_of, map_figure
from aqqua.maps.report_words import cautions
from tests.make.mapped import write_mapped


@pytest.mark.parametrize("months", [False, True])
def test_a_chapter_knows_its_numbers(tmp_path: Path, months: bool) -> None:
    chapter, skipped = chapters_of(write_mapped(tmp_path, months=months, skipped="too few"), "Copepoda")
    assert (chapter.name, chapter.unit, chapter.places) == ("Copepoda, 0–200 m", "mg m-3", 120)
    assert chapter.outside_total == pytest.approx(0.25)
    south = (np.sin(np.radians(-50)) + 1) / 2
    assert chapter.outside_share == pytest.approx(south, abs=1e-6)
    assert 1500 < chapter.median_km < 2100
    assert chapter.maps is not None
    assert chapter.maps["mean"].dims == ("latitude", "longitude")
    assert skipped.skipped == "too few"
    assert np.isnan(skipped.outside_share)


def test_all_figures_are_drawn(tmp_path: Path) -> None:
    chapter = chapters_of(write_mapped(tmp_path), "Copepoda")[0]
    line = np.linspace(0, 1, 5)
    effects = [Effect("temperature_c", line, line, line, line), Effect("flat", line[:0], line[:0], line[:0], line)]
    chapter = Chapter(**{**vars(chapter), "effects": effects, "labels": {"temperature_c": "temperature (°C)"}})
    with drawing(LIGHT):
        figures = figures_of(chapter, LIGHT)
        assert list(figures) == ["map", "scores", "coverage", "importance", "effects"]
        for name in ("scores", "coverage", "importance", "effects"):
            assert save(figures[name], tmp_path / f"{name}.png", dpi=30).stat().st_size > 1000
    labels = [text.get_text() for text in figures["importance"].axes[0].get_yticklabels()]
    assert labels == ["temperature (°C)", "latitude and longitude"]
    assert figures_of(Chapter("A", (0, 1), skipped="none"), LIGHT) == {}


def test_a_map_of_a_file_is_drawn_by_its_numbers(tmp_path: Path) -> None:
    maps = read_maps(write_mapped(tmp_path) / "maps" / "Copepoda" / "map.nc")
    with drawing(LIGHT):
        figure = map_figure(maps, 0, 0, LIGHT)
    assert figure.axes[0].get_title(loc="left") == "a  Copepoda, 0–200 m"


def test_cautions_come_from_the_numbers(tmp_path: Path) -> None:
    chapter = chapters_of(write_mapped(tmp_path), "Copepoda")[0]
    told = "\n".join(cautions(chapter))
    assert "Random folds flatter" in told
    assert "lies outside the area of applicability, with 25% of the total" in told
    assert "2 observations were left out: value missing." in told
    assert "km away from any sample" in told
    assert chapter.scores is not None
    weak = chapter.scores.with_columns(pearson2_log=chapter.scores["pearson2_log"] * 0)
    assert "do not use its pattern" in cautions(Chapter(**{**vars(chapter), "scores": weak}))[0]
