"""The command line: help is quick and complete, mistakes are answered with a way out, exit codes mean what they say."""

from __future__ import annotations

import inspect
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from aqqua.__main__ import main
from aqqua.cli import app
from aqqua.errors import PausedError
from aqqua.sources import SOURCES

GROUPS = ["ecotaxa", "fetch", "curate", "dataset", "taxa", "collect"]
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


@pytest.mark.parametrize("group", GROUPS)
def test_help_says_of_each_group_what_its_own_help_says(group: str, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run("--help", capsys=capsys)
    said = import_module(f"aqqua.cli_{group}").app.help
    assert said
    line = out.partition(f"│ {group} ")[2].partition("\n")[0].strip(" │")
    assert line
    assert said.startswith(line)


def test_the_help_of_ingest_names_every_reader(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run("ingest", "--help", capsys=capsys)
    words = " ".join(out.replace("│", " ").split())
    assert all(name in words or f"_{name.partition('_')[2]}" in words for name in SOURCES)


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
        (["predict", "model"], "aqqua predict [MODEL] DATASET…"),
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


def test_an_ingest_that_brings_no_image_in_fails_for_what_follows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pixels = np.full((8, 8), 200, np.uint8)
    (tmp_path / "images").mkdir()
    Image.fromarray(pixels).save(tmp_path / "images" / "a.png")
    code, out, _ = run("ingest", str(tmp_path / "images"), str(tmp_path / "data"), capsys=capsys)
    assert code == 1
    assert "no image came in: 1 row did not get in" in out


def test_a_paused_run_is_exit_code_75(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def paused(*_: object, **__: object) -> None:
        raise PausedError("asked to stop at step 7; the same command goes on from there")

    monkeypatch.setattr("aqqua.train.run.train", paused)
    monkeypatch.setenv("AQQUA_QUIET", "")
    code, out, err = run("train", "--data", "mydata", "--out", "model", capsys=capsys)
    assert (code, out) == (75, "")
    assert err.startswith("asked to stop at step 7")


@pytest.mark.parametrize(("rank", "said"), [("0", "model\n"), ("1", "")])
def test_of_several_processes_the_first_one_names_the_model(
    rank: str, said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aqqua.train.run.train", lambda *_, **__: "model")
    for name, value in {"RANK": rank, "WORLD_SIZE": "2", "MASTER_ADDR": "here", "MASTER_PORT": "1"}.items():
        monkeypatch.setenv(name, value)
    assert run("train", "--data", "mydata", "--out", "model", capsys=capsys)[1] == said
