"""`aqqua check` as it is printed: short for many samples, whole on request."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from aqqua.cli import app
from aqqua.errors import ConfigError
from aqqua.sources.ingest import ingest
from aqqua.store.dataset import Dataset
from tests.make.datasets import miniature


@pytest.fixture(autouse=True)
def all_land(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aqqua.metadata.land.sea_within", lambda latitude, *_: np.zeros(len(latitude), dtype=bool))


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return miniature(tmp_path / "mine", (60, 60))


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    """Exit status and what was printed."""
    status = 0
    try:
        app([str(argument) for argument in arguments], result_action="return_value", exit_on_error=False)
    except SystemExit as leave:
        status = int(leave.code or 0)
    return status, capsys.readouterr().out


def test_a_line_per_kind_or_every_sample(dataset: Dataset, capsys: pytest.CaptureFixture[str]) -> None:
    status, told = run(capsys, "check", dataset.path)
    assert status == 1
    assert told.count("gps_on_land") == 1
    assert "sample_0, sample_1, sample_2 and 3 more samples" in told
    assert "sample_5 ×" not in told
    _, everything = run(capsys, "check", dataset.path, "--all")
    assert "sample_5 ×20" in everything


def test_findings_as_json(dataset: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "check", dataset.path, "--json", tmp_path / "found.json")
    told = json.loads((tmp_path / "found.json").read_text())
    land = next(one for one in told["findings"] if one["code"] == "gps_on_land")
    assert (land["severity"], len(land["samples"])) == ("error", 6)


def test_overruling_ends_the_error(dataset: Dataset, capsys: pytest.CaptureFixture[str]) -> None:
    _, told = run(capsys, "check", dataset.path, "--overrule", "gps_on_land", "--because", "a tank on land")
    assert told == "mine: gps_on_land is overruled: a tank on land\n"
    status, told = run(capsys, "check", dataset.path)
    assert status == 0
    assert "overruled by the owner: a tank on land" in told
    run(capsys, "check", dataset.path, "--uphold", "gps_on_land", "--because", "no tank")
    assert run(capsys, "check", dataset.path)[0] == 1


def test_thresholds_of_the_card_and_of_a_file(
    dataset: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "few_images" in run(capsys, "check", dataset.path)[1]
    (dataset.path / "card.yaml").write_text("checks: {count_uncertainty: 1}\nhabitat: fresh water\n")
    status, told = run(capsys, "check", dataset.path)
    assert (status, "few_images" in told) == (0, False)
    (tmp_path / "limits.yaml").write_text("count_uncertainty: 0.05\n")
    assert "few_images" in run(capsys, "check", dataset.path, "--limits", tmp_path / "limits.yaml")[1]


def test_what_is_missing_is_filled_in_and_comes_in(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from PIL import Image

    source, fix = tmp_path / "raw", tmp_path / "fix.csv"
    source.mkdir()
    for number in range(3):
        Image.fromarray(np.full((9, 9 + number), 80 * number, np.uint8)).save(source / f"{number}.png")
    (tmp_path / "card.yaml").write_text("defaults: {pixel_um: 68, time_utc: 2020-01-02T03:04:05Z, longitude: 5}\n")
    table = tmp_path / "table.csv"
    table.write_text("filename,lat,depth_m\n0.png,54,1\n1.png,,1\n2.png,,\n")
    report = ingest([source], tmp_path / "mine", card=tmp_path / "card.yaml", table=table)
    assert "aqqua check mine --missing fix.csv" in str(report)
    _, told = run(capsys, "check", tmp_path / "mine", "--missing", fix)
    assert "2 × the latitude is missing" in told
    filled = pl.read_csv(fix, infer_schema=False)
    assert [set(text.split(", ")) for text in filled["missing"]] == [{"latitude"}, {"latitude", "depth_min_m"}]
    assert filled["filename"].to_list() == ["1.png", "2.png"]
    with pytest.raises(ConfigError, match="already"):
        run(capsys, "check", tmp_path / "mine", "--missing", fix)
    capsys.readouterr()
    values = {"latitude": "54.5", "depth_min_m": "2", "depth_max_m": "2"}
    filled.with_columns(pl.lit(value).alias(name) for name, value in values.items()).write_csv(fix)
    ingest([source], tmp_path / "mine", card=tmp_path / "card.yaml", table=table, fix=fix)
    assert len(Dataset.open(tmp_path / "mine")) == 3
    _, told = run(capsys, "check", tmp_path / "mine", "--missing", tmp_path / "again.csv")
    assert told == "nothing is missing that a table could supply\n"
    assert not (tmp_path / "again.csv").exists()
