"""The whole story with an EcoTaxa server, over HTTP, with the command line wherever there is a command.

An owner lists her projects and grants the right to view → aqqua pulls them, cut off in the middle → predictions →
people get them, by push and by table → people decide → aqqua compares, and has labels to learn from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl
import pytest

from aqqua.__main__ import main
from aqqua.sources.ecotaxa_api.jobs import start_import, wait_for
from aqqua.sources.ecotaxa_api.polite import Manners
from aqqua.sources.ecotaxa_api.upload import upload
from aqqua.store.dataset import Dataset
from tests.ecotaxa_double import EcotaxaDouble
from tests.ecotaxa_double.tables import Person, Project
from tests.export.pulled import predict
from tests.make.ecotaxa_project import CALANOIDA, CYCLOPOIDA, DETRITUS, add, fill, pixels_of

Run = Callable[..., tuple[int, str]]


@dataclass
class Scene:
    """A server, an owner of two projects, and the account of aqqua."""

    double: EcotaxaDouble
    owner: Person
    service: Person
    projects: list[Project]

    def become(self, person: Person, patch: pytest.MonkeyPatch) -> None:
        """Who the command line speaks for from now on."""
        patch.setenv("AQQUA_ECOTAXA_TOKEN", self.double.token(person))


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    with EcotaxaDouble() as double:
        owner = double.world.add_person("Alice Owner", "alice@lab.test")
        service = double.world.add_person("AqQua Service", "aqqua@geomar.de")
        nets = fill(double.world, owner, objects=6, states=[(None, None), (None, None), (DETRITUS, "V")])
        uvp = fill(double.world, owner, objects=4, states=[(None, None)])
        place = double.world.objects_of(uvp.projid)[0].acquisition
        add(double.world, uvp, place, "obj_4", pixels=[pixels_of("shown"), pixels_of("original")], ranks=(1, 100))
        monkeypatch.setenv("AQQUA_ECOTAXA_URL", double.url)
        monkeypatch.setattr(
            "aqqua.sources.ecotaxa_api.wire.Manners", partial(Manners, interval_s=0, sleep=lambda _: None)
        )
        yield Scene(double, owner, service, [nets, uvp])


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command, and return its exit status and what it says."""

    def command(*arguments: object) -> tuple[int, str]:
        code: object = 0
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as stop:
            code = stop.code
        out, err = capsys.readouterr()
        return int(code or 0), out + err  # type: ignore[call-overload]

    return command


