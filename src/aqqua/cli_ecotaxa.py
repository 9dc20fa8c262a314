"""`aqqua ecotaxa …`: speak with an EcoTaxa server.

Each command parses, calls one public function of the same name, and prints its result. The login comes from
AQQUA_ECOTAXA_TOKEN or the keyring, else it is asked for; it is never an argument, and never written down.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Parameter

from aqqua.errors import ConfigError, MissingExtraError

if TYPE_CHECKING:
    from aqqua.sources.ecotaxa_api.client import EcotaxaClient

__all__ = ["app"]

Head = Literal["best", "linear", "knn"]
RightName = Literal["view", "annotate", "manage"]
Flag = Annotated[bool, Parameter(negative=())]
Names = Annotated[list[str] | None, Parameter(consume_multiple=True)]

app = App(name="ecotaxa", help="Speak with an EcoTaxa server: projects, rights, images, predictions, decisions.")


@app.command(sort_key=0)
def projects(
    *,
    managing: Flag = False,
    others: Flag = False,
    title: str | None = None,
    instrument: str | None = None,
    without: str | None = None,
    csv: Flag = False,
    json: Flag = False,
    server: str | None = None,
    user: str | None = None,
) -> None:
    """List projects: instrument, title, contact, access, objects, how many are validated, and who has which right.

    Args:
        managing: only those you manage.
        others: also public and open ones on which you have no right.
        title: only those with this text in the title.
        instrument: only those of this instrument.
        without: only those on which the account with this e-mail address or name has no right yet.
        csv: print CSV.
        json: print JSON.
        server: address of the API (AQQUA_ECOTAXA_URL, else the production server).
        user: e-mail address of your account, if it must be asked for a password.
    """
    with _client(server, user) as client:
        from aqqua.sources.ecotaxa_api import projects as listing

        rows = listing.list_projects(
            client, managing=managing, others=others, title=title, instrument=instrument, without=without
        )
    if csv:
        listing.write_csv(rows, sys.stdout)
    elif json:
        listing.write_json(rows, sys.stdout)
    else:
        _show(listing.as_table(rows))
        print(f"{len(rows)} projects")


@app.command(sort_key=1)
def grant(
    who: str = "aqqua@geomar.de",
    /,
    *,
    projects: Names = None,
    title: str | None = None,
    instrument: str | None = None,
    right: RightName = "view",
    name: str | None = None,
    contact: str | None = None,
    apply: Flag = False,
    journal: Path | None = None,
    undo: Path | None = None,
    server: str | None = None,
    user: str | None = None,
) -> None:
    """Give an account a right on many projects. Shows what would change; changes it with --apply.

    Higher rights stay, nobody is listed twice, everything else of a project stays as it is. What was before is kept in
    a journal, from which --undo restores it.

    Args:
        who: e-mail address or name of the account.
        projects: ids, a file with ids, or all (that you manage).
        title: of all those you manage, only those with this text in the title.
        instrument: of all those you manage, only those of this instrument.
        right: view, annotate or manage.
        name: name of the account as EcoTaxa shows it, if the address does not tell it.
        contact: me, or the e-mail address of a manager: becomes contact where a project has none.
        apply: change; without it everything is only looked at.
        journal: file for what was before (a new one in this folder, if not said).
        undo: journal of an earlier grant or revoke that is to be undone.
        server: address of the API (AQQUA_ECOTAXA_URL, else the production server).
        user: e-mail address of your account, if it must be asked for a password.
    """
    choice = _Choice(projects, title, instrument, contact, apply, undo)
    _change_rights("grant", who, choice, server, user, right=right, name=name, journal=journal)


@app.command(sort_key=2)
def revoke(
    who: str = "aqqua@geomar.de",
    /,
    *,
    projects: Names = None,
    title: str | None = None,
    instrument: str | None = None,
    right: RightName = "view",
    name: str | None = None,
    contact: str | None = None,
    apply: Flag = False,
    journal: Path | None = None,
    undo: Path | None = None,
    server: str | None = None,
    user: str | None = None,
) -> None:
    """Take a right from an account on many projects. Shows what would change; changes it with --apply.

    Another right than the one named stays.

    Args:
        who: e-mail address or name of the account.
        projects: ids, a file with ids, or all (that you manage).
        title: of all those you manage, only those with this text in the title.
        instrument: of all those you manage, only those of this instrument.
        right: view, annotate or manage.
        name: name of the account as EcoTaxa shows it, if the address does not tell it.
        contact: me, or the e-mail address of a manager: becomes contact where a project has none.
        apply: change; without it everything is only looked at.
        journal: file for what was before (a new one in this folder, if not said).
        undo: journal of an earlier grant or revoke that is to be undone.
        server: address of the API (AQQUA_ECOTAXA_URL, else the production server).
        user: e-mail address of your account, if it must be asked for a password.
    """
    choice = _Choice(projects, title, instrument, contact, apply, undo)
    _change_rights("revoke", who, choice, server, user, right=right, name=name, journal=journal)


@app.command(sort_key=10)
def pull(
    *targets: str,
    card: Path | None = None,
    retry: bool = False,
    server: str | None = None,
    user: str | None = None,
) -> None:
    """Bring projects into a dataset: `aqqua ecotaxa pull PROJECT… DATASET`. The right to view is enough.

    Run it again to go on after an interruption, and for what is new since.

    Args:
        targets: ids of one or more projects, then the dataset to make or to add to.
        card: card.yaml with licence, citation, and metadata that EcoTaxa lacks.
        retry: try objects again whose rows were rejected before.
        server: address of the API (AQQUA_ECOTAXA_URL, else the production server).
        user: e-mail address of the account, if it must be asked for a password.
    """
    if len(targets) < 2 or not all(target.isdigit() for target in targets[:-1]):
        raise ConfigError("pull needs ids of projects and a dataset", do="aqqua ecotaxa pull PROJECT… DATASET")
    with _client(server, user) as client:
        from aqqua.sources.ecotaxa_api.pull import pull as run

        report = run([int(target) for target in targets[:-1]], targets[-1], client=client, card=card, retry=retry)
    print(report)
    sys.exit(1 if report.failed else 0)


@app.command(sort_key=11)
def push(
    dataset: Path,
    *,
    model: str | None = None,
    head: Head = "best",
    taxa: Path | None = None,
    projects: Annotated[list[int] | None, Parameter(consume_multiple=True)] = None,
    apply: Annotated[bool, Parameter(negative=())] = False,
    server: str | None = None,
    user: str | None = None,
) -> None:
    """Send predictions with their scores to the objects they are of; what people have judged stays as it is.

    Args:
        dataset: with images pulled from EcoTaxa, and predictions.
        model: whose predictions (the newest, if not said).
        head: whose taxon counts: best, linear or knn.
        taxa: table with name and ecotaxa_id, for taxa whose EcoTaxa id is not known.
        projects: only these projects.
        apply: send; without it everything is only looked at.
        server: address of the API (AQQUA_ECOTAXA_URL, else the production server).
        user: e-mail address of the account, if it must be asked for a password.
    """
    with _client(server, user) as client:
        from aqqua.export.ecotaxa_push import push as run

        report = run(dataset, client=client, model=model, head=head, taxa=taxa, projects=projects, apply=apply)
    print(report)
    sys.exit(1 if report.failed else 0)


@app.command(sort_key=12)
def compare(
    dataset: Path,
    *,
    model: str | None = None,
    head: Head = "best",
    every: bool = False,
    csv: Path | None = None,
    server: str | None = None,
    user: str | None = None,
) -> None:
    """Read back what people made of the predictions: precision per class, confusions, and new labels to learn from.

    Args:
        dataset: with images pulled from EcoTaxa, and predictions.
        model: whose predictions (the newest, if not said).
        head: whose taxon counts: best, linear or knn.
        every: also count decisions from before the model predicted.
        csv: file for the confusion table; tables of classes and objects are written beside it.
        server: address of the API (AQQUA_ECOTAXA_URL, else the production server).
        user: e-mail address of the account, if it must be asked for a password.
    """
    with _client(server, user) as client:
        from aqqua.export.ecotaxa_compare import compare as run

        report = run(dataset, client=client, model=model, head=head, every=every)
    print(report)
    for file in report.write_csv(csv) if csv else ():
        print(file)


def _client(server: str | None, user: str | None) -> EcotaxaClient:
    try:
        import pydantic  # noqa: F401 (only to say which extra is missing)
        import requests  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("speaking with EcoTaxa", error.name or "requests", "ecotaxa") from error
    from aqqua.sources.ecotaxa_api.login import connect

    return connect(server, user=user)


@dataclass(frozen=True)
class _Choice:
    """Which projects, and how far to go."""

    projects: list[str] | None
    title: str | None
    instrument: str | None
    contact: str | None
    apply: bool
    undo: Path | None

    def ids(self, client: EcotaxaClient) -> list[int] | None:
        """Ids of the projects; None for all that are managed."""
        from aqqua.sources.ecotaxa_api.selection import project_ids

        if self.title is None and self.instrument is None:
            return project_ids(self.projects or [])
        if self.projects and project_ids(self.projects) is not None:
            raise ConfigError(
                "projects are named, and filtered too", do="say either --projects or --title, --instrument"
            )
        found = client.projects(managing=True, title=self.title, instrument=self.instrument)
        return [project.projid for project in found]


def _change_rights(
    verb: Literal["grant", "revoke"], who: str, choice: _Choice, server: str | None, user: str | None, **more: Any
) -> None:
    """Look or change, show a line per project, and exit with 1 if any failed."""
    with _client(server, user) as client:
        from aqqua.sources.ecotaxa_api import rights, rights_text
        from aqqua.sources.ecotaxa_api.models import Right

        chooser = rights.contact_chooser(client, choice.contact) if choice.contact else None
        if choice.undo:
            report = rights.undo(client, choice.undo, apply=choice.apply, choose_contact=chooser)
        else:
            run = rights.grant if verb == "grant" else rights.revoke
            more["right"] = Right(more["right"])
            ids = choice.ids(client)
            report = run(client, ids, user=who, apply=choice.apply, choose_contact=chooser, **more)
    _show(rights_text.as_table(report))
    for line in rights_text.summary(report):
        print(line)
    if report.of("change", "changed"):
        print(f"Note: {rights.INACTIVE}")
    sys.exit(1 if report.failed else 0)


def _show(table: object) -> None:
    """Print a table as wide as it is where nobody looks at it on a terminal."""
    from rich.console import Console

    out = Console(highlight=False)
    if not out.is_terminal:
        out = Console(highlight=False, width=250)
    out.print(table)
