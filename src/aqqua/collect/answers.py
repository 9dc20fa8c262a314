"""What people write into the form: read with patience, checked, and told in plain words where something is missing."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from aqqua.collect.form import Question, questions
from aqqua.errors import AqquaError
from aqqua.metadata.card import CREDIT_ROLES, Person

__all__ = ["MAX_PEOPLE", "MAX_TEXT", "Problem", "Read", "read_answers"]

MAX_LINE, MAX_TEXT, MAX_PEOPLE = 400, 10_000, 200
_EMAIL = re.compile(r"[^@\s,;<>\"']{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250})\.[A-Za-z]{2,24}")
_YES, _NO = {"yes", "true", "1", "on", "y"}, {"no", "false", "0", "off", "n"}
_REQUIRED_OF_IMAGES = {
    "has_time": "date and time",
    "has_position": "latitude and longitude",
    "has_depth": "depth or altitude",
    "has_pixel_size": "the pixel size",
}


@dataclass(frozen=True)
class Problem:
    """Something to be mended in the form.

    Args:
        name: of the question.
        message: what is wrong, in words of the person who fills it in.
        grave: whether the submission has to wait for it; else it is advice.
    """

    name: str
    message: str
    grave: bool = True


@dataclass(frozen=True)
class Read:
    """Answers that were read.

    Args:
        answers: question → value as text, number, date, True or False, list of texts, or list of persons (plain values,
            fit for JSON; dates as ISO text). Questions without an answer are left out.
        problems: what has to be mended, in the order of the form.
    """

    answers: dict[str, Any]
    problems: list[Problem]

    @property
    def whole(self) -> bool:
        """Whether the submission can be handed in."""
        return not any(problem.grave for problem in self.problems)


class _NotSoError(Exception):
    """An answer that cannot be read; says why."""


def read_answers(written: Mapping[str, Any], *, today: date | None = None) -> Read:
    """Read answers as they come from the web form or a YAML file.

    Args:
        written: question → what was written (text, number, list; empty text is no answer).
        today: to judge dates by.
    """
    answers: dict[str, Any] = {}
    wrong: dict[str, Problem] = {}
    for name, question in questions().items():
        value = written.get(name)
        if value is None or value in ("", []):
            continue
        try:
            read = _READERS[question.kind](question, value)
            if read not in ("", []):  # nothing but blanks
                answers[name] = read
        except _NotSoError as error:
            wrong[name] = Problem(name, f"{question.label}: {error}")
    for name in [name for name in answers if not questions()[name].is_asked(answers)]:
        del answers[name]  # what an earlier choice had asked for
    for name in sorted(set(map(str, written)) - set(questions())):
        wrong[name] = Problem(name, f"the form has no question {name!r}; it was left out", grave=False)
    for name, question in questions().items():
        if name not in answers and name not in wrong and question.is_needed(answers):
            wrong[name] = Problem(name, f"{question.label}: please answer this")
    order = {name: number for number, name in enumerate(questions())}
    found = [*wrong.values(), *_sense(answers, today or date.today())]
    return Read(answers, sorted(found, key=lambda problem: order.get(problem.name, len(order))))


def _sense(answers: Mapping[str, Any], today: date) -> list[Problem]:
    """What the answers say together."""
    found = [
        Problem(name, f"without {what} these images cannot be used; can it be found anywhere?", grave=False)
        for name, what in _REQUIRED_OF_IMAGES.items()
        if answers.get(name) == "none"
    ]
    if answers.get("privacy") is False:
        found.append(Problem("privacy", "without this we may not keep your submission; nothing was stored"))
    if answers.get("licence_rights") is False:
        found.append(Problem("licence_rights", "please ask whoever holds the rights first"))
    if answers.get("decision_maker_agrees") is False:
        message = "we keep the submission, and begin when the decision maker has agreed"
        found.append(Problem("decision_maker_agrees", message, grave=False))
    if answers.get("publish") in {"on", "embargo"} and answers.get("publish_licence") == "unknown":
        found.append(Problem("publish_licence", "a publication needs a licence: please choose one"))
    day = answers.get("publish_on")
    if day and date.fromisoformat(day) < today:
        found.append(Problem("publish_on", f"{day} is past: please choose a day to come"))
    if answers.get("culture_time") and date.fromisoformat(answers["culture_time"]) > today:
        found.append(Problem("culture_time", "this day is still to come"))
    if "://" in answers.get("address", "") and "@" in urlsplit(answers["address"].split()[0]).netloc:
        found.append(Problem("address", "the link holds a login: please send it without, and the password another way"))
    if answers.get("people") and not any(person.get("author") for person in answers["people"]):
        found.append(Problem("people", "nobody is an author: the dataset would be published without one", grave=False))
    return found


def _line(question: Question, value: Any) -> str:
    text = str(value).strip()
    if any(ord(letter) < 32 for letter in text):
        raise _NotSoError("one line only")
    if len(text) > MAX_LINE:
        raise _NotSoError(f"at most {MAX_LINE} letters")
    return text


def _text(question: Question, value: Any) -> str:
    text = str(value).replace("\r\n", "\n").strip()
    if len(text) > MAX_TEXT:
        raise _NotSoError(f"at most {MAX_TEXT:,} letters; you may send a document later")
    return "".join(letter for letter in text if letter in "\n\t" or ord(letter) >= 32)


def _email(question: Question, value: Any) -> str:
    text = _line(question, value)
    if not _EMAIL.fullmatch(text) or ".." in text:
        raise _NotSoError(f"{text!r} is no e-mail address")
    return text


def _url(question: Question, value: Any) -> str:
    text = _line(question, value)
    if question.name.endswith("ror") and re.fullmatch(r"0[a-z0-9]{8}", text):
        text = f"https://ror.org/{text}"
    if urlsplit(text).scheme not in {"http", "https"} or not urlsplit(text).hostname:
        raise _NotSoError(f"{text!r} is no address; it starts with https://")
    return text


def _date(question: Question, value: Any) -> str:
    try:
        return date.fromisoformat(str(value).strip()[:10]).isoformat()
    except ValueError as error:
        raise _NotSoError(f"{value!r} is no date; write it as {question.example or '2024-05-31'}") from error


def _number(question: Question, value: Any) -> float:
    text = re.sub(r"[\s_']", "", str(value)).removesuffix(question.unit)
    if re.fullmatch(r"\d{1,3}(,\d{3})+", text):
        text = text.replace(",", "")
    try:
        number = float(text.replace(",", "."))
    except ValueError as error:
        raise _NotSoError(f"{value!r} is no number") from error
    if not 0 < number < 1e13:
        raise _NotSoError("more than nothing, please")
    return number


def _integer(question: Question, value: Any) -> int:
    return round(_number(question, value))


def _choice(question: Question, value: Any) -> str:
    text = str(value).strip()
    if value is True and "on" in question.options:  # YAML reads a bare `on` as true
        text = "on"
    known = {key.casefold(): key for key in question.options}
    known |= {label.casefold(): key for key, label in question.options.items()}
    if text.casefold() not in known:
        raise _NotSoError(f"{text!r} is none of: {', '.join(question.options)}")
    return known[text.casefold()]


def _choices(question: Question, value: Any) -> list[str]:
    chosen = value if isinstance(value, (list, tuple)) else [part for part in str(value).split(",") if part.strip()]
    return list(dict.fromkeys(_choice(question, one) for one in chosen))


def _box(question: Question, value: Any) -> list[float]:
    numbers = value if isinstance(value, (list, tuple)) else re.findall(r"-?\d+(?:\.\d+)?", _line(question, value))
    try:
        south, west, north, east = (float(number) for number in numbers)
    except (TypeError, ValueError) as error:
        raise _NotSoError(f"four numbers: south, west, north, east, for example {question.example}") from error
    if not (-90 <= south <= north <= 90 and -180 <= west <= 180 and -180 <= east <= 180):
        raise _NotSoError("south may not be north of north; latitudes reach to 90, longitudes to 180 degrees")
    return [south, west, north, east]


def _agree(question: Question, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    text = str(value).strip().casefold()
    if text not in _YES | _NO:
        raise _NotSoError("please say yes or no")
    return text in _YES


def _people(question: Question, value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, (list, tuple)):
        raise _NotSoError("a list of persons, each with name, orcid, affiliation, ror, roles, author")
    if len(value) > MAX_PEOPLE:
        raise _NotSoError(f"at most {MAX_PEOPLE} persons; name the others in the comments")
    return [_person(question, number, entry) for number, entry in enumerate(value, 1) if entry]


def _person(question: Question, number: int, entry: Any) -> dict[str, Any]:
    """One person; says whose entry is wrong."""
    given = {"name": entry} if isinstance(entry, str) else entry
    if not isinstance(given, Mapping) or not str(given.get("name") or "").strip():
        raise _NotSoError(f"person {number} has no name")
    if set(given) - {"name", "orcid", "affiliation", "ror", "roles", "author"}:
        raise _NotSoError(f"person {number}: there is only name, orcid, affiliation, ror, roles, author")
    roles = given.get("roles") or ()
    roles = [part.strip() for part in roles.split(",")] if isinstance(roles, str) else list(roles)
    said = given.get("author", True)
    try:
        person = Person(
            name=_line(question, given["name"]),
            orcid=_line(question, given.get("orcid") or "") or None,
            affiliation=_line(question, given.get("affiliation") or "") or None,
            ror=_line(question, given.get("ror") or "") or None,
            roles=tuple(role for role in map(str, roles) if role),
            author=_agree(question, said) if said != "" else False,
        )
    except AqquaError as error:
        roles_told = f" ({', '.join(CREDIT_ROLES)})" if "role" in error.what else ""
        raise _NotSoError(f"person {number}: {error.what}{roles_told}") from error
    plain = {"name": person.name, "orcid": person.orcid, "affiliation": person.affiliation, "ror": person.ror}
    return {key: value for key, value in plain.items() if value} | {
        "roles": list(person.roles),
        "author": person.author,
    }


_READERS: Mapping[str, Callable[[Question, Any], Any]] = {
    "line": _line,
    "text": _text,
    "email": _email,
    "url": _url,
    "date": _date,
    "number": _number,
    "integer": _integer,
    "choice": _choice,
    "choices": _choices,
    "yes_no": _agree,
    "agree": _agree,
    "orcid": _line,
    "people": _people,
    "box": _box,
}
