"""The form as a file."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from aqqua.collect.answers import read_answers
from aqqua.collect.form import questions
from aqqua.collect.paper import read_paper, write_paper
from aqqua.errors import AqquaError, ConfigError
from tests.make.submissions import whole_answers

TODAY = date(2026, 11, 23)


def test_the_empty_form_asks_everything_and_ticks_nothing(tmp_path: Path) -> None:
    text = write_paper(tmp_path / "form.yaml").read_text(encoding="utf-8")
    written = read_paper(tmp_path / "form.yaml")
    assert list(written) == list(questions())
    assert {name for name, value in written.items() if value is not None} == {
        name for name, one in questions().items() if one.default
    }
    assert "aqqua collect submit" in text
    assert "(needed if habitat is culture)" in text
    assert max(map(len, text.splitlines())) < 130


def test_a_filled_in_form_comes_back(tmp_path: Path) -> None:
    answers = read_answers(whole_answers(), today=TODAY).answers
    write_paper(tmp_path / "form.yaml", answers)
    again = read_answers(read_paper(tmp_path / "form.yaml"), today=TODAY)
    assert again.problems == []
    assert again.answers == answers


@pytest.mark.parametrize("content", ["- a\n- b\n", "title: a: b: c\n", "!!python/object:os.system {}", "[" * 3000, ""])
def test_what_is_no_form(tmp_path: Path, content: str) -> None:
    (tmp_path / "form.yaml").write_text(content)
    with pytest.raises(ConfigError):
        read_paper(tmp_path / "form.yaml")


def test_files_are_not_written_over(tmp_path: Path) -> None:
    write_paper(tmp_path / "form.yaml")
    with pytest.raises(ConfigError, match="there already"):
        write_paper(tmp_path / "form.yaml")
    with pytest.raises(AqquaError):
        read_paper(tmp_path / "nowhere.yaml")
