"""Rights on many projects: a look by default, one right at a time, verified, noted, undone; failures do not stop it."""

from __future__ import annotations

import copy
import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from aqqua.errors import ConfigError
from aqqua.sources.ecotaxa_api.models import Right
from aqqua.sources.ecotaxa_api.rights import INACTIVE, contact_chooser, grant, revoke, undo
from aqqua.sources.ecotaxa_api.rights_text import as_table, summary
from aqqua.sources.ecotaxa_api.rights_work import RightsReport
from tests.sources.ecotaxa_api.conftest import Cast

pytestmark = pytest.mark.usefixtures("folder")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def states(report: RightsReport) -> list[str]:
    return [outcome.state for outcome in report.outcomes]


def journals(folder: Path) -> list[str]:
    return [path.name for path in folder.glob("*.jsonl")]


def test_without_apply_nothing_changes(cast: Cast, folder: Path) -> None:
    before = copy.deepcopy(cast.project().rights)
    report = grant(cast.client, None)
    assert states(report) == ["change"]
    assert (report.outcomes[0].was, report.outcomes[0].becomes) == (None, Right.VIEW)
    assert cast.world.projects[1].rights == before
    assert (cast.double.asked("PUT"), report.journal, journals(folder)) == ([], None, [])
    assert "Nothing was changed. Say --apply to do it." in summary(report)


def test_a_right_is_given_and_all_else_stays(cast: Cast) -> None:
    project = cast.project(bob="Annotate")
    project.settings |= {"comments": "ours", "classifsettings": "x=1", "a_key_of_tomorrow": {"deep": [1, None]}}
    before = cast.client.project_json(1)
    report = grant(cast.client, [1], apply=True)
    assert states(report) == ["changed"]
    assert project.rights == {cast.alice.id: "Manage", cast.bob.id: "Annotate", cast.aqqua.id: "View"}
    after = cast.client.project_json(1)
    after["viewers"], after["bodc_variables"] = [], before["bodc_variables"]
    assert after == before


