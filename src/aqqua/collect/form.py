"""The questions of the data sharing form, as `form.yaml` has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import yaml

from aqqua.errors import ConfigError
from aqqua.metadata.card import LICENCES
from aqqua.metadata.mapping import GENERIC, load_mapping, mapping_names

__all__ = ["KINDS", "Question", "Section", "form", "questions"]

KINDS = (
    "line",
    "text",
    "email",
    "url",
    "date",
    "number",
    "integer",
    "choice",
    "choices",
    "yes_no",
    "agree",
    "orcid",
    "people",
    "box",
)
_AVAILABILITY = {
    "all": "For all images",
    "some": "For some",
    "elsewhere": "Not with the images, but we have it",
    "none": "No",
}
_NEEDS = ("always", "wanted", "when")


@dataclass(frozen=True)
class Question:
    """One question.

    Args:
        name: of the answer.
        kind: what the answer looks like, one of `KINDS`.
        label: the question itself.
        section: where it stands.
        need: "always", "wanted", or "when" (needed when another answer has a value of `when`).
        help: what is meant, shown when the mouse rests on it.
        example: an answer.
        unit: of a number.
        options: value → text, of a choice.
        when: question → values with which this one is asked.
        default: what is filled in beforehand; never a consent.
        personal: whether the answer is about a person.
    """

    name: str
    kind: str
    label: str
    section: str
    need: str
    help: str = ""
    example: str = ""
    unit: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    when: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    default: str = ""
    personal: bool = False

    def is_asked(self, answers: Mapping[str, Any]) -> bool:
        """Whether the question makes sense with the other answers."""
        return all(str(answers.get(name, "")) in values for name, values in self.when.items())

    def is_needed(self, answers: Mapping[str, Any]) -> bool:
        """Whether a submission cannot do without an answer."""
        return self.need == "always" or (self.need == "when" and self.is_asked(answers))


@dataclass(frozen=True)
class Section:
    """Questions that belong together.

    Args:
        name: short.
        title: shown above.
        doc: a sentence or two for whoever fills it in.
        questions: in order.
    """

    name: str
    title: str
    doc: str
    questions: tuple[Question, ...]


@cache
def form() -> tuple[Section, ...]:
    """The sections of the form, in order."""
    loaded = yaml.safe_load((files("aqqua.collect") / "form.yaml").read_text(encoding="utf-8"))
    return tuple(
        Section(
            entry["section"],
            entry["title"],
            entry["doc"],
            tuple(_question(entry["section"], dict(one)) for one in entry["questions"]),
        )
        for entry in loaded
    )


@cache
def questions() -> Mapping[str, Question]:
    """All questions by name."""
    return MappingProxyType({one.name: one for section in form() for one in section.questions})


def _question(section: str, entry: dict[str, Any]) -> Question:
    options_of = entry.pop("options_of", None)
    if options_of:
        entry["options"] = _options(options_of)
    if entry["kind"] == "date" and str(entry.get("default", "")) < date.today().isoformat():
        entry.pop("default", None)  # a day that is past is no answer
    when = {name: _values(values) for name, values in entry.pop("when", {}).items()}
    made = Question(**{**entry, "section": section, "when": MappingProxyType(when)})
    if made.kind not in KINDS or made.need not in _NEEDS or (made.kind == "agree" and made.default):
        raise ConfigError(f"the question {made.name} is not well formed", where="form.yaml")
    return made


def _options(name: str) -> dict[str, str]:
    if name == "availability":
        return dict(_AVAILABILITY)
    if name == "licences":
        return {licence: licence.replace("-", " ") if licence != "unknown" else "not decided" for licence in LICENCES}
    known = sorted(load_mapping(one).name for one in mapping_names() if one != GENERIC)
    return {**{one: one for one in known}, "other": "Another one"}


def _values(values: Any) -> tuple[str, ...]:
    return tuple(map(str, values)) if isinstance(values, list) else (str(values),)
