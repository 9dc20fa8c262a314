from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from aqqua.cli import app
from tests.make.captures import capture, dataset_of


def run(*words: object) -> None:
    app([str(word) for word in words], result_action="return_value", exit_on_error=False)


def test_each_command_says_what_it_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = dataset_of(tmp_path / "d", [capture(i, 24) for i in (0, 1, 2, 0)]).path
    for words, told in (
        (("duplicates", data), "1 exact copies"),
        (("duplicates", data, "--no-near", "--remove", "exact"), "1 were taken out"),
        (("quality", data), "d: 3 images"),
        (("variants", data), "0 of them copies"),
        (("splits", data, "--name", "s", "--fractions", "0.5,0.25,0.25", "--by", "cluster"), "split 's': 3 images"),
        (("check-split", data, "--name", "s"), "no leak"),
    ):
        run("curate", *words)
        assert told in capsys.readouterr().out


def test_a_leak_ends_with_status_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = dataset_of(tmp_path / "d", [capture(i, 24) for i in range(4)]).path
    run("curate", "splits", data, "--name", "s")
    path = data / "splits" / "s.parquet"
    frame = pl.read_parquet(path).with_columns(split=pl.Series(["train", "test", "train", "val"]))
    frame.write_parquet(path)
    with pytest.raises(SystemExit) as ended:
        run("curate", "check-split", data, "--name", "s")
    assert ended.value.code == 1
    assert "groups lie in several parts" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [("quality",), ("duplicates",), ("splits", "--name", "s"), ("splits", "d", "--name", "s", "--fractions", "a")],
)
def test_wrong_words_are_answered(words: tuple[str, ...]) -> None:
    from aqqua.errors import ConfigError

    with pytest.raises(ConfigError):
        run("curate", *words)
