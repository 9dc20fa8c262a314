"""Pulling with no more than the right to view: complete, in steps, after any interruption, with nobody's name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from aqqua.errors import ConfigError, RefusedError, RemoteError
from aqqua.metadata.card import Card
from aqqua.sources.ecotaxa_api.client import EcotaxaClient
from aqqua.sources.ecotaxa_api.links import links, rejected_objects
from aqqua.sources.ecotaxa_api.pull import PullReport, pull
from aqqua.store.dataset import Dataset
from tests.ecotaxa_double import EcotaxaDouble, World
from tests.ecotaxa_double.tables import Classification, Person, Project
from tests.make.ecotaxa_project import CALANOIDA, CYCLOPOIDA, add, fill, pixels_of


@dataclass
class Scene:
    """A server, a project of Alice's, and the account of aqqua, which may view it."""

    double: EcotaxaDouble
    alice: Person
    viewer: Person
    project: Project
    client: EcotaxaClient
    path: Path

    @property
    def world(self) -> World:
        return self.double.world

    def pull(self, **more: object) -> PullReport:
        return pull([self.project.projid], self.path, client=self.client, **more)  # type: ignore[arg-type]

    def names(self) -> list[str]:
        """Object ids in the dataset, each as often as it is there."""
        return sorted(Dataset.open(self.path).metadata(["object_id"])["object_id"].to_list())


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with EcotaxaDouble() as double:
        alice = double.world.add_person("Alice Owner", "alice@lab.test")
        viewer = double.world.add_person("Service", "service@lab.test")
        project = fill(double.world, alice)
        project.rights[viewer.id] = "View"
        yield Scene(double, alice, viewer, project, double.client(viewer), tmp_path / "mine")


def test_everything_comes_with_the_right_to_view(scene: Scene) -> None:
    report = scene.pull(page=3, batch=5)
    (told,) = report.projects
    assert (told.objects, told.images, told.rejected, told.labels, told.findings) == (8, 8, 0, 0, told.findings)
    assert not report.failed
    assert scene.names() == [f"obj_{n}" for n in range(8)]
    ds = Dataset.open(scene.path)
    for uid, name in ds.metadata(["object_id"]).select("uid", "object_id").iter_rows():
        assert np.array_equal(ds.image(uid).squeeze(), pixels_of(name).squeeze())
    row = ds.metadata().row(0, named=True)
    assert (row["instrument"], row["latitude"], row["depth_max_m"]) == ("ZooScan", 43.681, 75.5)
    assert row["pixel_um"] == pytest.approx(10.6)
    assert row["project"] == "EcoTaxa 1: Net samples of the bay"
    assert not (scene.path / "ecotaxa" / "1").exists(), "what was fetched is removed in the end"


def test_values_are_verbatim_and_nobody_is_named(scene: Scene) -> None:
    scene.pull()
    ds = Dataset.open(scene.path)
    raws = {raw["object_id"]: raw for raw in ds.raw(ds.metadata([])["uid"].to_list())}
    first, validated = raws["obj_0"], raws["obj_2"]
    assert first["object_area"] == "100.5"
    assert first["object_perim."] == "3.0"
    assert (first["sample_id"], first["sample_tot_vol"], first["acq_sub_part"]) == ("s1", "12.5", "4")
    assert first["process_particle_pixel_size_mm"] == "0.0106"
    assert (first["objid"], first["projid"], first["ecotaxa_server"]) == ("100000001", "1", scene.double.url)
    assert validated["object_annotation_hierarchy"] == "not-living>detritus"
    written = "".join(path.read_bytes().decode("latin-1") for path in scene.path.rglob("*") if path.is_file())
    assert "Alice" not in written
    assert "lab.test" not in written
    assert "token" not in written
    labels = ds.labels()
    assert sorted(labels["status"].to_list()) == [
        "dubious",
        "dubious",
        "predicted",
        "predicted",
        "validated",
        "validated",
    ]
    assert set(labels["by"]) == {"ecotaxa"}
    assert labels.filter(pl.col("status") == "validated")["ecotaxa_id"].to_list() == [84963, 84963]


