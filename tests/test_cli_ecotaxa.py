"""`aqqua ecotaxa …` on a server: what is printed, what is changed, exit codes; every option is explained."""

from __future__ import annotations

import csv
import inspect
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from aqqua.__main__ import main
from aqqua.cli_ecotaxa import app
from tests.ecotaxa_double import EcotaxaDouble

COMMANDS = ["projects", "grant", "revoke", "pull", "push", "compare"]


@pytest.fixture
def double(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EcotaxaDouble]:
    """Three projects of Alice's, one of Bob's; Alice is logged in."""
    with EcotaxaDouble() as double:
        alice = double.world.add_person("Alice Owner", "alice@lab.test")
        bob = double.world.add_person("Bob", "bob@lab.test")
        double.world.add_person("AqQua Service", "aqqua@geomar.de")
        for title in ("Net spring", "Net autumn", "UVP"):
            double.world.add_project(title, alice)
        double.world.add_project("Bob's", bob)
        monkeypatch.setenv("AQQUA_ECOTAXA_URL", double.url)
        monkeypatch.setenv("AQQUA_ECOTAXA_TOKEN", double.token(alice))
        monkeypatch.chdir(tmp_path)
        yield double


def run(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Exit code and standard output."""
    try:
        main(["ecotaxa", *arguments])
    except SystemExit as stop:
        return int(stop.code or 0), capsys.readouterr().out
    return 0, capsys.readouterr().out


def viewers(double: EcotaxaDouble) -> list[int]:
    """Projects that the account of aqqua may view."""
    return [number for number, project in double.world.projects.items() if 11 in project.rights]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_explained(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(command, "--help", capsys=capsys)[0] == 0
    function = app[command].default_command
    assert function is not None
    explained = {line.strip().partition(":")[0] for line in (function.__doc__ or "").partition("Args:")[2].splitlines()}
    assert explained >= set(inspect.signature(function).parameters)


def test_projects_as_a_table(double: EcotaxaDouble, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = run("projects", "--title", "net", capsys=capsys)
    assert code == 0
    assert "Net spring" in out
    assert "Alice Owner <alice@lab.test>" in out
    assert "UVP" not in out
    assert out.endswith("2 projects\n")


def test_projects_as_csv_feed_a_grant(
    double: EcotaxaDouble, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, out = run("projects", "--managing", "--csv", capsys=capsys)
    assert [row["title"] for row in csv.DictReader(io.StringIO(out))] == ["Net spring", "Net autumn", "UVP"]
    (tmp_path / "mine.csv").write_text("".join(out.splitlines(keepends=True)[:3]))
    assert run("grant", "--projects", "mine.csv", "--apply", capsys=capsys)[0] == 0
    assert viewers(double) == [1, 2]


def test_projects_as_json(double: EcotaxaDouble, capsys: pytest.CaptureFixture[str]) -> None:
    _, out = run("projects", "--json", capsys=capsys)
    assert [row["id"] for row in json.loads(out)] == [1, 2, 3]


def test_look_grant_and_undo(double: EcotaxaDouble, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = run("grant", "--title", "Net", capsys=capsys)
    assert (code, viewers(double)) == (0, [])
    assert "none → view" in out
    assert "2 would change" in out
    assert "inactive" in out
    code, out = run("grant", "--title", "Net", "--apply", "--journal", "j.jsonl", capsys=capsys)
    assert (code, viewers(double)) == (0, [1, 2])
    assert "aqqua ecotaxa grant --undo j.jsonl --apply" in out
    assert run("grant", "--undo", "j.jsonl", capsys=capsys)[0] == 0
    assert viewers(double) == [1, 2]
    assert run("revoke", "--undo", "j.jsonl", "--apply", capsys=capsys)[0] == 0
    assert viewers(double) == []


def test_revoke(double: EcotaxaDouble, capsys: pytest.CaptureFixture[str]) -> None:
    run("grant", "--projects", "all", "--apply", capsys=capsys)
    assert run("revoke", "AqQua Service", "--projects", "2", "--apply", capsys=capsys)[0] == 0
    assert viewers(double) == [1, 3]


def test_a_failed_project_is_exit_code_1(double: EcotaxaDouble, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = run("grant", "--projects", "1", "4", "--apply", capsys=capsys)
    assert (code, viewers(double)) == (1, [1])
    assert "1 changed, 1 FAILED" in out


@pytest.mark.parametrize(
    "arguments",
    [
        ["grant"],
        ["grant", "--projects", "1", "--title", "Net"],
        ["grant", "--projects", "nowhere.csv"],
        ["grant", "nobody@lab.test", "--projects", "1"],
        ["grant", "--undo", "nowhere.jsonl"],
        ["projects", "--server", "http://example.org/api"],
    ],
)
def test_bad_input_is_exit_code_2(
    double: EcotaxaDouble, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments, capsys=capsys)[0] == 2
    assert double.asked("PUT") == []


def test_a_missing_extra_is_one_clear_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "requests", None)
    with pytest.raises(SystemExit):
        main(["ecotaxa", "projects"])
    assert "pip install 'aqqua[ecotaxa]'" in capsys.readouterr().err.replace("\n", "")


def test_help_loads_neither_requests_nor_pydantic() -> None:
    code = (
        "import sys\nfrom aqqua.cli import app\n"
        "try:\n    app(['--help'])\nexcept SystemExit:\n    pass\n"
        "print('HEAVY', *[m for m in ('requests', 'pydantic', 'polars') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1].strip() == "HEAVY"
    assert "ecotaxa" in done.stdout
