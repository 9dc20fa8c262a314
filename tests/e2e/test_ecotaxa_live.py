"""The story with a real EcoTaxa server, as far as it only looks: AQQUA_ECOTAXA_URL and AQQUA_ECOTAXA_TOKEN.

Projects → a look at a grant → pull of a small project → predictions (written here) → a look at a push → tables →
compare. Every request that would change something there is refused before it is sent; so that this is sure, and the
test itself no dead text, the same runs against the double.
"""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import pytest
import requests

from aqqua.__main__ import main
from aqqua.sources.ecotaxa_api.login import TOKEN_ENV, connect
from aqqua.sources.ecotaxa_api.wire import Request, Wire
from aqqua.store.dataset import Dataset
from tests.ecotaxa_double import EcotaxaDouble
from tests.export.pulled import predict
from tests.make.ecotaxa_project import fill

MOST_OBJECTS = 200
"""A larger project is not pulled: this is a visit, no harvest."""
QUESTIONS = ("/query", "/summary", "/predictions")
"""Requests that only ask, although they are sent with POST."""


class ReadOnly:
    """Lets only those requests through that ask."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.asked: list[tuple[str, str]] = []
        send = Wire._once

        def guarded(wire: Wire, request: Request) -> requests.Response:
            asks = request.method in {"GET", "HEAD"} or request.path.rstrip("/").endswith(QUESTIONS)
            assert asks, f"{request.method} {request.path} would change something"
            self.asked.append((request.method, request.path))
            return send(wire, request)

        patch.setattr(Wire, "_once", guarded)


class Screen:
    """Runs commands; keeps what they say."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys

    def __call__(self, *arguments: object) -> tuple[int, str]:
        code: object = 0
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as stop:
            code = stop.code
        out, err = self.capsys.readouterr()
        return int(code or 0), out + err  # type: ignore[call-overload]


def look_around(run: Screen, folder: Path) -> bool:
    """The story without a change; False if the account sees no project small enough to be pulled."""
    code, told = run("ecotaxa", "projects", "--json")
    assert code == 0, told
    listed = json.loads(told[told.index("[") : told.rindex("]") + 1])
    assert all(row["id"] > 0 for row in listed)
    with connect(ask=False) as client:
        me = client.me()
        managed = [project.projid for project in client.projects(managing=True)][:3]
        small = [project.projid for project in client.projects() if 0 < (project.objcount or 0) <= MOST_OBJECTS]
        before = [client.project_json(projid) for projid in managed]
    if managed:
        code, told = run("ecotaxa", "grant", me.email, "--name", me.name, "--projects", *managed)
        assert code == 0, told
        with connect(ask=False) as client:
            assert [client.project_json(projid) for projid in managed] == before
    if not small:
        return False
    pull_and_compare(run, small[0], folder)
    return True


def pull_and_compare(run: Screen, projid: int, folder: Path) -> None:
    """Pull a project, predict here, look at what would be sent, and at what people have said."""
    data = folder / "mine"
    code, told = run("ecotaxa", "pull", projid, data)
    assert code == 0, told
    dataset = Dataset.open(data)
    assert len(dataset) + dataset.rejected().height > 0
    if len(dataset) == 0:
        return
    for uid in dataset.metadata()["uid"][:5]:
        assert dataset.image(uid).size
    names = dataset.metadata(["object_id"])["object_id"].to_list()
    predict(dataset, {name: {"taxon_linear": "Cyclopoida", "p_linear": 0.6} for name in names})
    code, told = run("ecotaxa", "push", data, "--projects", projid)
    assert code == 0 or "right to annotate" in told, told
    code, told = run("export", data, "--to", "ecotaxa", "--update", "--out", folder / "out")
    assert code == 0 or "nothing" in told, told
    code, told = run("ecotaxa", "compare", data, "--csv", folder / "confusion.csv")
    assert code == 0, told
    with (folder / "confusion.csv").open(encoding="utf-8-sig", newline="") as table:
        assert next(csv.reader(table))


@pytest.mark.live
def test_a_visit_to_a_real_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = [name for name in ("AQQUA_ECOTAXA_URL", TOKEN_ENV) if not os.environ.get(name)]
    if missing:
        pytest.skip(f"no server to visit: set {' and '.join(missing)}")
    ReadOnly(monkeypatch)
    if not look_around(Screen(capsys), tmp_path):
        pytest.skip(f"this account sees no project of 1 to {MOST_OBJECTS} objects")


@pytest.mark.parametrize("right", ["View", "Annotate", "Manage"])
def test_the_visit_changes_nothing_on_the_double(
    right: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with EcotaxaDouble() as double:
        owner = double.world.add_person("Alice Owner", "alice@lab.test")
        visitor = double.world.add_person("Bob Visitor", "bob@lab.test")
        project = fill(double.world, owner, objects=4, states=[(None, None)])
        project.rights[visitor.id] = right
        monkeypatch.setenv("AQQUA_ECOTAXA_URL", double.url)
        monkeypatch.setenv(TOKEN_ENV, double.token(visitor))
        rights = dict(project.rights)
        guard = ReadOnly(monkeypatch)
        assert look_around(Screen(capsys), tmp_path)
        assert len(Dataset.open(tmp_path / "mine")) == 4
        assert project.rights == rights
        assert all(obj.now.qual is None for obj in double.world.objects_of(project.projid))
        assert {method for method, _ in guard.asked} == {"GET", "POST"}


def test_what_would_change_something_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    with EcotaxaDouble() as double:
        owner = double.world.add_person("Alice Owner", "alice@lab.test")
        project = fill(double.world, owner, objects=1, states=[(None, None)])
        client = double.client(owner)
        raw = client.project_json(project.projid)
        ReadOnly(monkeypatch)
        with pytest.raises(AssertionError, match="would change something"):
            client.put_project(project.projid, {**raw, "title": "mine now"})
        assert client.project_json(project.projid) == raw