def test_the_grounds_stand_on_the_card(scene: Scene) -> None:
    scene.pull(card=Card(licence="CC-BY-4.0", citation="Alice 2026"))
    card = Dataset.open(scene.path).card
    assert card.access == "private: members only; right of the account that pulled: view"
    assert card.licence == "CC-BY-4.0"
    assert card.citation == "Alice 2026"
    assert card.source == f"{scene.double.url} project 1"
    assert card.license_allows_training is None
    open_one = fill(scene.world, scene.alice, access="2")
    pull([open_one.projid], scene.path, client=scene.client)
    card = Dataset.open(scene.path).card
    assert card.access.startswith("private"), "the strictest counts for the whole dataset"
    assert card.source == f"{scene.double.url} project 1; {scene.double.url} project 2"
    assert len(Dataset.open(scene.path)) == 16


def test_access_in_the_owners_own_words_stays(scene: Scene) -> None:
    Dataset.create(scene.path, Card(access="only for the ministry", source="cruise 12"))
    scene.pull()
    card = Dataset.open(scene.path).card
    assert card.access == "only for the ministry"
    assert card.source == f"cruise 12; {scene.double.url} project 1"


def test_again_brings_only_what_is_new(scene: Scene) -> None:
    scene.pull()
    fetched = len(scene.double.asked("GET", "vault"))
    nothing = scene.pull().projects[0]
    assert (nothing.images, nothing.labels) == (0, 0)
    assert len(scene.double.asked("GET", "vault")) == fetched
    objects = scene.world.objects_of(1)
    objects[1].become(Classification(CYCLOPOIDA, "V", None, scene.alice.id, scene.world.now()))
    objects[2].become(Classification(None, None))
    add(scene.world, scene.project, objects[0].acquisition, "new", taxon=CALANOIDA, qual="V", who=scene.alice.id)
    again = scene.pull().projects[0]
    assert (again.images, again.labels) == (1, 2)
    ds = Dataset.open(scene.path)
    names = dict(ds.metadata(["object_id"]).select("object_id", "uid").iter_rows())
    labels = {row["uid"]: row for row in ds.labels().to_dicts()}
    assert (labels[names["obj_1"]]["label"], labels[names["obj_1"]]["status"]) == ("Cyclopoida", "validated")
    assert labels[names["obj_1"]]["time_utc"].year == 2026
    assert (labels[names["obj_2"]]["label"], labels[names["obj_2"]]["status"]) == (None, "unclassified")
    assert labels[names["new"]]["status"] == "validated"
    assert scene.pull().projects[0].labels == 0


def test_what_somebody_said_here_stays_until_ecotaxa_has_news(scene: Scene) -> None:
    scene.pull()
    ds = Dataset.open(scene.path)
    uid = links(ds).filter(pl.col("object_id") == "obj_1")["uid"][0]
    ds.add_labels(pl.DataFrame({"uid": [uid], "label": ["Copepoda"], "status": ["validated"], "by": ["explorer"]}))
    assert scene.pull().projects[0].labels == 0
    assert Dataset.open(scene.path).labels().filter(pl.col("uid") == uid)["label"].item() == "Copepoda"


def test_hidden_originals_are_taken_instead_of_what_is_shown(scene: Scene) -> None:
    place = scene.world.objects_of(1)[0].acquisition
    shown, original = pixels_of("with scale bar"), pixels_of("as taken")
    add(scene.world, scene.project, place, "uvp6", pixels=[shown, original], ranks=(1, 100))
    add(scene.world, scene.project, place, "two", pixels=[shown, original], ranks=(0, 1))
    scene.pull()
    ds = Dataset.open(scene.path)
    rows = ds.metadata(["object_id", "image_rank"]).sort("image_rank")
    (uid,) = rows.filter(pl.col("object_id") == "uvp6")["uid"].to_list()
    assert np.array_equal(ds.image(uid).squeeze(), original.squeeze())
    both = rows.filter(pl.col("object_id") == "two")
    assert both["image_rank"].to_list() == [0, 1]
    assert [
        np.array_equal(ds.image(u).squeeze(), p.squeeze()) for u, p in zip(both["uid"], (shown, original), strict=True)
    ]


