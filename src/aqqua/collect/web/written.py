"""Answers out of a web form: names with brackets become persons, ticked boxes become lists."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from starlette.datastructures import FormData

from aqqua.collect.answers import MAX_PEOPLE
from aqqua.collect.form import questions

__all__ = ["PERSON_FIELDS", "answers_of", "rows_of"]

PERSON_FIELDS = ("name", "orcid", "affiliation", "ror", "roles", "author")
_PERSON = re.compile(rf"people\[(\d{{1,3}})\]\[({'|'.join(PERSON_FIELDS)})\]")


def answers_of(form: FormData) -> dict[str, Any]:
    """What was written, question by question; everything else in the form is left out.

    Args:
        form: as it came; persons are `people[0][name]` and so on.
    """
    answers: dict[str, Any] = {}
    people: dict[int, dict[str, Any]] = {}
    for name, value in form.multi_items():
        if not isinstance(value, str):
            continue  # a file, which no question asks for
        person = _PERSON.fullmatch(name)
        if person and int(person[1]) < MAX_PEOPLE:
            people.setdefault(int(person[1]), {})[person[2]] = value
        elif name in questions() and questions()[name].kind == "choices":
            answers.setdefault(name, []).append(value)
        elif name in questions():
            answers[name] = value
    named = [_whole(people[number]) for number in sorted(people) if any(people[number].get(key) for key in _WRITTEN)]
    return answers | ({"people": named} if named else {})


_WRITTEN = ("name", "orcid", "affiliation", "ror", "roles")


def _whole(person: Mapping[str, Any]) -> dict[str, Any]:
    """A person; a box that is not ticked is not sent, which means no."""
    return {key: value for key, value in person.items() if value} | {"author": person.get("author", "no") == "yes"}


def rows_of(answers: Mapping[str, Any], more: int = 0) -> list[dict[str, Any]]:
    """Rows of persons to show: those there are, and some empty ones.

    Args:
        answers: as they were written or read.
        more: empty rows beyond the usual.
    """
    there = [dict(person) for person in answers.get("people", ()) if isinstance(person, Mapping)]
    for person in there:
        if not isinstance(person.get("roles", ""), str):
            person["roles"] = ", ".join(person["roles"])
    return there + [{} for _ in range(max(1, 2 - len(there)) + more)]
