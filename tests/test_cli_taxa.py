"""`aqqua taxa`: match, look up, freeze, apply."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from aqqua.cli_taxa import app
from aqqua.errors import ConfigError
from tests.make.datasets import miniature
from tests.make.worms import worms_double


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    app([str(argument) for argument in arguments], result_action="return_value", exit_on_error=False)
    return capsys.readouterr().out


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    path = tmp_path / "labels.txt"
    path.write_text("nauplii<Copepoda\nAcartia clausi\nOncea\nt001\n")
    return path


def test_matching_leaves_nothing_out(labels: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = run(capsys, "match", labels, "--out", tmp_path / "out.tsv")
    assert "4 labels: 2 have a taxon, 1 an AphiaID" in told
    assert "not known: Oncea   (near: Oncaea)" in told
    table = pl.read_csv(tmp_path / "out.tsv", separator="\t")
    assert table["label"].to_list() == labels.read_text().split("\n")[:4]
    assert table["stage"].to_list() == ["nauplius", None, None, None]


def test_online_and_frozen(labels: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cache, snapshot = ("--cache", tmp_path / "cache.json"), tmp_path / "taxa.yaml"
    with worms_double() as double:
        told = run(capsys, "match", labels, "--online", "worms", "--server", double.url, *cache)
        assert "2 have a taxon, 2 an AphiaID" in told
        told = run(capsys, "freeze", labels, "--out", snapshot, "--server", double.url, *cache)
    assert "2 of 3 names found in worms" in told
    assert "not certain: Oncea" in told
    told = run(capsys, "match", labels, "--taxa", snapshot, "--out", tmp_path / "out.parquet")
    table = pl.read_parquet(tmp_path / "out.parquet")
    assert table["aphia_id"].to_list() == [1080, 900002, None, None]


def test_applying_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dataset = miniature(tmp_path / "mine", (8,))
    (tmp_path / "table.csv").write_text("label,taxon\ndetritus,fecal pellet\n")
    told = run(capsys, "apply", dataset.path, "--labels", tmp_path / "table.csv")
    assert told == "mine: 4 labels have another taxon or qualifier now\n"
    with pytest.raises(ConfigError):
        run(capsys, "apply", dataset.path)


def test_what_is_built_in(capsys: pytest.CaptureFixture[str]) -> None:
    told = run(capsys, "known")
    assert "taxa have an AphiaID" in told
    assert "planktonzilla" in told
