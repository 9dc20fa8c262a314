"""`aqqua collect …` as a contributor and a curator type it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from aqqua.__main__ import main
from aqqua.collect.answers import read_answers
from aqqua.collect.paper import write_paper
from tests.make.submissions import whole_answers


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AQQUA_REGISTRY", raising=False)
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["collect", *arguments])
    told = capsys.readouterr()
    return int(ended.value.code or 0), told.out, told.err


def test_form_submit_list_show_agree(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "form")[0] == 0
    code, out, err = run(capsys, "submit", "sharing-form.yaml")
    assert code == 2
    assert "needed: Contact person: please answer this" in out
    assert "nothing was stored" in err
    write_paper(here / "mine.yaml", read_answers(whole_answers(size_gb="12", address="ask us")).answers)
    assert run(capsys, "submit", "mine.yaml", "--check")[1] == "The form is complete.\n"
    code, out, _ = run(capsys, "submit", "mine.yaml")
    id = re.search(r"submission: (AQ-\w{6})", out)
    assert id
    assert "Transfer: A cloud share" in out
    code, out, _ = run(capsys, "list")
    assert f"{id[1]}  submitted    IFCB" in out
    assert "1 submission\n" in out
    code, out, _ = run(capsys, "show", id[1])
    assert "Ada Larsen" not in out
    assert "global maps" in out
    assert "Ada Larsen" in run(capsys, "show", id[1], "--people")[1]
    assert f"{id[1]} is agreed" in run(capsys, "agree", id[1], "--by", "ada")[1]
    listed = json.loads(run(capsys, "list", "--state", "agreed", "--json")[1])
    assert "contact_email" not in listed[0]["answers"]
    code, _, err = run(capsys, "list", "--state", "agree")
    assert code == 2
    assert "did you mean agreed?" in err


def test_people_and_curators(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_paper(here / "mine.yaml", read_answers(whole_answers()).answers)
    id = run(capsys, "submit", "mine.yaml")[1].split("submission: ")[1].split()[0]
    assert "ada.larsen@institute.example" in run(capsys, "person", id, "--erase")[1]
    assert "ada.larsen@institute.example" not in run(capsys, "person", id)[1]
    assert re.fullmatch(r"password of jo: \S{20}\n", run(capsys, "curator", "jo")[1])
    assert "no longer" in run(capsys, "curator", "jo", "--remove")[1]
