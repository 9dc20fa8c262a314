"""The sharing form on paper, so to say: a YAML file to be filled in without a network, and read again."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import yaml

from aqqua.collect.form import Question, form
from aqqua.errors import ConfigError, NotFoundError
from aqqua.metadata.safe_yaml import load_yaml

__all__ = ["parse_paper", "read_paper", "write_paper"]

_MAX_BYTES = 1 << 20
_HEAD = """\
# AqQua data sharing form. One file per dataset, per instrument, and per update.
# Write your answers behind the colons, save, and hand it in:  aqqua collect submit THIS-FILE
# or send it to whoever asked you for data. What is marked (needed) cannot be left out.
"""


def write_paper(path: Path, answers: dict[str, Any] | None = None) -> Path:
    """Write the form as YAML with its questions as comments.

    Args:
        path: file to write; it must not be there yet.
        answers: to be filled in beforehand.

    Raises:
        ConfigError: the file is there.
    """
    if path.exists():
        raise ConfigError("this file is there already", where=path, do="choose another name")
    lines = [_HEAD]
    for section in form():
        lines += [f"\n# ── {section.title} " + "─" * (90 - len(section.title)), *_wrapped(section.doc)]
        for question in section.questions:
            lines += ["", *_told(question), _answer(question, (answers or {}).get(question.name, question.default))]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def read_paper(path: Path) -> dict[str, Any]:
    """Read a form that was filled in; what it says is checked by `aqqua.collect.answers`.

    Raises:
        NotFoundError: there is no such file.
        ConfigError: it is no form.
    """
    if not path.is_file():
        raise NotFoundError("there is no such file", where=path, do="make one: aqqua collect form FILE")
    with path.open("rb") as file:
        return parse_paper(file.read(_MAX_BYTES + 1), path)


def parse_paper(content: bytes, where: object) -> dict[str, Any]:
    """Read the content of a form that was filled in.

    Args:
        content: of the file.
        where: names it in errors.

    Raises:
        ConfigError: it is no form.
    """
    if len(content) > _MAX_BYTES:
        raise ConfigError("this file is too large for a form", where=where, do="is it the right file?")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError("this is no form", where=where, do="make one: aqqua collect form FILE") from error
    loaded = load_yaml(text, what="the form", where=where)
    if not isinstance(loaded, dict):
        raise ConfigError("this is no form", where=where, do="make one: aqqua collect form FILE")
    return {str(name): value for name, value in loaded.items()}


def _told(question: Question) -> list[str]:
    """The question as comments."""
    needed = {"always": " (needed)", "when": f" (needed if {_condition(question)})", "wanted": ""}[question.need]
    unit = f", in {question.unit}" if question.unit else ""
    lines = _wrapped(f"{question.label}{unit}{needed}. {question.help}")
    if question.kind in {"agree", "yes_no"}:
        lines += ["#   yes or no"]
    if question.options:
        kind = "one of" if question.kind == "choice" else "some of, as [a, b]"
        lines += _wrapped(
            f"{kind}: " + " · ".join(_option(key, text) for key, text in question.options.items()), "#   "
        )
    if question.kind == "people":
        lines += [
            "#   - {name: Ada Larsen, orcid: 0000-0002-1825-0097, affiliation: Institute, ror: https://ror.org/…,",
            "#      roles: [Investigation, Data curation], author: yes}",
        ]
    elif question.example:
        lines += [f"#   for example: {question.example}"]
    return lines


def _option(key: str, text: str) -> str:
    return key if text.replace(" ", "-") == key or text == key else f"{key} ({text})"


def _condition(question: Question) -> str:
    return " and ".join(f"{name} is {' or '.join(values)}" for name, values in question.when.items())


def _answer(question: Question, value: Any) -> str:
    if value in ("", None, []):
        return f"{question.name}:"
    if isinstance(value, bool):
        value = "yes" if value else "no"
    return yaml.safe_dump({question.name: value}, allow_unicode=True, sort_keys=False, width=110).rstrip("\n")


def _wrapped(text: str, start: str = "# ") -> list[str]:
    return textwrap.wrap(text, 110, initial_indent=start, subsequent_indent=start)
