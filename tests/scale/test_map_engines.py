"""Many taxa mapped on every engine: the same numbers, one shard per taxon."""

from __future__ import annotations

from pathlib import Path

import pytest

from aqqua.maps.interpolate import read_recipe
from aqqua.maps.interpolate.run import run_cv, run_predict
from tests.make.oceans import small_table, write_recipe

pytestmark = [
    pytest.mark.slow,
    # Ray leaves closing its log files and sockets to the garbage collector; that is its affair, not ours.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
TAXA = ("Copepoda", "Chaetognatha", "Phaeodaria")


def test_every_engine_maps_the_same(tmp_path: Path, slurm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray")
    monkeypatch.chdir(tmp_path)  # SLURM's logs go to where one is
    found = {}
    for where in ("here", "pool", "slurm", "ray"):
        folder = tmp_path / where
        folder.mkdir()
        recipe = read_recipe(write_recipe(folder, small_table(TAXA, 90)))
        mapped = run_predict(recipe, where=where, workers=2)
        assert [path.name for path in mapped] == sorted(TAXA)
        assert all((path / "map.nc").is_file() for path in mapped)
        found[where] = [(path / "totals.csv").read_text(encoding="utf-8") for path in mapped]
    assert len(set(found["here"])) == len(TAXA)
    for where in ("pool", "slurm", "ray"):
        assert found[where] == found["here"], where


def test_a_run_that_was_cut_off_does_only_what_is_missing(tmp_path: Path) -> None:
    recipe = read_recipe(write_recipe(tmp_path, small_table(TAXA, 90)))
    first = run_cv(recipe, where="pool", workers=2)
    stamp = {path: (path / "scores.csv").stat().st_mtime_ns for path in first}
    (first[1] / "scores.csv").unlink()
    for left in first[1].iterdir():
        left.unlink()
    first[1].rmdir()
    again = run_cv(recipe, where="pool", workers=2)
    assert again == first
    changed = [path.name for path in again if (path / "scores.csv").stat().st_mtime_ns != stamp[path]]
    assert changed == [first[1].name]
