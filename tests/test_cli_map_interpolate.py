from pathlib import Path

import pytest

from aqqua.cli_map_interpolate import app
from tests.make.oceans import small_table, write_recipe


def test_the_three_verbs_tell_what_they_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(write_recipe(tmp_path, small_table(("Copepoda",))))
    for verb in ("cv", "fit", "predict"):
        app([verb, path], result_action="return_value")
    out = capsys.readouterr().out
    assert "Copepoda, 0-200 m: " in out
    assert "left out: no environment there" in out
    for words in ("blocks10  stack", "blocks10  knn_geo", "weights: ", "importance: ", "inside the area of applicab"):
        assert words in out
    assert " Pg (90 %: " in out