def test_the_raw_json_goes_back_with_every_key(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[dict[str, Any]] = []
    real = cast.client.put_project

    def note(projid: int, raw: dict[str, Any]) -> None:
        sent.append(raw)
        real(projid, raw)

    monkeypatch.setattr(cast.client, "put_project", note)
    cast.project().settings["a_key_of_tomorrow"] = {"deep": [1, None]}
    before = cast.client.project_json(1, for_managing=True)
    grant(cast.client, [1], apply=True)
    viewer = {"id": cast.aqqua.id, "email": "aqqua@geomar.de", "name": "AqQua Service", "organisation": "org2"}
    assert sent == [{**before, "viewers": [viewer]}]


@pytest.mark.parametrize("has", ["View", "Annotate", "Manage"])
def test_no_right_is_lowered_or_doubled(cast: Cast, has: str) -> None:
    project = cast.project(aqqua=has)
    report = grant(cast.client, [1], apply=True)
    assert states(report) == ["as is"]
    assert project.rights[cast.aqqua.id] == has
    assert (cast.double.asked("PUT"), report.journal) == ([], None)


def test_a_right_is_raised_in_one_list_only(cast: Cast) -> None:
    project = cast.project(aqqua="View")
    assert states(grant(cast.client, [1], right=Right.ANNOTATE, apply=True)) == ["changed"]
    assert project.rights[cast.aqqua.id] == "Annotate"


def test_a_project_is_read_just_before_it_is_written(cast: Cast) -> None:
    cast.project()
    grant(cast.client, [1], apply=True)
    assert [seen for seen in cast.double.faults.seen if seen[1] == "/api/projects/1"] == [
        ("GET", "/api/projects/1"),
        ("PUT", "/api/projects/1"),
        ("GET", "/api/projects/1"),
    ]


def test_failures_do_not_stop_the_others_and_are_listed(cast: Cast) -> None:
    cast.project("one")
    cast.project("not mine", owner=cast.bob)
    cast.project("no contact").contact = None
    cast.project("crashes")
    cast.project("last")
    cast.double.faults.plan("500", "projects/4", method="PUT")
    report = grant(cast.client, [1, 2, 3, 4, 77, 5], apply=True)
    assert states(report) == ["changed", "failed", "failed", "failed", "failed", "changed"]
    notes = [outcome.note for outcome in report.failed]
    for note, part in zip(notes, ["not the right", "--contact", "OperationalError", "nothing of it"], strict=True):
        assert part in note
    assert "2 changed, 4 FAILED" in summary(report)[0]
    assert cast.aqqua.id not in cast.world.projects[4].rights


@pytest.mark.parametrize("fault", ["lost", "cut_before", "502", "cut"])
def test_without_an_answer_it_looks_whether_it_was_done(cast: Cast, fault: str) -> None:
    project = cast.project()
    cast.double.faults.plan(fault, "projects/1", method="PUT")  # type: ignore[arg-type]
    report = grant(cast.client, [1], apply=True)
    assert states(report) == ["changed"]
    assert project.rights[cast.aqqua.id] == "View"
    assert len(cast.double.asked("PUT")) == (1 if fault in {"lost", "cut"} else 2)


def test_a_server_that_stays_away_is_a_failure(cast: Cast) -> None:
    cast.project()
    cast.double.faults.plan("502", "projects/1", method="PUT", times=99)
    report = grant(cast.client, [1], apply=True)
    assert states(report) == ["failed"]
    assert len(cast.double.asked("PUT")) == 3


def test_a_change_that_cannot_be_read_again_is_a_failure(cast: Cast) -> None:
    cast.project()
    cast.double.faults.plan("502", "projects/1", method="GET", skip=1, times=99)
    report = grant(cast.client, [1], apply=True)
    assert "was written, but could not be read again" in report.failed[0].note


def test_when_the_login_expires_the_rest_is_not_tried(cast: Cast) -> None:
    for _ in range(4):
        cast.project()
    cast.double.faults.plan("401", "projects/2", times=99)
    report = grant(cast.client, [1, 2, 3, 4], apply=True)
    assert states(report) == ["changed", "failed", "failed", "failed"]
    assert report.outcomes[3].note == "not tried: the login has expired"
    assert cast.double.asked("GET", "projects/3") == []


def test_anything_else_that_changed_is_told(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    project = cast.project()
    real = cast.client.put_project

    def somebody_else_too(projid: int, raw: dict[str, Any]) -> None:
        real(projid, raw)
        project.title = "renamed meanwhile"

    monkeypatch.setattr(cast.client, "put_project", somebody_else_too)
    report = grant(cast.client, [1], apply=True)
    assert report.failed[0].note == "written, but differs from what was sent in: title"


def test_a_project_without_contact_gets_the_one_named(cast: Cast) -> None:
    cast.project().contact = None
    planned = grant(cast.client, [1], choose_contact=contact_chooser(cast.client, "me"))
    assert "will get one" in planned.outcomes[0].note
    assert states(grant(cast.client, [1], apply=True, choose_contact=contact_chooser(cast.client, "me"))) == ["changed"]
    assert cast.world.projects[1].contact == cast.alice.id


def test_a_contact_must_be_one_of_the_managers(cast: Cast) -> None:
    cast.project(bob="View").contact = None
    chooser = contact_chooser(cast.client, "bob@lab.test")
    assert "--contact" in grant(cast.client, [1], apply=True, choose_contact=chooser).failed[0].note
    assert cast.double.asked("PUT") == []


def test_inactive_members_are_lost_by_any_write_and_the_user_is_warned(cast: Cast) -> None:
    project = cast.project(bob="Annotate")
    cast.bob.status = 0
    grant(cast.client, [1], apply=True)
    assert project.rights == {cast.alice.id: "Manage", cast.aqqua.id: "View"}
    assert "inactive" in INACTIVE


def test_undo_restores_what_was(cast: Cast) -> None:
    kinds: list[dict[str, Any]] = [{}, {"aqqua": "View"}, {"aqqua": "Annotate"}, {"bob": "Annotate", "aqqua": "View"}]
    made = [cast.project(f"{number}", **kind) for number, kind in enumerate(kinds)]
    before = [dict(project.rights) for project in made]
    report = grant(cast.client, None, right=Right.ANNOTATE, apply=True)
    assert states(report) == ["changed", "changed", "as is", "changed"]
    assert report.journal
    look = undo(cast.client, report.journal)
    assert (states(look), look.journal) == (["change"] * 3, None)
    back = undo(cast.client, report.journal, apply=True)
    assert states(back) == ["changed"] * 3
    assert [project.rights for project in made] == before
    assert states(undo(cast.client, report.journal, apply=True)) == ["as is"] * 3
    assert back.journal
    undo(cast.client, back.journal, apply=True)
    assert made[0].rights[cast.aqqua.id] == "Annotate"


def test_undo_keeps_what_others_changed_since(cast: Cast) -> None:
    first, second = cast.project("first"), cast.project("second")
    report = grant(cast.client, None, apply=True)
    first.rights |= {cast.bob.id: "Annotate"}
    first.title = "renamed"
    second.rights[cast.aqqua.id] = "Manage"
    assert report.journal
    back = undo(cast.client, report.journal, apply=True)
    assert states(back) == ["changed", "left"]
    assert (first.title, first.rights) == ("renamed", {cast.alice.id: "Manage", cast.bob.id: "Annotate"})
    assert second.rights[cast.aqqua.id] == "Manage"


def test_undo_after_a_crash_in_the_middle(cast: Cast, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    project = cast.project()
    real = cast.client.put_project

    def dies(projid: int, raw: dict[str, Any]) -> None:
        real(projid, raw)
        raise KeyboardInterrupt

    monkeypatch.setattr(cast.client, "put_project", dies)
    with pytest.raises(KeyboardInterrupt):
        grant(cast.client, [1], apply=True)
    monkeypatch.undo()
    (journal,) = folder.glob("*.jsonl")
    assert states(undo(cast.client, journal, apply=True)) == ["changed"]
    assert cast.aqqua.id not in project.rights


def test_a_journal_of_another_server_is_refused(cast: Cast, folder: Path) -> None:
    cast.project()
    path = grant(cast.client, [1], apply=True).journal
    assert path
    other = folder / "other.jsonl"
    other.write_text(path.read_text().replace(cast.double.url, "https://other.example.org/api"))
    with pytest.raises(ConfigError, match="--server https://other"):
        undo(cast.client, other)


def test_a_journal_holds_no_login(cast: Cast) -> None:
    cast.project()
    path = grant(cast.client, [1], apply=True).journal
    assert path
    assert str(cast.client.wire.token) not in path.read_text()


def test_a_right_is_taken(cast: Cast) -> None:
    project = cast.project(bob="Annotate", aqqua="View")
    assert states(revoke(cast.client, [1])) == ["change"]
    assert states(revoke(cast.client, [1], apply=True)) == ["changed"]
    assert project.rights == {cast.alice.id: "Manage", cast.bob.id: "Annotate"}
    assert states(revoke(cast.client, [1], apply=True)) == ["as is"]


def test_only_the_right_that_was_named_is_taken(cast: Cast) -> None:
    project = cast.project(aqqua="Annotate")
    report = revoke(cast.client, [1], apply=True)
    assert (states(report), project.rights[cast.aqqua.id]) == (["left"], "Annotate")
    assert "--right annotate" in report.outcomes[0].note


def test_nobody_locks_themselves_out(cast: Cast) -> None:
    cast.project(bob="Manage")
    assert states(revoke(cast.client, [1], user="alice@lab.test", right=Right.MANAGE, apply=True)) == ["left"]
    cast.world.projects[1].contact = cast.bob.id
    assert states(revoke(cast.client, [1], user="bob@lab.test", right=Right.MANAGE, apply=True)) == ["left"]
    cast.world.projects[1].contact = cast.alice.id
    assert states(revoke(cast.client, [1], user="bob@lab.test", right=Right.MANAGE, apply=True)) == ["changed"]


def test_all_means_all_that_are_managed(cast: Cast) -> None:
    cast.project("mine")
    cast.project("hers", owner=cast.bob, alice="Annotate")
    assert [outcome.projid for outcome in grant(cast.client, None).outcomes] == [1]


def test_the_table_shows_titles_as_they_are(cast: Cast) -> None:
    cast.project("[red]Net[/]")
    out = io.StringIO()
    Console(width=200, file=out).print(as_table(grant(cast.client, None)))
    shown = out.getvalue()
    assert "[red]Net[/]" in shown
    assert "none → view" in shown
