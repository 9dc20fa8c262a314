"""`aqqua map interpolate report` from files to the page, on a small world."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from aqqua.cli import app
from aqqua.maps.cube import at, make_cube, write_cube
from aqqua.maps.output import read_maps
from aqqua.maps.tables import write_table
from tests.make.cf import cf_faults

RECIPE = """
observations: found.parquet
predictors: world.nc
out: out
settings: {learners: [rf_log], trees: 12, replicates: 2, folds: 2, inner_folds: 2, schemes: [random, blocks30]}
"""


def write_world(folder: Path) -> None:
    """One predictor with land in the east, 90 places, two taxa; one of them was hardly ever seen."""
    random = np.random.default_rng(0)
    latitude, longitude = np.arange(-85.0, 90, 10), np.arange(-175.0, 180, 10)
    warm = np.broadcast_to(28 * np.cos(np.radians(latitude))[:, None], (18, 36)).copy()
    warm[:, 30:] = np.nan
    told = {"units": "degree_Celsius", "long_name": "temperature", "source": "made"}
    cube = make_cube({"temperature_c": (("latitude", "longitude"), warm, told)}, latitude, longitude, [(0, 200)])
    write_cube(cube, folder / "world.nc")
    places = random.uniform(-80, 80, 90), random.uniform(-175, 100, 90)
    value = at(cube, *places)["temperature_c"] * random.gamma(3, 0.3, 90)
    common = {"latitude": places[0], "longitude": places[1], "layer_min_m": 0.0, "layer_max_m": 200.0, "unit": "mg m-3"}
    seen = pl.DataFrame(common | {"taxon": "Copepoda", "value": value})
    rare = pl.DataFrame(common | {"taxon": "Salpida", "value": np.where(np.arange(90) < 2, 1.0, 0.0)})
    write_table(pl.concat([seen, rare]), folder / "found.parquet", {})
    (folder / "recipe.yaml").write_text(RECIPE)


@pytest.mark.slow
def test_from_files_to_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_world(tmp_path)
    line = ["map", "interpolate", "report", str(tmp_path / "recipe.yaml"), "--title", "A small world"]
    app([*line, "--figures", "png"], result_action="return_value")
    page = tmp_path / "out" / "report.html"
    assert capsys.readouterr().out.strip().endswith(str(page))
    text = page.read_text(encoding="utf-8")
    assert "<h1>A small world</h1>" in text
    assert "Copepoda, 0–200 m" in text
    assert "2 of 90 places have a value above zero" in text
    assert text.count("<picture>") == 5
    names = {path.name for path in (tmp_path / "out" / "figures").iterdir()}
    assert "Copepoda_0-200m_effects_dark.png" in names
    assert len(names) == 10
    made = tmp_path / "out" / "maps" / "Copepoda" / "map.nc"
    assert cf_faults(made) == []
    assert read_maps(made).attrs["data_hash"].startswith("sha256:")
