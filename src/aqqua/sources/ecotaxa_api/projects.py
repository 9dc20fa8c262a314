"""`aqqua ecotaxa projects`: the projects a user can manage or see, and who has which right on them."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from typing import IO, TYPE_CHECKING

from aqqua.sources.ecotaxa_api.client import EcotaxaClient
from aqqua.sources.ecotaxa_api.models import Member, Project, Right

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["COLUMNS", "ProjectRow", "as_table", "list_projects", "write_csv", "write_json"]


@dataclass(frozen=True)
class ProjectRow:
    """A project in short. Names and addresses are for the screen of the person who asked, never for a dataset.

    Args:
        contact: name and address of the contact; "" if EcoTaxa names none, or one whose account is inactive.
        access: private, public or open.
        validated_pct: share of validated objects, 0 to 100.
        right: what the person who asks may do: manage, annotate, view, or "".
    """

    id: int
    instrument: str
    title: str
    contact: str
    access: str
    objects: int
    validated_pct: float | None
    right: str
    managers: tuple[str, ...]
    annotators: tuple[str, ...]
    viewers: tuple[str, ...]


COLUMNS = tuple(field.name for field in fields(ProjectRow))


def list_projects(
    client: EcotaxaClient,
    *,
    managing: bool = False,
    title: str | None = None,
    instrument: str | None = None,
    others: bool = False,
    without: str | None = None,
) -> list[ProjectRow]:
    """Projects by id.

    Args:
        client: where to ask, with a login.
        managing: only those the user manages.
        title: only those with this text in the title.
        instrument: only those of this instrument.
        others: also public and open projects the user has no right on.
        without: only those on which the user with this e-mail address or name has no right yet.
    """
    me = client.me().id
    found = {
        project.projid: project for project in client.projects(managing=managing, title=title, instrument=instrument)
    }
    if others:
        more = client.projects(not_granted=True, title=title, instrument=instrument)
        found |= {project.projid: project for project in more}
    chosen = [project for project in found.values() if without is None or not _has_right(project, without)]
    return [_row(project, me) for project in sorted(chosen, key=lambda project: project.projid)]


def as_table(rows: Sequence[ProjectRow]) -> Table:
    """The rows for a terminal; of viewers and annotators only how many where there are more than two."""
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for name, where in (("id", "right"), ("instrument", "left"), ("title", "left"), ("contact", "left")):
        table.add_column(name, justify="right" if where == "right" else "left", overflow="fold")
    for name in ("access", "objects", "% validated", "my right"):
        table.add_column(name, justify="right" if name in {"objects", "% validated"} else "left")
    for name in ("managers", "annotators", "viewers"):
        table.add_column(name, overflow="fold")
    for row in rows:
        share = "" if row.validated_pct is None else f"{row.validated_pct:.0f}"
        people = [_short(names) for names in (row.managers, row.annotators, row.viewers)]
        cells = (str(row.id), row.instrument, row.title, row.contact, row.access, f"{row.objects:,}", share, row.right)
        table.add_row(*map(_plain, (*cells, *people)))
    return table


def write_csv(rows: Iterable[ProjectRow], file: IO[str]) -> None:
    """The rows as CSV with a header; people of a right are separated by semicolons."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        cells = asdict(row) | {name: "; ".join(getattr(row, name)) for name in ("managers", "annotators", "viewers")}
        writer.writerow(["" if cells[name] is None else cells[name] for name in COLUMNS])


def write_json(rows: Iterable[ProjectRow], file: IO[str]) -> None:
    """The rows as a list of JSON objects."""
    json.dump([asdict(row) for row in rows], file, ensure_ascii=False, indent=1)
    file.write("\n")


def _row(project: Project, me: int) -> ProjectRow:
    right = project.right_of(me)
    return ProjectRow(
        id=project.projid,
        instrument=project.instrument or "",
        title=project.title,
        contact=_name(project.contact) if project.contact else "",
        access=project.access_name,
        objects=int(project.objcount or 0),
        validated_pct=project.pctvalidated,
        right=right.value if right else "",
        managers=_names(project.members(Right.MANAGE)),
        annotators=_names(project.members(Right.ANNOTATE)),
        viewers=_names(project.members(Right.VIEW)),
    )


def _has_right(project: Project, who: str) -> bool:
    people = [member for right in Right for member in project.members(right)]
    return any(who.casefold() in {member.email.casefold(), member.name.casefold()} for member in people)


def _name(member: Member) -> str:
    return f"{member.name} <{member.email}>" if member.email else member.name


def _names(members: Iterable[Member]) -> tuple[str, ...]:
    return tuple(_name(member) for member in members)


def _short(names: Sequence[str]) -> str:
    shown = [name.partition(" <")[0] for name in names[:2]]
    return ", ".join(shown) + (f" +{len(names) - 2}" if len(names) > 2 else "")


def _plain(text: str) -> str:
    """Titles are shown as they are, not as markup."""
    from rich.markup import escape

    return escape(text)