@pytest.mark.parametrize(
    ("kind", "path", "skip"),
    [
        ("502", "query", 1),
        ("cut", "query", 2),
        ("502", "acquisition/", 0),
        ("cut_before", "vault", 3),
        ("500", "vault", 6),
        ("timeout", "taxon_set", 0),
        ("html", "process/", 1),
    ],
)
def test_an_interrupted_pull_goes_on_where_it_was(scene: Scene, kind: str, path: str, skip: int) -> None:
    scene.client.wire.timeout_s = (0.3, 0.3)
    scene.double.faults.plan(kind, path, skip=skip, times=40)  # type: ignore[arg-type]
    report = scene.pull(page=3, batch=5)
    assert report.failed
    assert isinstance(report.projects[0].failure, RemoteError)
    fetched = scene.double.asked("GET", "vault")
    scene.double.faults.planned.clear()
    report = scene.pull(page=3, batch=5)
    assert not report.failed
    assert scene.names() == [f"obj_{n}" for n in range(8)], "nothing lost, nothing doubled"
    assert scene.pull().projects[0].images == 0
    if path != "vault":
        assert len(scene.double.asked("GET", "api/vault")) == 8, f"what came ({len(fetched)}) is not fetched again"


def test_a_pull_that_dies_after_the_ingest_does_not_double(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("shutil.rmtree", killed)
        with pytest.raises(KeyboardInterrupt):
            scene.pull(batch=5)
    assert len(scene.names()) == 5
    scene.pull(batch=5)
    assert scene.names() == [f"obj_{n}" for n in range(8)]


def test_short_faults_are_not_even_noticed(scene: Scene) -> None:
    scene.double.faults.plan("502", "query")
    scene.double.faults.plan("cut", "vault", times=2)
    scene.double.faults.plan("429", "sample/")
    assert not scene.pull(page=3).failed
    assert scene.names() == [f"obj_{n}" for n in range(8)]
    assert scene.double.faults.most_at_once <= 4


def test_rejected_objects_are_tried_again_only_on_demand(scene: Scene) -> None:
    place = scene.world.objects_of(1)[0].acquisition
    add(scene.world, scene.project, place, "nowhere", depth_min=None, depth_max=None)
    assert scene.pull().projects[0].rejected == 1
    ds = Dataset.open(scene.path)
    assert rejected_objects(ds, scene.double.url, 1) == {100000009}
    assert scene.pull().projects[0].rejected == 0
    told = scene.pull(retry=True, card=Card(defaults={"depth_min_m": 0, "depth_max_m": 100})).projects[0]
    assert (told.images, told.rejected) == (1, 0)
    assert len(scene.names()) == 9


def test_an_image_that_is_not_in_the_vault_is_told(scene: Scene) -> None:
    gone = scene.world.objects_of(1)[3].pictures[0]
    del scene.world.pictures[gone.file_name]
    (told,) = scene.pull().projects
    assert (told.images, told.rejected) == (7, 1)
    assert "image_lost" in {finding.code for finding in told.findings}


def test_removed_objects_are_told_and_removed_images_stay_away(scene: Scene) -> None:
    scene.pull()
    ds = Dataset.open(scene.path)
    uid = links(ds).filter(pl.col("object_id") == "obj_4")["uid"].to_list()
    ds.add_tombstones(uid, "withdrawn")
    del scene.world.objects[100000001]
    (told,) = scene.pull().projects
    assert [finding.code for finding in told.findings] == ["gone"]
    assert "obj_4" not in scene.names()
    assert len(scene.names()) == 7


def test_a_project_that_may_not_be_seen_does_not_stop_the_others(scene: Scene) -> None:
    secret = fill(scene.world, scene.alice)
    report = pull([secret.projid, scene.project.projid], scene.path, client=scene.client)
    assert isinstance(report.projects[0].failure, RefusedError)
    assert report.projects[1].images == 8
    assert "project 2: not pulled" in str(report)


def test_many_columns_go_in_several_requests(scene: Scene) -> None:
    obj = scene.world.objects_of(1)[0]
    wide = {f"a_rather_long_name_of_a_column_{n}": float(n) for n in range(200)}
    add(scene.world, scene.project, obj.acquisition, "wide", free=wide)
    scene.pull()
    ds = Dataset.open(scene.path)
    uid = links(ds).filter(pl.col("object_id") == "wide")["uid"].to_list()
    assert ds.raw(uid)[0]["object_a_rather_long_name_of_a_column_199"] == "199.0"
    assert len(scene.double.asked("POST", "query")) > 1


def test_objects_that_vanish_while_they_are_listed_pass_none_over(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = EcotaxaClient.query
    seen: list[object] = []

    def query(self: EcotaxaClient, *args: object, **more: object) -> object:
        page = asked(self, *args, **more)  # type: ignore[arg-type]
        if not seen:
            del scene.world.objects[100000001]
        seen.append(page)
        return page

    monkeypatch.setattr(EcotaxaClient, "query", query)
    assert not scene.pull(page=3).failed
    assert set(scene.names()) >= {f"obj_{n}" for n in range(1, 8)}


def test_an_expired_login_says_so(scene: Scene) -> None:
    scene.double.world.tokens.clear()
    with pytest.raises(RefusedError, match="expired"):
        scene.pull()
    assert not scene.path.exists()


def test_no_project_is_an_error(scene: Scene) -> None:
    with pytest.raises(ConfigError, match="needs the id"):
        pull([], scene.path, client=scene.client)


@pytest.mark.parametrize("why", ["open", "manager"])
def test_who_may_export_gets_images_by_one_job(scene: Scene, why: str) -> None:
    place = scene.world.objects_of(1)[0].acquisition
    add(scene.world, scene.project, place, "uvp6", pixels=[pixels_of("shown"), pixels_of("as taken")], ranks=(1, 100))
    if why == "open":
        scene.project.access = "2"
    else:
        scene.project.rights[scene.viewer.id] = "Manage"
    assert not scene.pull(export_from=5).failed
    assert len(scene.double.asked("POST", "export/general")) == 1
    assert len(scene.double.asked("GET", "api/vault")) <= 1
    assert scene.names() == [*(f"obj_{n}" for n in range(8)), "uvp6"]
    ds = Dataset.open(scene.path)
    images = {"uvp6": "as taken"}
    for uid, name in ds.metadata(["object_id"]).select("uid", "object_id").iter_rows():
        assert np.array_equal(ds.image(uid).squeeze(), pixels_of(images.get(name, name)).squeeze())
    assert not (scene.path / "ecotaxa" / "1").exists()


def test_few_images_and_viewers_make_no_export(scene: Scene) -> None:
    scene.pull(export_from=5)
    scene.project.access = "2"
    scene.pull()
    assert not scene.double.asked("POST", "export")


@pytest.mark.parametrize(("kind", "path"), [("500", "export/general"), ("502", "jobs/"), ("html", "jobs/.*/file")])
def test_an_export_that_fails_is_no_matter(scene: Scene, kind: str, path: str) -> None:
    scene.project.access = "2"
    scene.double.faults.plan(kind, path, times=40)  # type: ignore[arg-type]
    assert not scene.pull(export_from=5).failed
    assert scene.names() == [f"obj_{n}" for n in range(8)]
    assert len(scene.double.asked("GET", "api/vault")) == 8


def test_an_export_that_was_begun_is_waited_for(scene: Scene) -> None:
    scene.project.access = "2"
    scene.double.faults.plan("502", "sample/", times=40)
    assert scene.pull(export_from=5).failed
    scene.double.faults.planned.clear()
    assert not scene.pull(export_from=5).failed
    assert len(scene.double.asked("POST", "export")) == 1
    assert scene.names() == [f"obj_{n}" for n in range(8)]
