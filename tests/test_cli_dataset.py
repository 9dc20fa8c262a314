"""`aqqua dataset …`: what is printed, what is changed, exit codes; every option is explained."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import pytest

from aqqua import cli_dataset
from aqqua.__main__ import main
from aqqua.store.dataset import Dataset
from tests.make.datasets import miniature

COMMANDS = ["verify", "withdraw", "lineage", "compact"]


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return miniature(tmp_path / "mydata", (8, 6))


def run(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Exit code and standard output."""
    code = 0
    try:
        main(["dataset", *arguments])
    except SystemExit as stop:
        code = int(stop.code or 0)
    return code, capsys.readouterr().out


def test_withdraw_lineage_compact_verify(dataset: Dataset, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(dataset.path)
    code, out = run("withdraw", path, "--source", "source_1.zip", "--reason", "the owner asked", capsys=capsys)
    assert (code, out.split()[:3]) == (0, ["6", "images", "withdrawn,"])
    code, out = run("lineage", path, "--source", "source_1.zip", "--json", capsys=capsys)
    assert (code, json.loads(out)["removed"]) == (0, 6)
    code, out = run("lineage", path, "--source", "source_0.zip", capsys=capsys)
    assert "8 images, 0 of them withdrawn" in out
    code, out = run("compact", path, capsys=capsys)
    assert out.startswith("6 removed images are gone for good")
    code, out = run("verify", path, "--level", "3", capsys=capsys)
    assert (code, out) == (0, "all files are as they were written (level 3)\n")


def test_damage_is_told_and_makes_the_exit_status_1(dataset: Dataset, capsys: pytest.CaptureFixture[str]) -> None:
    raw = dataset.shards[0].raw
    raw.write_bytes(raw.read_bytes()[:-1])
    code, out = run("verify", str(dataset.path), capsys=capsys)
    assert code == 1
    assert "file_size" in out
    assert "as they were written" not in out


def test_mistakes_are_answered_in_words(dataset: Dataset, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["dataset", "withdraw", str(dataset.path), "--reason", "x"])
    assert stop.value.code != 0
    assert "nothing is chosen" in capsys.readouterr().err


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_explained(name: str) -> None:
    command = getattr(cli_dataset, name)
    for option in inspect.signature(command).parameters:
        assert f"\n        {option}: " in (command.__doc__ or ""), option
