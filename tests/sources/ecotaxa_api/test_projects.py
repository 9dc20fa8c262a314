"""The list of projects: complete, filtered, as table, CSV and JSON; nothing of a title is read as markup."""

from __future__ import annotations

import csv
import io
import json

from rich.console import Console

from aqqua.sources.ecotaxa_api.projects import COLUMNS, as_table, list_projects, write_csv, write_json
from tests.sources.ecotaxa_api.conftest import Cast


def test_a_project_in_short(cast: Cast) -> None:
    project = cast.filled(3)
    project.rights |= {cast.bob.id: "Annotate", cast.aqqua.id: "View"}
    cast.world.add_object(project, next(iter(cast.world.acquisitions.values())), "v", qual="V", taxon=84963, who=9)
    (row,) = list_projects(cast.client)
    assert (row.id, row.instrument, row.title, row.access) == (1, "Zooscan", "Net samples", "private")
    assert (row.objects, row.validated_pct, row.right) == (4, 25.0, "manage")
    assert row.contact == "Alice Owner <alice@lab.test>"
    assert row.annotators == ("Bob Annotator <bob@lab.test>",)
    assert row.viewers == ("AqQua Service <aqqua@geomar.de>",)


def test_a_project_without_objects_or_contact(cast: Cast) -> None:
    cast.project().contact = None
    (row,) = list_projects(cast.client)
    assert (row.objects, row.validated_pct, row.contact) == (0, None, "")


def test_filters(cast: Cast) -> None:
    cast.project("mine")
    cast.project("hers", owner=cast.bob, alice="View").instrument = "UVP6"
    cast.project("public", owner=cast.bob).access = "1"
    cast.project("granted", aqqua="View")

    def titles(**how: object) -> list[str]:
        return [row.title for row in list_projects(cast.client, **how)]  # type: ignore[arg-type]

    assert titles() == ["mine", "hers", "granted"]
    assert titles(managing=True) == ["mine", "granted"]
    assert titles(others=True) == ["mine", "hers", "public", "granted"]
    assert titles(instrument="UVP6") == ["hers"]
    assert titles(title="grant") == ["granted"]
    assert titles(without="aqqua@geomar.de") == ["mine", "hers"]
    assert titles(without="AqQua Service") == ["mine", "hers"]


def test_csv_reads_back(cast: Cast) -> None:
    cast.project('a "title", with\ttabs; and [bold]marks[/]', bob="View", aqqua="View")
    out = io.StringIO()
    write_csv(list_projects(cast.client), out)
    (row,) = csv.DictReader(io.StringIO(out.getvalue()))
    assert tuple(row) == COLUMNS
    assert row["title"] == 'a "title", with\ttabs; and [bold]marks[/]'
    assert row["viewers"] == "Bob Annotator <bob@lab.test>; AqQua Service <aqqua@geomar.de>"
    assert row["validated_pct"] == ""


def test_json_reads_back(cast: Cast) -> None:
    cast.project("Été")
    out = io.StringIO()
    write_json(list_projects(cast.client), out)
    (row,) = json.loads(out.getvalue())
    assert tuple(row) == COLUMNS
    assert row["title"] == "Été"


def test_the_table_shows_titles_as_they_are_and_few_names(cast: Cast) -> None:
    cast.world.add_person("Cleo", "cleo@lab.test")
    project = cast.project("[bold]Net[/]", bob="View", aqqua="View")
    project.rights[12] = "View"
    console = Console(width=300, file=io.StringIO())
    console.print(as_table(list_projects(cast.client)))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "[bold]Net[/]" in shown
    assert "Bob Annotator, AqQua Service +1" in shown
