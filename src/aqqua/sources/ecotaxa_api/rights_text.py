"""What became of a change of rights, for a terminal: a line per project, then a sentence."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from aqqua.sources.ecotaxa_api.models import Right
from aqqua.sources.ecotaxa_api.rights_work import Outcome, RightsReport

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["as_table", "summary"]

_STATES = {
    "change": ("would change", "cyan"),
    "changed": ("changed", "green"),
    "as is": ("as it is", "dim"),
    "left": ("left alone", "yellow"),
    "failed": ("FAILED", "red"),
}


def as_table(report: RightsReport) -> Table:
    """A line per project: what the right was and becomes, and why it does not where it does not."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("id", justify="right")
    for name in ("title", f"right of {escape(report.member.name)}", "", "members before", "note"):
        table.add_column(name, overflow="fold")
    for outcome in report.outcomes:
        words, colour = _STATES[outcome.state]
        cells = (outcome.title, _arrow(outcome), words, _members(outcome), outcome.note)
        table.add_row(str(outcome.projid), *map(escape, cells), style=colour)
    return table


def summary(report: RightsReport) -> list[str]:
    """How many projects are in which state, and what to do next."""
    counts = {words: len(report.of(state)) for state, (words, _) in _STATES.items()}
    lines = [", ".join(f"{count} {words}" for words, count in counts.items() if count) or "no projects"]
    if not report.applied and report.of("change"):
        lines.append("Nothing was changed. Say --apply to do it.")
    if report.journal:
        lines.append(f"Journal: {report.journal}")
        lines.append(f"To undo this: aqqua ecotaxa grant --undo {shlex.quote(str(report.journal))} --apply")
    return lines


def _arrow(outcome: Outcome) -> str:
    was = _word(outcome.was)
    return was if outcome.was is outcome.becomes else f"{was} → {_word(outcome.becomes)}"


def _word(right: Right | None) -> str:
    return right.value if right else "none"


def _members(outcome: Outcome) -> str:
    managers, annotators, viewers = outcome.members
    if not outcome.title and not any(outcome.members):
        return ""
    return f"{managers} manage, {annotators} annotate, {viewers} view"