def test_from_the_list_of_projects_to_labels_that_people_gave(
    scene: Scene, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "mine"
    grant(scene, run, tmp_path / "journal.jsonl", monkeypatch)
    pull_with_accidents(scene, run, data, monkeypatch)
    names = {f"obj_{n}": {"taxon_linear": "Cyclopoida", "p_linear": 0.6 + n / 20} for n in range(6)}
    predict(Dataset.open(data), names, created_utc="2026-11-23T10:00:00+00:00")
    give_back(scene, run, data, tmp_path, monkeypatch)
    people_decide(scene)
    code, told = run("ecotaxa", "compare", data, "--csv", tmp_path / "confusion.csv")
    assert code == 0, told
    assert "2 confirmed, 1 relabelled, 1 dubious" in told
    assert (tmp_path / "confusion.csv").read_text().splitlines()[1:] == [
        "Cyclopoida,Calanoida,1", "Cyclopoida,Cyclopoida,2"
    ]  # fmt: skip
    labels = Dataset.open(data).labels()
    taught = labels.filter((pl.col("status") == "validated") & (pl.col("taxon") != "detritus"))
    assert sorted(taught["taxon"].to_list()) == ["Calanoida", "Cyclopoida", "Cyclopoida"]
    written = "".join(path.read_bytes().decode("latin-1") for path in data.rglob("*") if path.is_file())
    for secret in ("Alice", "lab.test", "token-of"):
        assert secret not in written


def grant(scene: Scene, run: Run, journal: Path, patch: pytest.MonkeyPatch) -> None:
    """The owner sees her projects, and lets the service look at them."""
    scene.become(scene.owner, patch)
    code, told = run("ecotaxa", "projects")
    assert code == 0, told
    assert told.count("Net samples") == 2
    code, told = run("ecotaxa", "grant", "--projects", 1, 2, "--apply", "--journal", journal)
    assert code == 0, told
    assert journal.is_file()
    assert all(project.rights[scene.service.id] == "View" for project in scene.projects)


def pull_with_accidents(scene: Scene, run: Run, data: Path, patch: pytest.MonkeyPatch) -> None:
    """A viewer pulls; the server goes away in the middle; nothing is lost, nothing doubled."""
    scene.become(scene.service, patch)
    scene.double.faults.plan("cut_before", "vault", skip=4, times=60)
    code, told = run("ecotaxa", "pull", 1, 2, data)
    assert code == 1
    assert "not pulled" in told
    scene.double.faults.planned.clear()
    scene.double.faults.plan("502", "query")
    code, told = run("ecotaxa", "pull", 1, 2, data)
    assert code == 0, told
    names = Dataset.open(data).metadata(["object_id"])["object_id"].to_list()
    assert sorted(names) == sorted([f"obj_{n}" for n in range(6)] + [f"obj_{n}" for n in range(5)])


def give_back(scene: Scene, run: Run, data: Path, folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Viewers may not annotate; with the right predictions arrive by push in one project, by table in the other."""
    code, told = run("ecotaxa", "push", data, "--projects", 1, "--apply")
    assert code == 1
    assert "right to annotate" in told
    for project in scene.projects:
        project.rights[scene.service.id] = "Annotate"
    code, told = run("ecotaxa", "push", data, "--projects", 1)
    assert "4 predictions to send; 2 judged by people stay" in told
    code, told = run("ecotaxa", "push", data, "--projects", 1, "--apply")
    assert code == 0, told
    assert "4 predictions sent, 4 read back as sent" in told
    code, told = run("export", data, "--to", "ecotaxa", "--update", "--out", folder / "out")
    assert code == 0, told
    assert sorted(path.name for path in (folder / "out").iterdir()) == ["ecotaxa_update_1.zip", "ecotaxa_update_2.zip"]
    client = scene.double.client(scene.service)
    job = start_import(client, 2, upload(client, folder / "out" / "ecotaxa_update_2.zip"), update_mode="Cla")
    wait_for(client, job, limit_s=30)
    for number in (1, 2):
        states = [obj.now.qual for obj in scene.double.world.objects_of(number)]
        assert states.count("P") == {1: 4, 2: 5}[number]


def people_decide(scene: Scene) -> None:
    """The owner goes through what was predicted in her first project, later that day."""
    scene.double.world._clock = scene.double.world._clock.replace(hour=12)
    client = scene.double.client(scene.owner)
    todo = [obj.id for obj in scene.double.world.objects_of(1) if obj.now.qual == "P"]
    for objid, taxon, qual in zip(todo, (CYCLOPOIDA, CYCLOPOIDA, CALANOIDA, -1), ("V", "V", "V", "D"), strict=True):
        body = {"target_ids": [objid], "classifications": [taxon], "wanted_qualification": qual}
        client.wire.json("POST", "object_set/classify", "decide", json=body)


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["pull", "mydata"], "aqqua ecotaxa pull PROJECT… DATASET"),
        (["pull", "one", "mydata"], "aqqua ecotaxa pull PROJECT… DATASET"),
        (["push", "nowhere"], "there is no dataset"),
        (["compare", "nowhere"], "there is no dataset"),
    ],
)
def test_mistakes_are_answered_with_a_way_out(
    arguments: list[str], hint: str, scene: Scene, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.become(scene.owner, monkeypatch)
    monkeypatch.chdir(tmp_path)
    code, told = run("ecotaxa", *arguments)
    assert code == 2
    assert hint in told
    assert not scene.double.asked("POST", "classify")


def test_without_a_login_nothing_is_asked_of_the_server(
    scene: Scene, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AQQUA_ECOTAXA_TOKEN", raising=False)
    monkeypatch.setattr("aqqua.sources.ecotaxa_api.login.stored_token", lambda _: None)
    code, told = run("ecotaxa", "pull", 1, tmp_path / "mine")
    assert code == 2
    assert "AQQUA_ECOTAXA_TOKEN" in told
    assert not scene.double.faults.seen
