"""The command line: help is quick and complete, mistakes are answered with a way out, exit codes mean what they say."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from aqqua.__main__ import main
from aqqua.cli import app

VERBS = ["demo", "ocean", "ingest", "check", "train", "predict", "bench", "explore", "export"]


def run(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stop:
        main(list(arguments))
    out, err = capsys.readouterr()
    return int(stop.value.code or 0), out, err


def test_help_lists_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run("--help", capsys=capsys)
    assert code == 0
    assert all(f" {verb} " in out for verb in VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_option_of_a_verb_is_explained(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(verb, "--help", capsys=capsys)
    assert code == 0
    command = app[verb].default_command
    assert command is not None
    explained = {line.strip().partition(":")[0] for line in (command.__doc__ or "").partition("Args:")[2].splitlines()}
    assert explained >= set(inspect.signature(command).parameters), out


def test_a_mistyped_verb_is_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run("ingst", "a", "b", capsys=capsys)
    assert code != 0
    assert 'Did you mean "ingest"?' in err.replace("\n", " ")


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["ingest", "raw"], "aqqua ingest SOURCE… DATASET"),
        (["check"], "aqqua check DATASET…"),
        (["predict", "model"], "aqqua predict MODEL DATASET…"),
        (["explore"], "aqqua explore DATASET…"),
        (["check", "nowhere"], "nowhere"),
        (["export", "nowhere", "--to", "ecotaxa", "--out", "x"], "nowhere"),
        (["ingest", "nowhere", "mydata"], "nowhere"),
        (["demo", "--data", "nowhere"], "nowhere"),
    ],
)
def test_bad_input_is_a_few_clear_lines(
    arguments: list[str],
    hint: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = run(*arguments, capsys=capsys)
    assert code == 2
    assert "Error:" in err
    assert hint in err
    assert "Traceback" not in err
