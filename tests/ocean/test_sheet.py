from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from aqqua.ocean import contact_sheet
from aqqua.ocean.instruments import INSTRUMENTS
from aqqua.ocean.organisms import TAXA
from aqqua.ocean.sheet import in_colour


def test_a_sheet_has_a_row_per_taxon_and_a_column_per_instrument(tmp_path: Path) -> None:
    path = contact_sheet(tmp_path / "sheet.png", cell_px=60, each=1)
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB"))
    assert pixels.shape == (34 + 60 * len(TAXA), 150 + 60 * len(INSTRUMENTS), 3)
    paper = np.array([250, 250, 248])
    for row in range(len(TAXA)):
        drawn = (pixels[34 + 60 * row : 94 + 60 * row, 150:] != paper).any(axis=2)
        assert drawn.mean() > 0.05


def test_colours_for_the_eye() -> None:
    gray = np.full((2, 3), 77, np.uint8)
    assert (in_colour(gray) == 77).all()
    rgb = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
    assert (in_colour(rgb) == rgb).all()
    deep = np.zeros((1, 2, 3), np.uint16)
    deep[0, 0, 1] = deep[0, 1, 2] = 65535
    red, blue = in_colour(deep)[0]
    assert red[0] == 255 > red[2]
    assert blue[2] == 255 > blue[0]


def test_the_module_can_be_run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[tuple[str, int]] = []

    def draw(path: str, *, seed: int) -> Path:
        asked.append((path, seed))
        return Path(path)

    monkeypatch.setattr("aqqua.ocean.sheet.contact_sheet", draw)
    monkeypatch.setattr("sys.argv", ["aqqua.ocean", "s.png", "2"])
    runpy.run_module("aqqua.ocean.__main__", run_name="__main__")
    assert asked == [("s.png", 2)]
    assert capsys.readouterr().out.strip() == "s.png"
